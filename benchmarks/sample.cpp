#include "benchmarks/sample.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <regex>

#include "benchmarks/cases.hpp"
#include "benchmarks/memory.hpp"
#include "benchmarks/scenarios.hpp"
#include "benchmarks/suite.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

// In the order in which they are measured if all are; a quick run has the first sizes.
constexpr std::array<Type, kTypes.size()> kTypesInOrder{Type::f64, Type::f32, Type::i64, Type::i32, Type::u8};
constexpr std::size_t kSizes[] = {std::size_t{1} << 16, std::size_t{1} << 10, std::size_t{1} << 25,
                                  std::size_t{1} << 13, std::size_t{1} << 19, std::size_t{1} << 22};
constexpr std::size_t kQuickSizes = 3;

std::vector<Type> chosen_types(const std::vector<std::string>& codes) {
  std::vector<Type> types;
  for (const std::string& code : codes) {
    const auto* const found = std::ranges::find(kTypes, code, type_code);
    if (found == kTypes.end()) fail("unknown type \"" + code + "\"; the suite has f32, f64, i32, i64, u8");
    types.push_back(*found);
  }
  return types;
}

std::regex pattern(const std::string& expression) {
  try {
    return std::regex(expression);
  } catch (const std::regex_error& error) {
    fail("\"" + expression + "\" is not a regular expression: " + error.what());
  }
}

/// From 2^8 to what memory holds of doubles.
std::vector<std::size_t> sweep() {
  std::vector<std::size_t> sizes;
  for (std::size_t n = std::size_t{1} << 8; Workspace::bytes(Type::f64, n) <= usable_memory(); n *= 2) sizes.push_back(n);
  return sizes;
}

}  // namespace

std::size_t usable_memory() {
  return available_memory() / 10 * 8;
}

double weight(const Selection& what) {
  return what.n >= std::size_t{1} << 24 ? 6 : what.n >= std::size_t{1} << 22 ? 2 : 1;
}

std::vector<Selection> select(const SuiteOptions& options) {
  const std::regex wanted = pattern(options.kernels);
  std::vector<Type> types = chosen_types(options.types);
  std::vector<std::size_t> sizes = options.sizes;
  if (options.sweep) sizes = sweep();
  if (sizes.empty()) sizes.assign(std::begin(kSizes), options.quick ? kSizes + kQuickSizes : std::end(kSizes));

  // Kernels with the same inputs after each other: making those of the largest size takes longer than any kernel.
  std::vector<const table::Kernel*> kernels;
  for (const table::Kernel& kernel : suite_kernels())
    if (!options.mix.empty() ? options.mix.entry_of(kernel.name, kernel.family).has_value()
                             : std::regex_search(kernel.name.begin(), kernel.name.end(), wanted))
      kernels.push_back(&kernel);
  std::ranges::stable_sort(kernels, std::less<>(), &table::Kernel::make_inputs);

  std::vector<Selection> selected;
  for (const Type type : kTypesInOrder) {
    for (const std::size_t wanted_size : sizes) {
      for (const table::Kernel* const kernel : kernels) {
        // All that a mix names is in it, of sizes that a kernel is not given the largest that it is.
        const std::size_t n = options.mix.empty() ? wanted_size : std::min(wanted_size, kernel->largest);
        const auto again = [&](const Selection& what) { return what.kernel == kernel && what.type == type && what.n == n; };
        if (!kernel->has(type) || n > kernel->largest || std::ranges::any_of(selected, again)) continue;
        // Unless types are asked for, the quick suite has doubles, and of kernels without them their first type.
        const Type quick_type = kernel->has(Type::f64) ? Type::f64 : kernel->types.front();
        if (types.empty() ? options.quick && type != quick_type : std::ranges::find(types, type) == types.end()) continue;
        selected.push_back({kernel, type, n});
      }
    }
  }
  if (selected.empty()) fail("no case has such a kernel, type and size; `furrow list` shows the kernels and their types");
  return selected;
}

std::vector<Selection> sample(const std::vector<Selection>& selected, double seconds) {
  // By turns a kernel of each family, so that a small sample has all families.
  std::map<const table::Kernel*, std::vector<Selection>> by_kernel;  // the table is an array: rows in order
  for (const Selection& what : selected) by_kernel[what.kernel].push_back(what);
  std::map<std::string_view, std::size_t> of_family;
  std::map<std::pair<std::size_t, std::string_view>, std::vector<Selection>> turns;
  for (auto& [kernel, all] : by_kernel) turns[{of_family[kernel->family]++, kernel->family}] = std::move(all);

  std::vector<Selection> sampled;
  double cost = 0;
  for (std::size_t pass = 0; sampled.size() < selected.size() && cost < seconds; ++pass) {
    const auto first = static_cast<std::ptrdiff_t>(sampled.size());
    std::size_t turn = pass;
    for (const auto& [place, all] : turns) {
      const Selection& what = all[turn++ % all.size()];
      if (pass >= all.size() || (cost > 0 && cost + kSecondsPerWeight * weight(what) > seconds)) continue;
      cost += kSecondsPerWeight * weight(what);
      sampled.push_back(what);
    }
    if (std::ssize(sampled) == first) break;
    // Arrays are made anew when type or size change, and inputs when kernels want others.
    std::stable_sort(sampled.begin() + first, sampled.end(), [](const Selection& a, const Selection& b) {
      const std::less<> before;
      if (a.type != b.type) return a.type < b.type;
      return a.n != b.n ? a.n < b.n : before(a.kernel->make_inputs, b.kernel->make_inputs);
    });
  }
  return sampled;
}

}  // namespace furrow::bench
