#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "furrow/engine/error.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/trace_summary.hpp"

namespace furrow::tools {
namespace {

struct Options {
  std::string file;
  bool json = false;
};

std::string time_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:.3f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3f} ms", seconds * 1e3);
  return fmt::format("{:.3f} us", seconds * 1e6);
}

double percent(double part, double whole) {
  return whole > 0 ? part / whole * 100 : 0;
}

std::string kernels_text(const TraceSummary& trace) {
  std::size_t width = 24;
  for (const auto& kernel : trace.kernels) width = std::max(width, kernel.name.size());
  std::string text =
      fmt::format("{:{}}  {:>9}  {:>12}  {:>7}  {:>8}  {:>8}\n", "calls of", width, "calls", "time", "of all", "GB/s", "speed-up");
  const auto row = [&](std::string_view name, const std::string& calls, double seconds, const std::string& rest) {
    text += fmt::format("{:{}}  {:>9}  {:>12}  {:>5.1f} %{}\n", name, width, calls, time_text(seconds),
                        percent(seconds, trace.wall), rest);
  };
  for (const auto& kernel : trace.kernels)
    row(kernel.name, std::to_string(kernel.calls), kernel.seconds,
        fmt::format("  {:>8}  {:>8}", kernel.bytes > 0 ? fmt::format("{:.2f}", kernel.bytes * 1e-9 / kernel.seconds) : "",
                    kernel.parallel > 0 ? fmt::format("{:.2f}", kernel.serial_sum / kernel.parallel) : ""));
  row("outside of calls", "", trace.outside, "");
  if (trace.overlap > 0) row("at the same time", "", -trace.overlap, "");
  row("total", "", trace.total(), "");
  if (trace.nested_calls > 0) text += fmt::format("{} more calls were made inside these.\n", trace.nested_calls);
  return text;
}

std::string threads_text(const TraceSummary& trace) {
  std::string text = fmt::format("{:>10}  {:16}  {:>9}  {:>9}  {:>9}\n", "thread", "name", "working", "waiting", "no call");
  double working = 0;
  for (const auto& thread : trace.threads) {
    working += thread.working;
    text +=
        fmt::format("{:>10}  {:16}  {:>7.1f} %  {:>7.1f} %  {:>7.1f} %\n", thread.id, thread.name,
                    percent(thread.working, trace.wall), percent(thread.waiting, trace.wall), percent(thread.outside, trace.wall));
  }
  return text + fmt::format("{} core{} were idle, or at work outside of calls, for {:.1f} % of the time.\n", trace.cores,
                            trace.cores == 1 ? "" : "s", std::max(0.0, 100 - percent(working, trace.wall * trace.cores)));
}

std::string losses_text(const TraceSummary& trace) {
  if (trace.losses.empty()) return "Threads paid in all parallel calls.\n";
  constexpr std::size_t kShown = 10;
  std::string text = "Threads did not pay in these calls, whose work would have taken no longer on one:\n";
  text += fmt::format("{:24}  {:>12}  {:>15}  {:>12}  {:>12}\n", "calls of", "elements", "calls", "they took", "their work");
  for (std::size_t k = 0; k < std::min(kShown, trace.losses.size()); ++k) {
    const auto& loss = trace.losses[k];
    text += fmt::format("{:24}  {:>12}  {:>15}  {:>12}  {:>12}\n", loss.name, loss.elements,
                        fmt::format("{} of {}", loss.calls, loss.of), time_text(loss.seconds), time_text(loss.serial_sum));
  }
  if (trace.losses.size() > kShown) text += fmt::format("and {} more\n", trace.losses.size() - kShown);
  return text;
}

std::string to_text(const TraceSummary& trace, const std::string& file) {
  std::string text = fmt::format("{}: {}, {} events{}\n\n", file, time_text(trace.wall), trace.events,
                                 trace.dropped > 0 ? fmt::format("; {} more were not written", trace.dropped) : "");
  text += kernels_text(trace) + "\n" + threads_text(trace);
  text += fmt::format(
      "\nCritical path: {}, {:.1f} % of the time, however many cores there are: {} outside of calls, {} in calls on one\n"
      "thread, {} in the longest tasks.\n\n",
      time_text(trace.critical_path()), percent(trace.critical_path(), trace.wall), time_text(trace.path_outside),
      time_text(trace.path_serial), time_text(trace.path_tasks));
  return text + losses_text(trace);
}

nlohmann::json to_json(const TraceSummary& trace) {
  nlohmann::json result = {{"wall", trace.wall},
                           {"total", trace.total()},
                           {"events", trace.events},
                           {"dropped", trace.dropped},
                           {"kernels", nlohmann::json::array()},
                           {"nested_calls", trace.nested_calls},
                           {"outside", trace.outside},
                           {"overlap", trace.overlap},
                           {"cores", trace.cores},
                           {"threads", nlohmann::json::array()},
                           {"critical_path",
                            {{"seconds", trace.critical_path()},
                             {"outside", trace.path_outside},
                             {"serial", trace.path_serial},
                             {"tasks", trace.path_tasks}}},
                           {"parallel_does_not_pay", nlohmann::json::array()}};
  for (const auto& kernel : trace.kernels)
    result["kernels"].push_back({{"name", kernel.name},
                                 {"calls", kernel.calls},
                                 {"seconds", kernel.seconds},
                                 {"bytes", kernel.bytes},
                                 {"parallel_seconds", kernel.parallel},
                                 {"serial_seconds", kernel.serial_sum}});
  for (const auto& thread : trace.threads)
    result["threads"].push_back({{"id", thread.id},
                                 {"name", thread.name},
                                 {"working", thread.working},
                                 {"waiting", thread.waiting},
                                 {"outside", thread.outside}});
  for (const auto& loss : trace.losses)
    result["parallel_does_not_pay"].push_back({{"name", loss.name},
                                               {"elements", loss.elements},
                                               {"calls", loss.calls},
                                               {"of", loss.of},
                                               {"seconds", loss.seconds},
                                               {"serial_seconds", loss.serial_sum}});
  return result;
}

void run(const Options& options) {
  std::ifstream file(options.file);
  if (!file) fail(fmt::format("cannot read {}: {}", options.file, std::strerror(errno)));
  const TraceSummary trace = summarize_trace(file, options.file);
  console::print(options.json ? to_json(trace).dump(2) + "\n" : to_text(trace, options.file));
}

}  // namespace

void add_trace(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand("trace", "Sum up a trace that FURROW_TRACE=FILE or --trace FILE has written");
  command.add_option("file", options->file, "The trace, a JSON file")->required();
  command.add_flag("--json", options->json, "Print it as JSON");
  command.footer(
      "Times of kernels, threads at work and idle, the critical path, and calls that would be faster on one thread.\n"
      "https://ui.perfetto.dev shows the same file as a picture.");
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
