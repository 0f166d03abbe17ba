// Mathematical functions: their error against the C library's in long double, special values, and bad input. That cut, alignment
// and backend do not change a bit is table_test's and bits_test's to show.
#include "furrow/kernels/math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

constexpr std::size_t kSamples = support::repeats(200'000);

/// The distance of `value` from `exact` in units in the last place of T at `exact`.
template <class T>
double error_in_ulp(T value, long double exact) {
  if (std::isnan(value) || std::isnan(exact)) return std::isnan(value) && std::isnan(exact) ? 0 : INFINITY;
  const T rounded = static_cast<T>(exact);
  if (std::isinf(rounded) || std::isinf(value)) return rounded == value ? 0 : INFINITY;
  const int exponent = exact == 0 ? std::numeric_limits<T>::min_exponent : std::ilogb(exact) + 1;
  const int ulp = std::max(exponent, std::numeric_limits<T>::min_exponent) - std::numeric_limits<T>::digits;
  return static_cast<double>(std::abs(static_cast<long double>(value) - exact) / std::ldexp(1.0L, ulp));
}

struct Case {
  named::Unary function;
  long double (*exact)(long double);
  double from;
  double to;
};
const std::vector<Case> kCases{
    {named::Unary::cbrt, std::cbrt, -1e6, 1e6},   {named::Unary::exp, std::exp, -80, 80},
    {named::Unary::exp2, std::exp2, -120, 120},   {named::Unary::expm1, std::expm1, -30, 80},
    {named::Unary::log, std::log, 0, 1e6},        {named::Unary::log2, std::log2, 0, 1e6},
    {named::Unary::log10, std::log10, 0, 1e6},    {named::Unary::log1p, std::log1p, -1, 1e6},
    {named::Unary::sin, std::sin, -1e4, 1e4},     {named::Unary::cos, std::cos, -1e4, 1e4},
    {named::Unary::tan, std::tan, -1e4, 1e4},     {named::Unary::asin, std::asin, -1, 1},
    {named::Unary::acos, std::acos, -1, 1},       {named::Unary::atan, std::atan, -100, 100},
    {named::Unary::sinh, std::sinh, -80, 80},     {named::Unary::cosh, std::cosh, -80, 80},
    {named::Unary::tanh, std::tanh, -20, 20},     {named::Unary::erf, std::erf, -6, 6},
    {named::Unary::floor, std::floor, -1e6, 1e6}, {named::Unary::ceil, std::ceil, -1e6, 1e6},
    {named::Unary::trunc, std::trunc, -1e6, 1e6}, {named::Unary::round, std::nearbyint, -1e6, 1e6},
};

template <class T>
class MathTest : public testing::Test {
 protected:
  Engine engine_{"serial"};
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(MathTest, Types);

TYPED_TEST(MathTest, AreWithinOneUnitInTheLastPlace) {
  using T = TypeParam;
  ASSERT_EQ(kCases.size(), named::kUnaryNames.size()) << "a function is not tested";
  std::mt19937_64 random(1);
  for (const Case& one : kCases) {
    std::vector<T> x(kSamples);
    // Half of them evenly spread, half over all magnitudes down to the smallest.
    std::uniform_real_distribution<double> even(one.from, one.to);
    std::uniform_real_distribution<double> magnitude(-40, 0);
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<T>(i % 2 == 0 ? even(random) : even(random) * std::exp2(magnitude(random)));
    std::vector<T> out(x.size());
    named::evaluate<T>(this->engine_, one.function, x, out);
    double worst = 0;
    T where = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = error_in_ulp(out[i], one.exact(static_cast<long double>(x[i])));
      if (error > worst) worst = error, where = x[i];
    }
    const std::string name(named::kUnaryNames[static_cast<std::size_t>(one.function)]);
    this->RecordProperty(name, std::to_string(worst));
    EXPECT_LE(worst, 1.0) << name << " of " << where;
  }
}

TYPED_TEST(MathTest, OfTwoArgumentsToo) {
  using T = TypeParam;
  std::mt19937_64 random(2);
  const auto worst = [&](named::Binary f, long double (*exact)(long double, long double), double a_from, double a_to, double b_from,
                         double b_to) {
    std::uniform_real_distribution<double> as(a_from, a_to);
    std::uniform_real_distribution<double> bs(b_from, b_to);
    std::vector<T> a(kSamples);
    std::vector<T> b(kSamples);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(as(random)), b[i] = static_cast<T>(bs(random));
    std::vector<T> out(a.size());
    named::evaluate<T>(this->engine_, f, a, b, out);
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, error_in_ulp(out[i], exact(a[i], b[i])));
    return most;
  };
  EXPECT_LE(worst(named::Binary::pow, std::pow, 0, 50, -20, 20), 1.0);
  EXPECT_LE(worst(named::Binary::atan2, std::atan2, -10, 10, -10, 10), 1.0);
  EXPECT_LE(worst(named::Binary::hypot, std::hypot, -1e6, 1e6, -1e6, 1e6), 1.0);
}

TYPED_TEST(MathTest, SpecialValuesAreThoseOfC) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const std::vector<T> x{T{0.0},        T{-0.0},         T{1}, T{-1}, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                         Limits::max(), Limits::lowest()};
  for (const Case& one : kCases) {
    std::vector<T> out(x.size());
    named::evaluate<T>(this->engine_, one.function, x, out);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double exact = one.exact(static_cast<long double>(x[i]));
      EXPECT_LE(error_in_ulp(out[i], exact), 1.0)
          << named::kUnaryNames[static_cast<std::size_t>(one.function)] << " of " << x[i] << " is " << out[i] << ", not " << exact;
      if (exact == 0) {
        EXPECT_EQ(std::signbit(out[i]), std::signbit(exact))
            << named::kUnaryNames[static_cast<std::size_t>(one.function)] << " of " << x[i];
      }
    }
  }
}

TYPED_TEST(MathTest, BadInputIsToldAndNothingIsWritten) {
  using T = TypeParam;
  std::vector<T> memory(100, T{0.5});
  const std::span<T> all(memory);
  EXPECT_THROW(exp(this->engine_, all.first(10), all.subspan(10, 9)), Error);
  EXPECT_THROW(exp(this->engine_, all.first(10), all.subspan(5, 10)), Error);
  EXPECT_THROW(pow(this->engine_, all.first(10), all.subspan(20, 9), all.subspan(40, 10)), Error);
  EXPECT_THROW(pow(this->engine_, all.first(10), all.subspan(20, 10), all.subspan(25, 10)), Error);
  EXPECT_EQ(memory, std::vector<T>(100, T{0.5}));
  exp(this->engine_, all.first(0), all.first(0));
  std::vector<T> expected(100);
  exp(this->engine_, memory, expected);
  exp(this->engine_, memory, memory);  // in place
  EXPECT_EQ(memory, expected);
}

}  // namespace
}  // namespace furrow
