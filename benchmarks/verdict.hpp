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
  std::string name = {};                 ///< "triad/f64/1024"
  double weight = 1;                     ///< of its family among the others; the same throughout a family
  std::vector<std::size_t> visits = {};  ///< rounds in each visit, of whom there are most

  /// A backend's rounds; of losers the later ones are missing.
  void add(const std::vector<double>& rounds, const std::vector<std::size_t>& in_visits);
};

/// What would change if one backend were always used instead of the pick.
struct Score {
  struct Extreme {
    double ratio = 1;  ///< of times
    std::string name;  ///< of the case; empty if there is none beyond noise
  };
  std::string backend;
  Ratio time;     ///< over the pick's, over all the evidence
  Extreme worst;  ///< its greatest loss: its time over the pick's
  Extreme best;   ///< its greatest gain: likewise, below 1
};

/// Which backend a process should use.
struct Verdict {
  std::string backend;             ///< empty if nothing was measured
  std::string reason;              ///< one sentence
  std::vector<Ratio> ratios;       ///< time of each backend over that of the pick, over all the evidence
  std::vector<Score> scores = {};  ///< of the other backends that were measured
};

/// Compares two backends over all the evidence: the geometric mean of the paired ratios, families as they are weighted and
/// kernels, types and sizes within a family equally; the interval comes from those of the single ratios.
Ratio overall(std::span<const Evidence> evidence, std::size_t first, std::size_t second);

/// The fastest backend, or the first in the list of those from which it cannot be told apart: the list goes from simple to less so.
/// "serial" gives way to a backend that is as fast on the whole and faster in some family.
Verdict decide(const std::vector<std::string>& backends, std::span<const Evidence> evidence);

/// Scores for people, a line each.
std::string in_words(const std::vector<Score>& scores);

/// Of ways to do the same at some sizes, with their paired rounds at [way][size], the one that is fastest on the whole, if it is
/// faster than the first by 5 % or more beyond noise and slower at no size; else the first, 0.
std::size_t better_way(const std::vector<std::vector<std::vector<double>>>& seconds);

/// The size from which on calls are faster in parallel, from times at increasing sizes; between two of them it is interpolated. The
/// first size if they always are; twice the last if they are not even there.
std::size_t crossover(std::span<const std::size_t> sizes, std::span<const double> serial, std::span<const double> parallel);

}  // namespace furrow::bench
