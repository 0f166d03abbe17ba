// Between which elements a quantile lies, and special values.
#include "furrow/kernels/quantile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

TEST(Quantile, LiesInAStraightLineBetweenElements) {
  Engine engine("serial");
  const std::vector<std::int32_t> x{40, 10, 30, 20};
  EXPECT_EQ(quantile(engine, x, 0), 10);
  EXPECT_EQ(quantile(engine, x, 1), 40);
  EXPECT_EQ(quantile(engine, x, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(engine, x, 0.1), 13);
  EXPECT_DOUBLE_EQ(quantile(engine, x, 0.9), 37);
  EXPECT_EQ(quantile(engine, std::vector<float>{7}, 0.3), 7);
  EXPECT_EQ(x, (std::vector<std::int32_t>{40, 10, 30, 20}));
}

TEST(Quantile, OfManyIsThatOfThemInOrder) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> x(100'001);
  for (double& v : x) v = normal(random);
  std::vector<double> ordered = x;
  std::ranges::sort(ordered);
  for (const std::string& backend : backends()) {
    Engine engine(backend, {.concurrency = 3, .serial_below = 0});
    for (const std::size_t percent : {0U, 1U, 25U, 50U, 99U, 100U})
      EXPECT_EQ(quantile(engine, x, static_cast<double>(percent) / 100), ordered[percent * 1000]) << backend << " " << percent;
  }
}

TEST(Quantile, OfAnythingThatIsNoNumberIsNone) {
  Engine engine("serial");
  for (const double q : {0.0, 0.4, 1.0}) EXPECT_TRUE(std::isnan(quantile(engine, std::vector<double>{1, NAN, 2, 3}, q))) << q;
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> x{-infinity, 1, 2, infinity};
  EXPECT_EQ(quantile(engine, x, 0), -infinity);
  EXPECT_EQ(quantile(engine, x, 1), infinity);
  EXPECT_EQ(quantile(engine, x, 0.5), 1.5);
}

TEST(Quantile, WhatHasNoneIsTold) {
  Engine engine("serial");
  EXPECT_NE(message_of([&] { quantile(engine, std::vector<double>{}, 0.5); }).find("empty"), std::string::npos);
  for (const double q : {-0.1, 1.1, static_cast<double>(NAN)})
    EXPECT_NE(message_of([&] { quantile(engine, std::vector<double>{1}, q); }).find("from 0 to 1"), std::string::npos);
}

}  // namespace
}  // namespace furrow
