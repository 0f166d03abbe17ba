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
    std::string name;   ///< a plain word
    std::string about;  ///< for people
    std::string text;   ///< the value
  };

  std::string_view name;                 ///< what the command calls it
  std::string_view about;                ///< for people
  std::size_t steps;                     ///< what shows something within seconds
  std::vector<Default> (*parameters)();  ///< those there are
  std::unique_ptr<Simulation> (*make)(
      Engine& engine, std::span<const Setting> settings);  ///< with these parameters; throws Error if they make no sense
};

/// All simulations, in the order in which they are shown.
std::span<const Model> models();

/// The model called `name`. Throws Error, which lists those there are.
const Model& model(std::string_view name);

/// Makes the simulation that a checkpoint is of, with its parameters, and loads it. Throws Error as load() does, and if this furrow
/// has no such simulation.
std::unique_ptr<Simulation> resume(Engine& engine, const std::string& path);

}  // namespace furrow::sim
