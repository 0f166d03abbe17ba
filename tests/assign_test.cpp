// Fused expressions against the named kernels they stand for, one after the other: equal bits.
#include "furrow/kernels/assign.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/math.hpp"

namespace furrow {
namespace {

template <class T>
std::vector<T> numbers(std::size_t n, T shift) {
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(i * 7919 % 1009) / 64 - shift;
  return x;
}

template <class T>
class AssignTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(AssignTest, Types);

TYPED_TEST(AssignTest, HasTheBitsOfTheKernelsOneAfterTheOther) {
  using T = TypeParam;
  for (const std::string& backend : backends()) {
    Engine engine(backend, {.concurrency = 3, .serial_below = 0});
    for (const std::size_t n : {1, 2, 31, 511, 512, 513, 4099, 70'001}) {
      const std::vector<T> x = numbers<T>(n, 3);
      const std::vector<T> y = numbers<T>(n, 5);
      std::vector<T> out(n);
      assign(engine, out, 2.5 * in(x) + 0.5 * sqrt(abs(in(x))) + T(0.1));

      std::vector<T> expected(n), product(n), number(n, T(2.5));
      mul(engine, number, x, expected);
      abs(engine, x, product);
      sqrt(engine, product, product);
      fill(engine, number, T(0.5));
      mul(engine, number, product, product);
      add(engine, expected, product, expected);
      fill(engine, number, T(0.1));
      add(engine, expected, number, expected);
      ASSERT_EQ(out, expected) << backend << ", " << n;

      assign(engine, out, where(less(in(x), in(y)), exp(-in(x)), pow(abs(in(y)), 0.75)) / fma(in(x), in(x), 1));
      std::vector<T> left(n), right(n), below(n);
      neg(engine, x, left);
      exp(engine, left, left);
      abs(engine, y, right);
      fill(engine, number, T(0.75));
      pow(engine, right, number, right);
      fill(engine, number, T(1));
      fma(engine, x, x, number, below);
      for (std::size_t i = 0; i < n; ++i) expected[i] = x[i] < y[i] ? left[i] : right[i];
      div(engine, expected, below, expected);
      ASSERT_EQ(out, expected) << backend << ", " << n;
    }
  }
}

/// Where a value computed just before is any one of the operands, or none is.
TYPED_TEST(AssignTest, TakesComputedValuesInEveryPlace) {
  using T = TypeParam;
  Engine engine("serial");
  const std::size_t n = 200;
  const std::vector<T> x = numbers<T>(n, 3);
  const std::vector<T> y = numbers<T>(n, 5);
  std::vector<T> out(n);
  const auto check = [&](auto expression, auto reference) {
    assign(engine, out, expression);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], reference(x[i], y[i])) << i;
  };
  const auto a = in(x);
  const auto b = in(y);
  check(-a - b, [](T v, T w) { return -v - w; });
  check(b - -a, [](T v, T w) { return w + v; });
  check(-a - -b, [](T v, T w) { return -v + w; });
  check(sqrt(abs(a)) / (b * b + 1), [](T v, T w) { return std::sqrt(std::abs(v)) / (w * w + 1); });
  check(fma(-a, b, a), [](T v, T w) { return std::fma(-v, w, v); });
  check(fma(a, -b, a), [](T v, T w) { return std::fma(v, -w, v); });
  check(fma(a, b, -a), [](T v, T w) { return std::fma(v, w, -v); });
  check(fma(-a, -b, -a), [](T v, T w) { return std::fma(v, w, -v); });
  check(where(less(a, b), a, b), [](T v, T w) { return v < w ? v : w; });
  check(where(a, -a, b), [](T v, T w) { return v != 0 ? -v : w; });
  check(where(a, a, -b), [](T v, T w) { return v != 0 ? v : -w; });
  check(clamp(a, -abs(b), abs(b)), [](T v, T w) { return std::clamp(v, -std::abs(w), std::abs(w)); });
  check(floor(-floor(a) - b) - floor(b), [](T v, T w) { return std::floor(-std::floor(v) - w) - std::floor(w); });
}

TYPED_TEST(AssignTest, StreamedResultsAreTheSameAtAnyStart) {
  using T = TypeParam;
  Engine engine(backends().at(1), {.concurrency = 3, .serial_below = 0});
  const std::size_t n = machine().stream_above() / (2 * sizeof(T)) + 10'007;
  Array<T> x(engine, n);
  Array<T> y(engine, n + 4);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(i % 1000);
  for (const std::size_t shift : {0, 1, 3}) {
    fill(engine, y, -1);
    assign(engine, std::span(y).subspan(shift, n), sqrt(in(x)) + 1);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(y[i + shift], std::sqrt(x[i]) + 1) << i << ", shifted by " << shift;
    ASSERT_EQ(y[n + shift], -1);
    ASSERT_TRUE(shift == 0 || y[shift - 1] == -1);
  }
}

TYPED_TEST(AssignTest, TheOutputMayBeAnInput) {
  using T = TypeParam;
  Engine engine(backends().at(1), {.concurrency = 3, .serial_below = 0});
  std::vector<T> x(70'001, 3);
  const std::vector<T> y(70'001, 4);
  assign(engine, x, in(y)*in(x) + in(x));
  EXPECT_EQ(x, std::vector<T>(70'001, 15));
  assign(engine, x, in(x));
  EXPECT_EQ(x, std::vector<T>(70'001, 15));
}

TYPED_TEST(AssignTest, BadInputIsRefusedBeforeAnythingIsWritten) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> memory(300, 5);
  const std::vector<T> before = memory;
  const std::span<T> all(memory);
  EXPECT_THROW(assign(engine, all.first(10), in(all.subspan(100, 11)) + 1), Error);
  EXPECT_THROW(assign(engine, all.first(10), in(all.subspan(100, 10)) + in(all.subspan(200, 9))), Error);
  EXPECT_THROW(assign(engine, all.first(100), in(all.subspan(3, 100)) * 2), Error);
  EXPECT_THROW((void)in(std::span(static_cast<const T*>(nullptr), 4)), Error);
  EXPECT_EQ(memory, before);
  assign(engine, all.first(0), in(all.first(0)) + 1);
}

TEST(AssignOfIntegers, Wraps) {
  Engine engine("serial");
  const auto most = std::numeric_limits<std::int32_t>::max();
  const std::vector<std::int32_t> x{1, -7, most, std::numeric_limits<std::int32_t>::min()};
  std::vector<std::int32_t> out(x.size());
  assign(engine, out, in(x) + most);
  EXPECT_EQ(out, (std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), most - 7, -2, -1}));
  assign(engine, out, clamp(-in(x), -2, 5) * greater(in(x), 0));
  EXPECT_EQ(out, (std::vector<std::int32_t>{-1, 0, -2, 0}));
}

}  // namespace
}  // namespace furrow
