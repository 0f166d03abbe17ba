#include "furrow/engine/threads.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/warning.hpp"

namespace furrow {
namespace {

constexpr int kMostThreads = 4096;

int affinity_count() {
  // The kernel refuses a mask smaller than its own, so grow it until it is taken.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::optional<double> number_in(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The tightest quota of `group` and the groups above it under `mount`, in CPUs; v2 keeps "quota period" in one file, v1 in two.
double tightest_quota(const std::string& mount, std::string group, bool v2) {
  double tightest = 0;
  while (true) {
    const std::string folder = mount + group + "/";
    std::optional<double> quota;
    std::optional<double> period;
    if (v2) {
      std::ifstream file(folder + "cpu.max");
      std::string word;
      double value = 0;
      if (file >> word >> value && word != "max") quota = std::strtod(word.c_str(), nullptr), period = value;
    } else {
      quota = number_in(folder + "cpu.cfs_quota_us");
      period = number_in(folder + "cpu.cfs_period_us");
    }
    if (quota && period && *quota > 0 && *period > 0) {
      const double cpus = *quota / *period;
      tightest = tightest == 0 ? cpus : std::min(tightest, cpus);
    }
    if (group.empty() || group == "/") return tightest;
    group.erase(group.find_last_of('/'));
  }
}

double cgroup_quota() {
  // Lines of /proc/self/cgroup: "0::/group" for v2, "4:cpu,cpuacct:/group" for v1. Where they are mounted is in mountinfo.
  std::string v1;
  std::string v2;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers == ",,") v2 = line.substr(second + 1);
    if (controllers.find(",cpu,") != std::string::npos) v1 = line.substr(second + 1);
  }
  double quota = 0;
  const auto tighten = [&quota](double cpus) {
    if (cpus > 0) quota = quota == 0 ? cpus : std::min(quota, cpus);
  };
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skip;
    std::string root;
    std::string point;
    words >> skip >> skip >> skip >> root >> point;
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream rest(line.substr(dash + 3));
    std::string type;
    std::string options;
    rest >> type >> skip >> options;
    const bool is_v2 = type == "cgroup2";
    const bool is_v1 = type == "cgroup" && ("," + options + ",").find(",cpu,") != std::string::npos;
    std::string group = is_v2 ? v2 : is_v1 ? v1 : "";
    if (group.empty()) continue;
    // Inside a container the mount shows a part of the tree: its root is to be taken off the group's path.
    if (root != "/" && group.rfind(root, 0) == 0) group.erase(0, root.size());
    tighten(tightest_quota(point, group, is_v2));
  }
  return quota;
}

/// The number that all of `text` spells, if it is one from 1 to kMostThreads.
std::optional<int> thread_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMostThreads) return std::nullopt;
  return value;
}

}  // namespace

int CpuAllowance::cpus() const {
  const int granted = quota > 0 ? static_cast<int>(std::ceil(std::min(quota, double{kMostThreads}))) : affinity;
  return std::max(1, std::min(affinity, granted));
}

CpuAllowance cpu_allowance() {
  return {.affinity = std::max(affinity_count(), static_cast<int>(bound_cpus().size())), .quota = cgroup_quota()};
}

ThreadCount choose_threads(int requested) {
  if (requested < 0 || requested > kMostThreads)
    fail("a concurrency of " + std::to_string(requested) + " is not possible; give 0 (choose) or 1 to " +
         std::to_string(kMostThreads));
  if (requested > 0) return {requested, "asked for"};
  if (const char* text = std::getenv("FURROW_NUM_THREADS")) {
    const std::optional<int> number = thread_number(text);
    if (!number)
      fail("FURROW_NUM_THREADS=\"" + std::string(text) + "\" is not a number of threads; set it to 1 to " +
           std::to_string(kMostThreads) + " or unset it");
    return {*number, "FURROW_NUM_THREADS"};
  }
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const std::string_view list(text);  // "4,2": threads at each nesting level
    if (const std::optional<int> number = thread_number(list.substr(0, list.find(',')))) return {*number, "OMP_NUM_THREADS"};
  }
  const CpuAllowance allowed = cpu_allowance();
  return {std::min(allowed.cpus(), kMostThreads),
          allowed.cpus() < allowed.affinity ? "cgroup CPU quota" : "CPUs in the affinity mask"};
}

int threads_that_start(int wanted) {
  static std::atomic<int> proven{1};
  if (wanted <= proven.load(std::memory_order_relaxed)) return wanted;
  std::mutex mutex;
  std::condition_variable release;
  bool done = false;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(wanted) - 1);
  std::exception_ptr error;
  try {
    while (static_cast<int>(threads.size()) + 1 < wanted)
      threads.emplace_back([&] {
        std::unique_lock lock(mutex);
        release.wait(lock, [&] { return done; });
      });
  } catch (const std::system_error&) {
    // As many as there are.
  } catch (...) {  // out of memory: those that were started have to end all the same
    error = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex);
    done = true;
  }
  release.notify_all();
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
  const int started = static_cast<int>(threads.size()) + 1;
  if (started < wanted)
    warn_once("the system lets this process start only " + std::to_string(started) + " of " + std::to_string(wanted) +
              " threads; going on with those (raise `ulimit -u` or the cgroup's pids.max)");
  proven.store(started, std::memory_order_relaxed);
  return started;
}

}  // namespace furrow
