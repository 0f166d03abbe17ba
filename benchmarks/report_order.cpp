#include "benchmarks/report_order.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "benchmarks/ablation.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;

/// Distinct values in the order in which they come.
template <class Of>
std::vector<std::string> distinct(const SavedRun& run, const Of& of) {
  std::vector<std::string> found;
  for (const Group& group : run.groups)
    if (std::string value = of(group); std::ranges::find(found, value) == found.end()) found.push_back(std::move(value));
  return found;
}

}  // namespace

std::vector<std::string> families(const SavedRun& run) {
  return distinct(run, [](const Group& group) { return family_of(group.kernel); });
}

std::vector<std::string> kernels(const SavedRun& run, const std::string& family) {
  std::vector<std::string> found = distinct(run, [](const Group& group) { return group.kernel; });
  std::erase_if(found, [&](const std::string& kernel) { return family_of(kernel) != family; });
  return found;
}

std::vector<std::string> types(const SavedRun& run, std::string_view kernel) {
  std::set<std::string> found;
  for (const Group& group : run.groups)
    if (group.kernel == kernel) found.insert(group.type);
  std::vector<std::string> order;
  for (const char* const type : {"f64", "f32", "i64", "i32", "u8"})
    if (found.erase(type) > 0) order.emplace_back(type);
  order.insert(order.end(), found.begin(), found.end());
  return order;
}

std::vector<std::string> everyone(const SavedRun& run) {
  std::vector<std::string> names = run.backends;
  std::ranges::copy_if(run.peers, std::back_inserter(names), [](const std::string& peer) { return !is_ablation(peer); });
  return names;
}

}  // namespace furrow::bench
