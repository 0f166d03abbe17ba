#include "benchmarks/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "benchmarks/figures.hpp"

namespace furrow::bench {
namespace {

/// "2^16" where it is a power of two.
std::string size_text(std::size_t n) {
  return std::has_single_bit(n) ? fmt::format("2^{}", std::countr_zero(n)) : std::to_string(n);
}

/// Elements per second where bytes say nothing about the work, else bytes.
double speed(const Group& group, const Case& one) {
  const double elements = static_cast<double>(group.n) / median(one.timings.real);
  return counts_elements(group.kernel->name) ? elements * 1e-6 : elements * group.kernel->bytes(group.type) * 1e-9;
}

std::string number(double value) {
  const int decimals = value < 0.1 ? 4 : value < 10 ? 2 : value < 1000 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

/// The fastest case that `eligible` lets through; null if none was timed.
template <class Eligible>
const Case* fastest(const Group& group, const Eligible& eligible) {
  const Case* best = nullptr;
  for (const Case& one : group.cases)
    if (one.timed() && eligible(one) && (best == nullptr || median(one.timings.real) < median(best->timings.real))) best = &one;
  return best;
}

/// How many times as fast as `other` it is, with a mark where that is beyond noise.
std::string against(const Case& one, const Case* other) {
  if (other == nullptr) return "";
  const Ratio ratio = compare(other->timings, one.timings);
  return fmt::format("{:.2f}{}", ratio.ratio, ratio.slower() ? "+" : ratio.faster() ? "-" : " ");
}

/// With a column for the number of threads if `scaling`.
std::string row(const Measurements& measurements, const Group& group, bool scaling) {
  const Case* const best = fastest(group, [](const Case& one) { return one.kind == Kind::backend; });
  const Case* const peer = fastest(group, [](const Case& one) { return one.kind == Kind::peer; });
  const Case* const roof = fastest(group, [](const Case& one) { return one.kind == Kind::roof; });
  std::string text = fmt::format("{:<16} {} {:>5}", group.kernel->name, type_code(group.type), size_text(group.n));
  if (scaling) text += fmt::format(" {:>7}", group.threads > 0 ? group.threads : measurements.threads);
  for (const std::string& backend : measurements.backends) {
    const Case* const one = group.find(backend);
    if (one == nullptr || !one->timed()) {
      text += fmt::format(" {:>7} ", one != nullptr && one->fault ? "WRONG" : "");
      continue;
    }
    text += fmt::format(" {:>7}{}", number(speed(group, *one)), compare(one->timings, best->timings).slower() ? "-" : " ");
  }
  text += fmt::format(" {:>7} {:<11}", peer == nullptr ? "" : number(speed(group, *peer)), peer == nullptr ? "" : peer->backend);
  text += fmt::format(" {:>7}", roof == nullptr ? "" : number(speed(group, *roof)));
  if (best != nullptr) text += fmt::format("  {:>6} {:>6}", against(*best, peer), against(*best, roof));
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string header(const Measurements& measurements, const table::Kernel& first, bool scaling) {
  std::string text = fmt::format("{}, {}\n{:<16} {:<3} {:>5}", first.family, speed_unit(first.name), "kernel", "", "n");
  if (scaling) text += fmt::format(" {:>7}", "threads");
  for (const std::string& backend : measurements.backends) text += fmt::format(" {:>7} ", backend);
  return text + fmt::format(" {:>7} {:<11} {:>7}  {:>6} {:>6}\n", "best", "peer", "roof", "/peer", "/roof");
}

}  // namespace

std::string tables(const Measurements& measurements) {
  std::vector<const table::Kernel*> firsts;  // of each family
  const auto family = [](const table::Kernel* kernel) { return kernel->family; };
  for (const Group& group : measurements.groups)
    if (std::ranges::find(firsts, group.kernel->family, family) == firsts.end()) firsts.push_back(group.kernel);
  const bool scaling = std::ranges::any_of(measurements.groups, [](const Group& group) { return group.threads > 0; });
  std::string text;
  for (const table::Kernel* const first : firsts) {
    text += header(measurements, *first, scaling);
    for (const Group& group : measurements.groups)
      if (group.kernel->family == first->family) text += row(measurements, group, scaling);
    text += "\n";
  }
  text +=
      "A - behind a backend: slower than the fastest of them beyond noise. /peer and /roof: how many times as fast as the best\n"
      "plain loop and as the best hand-written one furrow's fastest backend is; + or - where that is beyond noise.\n";
  for (const std::string& note : measurements.notes) text += "Note: " + note + ".\n";
  for (const Group& group : measurements.groups)
    for (const Case& one : group.cases)
      if (one.fault) text += "WRONG: " + group.name(one) + ": " + *one.fault + "; it was not timed.\n";
  return text;
}

std::string in_words(const Measurements& measurements, const Verdict& verdict) {
  std::string text;
  if (measurements.interrupted)
    text += fmt::format("Partial: stopped after {} of {} groups of cases.\n", measurements.groups.size(), measurements.planned);
  for (const std::string& warning : measurements.warnings) text += "Warning: " + warning + ".\n";
  text += measurements.busy ? "Verdict beside other busy processes: " : "Verdict: ";
  if (!verdict.backend.empty()) text += verdict.backend + ". ";
  return text + fmt::format("Because {}.\n", verdict.reason) + in_words(verdict.scores);
}

}  // namespace furrow::bench
