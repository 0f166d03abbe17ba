#include "benchmarks/suite.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>

#include "benchmarks/kernel_tuning.hpp"
#include "benchmarks/memory.hpp"
#include "benchmarks/neighbour.hpp"
#include "benchmarks/sample.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/threads.hpp"

namespace furrow::bench {
namespace {

// They find 5 % in nearly all cases, with 2 % noise and more.
constexpr std::size_t kMostRounds = 48;

// Each group is measured twice, the second time after all others of its stretch: a minute or so later in a long run. Of a short
// one there are two stretches, so that time that runs out leaves groups out rather than every second visit.
constexpr std::size_t kVisits = 2;
constexpr std::size_t kLongestStretch = 96;

// Others' use of the CPUs, over what this run's threads leave free, beyond which the verdict may be of them: so many for each
// thread.
constexpr double kBusyNeighbours = 0.1;

// Seconds beyond the budget after which what is under way is cut off.
constexpr double kOverrun = 10;

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
    done_at_end_ = kVisits * plan_.size() + tasks_.size();
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
    const std::size_t length = std::min(kLongestStretch, plan_.size() / 2 + 1);
    for (std::size_t begin = 0; !over() && begin < plan_.size(); begin += length)
      stretch(std::span(plan_).subspan(begin, std::min(length, plan_.size() - begin)));
    workspace_.reset();
    // Cut off before the first round: it says nothing.
    std::erase_if(found_.groups, [](const Group& group) { return group.conditions.rounds == 0; });
    for (const Group& group : found_.groups) found_.conditions += group.conditions;
    note_workers(candidates_);
    for (const auto& [threads, candidates] : scaling_) note_workers(candidates);
    if (!found_.interrupted && found_.groups.size() < found_.planned)
      found_.notes.push_back(std::to_string(found_.planned - found_.groups.size()) + " of " + std::to_string(found_.planned) +
                             " groups of cases were left out: the time was used up (--seconds gives more)");
    if (const auto once = std::ranges::count_if(found_.groups, &Group::visited_once); once > 0 && !found_.interrupted)
      found_.notes.push_back(std::to_string(once) + " groups of cases were measured once only: the time was used up");
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
  double tuning_share() const { return tuning_wanted() ? 0.15 : 0; }
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

  /// A group between its visits.
  struct Visited {
    std::size_t group;                  // of those found
    std::vector<Candidate> candidates;  // that are timed
    std::vector<std::size_t> cases;     // of theirs
    std::unique_ptr<Measurement> rounds;
    double worker_seconds = 0;
  };

  /// Goes through some groups as often as each is visited.
  void stretch(std::span<const Selection> groups) {
    std::vector<std::optional<Visited>> visited(groups.size());
    for (std::size_t visit = 0; visit < kVisits; ++visit) {
      workspace_.reset();  // so that arrays come to lie elsewhere
      for (std::size_t at = 0; !over() && at < groups.size(); ++at) {
        if (visit > 0 && !visited[at]) continue;
        // What took too long for what is left of the time would again; smaller sizes may still fit.
        if (double& took = took_[groups[at].n]; took < seconds_left()) {
          const double before = now();
          this->visit(groups[at], visited[at]);
          took = now() - before;
        }
        ++visits_done_;
        // Tuning keeps pace, so that whenever time runs out some of every family is done.
        tune(static_cast<double>(visits_done_) / static_cast<double>(kVisits * plan_.size()));
      }
    }
  }

  void visit(const Selection& what, std::optional<Visited>& visited) {
    report(std::string(what.kernel->name) + " " + std::string(type_code(what.type)) + " " + std::to_string(what.n) +
           (what.threads == 0 ? "" : " on " + std::to_string(what.threads) + " threads"));
    const double weight_of_it = weight(what) / kVisits;
    const double until = now() + share(weight_of_it);
    if (workspace_ == nullptr || workspace_->operands().type() != what.type || workspace_->operands().size() != what.n) {
      workspace_.reset();  // before the new one is allocated
      workspace_ = std::make_unique<Workspace>(candidates_.placing_engine(), what.type, what.n);
    }
    if (!visited) {
      visited = first_visit(what);
      if (!visited) return;
    } else {
      workspace_->place_inputs(*what.kernel);
      for (const Candidate& candidate : visited->candidates)
        if (candidate.worker != nullptr) reset(candidate);
    }
    const Candidates& candidates = with_threads(what.threads);
    const double by_workers = candidates.worker_seconds();
    visited->rounds->visit(until - now());
    visited->worker_seconds += std::max(0.0, candidates.worker_seconds() - by_workers);
    note_rounds(*visited);
    finished(weight_of_it);
  }

  /// Checks the answers of all candidates, and prepares to time those that are right. Nothing if it was cut off.
  std::optional<Visited> first_visit(const Selection& what) {
    workspace_->prepare(*what.kernel);
    Group group{what.kernel, what.type, what.n, {}, what.threads};
    Visited visited{found_.groups.size(), {}, {}, nullptr};
    std::vector<Subject> subjects;
    for (Candidate& candidate : with_threads(what.threads).of(*what.kernel, what.type)) {
      if (cut_off()) return std::nullopt;
      Case& one = group.cases.emplace_back(Case{candidate.backend, candidate.kind, {}, fault_of(candidate)});
      if (one.fault) continue;
      const auto run = candidate.variants[fastest(candidate)];
      one.bits = bits_of(candidate, run);
      subjects.push_back({candidate.runtime, repeated(run), contest_of(candidate.kind)});
      visited.cases.push_back(group.cases.size() - 1);
      visited.candidates.push_back(std::move(candidate));
    }
    visited.rounds = std::make_unique<Measurement>(
        std::move(subjects),
        Plan{.visits = kVisits, .most_rounds = kMostRounds, .seed = ++seed_, .stop = [this] { return cut_off(); }});
    found_.groups.push_back(std::move(group));
    return visited;
  }

  /// Puts what was measured so far where it is found, also if there will be no further visit.
  void note_rounds(const Visited& visited) {
    Group& group = found_.groups[visited.group];
    group.conditions = visited.rounds->conditions();
    group.conditions.others -= visited.worker_seconds;
    const std::vector<Timings> timings = visited.rounds->timings();
    for (std::size_t t = 0; t < timings.size(); ++t) {
      const Worker* const worker = visited.candidates[t].worker;
      // A process that ended meanwhile was not timed, and a note says so.
      group.cases[visited.cases[t]].timings = worker == nullptr || !worker->fault() ? timings[t] : Timings();
    }
  }

  std::function<void(std::size_t)> repeated(std::function<void(table::Operands&, std::size_t)> run) {
    return [run = std::move(run), this](std::size_t calls) { run(workspace_->operands(), calls); };
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
  std::size_t visits_done_ = 0;
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

bool Group::visited_once() const {
  return std::ranges::all_of(cases, [](const Case& one) { return one.timings.visits.size() <= 1; }) &&
         std::ranges::any_of(cases, &Case::timed);
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
