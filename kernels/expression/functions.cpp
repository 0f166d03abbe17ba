// The exact operations are compiled once for each instruction set, as those of simd.cpp are.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/expression/functions.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/conversion_kernels.hpp"
#include "furrow/kernels/expression/functions.hpp"
#include "furrow/kernels/math_kernels.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simd/vector_operations.hpp"

#ifndef FURROW_KERNELS_EXPRESSION_FUNCTIONS_CPP
#define FURROW_KERNELS_EXPRESSION_FUNCTIONS_CPP
namespace furrow::expression {

/// What is compiled for each instruction set.
struct Exact {
  std::size_t block;                            ///< elements evaluated at a time
  std::array<Moves, ElementTypes::size> moves;  ///< by Type
  std::vector<Function> functions;
};
using MakeExact = Exact (*)();

}  // namespace furrow::expression
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::expression::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace vectors = furrow::vectors::HWY_NAMESPACE;

/// Elements evaluated at a time.
constexpr std::size_t kBlock = 8 * hn::MaxLanes(hn::ScalableTag<double>());
static_assert(kBlock <= kMostBlock);

constexpr std::size_t kLine = 64;
/// So many bytes ahead inputs are fetched. The processor does not by itself: blocks that wait for a square root keep it from seeing
/// those that could load.
constexpr std::size_t kAhead = 4096;

/// V, whatever the number of the register.
template <class V, std::size_t>
struct RegisterOf {
  using type = V;
};

/// The kernels of a type whose values take the registers r….
template <class T, class Registers = std::make_index_sequence<kBlock / hn::MaxLanes(hn::ScalableTag<T>())>>
struct Kernels;
template <class T, std::size_t... r>
struct Kernels<T, std::index_sequence<r...>> {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  static constexpr std::size_t N = hn::MaxLanes(D());
  using Continue = void (*)(const Cell*, std::size_t, typename RegisterOf<V, r>::type...);

  static HWY_INLINE void next(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    return reinterpret_cast<Continue>(cell[1].kernel)(cell + 1, i, v...);
  }

  static void fetch(const Cell* cell, std::size_t i) {
    const char* const ahead = cell->at<const char>(0, i) + kAhead;
#pragma GCC unroll 8
    for (std::size_t line = 0; line < kBlock * sizeof(T); line += kLine) __builtin_prefetch(ahead + line);
    return cell[1].run(i);
  }
  static void load(const Cell* cell, std::size_t i) {
    const T* const a = cell->at<const T>(0, i);
    return next(cell, i, hn::LoadU(D(), a + r * N)...);
  }
  static void store(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    T* const to = cell->at<T>(0, i);
    (hn::StoreU(v, D(), to + r * N), ...);
    return cell[1].run(i);
  }
  static void stream(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    T* const to = cell->at<T>(0, i);
    (hn::Stream(v, D(), to + r * N), ...);
    return cell[1].run(i);
  }

  template <class Op>
  static void of_one(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    return next(cell, i, Op::apply(D(), v)...);
  }
  /// The k-th operand is in registers.
  template <class Op, std::size_t k>
  static void of_two(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    const T* const a = cell->at<const T>(0, i);
    if constexpr (k == 0) return next(cell, i, Op::apply(D(), v, hn::LoadU(D(), a + r * N))...);
    if constexpr (k == 1) return next(cell, i, Op::apply(D(), hn::LoadU(D(), a + r * N), v)...);
  }
  template <class Op, std::size_t k>
  static void of_three(const Cell* cell, std::size_t i, typename RegisterOf<V, r>::type... v) {
    const T* const a = cell->at<const T>(0, i);
    const T* const b = cell->at<const T>(1, i);
    if constexpr (k == 0) return next(cell, i, Op::apply(D(), v, hn::LoadU(D(), a + r * N), hn::LoadU(D(), b + r * N))...);
    if constexpr (k == 1) return next(cell, i, Op::apply(D(), hn::LoadU(D(), a + r * N), v, hn::LoadU(D(), b + r * N))...);
    if constexpr (k == 2) return next(cell, i, Op::apply(D(), hn::LoadU(D(), a + r * N), hn::LoadU(D(), b + r * N), v)...);
  }

  template <class Op>
  static Code code() {
    const auto kernel = [](Continue f) { return reinterpret_cast<AnyKernel>(f); };
    if constexpr (requires(V v) { Op::apply(D(), v, v, v); })
      return {{kernel(of_three<Op, 0>), kernel(of_three<Op, 1>), kernel(of_three<Op, 2>)}};
    else if constexpr (requires(V v) { Op::apply(D(), v, v); })
      return {{kernel(of_two<Op, 0>), kernel(of_two<Op, 1>)}};
    else
      return {{kernel(of_one<Op>)}};
  }
  static Moves moves() {
    return {fetch, load, reinterpret_cast<AnyKernel>(store), reinterpret_cast<AnyKernel>(stream)};
  }
};

template <class Op>
std::array<Code, ElementTypes::size> fractions() {
  return {Kernels<float>::code<Op>(), Kernels<double>::code<Op>()};
}
template <class Op, class... T>
std::array<Code, ElementTypes::size> all_of(TypeList<T...>) {
  return {Kernels<T>::template code<Op>()...};
}
template <class Op>
std::array<Code, ElementTypes::size> all() {
  return all_of<Op>(ElementTypes());
}
template <class... T>
std::array<Moves, ElementTypes::size> all_moves(TypeList<T...>) {
  return {Kernels<T>::moves()...};
}

Exact make() {
  return {kBlock,
          all_moves(ElementTypes()),
          {
              Function{"+", 2, Computes::as_given, all<vectors::Add>()},
              Function{"-", 2, Computes::as_given, all<vectors::Subtract>()},
              Function{"*", 2, Computes::as_given, all<vectors::Multiply>()},
              Function{"/", 2, Computes::fractional, fractions<vectors::Divide>()},
              Function{"-", 1, Computes::as_given, all<vectors::Negate>()},
              Function{"<", 2, Computes::as_given, all<vectors::Less>()},
              Function{"<=", 2, Computes::as_given, all<vectors::LessEqual>()},
              Function{">", 2, Computes::as_given, all<vectors::Greater>()},
              Function{">=", 2, Computes::as_given, all<vectors::GreaterEqual>()},
              Function{"==", 2, Computes::as_given, all<vectors::Equal>()},
              Function{"!=", 2, Computes::as_given, all<vectors::NotEqual>()},
              Function{"sqrt", 1, Computes::fractional, fractions<vectors::Sqrt>()},
              Function{"abs", 1, Computes::as_given, all<vectors::Abs>()},
              Function{"neg", 1, Computes::as_given, all<vectors::Negate>()},
              Function{"square", 1, Computes::as_given, all<vectors::Square>()},
              Function{"minimum", 2, Computes::as_given, all<vectors::Minimum>()},
              Function{"maximum", 2, Computes::as_given, all<vectors::Maximum>()},
              Function{"clamp", 3, Computes::as_given, all<vectors::Clamp>()},
              Function{"fma", 3, Computes::as_given, all<vectors::FusedMultiplyAdd>()},
              Function{"where", 3, Computes::as_given, all<vectors::Where>()},
          }};
}

constexpr MakeExact kMake = make;

}  // namespace
}  // namespace furrow::expression::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::expression {
namespace {

constexpr Built<MakeExact> kBuilt[] = {FURROW_TABLES(kMake)};

// The mathematical functions, by way of their own tables.

template <named::Unary f, class T>
void unary(const Cell* cell, std::size_t i) {
  const T* const a = cell->at<const T>(0, i);
  math::kernels<T>().unary[static_cast<std::size_t>(f)](a, a, cell->at<T>(1, i), block_size(), false);
  return cell[1].run(i);
}
template <named::Binary f, class T>
void binary(const Cell* cell, std::size_t i) {
  math::kernels<T>().binary[static_cast<std::size_t>(f)](cell->at<const T>(0, i), cell->at<const T>(1, i), cell->at<T>(2, i),
                                                         block_size(), false);
  return cell[1].run(i);
}

template <std::size_t... f>
void add_unary(std::vector<Function>& functions, std::index_sequence<f...>) {
  (functions.push_back({named::kUnaryNames[f],
                        1,
                        Computes::fractional,
                        {Code{.in_memory = unary<named::Unary{f}, float>}, Code{.in_memory = unary<named::Unary{f}, double>}}}),
   ...);
}
template <std::size_t... f>
void add_binary(std::vector<Function>& functions, std::index_sequence<f...>) {
  (functions.push_back({named::kBinaryNames[f],
                        2,
                        Computes::fractional,
                        {Code{.in_memory = binary<named::Binary{f}, float>}, Code{.in_memory = binary<named::Binary{f}, double>}}}),
   ...);
}

/// `exact` and the mathematical functions.
Exact with_functions(Exact exact) {
  add_unary(exact.functions, std::make_index_sequence<named::kUnaryNames.size()>());
  add_binary(exact.functions, std::make_index_sequence<named::kBinaryNames.size()>());
  return exact;
}

const Exact& chosen() {
  static const Exact exact = with_functions(chosen_of<MakeExact>(kBuilt)());
  return exact;
}

template <class From, class To>
void convert(const Cell* cell, std::size_t i) {
  conversions::kernel(type_of<From>, type_of<To>)(cell->at<const From>(0, i), cell->at<To>(1, i), block_size());
  return cell[1].run(i);
}

}  // namespace

std::size_t block_size() {
  return chosen().block;
}

const Moves& moves(Type type) {
  return chosen().moves[static_cast<std::size_t>(type)];
}

const Function* find_function(std::string_view name, std::size_t operands) {
  for (const Function& function : chosen().functions)
    if (function.name == name && function.operands == operands) return &function;
  return nullptr;
}

const Function* find_function(std::string_view name) {
  const std::vector<Function>& functions = chosen().functions;
  const auto found = std::ranges::find(functions, name, &Function::name);
  return found != functions.end() ? &*found : nullptr;
}

Kernel conversion(Type from, Type to) {
  return with_type(from, [to]<class From>(TypeTag<From>) {
    return with_type(to, []<class To>(TypeTag<To>) -> Kernel { return convert<From, To>; });
  });
}

std::vector<std::string_view> function_names() {
  // Asked for by help texts, which must not fail on an instruction set that cannot be had: every row is in all tables.
  std::vector<std::string_view> names;
  for (const Function& function : with_functions(HWY_NAMESPACE::make()).functions)
    if (begins_name(function.name[0])) names.push_back(function.name);
  return names;
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string shown(std::string_view text) {
  std::string line;
  for (const char c : text) line += c >= 0x20 && c < 0x7F ? c : c == '\t' || c == '\n' ? ' ' : '?';
  return line;
}

void fail_at(std::string_view text, std::size_t position, const std::string& what) {
  constexpr std::size_t kEitherSide = 36;
  const std::size_t begin = position > kEitherSide ? position - kEitherSide : 0;
  const std::size_t end = std::min(text.size(), position + kEitherSide);
  std::string line = begin > 0 ? "..." : "";
  const std::string caret(line.size() + position - begin, ' ');
  line += shown(text.substr(begin, end - begin));
  if (end < text.size()) line += "...";
  fail("in the expression, at character " + std::to_string(position + 1) + ": " + what + "\n  " + line + "\n  " + caret + "^");
}

}  // namespace furrow::expression
#endif  // HWY_ONCE
