#pragma once

#include <string>

namespace furrow {

/// How many CPUs this process may use, and what says so.
struct CpuAllowance {
  int affinity = 1;  ///< CPUs in the affinity mask, or those that OpenMP binds its threads to ($OMP_PROC_BIND), if there are more
  double quota = 0;  ///< CPUs' worth of time the cgroup (v1 or v2) grants; 0: no limit
  /// min(affinity, quota rounded up), at least 1.
  int cpus() const;
};
CpuAllowance cpu_allowance();

/// The number of threads an engine gets, and what decided.
struct ThreadCount {
  int count = 1;
  std::string reason;
};

/// `requested` > 0 wins, then $FURROW_NUM_THREADS, then $OMP_NUM_THREADS, then the CPUs allowed. Throws Error if `requested` or
/// $FURROW_NUM_THREADS is no number from 1 to 4096; a bad $OMP_NUM_THREADS is not ours to judge and is passed over.
ThreadCount choose_threads(int requested);

/// The number of threads up to `wanted`, the caller among them, that the system lets this process have at once; found out by
/// starting them, because the runtimes end the process when a thread cannot be made. Warns once if it is fewer.
int threads_that_start(int wanted);

}  // namespace furrow
