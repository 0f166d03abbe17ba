// Reductions along an axis, of views of all kinds, against those of each line as a range of its own.
#include "furrow/kernels/axis_reductions.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/reference.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b && std::signbit(a) == std::signbit(b);
  }
  return a == b;
}

template <class T>
T number(std::uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15U;
  i = (i ^ (i >> 29)) * 0xBF58476D1CE4E5B9U;
  i ^= i >> 32;
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(i)) * 0x1p-63);
  else
    return static_cast<T>(i);
}

/// Elements behind a view of a shape, which none of the layouts exceeds, and such views.
template <class T, std::size_t D>
struct Layouts {
  using Extents = typename View<T, D>::Extents;

  explicit Layouts(const Extents& extents) {
    std::size_t size = 3;
    for (const std::size_t extent : extents) size *= 2 * (extent + 1);
    memory.resize(size);
    for (std::size_t i = 0; i < size; ++i) memory[i] = number<T>(i);
    T* const start = memory.data() + 1;  // aligned for T alone
    const auto rows = View<T, D>::row_major(start, extents);
    const auto columns = View<T, D>::column_major(start, extents);
    views = {rows, columns};
    names = {"rows", "columns"};
    const auto add = [&](const char* name, const View<T, D>& base, auto change) {
      auto strides = base.strides();
      T* data = base.data_handle();
      for (std::size_t d = 0; d < D; ++d) change(d, strides[d], data);
      names.emplace_back(name);
      views.emplace_back(data, extents, strides);
    };
    Extents longer = extents;
    longer[D - 1] += 3;
    const auto gaps = View<T, D>::row_major(start, longer);
    add("rows with gaps", gaps, [](std::size_t, std::ptrdiff_t&, T*&) {});
    longer = extents;
    longer[0] += 1;
    add("columns with gaps", View<T, D>::column_major(start, longer), [](std::size_t, std::ptrdiff_t&, T*&) {});
    add("every second", rows, [](std::size_t, std::ptrdiff_t& stride, T*&) { stride *= 2; });
    if (rows.empty()) return;
    add("backwards", rows, [&](std::size_t d, std::ptrdiff_t& stride, T*& data) {
      data += stride * static_cast<std::ptrdiff_t>(extents[d] - 1);
      stride = -stride;
    });
    add("one row again and again", rows, [](std::size_t d, std::ptrdiff_t& stride, T*&) { stride = d == 0 ? 0 : stride; });
  }

  std::vector<T> memory;
  std::vector<View<T, D>> views;
  std::vector<std::string> names;
};

/// What `function` makes of all lines, in a view of gaps whose other elements must stay as they are.
template <class R, class T, std::size_t D, class Function, class Expected>
void expect_lines(const View<T, D>& view, std::size_t axis, const std::string& where, const Function& function,
                  const Expected& expected) {
  typename View<R, D - 1>::Extents extents{};
  typename View<R, D - 1>::Extents with_gaps{};
  std::size_t size = 1;
  for (std::size_t d = 0; d + 1 < D; ++d) {
    extents[d] = view.extent(d < axis ? d : d + 1);
    with_gaps[d] = extents[d] + 1;
    size *= with_gaps[d];
  }
  std::vector<R> results(size, R{77});
  const View<R, D - 1> out(results.data(), extents, View<R, D - 1>::row_major(nullptr, with_gaps).strides());
  function(out);
  std::size_t written = 0;
  std::vector<T> line(view.extent(axis));
  const std::size_t inner = D == 3 ? extents[D - 2] : 1;
  for (std::size_t o = 0; o < extents[0]; ++o)
    for (std::size_t i = 0; i < inner; ++i, ++written) {
      for (std::size_t k = 0; k < line.size(); ++k) {
        if constexpr (D == 2)
          line[k] = axis == 0 ? view(k, o) : view(o, k);
        else
          line[k] = axis == 0 ? view(k, o, i) : axis == 1 ? view(o, k, i) : view(o, i, k);
      }
      R found{};
      if constexpr (D == 2)
        found = out(o);
      else
        found = out(o, i);
      ASSERT_TRUE(same(found, expected(std::span<const T>(line)))) << where << ", line " << o << ", " << i << ": " << found;
    }
  std::size_t untouched = 0;
  for (const R value : results) untouched += value == R{77} ? 1 : 0;
  ASSERT_GE(untouched, size - written) << where;
}

class AxisReductionsTest : public testing::TestWithParam<std::string> {
 protected:
  template <class T, std::size_t D>
  void check(const Layouts<T, D>& layouts) {
    for (std::size_t v = 0; v < layouts.views.size(); ++v)
      for (std::size_t axis = 0; axis < D; ++axis) {
        const View<T, D>& view = layouts.views[v];
        std::string where = layouts.names[v] + " of " + std::to_string(sizeof(T)) + " bytes, axis " + std::to_string(axis) + " of";
        for (const std::size_t extent : view.extents()) where += " " + std::to_string(extent);
        check(view, axis, where);
      }
  }

  template <class T, std::size_t D>
  void check(const View<T, D>& view, std::size_t axis, const std::string& where) {
    using S = sum_t<T>;
    const auto terms = [](std::span<const T> x, auto term) {
      using Term = decltype(term(T{}));
      return x.empty() ? Term{0} : reference::named_sum<Term>(x.size(), [&](std::size_t i) { return term(x[i]); });
    };
    expect_lines<S>(
        view, axis, "sum, " + where, [&](const auto& out) { sum(engine_, view, Axis{axis}, out); },
        [&](std::span<const T> x) { return terms(x, [](T v) { return static_cast<S>(v); }); });
    if constexpr (std::is_floating_point_v<T>) {
      expect_lines<T>(
          view, axis, "norm1, " + where, [&](const auto& out) { norm1(engine_, view, Axis{axis}, out); },
          [&](std::span<const T> x) { return terms(x, [](T v) { return std::abs(v); }); });
      expect_lines<T>(
          view, axis, "norm2, " + where, [&](const auto& out) { norm2(engine_, view, Axis{axis}, out); },
          [&](std::span<const T> x) { return std::sqrt(terms(x, [](T v) { return v * v; })); });
      expect_lines<T>(
          view, axis, "norm_inf, " + where, [&](const auto& out) { norm_inf(engine_, view, Axis{axis}, out); },
          [](std::span<const T> x) {
            return x.empty() ? T{0} : std::max(reference::extreme(x, false), -reference::extreme(x, true));
          });
    }
    if (view.extent(axis) == 0) return;
    expect_lines<T>(
        view, axis, "min, " + where, [&](const auto& out) { min(engine_, view, Axis{axis}, out); },
        [](std::span<const T> x) { return reference::extreme(x, true); });
    expect_lines<T>(
        view, axis, "max, " + where, [&](const auto& out) { max(engine_, view, Axis{axis}, out); },
        [](std::span<const T> x) { return reference::extreme(x, false); });
    expect_lines<double>(
        view, axis, "mean, " + where, [&](const auto& out) { mean(engine_, view, Axis{axis}, out); },
        [](std::span<const T> x) { return reference::mean(x); });
  }

  template <class T>
  void check_shapes() {
    std::vector<std::array<std::size_t, 2>> flat{{0, 0}, {0, 4},   {4, 0},   {1, 1},   {1, 9},    {9, 1},     {2, 63},
                                                 {3, 3}, {65, 64}, {33, 17}, {40, 15}, {130, 33}, {20, 1030}, {1030, 20}};
    if (!support::kSanitizer) flat.insert(flat.end(), {{3, 8193}, {8193, 3}, {300, 300}, {16'400, 17}, {2, 20'001}, {20'001, 2}});
    for (const auto& extents : flat) check(Layouts<T, 2>(extents));
    for (const std::array<std::size_t, 3>& extents :
         {std::array<std::size_t, 3>{2, 3, 4}, {0, 3, 2}, {3, 0, 2}, {1, 70, 1}, {7, 1, 40}, {20, 17, 9}, {5, 600, 4}})
      check(Layouts<T, 3>(extents));
  }

  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(AxisReductionsTest, EachLineIsReducedAsARangeOfItsOwn) {
  check_shapes<double>();
  check_shapes<float>();
  check_shapes<std::int32_t>();
  check_shapes<std::int64_t>();
}

TEST_P(AxisReductionsTest, SpecialValuesStayInTheirLines) {
  using Limits = std::numeric_limits<double>;
  for (const std::size_t rows : {2U, 33U, 700U}) {
    constexpr std::size_t kColumns = 24;
    Layouts<double, 2> layouts({rows, kColumns});
    std::vector<double> special{Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), -0.0, 0.0, Limits::denorm_min()};
    std::vector<double> x(rows * kColumns, 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t column = i % kColumns;
      x[i] = column < 4 ? -0.0 : column < 8 ? 0.0 : number<double>(i);
      if (i / kColumns == column * 5 % rows) x[i] = special[column % special.size()];
    }
    const auto by_rows = View<double, 2>::row_major(x.data(), {rows, kColumns});
    const auto by_columns = View<double, 2>::column_major(x.data(), {kColumns, rows});
    const std::string where = "special values in " + std::to_string(rows) + " rows";
    const auto expect = [&](const View<double, 2>& view, std::size_t axis) {
      const auto each = [&](auto function, auto of_range) {
        expect_lines<double>(
            view, axis, where, [&](const auto& out) { function(out); },
            [&](std::span<const double> line) { return of_range(line); });
      };
      each([&](auto out) { min(engine_, view, Axis{axis}, out); }, [&](auto line) { return min(engine_, line); });
      each([&](auto out) { max(engine_, view, Axis{axis}, out); }, [&](auto line) { return max(engine_, line); });
      each([&](auto out) { sum(engine_, view, Axis{axis}, out); }, [&](auto line) { return sum(engine_, line); });
      each([&](auto out) { mean(engine_, view, Axis{axis}, out); }, [&](auto line) { return mean(engine_, line); });
      each([&](auto out) { norm1(engine_, view, Axis{axis}, out); }, [&](auto line) { return norm1(engine_, line); });
      each([&](auto out) { norm2(engine_, view, Axis{axis}, out); }, [&](auto line) { return norm2(engine_, line); });
      each([&](auto out) { norm_inf(engine_, view, Axis{axis}, out); }, [&](auto line) { return norm_inf(engine_, line); });
    };
    for (const std::size_t axis : {0U, 1U}) {
      expect(by_rows, axis);
      expect(by_columns, axis);
    }
  }
}

TEST_P(AxisReductionsTest, NormsOfExtremeNumbers) {
  const std::vector<double> x{0x3p600, 0x3p-600, 0, 3, 0x4p600, 0x4p-600, 0, 4};
  std::vector<double> out(4);
  norm2(engine_, View<const double, 2>::row_major(x.data(), {2, 4}), Axis{0}, out);
  EXPECT_EQ(out, (std::vector<double>{0x5p600, 0x5p-600, 0, 5}));
}

TEST_P(AxisReductionsTest, IntegersAreAddedIn64BitsAndTheirMeansDoNotWrap) {
  const std::vector<std::int32_t> x(600 * 20, std::numeric_limits<std::int32_t>::min());
  std::vector<std::int64_t> sums(20);
  sum(engine_, View<const std::int32_t, 2>::row_major(x.data(), {600, 20}), Axis{0}, sums);
  EXPECT_EQ(sums, std::vector<std::int64_t>(20, 600 * std::int64_t{std::numeric_limits<std::int32_t>::min()}));
  for (const std::int64_t value : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    const std::vector<std::int64_t> y(10'000 * 3, value);
    std::vector<double> means(3);
    mean(engine_, View<const std::int64_t, 2>::row_major(y.data(), {10'000, 3}), Axis{0}, means);
    EXPECT_EQ(means, std::vector<double>(3, static_cast<double>(value)));
  }
}

TEST_P(AxisReductionsTest, LongLinesSpreadOverThreads) {
  const std::size_t n = support::repeats(1'000'000);
  const std::vector<double> x(3 * n, 1.0);
  std::vector<double> sums(3);
  for (const bool rows : {true, false}) {
    const auto view =
        rows ? View<const double, 2>::row_major(x.data(), {n, 3}) : View<const double, 2>::column_major(x.data(), {n, 3});
    sum(engine_, view, Axis{0}, sums);
    EXPECT_EQ(sums, std::vector<double>(3, static_cast<double>(n)));
    EXPECT_EQ(engine_.last_run().tasks, engine_.backend() == "serial" ? 1U : 3U) << "rows: " << rows;
  }
}

TEST_P(AxisReductionsTest, WhatDoesNotFitIsTold) {
  std::vector<double> x(24, 1.0);
  const auto view = View<double, 2>::row_major(x.data(), {4, 6});
  std::vector<double> four(4);
  std::vector<double> six(6);
  EXPECT_NE(message_of([&] { sum(engine_, view, Axis{2}, four); }).find("there is no axis 2; a view of 2 dimensions"),
            std::string::npos);
  EXPECT_NE(message_of([&] { sum(engine_, view, Axis{0}, four); }).find("sum: along axis 0 there are 6 results"),
            std::string::npos);
  EXPECT_NE(message_of([&] { max(engine_, view, Axis{1}, six); }).find("room for 6"), std::string::npos);
  const auto solid = View<double, 3>::row_major(x.data(), {2, 3, 4});
  EXPECT_NE(message_of([&] {
              sum(engine_, solid, Axis{1}, View<double, 2>::row_major(four.data(), {2, 2}));
            }).find("2 × 4 results"),
            std::string::npos);
  EXPECT_NE(message_of([&] { sum(engine_, view, Axis{1}, std::span(x).subspan(20)); }).find("shares memory"), std::string::npos);
  EXPECT_NE(message_of([&] { min(engine_, view, Axis{1}, View<double, 1>(x.data() + 23, {4}, {-7})); }).find("shares memory"),
            std::string::npos);
  EXPECT_NE(message_of([&] { sum(engine_, view, Axis{1}, View<double, 1>(four.data(), {4}, {0})); }).find("stride of 0"),
            std::string::npos);
  EXPECT_THROW(sum(engine_, View<const double, 2>(nullptr, {4, 6}, {6, 1}), Axis{1}, four), Error);
  EXPECT_THROW(sum(engine_, view, Axis{1}, View<double, 1>(nullptr, {4}, {1})), Error);

  const View<const double, 2> none(nullptr, {4, 0}, {0, 1});
  sum(engine_, none, Axis{1}, four);
  EXPECT_EQ(four, std::vector<double>(4, 0.0));
  for (const auto reduction : {+[](Engine&e, View<const double, 2> v, std::vector<double>&out) { min(e, v, Axis{1}, out); },
                               +[](Engine&e, View<const double, 2> v, std::vector<double>&out) { max(e, v, Axis{1}, out); },
                               +[](Engine&e, View<const double, 2> v, std::vector<double>&out) { mean(e, v, Axis{1}, out); }}) {
    EXPECT_NE(message_of([&] { reduction(engine_, none, four); }).find("no elements along axis 1"), std::string::npos);
    std::vector<double> nothing;
    reduction(engine_, View<const double, 2>(nullptr, {0, 0}, {0, 1}), nothing);  // no line, no result, no error
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, AxisReductionsTest, testing::ValuesIn(backends()), [](const auto& of) { return of.param; });

}  // namespace
}  // namespace furrow
