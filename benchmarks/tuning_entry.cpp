#include "benchmarks/tuning_entry.hpp"

#include <fmt/format.h>

#include <ctime>

#include "furrow/engine/registry.hpp"
#include "furrow/engine/threads.hpp"

namespace furrow::bench {

bool is_partial(const Measurements& measurements) {
  return measurements.interrupted || measurements.groups.size() * 2 < measurements.planned;
}

Verdict verdict_of(const Measurements& measurements) {
  std::vector<Evidence> evidence;
  for (const Group& group : measurements.groups) {
    if (group.threads != 0) continue;
    const auto share = measurements.mix.entry_of(group.kernel->name, group.kernel->family);
    if (!share) continue;
    Evidence entry{share->name, {}, group.key(), share->weight};
    for (const std::string& backend : measurements.backends) {
      const Case* const one = group.find(backend);
      const Timings timings = one == nullptr ? Timings() : one->timings;
      entry.add(timings.real, timings.visits);
    }
    evidence.push_back(std::move(entry));
  }
  Verdict verdict = decide(measurements.backends, evidence);
  if (is_partial(measurements))
    verdict.reason =
        fmt::format("from {} of {} groups of cases, {}", measurements.groups.size(), measurements.planned, verdict.reason);
  if (measurements.busy) verdict.reason = "beside other busy processes, " + verdict.reason;
  if (!measurements.mix.empty()) verdict.reason = "in the mix " + measurements.mix.text() + ", " + verdict.reason;
  return verdict;
}

std::optional<std::string> too_little_to_save(const Measurements& measurements) {
  if (measurements.backends != furrow::backends()) return "not all backends were measured";
  if (measurements.faults() > 0) return "a kernel gave a wrong answer";
  if (const int usual = choose_threads(0).count; measurements.threads != usual)
    return "it was measured with " + std::to_string(measurements.threads) + " threads, but programs here use " +
           std::to_string(usual);
  if (measurements.groups.empty()) return "nothing was measured";
  return std::nullopt;
}

Tuning tuning_entry(const Measurements& measurements, const Verdict& verdict, const Tuning* before) {
  Tuning entry;
  entry.backend = verdict.backend;
  entry.reason = verdict.reason;
  const std::time_t now = std::time(nullptr);
  std::tm date{};
  localtime_r(&now, &date);
  char text[sizeof "YYYY-MM-DD"];
  std::strftime(text, sizeof text, "%Y-%m-%d", &date);
  entry.measured = text;
  if (before != nullptr) entry.kernels = before->kernels;
  for (const auto& [backend, kernels] : measurements.tuned)
    for (const auto& [kernel, tuned] : kernels) entry.kernels[backend][kernel] = tuned;
  return entry;
}

}  // namespace furrow::bench
