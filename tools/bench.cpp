#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/ablation.hpp"
#include "benchmarks/compare.hpp"
#include "benchmarks/mix.hpp"
#include "benchmarks/regret.hpp"
#include "benchmarks/report.hpp"
#include "benchmarks/report_html.hpp"
#include "benchmarks/result_file.hpp"
#include "benchmarks/saved_run.hpp"
#include "benchmarks/suite.hpp"
#include "benchmarks/tuning_entry.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/threads.hpp"
#include "furrow/engine/tuning.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"

namespace furrow::tools {
namespace {

struct Options {
  bench::SuiteOptions suite;
  std::string json;
  std::string html;
  std::string from;
  std::vector<std::string> compare;
  std::string mix;
  bool regret = false;
  std::string regret_of;  ///< a file; empty: a run
  std::string serve;
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
  if (measurements.neighbour) return "Not saved: it was measured beside a busy process.\n";
  const std::shared_ptr<const Tuning> before = Tuning::load();
  // A choice made under better conditions is not replaced; any choice is better than none.
  if (before != nullptr && !measurements.warnings.empty())
    return "Not saved: see the warning, and there is an earlier choice; measure again when the machine is idle.\n";
  if (before != nullptr && bench::is_partial(measurements))
    return "Not saved: the run is partial, and there is an earlier choice.\n";
  bench::tuning_entry(measurements, verdict, before.get()).save();
  return "Saved to " + Tuning::path() + "; programs that use furrow on this machine follow it.\n";
}

/// What a run's JSON would say, read back: page and comparison are made from what a file holds.
bench::SavedRun as_saved(const bench::Measurements& measurements, const bench::Verdict& verdict, std::string& json) {
  std::ostringstream out;
  bench::write_json(measurements, verdict, out);
  json = out.str();
  std::istringstream in(json);
  return bench::read_run(in, "this run");
}

/// True if nothing is slower or wrong now.
bool compare(const bench::SavedRun& before, const bench::SavedRun& now) {
  const bench::Comparison comparison = bench::compare_runs(before, now);
  console::print(bench::in_words(comparison, before, now));
  return !comparison.regression();
}

[[noreturn]] void fail_as_slower(const std::string& before) {
  fail("slower than " + before + ", or wrong; see above");
}

void run(Options options) {
  if (const bench::Ablation* const ablation = bench::find_ablation(options.serve))
    return bench::serve_ablation(*ablation, options.suite.backends.at(0), options.suite.threads);
  const bench::ResultFile json(options.json);
  const bench::ResultFile html(options.html);
  if (!options.regret_of.empty()) return console::print(bench::in_words(bench::regret_of(bench::read_run(options.regret_of))));
  if (!options.from.empty()) return html.write(bench::html_page(bench::read_run(options.from)));
  if (options.compare.size() == 2) {
    if (json.wanted() || html.wanted())
      throw CLI::ValidationError("--compare with two files runs nothing that --json or --html could write");
    if (!compare(bench::read_run(options.compare[0]), bench::read_run(options.compare[1]))) fail_as_slower(options.compare[0]);
    return;
  }
  std::optional<bench::SavedRun> before;
  if (!options.compare.empty()) {
    before = bench::read_run(options.compare[0]);
    bench::check_comparable(*before, Tuning::machine_key(), choose_threads(options.suite.threads).count);
  }
  options.suite.mix = bench::Mix(options.mix);
  options.suite.automatic = options.regret;
  if (options.regret && options.suite.backends.empty()) options.suite.backends = backends();  // nobody chooses a peer
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
  console::print(fmt::format("{}, {} thread{}, measured in {}\n\n{}\n", machine().cpu, measurements.threads,
                             measurements.threads == 1 ? "" : "s", duration(measurements.seconds), bench::tables(measurements)));
  if (!options.regret) console::print(bench::in_words(measurements, verdict));
  bool slower = false;
  if (json.wanted() || html.wanted() || before || options.regret) {
    std::string text;
    const bench::SavedRun saved = as_saved(measurements, verdict, text);
    if (json.wanted()) json.write(text);
    if (html.wanted()) html.write(bench::html_page(saved));
    if (options.regret && !measurements.groups.empty()) console::print(bench::in_words(bench::regret_of(saved)));
    if (before && !measurements.groups.empty()) slower = !compare(*before, saved);
  }
  if (!options.no_save && !options.regret) console::print(save(measurements, verdict));
  if (measurements.faults() > 0) fail(fmt::format("{} cases gave a wrong answer; see above", measurements.faults()));
  if (measurements.interrupted) throw Cancelled();
  if (slower) fail_as_slower(before->name);
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("bench", "Measure every backend side by side, pick one, and save the choice for this machine");
  const auto options = std::make_shared<Options>();
  CLI::Option* const kernels =
      command->add_option("--kernels", options->suite.kernels, "Only kernels in whose name this regular expression is found");
  command
      ->add_option(
          "--mix", options->mix,
          "What your program spends its time on, as \"uneven=3,sum=1\": only that is measured, and the pick is weighed by it; "
          "names are kernels and families of `furrow list`, uneven, nested, openmp_host and busy_neighbour")
      ->excludes(kernels);
  command
      ->add_option(
          "--backends", options->suite.backends,
          "Only these backends and peers, separated by commas, or groups of them: usual (the default), libraries, fast (the peers' "
          "loops with -ffast-math), python, ablations")
      ->delimiter(',');
  command
      ->add_option("-n,--sizes,--n", options->suite.sizes,
                   "Numbers of elements, as 65536 or 1e7, separated by commas; by default from 2^10 to 2^25")
      ->delimiter(',')
      ->transform(console::whole_number(1));
  command->add_option("--types", options->suite.types, "Only these element types (f32, f64, i32, i64, u8), separated by commas")
      ->delimiter(',');
  command->add_flag("--quick", options->suite.quick, "Doubles and three sizes only; at most 90 seconds");
  command->add_flag("--all", options->suite.all, "Everything instead of a sample, however long it takes");
  command->add_flag("--sweep", options->suite.sweep, "Sizes 2^8, 2^9, ... up to what memory holds")->excludes("--sizes");
  command->add_flag("--scaling", options->suite.scaling, "Also with 1, 2, 4, ... threads, and with twice as many as otherwise");
  command->add_flag("--neighbour", options->suite.neighbour, "Beside a second process that keeps a core busy; nothing is saved");
  command->add_option("--threads", options->suite.threads, "The most threads to use; by default all allowed")
      ->transform(console::whole_number(1, 4096));
  command
      ->add_option("--seconds", options->suite.seconds, "Time for everything; by default 540, or 70 if quick, or no limit if all")
      ->check(CLI::PositiveNumber);
  CLI::Option* const json =
      command->add_option("--json", options->json, "Write all rounds to this file, in Google Benchmark's format");
  CLI::Option* const html = command->add_option("--html", options->html, "Write a page with figures to this file");
  CLI::Option* const from = command->add_option("--from", options->from, "Make that page from a file of --json, without a run")
                                ->needs(html)
                                ->excludes(json);
  CLI::Option* const compare =
      command
          ->add_option("--compare", options->compare,
                       "Say what became faster or slower than in this file of --json, beyond noise, and fail if something became "
                       "slower; with two files, compare the second with the first, without a run")
          ->expected(1, 2)
          ->excludes(from);
  CLI::Option* const regret =
      command
          ->add_option(
              "--regret", options->regret_of,
              "Say what following the tuning file loses against the best backend for each kernel, type and size, and what it "
              "gains against always the same one; from this file of --json --regret, without a run, or from a run")
          ->expected(0, 1)
          ->excludes(html)
          ->excludes(compare);
  command->add_option("--serve", options->serve)->group("");  // how the suite starts its own processes: not for people
  command->add_flag("--no-save", options->no_save, "Leave the tuning file alone");
  command->add_flag("-q,--quiet", options->quiet, "No progress line");
  command->callback([options, regret] {
    options->regret = regret->count() > 0;
    run(*options);
  });
}

}  // namespace furrow::tools
