#include "benchmarks/saved_run.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "benchmarks/mix.hpp"
#include "benchmarks/scenarios.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"

namespace furrow::bench {
namespace {

using nlohmann::json;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

class Reader {
 public:
  explicit Reader(const std::string& name) { run_.name = name; }

  SavedRun read(std::istream& in) {
    const json content = json::parse(in, nullptr, false);
    if (content.is_discarded()) fail(run_.name + " is not JSON, or was cut short; " + kWanted);
    if (!content.is_object() || !content.contains("context") || !content["context"].is_object()) foreign();
    for (const auto& [key, value] : content["context"].items())
      run_.context[key] = value.is_string() ? value.get<std::string>() : value.dump();
    if (run_.about("furrow_version").empty() || !content.contains("benchmarks") || !content["benchmarks"].is_array()) foreign();
    for (const json& entry : content["benchmarks"]) add(entry);
    read_roofs();
    name_backends();
    return std::move(run_);
  }

 private:
  static constexpr const char* kWanted = "needed is what `furrow bench --json FILE` wrote";

  [[noreturn]] void foreign() const { fail(run_.name + " was not written by furrow bench; " + kWanted); }
  [[noreturn]] void broken(const std::string& what) const { fail(run_.name + " is broken: " + what); }

  std::string text(const json& entry, const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_string()) broken("an entry lacks its " + std::string(key));
    return found->get<std::string>();
  }

  double number(const json& entry, const char* key, const std::string& name) const {
    const auto found = entry.find(key);
    const double value = found != entry.end() && found->is_number() ? found->get<double>() : -1;
    if (!(value >= 0) || !std::isfinite(value)) broken("the " + std::string(key) + " of " + name + " is no number from 0 on");
    return value;
  }

  /// Leaves it 0 if `digits` is not all of a number.
  template <class Number>
  static void set_to_digits(Number& number, std::string_view digits) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) number = 0;
  }

  void add(const json& entry) {
    if (!entry.is_object()) broken("an entry is no object");
    const std::string name = text(entry, "run_name");
    const std::vector<std::string> parts = split(name, '/');
    SavedRun::Group like;
    constexpr std::string_view kThreads = "threads:";
    const bool has_threads = parts.size() == 5 && parts[4].starts_with(kThreads);
    if (parts.size() == 4 || has_threads) set_to_digits(like.n, parts[3]);
    if (has_threads) set_to_digits(like.threads, std::string_view(parts[4]).substr(kThreads.size()));
    if (like.n == 0 || (has_threads && like.threads <= 0))
      broken("\"" + name + "\" is not of the form kernel/backend/type/n or kernel/backend/type/n/threads:N");
    like.kernel = parts[0];
    like.type = parts[2];
    SavedRun::Case& one = case_of(like, parts[1]);
    if (entry.contains("error_occurred") && entry["error_occurred"] == true) {
      one.fault = text(entry, "error_message");
      return;
    }
    if (text(entry, "run_type") != "iteration") return;
    if (text(entry, "time_unit") != "ns") broken("the times of " + name + " are not in nanoseconds");
    const double real = number(entry, "real_time", name);
    if (real == 0) broken("the real_time of " + name + " is 0");
    if (const auto label = entry.find("label"); label != entry.end() && label->is_string())
      one.bits = bits_named(label->get<std::string>());
    one.real.push_back(real * 1e-9);
    one.cpu.push_back(number(entry, "cpu_time", name) * 1e-9);
    // Files without visits are of one.
    const double visit = entry.contains("visit") ? number(entry, "visit", name) : 0;
    constexpr double kMost = 1000;
    if (visit + 1 < static_cast<double>(one.visits.size()) || visit > kMost) broken("the visits of " + name + " are not in order");
    one.visits.resize(static_cast<std::size_t>(visit) + 1);
    ++one.visits.back();
    const double items = number(entry, "items_per_second", name);
    if (items > 0) group_->bytes = number(entry, "bytes_per_second", name) / items;
  }

  /// Neighbours in the file are of the same group, mostly of the same case.
  SavedRun::Case& case_of(SavedRun::Group& like, const std::string& backend) {
    const auto same = [&](const SavedRun::Group& group) {
      return group.n == like.n && group.threads == like.threads && group.kernel == like.kernel && group.type == like.type;
    };
    if (group_ == nullptr || !same(*group_)) {
      std::vector<SavedRun::Group>& groups = like.threads > 0 ? run_.scaling : run_.groups;
      const auto found = std::ranges::find_if(groups, same);
      group_ = found != groups.end() ? &*found : &groups.emplace_back(std::move(like));
    }
    auto& cases = group_->cases;
    if (cases.empty() || cases.back().backend != backend) {
      const auto found = std::ranges::find(cases, backend, &SavedRun::Case::backend);
      if (found != cases.end()) return *found;
      cases.push_back({backend, {}, {}});
    }
    return cases.back();
  }

  void read_roofs() {
    const auto read = [](const std::string& text) {
      const double value = std::strtod(text.c_str(), nullptr);
      return std::isfinite(value) && value > 0 ? value : 0;
    };
    MachineRoofs& roofs = run_.roofs;
    for (const auto& [key, value] :
         {std::pair("read", &roofs.read), std::pair("write", &roofs.write), std::pair("copy", &roofs.copy),
          std::pair("triad", &roofs.triad), std::pair("fma_f32", &roofs.fma_f32), std::pair("fma_f64", &roofs.fma_f64)})
      *value = read(run_.about(std::string("furrow_roof_") + key));
    constexpr std::string_view kForkJoin = "furrow_fork_join_";
    for (const auto& [key, text] : run_.context)
      if (const double seconds = read(text); key.starts_with(kForkJoin) && seconds > 0)
        roofs.fork_join[key.substr(kForkJoin.size())] = seconds;
  }

  /// As the context lists them, in that order; a name that it does not list is a peer unless this build has it as a backend.
  void name_backends() {
    for (const auto& [key, names] : {std::pair("furrow_backends", &run_.backends), std::pair("furrow_peers", &run_.peers)})
      if (!run_.about(key).empty()) *names = split(run_.about(key), ',');
    const std::vector<std::string> known = furrow::backends();
    std::set<std::string> listed(run_.backends.begin(), run_.backends.end());
    listed.insert(run_.peers.begin(), run_.peers.end());
    for (const SavedRun::Group& group : run_.groups)
      for (const SavedRun::Case& one : group.cases)
        if (listed.insert(one.backend).second)
          (std::ranges::find(known, one.backend) != known.end() ? run_.backends : run_.peers).push_back(one.backend);
  }

  SavedRun run_;
  SavedRun::Group* group_ = nullptr;
};

}  // namespace

const SavedRun::Case* SavedRun::Group::find(std::string_view backend) const {
  const auto found = std::ranges::find(cases, backend, &Case::backend);
  return found == cases.end() ? nullptr : &*found;
}

const std::string& SavedRun::about(const std::string& key) const {
  static const std::string nothing;
  const auto found = context.find(key);
  return found == context.end() ? nothing : found->second;
}

const SavedRun::Case* SavedRun::fastest(const Group& group) const {
  const Case* best = nullptr;
  for (const Case& one : group.cases)
    if (one.timed() && !is_peer(one.backend) && (best == nullptr || median(one.real) < median(best->real))) best = &one;
  return best;
}

bool SavedRun::is_peer(std::string_view backend) const {
  return std::ranges::find(backends, backend) == backends.end();
}

std::size_t SavedRun::faults() const {
  std::size_t count = 0;
  for (const Group& group : groups)
    count += static_cast<std::size_t>(std::ranges::count_if(group.cases, [](const Case& one) { return !one.fault.empty(); }));
  return count;
}

SavedRun read_run(std::istream& in, const std::string& name) {
  return Reader(name).read(in);
}

SavedRun read_run(const std::string& path) {
  std::ifstream in(path);
  if (!in || in.peek() == std::ifstream::traits_type::eof())
    fail("cannot read " + path + ": there is no such file, or it is empty");
  return read_run(in, path);
}

std::string family_of(std::string_view kernel) {
  const table::Kernel* const row = find_suite_kernel(kernel);
  return row == nullptr ? "other" : std::string(row->family);
}

std::vector<Evidence> evidence_of(const SavedRun& run) {
  const Mix mix(run.about("furrow_mix"));
  std::vector<Evidence> evidence;
  for (const SavedRun::Group& group : run.groups) {
    const auto share = mix.entry_of(group.kernel, family_of(group.kernel));
    if (!share) continue;
    Evidence entry{share->name, {}, group.key(), share->weight};
    for (const std::string& backend : run.backends) {
      const SavedRun::Case* const one = group.find(backend);
      const SavedRun::Case measured = one == nullptr ? SavedRun::Case() : *one;
      entry.add(measured.real, measured.visits);
    }
    evidence.push_back(std::move(entry));
  }
  return evidence;
}

Ratio middle(const SavedRun::Case& one) {
  return compare(one.real, std::vector<double>(one.real.size(), 1), one.visits);
}

Ratio compare(const SavedRun::Case& first, const SavedRun::Case& second) {
  return compare(first.real, second.real, first.visits);
}

}  // namespace furrow::bench
