#include "furrow/engine/graph/times.hpp"

#include <gtest/gtest.h>

namespace furrow {
namespace {

/// How many of `runs` runs are alone, if one alone takes and one together takes so many nanoseconds.
int runs_alone(GraphTimes& times, int runs, float alone, float together) {
  int count = 0;
  for (int run = 0; run < runs; ++run) {
    const bool is_alone = times.patience_alone(2) > 0;
    times.add(is_alone, is_alone ? alone : together);
    count += is_alone ? 1 : 0;
  }
  return count;
}

TEST(GraphTimes, KeepSmallGraphsOnOneThread) {
  GraphTimes& times = GraphTimes::of(1);
  EXPECT_EQ(runs_alone(times, 2, 5e3F, 2e4F), 0);  // the first two show what threads can do
  EXPECT_EQ(runs_alone(times, 1000, 5e3F, 2e4F), 1000);
}

TEST(GraphTimes, TryTheOtherWayAgainWhereItIsNear) {
  GraphTimes& times = GraphTimes::of(2);
  const int alone = runs_alone(times, 1000, 1.5e4F, 2e4F);
  EXPECT_GT(alone, 950);
  EXPECT_LT(alone, 998);
  EXPECT_LT(runs_alone(times, 1000, 3e4F, 1.5e4F), 300);  // it has become dearer
}

TEST(GraphTimes, TryOneThreadOnceWhereThreadsPay) {
  GraphTimes& times = GraphTimes::of(3);
  EXPECT_EQ(runs_alone(times, 1000, 9e5F, 4e5F), 1);
}

TEST(GraphTimes, NeverTryOneThreadForLongRuns) {
  GraphTimes& times = GraphTimes::of(4);
  EXPECT_EQ(runs_alone(times, 1000, 1e6F, 2e6F), 0);
}

TEST(GraphTimes, BeginAnewForAnotherKindInTheSamePlace) {
  GraphTimes& one = GraphTimes::of(5);
  EXPECT_GT(runs_alone(one, 10, 1e3F, 2e4F), 0);
  GraphTimes& other = GraphTimes::of(5 + 256);
  EXPECT_EQ(&one, &other);
  EXPECT_EQ(runs_alone(other, 2, 1e3F, 2e4F), 0);
}

}  // namespace
}  // namespace furrow
