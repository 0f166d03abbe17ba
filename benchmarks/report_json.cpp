#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ostream>
#include <utility>

#include "benchmarks/report.hpp"
#include "benchmarks/slowed.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/tuning.hpp"
#include "furrow/kernels/instruction_set.hpp"

namespace furrow::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

/// The variables set that change how fast the runtimes are.
std::string environment() {
  std::string text;
  for (const char* const name : {"FURROW_NUM_THREADS", "FURROW_ISA", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND",
                                 "OMP_PLACES", "OMP_DYNAMIC", "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY"})
    if (const char* const value = std::getenv(name)) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

/// Those that were measured, in bytes, operations and seconds.
void add_roofs(const MachineRoofs& roofs) {
  for (const auto& [name, value] :
       {std::pair("read", roofs.read), std::pair("write", roofs.write), std::pair("copy", roofs.copy),
        std::pair("triad", roofs.triad), std::pair("fma_f32", roofs.fma_f32), std::pair("fma_f64", roofs.fma_f64)})
    if (value > 0) benchmark::AddCustomContext(fmt::format("furrow_roof_{}", name), fmt::format("{:.4g}", value));
  for (const auto& [name, seconds] : roofs.fork_join)
    if (seconds > 0) benchmark::AddCustomContext("furrow_fork_join_" + name, fmt::format("{:.4g}", seconds));
}

Run entry(const Group& group, const Case& one) {
  Run run;
  run.run_name.function_name = group.name(one);
  run.repetitions = static_cast<std::int64_t>(one.timings.real.size());
  run.per_family_instance_index = 0;
  run.threads = 1;  // Google Benchmark's own threads, not the backend's
  run.time_unit = benchmark::kNanosecond;
  run.iterations = static_cast<benchmark::IterationCount>(one.timings.calls);
  run.report_label = name_of(one.bits);
  return run;
}

void set_times(Run& run, const Group& group, double real, double cpu) {
  run.real_accumulated_time = real * static_cast<double>(run.iterations);
  run.cpu_accumulated_time = cpu * static_cast<double>(run.iterations);
  const double elements = static_cast<double>(group.n) / real;
  run.counters["bytes_per_second"] = elements * group.kernel->bytes(group.type);
  run.counters["items_per_second"] = elements;
}

std::vector<Run> runs(const Group& group, const Case& one, std::int64_t index) {
  std::vector<Run> entries;
  const Timings& timings = one.timings;
  std::size_t visit = 0;
  std::size_t visit_end = timings.visits[0];
  for (std::size_t round = 0; round < timings.real.size(); ++round) {
    while (round >= visit_end) visit_end += timings.visits[++visit];
    Run run = entry(group, one);
    run.counters["visit"] = static_cast<double>(visit);
    run.family_index = index;
    run.repetition_index = static_cast<std::int64_t>(round);
    set_times(run, group, timings.real[round], timings.cpu[round]);
    entries.push_back(std::move(run));
  }
  Run middle = entry(group, one);
  middle.family_index = index;
  middle.run_type = Run::RT_Aggregate;
  middle.aggregate_name = "median";
  set_times(middle, group, median(timings.real), median(timings.cpu));
  entries.push_back(std::move(middle));
  return entries;
}

Run failed(const Group& group, const Case& one, std::int64_t index) {
  Run run = entry(group, one);
  run.family_index = index;
  run.error_occurred = true;
  run.error_message = "wrong answer: " + *one.fault;
  return run;
}

}  // namespace

void write_json(const Measurements& measurements, const Verdict& verdict, std::ostream& out) {
  static const bool once = [&] {
    benchmark::AddCustomContext("furrow_version", FURROW_VERSION);
    benchmark::AddCustomContext("furrow_threads", std::to_string(measurements.threads));
    benchmark::AddCustomContext("furrow_pick", verdict.backend);
    benchmark::AddCustomContext("furrow_reason", verdict.reason);
    benchmark::AddCustomContext("furrow_mix", measurements.mix.text());
    benchmark::AddCustomContext("furrow_partial", measurements.interrupted ? "true" : "false");
    benchmark::AddCustomContext("furrow_seconds", fmt::format("{:.0f}", measurements.seconds));
    benchmark::AddCustomContext("furrow_backends", fmt::format("{}", fmt::join(measurements.backends, ",")));
    benchmark::AddCustomContext("furrow_peers", fmt::format("{}", fmt::join(measurements.peers, ",")));
    benchmark::AddCustomContext("furrow_notes", fmt::format("{}", fmt::join(measurements.notes, "; ")));
    benchmark::AddCustomContext("furrow_warnings", fmt::format("{}", fmt::join(measurements.warnings, "; ")));
    benchmark::AddCustomContext("furrow_neighbour", measurements.neighbour ? "true" : "false");
    benchmark::AddCustomContext("furrow_machine", Tuning::machine_key());
    benchmark::AddCustomContext("furrow_cpu", machine().cpu);
    benchmark::AddCustomContext("furrow_huge_pages", machine().huge_pages ? "yes" : "no");
    benchmark::AddCustomContext("furrow_instruction_set", instruction_set());
    benchmark::AddCustomContext("furrow_compiler", compiler());
    benchmark::AddCustomContext("furrow_flags", FURROW_BUILD_FLAGS);
    benchmark::AddCustomContext("furrow_environment", environment());
    if (!planted_slowness().empty()) benchmark::AddCustomContext("furrow_slowed", std::string(planted_slowness()));
    add_roofs(measurements.roofs);
    return true;
  }();
  (void)once;  // the library keeps these for the process and refuses them a second time
  static char name[] = "furrow bench";
  benchmark::BenchmarkReporter::Context::executable_name = name;

  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  reporter.ReportContext({});
  std::int64_t index = 0;
  for (const Group& group : measurements.groups) {
    for (const Case& one : group.cases) {
      if (one.fault)
        reporter.ReportRuns({failed(group, one, index++)});
      else if (one.timed())
        reporter.ReportRuns(runs(group, one, index++));
    }
  }
  reporter.Finalize();
}

}  // namespace furrow::bench
