#include "benchmarks/roofs.hpp"

#include <algorithm>
#include <vector>

#include "benchmarks/measure.hpp"
#include "benchmarks/memory.hpp"
#include "benchmarks/peers.hpp"

namespace furrow::bench {
namespace {

/// Elements of each of three arrays: far beyond any cache, and as the suite's largest cases have.
std::size_t elements_in_memory() {
  constexpr std::size_t kMost = std::size_t{1} << 25;
  return std::min(kMost, available_memory() / 2 / (3 * sizeof(double)));
}

/// Ways of measuring the bounds, and where the fastest goes.
class Probes {
 public:
  void add(std::string runtime, table::Operands& operands, std::function<void(table::Operands&, std::size_t)> run, double work,
           double& roof) {
    subjects_.push_back({std::move(runtime), [&operands, run = std::move(run)](std::size_t calls) { run(operands, calls); }});
    roofs_.push_back({work, &roof});
  }

  /// The most of what is added up in `work` that a second has room for; of several into one roof, that of the best.
  void measure(const Plan& plan) const {
    const std::vector<Timings> timings = bench::measure(subjects_, plan);
    for (std::size_t s = 0; s < timings.size(); ++s)
      if (!timings[s].real.empty()) *roofs_[s].value = std::max(*roofs_[s].value, roofs_[s].work / least(timings[s].real));
  }

 private:
  struct Roof {
    double work;
    double* value;
  };
  std::vector<Subject> subjects_;
  std::vector<Roof> roofs_;
};

void empty_region(Engine& engine, table::Operands&) {
  engine.bulk(static_cast<std::size_t>(engine.concurrency()), [](std::size_t) {});
}

}  // namespace

MachineRoofs measure_roofs(Candidates& candidates, std::uint64_t seed, const std::function<bool()>& stop) {
  MachineRoofs roofs;
  Probes probes;
  const int threads = candidates.threads();
  const auto add = [&](std::string_view row, table::Operands& operands, double work, double& roof) {
    for (const PeerFunction run : find_peer("roof", row, operands.type())) {
      const auto repeated = [run, threads](table::Operands& data, std::size_t calls) {
        for (std::size_t call = 0; call < calls; ++call) run(data, threads);
      };
      probes.add(runtime_of("roof"), operands, repeated, work, roof);
    }
  };
  table::Operands memory(candidates.placing_engine(), Type::f64, elements_in_memory());
  const double bytes = static_cast<double>(sizeof(double)) * static_cast<double>(memory.size());
  add("sum", memory, bytes, roofs.read);
  add("fill", memory, bytes, roofs.write);
  add("copy", memory, 2 * bytes, roofs.copy);
  add("triad", memory, 3 * bytes, roofs.triad);

  constexpr std::size_t kAnySize = 4096;
  table::Operands doubles(candidates.placing_engine(), Type::f64, kAnySize);
  table::Operands floats(candidates.placing_engine(), Type::f32, kAnySize);
  add("fma_rate", doubles, 2.0 * kMultiplyAdds * threads, roofs.fma_f64);
  add("fma_rate", floats, 2.0 * kMultiplyAdds * threads, roofs.fma_f32);

  std::map<std::string, double> regions_a_second;
  table::Kernel fork_join{};
  fork_join.name = "fork_join";
  fork_join.run = empty_region;
  for (const Candidate& candidate : candidates.of(fork_join, doubles.type()))
    for (const auto& run : candidate.variants) probes.add(candidate.runtime, doubles, run, 1, regions_a_second[candidate.backend]);

  probes.measure({.seconds = 2, .least_rounds = 5, .most_rounds = 15, .seed = seed, .stop = stop});
  for (const auto& [backend, regions] : regions_a_second)
    if (regions > 0) roofs.fork_join[backend] = 1 / regions;
  return roofs;
}

}  // namespace furrow::bench
