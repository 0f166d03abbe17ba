// What computes the lines of simulations on grids. Included once for each instruction set, by files that Highway's foreach_target
// compiles so.
#if defined(FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#undef FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#else
#define FURROW_KERNELS_SIMULATIONS_LINE_KERNELS_HPP
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// cell(d, i) for cells [0, size) of a line, of which cell -first lies at the beginning of a cache line: for aligned vectors, and
/// for unaligned ones at both ends, which compute some cells again. Lines shorter than a vector go cell by cell, with the same
/// operations: no bit depends on where lines begin and end.
template <class T, class Cell>
HWY_INLINE void for_cells(std::ptrdiff_t first, std::ptrdiff_t size, const Cell& cell) {
  const hn::ScalableTag<T> vector;
  constexpr auto kLanes = static_cast<std::ptrdiff_t>(hn::MaxLanes(vector));
  if (size < kLanes) {
    const hn::CappedTag<T, 1> single;
#pragma GCC unroll 1
    for (std::ptrdiff_t i = 0; i < size; ++i) cell(single, i);
    return;
  }
  std::ptrdiff_t i = -first & (kLanes - 1);
  if (i > 0) cell(vector, 0);
  for (; i + kLanes <= size; i += kLanes) cell(vector, i);
  if (i < size) cell(vector, size - kLanes);
}

/// Where lines have cell `first`, each address in a register of its own. Compilers would load two or four at once, which waits
/// until all of them, just stored one by one, have reached the cache.
template <std::size_t N>
HWY_INLINE std::array<const double*, N> lines_from(const double* const* lines, std::ptrdiff_t first) {
  const auto alone = [](const double* address) {
    asm("" : "+r"(address));
    return address;
  };
  return [&]<std::size_t... Line>(std::index_sequence<Line...>) {
    return std::array<const double*, N>{alone(lines[Line] + first)...};
  }
  (std::make_index_sequence<N>());
}

/// The cells one before those at `at`, or one behind them, or (offset 0) those. They are taken from the vectors before and behind
/// where the processor does that in one step: each load across two cache lines costs as much as two.
template <class D>
HWY_INLINE hn::Vec<D> load_beside(D d, const double* at, std::ptrdiff_t offset) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (hn::MaxLanes(D()) == 8) {
    // maskz: as in kernels/math_functions.hpp
    const auto bits = [](const double* from) HWY_ATTR { return _mm512_castpd_si512(_mm512_loadu_pd(from)); };
    if (offset < 0) return hn::Vec<D>{_mm512_castsi512_pd(_mm512_maskz_alignr_epi64(0xFF, bits(at), bits(at - 8), 7))};
    if (offset > 0) return hn::Vec<D>{_mm512_castsi512_pd(_mm512_maskz_alignr_epi64(0xFF, bits(at + 8), bits(at), 1))};
  }
#endif
  return hn::LoadU(d, at + offset);
}

/// Sums f of the lines beside the middle one, two and two, and of the two cells beside: f(line, offset).
template <std::size_t D, class F>
HWY_INLINE auto over_neighbours(const F& f) {
  if constexpr (D == 2)
    return hn::Add(hn::Add(f(0, 0), f(2, 0)), hn::Add(f(1, -1), f(1, 1)));
  else
    return hn::Add(hn::Add(hn::Add(f(1, 0), f(7, 0)), hn::Add(f(3, 0), f(5, 0))), hn::Add(f(4, -1), f(4, 1)));
}

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
