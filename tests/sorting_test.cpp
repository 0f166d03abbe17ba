// All sorts, on every backend, of every kind of data that has misled one before, against the standard's stable sort: equal bits.
#include "furrow/kernels/sorting.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/sorting/bucket_sort.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

const std::vector<std::size_t> kSizes = support::kSanitizer
                                            ? std::vector<std::size_t>{0, 1, 2, 129, 1000, 40'000}
                                            : std::vector<std::size_t>{0, 1, 2, 3, 24, 25, 127, 128, 129, 256, 257, 1000, 65'537};

/// The order that is promised, written down apart: numbers by <, −0 before +0, NaNs last as IEEE's total order has them, those with
/// a sign at the very end.
template <class T>
bool in_order(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    const auto rank = [](T v) { return std::isnan(v) ? (std::signbit(v) ? 2 : 1) : 0; };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (rank(a) != 0) {
      using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
      const auto x = std::bit_cast<Bits>(a);
      const auto y = std::bit_cast<Bits>(b);
      return rank(a) == 1 ? x < y : y < x;
    }
    if (a == b) return std::signbit(a) && !std::signbit(b);
  }
  return a < b;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Any bits at all: for floating-point types these are all binades, both zeros, infinities and NaNs with payloads.
template <class T>
T any_bits(std::mt19937_64& random) {
  const std::uint64_t bits = random();
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <class T>
std::vector<std::pair<std::string, std::vector<T>>> inputs(std::size_t n) {
  std::mt19937_64 random(n);
  std::vector<std::pair<std::string, std::vector<T>>> all;
  const auto add = [&](const char* name, auto&& value) {
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(value(i));
    all.emplace_back(name, std::move(x));
  };
  add("any bits", [&](std::size_t) { return any_bits<T>(random); });
  add("sorted", [&](std::size_t i) { return static_cast<T>(std::min<std::size_t>(i, 100'000) / 1000); });
  add("reversed", [&](std::size_t i) { return static_cast<T>((n - i) % (sizeof(T) == 1 ? 128 : 30'000)); });
  add("equal", [](std::size_t) { return T{7}; });
  add("few", [&](std::size_t) { return static_cast<T>(random() % 3); });
  add("mostly equal", [&](std::size_t) { return random() % 8 == 0 ? any_bits<T>(random) : T{5}; });
  add("last out of place", [&](std::size_t i) { return i + 1 == n ? T{0} : static_cast<T>(1 + std::min<std::size_t>(i, 100)); });
  if constexpr (std::is_floating_point_v<T>) {
    add("in [0, 1)", [&](std::size_t) { return static_cast<double>(random() >> 11) * 0x1p-53; });
    add("two clusters",
        [&](std::size_t) { return (random() % 2 == 0 ? 1.0 : -1e30) * (1 + static_cast<double>(random() % 50) * 1e-14); });
    using Limits = std::numeric_limits<T>;
    const std::vector<T> specials{T{0},
                                  T{-0.0},
                                  Limits::infinity(),
                                  -Limits::infinity(),
                                  Limits::quiet_NaN(),
                                  -Limits::quiet_NaN(),
                                  Limits::denorm_min(),
                                  -Limits::denorm_min(),
                                  Limits::max(),
                                  Limits::lowest()};
    add("specials", [&](std::size_t) { return specials[random() % specials.size()]; });
  }
  return all;
}

class SortingTest : public testing::TestWithParam<std::string> {
 protected:
  template <class T>
  void sorts_all() {
    for (const std::size_t n : kSizes) {
      for (const auto& named : inputs<T>(n)) {
        const std::vector<T>& input = named.second;
        SCOPED_TRACE(named.first + ", " + std::to_string(n));
        std::vector<T> expected = input;
        std::stable_sort(expected.begin(), expected.end(), in_order<T>);
        std::vector<T> x = input;
        sort(engine_, x);
        ASSERT_TRUE(same_bits(x, expected));
        x = input;
        sort(engine_, x, std::less<>{});
        ASSERT_TRUE(same_bits(x, expected)) << "std::less";
        x = input;
        sort(engine_, x, std::greater<T>{});
        std::reverse(x.begin(), x.end());
        ASSERT_TRUE(same_bits(x, expected)) << "std::greater";
        if (n > 0) {
          for (const std::size_t nth : {std::size_t{0}, n / 3, n - 1}) {
            x = input;
            nth_element(engine_, x, nth);
            ASSERT_EQ(0, std::memcmp(&x[nth], &expected[nth], sizeof(T)));
            std::vector<T> before = input;
            const auto less = [&](T v) { return in_order(v, expected[nth]); };
            const auto not_greater = [&](T v) { return !in_order(expected[nth], v); };
            std::stable_partition(before.begin(), before.end(), not_greater);
            std::stable_partition(before.begin(), before.end(), less);
            ASSERT_TRUE(same_bits(x, before) || std::is_sorted(input.begin(), input.end(), in_order<T>)) << "nth_element " << nth;
          }
        }
        std::vector<std::uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return in_order(input[a], input[b]); });
        std::vector<std::uint32_t> narrow(n);
        argsort(engine_, input, narrow);
        ASSERT_EQ(narrow, order) << "argsort";
        std::vector<std::int64_t> wide(n);
        argsort(engine_, input, wide);
        ASSERT_TRUE(std::equal(wide.begin(), wide.end(), order.begin(), order.end())) << "argsort to 64 bits";
        std::vector<T> keys = input;
        std::vector<double> values(n);
        std::iota(values.begin(), values.end(), 0.0);
        sort_by_key(engine_, keys, values);
        ASSERT_TRUE(same_bits(keys, expected)) << "sort_by_key, keys";
        ASSERT_TRUE(std::equal(values.begin(), values.end(), order.begin(), order.end())) << "sort_by_key, values";
        keys = input;
        std::vector<std::uint32_t> small(n);
        std::iota(small.begin(), small.end(), 0U);
        sort_by_key(engine_, keys, small);
        ASSERT_TRUE(same_bits(keys, expected)) << "sort_by_key, keys";
        ASSERT_EQ(small, order) << "sort_by_key, values of four bytes";
      }
    }
  }

  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(SortingTest, Double) {
  sorts_all<double>();
}
TEST_P(SortingTest, Float) {
  sorts_all<float>();
}
TEST_P(SortingTest, Int32) {
  sorts_all<std::int32_t>();
}
TEST_P(SortingTest, Int64) {
  sorts_all<std::int64_t>();
}
TEST_P(SortingTest, UInt64) {
  sorts_all<unsigned long long>();
}
TEST_P(SortingTest, UInt8) {
  sorts_all<std::uint8_t>();
}
TEST_P(SortingTest, Int8) {
  sorts_all<signed char>();
}
TEST_P(SortingTest, Int16) {
  sorts_all<std::int16_t>();
}

TEST_P(SortingTest, LargeAndSkewed) {
  if (support::kSanitizer) GTEST_SKIP() << "too slow";
  // Buckets too large for one thread, streamed results, a start that is not aligned.
  const std::size_t n = (std::size_t{5} << 20) + 77;
  std::mt19937_64 random(1);
  std::vector<double> memory(n + 1);
  const std::span<double> x = std::span(memory).subspan(1);
  for (int kind = 0; kind < 4; ++kind) {
    for (double& v : x) {
      const std::uint64_t bits = random();
      v = kind == 0   ? static_cast<double>(bits >> 11) * 0x1p-53
          : kind == 1 ? static_cast<double>(bits % 3)
          : kind == 2
              ? (bits % 2 == 0 ? 1.0 : std::ldexp(1.0 + static_cast<double>(bits >> 40), static_cast<int>(bits % 600) - 300))
              : 1.0 + static_cast<double>(bits % 8) * 1e-15;
    }
    x[n / 2] = -1e300;
    std::vector<std::size_t> indices(n);
    argsort(engine_, x, indices);
    std::vector<double> by_index(n);
    for (std::size_t i = 0; i < n; ++i) by_index[i] = x[indices[i]];
    for (std::size_t i = 1; i < n; ++i)
      ASSERT_TRUE(by_index[i - 1] < by_index[i] || (by_index[i - 1] == by_index[i] && indices[i - 1] < indices[i]))
          << kind << ", " << i;
    std::vector<double> expected(x.begin(), x.end());
    std::sort(expected.begin(), expected.end());
    sort(engine_, x);
    ASSERT_TRUE(std::equal(x.begin(), x.end(), expected.begin())) << kind;
    ASSERT_EQ(by_index, expected);
  }
}

TEST_P(SortingTest, ByComparisonEqualsTheStableSort) {
  struct Item {
    std::int32_t key;
    std::uint32_t place;
    bool operator==(const Item&) const = default;
  };
  const auto less = [](const Item& a, const Item& b) { return a.key < b.key; };
  for (const std::size_t n : kSizes) {
    std::mt19937_64 random(n);
    for (const int distinct : {1, 2, 100, 1 << 30}) {
      std::vector<Item> x(n);
      for (std::size_t i = 0; i < n; ++i)
        x[i] = {static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(distinct)), static_cast<std::uint32_t>(i)};
      if (distinct == 2) std::reverse(x.begin(), x.end());
      std::vector<Item> expected = x;
      std::stable_sort(expected.begin(), expected.end(), less);
      sort(engine_, x, less);
      ASSERT_TRUE(x == expected) << n << ", " << distinct;
      stable_sort(engine_, x, [](const Item& a, const Item& b) { return a.key > b.key; });
      std::stable_sort(expected.begin(), expected.end(), [](const Item& a, const Item& b) { return a.key > b.key; });
      ASSERT_TRUE(x == expected) << n << ", " << distinct << ", of sorted input the other way";
    }
  }
}

TEST_P(SortingTest, Strings) {
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{129}, std::size_t{20'011}}) {
    std::mt19937_64 random(n);
    std::vector<std::string> x(n);
    for (std::string& word : x) word = std::string(random() % 40, 'a') + std::to_string(random() % 1000);
    std::vector<std::string> expected = x;
    std::vector<std::uint16_t> keys(n);
    for (std::uint16_t& key : keys) key = static_cast<std::uint16_t>(random() % 300);
    std::vector<std::string> moved = x;
    std::vector<std::size_t> order(n);
    argsort(engine_, keys, order);
    sort_by_key(engine_, keys, moved);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(moved[i], x[order[i]]);
    ASSERT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    argsort(engine_, x, order, std::less<>{});
    for (std::size_t i = 1; i < n; ++i)
      ASSERT_TRUE(x[order[i - 1]] < x[order[i]] || (x[order[i - 1]] == x[order[i]] && order[i - 1] < order[i]));
    std::stable_sort(expected.begin(), expected.end());
    sort(engine_, x, std::less<>{});
    ASSERT_EQ(x, expected);
    const auto shorter = [](const std::string& a, const std::string& b) { return a.size() < b.size(); };
    std::stable_sort(expected.begin(), expected.end(), shorter);
    stable_sort(engine_, x, shorter);
    ASSERT_EQ(x, expected);
  }
}

TEST_P(SortingTest, WhatCannotBeCopiedIsMoved) {
  std::vector<std::unique_ptr<int>> x;
  for (int i = 0; i < 5000; ++i) x.push_back(std::make_unique<int>(i * 7919 % 5003));
  sort(engine_, x, [](const auto& a, const auto& b) { return *a < *b; });
  for (std::size_t i = 1; i < x.size(); ++i) ASSERT_LT(*x[i - 1], *x[i]);
}

TEST_P(SortingTest, ComparisonsThatThrowLoseNothing) {
  for (const std::size_t n : {std::size_t{1000}, std::size_t{70'000}}) {
    std::vector<std::string> words(n);
    std::vector<int> numbers(n);
    for (std::size_t i = 0; i < n; ++i) {
      numbers[i] = static_cast<int>(i * 7919 % n);
      words[i] = "a long enough word " + std::to_string(numbers[i]);
    }
    for (const std::size_t patience : {n / 7, 4 * n, 7 * n}) {  // in the chunks, in the merges
      std::atomic<std::size_t> asked{0};
      const auto give_up = [&](const auto& a, const auto& b) { return asked++ == patience ? throw Error("enough") : a < b; };
      std::vector<std::string> words_now = words;
      EXPECT_THROW(sort(engine_, words_now, give_up), Error);
      EXPECT_EQ(words_now, words);
      asked = 0;
      std::vector<int> numbers_now = numbers;
      EXPECT_THROW(sort(engine_, numbers_now, give_up), Error);
      sort(engine_, numbers_now);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(numbers_now[i], static_cast<int>(i)) << "lost or doubled";
    }
  }
}

TEST_P(SortingTest, WhatIsNoOrderLosesNothing) {
  const std::size_t n = 50'000;
  std::vector<std::string> words(n);
  std::vector<int> numbers(n);
  for (int kind = 0; kind < 4; ++kind) {
    std::atomic<std::uint32_t> state{1};
    const auto hostile = [&](const auto& a, const auto& b) {
      if (kind == 0) return true;
      if (kind == 1) return a != b;
      if (kind == 2) return !(a < b);
      return (state++ * 2654435761U >> 16) % 2 == 0;
    };
    for (std::size_t i = 0; i < n; ++i) words[i] = std::to_string(numbers[i] = static_cast<int>(i));
    sort(engine_, numbers, hostile);
    sort(engine_, words, hostile);
    sort(engine_, numbers);
    std::vector<int> found(n);
    std::transform(words.begin(), words.end(), found.begin(), [](const std::string& word) { return std::stoi(word); });
    sort(engine_, found);
    for (std::size_t i = 0; i < n; ++i) ASSERT_TRUE(numbers[i] == static_cast<int>(i) && found[i] == numbers[i]) << kind;
  }
}

TEST_P(SortingTest, BadInput) {
  std::vector<double> x(100);
  std::vector<std::uint64_t> indices(99);
  EXPECT_THROW(argsort(engine_, x, indices), Error);
  EXPECT_THROW(argsort(engine_, x, std::span(reinterpret_cast<std::uint64_t*>(x.data()), 100)), Error);
  EXPECT_THROW(sort_by_key(engine_, x, indices), Error);
  EXPECT_THROW(sort_by_key(engine_, std::span(x).first(50), std::span(x).subspan(49, 50)), Error);
  EXPECT_NE(message_of([&] { nth_element(engine_, x, 100); }).find("no element 100"), std::string::npos);
  EXPECT_THROW(sort(engine_, std::span(static_cast<double*>(nullptr), 3)), Error);
}

/// A sample that says nothing true of the rest: what it holds is all of the keys on one side, or none.
TEST_P(SortingTest, NthElementWhereTheSampleMisleads) {
  constexpr std::size_t kSize = 50'000;
  for (const int sampled : {-1000, 0, 1000}) {
    std::vector<int> x(kSize);
    for (std::size_t i = 0; i < kSize; ++i) x[i] = static_cast<int>(i * 7919 % 101) - 50;
    for (std::size_t count : {kSize / 64 / 16 * 16, kSize / 64})
      for (std::size_t i = 0; i < count; ++i) x[sorting::sample_position(i, count, kSize)] = sampled;
    const std::vector<int> input = x;
    std::vector<int> expected = x;
    std::sort(expected.begin(), expected.end());
    for (std::size_t nth = 0; nth < kSize; nth += kSize / 50) {
      x = input;
      nth_element(engine_, x, nth);
      ASSERT_EQ(x[nth], expected[nth]) << nth;
      std::vector<int> parted = input;
      std::stable_partition(parted.begin(), parted.end(), [&](int v) { return v <= expected[nth]; });
      std::stable_partition(parted.begin(), parted.end(), [&](int v) { return v < expected[nth]; });
      ASSERT_EQ(x, parted) << nth;
    }
  }
}

TEST_P(SortingTest, NthElementBeyondTheCaches) {
  const std::size_t n = support::kSanitizer ? 100'003 : machine().stream_above() / 2 / sizeof(float) + 4099;
  std::vector<float> x(n);
  std::mt19937 random(5);
  for (float& v : x) v = static_cast<float>(static_cast<std::int32_t>(random()));
  std::vector<float> expected = x;
  std::nth_element(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(n / 3), expected.end());
  const float nth = expected[n / 3];
  expected = x;
  std::stable_partition(expected.begin(), expected.end(), [=](float v) { return v <= nth; });
  std::stable_partition(expected.begin(), expected.end(), [=](float v) { return v < nth; });
  nth_element(engine_, x, n / 3);
  ASSERT_EQ(x, expected);
}

INSTANTIATE_TEST_SUITE_P(All, SortingTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
