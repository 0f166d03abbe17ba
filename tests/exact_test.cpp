// Sums that are rounded once: cases made to round wrongly otherwise, any order, extreme sizes, special values.
#include "furrow/kernels/exact.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/reference.hpp"

namespace furrow {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

/// Numbers with random signs, bits and exponents in [low, high].
std::vector<double> spread_numbers(std::size_t n, int low, int high) {
  std::mt19937_64 random(n + static_cast<std::size_t>(high - low));
  std::vector<double> x(n);
  for (double& v : x) {
    const double significand = 1 + static_cast<double>(random() >> 12) * 0x1p-52;
    const int exponent = low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
    v = std::ldexp(random() % 2 == 0 ? significand : -significand, exponent);
  }
  return x;
}

class ExactTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(ExactTest, TheTrueSumOfNumbersOfAnySize) {
  for (const auto& [low, high] : {std::pair{0, 0}, {-30, 30}, {-300, 300}, {-1074, -1000}, {-1074, 950}}) {
    for (const std::size_t n : {1, 2, 100, 1023, 1025, 20'000}) {
      std::vector<double> x = spread_numbers(n, low, high);
      const double expected = reference::exact_sum<double>(x);
      ASSERT_EQ(sum(engine_, x, exact), expected) << n << " with exponents of " << low << " to " << high;
      std::shuffle(x.begin(), x.end(), std::mt19937_64(n));
      ASSERT_EQ(sum(engine_, x, exact), expected) << "in another order";
    }
  }
}

TEST_P(ExactTest, WhatCancelsLeavesTheRest) {
  for (const double rest : {1.0, kTiny, -0x1p-1074, 0x1p1000}) {
    std::vector<double> x = spread_numbers(5000, -1000, 1023);
    const std::size_t half = x.size();
    for (std::size_t i = 0; i < half; ++i) x.push_back(-x[i]);
    x.push_back(rest);
    std::shuffle(x.begin(), x.end(), std::mt19937_64(1));
    ASSERT_EQ(sum(engine_, x, exact), rest);
  }
}

TEST_P(ExactTest, TiesGoToEvenUnlessAnythingIsLeft) {
  const auto of = [&](std::vector<double> x) { return sum(engine_, x, exact); };
  EXPECT_EQ(of({1, 0x1p-53}), 1);
  EXPECT_EQ(of({1, 0x1p-53, kTiny}), 1 + 0x1p-52);
  EXPECT_EQ(of({1 + 0x1p-52, 0x1p-53}), 1 + 0x1p-51);
  EXPECT_EQ(of({1 + 0x1p-52, 0x1p-53, -kTiny}), 1 + 0x1p-52);
  EXPECT_EQ(of({-1, -0x1p-53, -kTiny}), -1 - 0x1p-52);
  const std::vector<float> f{1, 0x1p-24F, 0x1p-149F};
  EXPECT_EQ(sum(engine_, f, exact), 1 + 0x1p-23F) << "not rounded to double on the way";
}

TEST_P(ExactTest, OverflowIsThatOfTheTrueSum) {
  const auto of = [&](std::vector<double> x) { return sum(engine_, x, exact); };
  EXPECT_EQ(of({kMax, kMax, -kMax}), kMax);
  EXPECT_EQ(of({kMax, kMax}), kInf);
  EXPECT_EQ(of({-kMax, -kMax}), -kInf);
  EXPECT_EQ(of({kMax, 0x1p970}), kInf) << "half way to the next power of two";
  EXPECT_EQ(of({kMax, 0x1p970, -kTiny}), kMax);
  const std::vector<float> f(3, std::numeric_limits<float>::max());
  EXPECT_EQ(sum(engine_, f, exact), std::numeric_limits<float>::infinity());
}

TEST_P(ExactTest, SpecialValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t n : {2, 1000, 20'000}) {
    std::vector<double> x(n, 1.0);
    x[n - 1] = kInf;
    EXPECT_EQ(sum(engine_, x, exact), kInf);
    x[0] = -kInf;
    EXPECT_TRUE(std::isnan(sum(engine_, x, exact)));
    x[0] = nan;
    EXPECT_TRUE(std::isnan(sum(engine_, x, exact)));
    EXPECT_FALSE(std::signbit(sum(engine_, std::vector<double>(n, -0.0), exact)));
  }
  const std::vector<double> none;
  EXPECT_EQ(sum(engine_, none, exact), 0);
  EXPECT_EQ(dot(engine_, none, none, exact), 0);
  const std::vector<double> zero{0.0, 1.0};
  const std::vector<double> infinite{kInf, 1.0};
  EXPECT_TRUE(std::isnan(dot(engine_, zero, infinite, exact)));
  EXPECT_THROW(dot(engine_, zero, none, exact), Error);
}

TEST_P(ExactTest, DotProductsKeepEveryBitOfEveryProduct) {
  for (const auto& [low, high] : {std::pair{0, 0}, {-30, 30}, {-200, 200}}) {
    for (const std::size_t n : {1, 2, 1023, 1025, 20'000}) {
      const std::vector<double> x = spread_numbers(n, low, high);
      std::vector<double> y = spread_numbers(n + 1, low, high);
      y.pop_back();
      ASSERT_EQ(dot(engine_, x, y, exact), (reference::exact_dot<double>(x, y))) << n << ", " << low << " to " << high;
    }
  }
}

TEST_P(ExactTest, DotProductsOfExtremeSize) {
  const auto of = [&](std::vector<double> x, std::vector<double> y) { return dot(engine_, x, y, exact); };
  EXPECT_EQ(of({kMax, kMax}, {kMax, -kMax}), 0) << "each product overflows";
  EXPECT_EQ(of({kMax, kMax, 3}, {kMax, -kMax, 5}), 15);
  EXPECT_EQ(of({0x1p-600, 0x1p-600}, {0x1p-474, 0x1p-475}), kTiny * 2) << "the true sum is 1.5 times the least number";
  EXPECT_EQ(of({kTiny, 1}, {kTiny, 1}), 1);
  EXPECT_EQ(of({1, 0x1p-53, kTiny}, {1, 1, kTiny}), 1 + 0x1p-52) << "what is left is far below the least number";
}

INSTANTIATE_TEST_SUITE_P(All, ExactTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
