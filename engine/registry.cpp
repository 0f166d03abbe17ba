#include "furrow/engine/registry.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/error.hpp"

namespace furrow {
namespace {

struct Entry {
  std::string name;
  BackendFactory make;
  std::string version;
};

/// The one place that knows which backends this build has, in order of preference where nothing was measured: "serial" first for
/// reference, then the simplest.
std::vector<Entry> builtin() {
  std::vector<Entry> list;
  list.push_back({"serial", make_serial_backend, ""});
#if FURROW_HAS_OPENMP
  list.push_back({"openmp", make_openmp_backend, openmp_version()});
#endif
#if FURROW_HAS_TBB
  list.push_back({"tbb", make_tbb_backend, tbb_version()});
#endif
#if FURROW_HAS_STDPAR
  list.push_back({"stdpar", make_stdpar_backend, stdpar_version()});
#endif
  return list;
}

struct Registry {
  std::mutex mutex;
  std::vector<Entry> entries = builtin();

  const Entry* find(std::string_view name) const {
    const auto entry = std::ranges::find(entries, name, &Entry::name);
    return entry == entries.end() ? nullptr : &*entry;
  }
};

Registry& registry() {
  static auto& only = *new Registry;  // never destroyed: engines may be static objects
  return only;
}

bool is_word(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::vector<int> bound_cpus() {
#if FURROW_HAS_OPENMP
  return openmp_bound_cpus();
#else
  return {};
#endif
}

std::vector<std::string> backends() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const Entry& entry : all.entries) names.push_back(entry.name);
  return names;
}

void register_backend(std::string_view name, BackendFactory factory) {
  if (!is_word(name))
    fail("register_backend: a backend's name is made of letters, digits, '_' and '-', not \"" + std::string(name) + "\"");
  if (!factory) fail("register_backend: the factory for \"" + std::string(name) + "\" is empty");
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (all.find(name) != nullptr) fail("register_backend: there is a backend called \"" + std::string(name) + "\" already");
  all.entries.push_back({std::string(name), std::move(factory), ""});
}

std::unique_ptr<Backend> make_backend(std::string_view name, int concurrency) {
  BackendFactory make;
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    if (const Entry* entry = all.find(name)) make = entry->make;
  }
  if (!make) {
    std::string known;
    for (const std::string& each : backends()) known += (known.empty() ? "" : ", ") + each;
    fail("there is no backend called \"" + std::string(name) + "\"; this program has: " + known);
  }
  std::unique_ptr<Backend> made = make(concurrency);
  if (!made) fail("the factory of backend \"" + std::string(name) + "\" returned nothing");
  return made;
}

std::string backend_version(std::string_view name) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const Entry* entry = all.find(name);
  return entry != nullptr ? entry->version : std::string();
}

}  // namespace furrow
