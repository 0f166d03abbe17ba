#pragma once

#include <string>
#include <vector>

#include "furrow/engine/threads.hpp"

namespace furrow::tools {

/// What surrounds a program and decides how fast it can be, apart from the machine itself.
struct Settings {
  CpuAllowance allowed;
  long online = 1;            ///< CPUs
  bool huge_pages = true;     ///< to be had for large arrays
  std::string governor;       ///< of the clock frequency; empty where the system does not say
  double busy = 0;            ///< CPUs' worth of time that other processes take of those allowed
  double stolen = 0;          ///< the same that a hypervisor gives to other machines
  std::string omp_proc_bind;  ///< environment variables; empty: not set
  std::string omp_wait_policy;
  bool several_runtimes = false;  ///< a program could alternate between OpenMP and TBB
  bool debug = false;             ///< this build is slow

  /// As they are here and now. Watches the CPUs for a fifth of a second.
  static Settings observe();
};

/// Those that make programs slower, or their times unsteady, each in one sentence with what to do about it.
struct Advice {
  std::vector<std::string> warnings;  ///< they hurt every program
  std::vector<std::string> notes;     ///< they hurt some
};
Advice advice(const Settings& settings);

}  // namespace furrow::tools
