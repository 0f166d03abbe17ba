#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"

// Several element-wise operations in one pass over memory and without temporary arrays:
//
//     using furrow::in;
//     furrow::assign(engine, y, 2.0 * in(x) + b * sqrt(abs(in(x))) + c);
//
// Such an expression only says what is to be done; assign does it. Its operands are ranges, wrapped in in(), of one element type,
// and numbers, which become elements of that type. Operations are + - * / and the functions below, which are found beside their
// operands. Each is the named kernel of its name, so the result has the bits of calling them one after the other.

namespace furrow {
namespace fused {

/// One part of an expression in postfix order: a range, a number, or a function of the `operands` values before it.
template <class T>
struct Step {
  std::string_view function = {};
  std::size_t operands = 0;
  std::span<const T> range = {};
  T number{};
  enum Kind { is_range, is_number, is_function } kind = is_function;
};

/// out[i] = the value of the steps at element i. `cost` is what the library learns of this expression.
template <NamedElement T>
void run(Engine& engine, Cost& cost, std::span<const Step<T>> steps, std::span<T> out);
template <NamedElement T>
void run(Flow& flow, Cost& cost, std::span<const Step<T>> steps, std::span<T> out);

template <class T>
struct Range {
  using element = T;
  static constexpr std::size_t steps = 1;
  std::span<const T> range;
  void put(Step<T>*& to) const { *to++ = {.range = range, .kind = Step<T>::is_range}; }
};

template <class T>
struct Number {
  using element = T;
  static constexpr std::size_t steps = 1;
  T number;
  void put(Step<T>*& to) const { *to++ = {.number = number, .kind = Step<T>::is_number}; }
};

template <class T, class... Operands>
struct Call {
  using element = T;
  static constexpr std::size_t steps = 1 + (Operands::steps + ...);
  std::string_view function;
  std::tuple<Operands...> operands;
  void put(Step<T>*& to) const {
    std::apply([&](const Operands&... all) { (all.put(to), ...); }, operands);
    *to++ = {.function = function, .operands = sizeof...(Operands)};
  }
};

template <class E>
inline constexpr bool is_term = false;
template <class T>
inline constexpr bool is_term<Range<T>> = true;
template <class T, class... Operands>
inline constexpr bool is_term<Call<T, Operands...>> = true;

/// What depends on a range.
template <class E>
concept Term = is_term<E>;
template <class E>
concept Fractional = Term<E> && std::floating_point<typename E::element>;

/// The element type of the first term among the operands.
template <class E, class... Others>
struct Element {
  using type = typename Element<Others...>::type;
};
template <Term E, class... Others>
struct Element<E, Others...> {
  using type = typename E::element;
};

template <class T, class E>
inline constexpr bool fits = std::is_arithmetic_v<E>;
template <class T, Term E>
inline constexpr bool fits<T, E> = std::same_as<T, typename E::element>;

/// Terms of one element type and numbers, at least one of them a term.
template <class... Operands>
concept Operation = (Term<Operands> || ...) && (fits<typename Element<Operands...>::type, Operands> && ...);
/// The same, of floating point.
template <class... Operands>
concept FractionalOperation = Operation<Operands...> && std::floating_point<typename Element<Operands...>::type>;

template <class T, class E>
auto operand(const E& e) {
  if constexpr (Term<E>)
    return e;
  else
    return Number<T>{static_cast<T>(e)};
}

template <class... Operands>
auto call(std::string_view function, const Operands&... operands) {
  using T = typename Element<Operands...>::type;
  return Call<T, decltype(operand<T>(operands))...>{function, {operand<T>(operands)...}};
}

template <Term A>
auto operator-(const A& a) {
  return call("-", a);
}
template <class A, class B>
requires Operation<A, B>
auto operator+(const A& a, const B& b) {
  return call("+", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto operator-(const A& a, const B& b) {
  return call("-", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto operator*(const A& a, const B& b) {
  return call("*", a, b);
}
// Of floating point only, as the functions that have no integers for a result.
template <class A, class B>
requires FractionalOperation<A, B>
auto operator/(const A& a, const B& b) {
  return call("/", a, b);
}

template <Term A>
auto abs(const A& a) {
  return call("abs", a);
}
template <Term A>
auto square(const A& a) {
  return call("square", a);
}

template <Fractional A>
auto sqrt(const A& a) {
  return call("sqrt", a);
}
template <Fractional A>
auto cbrt(const A& a) {
  return call("cbrt", a);
}
template <Fractional A>
auto exp(const A& a) {
  return call("exp", a);
}
template <Fractional A>
auto exp2(const A& a) {
  return call("exp2", a);
}
template <Fractional A>
auto expm1(const A& a) {
  return call("expm1", a);
}
template <Fractional A>
auto log(const A& a) {
  return call("log", a);
}
template <Fractional A>
auto log2(const A& a) {
  return call("log2", a);
}
template <Fractional A>
auto log10(const A& a) {
  return call("log10", a);
}
template <Fractional A>
auto log1p(const A& a) {
  return call("log1p", a);
}
template <Fractional A>
auto sin(const A& a) {
  return call("sin", a);
}
template <Fractional A>
auto cos(const A& a) {
  return call("cos", a);
}
template <Fractional A>
auto tan(const A& a) {
  return call("tan", a);
}
template <Fractional A>
auto asin(const A& a) {
  return call("asin", a);
}
template <Fractional A>
auto acos(const A& a) {
  return call("acos", a);
}
template <Fractional A>
auto atan(const A& a) {
  return call("atan", a);
}
template <Fractional A>
auto sinh(const A& a) {
  return call("sinh", a);
}
template <Fractional A>
auto cosh(const A& a) {
  return call("cosh", a);
}
template <Fractional A>
auto tanh(const A& a) {
  return call("tanh", a);
}
template <Fractional A>
auto erf(const A& a) {
  return call("erf", a);
}
template <Fractional A>
auto floor(const A& a) {
  return call("floor", a);
}
template <Fractional A>
auto ceil(const A& a) {
  return call("ceil", a);
}
template <Fractional A>
auto round(const A& a) {
  return call("round", a);
}
template <Fractional A>
auto trunc(const A& a) {
  return call("trunc", a);
}

template <class A, class B>
requires FractionalOperation<A, B>
auto pow(const A& a, const B& b) {
  return call("pow", a, b);
}
template <class A, class B>
requires FractionalOperation<A, B>
auto atan2(const A& a, const B& b) {
  return call("atan2", a, b);
}
template <class A, class B>
requires FractionalOperation<A, B>
auto hypot(const A& a, const B& b) {
  return call("hypot", a, b);
}

template <class A, class B>
requires Operation<A, B>
auto minimum(const A& a, const B& b) {
  return call("minimum", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto maximum(const A& a, const B& b) {
  return call("maximum", a, b);
}

/// As furrow::clamp, but of any bounds: the lesser of `high` and the greater of a and `low`.
template <class A, class Low, class High>
requires Operation<A, Low, High>
auto clamp(const A& a, const Low& low, const High& high) {
  return call("clamp", a, low, high);
}
template <class A, class B, class C>
requires FractionalOperation<A, B, C>
auto fma(const A& a, const B& b, const C& c) {
  return call("fma", a, b, c);
}

// 1 where the comparison holds, else 0, as elements.
template <class A, class B>
requires Operation<A, B>
auto equal(const A& a, const B& b) {
  return call("==", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto not_equal(const A& a, const B& b) {
  return call("!=", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto less(const A& a, const B& b) {
  return call("<", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto less_equal(const A& a, const B& b) {
  return call("<=", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto greater(const A& a, const B& b) {
  return call(">", a, b);
}
template <class A, class B>
requires Operation<A, B>
auto greater_equal(const A& a, const B& b) {
  return call(">=", a, b);
}

/// a where the condition is anything but zero (NaN is), else b.
template <class Condition, class A, class B>
requires Operation<Condition, A, B>
auto where(const Condition& condition, const A& a, const B& b) {
  return call("where", condition, a, b);
}

}  // namespace fused

/// A range as an operand of fused expressions. Throws Error as as_span does.
template <NamedRange R>
fused::Range<value_t<R>> in(R&& range) {
  return {as_span(range)};
}

/// out[i] = the value of the expression at element i. `out` may be any of its ranges (in place), otherwise it must not overlap
/// them. Throws Error if sizes differ or ranges overlap partly. Cost: each range read and `out` written once, past the cache if
/// they are larger than that; some microseconds a call.
template <fused::Term E, RangeOf<typename E::element> Out>
void assign(Runner auto& runner, Out&& out, const E& expression) {
  using T = typename E::element;
  static constinit Cost cost;
  std::array<fused::Step<T>, E::steps> steps;
  fused::Step<T>* end = steps.data();
  expression.put(end);
  fused::run<T>(runner, cost, steps, as_span(out));
}

}  // namespace furrow
