#pragma once

#include <cstddef>
#include <span>

#include "furrow/kernels/reductions.hpp"

namespace furrow {

/// What describes how numbers are spread.
struct Moments {
  std::size_t count;  ///< of the numbers
  double mean;        ///< of them
  double variance;    ///< m2; m[k] is the mean of the k-th powers of what the elements differ from their mean by
  double skew;        ///< m3 / m2^1.5: 0 if they lie evenly about their mean; NaN if all are equal
  double kurtosis;    ///< m4 / m2² − 3: 0 of a normal distribution; NaN if all are equal
  double min;         ///< the least
  double max;         ///< the greatest
};

namespace named {

/// Elements whose moments are taken about their own mean, before they join those of others: in double, half a first-level cache.
inline constexpr std::size_t kMomentBlock = 2048;

/// Moments that are still to be divided: the sums of powers of what the elements differ from their mean by.
struct CentralSums {
  double count;
  double centre;  ///< the mean is centre + off, which together have more bits: those of large means would not do to tell them apart
  double off;
  double m2;
  double m3;
  double m4;
  double min;
  double max;
};

template <NamedElement T>
CentralSums square_sums(Engine& engine, std::span<const T> x);
template <NamedElement T>
CentralSums power_sums(Engine& engine, std::span<const T> x);

/// Those of both together (Chan, Golub, LeVeque, 1979; Pébay, Formulas for Robust, One-Pass Parallel Computation of Covariances and
/// Arbitrary-Order Statistical Moments, 2008).
CentralSums join_central(CentralSums a, CentralSums b);

/// Of at least one element.
Moments moments(const CentralSums& sums);

}  // namespace named

/// The mean of (x[i] − mean)², the same bits as moments(in).variance; 0 if all elements are equal. NaN if any is NaN or infinite.
/// Throws Error if empty. 1 read.
template <NamedRange In>
double variance(Engine& engine, In&& in) {
  const named::CentralSums sums = named::square_sums<value_t<In>>(engine, named::in(in));
  return sums.m2 / sums.count;
}

/// Count, mean, variance, skew, kurtosis, least and greatest element in one pass, in double whatever the type of the elements.
/// About as accurate as two passes: blocks of 2048 elements are summed up about their own mean and then joined in a tree. If any
/// element is NaN, so is all but the count; if any is infinite, variance, skew and kurtosis are NaN. Overflows where the sum of
/// 2048 elements, or of the fourth powers of differences, does. Throws Error if empty. 1 read.
template <NamedRange In>
Moments moments(Engine& engine, In&& in) {
  return named::moments(named::power_sums<value_t<In>>(engine, named::in(in)));
}

}  // namespace furrow
