#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/operations.hpp"
#include "furrow/kernels/ranges.hpp"

// Reductions keep one partial result per chunk and combine them in a tree; chunks and tree depend on the size alone, so the same
// elements give the same bits with every backend, number of threads and instruction set.

namespace furrow {

/// Whether op(a, b) is op(b, a) whatever the operands, so that a reduction may go in SIMD lanes. Known for the standard's function
/// objects; specialise it for your own.
template <class Op, class T>
inline constexpr bool commutes = false;
template <class U, class T>
inline constexpr bool commutes<std::plus<U>, T> = std::is_arithmetic_v<T>;
template <class U, class T>
inline constexpr bool commutes<std::multiplies<U>, T> = std::is_arithmetic_v<T>;
template <class U, class T>
inline constexpr bool commutes<std::bit_and<U>, T> = std::is_integral_v<T>;
template <class U, class T>
inline constexpr bool commutes<std::bit_or<U>, T> = std::is_integral_v<T>;
template <class U, class T>
inline constexpr bool commutes<std::bit_xor<U>, T> = std::is_integral_v<T>;

namespace reductions {

/// Whether op adds two T, for which there are named kernels.
template <class Op, class T>
inline constexpr bool adds = std::is_same_v<Op, std::plus<>> || std::is_same_v<Op, std::plus<T>>;

/// Combines partial results in place, neighbours first, then neighbouring pairs, and so on; the order of operands is kept. What
/// remains stands in front. An aligned group of 2^k partials combines to one that takes its place k levels up: parts of a larger
/// whole may be combined on their own. Needs at least one.
template <class T, class Op>
void combine(std::span<T> partials, Op& op) {
  for (std::size_t width = 1; width < partials.size(); width *= 2)
    for (std::size_t i = 0; i + width < partials.size(); i += 2 * width)
      partials[i] = static_cast<T>(op(partials[i], partials[i + width]));
}

/// at(begin) op … op at(end - 1). Long ranges go in eight runs side by side, since one after the other each step would wait for the
/// one before; the order of operands is kept. Needs begin < end.
template <class T, class At, class Op>
T fold_in_order(std::size_t begin, std::size_t end, const At& at, Op& op) {
  constexpr std::size_t kRuns = 8;
  constexpr std::size_t kLong = 64;
  const std::size_t length = (end - begin) / kRuns;
  if (end - begin < kLong) {
    T total = at(begin);
    for (std::size_t i = begin + 1; i < end; ++i) total = static_cast<T>(op(total, at(i)));
    return total;
  }
  std::array<T, kRuns> runs{at(begin),
                            at(begin + length),
                            at(begin + 2 * length),
                            at(begin + 3 * length),
                            at(begin + 4 * length),
                            at(begin + 5 * length),
                            at(begin + 6 * length),
                            at(begin + 7 * length)};
  for (std::size_t i = begin + 1; i < begin + length; ++i) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRuns; ++r) runs[r] = static_cast<T>(op(runs[r], at(i + r * length)));
  }
  for (std::size_t i = begin + kRuns * length; i < end; ++i) runs[kRuns - 1] = static_cast<T>(op(runs[kRuns - 1], at(i)));
  combine(std::span<T>(runs), op);
  return runs[0];
}

/// The upper half of kCount lanes joins the lower half, until one is left; lengths are constant, so this is SIMD code.
template <std::size_t kCount, class T, class Op>
void halve(T* lanes, Op& op) {
  for (std::size_t l = 0; l < kCount / 2; ++l) lanes[l] = static_cast<T>(op(lanes[l], lanes[l + kCount / 2]));
  if constexpr (kCount > 2) halve<kCount / 2>(lanes, op);
}

/// The same for an op that commutes: element i goes to lane i mod kLanes, and at the end the upper half of the lanes joins the
/// lower half until one is left. Needs at least one element for each lane.
template <class T, std::size_t kLanes, class At, class Op>
T fold_in_lanes(std::size_t begin, std::size_t end, const At& at, Op& op) {
  std::array<T, kLanes> lanes;
  for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = at(begin + l);
  std::size_t i = begin + kLanes;
  for (; i + kLanes <= end; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = static_cast<T>(op(lanes[l], at(i + l)));
  for (std::size_t l = 0; i < end; ++i, ++l) lanes[l] = static_cast<T>(op(lanes[l], at(i)));
  halve<kLanes>(lanes.data(), op);
  return lanes[0];
}

template <class T, class At, class Op>
T fold(std::size_t begin, std::size_t end, const At& at, Op& op) {
  if constexpr (commutes<std::remove_cv_t<Op>, T> && sizeof(T) <= 8) {
    constexpr std::size_t kLanes = 256 / sizeof(T);
    if (end - begin >= kLanes) return fold_in_lanes<T, kLanes>(begin, end, at, op);
  }
  return fold_in_order<T>(begin, end, at, op);
}

/// One partial result per chunk, by partial(elements of the chunk), combined; needs at least one chunk.
template <class T, class Partial, class Op>
T over_chunks(Engine& engine, Cost& cost, const Chunks& chunks, const Partial& partial, Op& op) {
  if constexpr (std::is_trivially_default_constructible_v<T> && std::is_trivially_copyable_v<T>) {
    constexpr std::size_t kFew = 128;
    T few[kFew];  // a small call does not allocate
    const std::unique_ptr<T[]> many(chunks.count() > kFew ? new T[chunks.count()] : nullptr);
    T* const partials = many ? many.get() : few;
    engine.over_chunks(chunks, cost, [chunks, partial, partials](std::size_t first, std::size_t last) {
      while (first < last) {  // written several at a time: neighbours share a line of the cache, which threads would fight over
        constexpr std::size_t kMost = 16;
        T here[kMost];
        const std::size_t count = last - first < kMost ? last - first : kMost;
        for (std::size_t k = 0; k < count; ++k) here[k] = partial(chunks[first + k]);
        for (std::size_t k = 0; k < count; ++k) partials[first + k] = here[k];
        first += count;
      }
    });
    combine(std::span<T>(partials, chunks.count()), op);
    return partials[0];
  } else {
    std::vector<std::optional<T>> partials(chunks.count());
    engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
      for (; first < last; ++first) partials[first] = partial(chunks[first]);
    });
    auto join = [&op](const std::optional<T>& a, const std::optional<T>& b) { return std::optional<T>(op(*a, *b)); };
    combine(std::span(partials), join);
    return *partials[0];
  }
}

/// op(init, at(0) op … op at(n - 1)), or init if n is 0. `element_bytes` is what the elements weigh.
template <class T, class At, class Op>
T reduce(Engine& engine, Cost& cost, std::size_t n, std::size_t element_bytes, T init, Op& op, const At& at) {
  if (n == 0) return init;
  const auto partial = [&op, at](Range part) { return fold<T>(part.begin, part.end, at, op); };
  return static_cast<T>(op(init, over_chunks<T>(engine, cost, Chunks(n, element_bytes), partial, op)));
}

}  // namespace reductions

/// What sums of T are added and returned in: T itself, or 64 bits for integers.
template <class T>
using sum_t = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;

/// The least and the greatest element.
template <class T>
struct Extremes {
  T min;  ///< the least
  T max;  ///< the greatest
};

/// An element and its index.
template <class T>
struct Located {
  T value;            ///< the element
  std::size_t index;  ///< where it stands
};

namespace named {

/// Elements of one chunk of the named reductions.
inline constexpr std::size_t kReductionChunk = 8192;

template <NamedElement T>
sum_t<T> sum(Engine& engine, std::span<const T> x);
template <NamedElement T>
sum_t<T> dot(Engine& engine, std::span<const T> x, std::span<const T> y);
template <NamedElement T>
T min(Engine& engine, std::span<const T> x);
template <NamedElement T>
T max(Engine& engine, std::span<const T> x);
template <NamedElement T>
Extremes<T> minmax(Engine& engine, std::span<const T> x);
template <NamedElement T>
Located<T> locate_min(Engine& engine, std::span<const T> x);
template <NamedElement T>
Located<T> locate_max(Engine& engine, std::span<const T> x);
template <std::floating_point T>
T norm1(Engine& engine, std::span<const T> x);
template <std::floating_point T>
T norm2(Engine& engine, std::span<const T> x);
template <std::floating_point T>
T norm_inf(Engine& engine, std::span<const T> x);
template <NamedElement T>
double mean(Engine& engine, std::span<const T> x);

// What norm2 and mean are made of, for ranges that are parts of a larger whole.

/// √squares, where `squares` is dot(x, x); if that has overflowed or underflowed, the same by scaled elements.
template <std::floating_point T>
T norm_of_squares(Engine& engine, T squares, std::span<const T> x);
/// Σ(x[i] · scale)², where the scale is a power of two; 0 if empty.
template <std::floating_point T>
T scaled_squares(Engine& engine, std::span<const T> x, T scale);
/// Whether the sum of so many squares has lost nothing to overflow and underflow that would show in its root.
template <std::floating_point T>
bool squares_are_safe(T squares, std::size_t n);
/// The scale by which the squares of numbers up to `largest` are safe.
template <std::floating_point T>
T safe_scale(T largest);

/// Integers of 128 bits, in which no sum of 64-bit integers overflows.
__extension__ using Wide = __int128;
template <class T>
using mean_sum_t = std::conditional_t<std::is_floating_point_v<T>, double, std::conditional_t<sizeof(T) <= 4, std::int64_t, Wide>>;
/// The sum that the mean is made of: of floating-point numbers in double, of integers exact; 0 if empty.
template <NamedElement T>
mean_sum_t<T> mean_sum(Engine& engine, std::span<const T> x);

// How two partial results of each become one.

/// a + b; integers wrap.
template <class T>
T join_sums(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}

/// The lesser, NaN if either is, −0 before +0.
template <NamedElement T>
T lesser(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return __builtin_signbit(a) ? a : b;
  }
  return b < a ? b : a;
}

/// The greater, NaN if either is, +0 after −0.
template <NamedElement T>
T greater(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return __builtin_signbit(a) ? b : a;
  }
  return a < b ? b : a;
}

/// Both.
template <NamedElement T>
Extremes<T> join_extremes(Extremes<T> a, Extremes<T> b) {
  return {lesser(a.min, b.min), greater(a.max, b.max)};
}

/// That of the two with the lesser value (or greater), the first if they have the same; NaN is both least and greatest.
template <bool kLeast, NamedElement T>
Located<T> join_located(Located<T> a, Located<T> b) {
  const T best = kLeast ? lesser(a.value, b.value) : greater(a.value, b.value);
  if constexpr (std::is_floating_point_v<T>) {
    if (best != best) return a.value != a.value ? a : b;
    return best == a.value && __builtin_signbit(best) == __builtin_signbit(a.value) ? a : b;
  } else {
    return best == a.value ? a : b;
  }
}

}  // namespace named

/// init op in[0] op … op in[n-1], for any associative op, which need not commute; the type of `init` is that of the result and of
/// op's operands. Where op is not exactly associative (floating-point addition), the order of combining depends on n alone. Empty
/// input gives init. op is called from several threads at once. Cost: one read per element.
template <ContiguousRange In, class T, BinaryOperation<T> Op>
T reduce(Engine& engine, In&& in, T init, Op&& op) {
  const auto elements = as_span(in);
  if constexpr (NamedElement<T> && std::is_same_v<T, value_t<In>> && reductions::adds<std::remove_cvref_t<Op>, T>) {
    return elements.empty() ? init : static_cast<T>(op(init, static_cast<T>(named::sum<T>(engine, elements))));
  } else {
    static constinit Cost cost(sizeof(value_t<In>));
    return reductions::reduce<T>(engine, cost, elements.size(), sizeof(value_t<In>), init, op,
                                 [x = elements.data()](std::size_t i) { return static_cast<T>(x[i]); });
  }
}

/// init op f(in[0]) op … op f(in[n-1]); otherwise as reduce. f is called once per element.
template <ContiguousRange In, class T, BinaryOperation<T> Op, ElementFunction<In> F>
T transform_reduce(Engine& engine, In&& in, T init, Op&& op, F&& f) {
  static constinit Cost cost(sizeof(value_t<In>));
  const auto elements = as_span(in);
  return reductions::reduce<T>(engine, cost, elements.size(), sizeof(value_t<In>), init, op,
                               [&f, x = elements.data()](std::size_t i) { return static_cast<T>(f(x[i])); });
}

/// init op f(a[0], b[0]) op …; otherwise as above. Throws Error if the sizes differ.
template <ContiguousRange A, ContiguousRange B, class T, BinaryOperation<T> Op, ElementFunction<A, B> F>
T transform_reduce(Engine& engine, A&& a, B&& b, T init, Op&& op, F&& f) {
  static constinit Cost cost(sizeof(value_t<A>) + sizeof(value_t<B>));
  const auto first = as_span(a);
  const auto second = as_span(b);
  check::same_size("transform_reduce", first.size(), second.size());
  return reductions::reduce<T>(engine, cost, first.size(), sizeof(value_t<A>), init, op,
                               [&f, x = first.data(), y = second.data()](std::size_t i) { return static_cast<T>(f(x[i], y[i])); });
}

// Named reductions: SIMD code chosen at run time for this processor, with a fixed number of lanes whatever its width.

/// The sum; 0 if empty. Integers are added in 64 bits and wrap. For n floating-point numbers of precision u the error is at most
/// about (37 + log2(n / 8192)) · u · Σ|x[i]|: 256 bytes' worth of lanes, each adding 16 numbers at a time to a running total of at
/// most 16 such sums, then a tree (Higham, Accuracy and Stability of Numerical Algorithms, ch. 4). 1 read.
template <NamedRange In>
sum_t<value_t<In>> sum(Engine& engine, In&& in) {
  return named::sum<value_t<In>>(engine, named::in(in));
}

/// Σ x[i] · y[i], each product rounded; otherwise as sum. Throws Error if the sizes differ. 2 reads.
template <NamedRange X, RangeOf<value_t<X>> Y>
sum_t<value_t<X>> dot(Engine& engine, X&& x, Y&& y) {
  return named::dot<value_t<X>>(engine, named::in(x), named::in(y));
}

/// The least element, NaN if any is NaN, and −0 before +0 (minimum of IEEE 754-2019). Throws Error if empty. 1 read.
template <NamedRange In>
value_t<In> min(Engine& engine, In&& in) {
  return named::min<value_t<In>>(engine, named::in(in));
}

/// The greatest element; otherwise as min.
template <NamedRange In>
value_t<In> max(Engine& engine, In&& in) {
  return named::max<value_t<In>>(engine, named::in(in));
}

/// Both min and max. 1 read.
template <NamedRange In>
Extremes<value_t<In>> minmax(Engine& engine, In&& in) {
  return named::minmax<value_t<In>>(engine, named::in(in));
}

/// The lowest index at which min(in) stands: that of the first NaN if there is one, that of the first −0 if the least is a zero and
/// any is −0. Throws Error if empty. 1 read.
template <NamedRange In>
std::size_t argmin(Engine& engine, In&& in) {
  return named::locate_min<value_t<In>>(engine, named::in(in)).index;
}

/// The lowest index at which max(in) stands; otherwise as argmin, with the first +0 in place of −0.
template <NamedRange In>
std::size_t argmax(Engine& engine, In&& in) {
  return named::locate_max<value_t<In>>(engine, named::in(in)).index;
}

/// Σ|x[i]|, added in the order of sum; 0 if empty. 1 read.
template <FloatingRange In>
value_t<In> norm1(Engine& engine, In&& in) {
  return named::norm1<value_t<In>>(engine, named::in(in));
}

/// √Σx[i]², added in the order of dot; 0 if empty. Squares that overflow or underflow do no harm: the elements are then scaled by a
/// power of two and read twice again. NaN if any is NaN. 1 read.
template <FloatingRange In>
value_t<In> norm2(Engine& engine, In&& in) {
  return named::norm2<value_t<In>>(engine, named::in(in));
}

/// The greatest |x[i]|, NaN if any is NaN, 0 if empty. 1 read.
template <FloatingRange In>
value_t<In> norm_inf(Engine& engine, In&& in) {
  return named::norm_inf<value_t<In>>(engine, named::in(in));
}

/// The sum divided by the number of elements: floating-point numbers are added in double in the order of sum, integers exactly; the
/// sum and the quotient are rounded once each. Throws Error if empty. 1 read.
template <NamedRange In>
double mean(Engine& engine, In&& in) {
  return named::mean<value_t<In>>(engine, named::in(in));
}

}  // namespace furrow
