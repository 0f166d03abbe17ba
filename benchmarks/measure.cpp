#include "benchmarks/measure.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <random>
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

/// The state of one call of measure().
class Session {
 public:
  Session(std::span<const Subject> subjects, const Plan& plan, const Clock& clock)
      : subjects_(subjects), plan_(plan), clock_(clock), random_(plan.seed) {}

  std::vector<Timings> run() {
    const double start = clock_.real();
    timings_.resize(subjects_.size());
    for (const std::size_t s : random_order(subjects_, random_)) {
      if (plan_.stop()) return timings_;
      enter(s);
      calibrate(s);
    }
    for (std::size_t round = 0; round < plan_.most_rounds; ++round) {
      const double before = clock_.real();
      // The round about to begin will take about as long as those so far.
      const double each = round == 0 ? 0 : (before - rounds_began_) / static_cast<double>(round);
      if (round == 0) rounds_began_ = before;
      if (round >= plan_.least_rounds && before + each - start > plan_.seconds) break;
      if (!add_round()) break;
    }
    return timings_;
  }

 private:
  /// Makes subject s the one that runs now.
  void enter(std::size_t s) {
    if (runtime_ != nullptr && *runtime_ == subjects_[s].runtime) return;
    if (runtime_ != nullptr) clock_.sleep(plan_.pause);
    runtime_ = &subjects_[s].runtime;
    subjects_[s].run(1);
  }

  void calibrate(std::size_t s) {
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

  double time(std::size_t s, std::size_t calls) {
    const double before = clock_.real();
    subjects_[s].run(calls);
    return clock_.real() - before;
  }

  /// False if it was cut short.
  bool add_round() {
    struct Sample {
      double real;
      double cpu;
    };
    std::vector<Sample> samples(subjects_.size());
    for (const std::size_t s : random_order(subjects_, random_)) {
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
    for (std::size_t s = 0; s < samples.size(); ++s) {
      timings_[s].real.push_back(samples[s].real);
      timings_[s].cpu.push_back(samples[s].cpu);
    }
    return true;
  }

  /// A busy machine can make calls a thousand times as long as when they were counted out (spinning threads that wait for one that
  /// does not run); their samples must not take minutes.
  void shorten(std::size_t s, double took) {
    const double longest = 10 * plan_.sample_seconds;
    if (took <= longest) return;
    std::size_t& calls = timings_[s].calls;
    const auto fitting = static_cast<std::size_t>(static_cast<double>(calls) * longest / took);
    calls = std::max({fitting, calls / 8, std::size_t{1}});
  }

  static constexpr std::size_t kMostCalls = std::size_t{1} << 20;

  std::span<const Subject> subjects_;
  const Plan& plan_;
  const Clock& clock_;
  std::mt19937_64 random_;
  std::vector<Timings> timings_;
  const std::string* runtime_ = nullptr;
  double rounds_began_ = 0;
};

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

}  // namespace

Clock Clock::system() {
  return {.real = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); },
          .cpu =
              [] {
                timespec now{};
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
                return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
              },
          .sleep = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }};
}

std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, const Clock& clock) {
  return Session(subjects, plan, clock).run();
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
  return (low > 1 && ratio >= kNoticeable) || (high < 1 && ratio <= 1 / kNoticeable);
}

Ratio compare(std::span<const double> first, std::span<const double> second) {
  const std::size_t rounds = std::min(first.size(), second.size());
  if (rounds == 0) return {1, 0, std::numeric_limits<double>::infinity()};
  std::vector<double> logs(rounds);
  for (std::size_t r = 0; r < rounds; ++r) logs[r] = std::log(first[r] / second[r]);
  std::ranges::sort(logs);
  const std::size_t rank = lower_rank(rounds);
  return {std::exp(median(logs)), std::exp(logs[rank]), std::exp(logs[rounds - 1 - rank])};
}

}  // namespace furrow::bench
