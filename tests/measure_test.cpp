#include "benchmarks/measure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <string>

namespace furrow::bench {
namespace {

/// Paired rounds of two subjects, the first of which takes `ratio` times as long: every sample a few percent off, some hit by a
/// spike, and later rounds slower than the first.
class NoisyRounds {
 public:
  NoisyRounds(double ratio, int rounds, std::uint64_t seed) : random_(seed) {
    for (int round = 0; round < rounds; ++round) {
      const double drift = round < rounds / 3 ? 1 : 1.4;
      first.push_back(ratio * drift * sample());
      second.push_back(drift * sample());
    }
  }
  std::vector<double> first, second;

 private:
  double sample() { return 1e-3 * std::exp(noise_(random_)) * (unit_(random_) < 0.05 ? 1 + 3 * unit_(random_) : 1); }

  std::mt19937_64 random_;
  std::normal_distribution<double> noise_{0, 0.02};
  std::uniform_real_distribution<double> unit_{0, 1};
};

/// Of this many seeds, those for which the comparison is as wanted.
template <class Predicate>
int count_seeds(int seeds, double ratio, int rounds, const Predicate& predicate) {
  int count = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const NoisyRounds measured(ratio, rounds, static_cast<std::uint64_t>(seed));
    count += predicate(compare(measured.first, measured.second)) ? 1 : 0;
  }
  return count;
}

bool differs(const Ratio& ratio) {
  return ratio.differs();
}
bool slower(const Ratio& ratio) {
  return ratio.slower();
}
bool faster(const Ratio& ratio) {
  return ratio.faster();
}

TEST(Compare, EqualSubjectsAreCalledDifferentInOneOfAThousandCasesAtMost) {
  for (const int rounds : {6, 12, 15, 25, 40}) EXPECT_LE(count_seeds(5000, 1, rounds, differs), 5) << rounds << " rounds";
}

TEST(Compare, FindsATrueDifferenceOfFivePercent) {
  EXPECT_GE(count_seeds(1000, 1.05, 40, slower), 980);
  EXPECT_GE(count_seeds(1000, 1 / 1.05, 40, faster), 980);
  EXPECT_EQ(count_seeds(1000, 1.05, 40, faster), 0);
}

TEST(Compare, FindsATrueDifferenceOfTwentyPercentInTwentyFiveRounds) {
  EXPECT_GE(count_seeds(1000, 1.2, 25, slower), 950);
  EXPECT_GE(count_seeds(1000, 1.2, kFewestRounds, slower), 450);  // here a single disturbed round is enough to hide it
}

TEST(Compare, TooFewRoundsTellNothing) {
  const std::vector<double> first(kFewestRounds, 2.0);
  const std::vector<double> second(kFewestRounds, 1.0);
  const auto rounds = [](const std::vector<double>& all, std::size_t count) { return std::span(all).first(count); };
  EXPECT_FALSE(compare(rounds(first, kFewestRounds - 1), rounds(second, kFewestRounds - 1)).differs());
  EXPECT_TRUE(compare(first, second).slower());
}

TEST(Compare, TheIntervalHoldsTheTruthInNineteenOfTwentyCases) {
  const auto holds = [](const Ratio& ratio) { return ratio.low <= 1.05 && 1.05 <= ratio.high; };
  for (const int rounds : {6, 9, 15, 25}) EXPECT_GE(count_seeds(1000, 1.05, rounds, holds), 940) << rounds << " rounds";
}

TEST(Compare, DoubtIsThatOfTheSignTest) {
  const auto doubt = [](const std::vector<double>& logs) {
    std::vector<double> first;
    for (const double value : logs) first.push_back(std::exp2(value));
    return compare(first, std::vector<double>(logs.size(), 1.0)).doubt;
  };
  EXPECT_NEAR(doubt({1, 2, 3, 4}), 2.0 / 16, 1e-12);    // none or all of four coins
  EXPECT_NEAR(doubt({1, -2, 3, 4}), 10.0 / 16, 1e-12);  // or one, or three
  EXPECT_EQ(doubt({1, -2, 3, -4}), 1);
  EXPECT_NEAR(doubt({0, 2, 3, 4}), 2.0 / 8, 1e-12);  // neither slower nor faster: it tells nothing
  EXPECT_EQ(doubt({0, 0, 0, 0}), 1);
}

TEST(Compare, ADifferenceBelowThreePercentIsNone) {
  const std::vector<double> first(25, 1.02);
  const std::vector<double> second(25, 1.0);
  EXPECT_FALSE(compare(first, second).differs());
  EXPECT_GT(compare(first, second).low, 1);
}

TEST(Compare, PairsCancelWhatTheyShare) {
  std::vector<double> first, second;
  for (int round = 0; round < 12; ++round) {
    first.push_back(1.1 * std::pow(2, round));
    second.push_back(std::pow(2, round));
  }
  const Ratio ratio = compare(first, second);
  EXPECT_NEAR(ratio.ratio, 1.1, 1e-9);
  EXPECT_NEAR(ratio.low, 1.1, 1e-9);
  EXPECT_TRUE(ratio.slower());
}

TEST(Compare, WithoutRoundsNothingIsKnown) {
  const std::vector<double> none;
  const std::vector<double> one{1.0};
  EXPECT_FALSE(compare(none, none).differs());
  EXPECT_FALSE(compare(one, none).differs());
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

TEST(Compare, WhatOneOfTwoVisitsShowsIsNoDifference) {
  std::vector<double> first(40, 1.2);
  const std::vector<double> second(40, 1.0);
  std::fill_n(first.begin(), 8, 0.99);
  const std::size_t visits[] = {8, 32};
  EXPECT_TRUE(compare(first, second).slower());
  const Ratio ratio = compare(first, second, visits);
  EXPECT_FALSE(ratio.differs());
  EXPECT_NEAR(ratio.ratio, 1.2, 1e-9);
  EXPECT_NEAR(ratio.low, 0.99, 1e-9);
  EXPECT_NEAR(ratio.high, 1.2, 1e-9);
  EXPECT_TRUE(compare(std::span(first).last(32), second, visits).slower());  // of the second visit 24 are left
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(least(std::vector<double>{4, 1, 2, 3}), 1);
}

// What happens to a machine on which equal subjects are measured; durations in seconds, sizes as factors.
struct Weather {
  const char* name = "";
  double noise = 0.02;            ///< standard deviation of a logarithm, of each sample by itself
  double wander = 0;              ///< the same of noise that resembles its neighbours
  double wander_seconds = 50e-3;  ///< for about so long
  double drift = 1;               ///< after a third of a second calls take so many times as long
  double spikes = 0;              ///< share of the samples that take up to four times as long
  double burst = 0;     ///< average time between stretches of a fiftieth of a second in which everything takes twice as long
  bool stolen = false;  ///< because the hypervisor ran something else, and says so
};

/// A machine on which time passes only when something runs, and not evenly.
class WeatheredMachine {
 public:
  WeatheredMachine(const Weather& weather, std::uint64_t seed) : weather_(weather), random_(seed) {
    if (weather.burst > 0) next_change_ = exponential(weather.burst);
  }

  void add(const std::string& runtime, double seconds_per_call, const std::string& contest) {
    subjects_.push_back(
        {runtime, [this, seconds_per_call](std::size_t calls) { pass(seconds_per_call * static_cast<double>(calls)); }, contest});
  }

  /// In two visits, as the suite does; everything takes twice as long in some visits.
  std::vector<Timings> measure(Plan plan, Conditions& conditions) {
    plan.seed = random_();
    plan.visits = 2;
    const Clock clock{[this] { return now_; }, [this] { return 2 * now_; }, [this](double seconds) { now_ += seconds; },
                      [this]() -> std::optional<CpuTimes> {
                        if (!weather_.stolen) return std::nullopt;
                        return CpuTimes{.busy = 2 * now_, .stolen = std::floor(stolen_ * 100) / 100};
                      }};
    Measurement measurement(subjects_, plan, clock);
    for (std::size_t visit = 0; visit < plan.visits; ++visit) {
      level_ = unit_(random_) < 0.3 ? 2 : 1;
      measurement.visit(plan.seconds / static_cast<double>(plan.visits));
      now_ += 60;
      next_change_ += 60;
    }
    conditions += measurement.conditions();
    return measurement.timings();
  }

 private:
  double exponential(double mean) { return -mean * std::log1p(-unit_(random_)); }

  void pass(double seconds) {
    double factor = level_ * std::exp(weather_.noise * normal_(random_) + wander());
    if (unit_(random_) < weather_.spikes) factor *= 1 + 3 * unit_(random_);
    if (now_ > 1.0 / 3) factor *= weather_.drift;
    double work = seconds * factor;
    while (now_ + work * pace_ > next_change_) {
      const double stretch = std::max(0.0, next_change_ - now_);
      work -= stretch / pace_;
      spend(stretch);
      pace_ = pace_ == 1 ? 2 : 1;
      next_change_ += exponential(pace_ == 1 ? weather_.burst : 20e-3);
    }
    spend(work * pace_);
  }

  void spend(double seconds) {
    now_ += seconds;
    if (pace_ == 2) stolen_ += seconds / 2;
  }

  /// A random walk that is drawn back to 0.
  double wander() {
    const double kept = std::exp(-(now_ - wandered_at_) / weather_.wander_seconds);
    wandered_at_ = now_;
    wander_ = kept * wander_ + weather_.wander * std::sqrt(1 - kept * kept) * normal_(random_);
    return wander_;
  }

  Weather weather_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_{0, 1};
  std::uniform_real_distribution<double> unit_{0, 1};
  std::vector<Subject> subjects_;
  double now_ = 0;
  double stolen_ = 0;
  double level_ = 1;  // of this visit
  double pace_ = 1;
  double next_change_ = std::numeric_limits<double>::infinity();
  double wander_ = 0;
  double wandered_at_ = 0;
};

const Weather kWeathers[] = {
    {.name = "calm"},
    {.name = "loud", .noise = 0.15},
    {.name = "drift", .drift = 1.4},
    {.name = "spikes", .spikes = 0.1},
    {.name = "noise that resembles its neighbours", .wander = 0.1},
    {.name = "noise that lasts for many rounds", .wander = 0.2, .wander_seconds = 1},
    {.name = "bursts", .burst = 60e-3},
    {.name = "bursts of stolen time", .burst = 500e-3, .stolen = true},
    {.name = "hardly anything but stolen time", .burst = 20e-3, .stolen = true},
    {.name = "all together", .noise = 0.05, .wander = 0.1, .drift = 1.4, .spikes = 0.05, .burst = 300e-3, .stolen = true},
};

// As the suite does: furrow's backends and peers on three runtimes, of which some are far behind.
struct Contestant {
  const char* runtime;
  double seconds;
  const char* contest;
};
constexpr Contestant kField[] = {
    {"none", 2e-4, "furrow"}, {"openmp", 1e-4, "furrow"}, {"tbb", 1e-4, "furrow"},   {"tbb", 1e-4, "furrow"},
    {"none", 2e-4, "peers"},  {"openmp", 1e-4, "peers"},  {"openmp", 1e-4, "peers"}, {"tbb", 1e-4, "peers"},
};

TEST(Measure, EqualSubjectsAreCalledDifferentInOneOfAThousandCasesAtMostWhateverTheWeather) {
  for (const Weather& weather : kWeathers) {
    int compared = 0;
    int wrong = 0;
    Conditions conditions;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      WeatheredMachine machine(weather, seed);
      for (const Contestant& one : kField) machine.add(one.runtime, one.seconds, one.contest);
      const auto timings = machine.measure({.seconds = 2, .most_rounds = 24}, conditions);
      for (std::size_t a = 0; a < std::size(kField); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
          if (kField[a].seconds != kField[b].seconds) continue;
          ++compared;
          wrong += compare(timings[a], timings[b]).differs() ? 1 : 0;
        }
      }
    }
    EXPECT_EQ(compared, 3200);
    EXPECT_LE(wrong, 3) << weather.name;
    RecordProperty(weather.name, wrong);
    EXPECT_EQ(conditions.dropped + conditions.stolen > 0, weather.stolen) << weather.name;
  }
}

TEST(Measure, FindsATrueDifferenceOfFivePercentInTheRoundsOfADefaultRun) {
  for (const Weather& weather : {kWeathers[0], kWeathers[2], kWeathers[3], kWeathers[7]}) {
    int found = 0;
    Conditions conditions;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      WeatheredMachine machine(weather, seed);
      machine.add("openmp", 1e-4, "furrow");
      machine.add("tbb", 1.05e-4, "furrow");
      machine.add("none", 2e-4, "furrow");
      const auto timings = machine.measure({.seconds = 10, .most_rounds = 48}, conditions);
      found += compare(timings[1], timings[0]).slower() ? 1 : 0;
    }
    EXPECT_GE(found, 185) << weather.name;
    RecordProperty(std::string("5 %: ") + weather.name, found);
  }
}

TEST(Measure, ClearLosersGetNoMoreRounds) {
  Conditions conditions;
  WeatheredMachine machine({.noise = 0.05}, 1);
  machine.add("a", 1e-4, "one");
  machine.add("a", 1.2e-4, "one");
  machine.add("a", 2e-4, "one");
  machine.add("a", 9e-4, "another");
  machine.add("a", 9e-4, "");
  const auto timings = machine.measure({.seconds = 10, .most_rounds = 40}, conditions);
  std::vector<std::size_t> rounds;
  for (const Timings& timing : timings) rounds.push_back(timing.real.size());
  EXPECT_EQ(rounds, (std::vector<std::size_t>{40, 40, kFewestRounds, 40, 40}));
  EXPECT_TRUE(compare(timings[2], timings[0]).slower());
}

/// In every third round, from the first on, the clock shows stolen time; each round takes longer than the one before.
TEST(Measure, RoundsWithStolenTimeAreDroppedForAllAndTheRestStaysPaired) {
  double now = 0;
  double stolen = 0;
  int calls_made = 0;
  const auto run = [&](std::size_t) {
    const int call = calls_made++ - 3;  // one to warm up and two to calibrate, then two a round
    if (call >= 0 && call % 6 == 0) stolen += 0.5;
    now += call < 0 ? 1 : 1 + call / 2;
  };
  const std::vector<Subject> subjects{{"same", run}, {"same", run}};
  const Clock clock{[&] { return now; }, [] { return 0.0; }, [](double) {}, [&] { return std::optional(CpuTimes{0, stolen}); }};
  Conditions conditions;
  const auto timings = measure(subjects, {.seconds = 0, .least_rounds = 6}, conditions, clock);
  EXPECT_EQ(conditions.rounds, 9U);
  EXPECT_EQ(conditions.dropped, 3U);
  EXPECT_EQ(conditions.stolen, 0U);
  EXPECT_EQ(timings[0].real, (std::vector<double>{2, 3, 5, 6, 8, 9}));
  EXPECT_EQ(timings[0].real, timings[1].real);
}

TEST(Measurement, RoundsAreSharedOutToItsVisits) {
  double now = 0;
  double each = 1;
  int calls = 0;
  const auto run = [&](std::size_t) { now += each, ++calls; };
  const Clock clock{[&] { return now; }, [] { return 0.0; }, [](double) {}};
  Measurement measurement({{"same", run}, {"same", run}}, {.visits = 3, .least_rounds = 12, .most_rounds = 60}, clock);
  measurement.visit(0);
  EXPECT_EQ(measurement.timings()[1].real, std::vector<double>(4, 1));
  EXPECT_EQ(measurement.conditions().rounds, 4U);

  each = 2;  // whatever the subjects work on has changed
  const int before = calls;
  measurement.visit(0);
  EXPECT_EQ(calls, before + 1 + 2 * 4);  // one to warm up, and none to count out calls again
  measurement.visit(1e9);
  const Timings timings = measurement.timings()[0];
  EXPECT_EQ(timings.visits, (std::vector<std::size_t>{4, 4, 52}));
  EXPECT_EQ(timings.real[3], 1);
  EXPECT_EQ(timings.real[4], 2);
  EXPECT_EQ(timings.real.size(), 60U);
}

TEST(Measurement, RoundsThatAreDroppedAreMissingFromTheirVisit) {
  double now = 0;
  double stolen = 0;
  bool steals = true;
  const auto run = [&](std::size_t) {
    now += 1;
    if (steals) stolen += 0.5;
    steals = false;
  };
  const Clock clock{[&] { return now; }, [] { return 0.0; }, [](double) {}, [&] { return std::optional(CpuTimes{now, stolen}); }};
  Measurement measurement({{"same", run}}, {.visits = 2}, clock);
  measurement.visit(0);  // what is stolen meets the call that warms up
  steals = true;
  measurement.visit(0);
  EXPECT_EQ(measurement.timings()[0].visits, (std::vector<std::size_t>{6, 6}));
  EXPECT_EQ(measurement.conditions().dropped, 1U);
  EXPECT_EQ(measurement.conditions().rounds, 13U);
}

TEST(Measure, WhereMostTimeIsStolenAllRoundsAreKept) {
  double now = 0;
  const std::vector<Subject> subjects{{"same", [&](std::size_t) { now += 1; }}};
  const Clock clock{[&] { return now; }, [] { return 0.0; }, [](double) {}, [&] { return std::optional(CpuTimes{0, now / 2}); }};
  Conditions conditions;
  const auto timings = measure(subjects, {.seconds = 0, .least_rounds = 6}, conditions, clock);
  EXPECT_EQ(timings[0].real.size(), 12U);
  EXPECT_EQ(conditions.stolen, 12U);
  EXPECT_EQ(conditions.dropped, 0U);
}

TEST(Measure, OtherProcessesAreSeen) {
  double now = 0;
  const std::vector<Subject> subjects{{"same", [&](std::size_t) { now += 1; }}};
  const Clock clock{[&] { return now; }, [&] { return 2 * now; }, [](double) {},
                    [&] {
                      return std::optional(CpuTimes{2.75 * now, 0});
                    }};
  Conditions conditions;
  (void)measure(subjects, {.seconds = 0}, conditions, clock);
  EXPECT_EQ(conditions.seconds, now);
  EXPECT_NEAR(conditions.others / conditions.seconds, 0.75, 1e-9);
}

TEST(Clock, TheSystemsGoesForward) {
  const Clock clock = Clock::system();
  const double real = clock.real();
  const auto before = clock.machine();
  const double cpu = clock.cpu();
  while (clock.cpu() < cpu + 0.05) {
  }
  EXPECT_GE(clock.real(), real);
  const auto after = clock.machine();
  ASSERT_EQ(before.has_value(), after.has_value());
  if (!before) GTEST_SKIP() << "the system does not tell how busy it is";
  EXPECT_GT(after->busy, before->busy);
  EXPECT_GE(after->stolen, before->stolen);
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
  EXPECT_EQ(machine.measure({.seconds = 0})[0].real.size(), kFewestRounds);
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
