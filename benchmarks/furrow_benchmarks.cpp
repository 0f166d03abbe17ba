// The suite's cases for Google Benchmark's own driver, with its own flags:
//   furrow_benchmarks --benchmark_filter='^triad/.*/f64/65536' --benchmark_repetitions=9 --benchmark_enable_random_interleaving
// FURROW_NUM_THREADS sets the number of threads. `furrow bench` compares more carefully; this is for profiling and for one's own
// scripts.

#include <benchmark/benchmark.h>

#include <memory>

#include "benchmarks/sample.hpp"
#include "benchmarks/suite.hpp"
#include "benchmarks/workspace.hpp"

namespace furrow::bench {
namespace {

/// The workspace of the latest case; neighbours share it.
Workspace& workspace(Candidates& candidates, const Selection& what) {
  static std::unique_ptr<Workspace> latest;
  static const table::Kernel* kernel = nullptr;
  if (latest == nullptr || latest->operands().type() != what.type || latest->operands().size() != what.n) {
    latest.reset();  // before the new one is allocated
    latest = std::make_unique<Workspace>(candidates.placing_engine(), what.type, what.n);
    kernel = nullptr;
  }
  if (kernel != what.kernel) latest->prepare(*what.kernel);
  kernel = what.kernel;
  return *latest;
}

void run_case(benchmark::State& state, Candidates& candidates, const Selection& what, bool exact,
              const std::function<void(table::Operands&, std::size_t)>& run) {
  Workspace& data = workspace(candidates, what);
  data.reset();
  run(data.operands(), 1);
  if (const auto fault = data.fault(exact)) return state.SkipWithError(fault->c_str());
  for (auto iteration : state) run(data.operands(), 1);
  const auto elements = static_cast<double>(state.iterations()) * static_cast<double>(what.n);
  state.SetItemsProcessed(static_cast<std::int64_t>(elements));
  state.SetBytesProcessed(static_cast<std::int64_t>(elements * what.kernel->bytes(what.type)));
}

void register_all(Candidates& candidates) {
  for (const Selection& what : select({})) {
    for (const Candidate& candidate : candidates.of(*what.kernel, what.type)) {
      for (std::size_t variant = 0; variant < candidate.variants.size(); ++variant) {
        std::string name = case_name(*what.kernel, candidate.backend, what.type, what.n);
        if (candidate.variants.size() > 1) name += "/variant:" + std::to_string(variant);
        benchmark::RegisterBenchmark(name.c_str(), [&candidates, what, exact = candidate.kind == Kind::backend,
                                                    run = candidate.variants[variant]](benchmark::State& state) {
          run_case(state, candidates, what, exact, run);
        })->UseRealTime();
      }
    }
  }
}

}  // namespace
}  // namespace furrow::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  furrow::bench::Candidates candidates({}, 0);
  furrow::bench::register_all(candidates);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
