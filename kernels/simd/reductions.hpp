#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "furrow/kernels/types.hpp"

// The SIMD code of the reductions that keep more than a running total.

namespace furrow::simd {

/// The lanes in which powers are added up, on every machine: one register of AVX-512.
inline constexpr std::size_t kPowerLanes = 8;

/// Σ(x[i] - centre)^k for k = 1 … 4, and the extremes as the processor compares: NaN aside, and of zeros either.
struct PowerSums {
  std::array<double, 4> sums;
  double low;
  double high;
};

/// How often a block is divided into leading bits and rest in one pass.
inline constexpr std::size_t kSplits = 3;
/// Most elements of a block to split, and the bits that each pass of it takes off: 53, less those that so many terms need.
inline constexpr int kSplitBlockBits = 10;
inline constexpr std::size_t kSplitBlock = std::size_t{1} << kSplitBlockBits;
inline constexpr int kSplitBits = 53 - kSplitBlockBits;

/// The part of a bin's width by which roundings may at most move a number or an edge.
inline constexpr double kCloseToEdge = 0x1p-10;

/// Bins of equal width that cover [low, high]. Bin k begins at low + k · width.
struct EqualBins {
  double low;
  double high;
  double width;
  double scale;  ///< count / (high - low)
  std::uint32_t count;
};

/// For one element type and one instruction set.
template <class T>
struct Reductions {
  /// The first i with x[i] = value to the last bit, or, if value is NaN, with x[i] any NaN; n if there is none.
  std::size_t (*find)(const T* x, T value, std::size_t n);
  /// out[i] = x[i], rounded.
  void (*to_doubles)(const T* x, double* out, std::size_t n);
  /// The greatest |x[i]| of n >= 1, NaN if any is. Null for integers.
  T (*max_magnitude)(const T* x, std::size_t n);
  /// out[i] = the bin of x[i], or bins.count if it lies in none. Null for bytes, whose values are counted.
  void (*find_bins)(const T* x, std::size_t n, const EqualBins& bins, std::uint32_t* out);
};
template <NamedElement T>
const Reductions<T>& reductions();

/// For doubles, or what became doubles.
struct BlockReductions {
  /// Element i goes to lane i mod kPowerLanes; at the end the upper half of the lanes is added to the lower half until one is left.
  /// What lies at `ahead`, and may be behind the end of anything, is fetched into the cache.
  void (*power_sums)(const double* x, std::size_t n, double centre, const void* ahead, PowerSums& out);
  /// The same without the third and fourth powers and the extremes.
  void (*square_sums)(const double* x, std::size_t n, double centre, const void* ahead, PowerSums& out);
  /// Takes from each of n <= kSplitBlock numbers below 2^(high - 9) its bits from 2^(high - 52) on, then the next kSplitBits, and
  /// so on; sums[k] = Σ of what was taken at the k-th time, which is exact. Returns the greatest magnitude of what is left, which
  /// is written to `rest`, and may be x. Needs high <= 1023.
  double (*split)(const double* x, double* rest, std::size_t n, int high, std::array<double, kSplits>& sums);
  /// x[i] · y[i] = product[i] + error[i], each of which may be x or y; returns whether that is exact for all i, as it is of all but
  /// extreme sizes.
  bool (*products)(const double* x, const double* y, double* product, double* error, std::size_t n);
  /// The sum of (x[i] >> 32) and that of (x[i] mod 2^32). For n < 2^31.
  std::array<std::int64_t, 2> (*half_sums)(const std::int64_t* x, std::size_t n);
  /// Whether any x[i] is not 0; whether any is 0.
  bool (*any_true)(const std::uint8_t* x, std::size_t n);
  bool (*any_false)(const std::uint8_t* x, std::size_t n);
};
const BlockReductions& block_reductions();

}  // namespace furrow::simd
