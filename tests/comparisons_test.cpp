// Comparisons and `where` on special values and with bad input. Ordinary values at all sizes are table_test's.
#include "furrow/kernels/comparisons.hpp"

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

template <class T>
class ComparisonsTest : public testing::Test {};
using Types = testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(ComparisonsTest, Types);

/// All pairs of some values, so that each falls into SIMD registers and into tails.
template <class T>
void pairs(std::vector<T>& a, std::vector<T>& b) {
  using L = std::numeric_limits<T>;
  std::vector<T> values{0, 1, static_cast<T>(-1), L::min(), L::max(), L::lowest()};
  if constexpr (std::is_floating_point_v<T>)
    values.insert(values.end(), {T(-0.0), L::infinity(), -L::infinity(), L::quiet_NaN(), L::denorm_min(), -L::denorm_min()});
  for (const T x : values)
    for (const T y : values) a.push_back(x), b.push_back(y);
}

TYPED_TEST(ComparisonsTest, AreThoseOfC) {
  using T = TypeParam;
  std::vector<T> a;
  std::vector<T> b;
  pairs(a, b);
  std::vector<std::uint8_t> out(a.size(), 7);
  Engine engine(backends().at(1), {.concurrency = 2, .serial_below = 0});
  const auto expect = [&](const char* name, auto holds) {
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_EQ(out[i], holds(a[i], b[i]) ? 1 : 0) << name << " of " << a[i] << ", " << b[i];
  };
  equal(engine, a, b, out);
  expect("equal", [](T x, T y) { return x == y; });
  not_equal(engine, a, b, out);
  expect("not_equal", [](T x, T y) { return x != y; });
  less(engine, a, b, out);
  expect("less", [](T x, T y) { return x < y; });
  less_equal(engine, a, b, out);
  expect("less_equal", [](T x, T y) { return x <= y; });
  greater(engine, a, b, out);
  expect("greater", [](T x, T y) { return x > y; });
  greater_equal(engine, a, b, out);
  expect("greater_equal", [](T x, T y) { return x >= y; });
}

TYPED_TEST(ComparisonsTest, WhereTakesTheVeryBits) {
  using T = TypeParam;
  std::vector<T> a;
  std::vector<T> b;
  pairs(a, b);
  std::vector<std::uint8_t> condition(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) condition[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 0 : i % 256);
  std::vector<T> out(a.size());
  Engine engine(backends().at(1), {.concurrency = 2, .serial_below = 0});
  where(engine, condition, a, b, out);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(std::memcmp(&out[i], condition[i] != 0 ? &a[i] : &b[i], sizeof(T)), 0) << i;
  where(engine, condition, a, b, b);  // in place
  EXPECT_EQ(std::memcmp(out.data(), b.data(), out.size() * sizeof(T)), 0);
}

TYPED_TEST(ComparisonsTest, BadInputIsRefused) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> x(20, 1);
  std::vector<std::uint8_t> bytes(20, 9);
  const std::span<T> all(x);
  EXPECT_THROW(equal(engine, all.first(19), all, bytes), Error);
  EXPECT_THROW(equal(engine, all, all.first(19), bytes), Error);
  EXPECT_THROW(where(engine, std::span(bytes).first(19), all, all, all), Error);
  EXPECT_THROW(where(engine, std::span(bytes).first(10), all.first(10), all.first(10), all.subspan(5, 10)), Error);
  const std::span<std::uint8_t> inside(reinterpret_cast<std::uint8_t*>(x.data()), 20);
  EXPECT_THROW(less(engine, all, all, inside), Error);
  EXPECT_THROW(where(engine, inside, all, all, all), Error);
  EXPECT_EQ(x, std::vector<T>(20, 1));
  EXPECT_EQ(bytes, std::vector<std::uint8_t>(20, 9));
  equal(engine, all.first(0), all.first(0), std::span(bytes).first(0));
}

}  // namespace
}  // namespace furrow
