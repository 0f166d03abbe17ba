#include "benchmarks/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "benchmarks/ablation.hpp"
#include "benchmarks/cases.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

constexpr std::size_t kLeastRounds = 6;  // the suite makes no fewer

// What counts, as logarithms of ratios. Between runs of one build on a virtual machine with neighbours, a case on one backend moves
// by 10 % and more against its peers in every eighth case; all backends together, by 5 % each and in the same direction, hardly
// ever.
const double kEach = std::log(1.05);
const double kMiddle = std::log(1.1);
const double kWithoutPeers = std::log(1.25);  // then a change of the machine looks like one of furrow

/// Arrays of fewer elements may be worked on by one thread on every backend, so that what disturbs one disturbs all.
constexpr std::size_t kLarge = std::size_t{1} << 14;
constexpr std::size_t kFewestSmall = 3;  ///< groups, where there are only small ones

/// For a single backend: groups that there must be, since it has no others to agree with it.
constexpr std::size_t kFewestOfKernel = 3;
constexpr std::size_t kFewestOfBackend = 6;
constexpr std::size_t kBackendsThatAgree = 3;  ///< of which one group is enough

using Group = SavedRun::Group;
using Case = SavedRun::Case;

/// By how much a backend changed in a group, as logarithms of ratios of times.
struct Shift {
  std::string backend;
  double plain;     ///< in time
  double relative;  ///< in time over that of peers on the same runtime
  bool clear;       ///< that is beyond the noise within both runs
};
/// A kernel, type and size that both runs have.
struct Changed {
  const Group* group;
  std::vector<Shift> shifts;  ///< of furrow's backends
  bool peers;                 ///< there is one at least
};

bool usable(const Case* one) {
  return one != nullptr && one->real.size() >= kLeastRounds;
}

/// A peer that does the same in every build: the roof is the fastest of several ways, which another run may choose otherwise.
bool is_control(const SavedRun& run, std::string_view backend) {
  return run.is_peer(backend) && backend != "roof" && !is_ablation(backend);
}

/// By one of the fastest rounds, since whatever else goes on mostly adds time, but a clock that runs ahead for a moment does not;
/// of as many rounds in both, since losers have early ones only.
double plain_shift(const Case& then, const Case& now) {
  const std::size_t rounds = std::min(then.real.size(), now.real.size());
  const auto fast = [rounds](const Case& one) {
    std::vector<double> sorted(one.real.begin(), one.real.begin() + static_cast<std::ptrdiff_t>(rounds));
    std::ranges::sort(sorted);
    return sorted[rounds / 8];
  };
  return std::log(fast(now) / fast(then));
}

/// What both say: the smaller change, or none if they disagree on its sign.
double weaker(double a, double b) {
  if (a * b <= 0) return 0;
  return std::abs(a) < std::abs(b) ? a : b;
}

/// The change against the peers, each of which was measured in the same rounds: what befell both drops out. Peers on the same
/// runtime suffer alike: where two threads come to share a core, all loops of OpenMP take longer, and serial ones do not. Where
/// there is none on this runtime, all peers count.
Shift shift_of(const SavedRun& run, const Group& before, const Group& group, const Case& then, const Case& now) {
  struct AgainstPeers {
    std::vector<double> logs;
    std::size_t clear = 0;
  } alike, all;
  for (const Case& peer : group.cases) {
    const Case* const peer_then = before.find(peer.backend);
    if (!is_control(run, peer.backend) || !usable(&peer) || !usable(peer_then)) continue;
    const Ratio here = bench::compare(now, peer);
    const Ratio there = bench::compare(then, *peer_then);
    for (AgainstPeers* const some : {&alike, &all}) {
      if (some == &alike && runtime_of(peer.backend) != runtime_of(now.backend)) continue;
      some->logs.push_back(std::log(here.ratio / there.ratio));
      some->clear += here.low > there.high || there.low > here.high ? 1 : 0;
    }
  }
  // Of faster or slower memory peers may see nothing, being busy with something else; the roof does.
  const Case* const roof = group.find("roof");
  const Case* const roof_then = before.find("roof");
  const auto beside_roof = [&](double change) {
    if (!usable(roof) || !usable(roof_then)) return change;
    return weaker(change, std::log(bench::compare(now, *roof).ratio / bench::compare(then, *roof_then).ratio));
  };
  const double plain = plain_shift(then, now);
  const AgainstPeers& of = alike.logs.empty() ? all : alike;
  if (of.logs.empty()) return {now.backend, plain, beside_roof(plain), true};
  return {now.backend, plain, beside_roof(median(of.logs)), 2 * of.clear >= of.logs.size()};
}

Changed change_of(const SavedRun& run, const Group& before, const Group& group) {
  const bool peers = std::ranges::any_of(group.cases, [&](const Case& one) {
    return is_control(run, one.backend) && usable(&one) && usable(before.find(one.backend));
  });
  Changed changed{&group, {}, peers};
  for (const Case& now : group.cases)
    if (const Case* const then = before.find(now.backend); !run.is_peer(now.backend) && usable(&now) && usable(then))
      changed.shifts.push_back(shift_of(run, before, group, *then, now));
  return changed;
}

/// The change of a group if all its backends agree on it, else nothing; of a single one it must be clear. In time it must show as
/// well, where it is steadiest: on one thread.
struct Agreed {
  double least;
  double middle;
  double most;
};
std::optional<Agreed> agreed(const Changed& changed) {
  std::vector<double> relative, plain;
  for (const Shift& shift : changed.shifts) {
    relative.push_back(shift.relative);
    plain.push_back(shift.plain);
  }
  const Agreed found{std::ranges::min(relative), median(relative), std::ranges::max(relative)};
  const auto serial = std::ranges::find(changed.shifts, "serial", &Shift::backend);
  const double steadiest = serial != changed.shifts.end() ? serial->plain : median(plain);
  if (changed.shifts.size() == 1 && !changed.shifts.front().clear) return std::nullopt;
  const double sign = found.middle < 0 ? -1 : 1;
  const double weakest = sign < 0 ? -found.most : found.least;
  // Neighbours that leave two threads the memory of one double the time of all threads alike, and that of one thread moves little.
  if (weakest < kEach || sign * steadiest < std::max(kEach, sign * found.middle / 2) ||
      sign * found.middle < (changed.peers ? kMiddle : kWithoutPeers))
    return std::nullopt;
  return found;
}

/// Those that speak for a kernel: the large ones, if there are any.
std::vector<const Changed*> telling(const std::vector<const Changed*>& all) {
  std::vector<const Changed*> large;
  std::ranges::copy_if(all, std::back_inserter(large), [](const Changed* one) { return one->group->n >= kLarge; });
  return large.empty() ? all : large;
}

/// A change that more than this share of the groups agree on.
std::optional<Change> majority(const std::string& name, const std::vector<const Changed*>& groups, double share) {
  std::optional<Change> found;
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> middles, all;
    for (const Changed* const one : groups) {
      const std::optional<Agreed> change = agreed(*one);
      if (!change || sign * change->middle < 0) continue;
      middles.push_back(change->middle);
      all.insert(all.end(), {change->least, change->most});
    }
    if (static_cast<double>(middles.size()) <= share * static_cast<double>(groups.size())) continue;
    found = Change{name,
                   {std::exp(median(middles)), std::exp(std::ranges::min(all)), std::exp(std::ranges::max(all))},
                   middles.size(),
                   groups.size()};
  }
  return found;
}

/// All backends at once, for which one group may be enough.
std::optional<Change> change_of_kernel(const std::string& name, const std::vector<const Changed*>& all) {
  const std::vector<const Changed*> groups = telling(all);
  const bool large = groups.front()->group->n >= kLarge;
  const auto agree = [](const Changed* one) { return one->shifts.size() >= kBackendsThatAgree; };
  const std::size_t fewest = large && std::ranges::all_of(groups, agree) ? 1 : kFewestSmall;
  return groups.size() < fewest ? std::nullopt : majority(name, groups, 0.5);
}

/// One backend, over some groups.
std::vector<Changed> of_backend(const std::vector<const Changed*>& groups, const std::string& backend) {
  std::vector<Changed> found;
  for (const Changed* const one : telling(groups))
    if (const auto shift = std::ranges::find(one->shifts, backend, &Shift::backend); shift != one->shifts.end())
      found.push_back({one->group, {*shift}, one->peers});
  return found;
}

std::optional<Change> change_on_backend(const std::string& kernel, const std::vector<const Changed*>& all,
                                        const std::string& backend) {
  constexpr double kShare = 2.0 / 3;
  const std::vector<Changed> own = of_backend(all, backend);
  if (own.size() < kFewestOfKernel) return std::nullopt;
  std::vector<const Changed*> groups;
  for (const Changed& one : own) groups.push_back(&one);
  return majority(kernel + "/" + backend, groups, kShare);
}

/// A backend over all kernels: here small changes count too, if they are the same nearly everywhere.
std::optional<Change> change_of_backend(const std::string& backend, const std::vector<const Changed*>& all) {
  constexpr double kShare = 0.7;
  constexpr double kErrors = 4;  // standard errors
  const double least = std::log(1.02);
  const std::vector<Changed> groups = of_backend(all, backend);
  if (groups.size() < kFewestOfBackend) return std::nullopt;
  std::vector<double> plain, relative;
  for (const Changed& one : groups) {
    plain.push_back(one.shifts.front().plain);
    relative.push_back(one.shifts.front().relative);
  }
  const double middle = median(relative);
  const double sign = middle < 0 ? -1 : 1;
  const auto same = std::ranges::count_if(relative, [&](double one) { return sign * one >= least; });
  const bool peers = std::ranges::all_of(groups, &Changed::peers);
  std::vector<double> apart;
  for (const double one : relative) apart.push_back(std::abs(one - middle));
  // Of the median, from the median distance as from that of a normal distribution.
  const double error = 1.2533 * 1.4826 * median(apart) / std::sqrt(static_cast<double>(groups.size()));
  if (static_cast<double>(same) < kShare * static_cast<double>(groups.size()) || sign * median(plain) < least ||
      sign * middle < (peers ? kEach : kWithoutPeers) || sign * middle - kErrors * error < least)
    return std::nullopt;
  std::ranges::sort(relative);
  const auto quarter = static_cast<std::ptrdiff_t>(relative.size() / 4);
  return Change{backend,
                {std::exp(middle), std::exp(relative.begin()[quarter]), std::exp(relative.end()[-1 - quarter])},
                static_cast<std::size_t>(same),
                groups.size()};
}

/// The largest changes first.
void sort(std::vector<Change>& changes) {
  std::ranges::stable_sort(changes, std::greater<>(), [](const Change& change) { return std::abs(std::log(change.time.ratio)); });
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
    if ((change.time.ratio > 1) != slower || ++count > kMost) continue;
    text += fmt::format("  {:<32} {:.2f}× ({:.2f}–{:.2f}) the time, in {} of {} groups\n", change.name, change.time.ratio,
                        change.time.low, change.time.high, change.groups, change.of);
  }
  if (count > kMost) text += fmt::format("  and {} more\n", count - kMost);
  return text.empty() ? "" : fmt::format("{} {} beyond noise:\n{}", title, slower ? "slower" : "faster", text);
}

}  // namespace

bool Comparison::regression() const {
  const auto slower = [](const std::vector<Change>& changes) {
    return std::ranges::any_of(changes, [](const Change& change) { return change.time.ratio > 1; });
  };
  return slower(backends) || slower(kernels) || !now_faulty.empty();
}

void check_comparable(const SavedRun& before, const std::string& machine, int threads) {
  check_comparable(before, "this run", machine, std::to_string(threads));
}

Comparison compare_runs(const SavedRun& before, const SavedRun& now) {
  check_comparable(before, now.name, now.about("furrow_machine"), now.about("furrow_threads"));

  Comparison found;
  std::map<std::string, const Group*> then;
  for (const Group& group : before.groups) then[group.key()] = &group;
  std::vector<Changed> changed;
  for (const Group& group : now.groups) {
    const auto pair = then.find(group.key());
    if (pair == then.end()) continue;
    for (const Case& one : group.cases)
      if (const Case* const old = pair->second->find(one.backend);
          !now.is_peer(one.backend) && !one.fault.empty() && old != nullptr && old->timed())
        found.now_faulty.push_back(fmt::format("{}/{}/{}/{}", group.kernel, one.backend, group.type, group.n));
    changed.push_back(change_of(now, *pair->second, group));
  }
  std::erase_if(changed, [](const Changed& one) { return one.shifts.empty(); });
  if (changed.empty() && found.now_faulty.empty())
    fail(fmt::format("{} and {} have no case in common with {} rounds or more in both", before.name, now.name, kLeastRounds));

  std::vector<const Changed*> all;
  std::map<std::string, std::vector<const Changed*>> kernels, types;
  std::vector<double> sizes;
  for (const Changed& one : changed) {
    all.push_back(&one);
    kernels[one.group->kernel].push_back(&one);
    types[one.group->kernel + "/" + one.group->type].push_back(&one);
    found.peers = found.peers || one.peers;
    found.compared += one.shifts.size();
    for (const Shift& shift : one.shifts) sizes.push_back(std::abs(shift.relative));
  }
  found.only_before = own_cases(before) - found.compared;
  found.only_now = own_cases(now) - found.compared;
  if (!sizes.empty()) found.moved = median(sizes);

  const auto add = [](std::vector<Change>& to, const std::optional<Change>& change) {
    if (change) to.push_back(*change);
    return change.has_value();
  };
  for (const auto& [kernel, groups] : kernels) {
    if (add(found.kernels, change_of_kernel(kernel, groups))) continue;
    // Not as a whole: perhaps one type, or one backend.
    for (const auto& [type, of_type] : types)
      if (of_type.front()->group->kernel == kernel && of_type.size() > 1) add(found.kernels, change_of_kernel(type, of_type));
    for (const std::string& backend : now.backends) add(found.kernels, change_on_backend(kernel, groups, backend));
  }
  for (const std::string& backend : now.backends) add(found.backends, change_of_backend(backend, all));
  sort(found.kernels);
  sort(found.backends);
  return found;
}

std::string in_words(const Comparison& comparison, const SavedRun& before, const SavedRun& now) {
  const auto version = [](const SavedRun& run) {
    return fmt::format("{}{}", run.about("furrow_version"), run.partial() ? ", partial" : "");
  };
  std::string text = fmt::format(
      "Compared with {} (furrow {}, {}): {} cases of furrow {}; against its peers, half of them moved by {:.1f} % or less.\n",
      before.name, version(before), before.about("date"), comparison.compared, version(now), 100 * comparison.moved);
  if (!comparison.peers) text += "Without peers in both runs only large changes are called, and what changed may be the machine.\n";
  for (const auto& [key, what] : {std::pair("furrow_instruction_set", "Instruction set"), std::pair("furrow_compiler", "Compiler"),
                                  std::pair("furrow_flags", "Flags"), std::pair("furrow_environment", "Environment")})
    if (before.about(key) != now.about(key))
      text += fmt::format("{}: \"{}\" then, \"{}\" now.\n", what, before.about(key), now.about(key));
  if (comparison.only_before + comparison.only_now > 0)
    text += fmt::format("Not compared: {} cases that were measured then only, {} now only.\n", comparison.only_before,
                        comparison.only_now);
  for (const std::string& name : comparison.now_faulty) text += "WRONG now, right before: " + name + "\n";
  for (const bool slower : {true, false})
    text += list("Backends", comparison.backends, slower) + list("Kernels", comparison.kernels, slower);
  if (!comparison.differs()) text += "No difference beyond noise.\n";
  return text;
}

}  // namespace furrow::bench
