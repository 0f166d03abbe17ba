#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "benchmarks/measure.hpp"
#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// Something whose speed changed beyond noise: a backend, a kernel of all types or one, or a single case.
struct Change {
  std::string name;        ///< "tbb", "triad", "triad/f64" or "triad/tbb/f64/1024"
  Ratio time;              ///< now over before
  std::size_t groups = 1;  ///< kernels, types and sizes that speak for it
};

/// How two runs of the suite on one machine differ.
struct Comparison {
  std::vector<Change> backends, kernels, cases;  ///< in each, the surest of large changes first
  std::size_t compared = 0;                      ///< cases of furrow's backends that both runs have
  std::size_t only_before = 0;
  std::size_t only_now = 0;
  double noise = 0;                     ///< of cases between the two runs, as a standard deviation: the typical one
  bool peers = true;                    ///< there were enough to tell a change of furrow from one of the machine
  std::vector<std::string> now_faulty;  ///< cases whose answer was right before

  bool differs() const { return !backends.empty() || !kernels.empty() || !cases.empty(); }
  /// Something is slower or wrong.
  bool regression() const;
};

/// Compares the cases of equal name by their fastest rounds. A case counts as changed if it did both in time and in time over that
/// of the run's peers: a machine that is busier now slows the peers as well. The noise between runs is taken from the peers, whose
/// code is the same in both: by how much they seem to have changed among themselves. What is called exceeds it so far that one
/// comparison in a hundred of equal builds should call anything. Kernels and backends are judged as a whole besides, which finds
/// what is too small to show in a single case.
///
/// Throws Error if the runs are of different machines or numbers of threads, or have no case in common.
Comparison compare_runs(const SavedRun& before, const SavedRun& now);

/// The same without anything but the checks: to be done before minutes are spent on measuring. `machine` and `threads` are those of
/// the run to come.
void check_comparable(const SavedRun& before, const std::string& machine, int threads);

std::string in_words(const Comparison& comparison, const SavedRun& before, const SavedRun& now);

}  // namespace furrow::bench
