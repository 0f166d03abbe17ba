#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "benchmarks/result_file.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/kernels/simulations/checkpoint.hpp"
#include "furrow/kernels/simulations/simulations.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/frames.hpp"
#include "tools/number_in.hpp"
#include "tools/plot.hpp"
#include "tools/scale.hpp"

namespace furrow::tools {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
  console::CommonOptions common;
  std::string simulation;
  std::optional<std::uint64_t> steps;
  std::vector<sim::Setting> settings;
  std::string out;
  std::uint64_t every = 0;
  std::string field;
  std::string range;
  std::string plot;
  std::string checkpoint;
  std::string checkpoint_every = "60s";
  bool overwrite = false;
  std::string resume;
};

std::string simulations() {
  std::string text;
  for (const sim::Model& model : sim::models()) text += fmt::format("\n  {:12}  {}", model.name, model.about);
  return text;
}

/// What `furrow run SIM --help` says of SIM.
std::string help_of(const std::string& simulation) {
  const auto models = sim::models();
  const auto found = std::ranges::find(models, simulation, &sim::Model::name);
  if (found == models.end()) return "Simulations (furrow run SIM --help lists the parameters of one):" + simulations();
  std::string text = fmt::format(
      "{}: {}\nIt takes {} steps unless told otherwise. Parameters, each as --NAME VALUE or --set NAME=VALUE:", found->name,
      found->about, found->steps);
  for (const sim::Model::Default& parameter : found->parameters())
    text +=
        fmt::format("\n  {:14}  {}; default {}", parameter.name, parameter.about, parameter.text.empty() ? "\"\"" : parameter.text);
  return text;
}

sim::Setting parse_setting(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos) throw CLI::ValidationError("--set: NAME=VALUE is expected, not \"" + text + "\"");
  return {text.substr(0, sign), text.substr(sign + 1)};
}

/// "60s": so much time apart; "500": at multiples of so many steps; "0": only at the end.
struct Interval {
  double seconds = 0;
  std::uint64_t steps = 0;
};

Interval parse_interval(const std::string& text) {
  if (text.ends_with('s')) {
    const auto seconds = number_in<double>(std::string_view(text).substr(0, text.size() - 1));
    if (seconds && *seconds > 0 && std::isfinite(*seconds)) return {.seconds = *seconds};
  } else if (const auto steps = number_in<std::uint64_t>(text)) {
    return {.steps = *steps};
  }
  fail("--checkpoint-every is seconds, as in 60s, or steps, as in 500, not \"" + text + "\"");
}

/// The simulation that was asked for, or that of the checkpoint.
std::unique_ptr<sim::Simulation> make(Engine& engine, const Options& options) {
  for (const sim::Setting& setting : options.settings)
    if (std::ranges::count(options.settings, setting.name, &sim::Setting::name) > 1) fail(setting.name + " is given twice");
  if (options.resume.empty()) return sim::model(options.simulation).make(engine, options.settings);
  const sim::Checkpoint saved = sim::CheckpointFile(options.resume).checkpoint();
  if (!options.simulation.empty() && options.simulation != saved.simulation)
    fail(fmt::format("the checkpoint {} is of {}, not of {}; leave the simulation out", options.resume, saved.simulation,
                     options.simulation));
  std::vector<sim::Setting> settings = saved.settings;
  for (const sim::Setting& setting : options.settings) {
    const auto same = std::ranges::find(settings, setting.name, &sim::Setting::name);
    if (same == settings.end())
      settings.push_back(setting);
    else
      same->text = setting.text;
  }
  auto simulation = sim::model(saved.simulation).make(engine, settings);
  simulation->load(options.resume);  // says what differs
  return simulation;
}

/// Whether both name one file.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

/// "furrow-heat2d.checkpoint"; where earlier runs have left theirs, with a number.
std::string unused_checkpoint(std::string_view simulation) {
  std::error_code ignored;
  std::string path = fmt::format("furrow-{}.checkpoint", simulation);
  for (int number = 2; std::filesystem::exists(path, ignored); ++number)
    path = fmt::format("furrow-{}-{}.checkpoint", simulation, number);
  return path;
}

/// Writes checkpoints of a run when they are due.
class Checkpoints {
 public:
  Checkpoints(sim::Simulation& simulation, const Options& options)
      : simulation_(simulation),
        path_(options.checkpoint.empty() ? options.resume : options.checkpoint),
        interval_(parse_interval(options.checkpoint_every)) {
    if (path_.empty()) return;
    if (same_file(path_, options.resume)) {
      saved_ = simulation.step();
      expect_room(path_, std::filesystem::file_size(path_));
      return;
    }
    std::error_code ignored;
    if (!options.overwrite && std::filesystem::is_regular_file(path_, ignored))
      fail(
          fmt::format("{0} is there already: --resume {0} goes on from it, --overwrite puts this run's checkpoint in its place; "
                      "or name another file",
                      path_));
    save();  // shows before anything is computed that it can be written
  }

  const std::string& path() const { return path_; }

  /// The step at which the next one is due, if that depends on steps.
  std::uint64_t next(std::uint64_t step) const {
    return path_.empty() || interval_.steps == 0 ? UINT64_MAX : (step / interval_.steps + 1) * interval_.steps;
  }

  void save_if_due() {
    // Not more than a tenth of the time is spent on them, however slow the disk is.
    const bool by_time = interval_.seconds > 0 && seconds_since(last_) >= std::max(interval_.seconds, 10 * took_);
    const bool by_steps = interval_.steps > 0 && simulation_.step() % interval_.steps == 0;
    if (!path_.empty() && (by_time || by_steps)) save();
  }

  /// Unless it is there already.
  void save() {
    if (path_.empty() || saved_ == simulation_.step()) return;
    const Clock::time_point start = Clock::now();
    simulation_.save(path_);
    saved_ = simulation_.step();
    last_ = Clock::now();
    took_ = seconds_since(start);
  }

  /// Wherever it can be found again.
  void save_when_stopped() {
    if (path_.empty()) path_ = unused_checkpoint(simulation_.name());
    save();
  }

 private:
  sim::Simulation& simulation_;
  std::string path_;
  Interval interval_;
  std::optional<std::uint64_t> saved_;
  Clock::time_point last_ = Clock::now();
  double took_ = 0;
};

/// Looks for signals while something computes, so that it stops within a step.
class Watch {
 public:
  Watch()
      : token_(console::stop_on_signals()), thread_([](const std::stop_token& ended) {
          std::mutex mutex;
          std::condition_variable_any end;
          std::unique_lock lock(mutex);
          while (!ended.stop_requested()) {
            console::poll_signals();
            end.wait_for(lock, ended, std::chrono::milliseconds(50), [] { return false; });
          }
        }) {}
  const std::stop_token& token() const { return token_; }

 private:
  std::stop_token token_;
  std::jthread thread_;
};

/// How many steps are taken before the bar and the clock are looked at.
class Pace {
 public:
  std::uint64_t steps() const { return steps_; }
  void took(std::uint64_t steps, double seconds) {
    constexpr double kSlice = 0.2;  // seconds: soon enough for who watches, long enough for steps to share passes over memory
    const double fitting = kSlice / std::max(seconds, 1e-9) * static_cast<double>(steps);
    const auto most = static_cast<double>(std::max(steps, steps_)) * 8;
    steps_ = static_cast<std::uint64_t>(std::clamp(fitting, 1.0, most));
  }

 private:
  std::uint64_t steps_ = 1;
};

/// Observables over time, written at the end.
class Plot {
 public:
  Plot(const sim::Simulation& simulation, const Options& options, std::uint64_t steps)
      : simulation_(simulation), file_(options.plot) {
    if (!file_.wanted()) return;
    ending_ = std::filesystem::path(options.plot).extension().string();
    if (ending_ != ".svg" && ending_ != ".csv")
      fail("the format of " + options.plot + " is not known; a plot ends in .svg, or in .csv for the numbers");
    constexpr std::uint64_t kPoints = 120;  // observables cost passes over the fields
    apart_ = std::max<std::uint64_t>((steps + kPoints - 1) / kPoints, 1);
  }

  std::uint64_t next(std::uint64_t step) const { return apart_ == 0 ? UINT64_MAX : (step / apart_ + 1) * apart_; }

  void add_if_due() {
    if (apart_ != 0 && simulation_.step() % apart_ == 0) record_.add(simulation_);
  }

  void write() {
    if (apart_ == 0) return;
    record_.add(simulation_);
    std::string title(simulation_.name());
    for (const sim::Setting& setting : simulation_.settings())
      if (setting.name == "shape") title += " " + setting.text;
    file_.write(ending_ == ".csv" ? record_.csv() : record_.svg(title));
  }

 private:
  const sim::Simulation& simulation_;
  bench::ResultFile file_;
  std::string ending_;
  std::uint64_t apart_ = 0;  // steps; 0: no plot
  Record record_;
};

/// What came of it.
struct Outcome {
  std::uint64_t steps = 0;
  double seconds = 0;  // of computing
  bool stopped = false;

  double rate() const { return seconds > 0 ? static_cast<double>(steps) / seconds : 0; }
};

std::string rate_text(const sim::Work& work, double steps_per_second) {
  return fmt::format("{} steps/s  {} {}/s", with_prefix(steps_per_second), with_prefix(steps_per_second * work.per_step),
                     work.unit);
}

/// From where the simulation is to step `last`, or to where a signal came.
Outcome advance(sim::Simulation& simulation, std::uint64_t last, const Watch& watch, Checkpoints& checkpoints, Frames* frames,
                const FramePlan& plan, Plot& plot, bool quiet) {
  Outcome outcome;
  const std::uint64_t first = simulation.step();
  Pace pace;
  const sim::Work work = simulation.work();
  console::Progress progress(std::string(simulation.name()), last - simulation.step(), quiet,
                             [&](double rate) { return rate_text(work, rate); });
  const auto store = [&] {
    if (frames == nullptr || !plan.wants(simulation.step())) return;
    try {
      frames->write(simulation);
    } catch (const Cancelled&) {  // a signal came meanwhile, which is seen below
    } catch (const Error&) {
      checkpoints.save();  // so that nothing computed is lost
      throw;
    }
  };
  store();
  plot.add_if_due();
  while (simulation.step() < last && !watch.token().stop_requested()) {
    const std::uint64_t now = simulation.step();
    const std::uint64_t until = std::min({plan.next(now), plot.next(now), checkpoints.next(now), last});
    const std::uint64_t steps = std::min(until - now, pace.steps());
    const Clock::time_point start = Clock::now();
    try {
      simulation.advance(steps, watch.token());
    } catch (const Cancelled&) {  // the state is that of a step
    }
    const double took = seconds_since(start);
    outcome.seconds += took;
    if (simulation.step() == now) continue;
    pace.took(steps, took);
    store();
    plot.add_if_due();
    checkpoints.save_if_due();
    progress.add(simulation.step() - now);
  }
  outcome.steps = simulation.step() - first;
  outcome.stopped = simulation.step() < last;
  return outcome;
}

nlohmann::ordered_json json_number(double value) {
  if (std::isfinite(value)) return value;
  return fmt::format("{}", value);
}

nlohmann::ordered_json to_json(const sim::Simulation& simulation, const Outcome& outcome) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const sim::Setting& setting : simulation.settings()) parameters[setting.name] = setting.text;
  nlohmann::ordered_json observables = nlohmann::ordered_json::object();
  for (const sim::Observable& one : simulation.observables()) observables[std::string(one.name)] = json_number(one.value);
  const sim::Work work = simulation.work();
  return {{"simulation", simulation.name()},
          {"parameters", parameters},
          {"steps", outcome.steps},
          {"step", simulation.step()},
          {"time", json_number(simulation.time())},
          {"seconds", outcome.seconds},
          {"steps_per_second", outcome.rate()},
          {"work_unit", work.unit},
          {"work_per_second", outcome.rate() * work.per_step},
          {"observables", observables},
          {"stopped", outcome.stopped},
          {"backend", simulation.engine().backend()},
          {"threads", simulation.engine().concurrency()}};
}

std::string to_text(const sim::Simulation& simulation, const Outcome& outcome) {
  const Engine& engine = simulation.engine();
  std::string text = fmt::format("{}: step {}, time {:.6g}\n", simulation.name(), simulation.step(), simulation.time());
  if (outcome.steps > 0)
    text += fmt::format("{} steps in {:.3g} s with {} on up to {} thread{}: {}\n", outcome.steps, outcome.seconds, engine.backend(),
                        engine.concurrency(), engine.concurrency() == 1 ? "" : "s", rate_text(simulation.work(), outcome.rate()));
  const std::vector<sim::Observable> observables = simulation.observables();
  std::size_t width = 0;
  for (const sim::Observable& one : observables) width = std::max(width, one.name.size());
  for (const sim::Observable& one : observables) text += fmt::format("  {:{}}  {:.10g}\n", one.name, width, one.value);
  return text;
}

void run(const Options& options) {
  if (options.simulation.empty() && options.resume.empty())
    throw CLI::ValidationError("which simulation? furrow run SIM, or --resume FILE; there are" + simulations());
  const Watch watch;
  // Not stopped by signals: the checkpoint that they leave is written with it.
  Engine engine = options.common.engine(std::stop_token());
  const std::unique_ptr<sim::Simulation> simulation = make(engine, options);
  const std::uint64_t first = simulation->step();
  std::uint64_t last = 0;
  if (__builtin_add_overflow(first, options.steps.value_or(sim::model(simulation->name()).steps), &last))
    fail("so many steps are more than can be counted");

  FramePlan plan{.path = options.out,
                 .every = options.every,
                 .first = first,
                 .last = last,
                 .resumed = !options.resume.empty(),
                 .field = options.field,
                 .range = std::nullopt};
  if (!options.range.empty()) plan.range = parse_range(options.range);
  const std::unique_ptr<Frames> frames = make_frames(plan, *simulation);
  Plot plot(*simulation, options, last - first);
  Checkpoints checkpoints(*simulation, options);

  const Outcome outcome = advance(*simulation, last, watch, checkpoints, frames.get(), plan, plot, options.common.quiet);
  outcome.stopped ? checkpoints.save_when_stopped() : checkpoints.save();
  if (frames != nullptr) frames->finish();
  plot.write();
  const std::vector<std::string> written = frames != nullptr ? frames->written() : std::vector<std::string>();

  if (options.common.json) {
    nlohmann::ordered_json report = to_json(*simulation, outcome);
    report["checkpoint"] = nullptr;
    if (!checkpoints.path().empty()) report["checkpoint"] = checkpoints.path();
    report["output"] = written;
    console::print(report.dump(2) + "\n");
  } else if (!outcome.stopped) {
    console::print(to_text(*simulation, outcome));
  }
  if (!outcome.stopped) return;
  console::print_note(fmt::format("stopped at step {}; furrow run --resume {} --steps {} goes on", simulation->step(),
                                  checkpoints.path(), last - simulation->step()));
  throw Cancelled();
}

/// Every parameter of any simulation as an option of its own; those that it does not have are refused when it is made.
void add_parameters(CLI::App& command, const std::shared_ptr<Options>& options) {
  for (const sim::Model& model : sim::models()) {
    for (const sim::Model::Default& parameter : model.parameters()) {
      const std::string name = parameter.name;
      if (command.get_option_no_throw("--" + name) != nullptr) continue;  // of an earlier one; or furrow's own: --set does for it
      std::string names = "--" + name;
      std::string hyphened = name;
      std::ranges::replace(hyphened, '_', '-');
      if (hyphened != name && command.get_option_no_throw("--" + hyphened) == nullptr) names += ",--" + hyphened;
      command
          .add_option_function<std::string>(names,
                                            [options, name](const std::string& text) {
                                              options->settings.push_back({name, text});
                                            })
          ->group("");
    }
  }
}

}  // namespace

void add_run(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand("run", "Run a simulation, or go on with one from its checkpoint");
  command.add_option("SIM", options->simulation, "The simulation; furrow run SIM --help lists its parameters");
  command.add_option("--steps", options->steps, "How many steps to take from where the run starts or resumes")
      ->transform(console::whole_number());
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [options](const std::vector<std::string>& all) {
            for (const std::string& text : all) options->settings.push_back(parse_setting(text));
          },
          "NAME=VALUE: a parameter; also as --NAME VALUE")
      ->allow_extra_args(false);
  CLI::Option* const out =
      command.add_option("--out", options->out, "Write the last state to FILE.npy, FILE.png (its first field) or FILE.h5 (all)");
  command.add_option("--every", options->every, "Write every K steps: FILE_000100.png, or all into FILE.h5")
      ->needs(out)
      ->transform(console::whole_number(1));
  command.add_option("--field", options->field, "Write this field to .npy and .png instead of the first");
  command.add_option("--range", options->range, "LOW:HIGH: the values at the ends of a picture's colours; by default its own");
  command.add_option("--plot", options->plot, "Write the observables over time to FILE.svg, or as numbers to FILE.csv");
  CLI::Option* const checkpoint = command.add_option(
      "--checkpoint", options->checkpoint,
      "Keep the state in FILE (and the one before in FILE.previous): now and then, when stopped, and at the end");
  command.add_option("--checkpoint-every", options->checkpoint_every, "How far apart: 60s, or steps, as in 500")
      ->capture_default_str();
  command.add_flag("--overwrite", options->overwrite, "Even if FILE holds the checkpoint of another run")->needs(checkpoint);
  command.add_option("--resume", options->resume,
                     "Go on from this checkpoint, with its simulation and parameters; keeps the state in it unless --checkpoint");
  options->common.add_to(command);
  add_parameters(command, options);
  command.footer([options] { return help_of(options->simulation); });
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
