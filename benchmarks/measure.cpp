#include "benchmarks/measure.hpp"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <sstream>
#include <thread>

namespace furrow::bench {
namespace {

/// Shuffles the runtimes, and the subjects within each: every order of them is possible, but a runtime is entered once per round.
std::vector<std::size_t> random_order(std::span<const Subject> subjects, std::mt19937_64& random) {
  std::map<std::string, std::vector<std::size_t>> by_runtime;
  for (std::size_t s = 0; s < subjects.size(); ++s) by_runtime[subjects[s].runtime].push_back(s);
  std::vector<std::vector<std::size_t>> runtimes;
  for (auto& [runtime, members] : by_runtime) {
    std::ranges::shuffle(members, random);
    runtimes.push_back(std::move(members));
  }
  std::ranges::shuffle(runtimes, random);
  std::vector<std::size_t> order;
  for (const auto& members : runtimes) order.insert(order.end(), members.begin(), members.end());
  return order;
}

// Of a round. The system counts stolen time in ticks of 10 ms, so that in short rounds a single one counts.
constexpr double kStolen = 0.02;

// A subject that takes so many times as long as the fastest has lost.
constexpr double kLost = 1.3;

constexpr std::size_t kMostCalls = std::size_t{1} << 20;

/// The rank (from 0) of the order statistic that bounds the 95 % interval of a median of n from below: the largest k with
/// P(at most k of n fair coins) <= 2.5 %; 0 if there is none.
std::size_t lower_rank(std::size_t n) {
  double probability = std::pow(0.5, static_cast<double>(n));  // of exactly k heads
  double tail = probability;
  std::size_t rank = 0;
  for (std::size_t k = 0; tail <= 0.025 && k < n; ++k) {
    rank = k;
    probability *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    tail += probability;
  }
  return rank;
}

struct Interval {
  double low;
  double high;

  void widen(const Interval& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
};

/// Of the median, 95 %.
Interval interval_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t rank = lower_rank(sorted.size());
  return {sorted[rank], sorted[sorted.size() - 1 - rank]};
}

/// The probability that of n fair coins those that show heads are as far from half, or farther.
double sign_test(std::size_t n, std::size_t heads) {
  double probability = std::pow(0.5, static_cast<double>(n));  // of exactly k heads
  double tail = 0;
  for (std::size_t k = 0; k <= std::min(heads, n - heads); ++k) {
    tail += probability;
    probability *= static_cast<double>(n - k) / static_cast<double>(k + 1);
  }
  return std::min(1.0, 2 * tail);
}

/// What /proc/stat says of the CPUs that this process may use.
std::optional<CpuTimes> cpu_times() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::nullopt;
  const auto ticks_a_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream file("/proc/stat");
  CpuTimes times;
  bool found = false;
  for (std::string line; std::getline(file, line) && line.starts_with("cpu");) {
    std::istringstream words(line.substr(3));
    std::size_t cpu = 0;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
    if (line[3] == ' ') continue;  // the sum over all CPUs
    if (!(words >> cpu >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen)) continue;
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &allowed)) continue;
    times.busy += (user + nice + system + interrupts + soft_interrupts) / ticks_a_second;
    times.stolen += stolen / ticks_a_second;
    found = true;
  }
  return found ? std::optional(times) : std::nullopt;
}

}  // namespace

Clock Clock::system() {
  return {.real = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); },
          .cpu =
              [] {
                timespec now{};
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
                return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
              },
          .sleep = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); },
          .machine = cpu_times};
}

Conditions& Conditions::operator+=(const Conditions& more) {
  rounds += more.rounds;
  dropped += more.dropped;
  stolen += more.stolen;
  seconds += more.seconds;
  others += more.others;
  return *this;
}

Measurement::Measurement(std::vector<Subject> subjects, const Plan& plan, Clock clock)
    : subjects_(std::move(subjects)),
      plan_(plan),
      clock_(std::move(clock)),
      random_(plan.seed),
      timings_(subjects_.size()),
      active_(subjects_.size(), true) {}

void Measurement::visit(double seconds) {
  const double start = clock_.real();
  const double own = clock_.cpu();
  const std::optional<CpuTimes> before = clock_.machine();
  runtime_ = nullptr;
  const bool first = visits_++ == 0;
  for (Timings& timings : timings_) timings.visits.push_back(0);
  if (!first || calibrate()) add_rounds(start + seconds);
  if (const std::optional<CpuTimes> after = clock_.machine(); before && after) {
    watched_.seconds += clock_.real() - start;
    watched_.others += after->busy - before->busy - (clock_.cpu() - own);
  }
}

std::vector<Timings> Measurement::timings() const {
  if (!drops_stolen()) return timings_;
  std::vector<Timings> kept;
  for (const Timings& all : timings_) kept.push_back(without_stolen(all));
  return kept;
}

Conditions Measurement::conditions() const {
  Conditions conditions = watched_;
  conditions.rounds = stolen_.size();
  (drops_stolen() ? conditions.dropped : conditions.stolen) = static_cast<std::size_t>(std::ranges::count(stolen_, true));
  return conditions;
}

/// Makes a subject the one that runs now.
void Measurement::enter(std::size_t s) {
  if (runtime_ != nullptr && *runtime_ == subjects_[s].runtime) return;
  if (runtime_ != nullptr) clock_.sleep(plan_.pause);
  runtime_ = &subjects_[s].runtime;
  subjects_[s].run(1);
}

/// False if it was cut short.
bool Measurement::calibrate() {
  for (const std::size_t s : random_order(subjects_, random_)) {
    if (plan_.stop()) return false;
    enter(s);
    calibrate(s);
  }
  return true;
}

void Measurement::calibrate(std::size_t s) {
  std::size_t& calls = timings_[s].calls;
  for (;;) {
    double took = time(s, calls);
    // A short call that seems long may have been interrupted.
    for (int again = 0; again < 2 && took > plan_.sample_seconds / 2 && took < 20 * plan_.sample_seconds; ++again)
      took = std::min(took, time(s, calls));
    if (took >= plan_.sample_seconds / 2 || calls >= kMostCalls) {
      const double wanted = static_cast<double>(calls) * plan_.sample_seconds / std::max(took, 1e-9);
      calls = static_cast<std::size_t>(std::clamp(std::ceil(wanted), 1.0, double{kMostCalls}));
      return;
    }
    calls *= took < plan_.sample_seconds / 16 ? 8 : 2;
  }
}

double Measurement::time(std::size_t s, std::size_t calls) {
  const double before = clock_.real();
  subjects_[s].run(calls);
  return clock_.real() - before;
}

/// Rounds without stolen time count; as many again may be made in place of the others.
void Measurement::add_rounds(double until) {
  const double began = clock_.real();
  const std::size_t earlier = stolen_.size();
  const std::size_t least = plan_.least_rounds * visits_ / plan_.visits;
  const std::size_t most = plan_.most_rounds * visits_ / plan_.visits;
  auto clean = static_cast<std::size_t>(std::ranges::count(stolen_, false));
  while (clean < most && stolen_.size() < 2 * most) {
    const double now = clock_.real();
    const auto made = static_cast<double>(stolen_.size() - earlier);
    // The round about to begin will take about as long as those so far.
    const double each = made == 0 ? 0 : (now - began) / made;
    const bool enough = clean >= least || stolen_.size() >= 2 * least;
    if (enough && now + each > until) return;
    if (!add_round()) return;
    clean += stolen_.back() ? 0 : 1;
    if (clean >= plan_.least_rounds) dismiss_losers();
  }
}

/// False if it was cut short.
bool Measurement::add_round() {
  struct Sample {
    double real = 0;
    double cpu = 0;
  };
  std::vector<Sample> samples(subjects_.size());
  const double began = clock_.real();
  const std::optional<CpuTimes> before = clock_.machine();
  for (const std::size_t s : random_order(subjects_, random_)) {
    if (!active_[s]) continue;
    const std::size_t calls = timings_[s].calls;
    enter(s);
    if (calls > 1) subjects_[s].run(1);
    const double cpu = clock_.cpu();
    const double real = clock_.real();
    subjects_[s].run(calls);
    const double real_end = clock_.real();
    const double cpu_end = clock_.cpu();
    shorten(s, real_end - real);
    samples[s] = {(real_end - real) / static_cast<double>(calls), (cpu_end - cpu) / static_cast<double>(calls)};
    if (plan_.stop()) return false;
  }
  const std::optional<CpuTimes> after = clock_.machine();
  stolen_.push_back(before && after && after->stolen - before->stolen > kStolen * (clock_.real() - began));
  for (std::size_t s = 0; s < samples.size(); ++s) {
    if (!active_[s]) continue;
    timings_[s].real.push_back(samples[s].real);
    timings_[s].cpu.push_back(samples[s].cpu);
    ++timings_[s].visits.back();
  }
  return true;
}

/// A busy machine can make calls a thousand times as long as when they were counted out (spinning threads that wait for one that
/// does not run); their samples must not take minutes.
void Measurement::shorten(std::size_t s, double took) {
  const double longest = 10 * plan_.sample_seconds;
  if (took <= longest) return;
  std::size_t& calls = timings_[s].calls;
  const auto fitting = static_cast<std::size_t>(static_cast<double>(calls) * longest / took);
  calls = std::max({fitting, calls / 8, std::size_t{1}});
}

/// A subject's rounds without those in which time was stolen; its last round is not necessarily the last one of all.
std::vector<double> Measurement::clean(const std::vector<double>& rounds) const {
  std::vector<double> kept;
  for (std::size_t r = 0; r < rounds.size(); ++r)
    if (!stolen_[r]) kept.push_back(rounds[r]);
  return kept;
}

void Measurement::dismiss_losers() {
  std::map<std::string, std::vector<std::size_t>> contests;
  for (std::size_t s = 0; s < subjects_.size(); ++s)
    if (active_[s] && !subjects_[s].contest.empty()) contests[subjects_[s].contest].push_back(s);
  for (const auto& [name, members] : contests) {
    if (members.size() < 2) continue;
    std::map<std::size_t, std::vector<double>> rounds;
    for (const std::size_t s : members) rounds[s] = clean(timings_[s].real);
    const std::size_t best = *std::ranges::min_element(members, {}, [&](std::size_t s) { return median(rounds[s]); });
    std::vector<double> bound = rounds[best];
    for (double& seconds : bound) seconds *= kLost;
    for (const std::size_t s : members)
      if (compare(rounds[s], bound).slower()) active_[s] = false;
  }
}

/// Whether there are rounds enough without those in which time was stolen.
bool Measurement::drops_stolen() const {
  const auto stolen = static_cast<std::size_t>(std::ranges::count(stolen_, true));
  const std::size_t left = stolen_.size() - stolen;
  return left >= plan_.least_rounds && left >= stolen;
}

Timings Measurement::without_stolen(const Timings& all) const {
  Timings kept{.calls = all.calls, .real = clean(all.real), .cpu = clean(all.cpu), .visits = {}};
  std::size_t round = 0;
  for (const std::size_t rounds : all.visits) {
    kept.visits.push_back(0);
    for (const std::size_t end = round + rounds; round < end; ++round) kept.visits.back() += stolen_[round] ? 0 : 1;
  }
  return kept;
}

std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, const Clock& clock) {
  Conditions unasked;
  return measure(subjects, plan, unasked, clock);
}

std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, Conditions& conditions, const Clock& clock) {
  Measurement measurement({subjects.begin(), subjects.end()}, plan, clock);
  measurement.visit(plan.seconds);
  conditions += measurement.conditions();
  return measurement.timings();
}

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double least(std::span<const double> values) {
  return *std::ranges::min_element(values);
}

bool Ratio::differs() const {
  constexpr double kNoticeable = 1.03;
  constexpr double kDoubtful = 1.0 / 2000;
  return doubt <= kDoubtful && ((low > 1 && ratio >= kNoticeable) || (high < 1 && ratio <= 1 / kNoticeable));
}

Ratio compare(std::span<const double> first, std::span<const double> second, std::span<const std::size_t> visits) {
  const std::size_t rounds = std::min(first.size(), second.size());
  if (rounds == 0) return {1, 0, std::numeric_limits<double>::infinity(), 1};
  std::vector<double> logs(rounds);
  for (std::size_t r = 0; r < rounds; ++r) logs[r] = std::log(first[r] / second[r]);
  Interval interval = interval_of(logs);
  auto left = std::span(logs);
  for (const std::size_t in_visit : visits) {
    const std::size_t here = std::min(in_visit, left.size());
    if (here > 0) interval.widen(interval_of(left.first(here)));
    left = left.subspan(here);
  }
  const auto below = static_cast<std::size_t>(std::ranges::count_if(logs, [](double log) { return log < 0; }));
  const auto equal = static_cast<std::size_t>(std::ranges::count(logs, 0.0));
  return {std::exp(median(logs)), std::exp(interval.low), std::exp(interval.high), sign_test(rounds - equal, below)};
}

Ratio compare(const Timings& first, const Timings& second) {
  return compare(first.real, second.real, first.visits);
}

}  // namespace furrow::bench
