// What bytes a node of a graph names, against sets of bytes.
#include "furrow/engine/access.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <random>
#include <span>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

constexpr std::size_t kBytes = 4096;
using Bytes = std::bitset<kBytes>;

/// A view somewhere in a buffer, and its bytes.
struct Drawn {
  Access access;
  Bytes bytes;
};

class Buffer {
 public:
  template <std::size_t D>
  Drawn draw(std::mt19937& random) {
    for (;;) {
      std::array<std::size_t, D> extents;
      std::array<std::ptrdiff_t, D> strides;
      for (std::size_t d = 0; d < D; ++d) {
        constexpr std::ptrdiff_t kStrides[] = {1, 1, 2, 5, 16, 16, 64, -1, -16, 0};
        extents[d] = random() % 6;
        strides[d] = kStrides[random() % std::size(kStrides)];
      }
      const View<const short, D> view(data_ + random() % kElements, extents, strides);
      Bytes bytes;
      bool inside = true;
      std::array<std::size_t, D> at{};
      for (std::size_t k = 0; k < view.size(); ++k) {
        std::ptrdiff_t offset = view.data_handle() - data_;
        for (std::size_t d = 0; d < D; ++d) offset += static_cast<std::ptrdiff_t>(at[d]) * strides[d];
        inside &= offset >= 0 && offset < static_cast<std::ptrdiff_t>(kElements);
        if (!inside) break;
        bytes.set(static_cast<std::size_t>(offset) * 2).set(static_cast<std::size_t>(offset) * 2 + 1);
        for (std::size_t d = D; d-- > 0 && ++at[d] == extents[d];) at[d] = 0;
      }
      if (!inside) continue;
      try {
        return {read(view), bytes};
      } catch (const Error&) {
        continue;  // single elements along three directions
      }
    }
  }
  Drawn draw(std::mt19937& random) {
    switch (random() % 3) {
      case 0:
        return draw<1>(random);
      case 1:
        return draw<2>(random);
      default:
        return draw<3>(random);
    }
  }

 private:
  static constexpr std::size_t kElements = kBytes / 2;
  short data_[kElements] = {};
};

TEST(Access, OverlapsWhereABytesIsInBoth) {
  static Buffer buffer;
  std::mt19937 random(1);
  int overlapping = 0;
  int covering = 0;
  int seen_to_cover = 0;
  for (std::size_t k = 0; k < 200'000; ++k) {
    const Drawn a = buffer.draw(random);
    const Drawn b = buffer.draw(random);
    const bool overlap = (a.bytes & b.bytes).any();
    ASSERT_EQ(a.access.overlaps(b.access), overlap) << k;
    ASSERT_EQ(b.access.overlaps(a.access), overlap) << k;
    const bool covers = (b.bytes & ~a.bytes).none();
    ASSERT_TRUE(covers || !a.access.covers(b.access)) << k;
    ASSERT_EQ(a.access.empty(), a.bytes.none());
    overlapping += overlap ? 1 : 0;
    covering += covers && overlap ? 1 : 0;
    seen_to_cover += overlap && a.access.covers(b.access) ? 1 : 0;
  }
  EXPECT_GT(overlapping, 1000);
  EXPECT_GT(2 * seen_to_cover, covering);
}

TEST(Access, OfRangesAndViews) {
  std::vector<double> x(100);
  const Access all = read(x);
  EXPECT_EQ(all.mode(), Access::Mode::read);
  EXPECT_EQ(all.begin(), reinterpret_cast<std::uintptr_t>(x.data()));
  EXPECT_EQ(all.end() - all.begin(), 800U);
  EXPECT_TRUE(write(x).writes());
  EXPECT_TRUE(write(x).same_bytes(all));
  EXPECT_TRUE(write(std::span(x).first(0)).empty());
  const std::vector<double> constant(3);
  EXPECT_FALSE(read(constant).empty());
  // Rows that lie side by side are one piece, however they are cut.
  const auto square = View<double, 2>::row_major(x.data(), {10, 10});
  EXPECT_TRUE(read(square).same_bytes(all));
  EXPECT_TRUE(read(View<double, 3>::column_major(x.data(), {5, 2, 10})).same_bytes(all));
  const View<double, 2> left(x.data(), {10, 5}, {10, 1});
  const View<double, 2> right(x.data() + 5, {10, 5}, {10, 1});
  EXPECT_FALSE(read(left).overlaps(write(right)));
  EXPECT_TRUE(all.covers(read(left)));
  EXPECT_FALSE(read(left).covers(all));
  EXPECT_TRUE(read(left).covers(read(View<double, 2>(x.data() + 12, {3, 2}, {10, 1}))));
}

TEST(Access, WhatCannotBeIsRefused) {
  double x = 0;
  EXPECT_NE(
      support::message_of([&] { read(View<double, 1>(&x, {std::size_t{1} << 62}, {1})); }).find("more bytes than there can be"),
      std::string::npos);
  EXPECT_NE(support::message_of([&] {
              read(View<double, 3>(&x, {2, 2, 2}, {100, 10, 2}));
            }).find("along three directions"),
            std::string::npos);
}

}  // namespace
}  // namespace furrow
