#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/measure.hpp"

namespace furrow::bench {

/// One kernel, type and size: per backend, seconds per call in paired rounds; a backend without rounds was not measured here.
struct Evidence {
  std::string family;
  std::vector<std::vector<double>> seconds;
};

/// Which backend a process should use.
struct Verdict {
  std::string backend;        ///< empty if nothing was measured
  std::string reason;         ///< one sentence
  std::vector<Ratio> ratios;  ///< time of each backend over that of the pick, over all the evidence
};

/// Compares two backends over all the evidence: the geometric mean of the paired ratios, families weighted equally and kernels,
/// types and sizes within a family too; the interval comes from those of the single ratios.
Ratio overall(std::span<const Evidence> evidence, std::size_t first, std::size_t second);

/// The fastest backend, or the first in the list of those from which it cannot be told apart: the list goes from simple to less so.
/// "serial" gives way to a backend that is as fast on the whole and faster in some family.
Verdict decide(const std::vector<std::string>& backends, std::span<const Evidence> evidence);

/// The size from which on calls are faster in parallel, from times at increasing sizes; between two of them it is interpolated. The
/// first size if they always are; twice the last if they are not even there.
std::size_t crossover(std::span<const std::size_t> sizes, std::span<const double> serial, std::span<const double> parallel);

}  // namespace furrow::bench
