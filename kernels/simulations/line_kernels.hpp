// What computes the lines of simulations on grids. Included once for each instruction set, by files that Highway's foreach_target
// compiles so.
#if defined(FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#undef FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#else
#define FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// cell(d, i) for cells [0, size): for vectors of them, then for single ones by the same operations, so that no bit depends on
/// where lines begin and end.
template <class T, class Cell>
HWY_INLINE void for_cells(std::ptrdiff_t size, const Cell& cell) {
  const hn::ScalableTag<T> vector;
  constexpr auto kLanes = static_cast<std::ptrdiff_t>(hn::MaxLanes(vector));
  std::ptrdiff_t i = 0;
  for (; i + kLanes <= size; i += kLanes) cell(vector, i);
  const hn::CappedTag<T, 1> single;
#pragma GCC unroll 1
  for (; i < size; ++i) cell(single, i);
}

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
