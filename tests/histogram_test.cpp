// What the bins hold at their ends, and what is refused.
#include "furrow/kernels/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;
using Counts = std::vector<std::size_t>;

class HistogramTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(HistogramTest, BinsHoldTheirBeginAndTheLastItsEndToo) {
  const std::vector<double> x{0, 0.25, 0.5, 0.75, 1, -0.0, std::nextafter(0.5, 0.0), -1, 1.5};
  EXPECT_EQ(histogram(engine_, x, 4, 0, 1), (Counts{2, 2, 1, 2}));
  EXPECT_EQ(histogram(engine_, x, 1, 0, 1), Counts{7});
}

TEST_P(HistogramTest, NumbersThatAreNoneAndInfinitiesAreOutside) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(histogram(engine_, std::vector<double>{NAN, infinity, -infinity, 1}, 2, 0, 4), (Counts{1, 0}));
  EXPECT_EQ(histogram(engine_, std::vector<float>{}, 3, 0, 1), (Counts{0, 0, 0}));
}

/// 0.1 · 3 is more than 0.3 and (0.3 − 0) · 10 is 3: the edges decide, not the product.
TEST_P(HistogramTest, EdgesDecideWhereRoundingWouldNot) {
  std::vector<double> x(10'000);
  std::vector<double> edges(71);
  for (std::size_t k = 0; k < 70; ++k) edges[k] = -0.3 + static_cast<double>(k) * (1.0 / 70);
  edges[70] = 0.7;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double edge = edges[i % edges.size()];
    x[i] = i % 3 == 0 ? edge : std::nextafter(edge, i % 3 == 1 ? -1.0 : 1.0);
  }
  Counts expected(70);
  for (const double v : x) {
    if (v < -0.3 || v > 0.7) continue;
    const auto next = std::ranges::upper_bound(edges, v) - edges.begin();
    ++expected[std::min<std::size_t>(static_cast<std::size_t>(next) - 1, 69)];
  }
  EXPECT_EQ(histogram(engine_, x, 70, -0.3, 0.7), expected);
}

/// Edges that many bins share, because the numbers between them cannot be told apart.
TEST_P(HistogramTest, BinsThatAreNarrowerThanTheDistanceOfNumbers) {
  constexpr double kLow = 0x1p53;
  std::vector<double> x(5000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = kLow + static_cast<double>(i % 8);
  std::vector<double> edges(101);
  for (std::size_t k = 0; k < 100; ++k) edges[k] = kLow + static_cast<double>(k) * 0.04;
  edges[100] = kLow + 4;
  Counts expected(100);
  for (const double v : x) {
    if (v > edges[100]) continue;
    const auto next = std::ranges::upper_bound(edges, v) - edges.begin();
    ++expected[std::min<std::size_t>(static_cast<std::size_t>(next) - 1, 99)];
  }
  EXPECT_EQ(histogram(engine_, x, 100, kLow, kLow + 4), expected);
}

TEST_P(HistogramTest, Bytes) {
  std::mt19937 random(5);
  for (const std::size_t n : {0U, 1U, 7U, 300U, 5000U, 100'003U}) {
    for (const unsigned most : {1U, 200U, 256U}) {
      std::vector<std::uint8_t> x(n);
      Counts expected(256);
      for (std::uint8_t& v : x) ++expected[v = static_cast<std::uint8_t>(random() % most)];
      Counts counts(300, 77);
      bincount(engine_, x, counts);
      EXPECT_TRUE(std::ranges::equal(std::span(counts).first(256), expected)) << n;
      EXPECT_TRUE(std::ranges::all_of(std::span(counts).subspan(256), [](std::size_t count) { return count == 0; }));
      while (!expected.empty() && expected.back() == 0) expected.pop_back();
      EXPECT_EQ(bincount(engine_, x), expected);
      const std::vector<double> doubles(x.begin(), x.end());
      for (const auto& [bins, low, high] : {std::tuple(256U, 0.0, 256.0), {10U, 0.0, 255.0}, {7U, 3.5, 99.0}, {1000U, -5.0, 300.0}})
        EXPECT_EQ(histogram(engine_, x, bins, low, high), histogram(engine_, doubles, bins, low, high)) << n << ", " << bins;
    }
  }
  const std::vector<std::uint8_t> x{3, 9, 12};
  Counts counts(10);
  EXPECT_NE(message_of([&] { bincount(engine_, x, counts); }).find("element 2 is 12"), std::string::npos);
}

TEST_P(HistogramTest, MoreBinsThanElementsAndFewer) {
  std::mt19937_64 random(3);
  for (const std::size_t bins : {3U, 1000U, 300'000U}) {
    std::vector<std::int64_t> x(100'003);
    Counts expected(bins);
    for (std::int64_t& v : x) {
      v = static_cast<std::int64_t>(random() % bins);
      ++expected[static_cast<std::size_t>(v)];
    }
    EXPECT_EQ(histogram(engine_, x, bins, -0.5, static_cast<double>(bins) - 0.5), expected);
    Counts counts(bins, 77);
    bincount(engine_, x, counts);
    EXPECT_EQ(counts, expected);
  }
}

TEST_P(HistogramTest, CountsOfIntegersEndWithTheGreatest) {
  EXPECT_EQ(bincount(engine_, std::vector<std::int32_t>{3, 0, 3, 1}), (Counts{1, 1, 0, 2}));
  EXPECT_EQ(bincount(engine_, std::vector<std::int32_t>{}), Counts{});
}

TEST_P(HistogramTest, WhatCannotBeCountedIsTold) {
  const std::vector<double> x{1, 2};
  EXPECT_NE(message_of([&] { histogram(engine_, x, 0, 0, 1); }).find("there are no bins"), std::string::npos);
  for (const auto& span : {std::pair(1.0, 1.0), std::pair(2.0, 1.0), std::pair(0.0, HUGE_VAL), std::pair(std::nan(""), 1.0),
                           std::pair(-1.7e308, 1.7e308), std::pair(0.0, 5e-324)})
    EXPECT_NE(message_of([&] { histogram(engine_, x, 2, span.first, span.second); }).find("are not possible"), std::string::npos)
        << span.first;
  const std::vector<std::int32_t> integers{0, 5, -2};
  EXPECT_NE(message_of([&] { bincount(engine_, integers); }).find("-2 is negative"), std::string::npos);
  Counts counts(4);
  EXPECT_NE(message_of([&] { bincount(engine_, integers, counts); }).find("element 1 is 5"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Backends, HistogramTest, testing::ValuesIn(backends()), [](const auto& of) { return of.param; });

}  // namespace
}  // namespace furrow
