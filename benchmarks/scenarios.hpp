#pragma once

#include <string_view>
#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// A kernel of the table in surroundings that tell the backends apart and that no kernel can make by itself: something of the host
/// program's happens at each call, and belongs to its time, whoever makes the call.
struct Scenario {
  table::Kernel row;        ///< of the suite, under the scenario's name
  std::string_view kernel;  ///< what is called
  void (*before)();
  void (*after)();
};

/// Those of this build: `openmp_host` (a parallel region of the host's own before each call) and `busy_neighbour` (a thread that
/// computes meanwhile).
const std::vector<Scenario>& scenarios();
const Scenario* find_scenario(std::string_view name);  ///< nullptr if there is none

/// All that the suite can measure, in the order in which it is shown: the table's kernels, then the scenarios.
const std::vector<table::Kernel>& suite_kernels();
const table::Kernel* find_suite_kernel(std::string_view name);  ///< nullptr if there is none

/// A parallel region of plain OpenMP, as a host program may have between its calls: each thread adds a few numbers. The host
/// decides how many there are, whoever makes the call. Only in builds with OpenMP.
void openmp_region();

}  // namespace furrow::bench
