#include "benchmarks/cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "benchmarks/ablation.hpp"
#include "benchmarks/peers.hpp"
#include "benchmarks/scenarios.hpp"
#include "benchmarks/slowed.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/runtimes.hpp"
#include "furrow/engine/tuning.hpp"

namespace furrow::bench {
namespace {

// Peers in Python, in a process of its own.
constexpr std::string_view kPythonPeers[] = {"numpy", "numexpr", "numba"};
constexpr const char* kPythonScript =
#include "python_peers.inc"
    ;

bool is_python(std::string_view peer) {
  return std::ranges::find(kPythonPeers, peer) != std::end(kPythonPeers);
}

std::function<void(table::Operands&, std::size_t)> repeated(std::function<void(table::Operands&)> run) {
  return [run = std::move(run)](table::Operands& operands, std::size_t calls) {
    for (std::size_t call = 0; call < calls; ++call) run(operands);
  };
}

}  // namespace

std::string runtime_of(std::string_view backend) {
  for (const PeerBackend& peer : peer_backends())
    if (peer.name == backend) return std::string(peer.runtime);
  if (backend == "stdpar") return "tbb";
  if (backend == "serial") return "none";
  return std::string(backend);
}

std::string case_name(const table::Kernel& kernel, std::string_view backend, Type type, std::size_t n) {
  return std::string(kernel.name) + "/" + std::string(backend) + "/" + std::string(type_code(type)) + "/" + std::to_string(n);
}

Candidates::Candidates(const std::vector<std::string>& wanted, int threads) {
  allow_both_runtimes();
  constexpr std::string_view kUsual = "usual";
  std::vector<std::string> names, groups;
  const auto chosen = [&](std::string_view name, std::string_view group) {
    names.emplace_back(name);
    if (std::ranges::find(groups, group) == groups.end()) groups.emplace_back(group);
    return std::ranges::find(wanted, name) != wanted.end() || std::ranges::find(wanted, group) != wanted.end() ||
           (wanted.empty() && group == kUsual);
  };
  for (const std::string& name : furrow::backends()) {
    const Engine& engine = engines_.try_emplace(name, name, EngineOptions{.concurrency = threads}).first->second;
    threads_ = std::max(threads_, engine.concurrency());
    if (engine.concurrency() == threads_) placing_ = name;
    if (chosen(name, kUsual)) backends_.push_back(name);
  }
  for (const PeerBackend& peer : peer_backends())
    if (chosen(peer.name, peer.group)) peers_.emplace_back(peer.name);
  // The system's Python, to which its packages of the modules belong.
  std::vector<std::string> python{"/usr/bin/python3", "-c", kPythonScript, std::to_string(threads_)};
  const std::size_t words_without_peers = python.size();
  for (const std::string_view peer : kPythonPeers) {
    if (!chosen(peer, "python")) continue;
    peers_.emplace_back(peer);
    python.emplace_back(peer);
  }
  for (const Ablation& ablation : kAblations)
    if (chosen(ablation.name, "ablations")) peers_.emplace_back(ablation.name);
  for (const std::string& name : wanted)
    if (std::ranges::find(names, name) == names.end() && std::ranges::find(groups, name) == groups.end())
      fail(fmt::format("unknown backend \"{}\"; the suite has {}, and the groups {}", name, fmt::join(names, ", "),
                       fmt::join(groups, ", ")));
  if (python.size() > words_without_peers) {
    const auto worker = std::make_shared<Worker>(python);
    for (const std::string_view peer : kPythonPeers) workers_.emplace(peer, worker);
  }
  for (const Ablation& ablation : kAblations)
    if (std::ranges::find(peers_, ablation.name) != peers_.end())
      workers_.emplace(ablation.name,
                       std::make_shared<Worker>(ablation_command(ablation, Engine({.concurrency = threads}).backend(), threads_)));
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

double Candidates::worker_seconds() const {
  std::set<const Worker*> workers;  // several peers may share one
  for (const auto& [name, worker] : workers_) workers.insert(worker.get());
  double seconds = 0;
  for (const Worker* const worker : workers) seconds += worker->cpu_seconds();
  return seconds;
}

std::vector<std::string> Candidates::notes() const {
  std::vector<std::string> notes;
  std::set<const Worker*> told;  // several peers may share one
  for (const auto& [name, worker] : workers_) {
    if (!told.insert(worker.get()).second) continue;
    notes.insert(notes.end(), worker->notes().begin(), worker->notes().end());
    if (worker->trouble())
      notes.push_back(fmt::format("{} stopped: {}", is_python(name) ? "the peers in Python" : name, *worker->trouble()));
  }
  return notes;
}

std::vector<Candidate> Candidates::of(const table::Kernel& kernel, Type type) {
  std::vector<Candidate> found;
  const auto candidate = [&kernel](const std::string& name, Engine& engine) -> Candidate {
    const auto run = [&engine, run = kernel.run](table::Operands& operands) { run(engine, operands); };
    return {name, Kind::backend, runtime_of(engine.backend()), {repeated(as_slow_as_planted(kernel.name, run))}};
  };
  for (const std::string& name : backends_) found.push_back(candidate(name, engines_.at(name)));
  for (auto& [name, engine] : choices_) found.push_back(candidate(name, engine));
  const Scenario* const around = find_scenario(kernel.name);
  for (const std::string& name : peers_) {
    const Kind kind = name == "roof" ? Kind::roof : is_ablation(name) ? Kind::ablation : Kind::peer;
    Candidate peer{name, kind, runtime_of(name), {}};
    for (const PeerFunction run : find_peer(name, around != nullptr ? around->kernel : kernel.name, type))
      peer.variants.push_back(repeated([run, around, threads = threads_](table::Operands& operands) {
        if (around != nullptr) around->before();
        run(operands, threads);
        if (around != nullptr) around->after();
      }));
    if (const auto worker = workers_.find(name); worker != workers_.end() && worker->second->has(name, kernel.name)) {
      peer.worker = worker->second.get();
      peer.variants.emplace_back(
          [worker = peer.worker, name, &kernel](table::Operands&, std::size_t calls) { worker->run(name, kernel.name, calls); });
    }
    if (!peer.variants.empty()) found.push_back(std::move(peer));
  }
  return found;
}

}  // namespace furrow::bench
