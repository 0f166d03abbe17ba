#include "benchmarks/suite.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <regex>

#include "benchmarks/kernel_tuning.hpp"
#include "benchmarks/memory.hpp"
#include "benchmarks/neighbour.hpp"
#include "benchmarks/scenarios.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/threads.hpp"

namespace furrow::bench {
namespace {

// In the order in which they are measured if all are; a quick run has the first sizes.
constexpr Type kTypes[] = {Type::f64, Type::f32, Type::i64, Type::i32};
constexpr std::size_t kSizes[] = {std::size_t{1} << 16, std::size_t{1} << 10, std::size_t{1} << 25,
                                  std::size_t{1} << 13, std::size_t{1} << 19, std::size_t{1} << 22};
constexpr std::size_t kQuickSizes = 3;

// They find 5 % in nearly all cases, with 2 % noise and more.
constexpr std::size_t kMostRounds = 40;

// A group and the tuning of a kernel take about so long for each unit of weight.
constexpr double kSecondsPerWeight = 1;

// Others' use of the CPUs, over what this run's threads leave free, beyond which the verdict may be of them: so many for each
// thread.
constexpr double kBusyNeighbours = 0.1;

// Seconds beyond the budget after which what is under way is cut off.
constexpr double kOverrun = 10;

std::size_t usable_memory() {
  return available_memory() / 10 * 8;
}

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

/// From 2^8 to what memory holds of doubles.
std::vector<std::size_t> sweep() {
  std::vector<std::size_t> sizes;
  for (std::size_t n = std::size_t{1} << 8; Workspace::bytes(Type::f64, n) <= usable_memory(); n *= 2) sizes.push_back(n);
  return sizes;
}

/// How long a group takes, in that of a small one: large arrays have to be filled and checked, too.
double weight(const Selection& what) {
  return what.n >= std::size_t{1} << 24 ? 6 : what.n >= std::size_t{1} << 22 ? 2 : 1;
}

/// In whose contest a candidate takes part: the roof stands for itself, and furrow without one of its parts is worth all rounds.
const char* contest_of(Kind kind) {
  return kind == Kind::backend ? "furrow" : kind == Kind::peer ? "peers" : "";
}

/// Threads for strong scaling besides the run's own number: its powers of two below, and twice it.
std::vector<int> scaling_threads(int own) {
  std::vector<int> counts;
  for (int count = 1; count < own; count *= 2) counts.push_back(count);
  counts.push_back(2 * own);
  return counts;
}

class Run {
 public:
  explicit Run(const SuiteOptions& options)
      : options_(options), candidates_(options.backends, options.threads), plan_(select(options)) {
    if (options.automatic) candidates_.add_automatic();
    leave_out_too_large();
    const std::vector<int> other_threads = options.scaling ? scaling_threads(candidates_.threads()) : std::vector<int>();
    if (const std::size_t selected = plan_.size(); !options.all) {
      plan_ = sample(plan_, budget() * (1 - tuning_share()) / static_cast<double>(1 + other_threads.size()));
      if (plan_.size() < selected)
        found_.notes.push_back("this is a sample of " + std::to_string(plan_.size()) + " of " + std::to_string(selected) +
                               " kernels, types and sizes, as many as there is time for (--all measures all)");
    }
    if (tuning_wanted()) tasks_ = tuning_tasks(plan_, candidates_);
    if (!options.all)
      tasks_.resize(std::min(tasks_.size(), static_cast<std::size_t>(budget() * tuning_share() / kSecondsPerWeight)));
    const std::vector<Selection> own = plan_;
    for (const int threads : other_threads)
      for (const Selection& what : own) plan_.push_back({what.kernel, what.type, what.n, threads});
    for (const Selection& what : plan_) work_ += weight(what);
    work_ += static_cast<double>(tasks_.size());
    all_work_ = work_;
    done_at_end_ = plan_.size() + tasks_.size();
  }

  Measurements run() {
    found_.threads = candidates_.threads();
    found_.backends = candidates_.backends();
    found_.peers = candidates_.peers();
    found_.planned = plan_.size();
    found_.mix = options_.mix;
    for (const Selection& what : plan_)
      if (!options_.sizes.empty() && std::ranges::find(options_.sizes, what.n) == options_.sizes.end())
        found_.notes.push_back(std::string(what.kernel->name) + " was measured at " + std::to_string(what.n) +
                               " elements, the most that the suite gives it");
    report("the machine's roofs");
    // They take two seconds; a machine too busy for that shows no roofs, and the cases matter more.
    const double roofs_until = now() + std::max(3.0, budget() / 10);
    found_.roofs = measure_roofs(candidates_, ++seed_, [&] { return cut_off() || now() > roofs_until; });
    for (std::size_t at = 0; !over() && at < plan_.size(); ++at) {
      // What took too long for what is left of the time would again; smaller sizes may still fit.
      if (double& took = took_[plan_[at].n]; took < seconds_left()) {
        const double before = now();
        group(plan_[at]);
        took = now() - before;
      }
      // Tuning keeps pace, so that whenever time runs out some of every family is done.
      tune(static_cast<double>(at + 1) / static_cast<double>(plan_.size()));
    }
    workspace_.reset();
    note_workers(candidates_);
    for (const auto& [threads, candidates] : scaling_) note_workers(candidates);
    if (!found_.interrupted && found_.groups.size() < found_.planned)
      found_.notes.push_back(std::to_string(found_.planned - found_.groups.size()) + " of " + std::to_string(found_.planned) +
                             " groups of cases were left out: the time was used up (--seconds gives more)");
    warn();
    sort();
    found_.seconds = now() - start_;
    return std::move(found_);
  }

 private:
  double now() const { return clock_.real(); }
  double budget() const {
    if (options_.seconds > 0) return options_.seconds;
    return options_.all ? std::numeric_limits<double>::infinity() : options_.quick ? 70 : 540;
  }
  double tuning_share() const { return tuning_wanted() ? 0.25 : 0; }
  double seconds_left() const { return start_ + budget() - now(); }

  bool over() {
    if (options_.stop()) found_.interrupted = true;
    return found_.interrupted || seconds_left() <= 0;
  }

  /// On a busy machine the fewest rounds of a group can take minutes: then it has to do with fewer, of which none are called.
  bool cut_off() const { return options_.stop() || seconds_left() < -kOverrun; }

  void leave_out_too_large() {
    const std::size_t most = usable_memory();
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

  bool tuning_wanted() const { return candidates_.threads() > 1 && !options_.automatic; }

  /// Seconds that the next piece of work, of this weight, may take: a small selection does not have to use up its time.
  double share(double weight_of_it) {
    constexpr double kMost = 2;
    return std::min(kMost, std::max(0.0, seconds_left()) / std::max(work_, weight_of_it)) * weight_of_it;
  }

  void report(const std::string& what) {
    options_.progress({.done = done_, .total = done_at_end_, .seconds_left = expected_left(), .now = what});
  }

  double expected_left() const {
    if (done_ == 0) return std::min(seconds_left(), kSecondsPerWeight * work_);
    return std::max(0.0, std::min(seconds_left(), (now() - start_) / (all_work_ - work_) * work_));
  }

  void group(const Selection& what) {
    report(std::string(what.kernel->name) + " " + std::string(type_code(what.type)) + " " + std::to_string(what.n) +
           (what.threads == 0 ? "" : " on " + std::to_string(what.threads) + " threads"));
    const double until = now() + share(weight(what));
    if (workspace_ == nullptr || workspace_->operands().type() != what.type || workspace_->operands().size() != what.n) {
      workspace_.reset();  // before the new one is allocated
      workspace_ = std::make_unique<Workspace>(candidates_.placing_engine(), what.type, what.n);
    }
    workspace_->prepare(*what.kernel);

    Group group{what.kernel, what.type, what.n, {}, what.threads};
    std::vector<Subject> subjects;
    std::vector<std::size_t> timed;  // the cases of the subjects
    std::vector<const Worker*> workers;
    Candidates& candidates = with_threads(what.threads);
    for (const Candidate& candidate : candidates.of(*what.kernel, what.type)) {
      if (cut_off()) return;
      Case& one = group.cases.emplace_back(Case{candidate.backend, candidate.kind, {}, fault_of(candidate)});
      if (one.fault) continue;
      timed.push_back(group.cases.size() - 1);
      workers.push_back(candidate.worker);
      const auto& run = candidate.variants[fastest(candidate)];
      one.bits = bits_of(candidate, run);
      subjects.push_back({candidate.runtime, repeated(run), contest_of(candidate.kind)});
    }
    const double by_workers = candidates.worker_seconds();
    const std::vector<Timings> timings = measure(
        subjects, {.seconds = until - now(), .most_rounds = kMostRounds, .seed = ++seed_, .stop = [this] { return cut_off(); }},
        group.conditions);
    group.conditions.others -= std::max(0.0, candidates.worker_seconds() - by_workers);
    found_.conditions += group.conditions;
    for (std::size_t t = 0; t < timed.size(); ++t) {
      // A process that ended meanwhile was not timed, and a note says so.
      if (workers[t] == nullptr || !workers[t]->fault()) group.cases[timed[t]].timings = timings[t];
    }
    // Cut off before the first round: it says nothing.
    if (cut_off() && (timings.empty() || timings[0].real.empty())) return;
    found_.groups.push_back(std::move(group));
    finished(weight(what));
  }

  std::function<void(std::size_t)> repeated(const std::function<void(table::Operands&, std::size_t)>& run) {
    return [run, &operands = workspace_->operands()](std::size_t calls) { run(operands, calls); };
  }

  /// The operands as they are at first, also where the candidate has its own.
  void reset(const Candidate& candidate) {
    workspace_->reset();
    if (candidate.worker != nullptr) candidate.worker->load(workspace_->operands());
  }

  /// One call, whose answer is then in the workspace.
  void call(const Candidate& candidate, const std::function<void(table::Operands&, std::size_t)>& run) {
    run(workspace_->operands(), 1);
    if (candidate.worker != nullptr) candidate.worker->store(workspace_->operands());
  }

  std::optional<std::string> fault_of(const Candidate& candidate) {
    for (const auto& run : candidate.variants) {
      reset(candidate);
      call(candidate, run);
      if (candidate.worker != nullptr)
        if (auto fault = candidate.worker->fault()) return fault;
      if (auto fault = workspace_->fault(candidate.kind == Kind::backend)) return fault;
    }
    return std::nullopt;
  }

  Bits bits_of(const Candidate& candidate, const std::function<void(table::Operands&, std::size_t)>& run) {
    // A sum in any order mostly comes out the same: a few runs find out one that is put together as threads finish.
    constexpr int kRuns = 8;
    const auto same = [&] {
      call(candidate, run);
      return workspace_->same_bits();
    };
    reset(candidate);
    if (same()) return Bits::same;
    if (workspace_->kernel().writes_out()) return Bits::differs;
    const auto first = workspace_->operands().result();
    for (int again = 1; again < kRuns; ++again)
      if (same() || workspace_->operands().result() != first) return Bits::varies;
    return Bits::differs;
  }

  std::size_t fastest(const Candidate& candidate) {
    if (candidate.variants.size() == 1) return 0;
    std::vector<Subject> variants;
    for (const auto& run : candidate.variants) variants.push_back({candidate.runtime, repeated(run)});
    const std::vector<Timings> timings = measure(
        variants, {.seconds = 0, .least_rounds = 3, .sample_seconds = 2e-4, .seed = ++seed_, .stop = [this] { return cut_off(); }});
    const auto time = [](const Timings& timing) {
      return timing.real.empty() ? std::numeric_limits<double>::infinity() : least(timing.real);
    };
    return static_cast<std::size_t>(std::ranges::min_element(timings, {}, time) - timings.begin());
  }

  /// Tunes kernels until this share of them is done.
  void tune(double share_done) {
    while (static_cast<double>(tasks_done_) < share_done * static_cast<double>(tasks_.size()) && !over()) {
      const TuningTask& task = tasks_[tasks_done_++];
      report("how threads pay: " + std::string(task.kernel->name) + " " + std::string(type_code(task.type)));
      measure_tuning(
          task, candidates_,
          {.seconds = share(1), .most_rounds = 15, .sample_seconds = 3e-4, .seed = ++seed_, .stop = [this] { return cut_off(); }},
          found_.tuned);
      finished(1);
    }
  }

  /// The candidates with another number of threads; 0: the run's own.
  Candidates& with_threads(int threads) {
    if (threads == 0) return candidates_;
    return scaling_.try_emplace(threads, options_.backends, threads).first->second;
  }

  void note_workers(const Candidates& candidates) {
    for (const std::string& note : candidates.notes())
      if (std::ranges::find(found_.notes, note) == found_.notes.end()) found_.notes.push_back(note);
  }

  void warn() {
    const Conditions& all = found_.conditions;
    found_.neighbour = options_.neighbour;
    if (all.dropped > 0)
      found_.notes.push_back(std::to_string(all.dropped) + " of " + std::to_string(all.rounds) +
                             " rounds were left out: the hypervisor took CPU time away");
    if (all.stolen > 0)
      found_.warnings.push_back("in " + std::to_string(all.stolen) + " of " + std::to_string(all.rounds) +
                                " rounds the hypervisor took CPU time away; they count, because there were hardly others");
    if (all.seconds <= 0) return;
    const double others = all.others / all.seconds;
    const double threads = found_.threads;
    if (others - std::max(0.0, usable_cpus() - threads) <= kBusyNeighbours * threads) return;
    found_.busy = true;
    const auto tenths = std::lround(10 * others);
    found_.warnings.push_back("other processes kept " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
                              " CPUs busy meanwhile; the verdict holds beside them only: measure again without");
  }

  static double usable_cpus() { return cpu_allowance().affinity; }

  void finished(double weight_of_it) {
    work_ -= weight_of_it;
    ++done_;
  }

  /// As people look for them: in the order of the table, then by type, then by size.
  void sort() {
    std::ranges::sort(found_.groups, [](const Group& a, const Group& b) {
      return std::tuple(a.kernel, a.type, a.n, a.threads) <
             std::tuple(b.kernel, b.type, b.n, b.threads);  // they are an array: rows in order
    });
  }

  const SuiteOptions& options_;
  const Clock clock_ = Clock::system();
  const double start_ = clock_.real();
  Candidates candidates_;
  std::vector<Selection> plan_;
  std::vector<TuningTask> tasks_;
  std::size_t tasks_done_ = 0;
  std::map<int, Candidates> scaling_;  // by their number of threads
  std::unique_ptr<Workspace> workspace_;
  std::map<std::size_t, double> took_;  // seconds of the latest group of a size
  Measurements found_;
  double work_ = 0;       // what is left
  double all_work_ = 0;   // what there was
  std::size_t done_ = 0;  // groups and kernels tuned
  std::size_t done_at_end_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace

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
  for (const Type type : kTypes) {
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

std::string Group::name(const Case& of) const {
  return case_name(*kernel, of.backend, type, n) + (threads == 0 ? "" : "/threads:" + std::to_string(threads));
}

std::string Group::key() const {
  return std::string(kernel->name) + "/" + std::string(type_code(type)) + "/" + std::to_string(n);
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
  std::optional<Neighbour> neighbour;
  if (options.neighbour) neighbour.emplace();  // before there are threads
  return Run(options).run();
}

}  // namespace furrow::bench
