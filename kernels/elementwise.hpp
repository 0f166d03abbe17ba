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
#include "furrow/kernels/types.hpp"

// Named element-wise kernels: SIMD code chosen at run time for this processor, over float, double, std::int32_t, std::int64_t and
// std::uint8_t. Each is the plain IEEE 754 operation, rounded once per operation shown and without fused multiply-add (but for
// fma); integers wrap, those of 8 bits modulo 256. So infinities, −0 and denormal numbers are what IEEE 754 says, and what comes of
// a NaN is NaN. Results larger than the cache are streamed past it. `out` may be any of the inputs (in place), otherwise it must
// not overlap them.
//
// All throw Error if sizes differ or ranges overlap partly. Empty ranges are fine. Costs are counted in elements per element.
// Where a kernel takes a Runner, that is an Engine, or a Flow (furrow/kernels/flow.hpp), which runs it later.

namespace furrow {

class Flow;

/// What element-wise kernels are given to: an Engine, which runs them at once, or a Flow, which keeps them for later.
template <class R>
concept Runner = std::derived_from<R, Engine> || std::same_as<R, Flow>;

/// A range whose elements have SIMD kernels.
template <class R>
concept NamedRange = ContiguousRange<R> && NamedElement<value_t<R>>;
/// Those of floating point.
template <class R>
concept FloatingRange = NamedRange<R> && std::floating_point<value_t<R>>;

namespace named {

/// The element-wise kernels, in the order of their code tables.
enum class Op { fill, copy, abs, neg, square, sqrt, add, sub, mul, div, minimum, maximum, axpy, triad };
inline constexpr std::array<std::string_view, 14> kOpNames{"fill", "copy", "abs", "neg",     "square",  "sqrt", "add",
                                                           "sub",  "mul",  "div", "minimum", "maximum", "axpy", "triad"};
constexpr bool reads_a(Op op) {
  return op != Op::fill;
}
constexpr bool reads_b(Op op) {
  return op >= Op::add;
}

/// out[i] = op(a[i], b[i], s); an operand that the operation does not have is an empty span.
template <NamedElement T>
void map(Engine& engine, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out);
template <NamedElement T>
void map(Flow& flow, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out);

/// out[i] = min(max(a[i], low), high).
template <NamedElement T>
void clamp(Engine& engine, std::span<const T> a, T low, T high, std::span<T> out);
template <NamedElement T>
void clamp(Flow& flow, std::span<const T> a, T low, T high, std::span<T> out);

/// out[i] = a[i] · b[i] + c[i], rounded once.
template <std::floating_point T>
void fma(Engine& engine, std::span<const T> a, std::span<const T> b, std::span<const T> c, std::span<T> out);
template <std::floating_point T>
void fma(Flow& flow, std::span<const T> a, std::span<const T> b, std::span<const T> c, std::span<T> out);

/// A range as what is read.
template <class R>
std::span<const value_t<R>> in(R&& range) {
  return as_span(range);
}

}  // namespace named

/// out[i] = value. 1 write.
template <NamedRange Out>
void fill(Runner auto& runner, Out&& out, std::type_identity_t<value_t<Out>> value) {
  named::map<value_t<Out>>(runner, named::Op::fill, {}, {}, value, as_span(out));
}

/// out[i] = in[i]. 1 read, 1 write.
template <NamedRange In, RangeOf<value_t<In>> Out>
void copy(Runner auto& runner, In&& in, Out&& out) {
  named::map<value_t<In>>(runner, named::Op::copy, named::in(in), {}, {}, as_span(out));
}

/// out[i] = |in[i]|: without the sign bit, NaN too. Of signed integers the least one stays as it is. 1 read, 1 write.
template <NamedRange In, RangeOf<value_t<In>> Out>
void abs(Runner auto& runner, In&& in, Out&& out) {
  named::map<value_t<In>>(runner, named::Op::abs, named::in(in), {}, {}, as_span(out));
}

/// out[i] = −in[i]: with the other sign bit, NaN too. Of signed integers the least one stays as it is. 1 read, 1 write.
template <NamedRange In, RangeOf<value_t<In>> Out>
void neg(Runner auto& runner, In&& in, Out&& out) {
  named::map<value_t<In>>(runner, named::Op::neg, named::in(in), {}, {}, as_span(out));
}

/// out[i] = in[i]². 1 read, 1 write.
template <NamedRange In, RangeOf<value_t<In>> Out>
void square(Runner auto& runner, In&& in, Out&& out) {
  named::map<value_t<In>>(runner, named::Op::square, named::in(in), {}, {}, as_span(out));
}

/// out[i] = √in[i], correctly rounded; NaN below −0. Floating point only. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void sqrt(Runner auto& runner, In&& in, Out&& out) {
  named::map<value_t<In>>(runner, named::Op::sqrt, named::in(in), {}, {}, as_span(out));
}

/// out[i] = a[i] + b[i]. 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void add(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::add, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = a[i] − b[i]. 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void sub(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::sub, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = a[i] · b[i]. 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void mul(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::mul, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = a[i] / b[i]. Of integers towards zero, as in C, but defined everywhere: 0 where b[i] is 0, and the least integer
/// divided by −1 is itself. 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void div(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::div, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = the lesser of a[i] and b[i]: NaN if either is NaN (the first one's if both are), and −0 is less than +0. (IEEE
/// 754-2019's minimum, and NumPy's but for zeros.) 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void minimum(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::minimum, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = the greater of a[i] and b[i]; as minimum. 2 reads, 1 write.
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void maximum(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::maximum, named::in(a), named::in(b), {}, as_span(out));
}

/// out[i] = in[i] within [low, high]: the lesser of `high` and the greater of in[i] and `low`, as minimum and maximum have them;
/// NaN where in[i] is NaN. Throws Error unless low <= high, so also if either is NaN. 1 read, 1 write.
template <NamedRange In, RangeOf<value_t<In>> Out>
void clamp(Runner auto& runner, In&& in, std::type_identity_t<value_t<In>> low, std::type_identity_t<value_t<In>> high, Out&& out) {
  named::clamp<value_t<In>>(runner, named::in(in), low, high, as_span(out));
}

/// out[i] = a[i] · b[i] + c[i], rounded once, on every processor: one without the instruction does it in software. Floating point
/// only. 3 reads, 1 write.
template <FloatingRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> C, RangeOf<value_t<A>> Out>
void fma(Runner auto& runner, A&& a, B&& b, C&& c, Out&& out) {
  named::fma<value_t<A>>(runner, named::in(a), named::in(b), named::in(c), as_span(out));
}

/// y[i] = s · x[i] + y[i]. 2 reads, 1 write. `x` may be `y`.
template <NamedRange X, RangeOf<value_t<X>> Y>
void axpy(Runner auto& runner, std::type_identity_t<value_t<X>> s, X&& x, Y&& y) {
  const std::span<value_t<Y>> target = as_span(y);
  named::map<value_t<X>>(runner, named::Op::axpy, named::in(x), target, s, target);
}

/// out[i] = a[i] + s · b[i]. 2 reads, 1 write. (The triad of McCalpin's STREAM.)
template <NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void triad(Runner auto& runner, A&& a, B&& b, std::type_identity_t<value_t<A>> s, Out&& out) {
  named::map<value_t<A>>(runner, named::Op::triad, named::in(a), named::in(b), s, as_span(out));
}

}  // namespace furrow
