#pragma once

#include <cstddef>
#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

struct SuiteOptions;

/// A group to be measured.
struct Selection {
  const table::Kernel* kernel;
  Type type;
  std::size_t n;
  int threads = 0;  ///< as in Group
};

/// All kernels, types and sizes that the options select. Throws as run_suite() does.
std::vector<Selection> select(const SuiteOptions& options);

/// As many of them as a run of so many seconds has time for, so that every kernel is among them as often as any other, and types
/// and sizes are spread over kernels: in the first pass each kernel comes once, the next kernel with the next of its sizes, and in
/// each pass all move on by one. It depends on selection and time alone, so that runs can be compared; passes come in order, so
/// that what is left out in a hurry is the last.
std::vector<Selection> sample(const std::vector<Selection>& selected, double seconds);

/// How long a group takes, in that of a small one: large arrays have to be filled and checked, too.
double weight(const Selection& what);

/// A group and the tuning of a kernel take about so long for each unit of weight.
constexpr double kSecondsPerWeight = 1;

/// Bytes that the arrays of a run may take.
std::size_t usable_memory();

}  // namespace furrow::bench
