// Selecting and moving elements, against the standard's algorithms: in place and not, of types that own memory, with bad indices.
#include "furrow/kernels/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

const std::vector<std::size_t> kSizes = support::kSanitizer
                                            ? std::vector<std::size_t>{0, 1, 2, 129, 40'000}
                                            : std::vector<std::size_t>{0, 1, 2, 127, 128, 129, 1000, 8192, 65'537, 300'007};

class SelectionTest : public testing::TestWithParam<std::string> {
 protected:
  /// Some numbers below 1000, neighbours often equal.
  template <class T>
  static std::vector<T> numbers(std::size_t n) {
    std::mt19937_64 random(n);
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = i > 0 && random() % 3 == 0 ? x[i - 1] : static_cast<T>(random() % 1000);
    return x;
  }

  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(SelectionTest, CountsAndQuantifiers) {
  for (const std::size_t n : kSizes) {
    const std::vector<int> x = numbers<int>(n);
    const auto low = [](int v) { return v < 300; };
    EXPECT_EQ(count_if(engine_, x, low), static_cast<std::size_t>(std::count_if(x.begin(), x.end(), low)));
    for (const int most : {-1, 0, 500, 1000}) {
      const auto below = [most](int v) { return v < most; };
      EXPECT_EQ(any_of(engine_, x, below), std::any_of(x.begin(), x.end(), below));
      EXPECT_EQ(all_of(engine_, x, below), std::all_of(x.begin(), x.end(), below));
      EXPECT_EQ(none_of(engine_, x, below), std::none_of(x.begin(), x.end(), below));
    }
    if (n == 0) continue;
    std::vector<char> flags(n);
    flags[n - 1] = 1;
    EXPECT_TRUE(any_of(engine_, flags, [](char flag) { return flag != 0; })) << "the last one";
  }
  std::atomic<std::size_t> asked{0};
  const std::vector<int> many(1'000'000, 1);
  EXPECT_TRUE(any_of(engine_, many, [&](int v) { return ++asked, v == 1; }));
  EXPECT_LT(asked, many.size() / 2) << "went on looking for what it had found";
}

TEST_P(SelectionTest, CopyIf) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t n : kSizes) {
    std::vector<double> x = numbers<double>(n);
    for (std::size_t i = 0; i < n; i += 5) x[i] = i % 2 == 0 ? nan : -0.0;
    for (const double most : {-1.0, 10.0, 500.0, 2000.0}) {
      std::atomic<std::size_t> asked{0};
      const auto pred = [most, &asked](double v) { return ++asked, !(v >= most); };
      std::vector<double> expected(n);
      expected.erase(std::copy_if(x.begin(), x.end(), expected.begin(), pred), expected.end());
      asked = 0;
      std::vector<double> out(expected.size() + 1, 77);
      ASSERT_EQ(copy_if(engine_, x, std::span(out).first(expected.size()), pred), expected.size());
      ASSERT_EQ(asked, n);
      ASSERT_TRUE(expected.empty() || std::memcmp(out.data(), expected.data(), expected.size() * sizeof(double)) == 0);
      ASSERT_EQ(out.back(), 77) << "wrote behind the end";
      std::vector<double> in_place = x;
      ASSERT_EQ(copy_if(engine_, in_place, in_place, pred), expected.size());
      ASSERT_TRUE(expected.empty() || std::memcmp(in_place.data(), expected.data(), expected.size() * sizeof(double)) == 0);
      if (expected.empty()) continue;
      out.assign(expected.size(), 77);
      EXPECT_THROW(copy_if(engine_, x, std::span(out).first(expected.size() - 1), pred), Error);
      EXPECT_EQ(out.back(), 77) << "wrote behind the end";
    }
  }
}

TEST_P(SelectionTest, ManyGroupsOfChunksInPlace) {
  // Two and a half groups of chunks, whose tasks write one group while they look at the next.
  const std::size_t n = 5 * 3 * (1 + machine().l2_bytes / (std::size_t{128} << 10)) * 8192 / 2 + 77;
  std::vector<std::int64_t> x(n);
  std::iota(x.begin(), x.end(), std::int64_t{0});
  const auto last = static_cast<std::int64_t>(n - 1);
  for (const std::int64_t dropped : {std::int64_t{0}, std::int64_t{8191}, std::int64_t{8192}, last / 2, last, last + 1}) {
    std::vector<std::int64_t> out = x;
    out.resize(copy_if(engine_, out, out, [=](std::int64_t v) { return v != dropped; }));
    std::vector<std::int64_t> expected = x;
    std::erase(expected, dropped);
    ASSERT_EQ(out, expected) << "without " << dropped;
    out = x;
    out.resize(unique(engine_, out, out, [=](std::int64_t, std::int64_t v) { return v == dropped; }));
    if (dropped == 0) expected.insert(expected.begin(), 0);  // there is none before it that it could equal
    ASSERT_EQ(out, expected) << "unique, without " << dropped;
  }
  std::vector<std::int64_t> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int64_t>((i + 1) / 4096);  // runs across the chunks' edges
  out.resize(unique(engine_, out));
  std::vector<std::int64_t> expected(n / 4096 + 1);
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  ASSERT_EQ(out, expected);
}

TEST_P(SelectionTest, LargeResultsAreStreamed) {
  const std::size_t n = machine().stream_above() / sizeof(double) + 10'007;
  Array<double> x(engine_, n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(i);
  Array<double> out(engine_, n, -1.0);
  const auto pred = [](double v) { return static_cast<std::size_t>(v) % 3 != 1; };
  for (const std::size_t shift : {0, 1}) {
    const std::size_t kept = copy_if(engine_, x, std::span(out).subspan(shift), pred);
    ASSERT_EQ(kept, n - (n + 1) / 3);
    for (std::size_t i = 0; i < kept; ++i) ASSERT_EQ(out[shift + i], static_cast<double>(i / 2 * 3 + i % 2 * 2)) << shift;
  }
}

TEST_P(SelectionTest, Unique) {
  for (const std::size_t n : kSizes) {
    const std::vector<std::int64_t> x = numbers<std::int64_t>(n);
    std::vector<std::int64_t> expected = x;
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    std::vector<std::int64_t> out(n);
    out.resize(unique(engine_, x, out));
    ASSERT_EQ(out, expected);
    std::vector<std::int64_t> in_place = x;
    in_place.resize(unique(engine_, in_place));
    ASSERT_EQ(in_place, expected);
    std::vector<std::int64_t> equal(n, 5);
    ASSERT_EQ(unique(engine_, equal), n == 0 ? 0U : 1U);
    const auto same_parity = [](std::int64_t a, std::int64_t b) { return a % 2 == b % 2; };
    expected = x;
    expected.erase(std::unique(expected.begin(), expected.end(), same_parity), expected.end());
    out = x;
    out.resize(unique(engine_, out, out, same_parity));
    ASSERT_EQ(out, expected);
  }
}

TEST_P(SelectionTest, Partition) {
  for (const std::size_t n : kSizes) {
    const std::vector<float> x = numbers<float>(n);
    for (const float most : {-1.0F, 200.0F, 5000.0F}) {
      const auto pred = [most](float v) { return v < most; };
      std::vector<float> expected = x;
      const auto middle = std::stable_partition(expected.begin(), expected.end(), pred);
      std::vector<float> out = x;
      ASSERT_EQ(partition(engine_, out, pred), static_cast<std::size_t>(middle - expected.begin()));
      ASSERT_EQ(out, expected);
    }
  }
}

TEST_P(SelectionTest, TypesThatOwnMemory) {
  std::vector<std::string> words(20'011);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = "a word that is long enough " + std::to_string(i * 7919 % 20'011 / 2);
  const auto even = [](const std::string& word) { return word.back() % 2 == 0; };
  std::vector<std::string> expected;
  std::copy_if(words.begin(), words.end(), std::back_inserter(expected), even);
  std::vector<std::string> out(words.size());
  out.resize(copy_if(engine_, words, out, even));
  EXPECT_EQ(out, expected);
  out = words;
  out.resize(copy_if(engine_, out, out, even));
  EXPECT_EQ(out, expected) << "in place";
  out = words;
  partition(engine_, out, even);
  expected = words;
  std::stable_partition(expected.begin(), expected.end(), even);
  EXPECT_EQ(out, expected);
  const auto same_end = [](const std::string& a, const std::string& b) { return a.back() == b.back(); };
  expected.erase(std::unique(expected.begin(), expected.end(), same_end), expected.end());
  out.resize(unique(engine_, out, out, same_end));
  EXPECT_EQ(out, expected);
  reverse(engine_, out);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(out, expected);
  std::vector<std::string> turned(out.size());
  reverse(engine_, out, turned);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(turned, expected);
}

TEST_P(SelectionTest, GatherScatterReverse) {
  for (const std::size_t n : kSizes) {
    const std::vector<double> x = numbers<double>(n);
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
    std::vector<double> out(n);
    gather(engine_, x, order, out);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], x[order[i]]);
    std::vector<double> back(n);
    scatter(engine_, out, order, back);
    ASSERT_EQ(back, x);
    // Indices that repeat: as the loop would have it.
    for (std::uint32_t& index : order) index /= 3;
    std::vector<double> expected(n, -1);
    for (std::size_t i = 0; i < n; ++i) expected[order[i]] = x[i];
    back.assign(n, -1);
    scatter(engine_, x, order, back);
    ASSERT_EQ(back, expected);
    expected = x;
    std::reverse(expected.begin(), expected.end());
    reverse(engine_, x, out);
    ASSERT_EQ(out, expected);
    out = x;
    reverse(engine_, out);
    ASSERT_EQ(out, expected);
    std::vector<std::int64_t> places(n);
    std::iota(places.rbegin(), places.rend(), std::int64_t{0});
    std::vector<std::int64_t> values(n, 9);
    std::iota(values.begin(), values.end(), std::int64_t{100});
    gather(engine_, values, places, places);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(places[i], static_cast<std::int64_t>(100 + n - 1 - i)) << "into the indices";
  }
}

TEST_P(SelectionTest, Transpose) {
  using Shape = std::array<std::size_t, 2>;
  for (const auto& [rows, columns] : {Shape{0, 5}, Shape{1, 1}, Shape{1, 1000}, Shape{1000, 1}, Shape{31, 33}, Shape{64, 64},
                                      Shape{257, 1031}, Shape{2100, 2050}}) {
    std::vector<double> x(rows * columns);
    std::iota(x.begin(), x.end(), 0.0);
    std::vector<double> out(rows * columns + 1, -1);
    const auto in = View<const double, 2>::row_major(x.data(), {rows, columns});
    const auto to = View<double, 2>::row_major(out.data(), {columns, rows});
    transpose(engine_, in, to);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) ASSERT_EQ(to(j, i), in(i, j));
    ASSERT_EQ(out.back(), -1);
    std::vector<std::string> words(rows * columns < 100'000 ? rows * columns : 0);
    std::vector<std::string> turned(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = std::to_string(i);
    if (words.empty()) continue;
    transpose(engine_, View<std::string, 2>::row_major(words.data(), {rows, columns}),
              View<std::string, 2>::column_major(turned.data(), {columns, rows}));
    ASSERT_EQ(turned, words) << "the same elements seen by columns";
  }
}

/// A matrix of T within a larger one, to be transposed into one within a larger one.
template <class T>
void transpose_within(Engine& engine, std::size_t rows, std::size_t columns, std::size_t shift, std::size_t gap, bool by_columns) {
  const std::size_t in_pitch = columns + gap;
  const std::size_t out_pitch = rows + gap;
  std::vector<T> x(shift + rows * in_pitch);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i * 37 + i / 251);
  std::vector<T> out(shift + columns * out_pitch, T{7});
  std::vector<T> expected = out;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) expected[shift + j * out_pitch + i] = x[shift + i * in_pitch + j];
  const auto pitched = [=](T* data, std::size_t height, std::size_t width, std::size_t pitch) {
    const auto stride = static_cast<std::ptrdiff_t>(pitch);
    return by_columns ? View<T, 2>(data + shift, {width, height}, {1, stride})
                      : View<T, 2>(data + shift, {height, width}, {stride, 1});
  };
  transpose(engine, pitched(x.data(), rows, columns, in_pitch), pitched(out.data(), columns, rows, out_pitch));
  ASSERT_EQ(out, expected) << rows << " by " << columns << ", shift " << shift << ", gap " << gap;
}

TEST_P(SelectionTest, TransposeWordsWithin) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{15}, std::size_t{64}, std::size_t{127}, std::size_t{200}}) {
    for (const std::size_t columns : {std::size_t{1}, std::size_t{16}, std::size_t{63}, std::size_t{129}, std::size_t{300}}) {
      for (const std::size_t shift : {std::size_t{0}, std::size_t{3}}) {
        for (const std::size_t gap : {std::size_t{0}, std::size_t{5}}) {
          transpose_within<std::uint8_t>(engine_, rows, columns, shift, gap, false);
          transpose_within<std::int16_t>(engine_, rows, columns, shift, gap, false);
          transpose_within<float>(engine_, rows, columns, shift, gap, true);
          transpose_within<std::uint64_t>(engine_, rows, columns, shift, gap, false);
        }
      }
    }
  }
}

TEST_P(SelectionTest, TransposeBeyondTheCaches) {
  const std::size_t rows = support::kSanitizer ? 256 : machine().stream_above() / 8 / 1000 / 64 * 64;
  for (const std::size_t gap : {std::size_t{0}, std::size_t{1}}) {  // whole lines, and others
    transpose_within<double>(engine_, rows, 999, 0, gap, false);
    transpose_within<std::int32_t>(engine_, rows, 1999, 5, gap, true);
  }
}

TEST_P(SelectionTest, PartitionAndReverseBeyondTheCaches) {
  const std::size_t bytes = support::kSanitizer ? 200'000 : machine().stream_above() / 2 + 12'345;
  const auto as = [&]<class T>(T) {
    std::vector<T> x = numbers<T>(bytes / sizeof(T));
    std::vector<T> out(x.size());
    std::vector<T> expected(x.rbegin(), x.rend());
    reverse(engine_, x, out);
    ASSERT_EQ(out, expected);
    const auto pred = [](T v) { return v > static_cast<T>(300); };
    const auto middle = std::stable_partition(expected.begin(), expected.end(), pred);
    ASSERT_EQ(partition(engine_, out, pred), static_cast<std::size_t>(middle - expected.begin()));
    ASSERT_EQ(out, expected);
  };
  as(double{});
  as(std::int32_t{});
  as(std::uint8_t{});
}

TEST_P(SelectionTest, ScatterBeyondTheCaches) {
  const std::size_t size = machine().l2_bytes / 4 + 12'345;  // of 4 or 8 bytes
  const auto scatter_as = [&]<class T, class Index>(T, Index, std::size_t n, std::size_t distinct) {
    std::vector<T> x(n);
    std::vector<Index> indices(n);
    std::mt19937_64 random(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = static_cast<T>(random());
      indices[i] = static_cast<Index>(random() % distinct * (size / distinct));
    }
    std::vector<T> out(size, T{1});
    std::vector<T> expected = out;
    for (std::size_t i = 0; i < n; ++i) expected[static_cast<std::size_t>(indices[i])] = x[i];
    scatter(engine_, x, indices, out);
    ASSERT_EQ(out, expected) << n << " elements of " << sizeof(T) << " bytes to " << distinct << " places";
    gather(engine_, out, indices, x);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(x[i], expected[static_cast<std::size_t>(indices[i])]) << i << " of " << n;
    if (n == 0) return;
    indices[n - 1] = static_cast<Index>(-1);
    expected = out;
    EXPECT_THROW(scatter(engine_, x, indices, out), Error);
    ASSERT_EQ(out, expected);
  };
  for (const std::size_t n : {std::size_t{0}, std::size_t{5000}, size, 2 * size}) {
    for (const std::size_t distinct : {std::size_t{3}, size}) {
      scatter_as(std::uint64_t{}, std::int64_t{}, n, distinct);
      scatter_as(std::int32_t{}, std::uint32_t{}, n, distinct);
      scatter_as(std::uint64_t{}, std::int32_t{}, n, distinct);
      scatter_as(std::uint8_t{}, std::uint32_t{}, n, distinct);
    }
  }
}

TEST_P(SelectionTest, BadInput) {
  std::vector<double> x(5000, 1);
  std::vector<double> out(5000, -1);
  const std::vector<double> before = out;
  std::vector<int> indices(5000, 3);
  indices[4321] = 5000;
  EXPECT_NE(message_of([&] { scatter(engine_, x, indices, out); }).find("index 5000 at position 4321"), std::string::npos);
  EXPECT_EQ(out, before);
  indices[77] = -2;
  EXPECT_NE(message_of([&] { gather(engine_, x, indices, out); }).find("index -2 at position 77 is not below the size, 5000"),
            std::string::npos);
  EXPECT_THROW(gather(engine_, x, indices, std::span(out).first(9)), Error);
  EXPECT_THROW(gather(engine_, x, std::span(indices).first(10), std::span(x).first(10)), Error);
  EXPECT_THROW(copy_if(engine_, std::span(x).first(100), std::span(x).subspan(1, 100), [](double) { return true; }), Error);
  EXPECT_THROW(reverse(engine_, x, x), Error);
  EXPECT_THROW(reverse(engine_, x, std::span(out).first(3)), Error);
  const auto square = View<double, 2>::row_major(x.data(), {50, 50});
  EXPECT_THROW(transpose(engine_, square, square), Error);
  EXPECT_THROW(transpose(engine_, View<double, 2>::row_major(x.data(), {3, 5}), View<double, 2>::row_major(out.data(), {3, 5})),
               Error);
}

TEST_P(SelectionTest, ExceptionsReachTheCaller) {
  std::vector<int> x(50'000);
  std::iota(x.begin(), x.end(), 0);
  const std::vector<int> before = x;
  std::vector<int> out(x.size());
  const auto pred = [](int v) { return v == 40'000 ? throw Error("enough") : v % 2 == 0; };
  EXPECT_THROW(copy_if(engine_, x, out, pred), Error);
  EXPECT_THROW(count_if(engine_, x, pred), Error);
  EXPECT_THROW(partition(engine_, x, pred), Error);
  EXPECT_THROW(all_of(engine_, x, [](int v) { return v == 0 ? throw Error("enough") : true; }), Error);
  EXPECT_EQ(x, before);
}

INSTANTIATE_TEST_SUITE_P(All, SelectionTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
