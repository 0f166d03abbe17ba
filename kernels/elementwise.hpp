#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/ranges.hpp"

// Named element-wise kernels: SIMD code chosen at run time for this processor, over float, double, std::int32_t and std::int64_t.
// Each is the plain IEEE 754 operation, rounded once per operation shown and without fused multiply-add; integers wrap. Results
// larger than the cache are streamed past it. `out` may be any of the inputs (in place), otherwise it must not overlap them.
//
// All throw Error if sizes differ or ranges overlap partly. Empty ranges are fine. Costs are counted in elements per element.

namespace furrow {

template <class T>
concept NamedElement =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

/// A range whose elements have SIMD kernels.
template <class R>
concept NamedRange = ContiguousRange<R> && NamedElement<value_t<R>>;

/// Ranges of one element type.
template <class R, class... Others>
concept SameElements = NamedRange<R> &&((ContiguousRange<Others> && std::same_as<value_t<R>, value_t<Others>>)&&...);

namespace named {

/// The element-wise kernels, in the order of their code tables.
enum class Op { fill, copy, square, sqrt, add, mul, axpy, triad };
inline constexpr std::array<std::string_view, 8> kOpNames{"fill", "copy", "square", "sqrt", "add", "mul", "axpy", "triad"};

/// out[i] = op(a[i], b[i], s); an operand that the operation does not have is an empty span.
template <NamedElement T>
void map(Engine& engine, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out);

/// A range as what is read.
template <class R>
std::span<const value_t<R>> in(R&& range) {
  return as_span(range);
}

}  // namespace named

/// out[i] = value. 1 write.
template <NamedRange Out>
void fill(Engine& engine, Out&& out, std::type_identity_t<value_t<Out>> value) {
  named::map<value_t<Out>>(engine, named::Op::fill, {}, {}, value, as_span(out));
}

/// out[i] = in[i]. 1 read, 1 write.
template <NamedRange In, ContiguousRange Out>
requires SameElements<In, Out>
void copy(Engine& engine, In&& in, Out&& out) {
  named::map<value_t<In>>(engine, named::Op::copy, named::in(in), {}, {}, as_span(out));
}

/// out[i] = in[i]². 1 read, 1 write.
template <NamedRange In, ContiguousRange Out>
requires SameElements<In, Out>
void square(Engine& engine, In&& in, Out&& out) {
  named::map<value_t<In>>(engine, named::Op::square, named::in(in), {}, {}, as_span(out));
}

/// out[i] = √in[i], correctly rounded; NaN below −0. Floating point only. 1 read, 1 write.
template <NamedRange In, ContiguousRange Out>
requires SameElements<In, Out> && std::floating_point<value_t<In>>
void sqrt(Engine& engine, In&& in, Out&& out) {
  named::map<value_t<In>>(engine, named::Op::sqrt, named::in(in), {}, {}, as_span(out));
}

/// out[i] = a[i] + b[i]. 2 reads, 1 write.
template <NamedRange A, ContiguousRange B, ContiguousRange Out>
requires SameElements<A, B, Out>
void add(Engine& engine, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(engine, named::Op::add, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = a[i] · b[i]. 2 reads, 1 write.
template <NamedRange A, ContiguousRange B, ContiguousRange Out>
requires SameElements<A, B, Out>
void mul(Engine& engine, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(engine, named::Op::mul, named::in(a), named::in(b), {}, as_span(out));
}

/// y[i] = s · x[i] + y[i]. 2 reads, 1 write. `x` may be `y`.
template <NamedRange X, ContiguousRange Y>
requires SameElements<X, Y>
void axpy(Engine& engine, std::type_identity_t<value_t<X>> s, X&& x, Y&& y) {
  const std::span<value_t<Y>> target = as_span(y);
  named::map<value_t<X>>(engine, named::Op::axpy, named::in(x), target, s, target);
}

/// out[i] = a[i] + s · b[i]. 2 reads, 1 write. (The triad of McCalpin's STREAM.)
template <NamedRange A, ContiguousRange B, ContiguousRange Out>
requires SameElements<A, B, Out>
void triad(Engine& engine, A&& a, B&& b, std::type_identity_t<value_t<A>> s, Out&& out) {
  named::map<value_t<A>>(engine, named::Op::triad, named::in(a), named::in(b), s, as_span(out));
}

}  // namespace furrow
