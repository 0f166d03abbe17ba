#include "benchmarks/measure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>

namespace furrow::bench {
namespace {

/// Timings as a busy machine gives them: every sample a few percent off, some hit by a spike, and whole rounds slower than others.
class NoisyMachine {
 public:
  explicit NoisyMachine(std::uint64_t seed) : random_(seed) {}

  /// Paired rounds of two subjects, of which the first takes `ratio` times as long.
  struct Rounds {
    std::vector<double> first, second;
  };
  Rounds measure(double ratio, int rounds) {
    Rounds measured;
    for (int round = 0; round < rounds; ++round) {
      const double drift = round < rounds / 3 ? 1 : 1.4;  // the clock frequency changes, a neighbour wakes up
      measured.first.push_back(ratio * drift * sample());
      measured.second.push_back(drift * sample());
    }
    return measured;
  }

 private:
  double sample() { return 1e-3 * std::exp(noise_(random_)) * (unit_(random_) < 0.05 ? 1 + 3 * unit_(random_) : 1); }

  std::mt19937_64 random_;
  std::normal_distribution<double> noise_{0, 0.02};
  std::uniform_real_distribution<double> unit_{0, 1};
};

constexpr int kSeeds = 1000;

template <class Predicate>
int count_seeds(double ratio, int rounds, const Predicate& predicate) {
  int count = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto measured = NoisyMachine(static_cast<std::uint64_t>(seed)).measure(ratio, rounds);
    count += predicate(compare(measured.first, measured.second)) ? 1 : 0;
  }
  return count;
}

TEST(Compare, EqualSubjectsAreRarelyCalledDifferent) {
  const auto differs = [](const Ratio& ratio) { return ratio.differs(); };
  EXPECT_LE(count_seeds(1, 6, differs), 25);
  EXPECT_LE(count_seeds(1, 15, differs), 5);
  EXPECT_LE(count_seeds(1, 25, differs), 1);
}

TEST(Compare, FindsATrueDifferenceOfFivePercent) {
  EXPECT_GE(count_seeds(1.05, 25, [](const Ratio& ratio) { return ratio.slower(); }), 970);
  EXPECT_GE(count_seeds(1 / 1.05, 25, [](const Ratio& ratio) { return ratio.faster(); }), 970);
  EXPECT_EQ(count_seeds(1.05, 25, [](const Ratio& ratio) { return ratio.faster(); }), 0);
}

TEST(Compare, FindsATrueDifferenceOfTwentyPercentInNineRounds) {
  const auto slower = [](const Ratio& ratio) { return ratio.slower(); };
  EXPECT_GE(count_seeds(1.2, 9, slower), 920);
  EXPECT_GE(count_seeds(1.2, 6, slower), 700);  // here a single disturbed round is enough to hide it
}

TEST(Compare, TheIntervalHoldsTheTruthInNineteenOfTwentyCases) {
  for (const int rounds : {6, 9, 15, 25}) {
    const int held = count_seeds(1.05, rounds, [](const Ratio& ratio) { return ratio.low <= 1.05 && 1.05 <= ratio.high; });
    EXPECT_GE(held, 940) << rounds << " rounds";
  }
}

TEST(Compare, ADifferenceBelowThreePercentIsNone) {
  const std::vector<double> first(25, 1.02);
  const std::vector<double> second(25, 1.0);
  EXPECT_FALSE(compare(first, second).differs());
  EXPECT_GT(compare(first, second).low, 1);
}

TEST(Compare, PairsCancelWhatTheyShare) {
  std::vector<double> first, second;
  for (int round = 0; round < 10; ++round) {
    first.push_back(1.1 * std::pow(2, round));
    second.push_back(std::pow(2, round));
  }
  const Ratio ratio = compare(first, second);
  EXPECT_NEAR(ratio.ratio, 1.1, 1e-9);
  EXPECT_NEAR(ratio.low, 1.1, 1e-9);
  EXPECT_TRUE(ratio.slower());
}

TEST(Compare, WithoutRoundsNothingIsKnown) {
  EXPECT_FALSE(compare({}, {}).differs());
  const std::vector<double> one{1.0};
  EXPECT_FALSE(compare(one, {}).differs());
}

TEST(Compare, TheIntervalIsThatOfTheSignTest) {
  // Ratios e^1 … e^20 against 1: for 20 values the 95 % interval of the median goes from the 6th to the 15th.
  std::vector<double> first, second(20, 1.0);
  for (int i = 1; i <= 20; ++i) first.push_back(std::exp(i));
  const Ratio ratio = compare(first, second);
  EXPECT_NEAR(std::log(ratio.low), 6, 1e-9);
  EXPECT_NEAR(std::log(ratio.high), 15, 1e-9);
  EXPECT_NEAR(std::log(ratio.ratio), 10.5, 1e-9);
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(least(std::vector<double>{4, 1, 2, 3}), 1);
}

/// A machine whose time passes only when something runs.
class FakeMachine {
 public:
  void add(const std::string& name, const std::string& runtime, double seconds_per_call) {
    subjects_.push_back({runtime, [this, name, seconds_per_call](std::size_t calls) {
                           now_ += seconds_per_call * static_cast<double>(calls);
                           log_.push_back({name, calls});
                         }});
  }
  std::vector<Timings> measure(const Plan& plan) {
    const Clock clock{[this] { return now_; }, [this] { return 2 * now_; },
                      [this](double seconds) {
                        now_ += seconds;
                        log_.push_back({"pause", 0});
                      }};
    return bench::measure(subjects_, plan, clock);
  }
  struct Entry {
    std::string name;
    std::size_t calls;
  };
  const std::vector<Entry>& log() const { return log_; }
  double now() const { return now_; }

 private:
  double now_ = 0;
  std::vector<Subject> subjects_;
  std::vector<Entry> log_;
};

TEST(Measure, SamplesAreLongEnoughForTheClock) {
  FakeMachine machine;
  machine.add("tiny", "a", 20e-9);
  machine.add("small", "a", 3e-6);
  machine.add("large", "a", 0.1);
  const auto timings = machine.measure({.seconds = 0});
  for (const Timings& timing : timings) EXPECT_GE(static_cast<double>(timing.calls) * median(timing.real), 0.9e-3);
  EXPECT_EQ(timings[2].calls, 1U);
  EXPECT_NEAR(median(timings[0].real), 20e-9, 1e-15);
  EXPECT_NEAR(median(timings[0].cpu), 40e-9, 1e-15);
}

TEST(Measure, EveryRoundHasEverySubjectOnceInRandomOrder) {
  FakeMachine machine;
  for (const char* const name : {"a", "b", "c", "d"}) machine.add(name, "same", 0.01);
  const auto timings = machine.measure({.seconds = 0, .least_rounds = 50});
  for (const Timings& timing : timings) EXPECT_EQ(timing.real.size(), 50U);
  const auto& log = machine.log();
  std::map<std::string, int> first;
  for (std::size_t round = 0; round < 50; ++round) {
    std::map<std::string, int> seen;
    for (std::size_t i = 0; i < 4; ++i) ++seen[log[log.size() - 200 + 4 * round + i].name];
    EXPECT_EQ(seen.size(), 4U);
    ++first[log[log.size() - 200 + 4 * round].name];
  }
  EXPECT_EQ(first.size(), 4U);  // each was first in some round
}

TEST(Measure, RuntimesAreKeptApartByAPauseAndAWarmUpCall) {
  FakeMachine machine;
  machine.add("openmp", "openmp", 0.01);
  machine.add("raw_openmp", "openmp", 0.01);
  machine.add("tbb", "tbb", 0.01);
  machine.add("raw_tbb", "tbb", 0.01);
  (void)machine.measure({.seconds = 0, .least_rounds = 20});
  const auto runtime = [](const std::string& name) { return name.substr(name.find('_') + 1); };
  std::string before;
  bool paused = true;
  int pauses = 0;
  const auto& log = machine.log();
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].name == "pause") {
      paused = true;
      ++pauses;
      ASSERT_LT(i + 2, log.size());
      EXPECT_EQ(log[i + 1].name, log[i + 2].name);  // the first call after a pause is not the one that is timed
      continue;
    }
    const bool changed = !before.empty() && runtime(before) != runtime(log[i].name);
    EXPECT_TRUE(paused || !changed);
    before = log[i].name;
    paused = false;
  }
  EXPECT_GE(pauses, 20);
  EXPECT_LE(pauses, 42);  // at most two a round
}

TEST(Measure, UsesItsTimeAndNoMore) {
  FakeMachine machine;
  machine.add("a", "same", 0.01);
  machine.add("b", "same", 0.01);
  const auto timings = machine.measure({.seconds = 1, .most_rounds = 1000});
  EXPECT_LE(machine.now(), 1.0);
  EXPECT_GE(timings[0].real.size(), 40U);
}

TEST(Measure, TheFewestRoundsAreMadeInAnyCaseAndTheMostNotExceeded) {
  FakeMachine machine;
  machine.add("a", "same", 1);
  EXPECT_EQ(machine.measure({.seconds = 0})[0].real.size(), 6U);
  EXPECT_EQ(machine.measure({.seconds = 1e6, .most_rounds = 9})[0].real.size(), 9U);
}

TEST(Measure, StopsAfterTheCurrentSampleAndDropsTheRoundCutShort) {
  FakeMachine machine;
  for (const char* const name : {"a", "b", "c"}) machine.add(name, "same", 0.1);
  int asked = 0;
  const auto timings = machine.measure({.seconds = 1e6, .stop = [&] { return ++asked > 3 + 3 * 4 + 1; }});  // in the fifth round
  for (const Timings& timing : timings) EXPECT_EQ(timing.real.size(), 4U);
}

TEST(Measure, SamplesThatBecomeFarTooLongAreShortened) {
  double now = 0;
  double each = 1e-6;
  const std::vector<Subject> subjects{{"same", [&](std::size_t calls) { now += each * static_cast<double>(calls); }}};
  const Clock clock{[&] { return now; }, [&] { return now; }, [](double) {}};
  int asked = 0;
  const auto stop = [&] {
    if (++asked == 2) each = 1e-2;  // after the first sample
    return false;
  };
  const auto timings = measure(subjects, {.seconds = 0, .least_rounds = 20, .stop = stop}, clock);
  EXPECT_EQ(timings[0].calls, 1U);
  EXPECT_LT(now, 30);
  EXPECT_NEAR(timings[0].real.front(), 1e-6, 1e-12);
  EXPECT_NEAR(timings[0].real.back(), 1e-2, 1e-12);
}

TEST(Measure, OfNothingIsNothing) {
  EXPECT_TRUE(measure({}, {.seconds = 0}).empty());
}

}  // namespace
}  // namespace furrow::bench
