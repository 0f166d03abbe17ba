// Named reductions on special values; reduce and transform_reduce by operations that do not commute; parts of a larger whole.
#include "furrow/kernels/reductions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

const std::vector<std::size_t> kSizes{0, 1, 2, 7, 63, 64, 65, 129, 1000, 8191, 8192, 8193, 16'385, 100'003};

std::vector<double> random_numbers(std::size_t n) {
  std::mt19937_64 random(n + 1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> x(n);
  for (double& v : x) v = uniform(random);
  return x;
}

/// 2 × 2 matrices of integers that wrap: multiplication is associative to the last bit and does not commute.
struct Matrix {
  std::array<std::uint32_t, 4> m{1, 0, 0, 1};
  friend bool operator==(const Matrix&, const Matrix&) = default;
  friend Matrix operator*(const Matrix& a, const Matrix& b) {
    return {{a.m[0] * b.m[0] + a.m[1] * b.m[2], a.m[0] * b.m[1] + a.m[1] * b.m[3], a.m[2] * b.m[0] + a.m[3] * b.m[2],
             a.m[2] * b.m[1] + a.m[3] * b.m[3]}};
  }
};

Matrix matrix(std::uint32_t i) {
  return {{i * 2654435761U + 1, i, i * i + 3, i * 40503U + 7}};
}

class ReductionsTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(ReductionsTest, OperationsThatDoNotCommuteKeepTheirOrder) {
  for (const std::size_t n : kSizes) {
    std::vector<std::uint32_t> numbers(n);
    std::vector<Matrix> matrices(n);
    Matrix expected = matrix(99);
    for (std::size_t i = 0; i < n; ++i) {
      numbers[i] = static_cast<std::uint32_t>(i);
      matrices[i] = matrix(numbers[i]);
      expected = expected * matrices[i];
    }
    ASSERT_EQ(reduce(engine_, matrices, matrix(99), std::multiplies<>{}), expected) << n;
    ASSERT_EQ(transform_reduce(engine_, numbers, matrix(99), std::multiplies<>{}, matrix), expected) << n;
    ASSERT_EQ(transform_reduce(engine_, numbers, numbers, matrix(99), std::multiplies<>{},
                               [](std::uint32_t a, std::uint32_t b) { return matrix(a / 2 + b - b / 2); }),
              [&] {
                Matrix all = matrix(99);
                for (const std::uint32_t i : numbers) all = all * matrix(i / 2 + i - i / 2);
                return all;
              }())
        << n;
  }
}

TEST_P(ReductionsTest, StringsAreJoinedInOrder) {
  for (const std::size_t n : {0, 1, 2, 100, 129, 5000}) {
    std::vector<std::string> words(n);
    std::string expected = ">";
    for (std::size_t i = 0; i < n; ++i) expected += words[i] = std::to_string(i) + ",";
    ASSERT_EQ(reduce(engine_, words, std::string(">"), std::plus<>{}), expected) << n;
    ASSERT_EQ(transform_reduce(engine_, words, std::size_t{0}, std::plus<>{}, [](const std::string& word) { return word.size(); }),
              expected.size() - 1);
  }
}

TEST_P(ReductionsTest, WiderResultsAndOtherOperations) {
  const std::vector<std::int32_t> x(100'000, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(reduce(engine_, x, std::int64_t{1}, std::plus<>{}),
            100'000 * std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1);
  const auto larger = [](double a, double b) { return std::max(a, b); };
  std::vector<double> y = random_numbers(70'000);
  y[69'999] = 5;
  EXPECT_EQ(reduce(engine_, y, -1.0, larger), 5);
  EXPECT_EQ(reduce(engine_, y, 7.0, larger), 7);
}

TEST_P(ReductionsTest, TheFunctorIsCalledOncePerElement) {
  const std::vector<int> x(10'001, 1);
  std::atomic<int> calls{0};
  EXPECT_EQ(transform_reduce(engine_, x, 0, std::plus<>{}, [&](int v) { return ++calls, v; }), 10'001);
  EXPECT_EQ(calls, 10'001);
}

TEST_P(ReductionsTest, ExceptionsReachTheCaller) {
  const std::vector<int> x(10'000, 1);
  EXPECT_EQ(message_of([&] { reduce(engine_, x, 0, [](int a, int b) -> int { throw Error(std::to_string(a + b)); }); }), "2");
  EXPECT_EQ(reduce(engine_, x, 0, std::plus<>{}), 10'000) << "unusable afterwards";
}

TEST_P(ReductionsTest, MinAndMaxOfSpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t n : {1, 2, 31, 32, 33, 100, 8191, 8193, 30'000}) {
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      const auto with = [&](double value, double rest) {
        std::vector<double> x(n, rest);
        x[at] = value;
        return x;
      };
      ASSERT_TRUE(std::isnan(min(engine_, with(nan, 1)))) << at << " of " << n;
      ASSERT_TRUE(std::isnan(max(engine_, with(nan, inf)))) << at << " of " << n;
      ASSERT_EQ(min(engine_, with(-inf, -1e308)), -inf);
      ASSERT_EQ(max(engine_, with(inf, 1e308)), inf);
      ASSERT_EQ(min(engine_, with(1, inf)), 1);
      ASSERT_EQ(max(engine_, with(-1, -inf)), -1);
      ASSERT_EQ(min(engine_, with(5e-324, 1e-300)), 5e-324) << "a denormal";
      ASSERT_TRUE(std::signbit(min(engine_, with(-0.0, 0.0)))) << "-0 is less than +0; at " << at << " of " << n;
      ASSERT_FALSE(std::signbit(max(engine_, with(0.0, -0.0)))) << at << " of " << n;
      ASSERT_EQ(std::signbit(min(engine_, with(0.0, -0.0))), n > 1);
      ASSERT_EQ(std::signbit(max(engine_, with(-0.0, 0.0))), n == 1);
      ASSERT_TRUE(std::signbit(max(engine_, with(-0.0, -1.0))));
      ASSERT_FALSE(std::signbit(min(engine_, with(0.0, 1.0))));
    }
  }
  for (const std::size_t n : {1, 1000, 20'000}) {
    std::vector<std::int64_t> x(n, 5);
    x[n - 1] = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(min(engine_, x), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(max(engine_, x), n == 1 ? x[0] : 5);
  }
}

TEST_P(ReductionsTest, ArgminAndArgmaxTakeTheFirst) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t n : {3, 100, 8193, 30'000}) {
    std::vector<double> x(n, 1.0);
    EXPECT_EQ(argmin(engine_, x), 0U);
    EXPECT_EQ(argmax(engine_, x), 0U);
    x[n / 2] = x[n - 1] = -2;
    EXPECT_EQ(argmin(engine_, x), n / 2);
    x[n / 2] = x[n - 1] = 2;
    EXPECT_EQ(argmax(engine_, x), n / 2);
    x[n / 2] = x[n - 1] = nan;
    EXPECT_EQ(argmin(engine_, x), n / 2) << "NaN is what min gives";
    EXPECT_EQ(argmax(engine_, x), n / 2);
    std::vector<double> zeros(n, 0.0);
    zeros[n / 2] = zeros[n - 1] = -0.0;
    EXPECT_EQ(argmin(engine_, zeros), n / 2) << "-0 is less than +0";
    EXPECT_EQ(argmax(engine_, zeros), 0U);
    std::vector<std::int64_t> integers(n, 7);
    integers[n - 1] = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(argmin(engine_, integers), n - 1);
    EXPECT_EQ(minmax(engine_, integers).min, std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(minmax(engine_, integers).max, 7);
    EXPECT_TRUE(std::isnan(minmax(engine_, x).min) && std::isnan(minmax(engine_, x).max));
    EXPECT_TRUE(std::signbit(minmax(engine_, zeros).min));
    EXPECT_FALSE(std::signbit(minmax(engine_, zeros).max));
  }
}

TEST_P(ReductionsTest, NormsOfExtremeNumbers) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(norm2(engine_, std::vector<double>{0x3p600, 0x4p600}), 0x5p600) << "the squares overflow";
  EXPECT_EQ(norm2(engine_, std::vector<double>{0x3p-600, -0x4p-600}), 0x5p-600) << "the squares underflow";
  EXPECT_EQ(norm2(engine_, std::vector<double>{3 * 5e-324, 4 * 5e-324}), 5 * 5e-324);
  EXPECT_EQ(norm2(engine_, std::vector<float>{0x3p100F, 0x4p100F}), 0x5p100F);
  EXPECT_EQ(norm2(engine_, std::vector<double>(20'000, 0.0)), 0);
  EXPECT_EQ(norm2(engine_, std::vector<double>{1, -inf}), inf);
  EXPECT_TRUE(std::isnan(norm2(engine_, std::vector<double>{nan, inf})));
  EXPECT_EQ(norm_inf(engine_, std::vector<double>{1, -5, 3}), 5);
  EXPECT_EQ(norm_inf(engine_, std::vector<double>{1, -inf}), inf);
  EXPECT_TRUE(std::isnan(norm_inf(engine_, std::vector<double>{nan, inf})));
  EXPECT_EQ(norm1(engine_, std::vector<double>{1, -5, 3}), 9);
  EXPECT_TRUE(std::isnan(norm1(engine_, std::vector<double>{nan, inf})));
}

TEST_P(ReductionsTest, TheMeanOfIntegersDoesNotWrap) {
  const std::vector<std::int64_t> x(1000, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(mean(engine_, x), 0x1p63);
  EXPECT_EQ(mean(engine_, std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 0}), -0x1p62);
  EXPECT_EQ(mean(engine_, std::vector<std::int32_t>{-3, 4}), 0.5);
  EXPECT_EQ(mean(engine_, std::vector<float>(3, std::numeric_limits<float>::max())), std::numeric_limits<float>::max());
}

TEST_P(ReductionsTest, SumsOfSpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const std::size_t n : {1, 2, 33, 511, 513, 8193, 20'000}) {
    ASSERT_TRUE(std::signbit(sum(engine_, std::vector<double>(n, -0.0)))) << n;
    std::vector<double> x(n, 1.0);
    ASSERT_EQ(sum(engine_, x), static_cast<double>(n));
    x[n / 2] = inf;
    ASSERT_EQ(sum(engine_, x), inf) << n;
    x[0] = -inf;
    ASSERT_EQ(std::isnan(sum(engine_, x)), n > 1) << n;
    ASSERT_TRUE(std::isnan(dot(engine_, x, std::vector<double>(n, 0.0)))) << n;
    ASSERT_EQ(sum(engine_, std::vector<double>(n, 5e-324)), static_cast<double>(n) * 5e-324);
  }
  EXPECT_FALSE(std::signbit(sum(engine_, std::vector<double>()))) << "the empty sum is +0";
}

TEST_P(ReductionsTest, IntegersAreAddedIn64BitsAndWrap) {
  const std::vector<std::int32_t> x(100'000, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(sum(engine_, x), 100'000 * std::int64_t{std::numeric_limits<std::int32_t>::min()});
  EXPECT_EQ(dot(engine_, x, x), static_cast<std::int64_t>(100'000 * (std::uint64_t{1} << 62)));
  const std::vector<std::int64_t> y(3, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(sum(engine_, y), std::numeric_limits<std::int64_t>::max() - 2);
  static_assert(std::is_same_v<sum_t<std::int32_t>, std::int64_t> && std::is_same_v<sum_t<float>, float>);
}

TEST_P(ReductionsTest, ASumIsWithinItsErrorBound) {
  const std::vector<double> x = random_numbers(1'000'003);
  long double exact = 0;
  long double absolute = 0;
  for (const double v : x) exact += v, absolute += std::abs(v);
  EXPECT_LE(std::abs(sum(engine_, x) - exact), (37 + std::log2(1'000'003.0 / 8192)) * 0x1p-53L * absolute);
}

TEST_P(ReductionsTest, EmptyAndBadInput) {
  const std::vector<double> none;
  EXPECT_EQ(sum(engine_, none), 0);
  EXPECT_EQ(dot(engine_, none, none), 0);
  EXPECT_EQ(reduce(engine_, none, 3.0, std::plus<>{}), 3);
  EXPECT_EQ(transform_reduce(engine_, none, 3.0, std::plus<>{}, [](double v) { return v; }), 3);
  EXPECT_NE(message_of([&] { min(engine_, none); }).find("min"), std::string::npos);
  EXPECT_NE(message_of([&] { max(engine_, none); }).find("empty"), std::string::npos);
  EXPECT_NE(message_of([&] { argmin(engine_, none); }).find("argmin: an empty range"), std::string::npos);
  EXPECT_THROW(argmax(engine_, none), Error);
  EXPECT_THROW(minmax(engine_, none), Error);
  EXPECT_THROW(mean(engine_, none), Error);
  EXPECT_EQ(norm1(engine_, none) + norm2(engine_, none) + norm_inf(engine_, none), 0);
  const std::vector<double> x(10, 1.0);
  EXPECT_THROW(dot(engine_, x, none), Error);
  EXPECT_THROW(dot(engine_, std::span(x).first(9), x), Error);
  EXPECT_THROW(transform_reduce(engine_, x, none, 0.0, std::plus<>{}, std::multiplies<>{}), Error);
  EXPECT_THROW(sum(engine_, std::span(static_cast<const double*>(nullptr), 5)), Error);
  const auto* const crooked = reinterpret_cast<const double*>(reinterpret_cast<const char*>(x.data()) + 2);
  EXPECT_THROW(sum(engine_, std::span(crooked, 5)), Error);
}

INSTANTIATE_TEST_SUITE_P(All, ReductionsTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

TEST(Combine, AlignedWindowsGiveTheWhole) {
  // Matrices show a wrong order, doubles a wrong shape of the tree.
  auto plus = [](double a, double b) { return a + b; };
  auto times = std::multiplies<>{};
  for (std::size_t chunks = 1; chunks < 300; ++chunks) {
    const std::vector<double> partials = random_numbers(chunks);
    std::vector<Matrix> matrices(chunks);
    for (std::size_t i = 0; i < chunks; ++i) matrices[i] = matrix(static_cast<std::uint32_t>(i));
    std::vector<double> whole = partials;
    reductions::combine(std::span(whole), plus);
    std::vector<Matrix> product = matrices;
    reductions::combine(std::span(product), times);
    Matrix expected;
    for (const Matrix& m : matrices) expected = expected * m;
    ASSERT_EQ(product[0], expected);
    for (const std::size_t window : {1, 2, 4, 16, 64, 256}) {
      std::vector<double> parts;
      for (std::size_t first = 0; first < chunks; first += window) {
        std::vector<double> part(partials.begin() + static_cast<std::ptrdiff_t>(first),
                                 partials.begin() + static_cast<std::ptrdiff_t>(std::min(first + window, chunks)));
        reductions::combine(std::span(part), plus);
        parts.push_back(part[0]);
      }
      reductions::combine(std::span(parts), plus);
      ASSERT_EQ(parts[0], whole[0]) << chunks << " chunks in windows of " << window;
    }
  }
}

TEST(Combine, SumsOfAlignedWindowsGiveTheSumOfTheWhole) {
  Engine engine(backends().at(1), {.concurrency = 2});
  const std::vector<double> x = random_numbers(1'000'003);
  const double whole = sum(engine, x);
  for (const std::size_t chunks : {1, 4, 32}) {
    const std::size_t window = chunks * named::kReductionChunk;
    std::vector<double> parts;
    for (std::size_t first = 0; first < x.size(); first += window)
      parts.push_back(sum(engine, std::span(x).subspan(first, std::min(window, x.size() - first))));
    auto join = named::join_sums<double>;
    reductions::combine(std::span(parts), join);
    EXPECT_EQ(parts[0], whole) << "windows of " << window;
  }
}

}  // namespace
}  // namespace furrow
