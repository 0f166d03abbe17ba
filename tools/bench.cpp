#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>

#include "benchmarks/report.hpp"
#include "benchmarks/suite.hpp"
#include "benchmarks/tuning_entry.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"

namespace furrow::tools {
namespace {

struct Options {
  bench::SuiteOptions suite;
  std::string json;
  bool no_save = false;
  bool quiet = false;
};

std::string duration(double seconds) {
  return seconds < 90 ? fmt::format("{:.0f} s", seconds) : fmt::format("{:.0f} min", seconds / 60);
}

/// One line on standard error that is drawn over; nothing unless that is a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : enabled_(!quiet && isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() {
    if (enabled_) fmt::print(stderr, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void draw(const bench::Progress& progress) const {
    if (!enabled_) return;
    fmt::print(stderr, "\r\033[K[{}/{}] {}, about {} left", progress.done, progress.total, progress.now,
               duration(progress.seconds_left));
    std::fflush(stderr);
  }

 private:
  bool enabled_;
};

/// Saves what was found for this machine, unless it must not be, and says what it did.
std::string save(const bench::Measurements& measurements, const bench::Verdict& verdict) {
  if (Tuning::path().empty()) return "Not saved: FURROW_TUNING is \"none\", or there is no home directory.\n";
  if (const auto reason = bench::too_little_to_save(measurements)) return "Not saved: " + *reason + ".\n";
  const std::shared_ptr<const Tuning> before = Tuning::load();
  bench::tuning_entry(measurements, verdict, before.get()).save();
  return "Saved to " + Tuning::path() + "; programs that use furrow on this machine follow it.\n";
}

void run(Options options) {
  // A file that cannot be written is told now, not after minutes.
  std::ofstream json;
  if (!options.json.empty()) {
    json.open(options.json);
    if (!json) fail("cannot write " + options.json);
  }
  console::stop_on_signals();
  options.suite.stop = [] {
    console::poll_signals();
    return console::signal_received() != 0;
  };
  const bench::Measurements measurements = [&] {
    const ProgressLine line(options.quiet);
    options.suite.progress = [&line](const bench::Progress& progress) { line.draw(progress); };
    return bench::run_suite(options.suite);
  }();
  const bench::Verdict verdict = bench::verdict_of(measurements);
  console::print(fmt::format("{}, {} thread{}, measured in {}\n\n{}\n{}", machine().cpu, measurements.threads,
                             measurements.threads == 1 ? "" : "s", duration(measurements.seconds), bench::tables(measurements),
                             bench::in_words(measurements, verdict)));
  if (!options.json.empty()) {
    bench::write_json(measurements, verdict, json);
    json.close();
    if (!json) fail("cannot write all of " + options.json);
  }
  if (!options.no_save) console::print(save(measurements, verdict));
  if (measurements.faults() > 0) fail(fmt::format("{} cases gave a wrong answer; see above", measurements.faults()));
  if (measurements.interrupted) throw Cancelled();
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("bench", "Measure every backend side by side, pick one, and save the choice for this machine");
  const auto options = std::make_shared<Options>();
  command->add_option("--kernels", options->suite.kernels, "Only kernels in whose name this regular expression is found");
  command->add_option("--backends", options->suite.backends, "Only these backends and peers, separated by commas")->delimiter(',');
  command->add_option("--sizes", options->suite.sizes, "Numbers of elements, separated by commas; by default from 2^10 to 2^25")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command->add_option("--types", options->suite.types, "Only these element types (f32, f64, i32, i64), separated by commas")
      ->delimiter(',');
  command->add_flag("--quick", options->suite.quick, "Doubles and three sizes only; at most 90 seconds");
  command->add_option("--threads", options->suite.threads, "The most threads to use; by default all allowed")
      ->check(CLI::Range(1, 4096));
  command->add_option("--seconds", options->suite.seconds, "Time for everything; by default 540, or 70 if quick")
      ->check(CLI::PositiveNumber);
  command->add_option("--json", options->json, "Write all rounds to this file, in Google Benchmark's format");
  command->add_flag("--no-save", options->no_save, "Leave the tuning file alone");
  command->add_flag("-q,--quiet", options->quiet, "No progress line");
  command->callback([options] { run(*options); });
}

}  // namespace furrow::tools
