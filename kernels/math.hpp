#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"

// Mathematical functions, element by element, in SIMD code chosen at run time; float and double. `out` may be any of the inputs,
// otherwise it must not overlap them. All throw Error if sizes differ or ranges overlap partly; empty ranges are fine.
//
// The values are within 1 unit in the last place where the caller rounds to nearest, special values as in C's Annex F. They are the
// same with AVX2 and AVX-512, and the same, but others, on processors without fused multiply-add. What is NaN is always the same
// quiet NaN. tests/accuracy_test.cpp holds them to it; docs/accuracy.md says by how much. With fused multiply-add, exp, log, sin,
// cos, tanh and pow are this library's own; the others are SLEEF's (Shibata, Petrogalli: SLEEF, a portable vectorized library of C
// standard mathematical functions, IEEE TPDS 31(6), 2020).

namespace furrow {
namespace named {

/// The functions of one argument, in the order of their code tables.
enum class Unary {
  floor,
  ceil,
  round,
  trunc,
  cbrt,
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  erf
};
inline constexpr std::array<std::string_view, 22> kUnaryNames{"floor", "ceil", "round", "trunc", "cbrt", "exp", "exp2", "expm1",
                                                              "log",   "log2", "log10", "log1p", "sin",  "cos", "tan",  "asin",
                                                              "acos",  "atan", "sinh",  "cosh",  "tanh", "erf"};
/// Those of two.
enum class Binary { pow, atan2, hypot };
inline constexpr std::array<std::string_view, 3> kBinaryNames{"pow", "atan2", "hypot"};

/// out[i] = f(in[i]).
template <std::floating_point T>
void evaluate(Engine& engine, Unary f, std::span<const T> in, std::span<T> out);
template <std::floating_point T>
void evaluate(Flow& flow, Unary f, std::span<const T> in, std::span<T> out);
/// out[i] = f(a[i], b[i]).
template <std::floating_point T>
void evaluate(Engine& engine, Binary f, std::span<const T> a, std::span<const T> b, std::span<T> out);
template <std::floating_point T>
void evaluate(Flow& flow, Binary f, std::span<const T> a, std::span<const T> b, std::span<T> out);

}  // namespace named

/// The greatest integer ≤ in[i]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void floor(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::floor, named::in(in), as_span(out));
}

/// The least integer ≥ in[i]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void ceil(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::ceil, named::in(in), as_span(out));
}

/// The nearest integer, the even one of two (as NumPy and `std::nearbyint` by default; C's `round` goes away from zero). 1 read, 1
/// write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void round(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::round, named::in(in), as_span(out));
}

/// in[i] without its fraction. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void trunc(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::trunc, named::in(in), as_span(out));
}

/// ∛in[i]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void cbrt(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::cbrt, named::in(in), as_span(out));
}

/// e to the power of in[i]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void exp(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::exp, named::in(in), as_span(out));
}

/// 2 to the power of in[i]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void exp2(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::exp2, named::in(in), as_span(out));
}

/// exp(in[i]) − 1, accurate near 0. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void expm1(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::expm1, named::in(in), as_span(out));
}

/// The natural logarithm; −∞ for ±0, NaN below. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void log(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::log, named::in(in), as_span(out));
}

/// The logarithm to base 2; as log. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void log2(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::log2, named::in(in), as_span(out));
}

/// The logarithm to base 10; as log. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void log10(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::log10, named::in(in), as_span(out));
}

/// log(1 + in[i]), accurate near 0; −∞ for −1, NaN below. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void log1p(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::log1p, named::in(in), as_span(out));
}

/// Of radians, as are all angles here; NaN for ±∞. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void sin(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::sin, named::in(in), as_span(out));
}

/// As sin. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void cos(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::cos, named::in(in), as_span(out));
}

/// As sin. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void tan(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::tan, named::in(in), as_span(out));
}

/// In [−π/2, π/2]; NaN outside [−1, 1]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void asin(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::asin, named::in(in), as_span(out));
}

/// In [0, π]; NaN outside [−1, 1]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void acos(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::acos, named::in(in), as_span(out));
}

/// In [−π/2, π/2]. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void atan(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::atan, named::in(in), as_span(out));
}

/// The hyperbolic sine. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void sinh(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::sinh, named::in(in), as_span(out));
}

/// The hyperbolic cosine. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void cosh(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::cosh, named::in(in), as_span(out));
}

/// The hyperbolic tangent. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void tanh(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::tanh, named::in(in), as_span(out));
}

/// The error function, 2/√π ∫₀ˣ exp(−t²) dt. 1 read, 1 write.
template <FloatingRange In, RangeOf<value_t<In>> Out>
void erf(Runner auto& runner, In&& in, Out&& out) {
  named::evaluate<value_t<In>>(runner, named::Unary::erf, named::in(in), as_span(out));
}

/// a[i] to the power of b[i]; special values as in C (Annex F). Of double, without fused multiply-add, results whose size is within
/// 2^−41 of the largest number, relative to it, may be ±∞ already. 2 reads, 1 write.
template <FloatingRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void pow(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::evaluate<value_t<A>>(runner, named::Binary::pow, named::in(a), named::in(b), as_span(out));
}

/// The angle of the point (b[i], a[i]): a is y, b is x, as in C; in [−π, π]. 2 reads, 1 write.
template <FloatingRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void atan2(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::evaluate<value_t<A>>(runner, named::Binary::atan2, named::in(a), named::in(b), as_span(out));
}

/// √(a[i]² + b[i]²) without overflow on the way; ∞ if either is infinite. 2 reads, 1 write.
template <FloatingRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void hypot(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::evaluate<value_t<A>>(runner, named::Binary::hypot, named::in(a), named::in(b), as_span(out));
}

}  // namespace furrow
