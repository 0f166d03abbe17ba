#pragma once

#include <cstddef>
#include <span>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/sorting.hpp"

namespace furrow {

/// The q-quantile: with the elements in order, that at the place q · (n − 1), or what lies in a straight line between the two
/// beside it (definition 7 of Hyndman, Fan: Sample quantiles in statistical packages, 1996; NumPy's default). The median is q =
/// 0.5. NaN if any element is NaN. Elements become double before anything is computed of them.
///
/// Throws Error if the range is empty or q is not in [0, 1]. Cost: that of nth_element on a copy, and one more read.
template <NamedRange In>
double quantile(Engine& engine, In&& in, double q) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("quantile", x.size());
  check::share("quantile", q);
  Array<T> ordered(engine, x.size());
  copy(engine, x, ordered);
  const double place = q * static_cast<double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  nth_element(engine, ordered, below);
  const auto a = static_cast<double>(ordered[below]);
  if (below + 1 == x.size()) return a;  // NaN is the last in order
  const auto b = static_cast<double>(min(engine, std::span<const T>(ordered).subspan(below + 1)));
  const double share = place - static_cast<double>(below);
  if (share == 0 && b == b) return a;  // not where b is NaN
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share);
}

}  // namespace furrow
