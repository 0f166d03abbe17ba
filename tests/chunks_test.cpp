// How work is cut: invariants over millions of sizes.
#include "furrow/engine/chunks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

namespace furrow {
namespace {

constexpr std::size_t kLargestBytes = 64 * 1024;

/// Whether the chunks follow one another from 0 to n without a gap, all of one length but the last, none empty.
bool covers(const Chunks& chunks, std::size_t n) {
  std::size_t at = 0;
  for (std::size_t k = 0; k < chunks.count(); ++k) {
    const Range part = chunks[k];
    if (part.begin != at || part.end <= part.begin) return false;
    if (k + 1 < chunks.count() && part.size() != chunks.length()) return false;
    if (part.size() > chunks.length()) return false;
    at = part.end;
  }
  return at == n;
}

/// Without walking the chunks: they may be many.
bool ends_match(const Chunks& chunks, std::size_t n) {
  if (n == 0) return chunks.count() == 0;
  return chunks[0].begin == 0 && chunks[chunks.count() - 1].end == n && chunks[chunks.count() - 1].size() >= 1 &&
         chunks[chunks.count() - 1].begin == (chunks.count() - 1) * chunks.length();
}

TEST(Chunks, CoverEverySizeOnceInOrder) {
  for (std::size_t n = 0; n <= std::size_t{1} << 20; ++n) {
    const Chunks chunks(n, 8);
    ASSERT_TRUE(covers(chunks, n)) << n;
    ASSERT_TRUE(std::has_single_bit(chunks.length())) << n;
    ASSERT_LE(chunks.count(), 128U) << n;
    ASSERT_EQ(chunks.size(), n);
    ASSERT_EQ(chunks.extent(), n);
    ASSERT_EQ(chunks.offset(), 0U);
  }
}

TEST(Chunks, LengthIsTheLeastPowerOfTwoThatGivesAtMost128ChunksUpTo64KiB) {
  std::mt19937_64 random(1);
  for (const std::size_t bytes : {1, 2, 4, 8, 12, 16, 24, 100, 4096, 65536, 65537, 1 << 20}) {
    for (int i = 0; i < 200'000; ++i) {
      const std::size_t n = random() >> (2 + random() % 60);
      const Chunks chunks(n, bytes);
      ASSERT_TRUE(ends_match(chunks, n)) << n << " elements of " << bytes;
      ASSERT_TRUE(std::has_single_bit(chunks.length())) << n << " elements of " << bytes;
      ASSERT_TRUE(chunks.length() == 1 || chunks.length() * bytes <= kLargestBytes) << n << " elements of " << bytes;
      const bool full = chunks.length() * 2 * bytes > kLargestBytes;
      ASSERT_TRUE(chunks.count() <= 128 || full) << n << " elements of " << bytes;
      if (chunks.length() > 1) {
        const std::size_t half = chunks.length() / 2;
        ASSERT_GT(n / half + (n % half != 0), 128U) << n << " elements of " << bytes << ": shorter chunks would have done";
      }
    }
  }
}

TEST(Chunks, ShortestIsALowerBoundOfTheLength) {
  for (std::size_t n = 0; n < 300'000; n += 7) {
    const Chunks chunks(n, 8, 1024);
    ASSERT_TRUE(covers(chunks, n)) << n;
    ASSERT_GE(chunks.length(), 1024U);
    ASSERT_EQ(chunks.length(), std::max(Chunks(n, 8).length(), std::size_t{1024})) << n;
  }
  EXPECT_EQ(Chunks(std::size_t{1} << 30, 8, 1 << 16).length(), std::size_t{1} << 16) << "longer than 64 KiB if so asked";
}

TEST(Chunks, DesignExamples) {
  EXPECT_EQ(Chunks(0, 8).count(), 0U);
  EXPECT_EQ(Chunks(0, 8).size(), 0U);
  EXPECT_EQ(Chunks(1, 8).count(), 1U);
  EXPECT_EQ(Chunks(100, 8).count(), 100U);
  EXPECT_EQ(Chunks(129, 8).length(), 2U);
  EXPECT_EQ(Chunks(std::size_t{1} << 25, 8).count(), 4096U);
  EXPECT_EQ(Chunks().count(), 0U);
  static_assert(Chunks(1000, 8).count() == 125 && Chunks(1000, 8)[124] == Range{992, 1000});
}

TEST(Chunks, WindowsHaveTheCutOfTheWhole) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t n = random() % 3'000'000;
    const Chunks whole(n, 8);
    const std::size_t group = 1 + random() % 200;
    std::size_t at = 0;
    for (std::size_t first = 0; first < whole.count(); first += group) {
      const Chunks window = whole.window(first, group);
      ASSERT_EQ(window.offset(), at);
      ASSERT_EQ(window.extent(), n);
      ASSERT_EQ(window.length(), whole.length());
      ASSERT_TRUE(covers(window, window.size()));
      for (std::size_t k = 0; k < window.count(); ++k) {
        const Range part = window[k];
        ASSERT_EQ((Range{part.begin + at, part.end + at}), whole[first + k]) << n << ", chunk " << first + k;
      }
      at += window.size();
    }
    ASSERT_EQ(at, n) << "the windows do not make up the whole";
  }
}

TEST(Chunks, AWindowOfAWindowAndOneBehindTheEnd) {
  const Chunks whole(1'000'000, 8);
  const Chunks inner = whole.window(10, 50).window(5, 7);
  EXPECT_EQ(inner.offset(), 15 * whole.length());
  EXPECT_EQ(inner.count(), 7U);
  EXPECT_EQ(whole.window(whole.count(), 5).count(), 0U);
  EXPECT_EQ(whole.window(whole.count() + 3, 5).size(), 0U);
  EXPECT_EQ(whole.window(whole.count() - 1, 5).size(), whole[whole.count() - 1].size());
}

TEST(Chunks, ElementsJoinsNeighbours) {
  const Chunks chunks(999'999, 8);
  for (std::size_t first = 0; first < chunks.count(); ++first)
    for (std::size_t last = first + 1; last <= chunks.count(); ++last)
      ASSERT_EQ(chunks.elements(first, last), (Range{chunks[first].begin, chunks[last - 1].end}));
}

}  // namespace
}  // namespace furrow
