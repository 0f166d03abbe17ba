#include "furrow/kernels/elementwise.hpp"

#include <algorithm>
#include <limits>

#include "furrow/kernels/assign.hpp"
#include "furrow/kernels/comparisons.hpp"
#include "furrow/kernels/conversions.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {

namespace {

template <class T>
T negated(T a) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(-static_cast<std::uint64_t>(a));
  else
    return -a;
}

template <class T>
T magnitude(T a) {
  if constexpr (std::is_unsigned_v<T>) return a;
  return a < 0 || (a == 0 && std::signbit(static_cast<double>(a))) ? negated(a) : a;
}

template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return negated(a);
  }
  return static_cast<T>(a / b);
}

/// The lesser or the greater: NaN if either is, −0 before +0.
template <bool kLesser, class T>
T extreme_of(T a, T b) {
  if (a != a || b != b) return a + b;
  if (a == b) return std::signbit(static_cast<double>(a)) == kLesser ? a : b;
  return (kLesser ? b < a : a < b) ? b : a;
}

/// The bounds of `clamp`, which more than half of the random numbers exceed.
template <class T>
constexpr T upper_bound() {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(std::numeric_limits<T>::max() / 8 * s<T>());
  else
    return s<T>() / 8;
}
template <class T>
constexpr T lower_bound() {
  return std::is_signed_v<T> ? static_cast<T>(-upper_bound<T>()) : static_cast<T>(upper_bound<T>() / s<T>());
}

/// What `convert` makes of a T: a number of the same size and the other kind.
template <class T>
using Converted = std::conditional_t<std::is_integral_v<T>, std::conditional_t<sizeof(T) == 4, float, double>,
                                     std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;
template <class T>
Converted<T> converted(T a) {
  if constexpr (std::is_floating_point_v<T>) {
    using Limits = std::numeric_limits<Converted<T>>;
    if (std::isnan(a)) return 0;
    if (a >= std::ldexp(T{1}, Limits::digits)) return Limits::max();
    if (a < -std::ldexp(T{1}, Limits::digits)) return Limits::min();
  }
  return static_cast<Converted<T>>(a);
}

/// All bits random: NaN, infinities, numbers of all sizes.
void random_bits(Operands& x) {
  random_inputs(x);
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::uint64_t bits = mixed(i);
      std::memcpy(&x.a<T>()[i], &bits, sizeof(T));
    }
  });
}

/// Random numbers, but half of the bytes that the first elements of b are made of are 0.
void sparse_inputs(Operands& x) {
  random_inputs(x);
  const std::span<std::uint8_t> bytes = x.b<std::uint8_t>();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (mixed(i) % 2 == 0) bytes[i] = 0;
}

template <named::Comparison comparison, auto holds>
Kernel comparison_row(std::string_view formula) {
  return {
      .name = named::kComparisonNames[static_cast<std::size_t>(comparison)],
      .family = "element-wise",
      .formula = formula,
      .types = kAllTypes,
      .reads = 2,
      .other_bytes = 1,
      .flops = 1,
      .make_inputs = random_inputs,
      .run =
          run<[]<class T>(Engine& e, Operands& x) { named::compare<T>(e, comparison, x.a<T>(), x.b<T>(), x.out<std::uint8_t>()); }>,
      .reference = reference<[]<class T>(Operands& x) {
        for (std::size_t i = 0; i < x.size(); ++i) x.out<std::uint8_t>()[i] = holds(x.a<T>()[i], x.b<T>()[i]) ? 1 : 0;
      }>};
}

}  // namespace

void add_elementwise(std::vector<Kernel>& rows) {
  rows.push_back({.name = "fill",
                  .family = "element-wise",
                  .formula = "out = s",
                  .types = kAllTypes,
                  .reads = 0,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { fill(e, x.out<T>(), s<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return s<decltype(a)>(); }>});
  rows.push_back({.name = "copy",
                  .family = "element-wise",
                  .formula = "out = a",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { copy(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return a; }>});
  rows.push_back({.name = "abs",
                  .family = "element-wise",
                  .formula = "out = |a|",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::abs(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return magnitude(a); }>});
  rows.push_back({.name = "neg",
                  .family = "element-wise",
                  .formula = "out = −a",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { neg(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return negated(a); }>});
  rows.push_back({.name = "square",
                  .family = "element-wise",
                  .formula = "out = a²",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { square(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return mul(a, a); }>});
  rows.push_back({.name = "sqrt",
                  .family = "element-wise",
                  .formula = "out = √a",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = positive_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { sqrt(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](std::floating_point auto a, auto, auto) { return std::sqrt(a); }>});
  rows.push_back({.name = "add",
                  .family = "element-wise",
                  .formula = "out = a + b",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::add(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, b); }>});
  rows.push_back({.name = "sub",
                  .family = "element-wise",
                  .formula = "out = a − b",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { sub(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, negated(b)); }>});
  rows.push_back({.name = "mul",
                  .family = "element-wise",
                  .formula = "out = a · b",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::mul(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return mul(a, b); }>});
  rows.push_back({.name = "div",
                  .family = "element-wise",
                  .formula = "out = a / b",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::div(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return quotient(a, b); }>});
  rows.push_back({.name = "minimum",
                  .family = "element-wise",
                  .formula = "out = min(a, b)",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { minimum(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return extreme_of<true>(a, b); }>});
  rows.push_back({.name = "maximum",
                  .family = "element-wise",
                  .formula = "out = max(a, b)",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { maximum(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return extreme_of<false>(a, b); }>});
  rows.push_back(
      {.name = "clamp",
       .family = "element-wise",
       .formula = "out = a within two bounds",
       .types = kAllTypes,
       .reads = 1,
       .writes = 1,
       .flops = 2,
       .make_inputs = random_inputs,
       .run =
           run<[]<class T>(Engine& e, Operands& x) { furrow::clamp(e, x.a<T>(), lower_bound<T>(), upper_bound<T>(), x.out<T>()); }>,
       .reference = element_by_element<[](auto a, auto, auto) {
         return std::clamp(a, lower_bound<decltype(a)>(), upper_bound<decltype(a)>());
       }>});
  rows.push_back(
      {.name = "fma",
       .family = "element-wise",
       .formula = "out = a · b + out, rounded once",
       .types = kFloats,
       .reads = 3,
       .writes = 1,
       .flops = 2,
       .make_inputs = random_inputs,
       .run =
           run<[]<std::floating_point T>(Engine& e, Operands& x) { furrow::fma(e, x.a<T>(), x.b<T>(), x.out<T>(), x.out<T>()); }>,
       .reference = element_by_element<[](std::floating_point auto a, auto b, auto out) { return std::fma(a, b, out); }>});
  rows.push_back({.name = "axpy",
                  .family = "element-wise",
                  .formula = "out = s · a + out",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { axpy(e, s<T>(), x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto out) { return add(mul(s<decltype(a)>(), a), out); }>});
  rows.push_back({.name = "triad",
                  .family = "element-wise",
                  .formula = "out = a + s · b",
                  .types = kAllTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { triad(e, x.a<T>(), x.b<T>(), s<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, mul(s<decltype(a)>(), b)); }>});
  rows.push_back(comparison_row<named::Comparison::equal, [](auto a, auto b) { return a == b; }>("out = a = b"));
  rows.push_back(comparison_row<named::Comparison::not_equal, [](auto a, auto b) { return a != b; }>("out = a ≠ b"));
  rows.push_back(comparison_row<named::Comparison::less, [](auto a, auto b) { return a < b; }>("out = a < b"));
  rows.push_back(comparison_row<named::Comparison::less_equal, [](auto a, auto b) { return a <= b; }>("out = a ≤ b"));
  rows.push_back(comparison_row<named::Comparison::greater, [](auto a, auto b) { return (a > b); }>("out = a > b"));
  rows.push_back(comparison_row<named::Comparison::greater_equal, [](auto a, auto b) { return (a >= b); }>("out = a ≥ b"));
  // The condition is made of b's bytes, some of which are 0.
  rows.push_back(
      {.name = "where",
       .family = "element-wise",
       .formula = "out = condition ? a : b",
       .types = kAllTypes,
       .reads = 2,
       .writes = 1,
       .other_bytes = 1,
       .flops = 0,
       .make_inputs = sparse_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { where(e, x.b<std::uint8_t>(), x.a<T>(), x.b<T>(), x.out<T>()); }>,
       .reference = reference<[]<class T>(Operands& x) {
         for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = x.b<std::uint8_t>()[i] != 0 ? x.a<T>()[i] : x.b<T>()[i];
       }>});
  // To the number type of the same size.
  rows.push_back({.name = "convert",
                  .family = "element-wise",
                  .formula = "out = a, converted",
                  .types = kWideTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_bits,
                  .run = run<[]<Wide T>(Engine& e, Operands& x) { convert(e, x.a<T>(), x.out<Converted<T>>()); }>,
                  .reference = reference<[]<Wide T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<Converted<T>>()[i] = converted(x.a<T>()[i]);
                  }>});
  rows.push_back({.name = "fused",
                  .family = "element-wise",
                  .formula = "out = s · a + s · √|a| + s",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 1,
                  .flops = 6,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) {
                    assign(e, x.out<T>(), s<T>() * in(x.a<T>()) + s<T>() * sqrt(abs(in(x.a<T>()))) + s<T>());
                  }>,
                  .reference = element_by_element<[](std::floating_point auto a, auto, auto) {
                    const auto c = s<decltype(a)>();
                    return c * a + c * std::sqrt(std::abs(a)) + c;
                  }>});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
