#include "benchmarks/kernel_tuning.hpp"

#include <algorithm>
#include <deque>

#include "benchmarks/verdict.hpp"

namespace furrow::bench {
namespace {

constexpr std::size_t kSizes[] = {std::size_t{1} << 10, std::size_t{1} << 12, std::size_t{1} << 14, std::size_t{1} << 15,
                                  std::size_t{1} << 16, std::size_t{1} << 17, std::size_t{1} << 19};

/// Sizes that give as many chunks as a call can have in chunks of less than full length, and of full length.
constexpr std::size_t kWaySizes[] = {std::size_t{1} << 17, std::size_t{1} << 20};

/// How work may be handed to threads; the first is what an engine does by itself.
const std::vector<KernelTuning> kWays{
    {}, {.schedule = Schedule::dynamic}, {.grain = 2, .schedule = Schedule::dynamic}, {.grain = 16, .schedule = Schedule::stable}};

/// Loops over functors learn their cost anew at each call; only the named kernels have a key in the tuning file.
bool is_named(const table::Kernel& kernel) {
  return kernel.family == "element-wise" || kernel.family == "functions" || kernel.family == "reductions";
}

/// Times a kernel on some engines at some sizes: the rounds of engine e at size s are at [e][s]. Nothing if it was stopped.
using Rounds = std::vector<std::vector<std::vector<double>>>;
Rounds rounds_of(const TuningTask& task, std::deque<Engine>& engines, std::span<const std::size_t> sizes, const Plan& plan) {
  std::deque<table::Operands> operands;
  for (const std::size_t n : sizes) {
    operands.emplace_back(engines.back(), task.type, n);
    task.kernel->make_inputs(operands.back());
  }
  std::vector<Subject> subjects;
  for (Engine& engine : engines)
    for (table::Operands& data : operands)
      subjects.push_back({runtime_of(engine.backend()), [&task, &engine, &data](std::size_t calls) {
                            for (std::size_t call = 0; call < calls; ++call) task.kernel->run(engine, data);
                          }});
  std::vector<Timings> timings = measure(subjects, plan);
  if (std::ranges::any_of(timings, [](const Timings& timing) { return timing.real.empty(); })) return {};
  Rounds rounds(engines.size());
  for (std::size_t t = 0; t < timings.size(); ++t) rounds[t / sizes.size()].push_back(std::move(timings[t].real));
  return rounds;
}

std::vector<double> medians(const std::vector<std::vector<double>>& rounds) {
  std::vector<double> values(rounds.size());
  std::ranges::transform(rounds, values.begin(), [](const std::vector<double>& of_size) { return median(of_size); });
  return values;
}

}  // namespace

std::vector<TuningTask> tuning_tasks(const std::vector<Selection>& selected, const Candidates& candidates) {
  const auto& backends = candidates.backends();
  if (backends.size() < 2 || std::ranges::find(backends, "serial") == backends.end()) return {};
  std::vector<TuningTask> tasks;
  for (const Selection& what : selected) {
    const auto same = [&](const TuningTask& task) { return task.kernel == what.kernel && task.type == what.type; };
    if (is_named(*what.kernel) && std::ranges::none_of(tasks, same)) tasks.push_back({what.kernel, what.type});
  }
  return tasks;
}

void measure_tuning(const TuningTask& task, const Candidates& candidates, const Plan& plan, Tuning::ByBackend& tuned) {
  std::vector<std::string> parallel = candidates.backends();
  std::erase(parallel, "serial");
  const std::string key = std::string(task.kernel->name) + "/" + std::string(type_code(task.type));
  Plan half = plan;
  half.seconds = plan.seconds / 2;

  std::deque<Engine> engines;
  engines.emplace_back("serial");
  for (const std::string& name : parallel)
    engines.emplace_back(name, EngineOptions{.concurrency = candidates.threads(), .serial_below = 0});
  const Rounds forced = rounds_of(task, engines, kSizes, half);
  if (forced.empty()) return;
  for (std::size_t b = 0; b < parallel.size(); ++b)
    tuned[parallel[b]][key] = {.serial_below = crossover(kSizes, medians(forced[0]), medians(forced[b + 1]))};

  engines.clear();
  for (const std::string& name : parallel)
    for (const KernelTuning& way : kWays)
      engines.emplace_back(
          name,
          EngineOptions{
              .concurrency = candidates.threads(), .schedule = way.schedule, .grain = way.grain.value_or(0), .serial_below = 0});
  const Rounds rounds = rounds_of(task, engines, kWaySizes, half);
  if (rounds.empty()) return;
  for (std::size_t b = 0; b < parallel.size(); ++b) {
    const auto first = rounds.begin() + static_cast<std::ptrdiff_t>(b * kWays.size());
    const KernelTuning& way = kWays[better_way({first, first + static_cast<std::ptrdiff_t>(kWays.size())})];
    tuned[parallel[b]][key].grain = way.grain;
    tuned[parallel[b]][key].schedule = way.schedule;
  }
}

}  // namespace furrow::bench
