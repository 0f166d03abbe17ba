#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::tools {

/// The observables of a run over time.
class Record {
 public:
  /// Those of the state now.
  void add(const sim::Simulation& simulation);

  /// A figure with a panel for each, as an SVG file. `title` is text.
  std::string svg(const std::string& title) const;
  /// The same as a table: "step,time,…", and a line for each time it was recorded; numbers give back their bits.
  std::string csv() const;

 private:
  struct Curve {
    std::string name;
    std::vector<double> values;
  };
  std::string panel(const Curve& curve, double left, double top) const;

  std::vector<std::uint64_t> steps_;
  std::vector<double> times_;
  std::vector<Curve> curves_;
};

}  // namespace furrow::tools
