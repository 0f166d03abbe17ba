#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// A simulation, described once: the command, tests and documentation loop over these.
struct Model {
  /// A parameter with its default.
  struct Default {
    std::string name;
    std::string about;
    std::string text;
  };

  std::string_view name;
  std::string_view about;
  std::size_t steps;  ///< what shows something within seconds
  std::vector<Default> (*parameters)();
  std::unique_ptr<Simulation> (*make)(Engine& engine, std::span<const Setting> settings);
};

/// All simulations, in the order in which they are shown.
std::span<const Model> models();

/// The model called `name`. Throws Error, which lists those there are.
const Model& model(std::string_view name);

/// Makes the simulation that a checkpoint is of, with its parameters, and loads it. Throws Error as load() does, and if this furrow
/// has no such simulation.
std::unique_ptr<Simulation> resume(Engine& engine, const std::string& path);

}  // namespace furrow::sim
