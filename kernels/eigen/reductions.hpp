#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/computed.hpp"
#include "furrow/kernels/eigen/expressions.hpp"
#include "furrow/kernels/eigen/sums.hpp"
#include "furrow/kernels/masks.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/reductions.hpp"

namespace furrow {
namespace eigen {

/// The elements of an expression, for the library to ask for.
template <class E, class T = typename E::Scalar>
named::Computed<T> computed(const E& x) {
  require_elements(x);
  return {static_cast<std::size_t>(x.size()), &x, [](const void* state, std::size_t begin, std::size_t count, T* to) {
            write(*static_cast<const E*>(state), static_cast<Index>(begin), static_cast<Index>(count), to);
          }};
}

template <class E>
auto sum(Engine& engine, const E& x) {
  static constinit Cost cost(0, "sum");
  if constexpr (std::floating_point<typename E::Scalar>)
    return sum_of_terms(engine, cost, itself, x);
  else
    return named::sum(engine, cost, computed(x));
}

template <class A, class B>
auto dot(Engine& engine, const A& a, const B& b) {
  static constinit Cost cost(0, "dot");
  check::same_size("dot", static_cast<std::size_t>(a.size()), static_cast<std::size_t>(b.size()));
  if constexpr (std::floating_point<typename A::Scalar>)
    return sum_of_terms(engine, cost, product, a, b);
  else
    return named::dot(engine, cost, computed(a), computed(b));
}

template <class E>
auto min(Engine& engine, const E& x) {
  static constinit Cost cost(0, "min");
  return named::min(engine, cost, computed(x));
}

template <class E>
auto max(Engine& engine, const E& x) {
  static constinit Cost cost(0, "max");
  return named::max(engine, cost, computed(x));
}

template <class E>
auto minmax(Engine& engine, const E& x) {
  static constinit Cost cost(0, "minmax");
  return named::minmax(engine, cost, computed(x));
}

template <class E>
auto argmin(Engine& engine, const E& x) {
  static constinit Cost cost(0, "argmin");
  return named::argmin(engine, cost, computed(x));
}

template <class E>
auto argmax(Engine& engine, const E& x) {
  static constinit Cost cost(0, "argmax");
  return named::argmax(engine, cost, computed(x));
}

template <class E>
auto norm_inf(Engine& engine, const E& x) {
  static constinit Cost cost(0, "norm_inf");
  return named::norm_inf(engine, cost, computed(x));
}

template <class E>
auto norm1(Engine& engine, const E& x) {
  static constinit Cost cost(0, "norm1");
  return sum_of_terms(engine, cost, magnitude, x);
}

template <class E>
auto norm2(Engine& engine, const E& x) {
  static constinit Cost cost(0, "norm2");
  using T = typename E::Scalar;
  const T squares = sum_of_terms(engine, cost, square, x);
  if (x.size() == 0 || named::squares_are_safe<T>(squares, static_cast<std::size_t>(x.size()))) return std::sqrt(squares);
  const T largest = norm_inf(engine, x);
  if (largest == 0 || !std::isfinite(largest)) return largest;
  const T scale = named::safe_scale<T>(largest);
  const auto scaled_square = [scale](auto element) {
    return square(rounded(Eigen::internal::pmul(element, Eigen::internal::pset1<decltype(element)>(scale))));
  };
  return std::sqrt(sum_of_terms(engine, cost, scaled_square, x)) / scale;
}

template <class E>
double mean(Engine& engine, const E& x) {
  static constinit Cost cost(0, "mean");
  if constexpr (std::same_as<typename E::Scalar, double>) {
    check::not_empty("mean", static_cast<std::size_t>(x.size()));
    return sum_of_terms(engine, cost, itself, x) / static_cast<double>(x.size());
  } else {
    return named::mean(engine, cost, computed(x));
  }
}

template <class E>
auto variance(Engine& engine, const E& x) {
  static constinit Cost cost(0, "variance");
  return named::variance(engine, cost, computed(x));
}

template <class E>
auto any(Engine& engine, const E& x) {
  static constinit Cost cost(0, "any");
  return named::any(engine, cost, computed(x));
}

template <class E>
auto all(Engine& engine, const E& x) {
  static constinit Cost cost(0, "all");
  return named::all(engine, cost, computed(x));
}

template <class E>
auto count(Engine& engine, const E& x) {
  static constinit Cost cost(0, "count");
  return named::count(engine, cost, computed(x));
}

/// Expressions of a type that there are named reductions of, and of truth values.
template <class E>
concept Numbers = Expression<E> && NamedElement<scalar_t<E>>;
template <class E>
concept Fractions = Expression<E> && std::floating_point<scalar_t<E>> && NamedElement<scalar_t<E>>;
template <class E>
concept Truths = Dense<E> && std::same_as<bool, scalar_t<E>>;

/// Blocks and Maps, which are ranges if their elements lie side by side and else not.
template <class E>
concept Gapped =
    Dense<E> && ContiguousRange<E> && !std::derived_from<std::remove_cvref_t<E>, Eigen::PlainObjectBase<std::remove_cvref_t<E>>> &&
    !(std::remove_cvref_t<E>::IsVectorAtCompileTime && std::remove_cvref_t<E>::InnerStrideAtCompileTime == 1);
template <class A, class B>
inline constexpr bool kEitherExpression = Expression<A> || Expression<B>;
template <class X, class Y>
inline constexpr bool kEitherGapped = Gapped<X> || Gapped<Y>;
/// Those of them that there are named reductions of.
template <class R>
concept GappedRange = NamedRange<R> && Gapped<R>;
/// Those of floating point.
template <class R>
concept GappedFloatingRange = FloatingRange<R> && Gapped<R>;

/// The other factor of a dot product with A that is one of an expression.
template <class B, class A>
concept OtherFactor = kEitherExpression<A, B> && NamedElement<scalar_t<A>> && std::same_as<scalar_t<B>, scalar_t<A>>;
/// The other factor of a dot product of ranges with X of which one may have gaps.
template <class Y, class X>
concept OtherGappedFactor = Dense<X> && Dense<Y> && RangeOf<Y, value_t<X>> && kEitherGapped<X, Y>;

template <class E>
bool has_gaps(const E& x) {
  return x.size() > 1 && (x.innerStride() != 1 || (x.outerSize() > 1 && x.outerStride() != x.innerSize()));
}

}  // namespace eigen

// The named reductions (furrow/kernels/reductions.hpp, moments.hpp, masks.hpp) of expressions: each gives the bits that it gives of
// the evaluated expression, by way of blocks that stay in the first-level cache. Expressions are made of what assign() takes.
// Indices count elements as they would lie in memory. Cost: each operand is read once (norm2: three times where squares overflow).

/// The sum of an expression.
template <eigen::Numbers E>
sum_t<eigen::scalar_t<E>> sum(Engine& engine, const E& x) {
  return eigen::sum(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
sum_t<value_t<In>> sum(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::sum(engine, in.derived()) : named::sum<value_t<In>>(engine, named::in(in));
}
/// The dot product of an expression.
template <eigen::Dense A, eigen::OtherFactor<A> B>
sum_t<eigen::scalar_t<A>> dot(Engine& engine, const A& a, const B& b) {
  return eigen::dot(engine, a.derived(), b.derived());
}
/// The same of blocks and maps, which may have gaps.
template <NamedRange X, eigen::OtherGappedFactor<X> Y>
sum_t<value_t<X>> dot(Engine& engine, X&& x, Y&& y) {
  if (eigen::has_gaps(x) || eigen::has_gaps(y)) return eigen::dot(engine, x.derived(), y.derived());
  return named::dot<value_t<X>>(engine, named::in(x), named::in(y));
}
/// The least element of an expression.
template <eigen::Numbers E>
eigen::scalar_t<E> min(Engine& engine, const E& x) {
  return eigen::min(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
value_t<In> min(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::min(engine, in.derived()) : named::min<value_t<In>>(engine, named::in(in));
}
/// The greatest element of an expression.
template <eigen::Numbers E>
eigen::scalar_t<E> max(Engine& engine, const E& x) {
  return eigen::max(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
value_t<In> max(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::max(engine, in.derived()) : named::max<value_t<In>>(engine, named::in(in));
}
/// Both of them of an expression.
template <eigen::Numbers E>
Extremes<eigen::scalar_t<E>> minmax(Engine& engine, const E& x) {
  return eigen::minmax(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
Extremes<value_t<In>> minmax(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::minmax(engine, in.derived()) : named::minmax<value_t<In>>(engine, named::in(in));
}
/// The index of the first least element of an expression.
template <eigen::Numbers E>
std::size_t argmin(Engine& engine, const E& x) {
  return eigen::argmin(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
std::size_t argmin(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::argmin(engine, in.derived()) : named::locate_min<value_t<In>>(engine, named::in(in)).index;
}
/// The index of the first greatest element of an expression.
template <eigen::Numbers E>
std::size_t argmax(Engine& engine, const E& x) {
  return eigen::argmax(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
std::size_t argmax(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::argmax(engine, in.derived()) : named::locate_max<value_t<In>>(engine, named::in(in)).index;
}
/// The sum of magnitudes of an expression.
template <eigen::Fractions E>
eigen::scalar_t<E> norm1(Engine& engine, const E& x) {
  return eigen::norm1(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedFloatingRange In>
value_t<In> norm1(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::norm1(engine, in.derived()) : named::norm1<value_t<In>>(engine, named::in(in));
}
/// The Euclidean norm of an expression.
template <eigen::Fractions E>
eigen::scalar_t<E> norm2(Engine& engine, const E& x) {
  return eigen::norm2(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedFloatingRange In>
value_t<In> norm2(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::norm2(engine, in.derived()) : named::norm2<value_t<In>>(engine, named::in(in));
}
/// The greatest magnitude of an expression.
template <eigen::Fractions E>
eigen::scalar_t<E> norm_inf(Engine& engine, const E& x) {
  return eigen::norm_inf(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedFloatingRange In>
value_t<In> norm_inf(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::norm_inf(engine, in.derived()) : named::norm_inf<value_t<In>>(engine, named::in(in));
}
/// The mean of an expression.
template <eigen::Numbers E>
double mean(Engine& engine, const E& x) {
  return eigen::mean(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
double mean(Engine& engine, In&& in) {
  return eigen::has_gaps(in) ? eigen::mean(engine, in.derived()) : named::mean<value_t<In>>(engine, named::in(in));
}
/// The variance of an expression.
template <eigen::Numbers E>
double variance(Engine& engine, const E& x) {
  return eigen::variance(engine, x.derived());
}
/// The same of blocks and maps, which may have gaps.
template <eigen::GappedRange In>
double variance(Engine& engine, In&& in) {
  return eigen::variance(engine, in.derived());
}

/// Of truth values, which comparisons give; elements behind one that decides are looked at for a few thousand more at most.
template <eigen::Truths E>
requires eigen::Expression<E>
bool any(Engine& engine, const E& x) {
  return eigen::any(engine, x.derived());
}
/// Whether all are true of an expression.
template <eigen::Truths E>
requires eigen::Expression<E>
bool all(Engine& engine, const E& x) {
  return eigen::all(engine, x.derived());
}
/// Whether none is true of an expression.
template <eigen::Truths E>
requires eigen::Expression<E>
bool none(Engine& engine, const E& x) {
  return !eigen::any(engine, x.derived());
}

/// How many are true: of an expression, an array, a block.
template <eigen::Truths E>
std::size_t count(Engine& engine, const E& x) {
  return eigen::count(engine, x.derived());
}

}  // namespace furrow
