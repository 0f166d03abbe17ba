#include "benchmarks/verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace furrow::bench {
namespace {

const std::vector<std::string> kBackends{"serial", "openmp", "tbb", "stdpar"};

/// Paired rounds in which backend b takes times[b], each a little off; 0: it was not measured.
Evidence evidence(const std::string& family, const std::vector<double>& times, std::mt19937_64& random, int rounds = 12) {
  std::normal_distribution<double> noise(0, 0.02);
  Evidence entry{family, {}};
  for (const double time : times) {
    entry.seconds.emplace_back();
    for (int round = 0; time > 0 && round < rounds; ++round) entry.seconds.back().push_back(time * std::exp(noise(random)));
  }
  return entry;
}

std::vector<Evidence> repeated(const std::string& family, const std::vector<double>& times, int cases, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<Evidence> all;
  for (int i = 0; i < cases; ++i) all.push_back(evidence(family, times, random));
  return all;
}

std::vector<Evidence> operator+(std::vector<Evidence> a, const std::vector<Evidence>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Evidence, HasTheVisitsOfWhoHasMostRounds) {
  Evidence entry{"family", {}};
  entry.add({1, 1, 1}, {2, 1});  // a loser
  entry.add({1, 1, 1, 1, 1}, {2, 3});
  entry.add({}, {});
  entry.add({1, 1, 1, 1}, {2, 2});
  EXPECT_EQ(entry.seconds.size(), 4U);
  EXPECT_EQ(entry.visits, (std::vector<std::size_t>{2, 3}));
}

TEST(Verdict, PicksTheFastestAndSaysByHowMuch) {
  const Verdict verdict = decide(kBackends, repeated("reductions", {2, 1.2, 1, 1.3}, 10));
  EXPECT_EQ(verdict.backend, "tbb");
  EXPECT_NEAR(verdict.ratios[1].ratio, 1.2, 0.02);
  EXPECT_NEAR(verdict.ratios[2].ratio, 1, 1e-12);
  EXPECT_TRUE(contains(verdict.reason, "openmp takes 1.2")) << verdict.reason;
  EXPECT_TRUE(contains(verdict.reason, "the time of tbb over 10 cases")) << verdict.reason;
}

TEST(Verdict, NoDifferenceBeyondNoiseIsAVerdict) {
  int wrong = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Verdict verdict = decide(kBackends, repeated("reductions", {2, 1, 1, 1}, 10, seed));
    wrong += verdict.backend != "openmp" ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
  const Verdict verdict = decide(kBackends, repeated("reductions", {2, 1, 1, 1}, 10));
  EXPECT_TRUE(contains(verdict.reason,
                       "no difference beyond noise: openmp, tbb and stdpar are equal here to within 2 %; picking openmp as"))
      << verdict.reason;
  EXPECT_TRUE(contains(verdict.reason, "serial takes 2.0")) << verdict.reason;
}

TEST(Verdict, FamiliesWeighTheSameHoweverManyCasesTheyHave) {
  // 30 cases for openmp, 2 for tbb, by the same factor.
  const auto all = repeated("element-wise", {3, 1, 1.5, 3}, 30) + repeated("irregular", {3, 1.5, 1, 3}, 2);
  EXPECT_NEAR(overall(all, 1, 2).ratio, 1, 0.03);
  const auto stronger = repeated("element-wise", {3, 1, 1.1, 3}, 30) + repeated("irregular", {5, 2, 1, 5}, 2);
  const Verdict verdict = decide(kBackends, stronger);
  EXPECT_EQ(verdict.backend, "tbb");
  EXPECT_TRUE(contains(verdict.reason, "openmp loses most in \"irregular\"")) << verdict.reason;
}

TEST(Verdict, SerialIsPickedWhereThreadsGainNothingAnywhere) {
  EXPECT_EQ(decide(kBackends, repeated("reductions", {1, 1, 1, 1}, 8)).backend, "serial");
  EXPECT_EQ(decide(kBackends, repeated("reductions", {1, 1.5, 1.4, 1.6}, 8)).backend, "serial");
}

TEST(Verdict, SerialGivesWayToThreadsThatGainInSomeFamily) {
  const auto all = repeated("element-wise", {1.5, 1, 1.4, 1.4}, 4) + repeated("irregular", {1, 1.5, 1.4, 1.4}, 4);
  const Verdict verdict = decide(kBackends, all);
  EXPECT_EQ(verdict.backend, "openmp");
  EXPECT_TRUE(contains(verdict.reason, "in \"element-wise\"")) << verdict.reason;
}

TEST(Verdict, WhatWasNotMeasuredIsNotPicked) {
  EXPECT_EQ(decide(kBackends, repeated("scans", {2, 0, 1, 0}, 5)).backend, "tbb");
  const Verdict only = decide(kBackends, repeated("scans", {0, 0, 1, 0}, 5));
  EXPECT_EQ(only.backend, "tbb");
  EXPECT_EQ(only.reason, "tbb is the only backend that was measured");
  EXPECT_EQ(decide(kBackends, {}).backend, "");
  EXPECT_TRUE(contains(decide(kBackends, {}).reason, "nothing was measured"));
}

TEST(Verdict, FamiliesWeighAsTheyAreWeighted) {
  auto all = repeated("sum", {3, 1, 1.2, 3}, 4) + repeated("uneven", {3, 1.2, 1, 3}, 4);
  EXPECT_NEAR(overall(all, 1, 2).ratio, 1, 0.03);
  for (Evidence& entry : all) entry.weight = entry.family == "uneven" ? 6 : 2;
  EXPECT_NEAR(overall(all, 1, 2).ratio, std::pow(1.2, 0.75 - 0.25), 0.02);
  EXPECT_EQ(decide(kBackends, all).backend, "tbb");
  for (Evidence& entry : all) entry.weight = entry.family == "uneven" ? 1 : 3;
  EXPECT_EQ(decide(kBackends, all).backend, "openmp");
}

TEST(Verdict, ThePickIsScoredAgainstAlwaysEachOther) {
  auto all = repeated("reductions", {2, 1, 0.8, 1.5}, 3) + repeated("scans", {2, 1, 3, 1.5}, 3);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].name = "case " + std::to_string(i);
  const Verdict verdict = decide(kBackends, all);
  ASSERT_EQ(verdict.backend, "openmp");
  ASSERT_EQ(verdict.scores.size(), 3U);
  const Score& tbb = verdict.scores[1];
  EXPECT_EQ(tbb.backend, "tbb");
  EXPECT_NEAR(tbb.time.ratio, std::sqrt(0.8 * 3), 0.03);
  EXPECT_NEAR(tbb.worst.ratio, 3, 0.2);
  EXPECT_GE(tbb.worst.name, "case 3");
  EXPECT_NEAR(tbb.best.ratio, 0.8, 0.05);
  EXPECT_LE(tbb.best.name, "case 2");
  EXPECT_EQ(verdict.scores[2].best.name, "") << "stdpar is nowhere faster";
  const std::string words = in_words(verdict.scores);
  EXPECT_TRUE(contains(words, "Always tbb instead: 1.5")) << words;
  EXPECT_TRUE(contains(words, " the time; at worst 3.")) << words;
}

TEST(BetterWay, HasToGainAtLeastAFewPercentBeyondNoiseAndLoseNowhere) {
  const auto choose = [](const std::vector<std::vector<double>>& times, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::vector<std::vector<double>>> seconds;
    for (const auto& way : times) seconds.push_back(evidence("", way, random).seconds);  // sizes in the place of backends
    return better_way(seconds);
  };
  int chosen_for_nothing = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_EQ(choose({{1, 1}, {0.8, 0.85}, {0.7, 0.7}}, seed), 2U);
    EXPECT_EQ(choose({{1, 1}, {0.5, 1.2}, {0.85, 0.85}}, seed), 2U) << "the other loses at one size";
    EXPECT_EQ(choose({{1, 1}, {0.98, 0.98}}, seed), 0U) << "too little to matter";
    chosen_for_nothing += choose({{1, 1}, {1, 1}, {1, 1}, {1, 1}}, seed) == 0 ? 0 : 1;
  }
  EXPECT_EQ(chosen_for_nothing, 0);
}

TEST(Overall, TheIntervalHoldsTheTruth) {
  int held = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Ratio ratio = overall(repeated("scans", {1, 1.07}, 6, seed), 1, 0);
    held += ratio.low <= 1.07 && 1.07 <= ratio.high ? 1 : 0;
  }
  EXPECT_GE(held, 275);
}

TEST(Crossover, IsWhereTheTimesMeet) {
  const std::vector<std::size_t> sizes{1000, 10000, 100000};
  // Serial: 1 ns an element. Parallel: 5000 ns and half of that. They meet at 10,000.
  EXPECT_EQ(crossover(sizes, std::vector<double>{1000, 10000, 100000}, std::vector<double>{5500, 10000.001, 55000}), 10000U);
  const std::size_t between = crossover(sizes, std::vector<double>{1, 10, 100}, std::vector<double>{2, 5, 50});
  EXPECT_GT(between, 1000U);
  EXPECT_LT(between, 10000U);
  EXPECT_NEAR(static_cast<double>(between), std::sqrt(1e7), 5);  // halfway, in logarithms
}

TEST(Crossover, AtTheEnds) {
  const std::vector<std::size_t> sizes{1000, 10000};
  EXPECT_EQ(crossover(sizes, std::vector<double>{2, 2}, std::vector<double>{1, 1}), 1000U);
  EXPECT_EQ(crossover(sizes, std::vector<double>{1, 1}, std::vector<double>{2, 2}), 20000U);
  // Faster only in the middle, by noise: there is more to be lost beyond.
  EXPECT_EQ(crossover(std::vector<std::size_t>{1, 2, 4}, std::vector<double>{1, 1, 1}, std::vector<double>{2, 0.9, 2}), 8U);
}

TEST(Crossover, ADisturbanceAtOneSizeDoesNotMoveIt) {
  const std::vector<std::size_t> sizes{10, 100, 1000, 10000, 100000};
  const std::vector<double> serial{1, 10, 100, 1000, 10000};
  const std::size_t undisturbed = crossover(sizes, serial, std::vector<double>{9, 14, 55, 550, 5500});
  EXPECT_EQ(crossover(sizes, serial, std::vector<double>{9, 14, 55, 550, 15000}), undisturbed);
  EXPECT_EQ(crossover(sizes, serial, std::vector<double>{0.9, 14, 55, 550, 5500}), undisturbed);
}

}  // namespace
}  // namespace furrow::bench
