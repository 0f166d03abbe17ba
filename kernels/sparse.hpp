#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/ranges.hpp"

namespace furrow {

/// A matrix given by its nonzeros, row after row, in the caller's memory: those of row i begin at begins[i], each with its column
/// and its value. `begins` has an element for each row and one more. There are counts[i] of them, or, if `counts` is null, as many
/// as lie before begins[i + 1] (CSR).
template <std::floating_point T, std::signed_integral Index>
struct SparseRows {
  std::size_t rows;        ///< number of rows
  std::size_t columns;     ///< and of columns
  const Index* begins;     ///< where the nonzeros of each row begin
  const Index* counts;     ///< how many each row has, or null
  const Index* column_of;  ///< the column of each nonzero
  const T* values;         ///< its value
};

/// y[i] = Σ a(i, j) · x[j] over the nonzeros of row i; 0 for a row of none. Of float and double, with indices of 32 or 64 bits.
///
/// Each product is rounded; term k of a row is added to lane k mod 4, in order, and the sum is (lane 0 + lane 2) + (lane 1 + lane
/// 3): so the bits are the same on every backend and processor. Columns have to be below `columns`. Throws Error if x has not an
/// element for each column and y for each row, or if y shares memory with x. Cost: the nonzeros and x are read once, y is written.
/// Rows are shared out by their nonzeros; one row is one thread's.
template <std::floating_point T, std::signed_integral Index>
void multiply(Engine& engine, const SparseRows<T, Index>& a, std::span<const std::type_identity_t<T>> x,
              std::span<std::type_identity_t<T>> y);

}  // namespace furrow
