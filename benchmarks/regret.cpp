#include "benchmarks/regret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "benchmarks/cases.hpp"
#include "benchmarks/verdict.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

/// The choices of a group that somebody could have made instead: furrow's backends, as they are and forced to use threads.
std::vector<const SavedRun::Case*> choices(const SavedRun& run, const SavedRun::Group& group) {
  std::vector<const SavedRun::Case*> found;
  for (const SavedRun::Case& one : group.cases)
    if (one.timed() && (!run.is_peer(one.backend) || one.backend.ends_with(kForced))) found.push_back(&one);
  return found;
}

double middle_time(const SavedRun::Case* one) {
  return median(one->real);
}

}  // namespace

double Regret::median_regret() const {
  std::vector<double> all;
  for (const GroupRegret& group : groups) all.push_back(group.regret());
  return median(all);
}

Regret regret_of(const SavedRun& run) {
  Regret regret;
  std::set<std::string> names;
  std::vector<Evidence> differing;  // of what, is known once all names are
  std::vector<const SavedRun::Group*> differing_groups;
  for (const SavedRun::Group& group : run.groups) {
    const SavedRun::Case* const automatic = group.find(kAutomatic);
    const std::vector<const SavedRun::Case*> others = choices(run, group);
    if (automatic == nullptr || !automatic->timed() || others.empty()) continue;
    const SavedRun::Case* const best = *std::ranges::min_element(others, {}, middle_time);
    const SavedRun::Case* const worst = *std::ranges::max_element(others, {}, middle_time);
    regret.groups.push_back({group.key(), best->backend, compare(*automatic, *best)});
    const Ratio spread = compare(*worst, *best);
    constexpr double kDiffer = 1.2;
    if (!spread.slower() || spread.ratio <= kDiffer) continue;
    differing_groups.push_back(&group);
    for (const SavedRun::Case* const one : others) names.insert(one->backend);
  }
  if (regret.groups.empty())
    fail(run.name + " does not say what the automatic choice is worth: needed is a run of `furrow bench --regret --json FILE`");
  std::ranges::stable_sort(regret.groups, std::greater<>(), &GroupRegret::regret);

  regret.differing = differing_groups.size();
  for (const std::string& name : names) {
    std::vector<Evidence> evidence;
    for (const SavedRun::Group* const group : differing_groups)
      if (const SavedRun::Case* const constant = group->find(name); constant != nullptr && constant->timed())
        evidence.push_back({"all", {group->find(kAutomatic)->real, constant->real}, group->key(), 1, constant->visits});
    regret.constants.push_back({name, overall(evidence, 0, 1)});
  }
  return regret;
}

std::string in_words(const Regret& regret) {
  constexpr std::size_t kShown = 10;
  std::string text =
      fmt::format("Regret of the automatic choice over {} kernels, types and sizes: median {:.1f} %, worst {:.1f} %.\n",
                  regret.groups.size(), 100 * regret.median_regret(), 100 * regret.worst_regret());
  for (std::size_t g = 0; g < std::min(kShown, regret.groups.size()) && regret.groups[g].regret() > 0; ++g) {
    const GroupRegret& group = regret.groups[g];
    text += fmt::format("  {}: {:.2f}× ({:.2f}–{:.2f}) the time of {}\n", group.key, group.time.ratio, group.time.low,
                        group.time.high, group.best);
  }
  text += fmt::format("In {} of them choices differ by more than 20 %; there the automatic choice takes, in the geometric mean,\n",
                      regret.differing);
  for (const ConstantChoice& constant : regret.constants)
    text += fmt::format("  {:.3f}× ({:.3f}–{:.3f}) the time of always {}\n", constant.time.ratio, constant.time.low,
                        constant.time.high, constant.name);
  return text;
}

}  // namespace furrow::bench
