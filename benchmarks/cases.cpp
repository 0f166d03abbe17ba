#include "benchmarks/cases.hpp"

#include <algorithm>

#include "benchmarks/peers.hpp"
#include "benchmarks/scenarios.hpp"
#include "benchmarks/slowed.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/tuning.hpp"

namespace furrow::bench {

std::string runtime_of(std::string_view backend) {
  if (backend == "openmp" || backend == "raw_openmp" || backend == "roof") return "openmp";
  if (backend == "tbb" || backend == "stdpar" || backend == "raw_tbb" || backend == "raw_stdpar") return "tbb";
  if (backend == "serial" || backend == "serial_loop") return "none";
  return std::string(backend);
}

bool is_ablation(std::string_view backend) {
  return backend.starts_with("ablate_");
}

std::string case_name(const table::Kernel& kernel, std::string_view backend, Type type, std::size_t n) {
  return std::string(kernel.name) + "/" + std::string(backend) + "/" + std::string(type_code(type)) + "/" + std::to_string(n);
}

Candidates::Candidates(const std::vector<std::string>& wanted, int threads) {
  const std::vector<std::string> all_backends = furrow::backends();
  const std::vector<std::string_view> all_peers = peer_backends();
  for (const std::string& name : wanted) {
    if (std::ranges::find(all_backends, name) != all_backends.end() || std::ranges::find(all_peers, name) != all_peers.end())
      continue;
    std::string known;
    for (const std::string& backend : all_backends) known += (known.empty() ? "" : ", ") + backend;
    for (const std::string_view peer : all_peers) known += ", " + std::string(peer);
    fail("unknown backend \"" + name + "\"; the suite has " + known);
  }
  const auto chosen = [&](std::string_view name) { return wanted.empty() || std::ranges::find(wanted, name) != wanted.end(); };
  for (const std::string& name : all_backends) {
    const Engine& engine = engines_.try_emplace(name, name, EngineOptions{.concurrency = threads}).first->second;
    threads_ = std::max(threads_, engine.concurrency());
    if (engine.concurrency() == threads_) placing_ = name;
    if (chosen(name)) backends_.push_back(name);
  }
  for (const std::string_view name : all_peers)
    if (chosen(name)) peers_.emplace_back(name);
}

void Candidates::add_automatic() {
  if (Tuning::load() == nullptr)
    fail("there is no automatic choice to judge: " +
         (Tuning::path().empty() ? "FURROW_TUNING is \"none\"" : Tuning::path() + " has no entry for this machine") +
         "; `furrow bench` makes one");
  choices_.try_emplace(std::string(kAutomatic), EngineOptions{.concurrency = threads_});
  for (const std::string& name : backends_)
    if (name != "serial")
      choices_.try_emplace(name + std::string(kForced), name, EngineOptions{.concurrency = threads_, .serial_below = 0});
}

std::vector<Candidate> Candidates::of(const table::Kernel& kernel) {
  std::vector<Candidate> found;
  const auto candidate = [&kernel](const std::string& name, Engine& engine) -> Candidate {
    const auto run = [&engine, run = kernel.run](table::Operands& operands) { run(engine, operands); };
    return {name, false, runtime_of(engine.backend()), {as_slow_as_planted(kernel.name, run)}};
  };
  for (const std::string& name : backends_) found.push_back(candidate(name, engines_.at(name)));
  for (auto& [name, engine] : choices_) found.push_back(candidate(name, engine));
  for (const std::string& name : peers_) {
    Candidate peer{name, true, runtime_of(name), {}};
    const Scenario* const around = find_scenario(kernel.name);
    for (const PeerFunction run : find_peer(name, around != nullptr ? around->kernel : kernel.name))
      peer.variants.emplace_back([run, around, threads = threads_](table::Operands& operands) {
        if (around != nullptr) around->before(threads);
        run(operands, threads);
        if (around != nullptr) around->after();
      });
    if (!peer.variants.empty()) found.push_back(std::move(peer));
  }
  return found;
}

}  // namespace furrow::bench
