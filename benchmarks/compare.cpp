#include "benchmarks/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "benchmarks/ablation.hpp"
#include "benchmarks/cases.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

constexpr std::size_t kLeastRounds = 6;      // the suite makes no fewer
constexpr double kFalseAlarms = 0.002;       // for normal noise; as noise is, up to five times as many
constexpr double kLevels = 3;                // backends, kernels, cases
constexpr double kLeastNoise = 0.01;         // standard deviation of a logarithm, as below
constexpr double kNoiseWithoutPeers = 0.05;  // seen between runs on a virtual machine with neighbours
constexpr double kBeyondPeers = 1.2;
constexpr std::size_t kPeersThatTell = 10;  // whose changes make a distribution

/// The logarithm of a ratio of times, and its standard error.
struct Estimate {
  double log = 0;
  double error = 0;
};

/// How many standard deviations a normal distribution exceeds, on either side together, with this probability.
double normal_bound(double probability) {
  double low = 0;
  double high = 40;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2)) > probability ? low : high) = middle;
  }
  return high;
}

using Group = SavedRun::Group;
using Case = SavedRun::Case;

bool usable(const Case* one) {
  return one != nullptr && one->real.size() >= kLeastRounds;
}

/// A peer that does the same in every build: the roof is the fastest of several ways, which another run may choose otherwise.
bool is_control(const SavedRun& run, std::string_view backend) {
  return run.is_peer(backend) && backend != "roof" && !is_ablation(backend);
}

/// A kernel, type and size that both runs have.
struct Pair {
  const Group* before;
  const Group* now;
};

/// By how much a case changed, in time and in time over that of the peers: a machine that is busier now slows the peers as well,
/// and one that is less so must not make a case look slower that takes the time it took.
struct Shift {
  Estimate plain;
  Estimate relative;     // the same as plain where there is no peer
  double noise = 0;      // of cases like it
  bool separate = true;  // the 95 % intervals of the medians do not overlap
};

/// By the fastest round, since whatever else goes on only adds time: between two halves of a run on a virtual machine medians of
/// calls that fit the cache moved by 3 %, fastest rounds by 0.5 %. The gap to the next ones says how far to trust it. The
/// first rounds only where one run has more: of more rounds the fastest is faster.
Estimate plain_shift(const Case& then, const Case& now) {
  const std::size_t rounds = std::min(then.real.size(), now.real.size());
  Estimate shift;
  const auto add = [&](const Case& one, double sign) {
    std::vector<double> sorted(one.real.begin(), one.real.begin() + static_cast<std::ptrdiff_t>(rounds));
    std::ranges::sort(sorted);
    shift.log += sign * std::log(sorted[0]);
    shift.error = std::hypot(shift.error, std::log(sorted[std::max<std::size_t>(1, rounds / 8)] / sorted[0]));
  };
  add(now, 1);
  add(then, -1);
  return shift;
}

/// All cases that both groups of a pair have.
std::map<std::string, Shift> shifts_of(const SavedRun& run, const Pair& pair) {
  std::map<std::string, Shift> shifts;
  for (const Case& now : pair.now->cases) {
    const Case* const then = pair.before->find(now.backend);
    if (!usable(&now) || !usable(then)) continue;
    const Ratio here = middle(now.real);
    const Ratio there = middle(then->real);
    shifts[now.backend] = {plain_shift(*then, now), {}, 0, here.low > there.high || there.low > here.high};
  }
  for (auto& [backend, shift] : shifts) {
    std::vector<double> peers;
    for (const auto& [name, other] : shifts)
      if (name != backend && is_control(run, name)) peers.push_back(other.plain.log);
    shift.relative = shift.plain;
    if (!peers.empty()) shift.relative.log -= median(peers);
  }
  return shifts;
}

/// How much cases differ between two runs of the same code, which depends on size and runtime: what the peers show.
class Noise {
 public:
  void add(std::size_t n, const std::string& backend, double log) {
    for (const auto& key : keys(n, backend)) seen_[key].push_back(std::abs(log));
  }

  bool known() const { return seen_.contains(kAll) && seen_.at(kAll).size() >= kPeersThatTell; }

  double at(std::size_t n, const std::string& backend) const {
    for (const auto& key : keys(n, backend))
      if (const auto found = seen_.find(key); found != seen_.end() && found->second.size() >= kPeersThatTell)
        return spread(found->second);
    return kNoiseWithoutPeers;
  }

 private:
  using Key = std::pair<std::size_t, std::string>;
  static inline const Key kAll{0, ""};

  /// From the most to the least like it.
  static std::vector<Key> keys(std::size_t n, const std::string& backend) { return {{n, runtime_of(backend)}, {n, ""}, kAll}; }

  /// From the value that one in ten exceeds: few large ones then count, but a single one does not.
  static double spread(std::vector<double> sizes) {
    const auto rank = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() * 9 / 10);
    std::ranges::nth_element(sizes, rank);
    return std::max(kLeastNoise, *rank / 1.645);
  }

  std::map<Key, std::vector<double>> seen_;
};

/// Shifts of the cases of one kernel or backend, those of a group together: their noise is not independent.
using ByGroup = std::map<const Group*, std::vector<Shift>>;

/// The mean over groups, each a middle of its cases, weighted by how sure it is. Its error is what those of the groups make of it,
/// or what their scatter does if that is more.
Estimate pooled(const ByGroup& groups, Estimate Shift::*of) {
  struct Weighted {
    Estimate estimate;
    double weight;
  };
  std::vector<Weighted> all;
  double weights = 0;
  Estimate mean;
  for (const auto& [group, cases] : groups) {
    std::vector<double> logs, errors, noises;
    for (const Shift& shift : cases) {
      logs.push_back((shift.*of).log);
      errors.push_back((shift.*of).error);
      noises.push_back(shift.noise);
    }
    const double noise = median(noises);
    all.push_back({{median(logs), median(errors)}, 1 / (noise * noise)});
    weights += all.back().weight;
    mean.log += all.back().weight * all.back().estimate.log;
  }
  mean.log /= weights;
  double variance = 0;
  double scatter = 0;
  for (const auto& [estimate, weight] : all) {
    const double share = weight / weights;
    variance += share * share * estimate.error * estimate.error;
    scatter += share * share * (estimate.log - mean.log) * (estimate.log - mean.log);
  }
  const auto count = static_cast<double>(all.size());
  mean.error = std::max({std::sqrt(variance), std::sqrt(scatter * count / (count - 1)), kLeastNoise});
  return mean;
}

struct Finding {
  Shift shift;
  std::size_t groups;
};

/// Those that are beyond noise in both respects, by the lesser; the interval is so wide that a false alarm among all is rare, and
/// has at least so many standard errors on either side.
std::vector<Change> changes(const std::map<std::string, Finding>& findings, double least_bound = 0) {
  const double rare = kFalseAlarms / kLevels / static_cast<double>(std::max<std::size_t>(1, findings.size()));
  const double bound = std::max(normal_bound(rare), least_bound);
  const auto time = [bound](const Estimate& estimate) {
    const double margin = bound * estimate.error;
    return Ratio{std::exp(estimate.log), std::exp(estimate.log - margin), std::exp(estimate.log + margin)};
  };
  std::vector<Change> found;
  for (const auto& [name, finding] : findings) {
    if (!finding.shift.separate) continue;
    const Ratio plain = time(finding.shift.plain);
    const Ratio relative = time(finding.shift.relative);
    if ((plain.slower() && relative.slower()) || (plain.faster() && relative.faster()))
      found.push_back(
          {name, std::abs(std::log(plain.ratio)) < std::abs(std::log(relative.ratio)) ? plain : relative, finding.groups});
  }
  // The end of the interval that is nearer to 1: the surest of large ones first.
  std::ranges::stable_sort(found, std::greater<>(), [](const Change& change) {
    return change.time.slower() ? std::log(change.time.low) : -std::log(change.time.high);
  });
  return found;
}

std::vector<Change> changes(const std::map<std::string, ByGroup>& parts) {
  std::map<std::string, Finding> findings;
  for (const auto& [name, groups] : parts)
    if (groups.size() > 1)  // else its cases say it all
      findings[name] = {{pooled(groups, &Shift::plain), pooled(groups, &Shift::relative), 0, true}, groups.size()};
  return changes(findings);
}

std::vector<Pair> common(const SavedRun& before, const SavedRun& now) {
  std::map<std::string, const Group*> then;
  for (const Group& group : before.groups) then[group.key()] = &group;
  std::vector<Pair> pairs;
  for (const Group& group : now.groups)
    if (const auto found = then.find(group.key()); found != then.end()) pairs.push_back({found->second, &group});
  return pairs;
}

std::size_t own_cases(const SavedRun& run) {
  std::size_t count = 0;
  for (const Group& group : run.groups)
    for (const Case& one : group.cases) count += !run.is_peer(one.backend) && one.timed() ? 1 : 0;
  return count;
}

void check_comparable(const SavedRun& before, const std::string& with, const std::string& machine, const std::string& threads) {
  const std::string& there = before.about("furrow_machine");
  if (there.empty()) fail(before.name + " does not say which machine it is of, so that it cannot be compared; measure again");
  if (there != machine)
    fail(fmt::format("{} is of another machine than {}, which a comparison of times says nothing about: \"{}\" against \"{}\"",
                     before.name, with, there, machine));
  if (before.about("furrow_threads") != threads)
    fail(fmt::format("{} was measured with {} threads, {} with {}; --threads makes them alike", before.name,
                     before.about("furrow_threads"), with, threads));
}

std::string list(std::string_view title, const std::vector<Change>& changes, bool slower) {
  constexpr std::size_t kMost = 20;
  std::string text;
  std::size_t count = 0;
  for (const Change& change : changes) {
    if (change.time.slower() != slower || ++count > kMost) continue;
    text +=
        fmt::format("  {:<32} {:.2f}× ({:.2f}–{:.2f}) the time", change.name, change.time.ratio, change.time.low, change.time.high);
    if (change.groups > 1) text += fmt::format(", over {} kernels, types and sizes", change.groups);
    text += "\n";
  }
  if (count > kMost) text += fmt::format("  and {} more\n", count - kMost);
  return text.empty() ? "" : fmt::format("{} {} beyond noise:\n{}", title, slower ? "slower" : "faster", text);
}

}  // namespace

bool Comparison::regression() const {
  const auto slower = [](const std::vector<Change>& changes) {
    return std::ranges::any_of(changes, [](const Change& change) { return change.time.slower(); });
  };
  return slower(backends) || slower(kernels) || slower(cases) || !now_faulty.empty();
}

void check_comparable(const SavedRun& before, const std::string& machine, int threads) {
  check_comparable(before, "this run", machine, std::to_string(threads));
}

Comparison compare_runs(const SavedRun& before, const SavedRun& now) {
  check_comparable(before, now.name, now.about("furrow_machine"), now.about("furrow_threads"));

  Comparison found;
  const std::vector<Pair> pairs = common(before, now);
  std::vector<std::map<std::string, Shift>> shifts;
  Noise noise;
  for (const Pair& pair : pairs) {
    shifts.push_back(shifts_of(now, pair));
    std::size_t controls = 0;
    for (const auto& [backend, shift] : shifts.back()) controls += is_control(now, backend) ? 1 : 0;
    for (const auto& [backend, shift] : shifts.back())
      if (is_control(now, backend) && controls > 1) noise.add(pair.now->n, backend, shift.relative.log);
  }
  found.peers = noise.known();
  // Disturbances are not as mild as a normal distribution: what a single case of furrow's shows must exceed all that peers show.
  double most_of_peers = 0;
  for (std::size_t p = 0; p < pairs.size(); ++p)
    for (const auto& [backend, shift] : shifts[p])
      if (is_control(now, backend) && found.peers)
        most_of_peers = std::max(
            most_of_peers, std::abs(shift.relative.log) / std::hypot(shift.relative.error, noise.at(pairs[p].now->n, backend)));

  std::map<std::string, ByGroup> backends, kernels;
  std::map<std::string, Finding> cases;
  std::vector<double> noises;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto& [before_group, group] = pairs[p];
    for (const Case& one : group->cases) {
      if (now.is_peer(one.backend)) continue;
      const std::string name = fmt::format("{}/{}/{}/{}", group->kernel, one.backend, group->type, group->n);
      const Case* const then = before_group->find(one.backend);
      if (!one.fault.empty() && then != nullptr && then->timed()) found.now_faulty.push_back(name);
      const auto of = shifts[p].find(one.backend);
      if (of == shifts[p].end()) continue;
      Shift shift = of->second;
      shift.noise = noise.at(group->n, one.backend);
      noises.push_back(shift.noise);
      for (Estimate* const estimate : {&shift.plain, &shift.relative}) estimate->error = std::hypot(estimate->error, shift.noise);
      cases[name] = {shift, 1};
      backends[one.backend][group].push_back(shift);
      kernels[group->kernel][group].push_back(shift);
      kernels[group->kernel + "/" + group->type][group].push_back(shift);
    }
  }
  if (cases.empty() && found.now_faulty.empty())
    fail(fmt::format("{} and {} have no case in common with {} rounds or more in both", before.name, now.name, kLeastRounds));
  found.compared = cases.size();
  found.only_before = own_cases(before) - found.compared;
  found.only_now = own_cases(now) - found.compared;
  if (!noises.empty()) found.noise = median(noises);
  found.backends = changes(backends);
  found.kernels = changes(kernels);
  found.cases = changes(cases, kBeyondPeers * most_of_peers);
  return found;
}

std::string in_words(const Comparison& comparison, const SavedRun& before, const SavedRun& now) {
  const auto version = [](const SavedRun& run) {
    return fmt::format("{}{}", run.about("furrow_version"), run.partial() ? ", partial" : "");
  };
  std::string text =
      fmt::format("Compared with {} (furrow {}, {}): {} cases of furrow {}; noise between the runs {:.1f} %.\n", before.name,
                  version(before), before.about("date"), comparison.compared, version(now), 100 * comparison.noise);
  if (!comparison.peers)
    text += "Too few peers in both runs to measure that noise; it is assumed. What changed may be the machine.\n";
  for (const auto& [key, what] : {std::pair("furrow_instruction_set", "Instruction set"), std::pair("furrow_compiler", "Compiler"),
                                  std::pair("furrow_flags", "Flags"), std::pair("furrow_environment", "Environment")})
    if (before.about(key) != now.about(key))
      text += fmt::format("{}: \"{}\" then, \"{}\" now.\n", what, before.about(key), now.about(key));
  if (comparison.only_before + comparison.only_now > 0)
    text += fmt::format("Not compared: {} cases that were measured then only, {} now only.\n", comparison.only_before,
                        comparison.only_now);
  for (const std::string& name : comparison.now_faulty) text += "WRONG now, right before: " + name + "\n";
  for (const bool slower : {true, false})
    text += list("Backends", comparison.backends, slower) + list("Kernels", comparison.kernels, slower) +
            list("Cases", comparison.cases, slower);
  if (!comparison.differs()) text += "No difference beyond noise.\n";
  return text;
}

}  // namespace furrow::bench
