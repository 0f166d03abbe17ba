#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "benchmarks/measure.hpp"
#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// The automatic choice in one kernel, type and size, beside the best that was to be had.
struct GroupRegret {
  std::string key;   ///< "triad/f64/1024"
  std::string best;  ///< the fastest of the others
  Ratio time;        ///< of the automatic choice over that of the best
  /// What is surely lost: by the lower bound of the interval. 0 if the automatic choice may be as fast.
  double regret() const { return time.low > 1 ? time.low - 1 : 0; }
};

/// The automatic choice beside always making the same choice, over the groups in which choices differ.
struct ConstantChoice {
  std::string name;
  Ratio time;  ///< of the automatic choice over that of this one: the geometric mean, groups weighing the same
};

/// What following the tuning file loses against knowing the best for each kernel, type and size.
struct Regret {
  std::vector<GroupRegret> groups;        ///< the greatest first
  std::vector<ConstantChoice> constants;  ///< over the groups that differ
  std::size_t differing = 0;              ///< groups in which the slowest choice takes 20 % more than the fastest, beyond noise

  double median_regret() const;
  double worst_regret() const { return groups.front().regret(); }
};

/// Works it out from a run in which the candidate kAutomatic was measured beside the backends, as they are and forced to use
/// threads. Throws Error if it was not.
Regret regret_of(const SavedRun& run);

std::string in_words(const Regret& regret);

}  // namespace furrow::bench
