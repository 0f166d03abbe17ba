#include "benchmarks/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace furrow::bench {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

/// "1.12× (1.09–1.15)"
std::string in_words(const Ratio& ratio) {
  return fmt::format("{:.2f}× ({:.2f}–{:.2f})", ratio.ratio, ratio.low, ratio.high);
}

std::map<std::string, std::vector<Evidence>> by_family(std::span<const Evidence> evidence) {
  std::map<std::string, std::vector<Evidence>> families;
  for (const Evidence& entry : evidence) families[entry.family].push_back(entry);
  return families;
}

/// The family in which `slower` loses most to `faster` beyond noise; nothing if it does not lose anywhere.
struct Loss {
  std::string family;
  double ratio;
};
std::optional<Loss> greatest_loss(std::span<const Evidence> evidence, std::size_t slower, std::size_t faster) {
  std::optional<Loss> greatest;
  for (const auto& [family, entries] : by_family(evidence)) {
    const Ratio there = overall(entries, slower, faster);
    if (there.slower() && (!greatest || there.ratio > greatest->ratio)) greatest = {family, there.ratio};
  }
  return greatest;
}

/// The backend `instead` of the pick, both by their index.
Score score_of(const std::string& name, std::span<const Evidence> evidence, std::size_t instead, std::size_t pick) {
  Score score{name, overall(evidence, instead, pick), {}, {}};
  for (const Evidence& entry : evidence) {
    const Ratio ratio = compare(entry.seconds[instead], entry.seconds[pick], entry.visits);
    if (ratio.slower() && ratio.ratio > score.worst.ratio) score.worst = {ratio.ratio, entry.name};
    if (ratio.faster() && ratio.ratio < score.best.ratio) score.best = {ratio.ratio, entry.name};
  }
  return score;
}

}  // namespace

void Evidence::add(const std::vector<double>& rounds, const std::vector<std::size_t>& in_visits) {
  const auto longer = [&](const std::vector<double>& others) { return others.size() >= rounds.size(); };
  if (!rounds.empty() && std::ranges::none_of(seconds, longer)) visits = in_visits;
  seconds.push_back(rounds);
}

Ratio overall(std::span<const Evidence> evidence, std::size_t first, std::size_t second) {
  struct Family {
    double log_sum = 0;
    double variance_sum = 0;
    double count = 0;
    double weight = 1;
  };
  std::map<std::string, Family> families;
  for (const Evidence& entry : evidence) {
    if (entry.seconds[first].empty() || entry.seconds[second].empty()) continue;
    const Ratio ratio = compare(entry.seconds[first], entry.seconds[second], entry.visits);
    // 1.96 standard errors on either side make the 95 % interval.
    const double error = std::log(ratio.high / ratio.low) / (2 * 1.96);
    Family& family = families[entry.family];
    family.weight = entry.weight;
    family.log_sum += std::log(ratio.ratio);
    family.variance_sum += error * error;
    ++family.count;
  }
  if (families.empty()) return compare(std::span<const double>(), {});
  double weights = 0;
  for (const auto& [name, family] : families) weights += family.weight;
  double log_mean = 0;
  double variance = 0;
  for (const auto& [name, family] : families) {
    const double each = family.weight / weights / family.count;  // of its cases
    log_mean += family.log_sum * each;
    variance += family.variance_sum * each * each;
  }
  const double error = std::sqrt(variance);
  const double margin = 1.96 * error;
  // Of the normal distribution, which the mean of many medians is close to.
  const double doubt = log_mean == 0 ? 1 : std::erfc(std::abs(log_mean) / (error * std::sqrt(2)));
  return {std::exp(log_mean), std::exp(log_mean - margin), std::exp(log_mean + margin), doubt};
}

Verdict decide(const std::vector<std::string>& backends, std::span<const Evidence> evidence) {
  // A backend that was measured nowhere cannot be picked.
  std::vector<std::size_t> measured;
  for (std::size_t b = 0; b < backends.size(); ++b)
    if (std::ranges::any_of(evidence, [b](const Evidence& entry) { return !entry.seconds[b].empty(); })) measured.push_back(b);
  Verdict verdict;
  if (measured.empty()) {
    verdict.reason = "nothing was measured, so nothing is picked";
    return verdict;
  }

  std::size_t best = measured[0];
  for (const std::size_t b : measured)
    if (overall(evidence, b, best).ratio < 1) best = b;
  std::vector<std::size_t> equal;
  for (const std::size_t b : measured)
    if (b == best || !overall(evidence, b, best).differs()) equal.push_back(b);
  // Small calls run serially on every backend, so that on the whole threads may seem to gain nothing.
  const std::size_t simplest = equal[0];
  const bool threads_gain = equal.size() > 1 && backends[simplest] == "serial" && greatest_loss(evidence, simplest, equal[1]);
  if (threads_gain) equal.erase(equal.begin());
  const std::size_t pick = equal[0];
  verdict.backend = backends[pick];
  for (std::size_t b = 0; b < backends.size(); ++b) verdict.ratios.push_back(overall(evidence, b, pick));
  for (const std::size_t b : measured)
    if (b != pick) verdict.scores.push_back(score_of(backends[b], evidence, b, pick));

  // The slower ones, the closest first.
  std::vector<std::size_t> others;
  for (const std::size_t b : measured)
    if (verdict.ratios[b].slower()) others.push_back(b);
  std::ranges::sort(others, {}, [&](std::size_t b) { return verdict.ratios[b].ratio; });
  std::string slower;
  if (!others.empty()) {
    std::vector<std::string> words;
    for (const std::size_t b : others) words.push_back(fmt::format("{} takes {}", backends[b], in_words(verdict.ratios[b])));
    slower = fmt::format("{} the time of {} over {} cases", list(words), verdict.backend, evidence.size());
    const std::optional<Loss> loss = greatest_loss(evidence, others[0], pick);
    if (loss && by_family(evidence).size() > 1 && loss->ratio > 1.1 * verdict.ratios[others[0]].ratio)
      slower += fmt::format("; {} loses most in \"{}\", {:.2f}×", backends[others[0]], loss->family, loss->ratio);
  }
  std::string gain;
  if (threads_gain) {
    const Loss loss = *greatest_loss(evidence, simplest, pick);
    gain = fmt::format("serial is as fast on the whole, but takes {:.2f}× the time in \"{}\"", loss.ratio, loss.family);
  }
  if (measured.size() == 1) {
    verdict.reason = fmt::format("{} is the only backend that was measured", verdict.backend);
  } else if (equal.size() > 1) {
    std::vector<std::string> names;
    double within = 1;  // what a difference may still be
    for (const std::size_t b : equal) {
      names.push_back(backends[b]);
      within = std::max({within, verdict.ratios[b].high, 1 / verdict.ratios[b].low});
    }
    verdict.reason = fmt::format("no difference beyond noise: {} are equal here to within {:.0f} %; picking {} as the simplest",
                                 list(names), std::ceil(100 * (within - 1)), verdict.backend);
  }
  for (const std::string& also : {gain, slower})
    if (!also.empty()) verdict.reason += (verdict.reason.empty() ? "" : "; ") + also;
  return verdict;
}

std::string in_words(const std::vector<Score>& scores) {
  std::string text;
  for (const Score& score : scores) {
    text += fmt::format("Always {} instead: {} the time", score.backend, in_words(score.time));
    if (!score.worst.name.empty()) text += fmt::format("; at worst {:.2f}×, {}", score.worst.ratio, score.worst.name);
    if (!score.best.name.empty()) text += fmt::format("; at best {:.2f}×, {}", score.best.ratio, score.best.name);
    text += ".\n";
  }
  return text;
}

std::size_t better_way(const std::vector<std::vector<std::vector<double>>>& seconds) {
  constexpr double kWorthIt = 1.05;
  std::vector<Evidence> by_size(seconds.front().size());
  for (const auto& way : seconds)
    for (std::size_t size = 0; size < way.size(); ++size) by_size[size].seconds.push_back(way[size]);
  std::size_t best = 0;
  double least = 1 / kWorthIt;
  for (std::size_t way = 1; way < seconds.size(); ++way) {
    const Ratio whole = overall(by_size, way, 0);
    const auto is_slower = [way](const Evidence& at) { return compare(at.seconds[way], at.seconds[0]).slower(); };
    if (!whole.faster() || whole.ratio > least || std::ranges::any_of(by_size, is_slower)) continue;
    best = way;
    least = whole.ratio;
  }
  return best;
}

std::size_t crossover(std::span<const std::size_t> sizes, std::span<const double> serial, std::span<const double> parallel) {
  // Where fewest is lost by going serial below and parallel from there on: a disturbance at one size moves it little.
  std::size_t first = 0;
  double loss = 0;
  double least = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    loss += std::log(serial[at] / parallel[at]);  // of going serial there too, over the alternative
    if (loss > least) continue;
    least = loss;
    first = at + 1;
  }
  if (first == 0) return sizes.front();
  if (first == sizes.size()) return 2 * sizes.back();
  // The logarithm of the ratio as a straight line over that of the size.
  const double before = std::log(parallel[first - 1] / serial[first - 1]);
  const double after = std::log(parallel[first] / serial[first]);
  const double low = std::log(static_cast<double>(sizes[first - 1]));
  const double high = std::log(static_cast<double>(sizes[first]));
  return static_cast<std::size_t>(std::lround(std::exp(low + (high - low) * before / (before - after))));
}

}  // namespace furrow::bench
