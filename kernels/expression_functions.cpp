// The exact operations are compiled once for each instruction set, as those of simd.cpp are.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/expression_functions.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/conversion_kernels.hpp"
#include "furrow/kernels/expression_functions.hpp"
#include "furrow/kernels/instruction_set_tables.hpp"
#include "furrow/kernels/math_kernels.hpp"
#include "furrow/kernels/vector_operations.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::expression::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace vectors = furrow::vectors::HWY_NAMESPACE;

template <class Op, class T>
void run(const Cell& cell, std::size_t i) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  static_assert(kBlock % N == 0);
  const T* const a = cell.operand<T>(0, i);
  T* const out = cell.result<T>(i);
  const auto x = [d, a](std::size_t k) HWY_ATTR { return hn::LoadU(d, a + k); };
  using V = hn::Vec<decltype(d)>;
  if constexpr (requires(V v) { Op::apply(d, v, v, v); }) {
    const T* const b = cell.operand<T>(1, i);
    const T* const c = cell.operand<T>(2, i);
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kBlock; k += N)
      hn::StoreU(Op::apply(d, x(k), hn::LoadU(d, b + k), hn::LoadU(d, c + k)), d, out + k);
  } else if constexpr (requires(V v) { Op::apply(d, v, v); }) {
    const T* const b = cell.operand<T>(1, i);
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kBlock; k += N) hn::StoreU(Op::apply(d, x(k), hn::LoadU(d, b + k)), d, out + k);
  } else {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kBlock; k += N) hn::StoreU(Op::apply(d, x(k)), d, out + k);
  }
}

template <class Op>
constexpr std::array<Kernel, 4> all = {run<Op, float>, run<Op, double>, run<Op, std::int32_t>, run<Op, std::int64_t>};
template <class Op>
constexpr std::array<Kernel, 4> fractions = {run<Op, float>, run<Op, double>, nullptr, nullptr};

constexpr std::array kExact{
    Function{"+", 2, Computes::as_given, all<vectors::Add>},
    Function{"-", 2, Computes::as_given, all<vectors::Subtract>},
    Function{"*", 2, Computes::as_given, all<vectors::Multiply>},
    Function{"/", 2, Computes::fractional, fractions<vectors::Divide>},
    Function{"-", 1, Computes::as_given, all<vectors::Negate>},
    Function{"<", 2, Computes::as_given, all<vectors::Less>},
    Function{"<=", 2, Computes::as_given, all<vectors::LessEqual>},
    Function{">", 2, Computes::as_given, all<vectors::Greater>},
    Function{">=", 2, Computes::as_given, all<vectors::GreaterEqual>},
    Function{"==", 2, Computes::as_given, all<vectors::Equal>},
    Function{"!=", 2, Computes::as_given, all<vectors::NotEqual>},
    Function{"sqrt", 1, Computes::fractional, fractions<vectors::Sqrt>},
    Function{"abs", 1, Computes::as_given, all<vectors::Abs>},
    Function{"neg", 1, Computes::as_given, all<vectors::Negate>},
    Function{"square", 1, Computes::as_given, all<vectors::Square>},
    Function{"minimum", 2, Computes::as_given, all<vectors::Minimum>},
    Function{"maximum", 2, Computes::as_given, all<vectors::Maximum>},
    Function{"clamp", 3, Computes::as_given, all<vectors::Clamp>},
    Function{"fma", 3, Computes::as_given, all<vectors::FusedMultiplyAdd>},
    Function{"where", 3, Computes::as_given, all<vectors::Where>},
};

}  // namespace
}  // namespace furrow::expression::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::expression {
namespace {

using Exact = std::remove_const_t<decltype(HWY_NAMESPACE::kExact)>;
constexpr Built<Exact> kBuilt[] = {FURROW_TABLES(kExact)};

// The mathematical functions, by way of their own tables.

template <named::Unary f, class T>
void unary(const Cell& cell, std::size_t i) {
  const T* const a = cell.operand<T>(0, i);
  math::kernels<T>().unary[static_cast<std::size_t>(f)](a, a, cell.result<T>(i), kBlock);
}
template <named::Binary f, class T>
void binary(const Cell& cell, std::size_t i) {
  math::kernels<T>().binary[static_cast<std::size_t>(f)](cell.operand<T>(0, i), cell.operand<T>(1, i), cell.result<T>(i), kBlock);
}

template <std::size_t... f>
void add_unary(std::vector<Function>& functions, std::index_sequence<f...>) {
  (functions.push_back({named::kUnaryNames[f],
                        1,
                        Computes::fractional,
                        {unary<named::Unary{f}, float>, unary<named::Unary{f}, double>, nullptr, nullptr}}),
   ...);
}
template <std::size_t... f>
void add_binary(std::vector<Function>& functions, std::index_sequence<f...>) {
  (functions.push_back({named::kBinaryNames[f],
                        2,
                        Computes::fractional,
                        {binary<named::Binary{f}, float>, binary<named::Binary{f}, double>, nullptr, nullptr}}),
   ...);
}

/// All of them: those of `exact`, then the mathematical ones.
std::vector<Function> functions_of(const Exact& exact) {
  std::vector<Function> functions(exact.begin(), exact.end());
  add_unary(functions, std::make_index_sequence<named::kUnaryNames.size()>());
  add_binary(functions, std::make_index_sequence<named::kBinaryNames.size()>());
  return functions;
}

const std::vector<Function>& functions() {
  static const std::vector<Function> chosen = functions_of(chosen_of<Exact>(kBuilt));
  return chosen;
}

template <class From, class To>
void convert(const Cell& cell, std::size_t i) {
  conversions::kernel<From, To>()(cell.operand<From>(0, i), cell.result<To>(i), kBlock);
}

using F = float;
using G = double;
using I = std::int32_t;
using L = std::int64_t;

/// By the types from and to.
constexpr Kernel kConversions[4][4] = {
    {convert<F, F>, convert<F, G>, nullptr, nullptr},
    {nullptr, convert<G, G>, nullptr, nullptr},
    {nullptr, convert<I, G>, convert<I, I>, convert<I, L>},
    {nullptr, convert<L, G>, nullptr, convert<L, L>},
};

}  // namespace

const Function* find_function(std::string_view name, std::size_t operands) {
  for (const Function& function : functions())
    if (function.name == name && function.operands == operands) return &function;
  return nullptr;
}

const Function* find_function(std::string_view name) {
  const auto found = std::ranges::find(functions(), name, &Function::name);
  return found != functions().end() ? &*found : nullptr;
}

Kernel conversion(Type from, Type to) {
  return kConversions[static_cast<int>(from)][static_cast<int>(to)];
}

std::vector<std::string_view> function_names() {
  // Asked for by help texts, which must not fail on an instruction set that cannot be had: every row is in all tables.
  std::vector<std::string_view> names;
  for (const Function& function : functions_of(HWY_NAMESPACE::kExact))
    if (begins_name(function.name[0])) names.push_back(function.name);
  return names;
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void fail_at(std::string_view text, std::size_t position, const std::string& what) {
  constexpr std::size_t kEitherSide = 36;
  const std::size_t begin = position > kEitherSide ? position - kEitherSide : 0;
  const std::size_t end = std::min(text.size(), position + kEitherSide);
  std::string line = begin > 0 ? "..." : "";
  const std::string caret(line.size() + position - begin, ' ');
  for (const char c : text.substr(begin, end - begin)) line += c >= 0x20 && c < 0x7F ? c : c == '\t' || c == '\n' ? ' ' : '?';
  if (end < text.size()) line += "...";
  fail("in the expression, at character " + std::to_string(position + 1) + ": " + what + "\n  " + line + "\n  " + caret + "^");
}

}  // namespace furrow::expression
#endif  // HWY_ONCE
