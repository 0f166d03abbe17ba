#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "benchmarks/measure.hpp"
#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// Something whose speed changed beyond noise: a backend, a kernel of all types or one, or a kernel on one backend.
struct Change {
  std::string name;    ///< "tbb", "triad", "triad/f64" or "triad/tbb"
  Ratio time;          ///< now over before, in the middle, and from the least to the greatest that was seen
  std::size_t groups;  ///< kernels, types and sizes that agree on it
  std::size_t of;      ///< so many
};

/// How two runs of the suite on one machine differ.
struct Comparison {
  std::vector<Change> backends, kernels;  ///< in each, the largest changes first
  std::size_t compared = 0;               ///< cases of furrow's backends that both runs have
  std::size_t only_before = 0;
  std::size_t only_now = 0;
  double moved = 0;                     ///< half of the cases moved by so much or less against their peers, as a logarithm
  bool peers = false;                   ///< by which a change of furrow is told from one of the machine
  std::vector<std::string> now_faulty;  ///< cases whose answer was right before

  bool differs() const { return !backends.empty() || !kernels.empty(); }
  /// Something is slower or wrong.
  bool regression() const;
};

/// Compares the cases of equal name. Each is held against the peers on the same runtime, round by round: a busier machine, or two
/// threads that come to share a core, then drop out. A single case says little even so. A kernel is called slower (or faster) if
/// at more than half of its types and sizes all backends agree: each takes 5 % longer against its peers and 10 % in the middle, and
/// the serial one takes longer by the clock as well. A kernel on one backend, or a backend as a whole, needs several groups.
///
/// Throws Error if the runs are of different machines or numbers of threads, or have no case in common.
Comparison compare_runs(const SavedRun& before, const SavedRun& now);

/// The same without anything but the checks: to be done before minutes are spent on measuring. `machine` and `threads` are those of
/// the run to come.
void check_comparable(const SavedRun& before, const std::string& machine, int threads);

std::string in_words(const Comparison& comparison, const SavedRun& before, const SavedRun& now);

}  // namespace furrow::bench
