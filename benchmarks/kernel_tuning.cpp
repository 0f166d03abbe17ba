#include "benchmarks/thresholds.hpp"

#include <algorithm>
#include <deque>
#include <memory>

#include "benchmarks/verdict.hpp"

namespace furrow::bench {
namespace {

constexpr std::size_t kSizes[] = {std::size_t{1} << 10, std::size_t{1} << 12, std::size_t{1} << 14, std::size_t{1} << 15,
                                  std::size_t{1} << 16, std::size_t{1} << 17, std::size_t{1} << 19};

/// Loops over functors learn their cost anew at each call; only the named kernels have a key in the tuning file.
bool is_named(const table::Kernel& kernel) {
  return kernel.family == "element-wise" || kernel.family == "reductions";
}

}  // namespace

std::vector<ThresholdTask> thresholds_to_measure(const std::vector<Selection>& selected, const Candidates& candidates) {
  const auto& backends = candidates.backends();
  if (backends.size() < 2 || std::ranges::find(backends, "serial") == backends.end()) return {};
  std::vector<ThresholdTask> tasks;
  for (const Selection& what : selected) {
    const auto same = [&](const ThresholdTask& task) { return task.kernel == what.kernel && task.type == what.type; };
    if (is_named(*what.kernel) && std::ranges::none_of(tasks, same)) tasks.push_back({what.kernel, what.type});
  }
  return tasks;
}

void measure_threshold(const ThresholdTask& task, const Candidates& candidates, const Plan& plan, Thresholds& thresholds) {
  const auto& backends = candidates.backends();
  std::deque<Engine> engines;
  for (const std::string& name : backends)
    engines.emplace_back(name, EngineOptions{.concurrency = candidates.threads(), .serial_below = 0});
  std::deque<table::Operands> operands;
  std::vector<Subject> subjects;  // all sizes of a backend after each other, so that the runtime changes rarely
  for (std::size_t b = 0; b < backends.size(); ++b) {
    for (std::size_t s = 0; s < std::size(kSizes); ++s) {
      if (b == 0) {
        operands.emplace_back(engines.back(), task.type, kSizes[s]);
        task.kernel->make_inputs(operands.back());
      }
      subjects.push_back({runtime_of(backends[b]), [&task, &engine = engines[b], &data = operands[s]](std::size_t calls) {
                            for (std::size_t call = 0; call < calls; ++call) task.kernel->run(engine, data);
                          }});
    }
  }
  const std::vector<Timings> timings = measure(subjects, plan);
  if (std::ranges::any_of(timings, [](const Timings& timing) { return timing.real.empty(); })) return;

  const auto times = [&](std::size_t backend) {
    std::vector<double> medians;
    for (std::size_t s = 0; s < std::size(kSizes); ++s) medians.push_back(median(timings[backend * std::size(kSizes) + s].real));
    return medians;
  };
  const auto serial = static_cast<std::size_t>(std::ranges::find(backends, "serial") - backends.begin());
  const std::string key = std::string(task.kernel->name) + "/" + std::string(type_code(task.type));
  for (std::size_t b = 0; b < backends.size(); ++b)
    if (b != serial) thresholds[backends[b]][key] = crossover(kSizes, times(serial), times(b));
}

}  // namespace furrow::bench
