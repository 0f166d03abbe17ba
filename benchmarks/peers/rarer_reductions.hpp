#pragma once

#include <bit>
#include <span>
#include <vector>

#include "benchmarks/peers/formulas.hpp"
#include "furrow/kernels/moments.hpp"

// Reductions to more than a number, of a share of the elements and of shares together.

namespace furrow::bench {
namespace {

/// The least element and where it is first.
template <class T>
struct Least {
  T value = Min::identity<T>();
  std::size_t index = 0;

  static Least of(const T* x, std::size_t begin, std::size_t end) {
    Least least;
    for (std::size_t i = begin; i < end; ++i)
      if (x[i] < least.value) least = {x[i], i};
    return least;
  }
  static Least of_both(const Least& a, const Least& b) {
    return b.value < a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
};

/// What `histogram` and the kernels that count integers leave as their result.
constexpr std::size_t kBins = 256;
using BinCounts = std::array<std::size_t, kBins + 1>;  // the last: of what lies in no bin
inline std::array<std::size_t, 8> digest(const BinCounts& counts) {
  std::array<std::size_t, 8> sums{};
  for (std::size_t k = 0; k < kBins; ++k) sums[k % 8] += counts[k] * (k + 1);
  return sums;
}

/// The bin of an element: of a fraction one of equal bins, of an integer itself.
template <class T>
std::size_t bin_of(T v) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr double kLow = -0.9;
    constexpr double kHigh = 0.8;
    const auto d = static_cast<double>(v);
    if (!(d >= kLow && d <= kHigh)) return kBins;
    return std::min(kBins - 1, static_cast<std::size_t>((d - kLow) * (kBins / (kHigh - kLow))));
  } else {
    return static_cast<std::size_t>(v);
  }
}
template <class T>
void count_bins(const T* x, std::size_t begin, std::size_t end, BinCounts& counts) {
  for (std::size_t i = begin; i < end; ++i) ++counts[bin_of(x[i])];
}

/// Sums of powers of what elements differ from their mean by, and the extremes, in double.
struct Powers {
  double sums[3] = {0, 0, 0};
  double low = Min::identity<double>();
  double high = -Min::identity<double>();

  Moments moments(std::size_t n, double mean) const {
    const auto count = static_cast<double>(n);
    const double variance = sums[0] / count;
    return {n,   mean, variance, sums[1] / count / (variance * std::sqrt(variance)), sums[2] / count / (variance * variance) - 3,
            low, high};
  }
};

/// The matrix of `sum_axis0` and `sum_axis1`.
struct MatrixShape {
  explicit MatrixShape(std::size_t n)
      : width(std::bit_floor(static_cast<std::size_t>(std::sqrt(static_cast<double>(n))))), height(width == 0 ? 0 : n / width) {}
  std::size_t width;
  std::size_t height;
};

}  // namespace
}  // namespace furrow::bench
