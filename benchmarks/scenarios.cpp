#include "benchmarks/scenarios.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace furrow::bench {
namespace {

/// A thread of this process that computes while calls are made, and for a little while after: then it sleeps, so that what is
/// measured next is alone.
class BusyThread {
 public:
  ~BusyThread() {
    leaving_ = true;
    wake();
  }

  void call_begins() {
    in_call_ = true;
    wake();
  }
  void call_ended() {
    last_ended_ = Clock::now();
    in_call_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  // Longer than between two calls of one sample, shorter than the pause between two runtimes.
  static constexpr std::chrono::milliseconds kPatience{5};

  void wake() {
    awake_ = true;
    awake_.notify_one();
  }

  bool is_wanted() const { return in_call_ || Clock::now() - last_ended_.load() < kPatience; }

  void live() {
    while (!leaving_) {
      awake_.wait(false);
      while (!leaving_ && is_wanted()) {
      }
      awake_ = false;
      if (leaving_ || is_wanted()) awake_ = true;  // a call that began just now found it awake
    }
  }

  std::atomic<bool> awake_{false};
  std::atomic<bool> in_call_{false};
  std::atomic<bool> leaving_{false};
  std::atomic<Clock::time_point> last_ended_{};
  std::jthread thread_{[this] { live(); }};
};

BusyThread& busy_thread() {
  static BusyThread only;
  return only;
}

void neighbour_begins() {
  busy_thread().call_begins();
}
void neighbour_ends() {
  busy_thread().call_ended();
}

[[maybe_unused]] void nothing() {}  // without OpenMP

constexpr std::string_view kSurrounded = "triad";

template <void (*before)(), void (*after)()>
void run(Engine& engine, table::Operands& operands) {
  static const auto run_kernel = table::find(kSurrounded)->run;
  before();
  run_kernel(engine, operands);
  after();
}

/// A scenario around the triad of doubles.
template <void (*before)(), void (*after)()>
Scenario around_triad(std::string_view name, std::string_view formula, std::size_t largest) {
  table::Kernel row = *table::find(kSurrounded);
  row.name = name;
  row.family = "irregular";
  row.formula = formula;
  row.types = {Type::f64};
  row.run = run<before, after>;
  row.largest = largest;
  return {std::move(row), kSurrounded, before, after};
}

std::vector<table::Kernel> all_rows() {
  std::vector<table::Kernel> rows = table::kernels();
  for (const Scenario& scenario : scenarios()) rows.push_back(scenario.row);
  return rows;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all {
#if defined(FURROW_HAS_OPENMP)
    around_triad<openmp_region, nothing>("openmp_host", "triad, after an OpenMP region of the host's", std::size_t{1} << 19),
#endif
        around_triad<neighbour_begins, neighbour_ends>("busy_neighbour", "triad, beside a thread that computes",
                                                       std::size_t{1} << 22),
  };
  return all;
}

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find(scenarios(), name, [](const Scenario& scenario) { return scenario.row.name; });
  return found == scenarios().end() ? nullptr : &*found;
}

const std::vector<table::Kernel>& suite_kernels() {
  static const std::vector<table::Kernel> all = all_rows();
  return all;
}

const table::Kernel* find_suite_kernel(std::string_view name) {
  const auto found = std::ranges::find(suite_kernels(), name, &table::Kernel::name);
  return found == suite_kernels().end() ? nullptr : &*found;
}

}  // namespace furrow::bench
