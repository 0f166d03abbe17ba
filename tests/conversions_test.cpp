// Conversions between all pairs of types at the limits of both.
#include "furrow/kernels/conversions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"

namespace furrow {
namespace {

template <class To, class From>
void expect(std::initializer_list<From> in, std::initializer_list<To> expected) {
  // Often enough that each value falls into SIMD registers and into tails.
  std::vector<From> from;
  std::vector<To> to;
  for (int k = 0; k < 65; ++k) {
    from.insert(from.end(), in);
    to.insert(to.end(), expected);
  }
  std::vector<To> out(from.size());
  Engine engine(backends().at(1), {.concurrency = 2, .serial_below = 0});
  convert(engine, from, out);
  for (std::size_t i = 0; i < to.size(); ++i) {
    if constexpr (std::is_floating_point_v<To>) {
      ASSERT_EQ(std::isnan(out[i]), std::isnan(to[i])) << from[i];
      if (std::isnan(to[i])) continue;
      ASSERT_EQ(std::signbit(out[i]), std::signbit(to[i])) << from[i];
    }
    ASSERT_EQ(out[i], to[i]) << from[i];
  }
}

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr float kInfF = std::numeric_limits<float>::infinity();
constexpr float kNaNF = std::numeric_limits<float>::quiet_NaN();
constexpr auto kMax32 = std::numeric_limits<std::int32_t>::max();
constexpr auto kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr auto kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin64 = std::numeric_limits<std::int64_t>::min();

TEST(Conversions, ToIntegersCutAndSaturateAndNaNIsZero) {
  expect<std::int32_t, double>(
      {1.9, -1.9, -0.0, 2147483647.5, 2147483648.0, -2147483648.9, -2147483649.0, 1e300, kInf, -kInf, kNaN},
      {1, -1, 0, kMax32, kMax32, kMin32, kMin32, kMax32, kMax32, kMin32, 0});
  expect<std::int64_t, double>({2.5, -0x1p63, -0x1.0000000000001p63, 0x1p63, 0x1.fffffffffffffp62, kInf, -kInf, kNaN},
                               {2, kMin64, kMin64, kMax64, 0x7ffffffffffffc00, kMax64, kMin64, 0});
  expect<std::int32_t, float>({1.5F, 0x1p31F, 0x1.fffffep30F, -0x1p31F, -0x1.000002p31F, kInfF, -kInfF, kNaNF},
                              {1, kMax32, 2147483520, kMin32, kMin32, kMax32, kMin32, 0});
  expect<std::int64_t, float>({-7.9F, 0x1p63F, 0x1.fffffep62F, -0x1p63F, kInfF, -kInfF, kNaNF},
                              {-7, kMax64, 0x7fffff8000000000, kMin64, kMax64, kMin64, 0});
  expect<std::uint8_t, double>({0.9, -0.9, 255.9, 256.0, -1.0, kInf, -kInf, kNaN}, {0, 0, 255, 255, 0, 255, 0, 0});
  expect<std::uint8_t, float>({0.9F, 254.99F, 1e30F, -1e30F, kNaNF}, {0, 254, 255, 0, 0});
}

TEST(Conversions, BetweenIntegersSaturate) {
  expect<std::int32_t, std::int64_t>({kMax64, kMin64, kMax32, std::int64_t{kMax32} + 1, std::int64_t{kMin32} - 1, -5},
                                     {kMax32, kMin32, kMax32, kMax32, kMin32, -5});
  expect<std::uint8_t, std::int32_t>({-1, 0, 255, 256, kMin32, kMax32}, {0, 0, 255, 255, 0, 255});
  expect<std::uint8_t, std::int64_t>({-1, 17, 256, kMin64, kMax64}, {0, 17, 255, 0, 255});
  expect<std::int64_t, std::int32_t>({kMin32, kMax32, -1}, {kMin32, kMax32, -1});
  expect<std::int64_t, std::uint8_t>({0, 255}, {0, 255});
  expect<std::int32_t, std::uint8_t>({0, 255}, {0, 255});
}

TEST(Conversions, ToFractionsRoundToNearest) {
  expect<float, double>({0.1, 1e300, -1e300, 0x1.fffffefp127, 1e-60, -1e-60, -0.0, kInf, kNaN},
                        {0.1F, kInfF, -kInfF, 0x1.fffffep127F, 0.0F, -0.0F, -0.0F, kInfF, kNaNF});
  expect<double, float>({0.1F, -0.0F, 0x1p-149F, -kInfF, kNaNF}, {double{0.1F}, -0.0, 0x1p-149, -kInf, kNaN});
  expect<double, std::int64_t>({kMax64, kMin64, (std::int64_t{1} << 53) + 1}, {0x1p63, -0x1p63, 0x1p53});
  expect<float, std::int64_t>({kMax64, (std::int64_t{1} << 54) + (std::int64_t{1} << 30) + 1}, {0x1p63F, 0x1.000002p54F});
  expect<float, std::int32_t>({kMax32, 16777217, -3}, {0x1p31F, 16777216.0F, -3.0F});
  expect<double, std::int32_t>({kMax32, kMin32}, {2147483647.0, -2147483648.0});
  expect<double, std::uint8_t>({0, 255}, {0.0, 255.0});
  expect<float, std::uint8_t>({0, 255}, {0.0F, 255.0F});
}

TEST(Conversions, OfOneTypeCopy) {
  expect<std::uint8_t, std::uint8_t>({0, 128, 255}, {0, 128, 255});
  expect<double, double>({-0.0, kNaN, kInf}, {-0.0, kNaN, kInf});
}

TEST(Conversions, BadInputIsRefused) {
  Engine engine("serial");
  std::vector<double> x(20, 1.5);
  std::vector<float> y(19);
  EXPECT_THROW(convert(engine, x, y), Error);
  const std::span<float> inside(reinterpret_cast<float*>(x.data()), 20);
  EXPECT_THROW(convert(engine, x, inside), Error) << "narrowing in place is not for threads";
  EXPECT_THROW(convert(engine, std::span(x).first(10), std::span(x).subspan(1, 10)), Error);
  convert(engine, x, x);
  EXPECT_EQ(x, std::vector<double>(20, 1.5));
  convert(engine, std::span(x).first(0), std::span(y).first(0));
}

}  // namespace
}  // namespace furrow
