#include "tools/settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>

#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"

namespace furrow::tools {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is(std::string_view value, std::string_view lower_case) {
  return std::ranges::equal(value, lower_case, {}, [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

/// The CPUs in "Cpus_allowed_list: 0-3,8" of this process.
std::set<long> allowed_cpus() {
  std::set<long> cpus;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kKey = "Cpus_allowed_list:";
    if (!line.starts_with(kKey)) continue;
    std::istringstream ranges(line.substr(kKey.size()));
    for (std::string range; std::getline(ranges, range, ',');) {
      char* end = nullptr;
      const long first = std::strtol(range.c_str(), &end, 10);
      const long last = *end == '-' ? std::strtol(end + 1, nullptr, 10) : first;
      for (long cpu = first; cpu <= last; ++cpu) cpus.insert(cpu);
    }
  }
  return cpus;
}

/// Seconds since the start, of all the CPUs given together.
struct CpuTime {
  double busy = 0;
  double stolen = 0;
};

CpuTime cpu_time(const std::set<long>& cpus) {
  CpuTime time;
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    // "cpu3 user nice system idle iowait irq softirq steal guest guest_nice"; guests' time is in user and nice.
    if (!line.starts_with("cpu") || line.size() < 4 || std::isdigit(static_cast<unsigned char>(line[3])) == 0) continue;
    std::istringstream numbers(line.substr(3));
    long cpu = 0;
    double user = 0, nice = 0, system = 0, idle = 0, wait = 0, hard = 0, soft = 0, steal = 0;
    if (!(numbers >> cpu >> user >> nice >> system >> idle >> wait >> hard >> soft >> steal) || !cpus.contains(cpu)) continue;
    time.busy += (user + nice + system + hard + soft) * tick;
    time.stolen += steal * tick;
  }
  return time;
}

}  // namespace

Settings Settings::observe() {
  Settings here;
  // This thread sleeps meanwhile, so that what is busy are others. The kernel counts in steps of 10 ms.
  const std::set<long> cpus = allowed_cpus();
  const auto now = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  const double start = now();
  const CpuTime before = cpu_time(cpus);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const CpuTime after = cpu_time(cpus);
  const double seconds = now() - start;
  here.busy = (after.busy - before.busy) / seconds;
  here.stolen = (after.stolen - before.stolen) / seconds;

  here.allowed = cpu_allowance();
  here.online = sysconf(_SC_NPROCESSORS_ONLN);
  here.huge_pages = machine().huge_pages;
  std::ifstream("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") >> here.governor;
  here.omp_proc_bind = environment("OMP_PROC_BIND");
  here.omp_wait_policy = environment("OMP_WAIT_POLICY");
  const std::vector<std::string> all = backends();
  const auto has = [&](std::string_view name) { return std::ranges::find(all, name) != all.end(); };
  here.several_runtimes = has("openmp") && (has("tbb") || has("stdpar"));
#if !defined(__OPTIMIZE__) || !defined(NDEBUG)
  here.debug = true;
#endif
  return here;
}

Advice advice(const Settings& settings) {
  constexpr double kNoticeable = 0.25;  // CPUs; housekeeping stays below a tenth
  Advice found;
  const auto warn = [&](std::string text) { found.warnings.push_back(std::move(text)); };
  const CpuAllowance& allowed = settings.allowed;
  const bool bound = !settings.omp_proc_bind.empty() && !is(settings.omp_proc_bind, "false");
  if (bound && allowed.affinity < settings.online)
    warn(
        fmt::format("OMP_PROC_BIND={} binds threads to {} of {} CPUs, those that OMP_PLACES or the affinity mask names, and every "
                    "backend keeps to them; name more, or unset it",
                    settings.omp_proc_bind, allowed.affinity == 1 ? "one" : std::to_string(allowed.affinity), settings.online));
  else if (allowed.affinity == 1 && settings.online > 1)
    warn(
        fmt::format("the affinity mask allows one CPU of {}, so that nothing runs in parallel; ask for more of whoever set it: "
                    "taskset -c, mpirun --bind-to none, srun --cpus-per-task",
                    settings.online));
  if (allowed.quota > 0 && allowed.quota < allowed.affinity)
    warn(
        fmt::format("the cgroup grants {:.4g} CPUs' worth of time although the mask shows {}; threads are limited to {}, and all "
                    "of them stand still when the share is used up; raise it (docker --cpus, limits.cpu of Kubernetes, "
                    "CPUQuota of systemd)",
                    allowed.quota, allowed.affinity, allowed.cpus()));
  if (!settings.huge_pages)
    warn(
        "transparent huge pages are off; large arrays are faster with them (as root: echo madvise > "
        "/sys/kernel/mm/transparent_hugepage/enabled)");
  if (settings.governor == "powersave")
    warn(
        "the frequency governor is powersave, which keeps the clock low or raises it late (as root: cpupower frequency-set -g "
        "performance)");
  if (settings.busy >= kNoticeable)
    warn(
        fmt::format("other processes now take {:.1f} of the {} CPUs allowed, and threads wait for the slowest among them; stop "
                    "them, or leave them room with --threads or FURROW_NUM_THREADS",
                    settings.busy, allowed.affinity));
  if (settings.stolen >= kNoticeable)
    warn(
        fmt::format("the hypervisor now gives {:.1f} of the {} CPUs to other machines; times vary until it stops, and only "
                    "CPUs of one's own (a dedicated instance) prevent it",
                    settings.stolen, allowed.affinity));
  if (is(settings.omp_wait_policy, "active"))
    warn("OMP_WAIT_POLICY=active lets OpenMP's idle threads take the CPUs from TBB's and from other processes; unset it");
  else if (settings.several_runtimes && !is(settings.omp_wait_policy, "passive"))
    found.notes.emplace_back(
        "a program that goes back and forth between OpenMP and TBB loses up to 4 ms each time, because OpenMP's threads spin; "
        "stay with one backend or set OMP_WAIT_POLICY=passive");
  if (settings.debug) warn("this is a debug build: expect a fraction of the speed; build with -DCMAKE_BUILD_TYPE=Release");
  return found;
}

}  // namespace furrow::tools
