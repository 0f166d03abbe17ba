#include "furrow/engine/view.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace furrow {
namespace {

std::vector<int> counted(std::size_t n) {
  std::vector<int> values(n);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

TEST(View, RowMajorRunsAlongTheLastIndex) {
  std::vector<int> data = counted(24);
  const auto view = View<int, 3>::row_major(data.data(), {2, 3, 4});
  EXPECT_EQ(view.strides(), (View<int, 3>::Strides{12, 4, 1}));
  EXPECT_EQ(view(1, 2, 3), 23);
  EXPECT_EQ(view(0, 1, 0), 4);
  EXPECT_EQ(view.size(), 24U);
  EXPECT_EQ(view.extent(1), 3U);
  EXPECT_TRUE(view.is_row_major());
  static_assert(View<int, 3>::rank() == 3);
}

TEST(View, ColumnMajorRunsAlongTheFirstIndex) {
  std::vector<int> data = counted(24);
  const auto view = View<int, 3>::column_major(data.data(), {2, 3, 4});
  EXPECT_EQ(view.strides(), (View<int, 3>::Strides{1, 2, 6}));
  EXPECT_EQ(view(1, 2, 3), 23);
  EXPECT_EQ(view(0, 1, 0), 2);
  EXPECT_FALSE(view.is_row_major());
  EXPECT_TRUE((View<int, 1>::column_major(data.data(), {24}).is_row_major()));
}

TEST(View, StridesMayBeNegativeOrZero) {
  std::vector<int> data = counted(12);
  const View<int, 2> flipped(data.data() + 11, {3, 4}, {-4, -1});
  EXPECT_EQ(flipped(0, 0), 11);
  EXPECT_EQ(flipped(2, 3), 0);
  EXPECT_FALSE(flipped.is_row_major());
  const View<const int, 2> broadcast(data.data(), {3, 4}, {0, 1});
  EXPECT_EQ(broadcast(2, 1), 1);
  EXPECT_FALSE(broadcast.is_row_major());
  const View<int, 1> every_third(data.data(), {4}, {3});
  EXPECT_EQ(every_third(3), 9);
  EXPECT_FALSE(every_third.is_row_major());
}

TEST(View, DimensionsOfOneElementMayHaveAnyStride) {
  std::vector<int> data = counted(6);
  EXPECT_TRUE((View<int, 2>(data.data(), {1, 6}, {77, 1}).is_row_major()));
  EXPECT_TRUE((View<int, 2>(data.data(), {6, 1}, {1, -5}).is_row_major()));
  EXPECT_FALSE((View<int, 2>(data.data(), {2, 3}, {4, 1}).is_row_major())) << "rows with a gap behind";
}

TEST(View, EmptyOnes) {
  const View<double, 2> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.data_handle(), nullptr);
  EXPECT_TRUE((View<double, 3>::row_major(nullptr, {4, 0, 5}).empty()));
}

TEST(View, WhatMayBeWrittenMayBeRead) {
  std::vector<int> data = counted(6);
  const auto view = View<int, 2>::row_major(data.data(), {2, 3});
  const View<const int, 2> readable = view;
  view(1, 1) = 40;
  EXPECT_EQ(readable(1, 1), 40);
  static_assert(!std::is_convertible_v<View<const int, 2>, View<int, 2>>);
  static_assert(std::is_same_v<View<const int, 2>::value_type, int>);
}

#if defined(__cpp_lib_mdspan)
TEST(View, ConvertsFromAndToMdspan) {
  std::vector<int> data = counted(6);
  const auto view = View<int, 2>::row_major(data.data(), {2, 3});
  const std::mdspan<int, std::dextents<std::size_t, 2>, std::layout_stride> span = view;
  EXPECT_EQ((span[1, 2]), 5);
  EXPECT_EQ((View<int, 2>(span)(1, 2)), 5);
}
#endif

}  // namespace
}  // namespace furrow
