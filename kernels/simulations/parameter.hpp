#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// A parameter: its name, what it means (with its unit and bounds), and where its value is. Options of simulations list theirs by
/// parameters(), so that the command, checkpoints and output know them.
struct Parameter {
  std::string_view name;                                                            ///< a plain word
  std::string_view about;                                                           ///< for people
  std::variant<double*, std::size_t*, std::string*, std::span<std::size_t>> value;  ///< where the value is

  /// As set() takes it: numbers so that they are read back to the last bit, a shape as "512x512".
  std::string text() const;
  /// Throws Error that says what is expected if `text` is no such value.
  void set(std::string_view text) const;
};

/// Gives parameters these values. Throws Error, which lists the names there are, for one that is not among them.
void apply(const std::vector<Parameter>& parameters, std::span<const Setting> settings);

}  // namespace furrow::sim
