// Scans by operations that do not commute, in place, with wider results, streamed, and with bad input.
#include "furrow/kernels/scans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

/// Around runs (512 elements make eight), chunks and groups of chunks.
const std::vector<std::size_t> kSizes{0, 1, 2, 7, 511, 512, 513, 1023, 1024, 1025, 4099, 65'537, 300'007};

/// x ↦ a·x + b on integers that wrap; composing such maps is associative to the last bit and does not commute.
struct Affine {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  friend bool operator==(const Affine&, const Affine&) = default;
};
Affine then(const Affine& first, const Affine& second) {
  return {first.a * second.a, first.b * second.a + second.b};
}
Affine affine(std::size_t i) {
  return {static_cast<std::uint32_t>(2 * i + 3), static_cast<std::uint32_t>(i * 2654435761U)};
}

class ScansTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(ScansTest, OperationsThatDoNotCommuteKeepTheirOrder) {
  for (const std::size_t n : kSizes) {
    std::vector<Affine> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = affine(i);
    std::vector<Affine> out(n + 1, Affine{7, 7});
    inclusive_scan(engine_, x, std::span(out).first(n), then);
    Affine all;
    for (std::size_t i = 0; i < n; ++i) {
      all = i == 0 ? x[0] : then(all, x[i]);
      ASSERT_EQ(out[i], all) << i << " of " << n;
    }
    ASSERT_EQ(out[n], (Affine{7, 7})) << "wrote behind the end";
    inclusive_scan(engine_, x, x, then);
    ASSERT_TRUE(std::equal(x.begin(), x.end(), out.begin())) << "in place, " << n;
  }
}

TEST_P(ScansTest, ExclusiveOnesStandOnePlaceFurtherBack) {
  for (const std::size_t n : kSizes) {
    std::vector<Affine> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = affine(i);
    std::vector<Affine> out(n + 1, Affine{7, 7});
    const Affine init{5, 11};
    exclusive_scan(engine_, x, std::span(out).first(n), init, then);
    Affine all = init;
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(out[i], all) << i << " of " << n;
      all = then(all, x[i]);
    }
    ASSERT_EQ(out[n], (Affine{7, 7})) << "wrote behind the end";
    exclusive_scan(engine_, x, x, init, then);
    ASSERT_TRUE(std::equal(x.begin(), x.end(), out.begin())) << "in place, " << n;
  }
}

TEST_P(ScansTest, SumsOfIntegersAreThoseOfTheLoop) {
  for (const std::size_t n : kSizes) {
    std::vector<std::int32_t> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<std::int32_t>(i * 2654435761U);  // wraps
    std::vector<std::int32_t> with(n + 1, -7);
    std::vector<std::int32_t> without(n + 1, -7);
    inclusive_scan(engine_, x, std::span(with).first(n));
    exclusive_scan(engine_, x, std::span(without).first(n), 100);
    std::uint32_t all = 0;
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(without[i], static_cast<std::int32_t>(all + 100)) << i << " of " << n;
      all += static_cast<std::uint32_t>(x[i]);
      ASSERT_EQ(with[i], static_cast<std::int32_t>(all)) << i << " of " << n;
    }
    ASSERT_EQ(with[n], -7) << "wrote behind the end";
    ASSERT_EQ(without[n], -7) << "wrote behind the end";
    std::vector<std::int32_t> y = x;
    inclusive_scan(engine_, x, x);
    exclusive_scan(engine_, y, y, 100);
    ASSERT_TRUE(std::equal(x.begin(), x.end(), with.begin())) << "in place, " << n;
    ASSERT_TRUE(std::equal(y.begin(), y.end(), without.begin())) << "in place, " << n;
  }
}

TEST_P(ScansTest, OfWhatAFunctionMakesOfTheElements) {
  std::vector<std::string> words(3'000, "ab");
  std::vector<std::size_t> with(words.size());
  std::vector<std::size_t> before(words.size());
  const auto length = [](const std::string& word) { return word.size(); };
  transform_inclusive_scan(engine_, words, with, std::plus<>{}, length);
  transform_exclusive_scan(engine_, words, before, 1, std::plus<>{}, length);
  for (std::size_t i = 0; i < words.size(); ++i) {
    ASSERT_EQ(with[i], 2 * (i + 1));
    ASSERT_EQ(before[i], 2 * i + 1);
  }
}

TEST_P(ScansTest, AZeroKeepsItsSign) {
  const std::vector<double> x{-0.0, -0.0, 1.0};
  std::vector<double> out(3);
  inclusive_scan(engine_, x, out);
  EXPECT_TRUE(std::signbit(out[0]) && std::signbit(out[1]));
  exclusive_scan(engine_, x, out, -0.0);
  EXPECT_TRUE(std::signbit(out[0]) && std::signbit(out[2]));
}

TEST_P(ScansTest, StringsGrowInOrder) {
  std::vector<std::string> words(700);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<char>('a' + i % 26);
  std::vector<std::string> out(words.size());
  inclusive_scan(engine_, words, out, std::plus<>{});
  std::string all;
  for (std::size_t i = 0; i < words.size(); ++i) ASSERT_EQ(out[i], all += words[i]);
}

TEST_P(ScansTest, AWiderOutputDoesNotOverflow) {
  const std::vector<std::int32_t> x(70'003, std::numeric_limits<std::int32_t>::max());
  std::vector<std::int64_t> out(x.size());
  inclusive_scan(engine_, x, out);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], static_cast<std::int64_t>(i + 1) * x[0]);
  const std::vector<unsigned char> flags(70'003, 1);
  std::vector<std::size_t> positions(flags.size());
  inclusive_scan(engine_, flags, positions);
  EXPECT_EQ(positions.back(), flags.size());
}

TEST_P(ScansTest, OtherOperations) {
  std::vector<int> x(50'000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int>(i * 7919 % 50'021);
  std::vector<int> out(x.size());
  inclusive_scan(engine_, x, out, [](int a, int b) { return std::max(a, b); });
  int largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], largest = std::max(largest, x[i]));
}

TEST_P(ScansTest, StreamedResultsAreRightAtAnyStart) {
  const std::size_t n = machine().stream_above() / (2 * sizeof(std::int64_t)) + 10'007;  // more than stays in cache
  const Array<std::int64_t> x(engine_, n, 3);
  Array<std::int64_t> out(engine_, n + 4, -1);
  for (const std::size_t shift : {0, 1, 3}) {
    out[n + shift] = -1;
    inclusive_scan(engine_, x, std::span(out).subspan(shift, n));
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(out[shift + i], 3 * static_cast<std::int64_t>(i + 1)) << i << ", shifted by " << shift;
    ASSERT_EQ(out[n + shift], -1);
  }
}

TEST_P(ScansTest, EmptyAndBadInput) {
  std::vector<double> memory(300, 1.0);
  const std::vector<double> before = memory;
  const std::span<double> all(memory);
  const std::vector<double> none;
  inclusive_scan(engine_, none, all.first(0));
  EXPECT_NE(message_of([&] { inclusive_scan(engine_, all.first(100), all.subspan(100, 99)); }).find("100 and 99"),
            std::string::npos);
  EXPECT_THROW(inclusive_scan(engine_, none, all), Error);
  for (std::size_t shift = 1; shift < 100; shift += 9) {
    EXPECT_THROW(inclusive_scan(engine_, all.first(100), all.subspan(shift, 100)), Error) << shift;
    EXPECT_THROW(inclusive_scan(engine_, all.subspan(shift, 100), all.first(100)), Error) << shift;
  }
  EXPECT_THROW(inclusive_scan(engine_, std::span(static_cast<double*>(nullptr), 9), all.first(9)), Error);
  auto* const crooked = reinterpret_cast<double*>(reinterpret_cast<char*>(memory.data()) + 4);
  EXPECT_THROW(inclusive_scan(engine_, all.subspan(100, 9), std::span(crooked, 9)), Error);
  EXPECT_EQ(memory, before);
}

TEST_P(ScansTest, ExceptionsReachTheCaller) {
  std::vector<int> x(50'000, 1);
  EXPECT_THROW(inclusive_scan(engine_, x, x, [](int a, int b) { return a + b > 20'000 ? throw Error("large") : a + b; }), Error);
  std::vector<int> y(50'000, 1);
  inclusive_scan(engine_, y, y);
  EXPECT_EQ(y.back(), 50'000) << "unusable afterwards";
}

INSTANTIATE_TEST_SUITE_P(All, ScansTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
