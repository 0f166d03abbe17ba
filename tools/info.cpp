#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/threads.hpp"
#include "furrow/engine/tuning.hpp"
#include "furrow/engine/warning.hpp"
#include "furrow/kernels/instruction_set.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/settings.hpp"

namespace furrow::tools {
namespace {

using nlohmann::json;

// What the library warns of while it is asked, to be shown among the other warnings.
std::mutex warnings_mutex;
std::vector<std::string> library_warnings;

void collect_warning(const char* message) {
  const std::lock_guard lock(warnings_mutex);
  library_warnings.emplace_back(message);
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// What Engine{} picks, and why.
json chosen_engine(const Tuning* tuning) {
  const Engine engine;
  std::string reason = "the first parallel one of this build; `furrow bench` finds out which is fastest";
  if (!environment("FURROW_BACKEND").empty())
    reason = "FURROW_BACKEND";
  else if (tuning != nullptr)
    reason = "the tuning file: " + tuning->reason;
  return {{"name", engine.backend()}, {"threads", engine.concurrency()}, {"reason", reason}};
}

json collect() {
  const Settings settings = Settings::observe();  // before anything of ours keeps a CPU busy
  const auto [of_settings, notes] = advice(settings);
  std::vector<std::string> warnings;
  const WarningHandler before = set_warning_handler(collect_warning);
  // What is wrong with the environment is what a user comes here to learn: it is listed and does not end the listing.
  const auto attempt = [&](const auto& ask) {
    try {
      ask();
    } catch (const Error& problem) {
      warnings.emplace_back(problem.what());
    }
  };

  const Machine& here = machine();
  const CpuAllowance& allowed = settings.allowed;
  json info = {{"version", FURROW_VERSION},
               {"cpu", here.cpu},
               {"cache_bytes", {{"l1", here.l1_bytes}, {"l2", here.l2_bytes}, {"l3", here.l3_bytes}}},
               {"huge_pages", here.huge_pages},
               {"instruction_set", nullptr},
               {"instruction_sets", instruction_sets()},
               {"cpus",
                {{"online", settings.online},
                 {"affinity_mask", allowed.affinity},
                 {"busy_with_others", settings.busy},
                 {"quota", allowed.quota > 0 ? json(allowed.quota) : json(nullptr)},
                 {"allowed", allowed.cpus()}}},
               {"threads", nullptr},
               {"backend", nullptr},
               {"backends", json::array()}};
  attempt([&] { info["instruction_set"] = instruction_set(); });
  attempt([&] {
    const ThreadCount threads = choose_threads(0);
    info["threads"] = {{"count", threads.count}, {"reason", threads.reason}};
  });
  for (const std::string& name : backends()) info["backends"].push_back({{"name", name}, {"version", backend_version(name)}});

  const std::string path = Tuning::path();
  const auto tuning = Tuning::load();
  std::error_code error;
  info["tuning"] = {{"path", path},
                    {"exists", !path.empty() && std::filesystem::exists(path, error)},
                    {"machine", Tuning::machine_key()},
                    {"entry", nullptr}};
  if (tuning != nullptr)
    info["tuning"]["entry"] = {{"backend", tuning->backend}, {"reason", tuning->reason}, {"measured", tuning->measured}};
  attempt([&] { info["backend"] = chosen_engine(tuning.get()); });

  warnings.insert(warnings.end(), of_settings.begin(), of_settings.end());
  set_warning_handler(before);
  warnings.insert(warnings.end(), library_warnings.begin(), library_warnings.end());
  info["warnings"] = warnings;
  info["notes"] = notes;
  return info;
}

std::string size_text(std::size_t bytes) {
  if (bytes == 0) return "unknown";
  if (bytes < std::size_t{1} << 20) return fmt::format("{} KiB", bytes >> 10);
  return fmt::format("{:.4g} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string to_text(const json& info) {
  std::string text;
  const auto row = [&](std::string_view title, const std::string& content) { text += fmt::format("{:17}{}\n", title, content); };
  const auto string = [](const json& value) { return value.get<std::string>(); };
  const auto size = [&](const char* level) { return size_text(info["cache_bytes"][level].get<std::size_t>()); };
  row("furrow", string(info["version"]));
  row("CPU", string(info["cpu"]));
  row("caches", fmt::format("L1 {}, L2 {} a core; L3 {}", size("l1"), size("l2"), size("l3")));
  row("instruction set",
      fmt::format("{} (available: {})", info["instruction_set"].is_null() ? "none" : string(info["instruction_set"]),
                  fmt::join(info["instruction_sets"].get<std::vector<std::string>>(), ", ")));
  const json& cpus = info["cpus"];
  row("CPUs allowed",
      fmt::format("{} ({} online, {} in the affinity mask, {})", cpus["allowed"].get<int>(), cpus["online"].get<int>(),
                  cpus["affinity_mask"].get<int>(),
                  cpus["quota"].is_null() ? "no cgroup quota" : fmt::format("cgroup quota {:.4g}", cpus["quota"].get<double>())));
  if (!info["threads"].is_null())
    row("threads", fmt::format("{} ({})", info["threads"]["count"].get<int>(), string(info["threads"]["reason"])));
  if (!info["backend"].is_null())
    row("backend", fmt::format("{} ({})", string(info["backend"]["name"]), string(info["backend"]["reason"])));
  std::string_view title = "backends";
  for (const json& backend : info["backends"]) {
    row(title, fmt::format("{:8} {}", string(backend["name"]), string(backend["version"])));
    title = "";
  }
  const json& tuning = info["tuning"];
  const std::string path = string(tuning["path"]);
  if (path.empty())
    row("tuning file", "none (FURROW_TUNING=none, or no home folder)");
  else
    row("tuning file", path + (tuning["exists"].get<bool>() ? "" : " (not there yet: `furrow bench` writes it)"));
  if (!tuning["entry"].is_null())
    row("", fmt::format("picks {}, measured {}: {}", string(tuning["entry"]["backend"]), string(tuning["entry"]["measured"]),
                        string(tuning["entry"]["reason"])));
  else if (tuning["exists"].get<bool>())
    row("", "has no entry for this machine: " + string(tuning["machine"]));
  for (const json& warning : info["warnings"]) text += "\nwarning: " + string(warning) + "\n";
  for (const json& note : info["notes"]) text += "\nnote: " + string(note) + "\n";
  return text;
}

}  // namespace

void add_info(CLI::App& app) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App& command =
      *app.add_subcommand("info", "Show the machine as furrow sees it, the backends, the tuning file, and what is wrong");
  command.add_flag("--json", *as_json, "Print it as JSON");
  command.callback([as_json] {
    const json info = collect();
    console::print(*as_json ? info.dump(2) + "\n" : to_text(info));
  });
}

}  // namespace furrow::tools
