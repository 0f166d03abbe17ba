#include "furrow/engine/fork_join.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "furrow/engine/registry.hpp"

namespace furrow {
namespace {

using Way = ForkJoin::Way;

constexpr double kLeast = 1000;  // ns

/// Makes so many calls of which threads save `saved`, and cost `cost`; returns how many of them went to threads.
int calls_on_threads(ForkJoin::Calls& calls, int count, double saved, double cost) {
  int on_threads = 0;
  for (int call = 0; call < count; ++call) {
    const Way way = calls.way(saved, kLeast);
    if (way == Way::timed) calls.add(cost, kLeast);
    on_threads += way != Way::alone;
  }
  return on_threads;
}

TEST(ForkJoin, WhatIsFarFromCloseIsNeverTimed) {
  ForkJoin::Calls calls;
  for (int call = 0; call < 1000; ++call) {
    EXPECT_EQ(calls.way(kLeast, kLeast), Way::alone);
    EXPECT_EQ(calls.way(100 * kLeast, kLeast), Way::threads);
  }
}

TEST(ForkJoin, ThreadsGoOnWinningWhereTheyCostLittle) {
  ForkJoin::Calls calls;
  EXPECT_EQ(calls_on_threads(calls, 1000, 2 * kLeast, 1.1 * kLeast), 1000);
}

TEST(ForkJoin, ThreadsThatCostMoreAreLeftAndTriedAgain) {
  ForkJoin::Calls calls;
  constexpr double kSaved = 2 * kLeast;
  calls_on_threads(calls, 1000, kSaved, 4 * kLeast);
  const int tries = calls_on_threads(calls, 6400, kSaved, 4 * kLeast);
  EXPECT_GE(tries, 90);
  EXPECT_LE(tries, 300) << "just below what is saved the threads win for four calls, and lose again";
  calls_on_threads(calls, 6400, kSaved, kLeast);
  EXPECT_EQ(calls_on_threads(calls, 1000, kSaved, kLeast), 1000) << "they cost little again";
}

TEST(ForkJoin, AnInterruptedCallChangesNothing) {
  ForkJoin::Calls calls;
  calls_on_threads(calls, 1000, 2 * kLeast, 1.1 * kLeast);
  calls.add(1e9, kLeast);
  calls.add(1e9, kLeast);
  EXPECT_EQ(calls_on_threads(calls, 1000, 2 * kLeast, 1.1 * kLeast), 1000);
}

TEST(ForkJoin, IsMeasuredOnEveryBackend) {
  for (const std::string& name : backends()) {
    const auto backend = make_backend(name, 2);
    ForkJoin fork_join(*backend);
    const double least = fork_join.least();
    EXPECT_GT(least, 0) << name;
    EXPECT_EQ(fork_join.least(), least) << name << ": measured once";
  }
}

}  // namespace
}  // namespace furrow
