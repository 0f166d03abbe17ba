#include "benchmarks/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "benchmarks/scenarios.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

struct Alias {
  std::string_view name;
  std::string_view kernel;
};
constexpr Alias kAliases[] = {{"uneven", "fractal"}, {"nested", "nested_calls"}};

/// Kernels and scenarios, then families, then aliases.
std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const table::Kernel& kernel : suite_kernels()) names.push_back(kernel.name);
  for (const table::Kernel& kernel : suite_kernels())
    if (std::ranges::find(names, kernel.family) == names.end()) names.push_back(kernel.family);
  for (const Alias& alias : kAliases) names.push_back(alias.name);
  return names;
}

Mix::Entry parse(const std::string& part) {
  const std::size_t sign = part.find('=');
  const std::string name = part.substr(0, sign);
  double weight = 0;
  if (sign != std::string::npos) {
    const char* const end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data() + sign + 1, end, weight);
    if (error != std::errc() || stop != end) weight = 0;
  }
  if (name.empty() || !(weight > 0) || !std::isfinite(weight))
    fail("\"" + part + "\" is no part of a mix: needed is name=weight with a positive weight, as in \"uneven=3,sum=1\"");
  const std::vector<std::string_view> known = known_names();
  if (std::ranges::find(known, name) == known.end())
    fail(fmt::format("the mix names \"{}\", which the suite does not know; it has {}", name, fmt::join(known, ", ")));
  const Alias* const alias = std::ranges::find(kAliases, name, &Alias::name);
  return {name, weight, alias == std::end(kAliases) ? name : std::string(alias->kernel)};
}

}  // namespace

Mix::Mix(std::string_view text) {
  std::string rest(text);
  std::erase(rest, ' ');
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    Entry entry = parse(rest.substr(0, comma));
    if (find(entry.means) != nullptr) fail("the mix names \"" + entry.means + "\" twice");
    entries_.push_back(std::move(entry));
    rest.erase(0, comma + 1);
  }
}

std::string Mix::text() const {
  std::string text;
  for (const Entry& entry : entries_) text += fmt::format("{}{}={}", text.empty() ? "" : ",", entry.name, entry.weight);
  return text;
}

std::optional<Mix::Entry> Mix::entry_of(std::string_view kernel, std::string_view family) const {
  if (empty()) return Entry{std::string(family), 1, std::string(family)};
  for (const std::string_view meaning : {kernel, family})
    if (const Entry* const entry = find(meaning)) return *entry;
  return std::nullopt;
}

const Mix::Entry* Mix::find(std::string_view meaning) const {
  const auto found = std::ranges::find(entries_, meaning, &Entry::means);
  return found == entries_.end() ? nullptr : &*found;
}

}  // namespace furrow::bench
