// Moments of known distributions, far from zero, and with special values.
#include "furrow/kernels/moments.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"

namespace furrow {
namespace {

class MomentsTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(MomentsTest, OfFewNumbersByHand) {
  const Moments m = moments(engine_, std::vector<std::int32_t>{0, 0, 0, 4});
  EXPECT_EQ(m.count, 4U);
  EXPECT_EQ(m.mean, 1);
  EXPECT_EQ(m.variance, 3);
  EXPECT_DOUBLE_EQ(m.skew, 6 / (3 * std::sqrt(3.0)));
  EXPECT_DOUBLE_EQ(m.kurtosis, 21.0 / 9 - 3);
  EXPECT_EQ(m.min, 0);
  EXPECT_EQ(m.max, 4);
}

TEST_P(MomentsTest, NoBitsAreLostFarFromZero) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> exponential(1);
  std::vector<double> x(300'001);
  for (double& v : x) v = std::ldexp(std::round(std::ldexp(exponential(random), 20)), -20);
  std::vector<double> far = x;
  for (double& v : far) v += 0x1p31;  // exact
  const Moments near_zero = moments(engine_, x);
  const Moments shifted = moments(engine_, far);
  EXPECT_NEAR(near_zero.skew, 2, 0.1);
  EXPECT_NEAR(near_zero.kurtosis, 6, 1);
  EXPECT_NEAR(shifted.variance, near_zero.variance, 1e-12);
  EXPECT_NEAR(shifted.skew, near_zero.skew, 1e-11);
  EXPECT_NEAR(shifted.kurtosis, near_zero.kurtosis, 1e-10);
  EXPECT_EQ(shifted.max - 0x1p31, near_zero.max);
}

TEST_P(MomentsTest, AgreeWithTwoPasses) {
  std::mt19937_64 random(2);
  std::vector<float> x(100'003);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(random() % 1000) + static_cast<float>(i) / 100;  // drifts
  long double mean_of = 0;
  for (const float v : x) mean_of += v;
  mean_of /= static_cast<long double>(x.size());
  long double m2 = 0;
  long double m3 = 0;
  long double m4 = 0;
  for (const float v : x) {
    const long double e = v - mean_of;
    m2 += e * e;
    m3 += e * e * e;
    m4 += e * e * e * e;
  }
  const auto n = static_cast<long double>(x.size());
  const Moments m = moments(engine_, x);
  EXPECT_NEAR(m.mean, static_cast<double>(mean_of), 1e-11);
  EXPECT_NEAR(m.variance / static_cast<double>(m2 / n), 1, 1e-13);
  EXPECT_NEAR(m.skew, static_cast<double>(m3 / n / std::pow(m2 / n, 1.5L)), 1e-12);
  EXPECT_NEAR(m.kurtosis, static_cast<double>(m4 * n / (m2 * m2) - 3), 1e-12);
  EXPECT_EQ(variance(engine_, x), m.variance);
}

/// Whose mean is rounded: their variance is 0 all the same, and not that of numbers which differ in the last bit.
TEST_P(MomentsTest, EqualNumbersHaveNoVariance) {
  for (const double value : {0.1, -0.3, 1e15 / 3, 1e-300, 5e-324, -1e140, 0.0, -0.0}) {
    for (const std::size_t n : {1U, 3U, 2047U, 5000U, 20'011U}) {
      std::vector<double> x(n, value);
      ASSERT_EQ(variance(engine_, x), 0) << n << " of " << value;
      ASSERT_EQ(moments(engine_, x).variance, 0) << n << " of " << value;
      x[n / 2] = std::nextafter(value, 2.0);
      ASSERT_EQ(variance(engine_, x), moments(engine_, x).variance) << n << " of " << value;
      const bool shows = n > 1 && std::abs(value) > 0.01 && std::abs(value) < 1e20;
      ASSERT_TRUE(!shows || variance(engine_, x) > 0) << n << " of " << value;
    }
  }
}

TEST_P(MomentsTest, SpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const std::size_t n : {1, 2, 2048, 2049, 30'000}) {
    std::vector<double> x(n, 0.1);
    Moments m = moments(engine_, x);
    EXPECT_EQ(m.mean, 0.1) << n;
    EXPECT_EQ(m.variance, 0) << n;
    EXPECT_TRUE(std::isnan(m.skew) && std::isnan(m.kurtosis)) << "all are equal";
    x[n / 2] = inf;
    m = moments(engine_, x);
    EXPECT_EQ(m.mean, inf) << n;
    EXPECT_EQ(m.max, inf) << n;
    EXPECT_EQ(m.min, n == 1 ? inf : 0.1) << n;
    EXPECT_TRUE(std::isnan(m.variance) && std::isnan(m.skew) && std::isnan(m.kurtosis)) << n;
    x[0] = std::numeric_limits<double>::quiet_NaN();
    m = moments(engine_, x);
    EXPECT_EQ(m.count, n);
    EXPECT_TRUE(std::isnan(m.mean) && std::isnan(m.variance) && std::isnan(m.min) && std::isnan(m.max)) << n;
    std::vector<double> zeros(n, 0.0);
    zeros[n - 1] = -0.0;
    m = moments(engine_, zeros);
    EXPECT_TRUE(std::signbit(m.min)) << "−0 before +0; n = " << n;
    EXPECT_EQ(std::signbit(m.max), n == 1) << n;
  }
  EXPECT_THROW(moments(engine_, std::vector<double>()), Error);
  EXPECT_THROW(variance(engine_, std::vector<float>()), Error);
}

INSTANTIATE_TEST_SUITE_P(All, MomentsTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
