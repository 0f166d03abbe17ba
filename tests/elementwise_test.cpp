// The named element-wise kernels on IEEE 754's special values and on integers' limits, and with bad input. Ordinary values at all
// sizes are table_test's.
#include "furrow/kernels/elementwise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

/// Equal bits, or both NaN.
template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b && std::signbit(a) == std::signbit(b);
  } else {
    return a == b;
  }
}

template <class T>
std::vector<T> specials() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_integral_v<T>) {
    return {0, 1, static_cast<T>(-1), 2, 3, L::min(), L::max(), L::min() + 1, L::max() - 1, L::max() / 2 + 1};
  } else {
    return {T{0},         -T{0},      1,        -1,          T(0.1),       L::infinity(),   -L::infinity(),   L::quiet_NaN(),
            L::min(),     -L::min(),  L::max(), L::lowest(), L::epsilon(), L::denorm_min(), -L::denorm_min(), L::min() / 2,
            L::max() / 2, T{3} / T{7}};
  }
}

template <class T>
T wrapping(T a, T b, bool product) {
  if constexpr (std::is_floating_point_v<T>)
    return product ? a * b : a + b;
  else {
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    return static_cast<T>(product ? x * y : x + y);
  }
}

template <class T>
class ElementwiseTest : public testing::Test {};
using Types = testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(ElementwiseTest, Types);

TYPED_TEST(ElementwiseTest, SpecialValuesComeOutAsPlainArithmeticHasThem) {
  using T = TypeParam;
  // Every pair of special values, so that each falls into SIMD registers and into tails.
  std::vector<T> a;
  std::vector<T> b;
  for (const T x : specials<T>())
    for (const T y : specials<T>()) a.push_back(x), b.push_back(y);
  const T s = specials<T>()[4];
  const std::size_t n = a.size();
  const auto add = [](T x, T y) { return wrapping(x, y, false); };
  const auto mul = [](T x, T y) { return wrapping(x, y, true); };
  for (const std::string& backend : backends()) {
    Engine engine(backend, {.concurrency = 2, .serial_below = 0});
    const auto expect = [&](const char* kernel, const std::vector<T>& out, auto expected) {
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_TRUE(same(out[i], expected(i)))
            << kernel << " of " << a[i] << ", " << b[i] << ": " << out[i] << ", not " << expected(i);
    };
    std::vector<T> out(n);
    furrow::copy(engine, a, out);
    EXPECT_EQ(std::memcmp(out.data(), a.data(), n * sizeof(T)), 0) << "copy keeps NaN payloads too";
    const T zero = static_cast<T>(-T{0});
    furrow::fill(engine, out, zero);
    expect("fill", out, [&](std::size_t) { return zero; });
    furrow::square(engine, a, out);
    expect("square", out, [&](std::size_t i) { return mul(a[i], a[i]); });
    furrow::add(engine, a, b, out);
    expect("add", out, [&](std::size_t i) { return add(a[i], b[i]); });
    furrow::mul(engine, a, b, out);
    expect("mul", out, [&](std::size_t i) { return mul(a[i], b[i]); });
    furrow::triad(engine, a, b, s, out);
    expect("triad", out, [&](std::size_t i) { return add(a[i], mul(s, b[i])); });
    out = b;
    furrow::axpy(engine, s, a, out);
    expect("axpy", out, [&](std::size_t i) { return add(mul(s, a[i]), b[i]); });
    const auto negated = [](T v) { return std::is_floating_point_v<T> ? static_cast<T>(-v) : wrapping(T(-1), v, true); };
    const auto negative = [](T v) {
      if constexpr (std::is_floating_point_v<T>) return std::signbit(v);
      return std::is_signed_v<T> && v < 0;
    };
    furrow::neg(engine, a, out);
    expect("neg", out, [&](std::size_t i) { return negated(a[i]); });
    furrow::abs(engine, a, out);
    expect("abs", out, [&](std::size_t i) { return negative(a[i]) ? negated(a[i]) : a[i]; });
    furrow::sub(engine, a, b, out);
    expect("sub", out, [&](std::size_t i) { return add(a[i], negated(b[i])); });
    furrow::div(engine, a, b, out);
    expect("div", out, [&](std::size_t i) {
      if constexpr (std::is_integral_v<T>)
        return b[i] == 0 ? T{0} : std::is_signed_v<T> && b[i] == T(-1) ? negated(a[i]) : static_cast<T>(a[i] / b[i]);
      return static_cast<T>(a[i] / b[i]);
    });
    const auto least = [&](T x, T y) { return x != x ? x : y != y ? y : x == y ? (negative(x) ? x : y) : x < y ? x : y; };
    const auto most = [&](T x, T y) { return x != x ? x : y != y ? y : x == y ? (negative(x) ? y : x) : x < y ? y : x; };
    furrow::minimum(engine, a, b, out);
    expect("minimum", out, [&](std::size_t i) { return least(a[i], b[i]); });
    furrow::maximum(engine, a, b, out);
    expect("maximum", out, [&](std::size_t i) { return most(a[i], b[i]); });
    furrow::clamp(engine, a, zero, 2, out);
    expect("clamp", out, [&](std::size_t i) { return least(most(a[i], zero), 2); });
    if constexpr (std::is_floating_point_v<T>) {
      const std::vector<T> c(a.rbegin(), a.rend());
      furrow::fma(engine, a, b, c, out);
      expect("fma", out, [&](std::size_t i) { return std::fma(a[i], b[i], c[i]); });
      furrow::sqrt(engine, a, out);
      expect("sqrt", out, [&](std::size_t i) { return std::sqrt(a[i]); });
      std::vector<T> tiny(n, std::numeric_limits<T>::denorm_min());
      furrow::add(engine, tiny, tiny, out);
      expect("add of denormals", out, [&](std::size_t) { return 2 * std::numeric_limits<T>::denorm_min(); });
    }
  }
}

TYPED_TEST(ElementwiseTest, MultipliesAndAddsWithOneRounding) {
  using T = TypeParam;
  if constexpr (std::is_floating_point_v<T>) {
    Engine engine("serial");
    const T e = std::numeric_limits<T>::epsilon();
    // (1 + e)(1 − e) − 1 is −e², which is lost where the product is rounded first.
    std::vector<T> a(37, 1 + e), b(37, 1 - e), c(37, -1), out(37);
    furrow::fma(engine, a, b, c, out);
    EXPECT_EQ(out, std::vector<T>(37, -e * e));
  }
}

TYPED_TEST(ElementwiseTest, ClampRefusesBoundsThatAreNone) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> x(5, 7);
  EXPECT_THROW(furrow::clamp(engine, x, 3, 2, x), Error);
  if constexpr (std::is_floating_point_v<T>) {
    EXPECT_THROW(furrow::clamp(engine, x, std::numeric_limits<T>::quiet_NaN(), 2, x), Error);
    EXPECT_THROW(furrow::clamp(engine, x, 2, std::numeric_limits<T>::quiet_NaN(), x), Error);
  }
  EXPECT_EQ(x, std::vector<T>(5, 7));
  furrow::clamp(engine, x, 3, 3, x);
  EXPECT_EQ(x, std::vector<T>(5, 3));
}

TYPED_TEST(ElementwiseTest, TheOutputMayBeAnyInput) {
  using T = TypeParam;
  Engine engine(backends().at(1), {.concurrency = 3, .serial_below = 0});
  const auto all = [](const std::vector<T>& x, T value) { return std::ranges::all_of(x, [&](T v) { return v == value; }); };
  std::vector<T> x(70'001, 3);
  std::vector<T> y(70'001, 4);
  square(engine, x, x);
  EXPECT_TRUE(all(x, 9));
  furrow::add(engine, x, y, x);
  EXPECT_TRUE(all(x, 13));
  furrow::mul(engine, y, x, x);
  EXPECT_TRUE(all(x, 52));
  furrow::add(engine, y, y, y);
  EXPECT_TRUE(all(y, 8));
  furrow::axpy(engine, 2, y, y);
  EXPECT_TRUE(all(y, 24));
  furrow::triad(engine, x, y, 1, y);
  EXPECT_TRUE(all(y, 76));
  furrow::copy(engine, y, y);
  EXPECT_TRUE(all(y, 76));
}

TYPED_TEST(ElementwiseTest, StreamedResultsAreThoseOfThePlainLoopAtAnyStart) {
  using T = TypeParam;
  Engine engine(backends().at(1), {.concurrency = 3, .serial_below = 0});
  const std::size_t n = machine().stream_above() / (2 * sizeof(T)) + 10'007;
  Array<T> x(engine, n + 3);
  Array<T> y(engine, n + 4);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i % 1000);
  for (const std::size_t shift : {0, 1, 3}) {
    fill(engine, y, 7);
    square(engine, std::span(x).subspan(3 - shift, n), std::span(y).subspan(shift, n));
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(y[i + shift], wrapping(x[i + 3 - shift], x[i + 3 - shift], true)) << i << ", shifted by " << shift;
    ASSERT_EQ(y[n + shift], 7);
    ASSERT_TRUE(shift == 0 || y[shift - 1] == 7);
  }
}

TYPED_TEST(ElementwiseTest, BadInputIsRefusedBeforeAnythingIsWritten) {
  using T = TypeParam;
  for (const std::string& backend : backends()) {
    Engine engine(backend, {.concurrency = 2, .serial_below = 0});
    std::vector<T> memory(300, 5);
    const std::vector<T> before = memory;
    const std::span<T> all(memory);
    const std::vector<T> none;
    EXPECT_NE(message_of([&] { copy(engine, all.first(10), all.subspan(100, 11)); }).find("10 and 11"), std::string::npos);
    EXPECT_THROW(furrow::add(engine, all.first(100), all.subspan(100, 99), all.subspan(200)), Error);
    EXPECT_THROW(furrow::add(engine, all.first(99), all.subspan(100, 100), all.subspan(200)), Error);
    EXPECT_THROW(furrow::axpy(engine, 2, all.first(99), all.subspan(200)), Error);
    EXPECT_THROW(furrow::copy(engine, none, all), Error) << "an empty input, whose pointer is null";
    EXPECT_THROW(furrow::add(engine, all.first(100), none, all.subspan(200)), Error);
    EXPECT_THROW(furrow::mul(engine, none, none, all), Error);
    EXPECT_THROW(furrow::axpy(engine, 2, none, all), Error);
    for (std::size_t shift = 1; shift < 100; shift += 9) {
      EXPECT_THROW(furrow::square(engine, all.first(100), all.subspan(shift, 100)), Error) << shift;
      EXPECT_THROW(furrow::triad(engine, all.subspan(200), all.subspan(shift, 100), 2, all.first(100)), Error) << shift;
      EXPECT_THROW(furrow::axpy(engine, 2, all.first(100), all.subspan(shift, 100)), Error) << shift;
    }
    EXPECT_THROW(furrow::fill(engine, std::span(static_cast<T*>(nullptr), 4), 1), Error);
    EXPECT_THROW(furrow::copy(engine, std::span(static_cast<const T*>(nullptr), 100), all.first(100)), Error);
    if constexpr (alignof(T) > 1) {
      auto* const crooked = reinterpret_cast<T*>(reinterpret_cast<char*>(memory.data()) + 1);
      EXPECT_NE(message_of([&] { furrow::fill(engine, std::span(crooked, 4), 1); }).find("aligned"), std::string::npos);
    }
    EXPECT_EQ(memory, before);
  }
}

TYPED_TEST(ElementwiseTest, EmptyRangesAreFine) {
  using T = TypeParam;
  Engine engine(backends().at(1));
  std::vector<T> none;
  fill(engine, none, 1);
  copy(engine, none, none);
  furrow::triad(engine, none, none, 2, none);
  EXPECT_EQ(engine.last_run().serial, Serial::no_work);
}

}  // namespace
}  // namespace furrow
