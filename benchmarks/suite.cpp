#include "benchmarks/suite.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <regex>

#include "benchmarks/thresholds.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

// Types and sizes in the order in which they are measured: if the time is short, the last are left out.
constexpr Type kTypes[] = {Type::f64, Type::f32, Type::i64, Type::i32};
constexpr std::size_t kSizes[] = {std::size_t{1} << 16, std::size_t{1} << 10, std::size_t{1} << 25,
                                  std::size_t{1} << 13, std::size_t{1} << 19, std::size_t{1} << 22};
constexpr std::size_t kQuickSizes = 3;  // the first

// More rounds than these make no verdict different.
constexpr std::size_t kMostRounds = 25;

std::vector<Type> chosen_types(const std::vector<std::string>& codes) {
  std::vector<Type> types;
  for (const std::string& code : codes) {
    const auto* const found = std::ranges::find(kTypes, code, type_code);
    if (found == std::end(kTypes)) fail("unknown type \"" + code + "\"; the suite has f32, f64, i32, i64");
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

/// Bytes of memory that can be had without swapping; the largest number where the system does not say.
std::size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    std::size_t kibibytes = 0;
    if (!(file >> kibibytes)) file.clear();
    if (key == "MemAvailable:") return kibibytes << 10;
    std::getline(file, unit);
  }
  return std::numeric_limits<std::size_t>::max();
}

bool is_large(std::size_t n) {
  return n >= std::size_t{1} << 22;
}

/// Large sizes get more time, but fewer rounds.
double weight(const Selection& what) {
  return is_large(what.n) ? 4 : 1;
}

class Run {
 public:
  explicit Run(const SuiteOptions& options)
      : options_(options), candidates_(options.backends, options.threads), plan_(select(options)) {
    leave_out_too_large();
    for (const Selection& what : plan_) work_ += weight(what);
    if (thresholds_wanted()) tasks_ = thresholds_to_measure(plan_, candidates_);
    work_ += static_cast<double>(tasks_.size());
    all_work_ = work_;
    done_at_end_ = plan_.size() + tasks_.size();
  }

  Measurements run() {
    found_.threads = candidates_.threads();
    found_.backends = candidates_.backends();
    found_.peers = candidates_.peers();
    found_.planned = plan_.size();
    for (std::size_t at = 0; at < plan_.size() && !over(); ++at) {
      // What took too long for what is left of the time would again; smaller sizes may still fit.
      if (double& took = took_[plan_[at].n]; took < seconds_left()) {
        const double before = now();
        group(plan_[at]);
        took = now() - before;
      }
      // A type's thresholds come when its small sizes are done: they are cheap, and matter more than the large ones.
      const bool last_of_type = at + 1 == plan_.size() || plan_[at + 1].type != plan_[at].type;
      if (last_of_type || is_large(plan_[at + 1].n)) thresholds(plan_[at].type);
    }
    workspace_.reset();
    for (const std::string& note : candidates_.notes()) found_.notes.push_back(note);
    if (!found_.interrupted && found_.groups.size() < found_.planned)
      found_.notes.push_back(std::to_string(found_.planned - found_.groups.size()) + " of " + std::to_string(found_.planned) +
                             " groups of cases were left out: the time was used up (--seconds gives more)");
    sort();
    found_.seconds = now() - start_;
    return std::move(found_);
  }

 private:
  double now() const { return clock_.real(); }
  double budget() const { return options_.seconds > 0 ? options_.seconds : options_.quick ? 70 : 540; }
  double seconds_left() const { return start_ + budget() - now(); }

  bool over() {
    if (options_.stop()) found_.interrupted = true;
    return found_.interrupted || seconds_left() <= 0;
  }

  void leave_out_too_large() {
    const std::size_t most = available_memory() / 10 * 8;
    std::size_t largest = 0;
    std::erase_if(plan_, [&](const Selection& what) {
      const bool too_large = Workspace::bytes(what.type, what.n) > most;
      if (too_large) largest = std::max(largest, what.n);
      return too_large;
    });
    if (plan_.empty()) fail("there is not enough memory for the sizes chosen");
    if (largest > 0)
      found_.notes.push_back("sizes up to " + std::to_string(largest) + " were left out: there is not enough free memory");
  }

  bool thresholds_wanted() const { return candidates_.threads() > 1; }

  /// Seconds that the next piece of work, of this weight, may take: a small selection does not have to use up its time.
  double share(double weight_of_it) {
    constexpr double kMost = 2;
    return std::min(kMost, std::max(0.0, seconds_left()) / std::max(work_, weight_of_it)) * weight_of_it;
  }

  void report(const std::string& what) {
    options_.progress({.done = done_, .total = done_at_end_, .seconds_left = expected_left(), .now = what});
  }

  double expected_left() const {
    if (done_ == 0) return seconds_left();
    return std::max(0.0, std::min(seconds_left(), (now() - start_) / (all_work_ - work_) * work_));
  }

  void group(const Selection& what) {
    report(std::string(what.kernel->name) + " " + std::string(type_code(what.type)) + " " + std::to_string(what.n));
    const double until = now() + share(weight(what));
    if (workspace_ == nullptr || workspace_->operands().type() != what.type || workspace_->operands().size() != what.n) {
      workspace_.reset();  // before the new one is allocated
      workspace_ = std::make_unique<Workspace>(candidates_.placing_engine(), what.type, what.n);
    }
    workspace_->prepare(*what.kernel);

    Group group{what.kernel, what.type, what.n, {}};
    std::vector<Subject> subjects;
    std::vector<std::size_t> timed;  // the cases of the subjects
    std::vector<const Worker*> workers;
    for (Candidate& candidate : candidates_.of(*what.kernel, what.type)) {
      if (options_.stop()) return;
      group.cases.push_back({candidate.backend, candidate.kind, {}, fault_of(candidate)});
      if (group.cases.back().fault) continue;
      timed.push_back(group.cases.size() - 1);
      workers.push_back(candidate.worker);
      subjects.push_back({candidate.runtime, repeated(candidate.variants[fastest(candidate)])});
    }
    const std::vector<Timings> timings =
        measure(subjects, {.seconds = until - now(), .most_rounds = kMostRounds, .seed = ++seed_, .stop = options_.stop});
    for (std::size_t t = 0; t < timed.size(); ++t) {
      // A process that ended meanwhile was not timed, and a note says so.
      if (workers[t] == nullptr || !workers[t]->fault()) group.cases[timed[t]].timings = timings[t];
    }
    // Cut off before the first round: it says nothing.
    if (options_.stop() && (timings.empty() || timings[0].real.empty())) return;
    found_.groups.push_back(std::move(group));
    finished(weight(what));
  }

  std::function<void(std::size_t)> repeated(const std::function<void(table::Operands&, std::size_t)>& run) {
    return [run, &operands = workspace_->operands()](std::size_t calls) { run(operands, calls); };
  }

  std::optional<std::string> fault_of(Candidate& candidate) {
    for (const auto& run : candidate.variants) {
      workspace_->reset();
      if (candidate.worker != nullptr) candidate.worker->load(workspace_->operands());
      run(workspace_->operands(), 1);
      if (candidate.worker != nullptr) {
        candidate.worker->store(workspace_->operands());
        if (auto fault = candidate.worker->fault()) return fault;
      }
      if (auto fault = workspace_->fault(candidate.kind == Kind::backend)) return fault;
    }
    return std::nullopt;
  }

  std::size_t fastest(const Candidate& candidate) {
    if (candidate.variants.size() == 1) return 0;
    std::vector<Subject> variants;
    for (const auto& run : candidate.variants) variants.push_back({candidate.runtime, repeated(run)});
    const std::vector<Timings> timings =
        measure(variants, {.seconds = 0, .least_rounds = 3, .sample_seconds = 2e-4, .seed = ++seed_, .stop = options_.stop});
    const auto time = [](const Timings& timing) {
      return timing.real.empty() ? std::numeric_limits<double>::infinity() : least(timing.real);
    };
    return static_cast<std::size_t>(std::ranges::min_element(timings, {}, time) - timings.begin());
  }

  void thresholds(Type type) {
    std::vector<ThresholdTask> rest;
    for (const ThresholdTask& task : tasks_) {
      if (task.type != type || over()) {
        rest.push_back(task);
        continue;
      }
      report("when threads pay: " + std::string(task.kernel->name) + " " + std::string(type_code(type)));
      workspace_.reset();
      measure_threshold(task, candidates_,
                        {.seconds = share(1), .most_rounds = 15, .sample_seconds = 3e-4, .seed = ++seed_, .stop = options_.stop},
                        found_.thresholds);
      finished(1);
    }
    tasks_ = std::move(rest);
  }

  void finished(double weight_of_it) {
    work_ -= weight_of_it;
    ++done_;
  }

  /// As people look for them: in the order of the table, then by type, then by size.
  void sort() {
    std::ranges::sort(found_.groups, [](const Group& a, const Group& b) {
      return std::tuple(a.kernel, a.type, a.n) < std::tuple(b.kernel, b.type, b.n);  // the table is an array: rows in order
    });
  }

  const SuiteOptions& options_;
  const Clock clock_ = Clock::system();
  const double start_ = clock_.real();
  Candidates candidates_;
  std::vector<Selection> plan_;
  std::vector<ThresholdTask> tasks_;
  std::unique_ptr<Workspace> workspace_;
  std::map<std::size_t, double> took_;  // seconds of the latest group of a size
  Measurements found_;
  double work_ = 0;       // what is left
  double all_work_ = 0;   // what there was
  std::size_t done_ = 0;  // groups and thresholds
  std::size_t done_at_end_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace

std::vector<Selection> select(const SuiteOptions& options) {
  const std::regex wanted = pattern(options.kernels);
  std::vector<Type> types = chosen_types(options.types);
  std::vector<std::size_t> sizes = options.sizes;
  if (sizes.empty()) sizes.assign(std::begin(kSizes), options.quick ? kSizes + kQuickSizes : std::end(kSizes));

  // Kernels with the same inputs after each other: making those of the largest size takes longer than any kernel.
  std::vector<const table::Kernel*> kernels;
  for (const table::Kernel& kernel : table::kernels())
    if (options.kernels.empty() ? kernel.picks() : std::regex_search(kernel.name.begin(), kernel.name.end(), wanted))
      kernels.push_back(&kernel);
  std::ranges::stable_sort(kernels, std::less<>(), &table::Kernel::make_inputs);

  std::vector<Selection> selected;
  for (const Type type : kTypes) {
    for (const std::size_t n : sizes) {
      for (const table::Kernel* const kernel : kernels) {
        if (!kernel->has(type) || n > kernel->largest) continue;
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

const Case* Group::find(std::string_view backend) const {
  const auto found = std::ranges::find(cases, backend, &Case::backend);
  return found == cases.end() ? nullptr : &*found;
}

std::size_t Measurements::faults() const {
  std::size_t count = 0;
  for (const Group& group : groups)
    count += static_cast<std::size_t>(std::ranges::count_if(group.cases, [](const Case& one) { return one.fault.has_value(); }));
  return count;
}

Measurements run_suite(const SuiteOptions& options) {
  return Run(options).run();
}

}  // namespace furrow::bench
