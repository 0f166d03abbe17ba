#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "furrow/kernels/reductions.hpp"

namespace furrow {

/// Asks for a sum that is rounded once: the number nearest to the true sum, whatever the order of the terms.
struct Exact {};
/// As in sum(engine, x, furrow::exact).
inline constexpr Exact exact;

namespace named {

template <std::floating_point T>
T exact_sum(Engine& engine, std::span<const T> x);
template <std::floating_point T>
T exact_dot(Engine& engine, std::span<const T> x, std::span<const T> y);

}  // namespace named

/// The floating-point number nearest to the true sum, the even one of two; infinite only if the true sum is too large, however
/// large partial sums are. +0 if the true sum is 0, or empty. NaN if any element is NaN, or if there are infinities of both signs;
/// else an infinity if there is one. Where denormal numbers are flushed to zero, bits below the least normal number may be lost.
///
/// Cost: one read and 16 additions per element as long as the sizes in a block of 1024 elements span no more than 2^76, and
/// 12 more for each further factor of 2^129; numbers from 2^1014 on are added one by one.
template <FloatingRange In>
value_t<In> sum(Engine& engine, In&& in, Exact) {
  return named::exact_sum<value_t<In>>(engine, named::in(in));
}

/// The same of the exact products x[i] · y[i]; a product of an infinity and 0 is NaN. Throws Error if the sizes differ. Two reads,
/// and about twice the arithmetic; blocks with products of extreme size (not within 2^-960 … 2^990) are added one by one.
template <FloatingRange X, RangeOf<value_t<X>> Y>
value_t<X> dot(Engine& engine, X&& x, Y&& y, Exact) {
  return named::exact_dot<value_t<X>>(engine, named::in(x), named::in(y));
}

}  // namespace furrow
