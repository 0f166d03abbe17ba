#pragma once

#include <Eigen/SparseCore>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/sparse.hpp"

// Eigen's sparse matrices times vectors on all cores. This header needs Eigen 3.4; furrow itself does not.

namespace furrow {

/// y = a · x, as multiply() of SparseRows. `a` is an Eigen::SparseMatrix or a Map of one, row-major, compressed or not; x and y are
/// vectors or other ranges. Throws Error if the sizes do not fit or y shares memory with x.
template <class Matrix, ContiguousRange X, ContiguousRange Y>
void multiply(Engine& engine, const Eigen::SparseCompressedBase<Matrix>& a, X&& x, Y&& y) {
  using T = typename Matrix::Scalar;
  using Index = typename Matrix::StorageIndex;
  static_assert(
      Matrix::IsRowMajor,
      "furrow multiplies rows: copy the matrix into an Eigen::SparseMatrix<T, Eigen::RowMajor> first (a symmetric one may be "
      "built so from the start)");
  static_assert(std::same_as<T, float> || std::same_as<T, double>, "the elements have to be float or double");
  static_assert(std::same_as<Index, std::int32_t> || std::same_as<Index, std::int64_t>, "the indices have to have 32 or 64 bits");
  static_assert(std::same_as<value_t<X>, T> && std::same_as<value_t<Y>, T>, "matrix and vectors have to be of one element type");
  const Matrix& matrix = a.derived();
  const SparseRows<T, Index> rows{static_cast<std::size_t>(matrix.rows()),
                                  static_cast<std::size_t>(matrix.cols()),
                                  matrix.outerIndexPtr(),
                                  matrix.innerNonZeroPtr(),
                                  matrix.innerIndexPtr(),
                                  matrix.valuePtr()};
  multiply(engine, rows, as_span(x), as_span(y));
}

}  // namespace furrow
