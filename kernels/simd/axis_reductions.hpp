#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/kernels/reductions.hpp"

// The SIMD code that reduces all columns of a block of rows at once.

namespace furrow::simd {

/// How columns of T become totals of type S, for one instruction set.
template <class T, class S>
struct ColumnReduction {
  /// Joins rows, `width` elements wide and `stride` elements apart, to `totals`, which has `lanes` rows: row i joins row i mod
  /// lanes. If there are more rows than lanes and several lanes, the rows join `parts` first, which has room for as much as
  /// `totals` does, and those join the totals at the end. So kRows · lanes rows at a time, in kLanes<S> lanes, are added in the
  /// order of sum(). `following` more rows will be asked for next.
  void (*add)(const T* x, std::ptrdiff_t stride, std::size_t rows, std::size_t following, std::size_t width, std::size_t lanes,
              S* parts, S* totals);
  /// to[i] becomes to[i] joined with other[i].
  void (*join)(S* to, const S* other, std::size_t n);
  /// What changes nothing that it is joined with.
  S nothing;
  /// Whether the order in which rows are joined shows in the bits.
  bool ordered;
};

/// Those of one element type; without functions where it has no such reduction.
template <class T>
struct ColumnReductions {
  ColumnReduction<T, sum_t<T>> sum;
  ColumnReduction<T, double> sum_of_doubles;
  ColumnReduction<T, T> sum_of_magnitudes;
  ColumnReduction<T, T> sum_of_squares;
  ColumnReduction<T, T> min;
  ColumnReduction<T, T> max;
  ColumnReduction<T, T> max_magnitude;
  ColumnReduction<T, std::int64_t> sum_of_high_halves;  ///< of x >> 32
  ColumnReduction<T, std::int64_t> sum_of_low_halves;   ///< of x mod 2^32
};
template <class T>
const ColumnReductions<T>& column_reductions();

}  // namespace furrow::simd
