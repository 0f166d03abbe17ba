#include "furrow/engine/fork_join.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

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
    if (way == Way::timed) calls.add(cost, saved, kLeast);
    on_threads += way != Way::alone;
  }
  return on_threads;
}

TEST(ForkJoin, WhatThreadsCannotSaveStaysAlone) {
  ForkJoin::Calls calls;
  for (int call = 0; call < 1000; ++call) EXPECT_EQ(calls.way(kLeast / 2, kLeast), Way::alone);
}

TEST(ForkJoin, ThreadsGoOnWinningWhereTheyCostLittle) {
  for (const double saved : {2 * kLeast, 100 * kLeast}) {
    ForkJoin::Calls calls;
    EXPECT_EQ(calls_on_threads(calls, 1000, saved, 1.1 * kLeast), 1000);
  }
}

TEST(ForkJoin, ThreadsThatCostMoreAreLeftAndTriedAgain) {
  for (const double saved : {2 * kLeast, 100 * kLeast}) {
    ForkJoin::Calls calls;
    calls_on_threads(calls, 1000, saved, 2 * saved);
    const int tries = calls_on_threads(calls, 6400, saved, 2 * saved);
    EXPECT_GE(tries, 40);
    EXPECT_LE(tries, 60) << "the part of the time that they may take";
    calls_on_threads(calls, 6400, saved, kLeast);
    EXPECT_EQ(calls_on_threads(calls, 1000, saved, kLeast), 1000) << "they cost little again";
  }
}

TEST(ForkJoin, ThreadsThatWaitForEachOtherAreLeftAtOnce) {
  ForkJoin::Calls calls;
  constexpr double kSaved = 2 * kLeast;
  calls_on_threads(calls, 1000, kSaved, 1.1 * kLeast);
  EXPECT_LE(calls_on_threads(calls, 100'000, kSaved, 1000 * kSaved), 12) << "a slice of time for each";
  calls_on_threads(calls, 1'000'000, kSaved, 1.1 * kLeast);
  EXPECT_EQ(calls_on_threads(calls, 1000, kSaved, 1.1 * kLeast), 1000) << "they do no more";
}

TEST(ForkJoin, WakingThreadsIsNotWhatTheyCost) {
  ForkJoin::Calls calls;
  constexpr double kSaved = 1.2 * kLeast;  // less than what is expected before anything is known
  int on_threads = 0;
  bool asleep = true;
  for (int call = 0; call < 100'000; ++call) {
    const Way way = calls.way(kSaved, kLeast);
    if (way == Way::timed) calls.add(asleep ? 100 * kSaved : kLeast, kSaved, kLeast);
    asleep = way == Way::alone;
    on_threads += way != Way::alone;
  }
  EXPECT_GT(on_threads, 60'000);
}

TEST(ForkJoin, InterruptedCallsChangeNothing) {
  ForkJoin::Calls calls;
  constexpr double kSaved = 2 * kLeast;
  calls_on_threads(calls, 1000, kSaved, 1.1 * kLeast);
  calls.add(1e9, kSaved, kLeast);
  calls.add(1e9, kSaved, kLeast);
  EXPECT_EQ(calls_on_threads(calls, 1000, kSaved, 1.1 * kLeast), 1000);
}

TEST(ForkJoin, KnowsTheCallsOfManyKernelsApart) {
  const auto backend = make_backend("serial", 1);
  ForkJoin fork_join(*backend);
  const std::vector<double> kernels(60);
  for (const double& kernel : kernels)
    for (const std::size_t n : {1000, 2000, 4000}) calls_on_threads(fork_join.calls(&kernel, n), 1000, 2 * kLeast, 9 * kLeast);
  int known = 0;
  for (const double& kernel : kernels)
    for (const std::size_t n : {1000, 2000, 4000}) known += fork_join.calls(&kernel, n).way(2 * kLeast, kLeast) == Way::alone;
  EXPECT_GE(known, 170) << "of 180";
  EXPECT_EQ(&fork_join.calls(&kernels[0], 1100), &fork_join.calls(&kernels[0], 1900));
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
