// Compiled once for each instruction set that compilers know by a name (see table.cpp), as a user compiles a program of his own:
// the functors of the generic kernels become the code that his would.
#include "furrow/kernels/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/reference.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/selection.hpp"
#include "furrow/kernels/sorting.hpp"

namespace furrow::table {
namespace {

/// Addition that is defined for all integers, as the operation of the generic kernels.
struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return reference::add(a, b);
  }
};

}  // namespace
}  // namespace furrow::table

template <class T>
inline constexpr bool furrow::commutes<furrow::table::Add, T> = std::is_arithmetic_v<T>;

namespace furrow::table {
namespace {

/// The i-th of a fixed sequence of well-mixed numbers (splitmix64; Steele, Lea, Flood 2014).
std::uint64_t mixed(std::uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15U;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9U;
  i = (i ^ (i >> 27)) * 0x94D049BB133111EBU;
  return i ^ (i >> 31);
}

/// Numbers in [-1, 1) with all their bits in use, or integers of full range: roundings show and sums wrap.
template <class T>
T number(std::uint64_t i) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(mixed(i))) * 0x1p-63);
  else
    return static_cast<T>(mixed(i));
}

template <class T>
void set_inputs(Operands& x, bool positive) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    x.a<T>()[i] = positive ? std::abs(number<T>(3 * i)) : number<T>(3 * i);
    x.b<T>()[i] = number<T>(3 * i + 1);
    x.out<T>()[i] = number<T>(3 * i + 2);
  }
  x.set_result(std::array{mixed(0), mixed(1)});  // wider than any result
}

void random_inputs(Operands& x) {
  with_type(x.type(), [&](auto tag) { set_inputs<typename decltype(tag)::type>(x, false); });
}
void positive_inputs(Operands& x) {
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) set_inputs<T>(x, true);
  });
}

/// A row's entry for all its types, from a functor with a templated call operator: body<T>(engine, operands).
template <auto body>
void run(Engine& engine, Operands& x) {
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (requires { body.template operator()<T>(engine, x); }) body.template operator()<T>(engine, x);
  });
}
template <auto body>
void reference(Operands& x) {
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (requires { body.template operator()<T>(x); }) body.template operator()<T>(x);
  });
}

/// The reference of an element-wise kernel: out[i] = f(a[i], b[i], out[i]).
template <auto f>
void element_by_element(Operands& x) {
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (requires { f(T{}, T{}, T{}); })
      for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = f(x.a<T>()[i], x.b<T>()[i], x.out<T>()[i]);
  });
}

using reference::add;
using reference::mul;

template <class T>
constexpr T s() {
  return Operands::scalar<T>();
}

/// How many steps of z → z² + c stay bounded, for the i-th pixel of a picture 256 wide of a part of the Mandelbrot set that is dear
/// at one end and cheap at the other.
std::int32_t escape_steps(std::size_t i, std::size_t n) {
  constexpr std::size_t kWidth = 256;
  constexpr int kMost = 256;
  const double height = static_cast<double>(n / kWidth + 1);
  const double re = -1.5 + 2.0 * static_cast<double>(i % kWidth) / kWidth;
  const double im = 1.2 * static_cast<double>(i / kWidth) / height;
  double x = 0;
  double y = 0;
  int steps = 0;
  for (; steps < kMost && x * x + y * y <= 4; ++steps) {
    const double next = x * x - y * y + re;
    y = 2 * x * y + im;
    x = next;
  }
  return steps;
}

/// Unsigned integers of the element type's size, which indices are taken from and written as.
template <class T>
using Index = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
std::span<Index<T>> as_indices(std::span<T> x) {
  return {reinterpret_cast<Index<T>*>(x.data()), x.size()};
}

/// Random numbers, and in b the indices 0 … n - 1 in random order (Fisher, Yates 1938).
void permuted_inputs(Operands& x) {
  random_inputs(x);
  with_type(x.type(), [&](auto tag) {
    const auto b = as_indices(x.b<typename decltype(tag)::type>());
    for (std::size_t i = 0; i < b.size(); ++i) {
      const std::size_t j = mixed(i) % (i + 1);
      b[i] = b[j];
      b[j] = static_cast<Index<typename decltype(tag)::type>>(i);
    }
  });
}

/// The rows of a matrix of n elements that is as square as n allows.
std::size_t matrix_rows(std::size_t n) {
  auto rows = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
  while (rows > 1 && n % rows != 0) --rows;
  return rows > 0 ? rows : 1;
}

constexpr auto positive = [](auto v) { return v > 0; };
constexpr auto by_falling_square = [](auto v, auto w) { return mul(v, v) > mul(w, w); };

constexpr std::size_t kRow = 256;    // pixels of a task of `fractal`
constexpr std::size_t kCall = 1024;  // elements of each call of `small_calls`

/// The elements of outer task k of `nested_calls`: sixteen parts, each longer than the one before, so that a thread which is done
/// with its own can only help inside another's.
constexpr std::size_t kParts = 16;
constexpr Range part_of(std::size_t k, std::size_t n) {
  constexpr std::size_t kAll = kParts * (kParts + 1) / 2;
  const auto end_of = [n](std::size_t parts) { return n / kAll * (parts * (parts + 1) / 2); };
  return {end_of(k), k + 1 == kParts ? n : end_of(k + 1)};
}

/// Rows of mathematical functions. Their reference takes the elements one at a time, each a call of its own: what the values are
/// worth is for the test of their accuracy to say.
template <auto f, auto& names>
Kernel function_row() {
  constexpr bool kUnary = std::is_same_v<decltype(f), named::Unary>;
  return {.name = names[static_cast<std::size_t>(f)],
          .family = "functions",
          .formula = kUnary ? "out = f(a)" : "out = f(a, b)",
          .types = {Type::f32, Type::f64},
          .reads = kUnary ? 1 : 2,
          .writes = 1,
          .flops = 1,
          .make_inputs = random_inputs,
          .run = run<[]<std::floating_point T>(Engine& e, Operands& x) {
            if constexpr (std::is_same_v<decltype(f), named::Unary>)
              named::evaluate<T>(e, f, x.a<T>(), x.out<T>());
            else
              named::evaluate<T>(e, f, x.a<T>(), x.b<T>(), x.out<T>());
          }>,
          .reference = reference<[]<std::floating_point T>(Operands& x) {
            static Engine one_thread("serial");
            for (std::size_t i = 0; i < x.size(); ++i) {
              const std::span<const T> a = x.a<T>().subspan(i, 1);
              if constexpr (std::is_same_v<decltype(f), named::Unary>)
                named::evaluate<T>(one_thread, f, a, x.out<T>().subspan(i, 1));
              else
                named::evaluate<T>(one_thread, f, a, x.b<T>().subspan(i, 1), x.out<T>().subspan(i, 1));
            }
          }>};
}
template <class F, auto& names, std::size_t... f>
void add_functions(std::vector<Kernel>& rows, std::index_sequence<f...>) {
  (rows.push_back(function_row<static_cast<F>(f), names>()), ...);
}

}  // namespace

namespace FURROW_TABLE_ISA {
std::vector<Kernel> rows() {
  const std::vector<Type> all{Type::f32, Type::f64, Type::i32, Type::i64};
  const std::vector<Type> floats{Type::f32, Type::f64};
  std::vector<Kernel> rows;

  rows.push_back({.name = "fill",
                  .family = "element-wise",
                  .formula = "out = s",
                  .types = all,
                  .reads = 0,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { fill(e, x.out<T>(), s<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return s<decltype(a)>(); }>});
  rows.push_back({.name = "copy",
                  .family = "element-wise",
                  .formula = "out = a",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { copy(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return a; }>});
  rows.push_back({.name = "square",
                  .family = "element-wise",
                  .formula = "out = a²",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { square(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto) { return mul(a, a); }>});
  rows.push_back({.name = "sqrt",
                  .family = "element-wise",
                  .formula = "out = √a",
                  .types = floats,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = positive_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { sqrt(e, x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](std::floating_point auto a, auto, auto) { return std::sqrt(a); }>});
  rows.push_back({.name = "add",
                  .family = "element-wise",
                  .formula = "out = a + b",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::add(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, b); }>});
  rows.push_back({.name = "mul",
                  .family = "element-wise",
                  .formula = "out = a · b",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { furrow::mul(e, x.a<T>(), x.b<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return mul(a, b); }>});
  rows.push_back({.name = "axpy",
                  .family = "element-wise",
                  .formula = "out = s · a + out",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { axpy(e, s<T>(), x.a<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto, auto out) { return add(mul(s<decltype(a)>(), a), out); }>});
  rows.push_back({.name = "triad",
                  .family = "element-wise",
                  .formula = "out = a + s · b",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { triad(e, x.a<T>(), x.b<T>(), s<T>(), x.out<T>()); }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, mul(s<decltype(a)>(), b)); }>});

  add_functions<named::Unary, named::kUnaryNames>(rows, std::make_index_sequence<named::kUnaryNames.size()>());
  add_functions<named::Binary, named::kBinaryNames>(rows, std::make_index_sequence<named::kBinaryNames.size()>());

  rows.push_back({.name = "sum",
                  .family = "reductions",
                  .formula = "Σ a",
                  .types = all,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(sum(e, x.a<T>())); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    using S = sum_t<T>;
                    x.set_result(x.size() == 0 ? S{0} : reference::named_sum<S>(x.size(), [a = x.a<T>()](std::size_t i) {
                      return static_cast<S>(a[i]);
                    }));
                  }>});
  rows.push_back({.name = "dot",
                  .family = "reductions",
                  .formula = "Σ a · b",
                  .types = all,
                  .reads = 2,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(dot(e, x.a<T>(), x.b<T>())); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    using S = sum_t<T>;
                    x.set_result(x.size() == 0 ? S{0}
                                               : reference::named_sum<S>(x.size(), [a = x.a<T>(), b = x.b<T>()](std::size_t i) {
                                                   return mul(static_cast<S>(a[i]), static_cast<S>(b[i]));
                                                 }));
                  }>});
  rows.push_back({.name = "min",
                  .family = "reductions",
                  .formula = "min a",
                  .types = all,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(min(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::extreme<T>(x.a<T>(), true));
                  }>});
  rows.push_back({.name = "max",
                  .family = "reductions",
                  .formula = "max a",
                  .types = all,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(max(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::extreme<T>(x.a<T>(), false));
                  }>});

  rows.push_back({.name = "for_each",
                  .family = "loops",
                  .formula = "out = s · out",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { for_each(e, x.out<T>(), [](T& v) { v = mul(s<T>(), v); }); }>,
                  .reference = element_by_element<[](auto, auto, auto out) { return mul(s<decltype(out)>(), out); }>});
  rows.push_back({.name = "for_each_index",
                  .family = "loops",
                  .formula = "out[i] = a[i] + b[i]",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    for_each_index(e, x.size(), [a = x.a<T>().data(), b = x.b<T>().data(), out = x.out<T>().data()](std::size_t i) {
                      out[i] = add(a[i], b[i]);
                    });
                  }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(a, b); }>});
  rows.push_back(
      {.name = "transform",
       .family = "loops",
       .formula = "out = f(a), f(v) = v²",
       .types = all,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { transform(e, x.a<T>(), x.out<T>(), [](T v) { return mul(v, v); }); }>,
       .reference = element_by_element<[](auto a, auto, auto) { return mul(a, a); }>});
  rows.push_back({.name = "transform2",
                  .family = "loops",
                  .formula = "out = f(a, b), f(v, w) = v · w + v",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    transform(e, x.a<T>(), x.b<T>(), x.out<T>(), [](T v, T w) { return add(mul(v, w), v); });
                  }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return add(mul(a, b), a); }>});
  rows.push_back({.name = "reduce",
                  .family = "loops",
                  .formula = "s + a + a + …",
                  .types = all,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(reduce(e, x.a<T>(), s<T>(), std::plus<>{})); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    using S = sum_t<T>;
                    const auto term = [a = x.a<T>()](std::size_t i) { return static_cast<S>(a[i]); };
                    x.set_result(x.size() == 0 ? s<T>() : add(s<T>(), static_cast<T>(reference::named_sum<S>(x.size(), term))));
                  }>});
  rows.push_back({.name = "transform_reduce",
                  .family = "loops",
                  .formula = "s + Σ (a + b)²",
                  .types = all,
                  .reads = 2,
                  .writes = 0,
                  .flops = 3,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    x.set_result(
                        transform_reduce(e, x.a<T>(), x.b<T>(), s<T>(), Add{}, [](T v, T w) { return mul(add(v, w), add(v, w)); }));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    x.set_result(reference::reduce_in_lanes(x.size(), s<T>(), add<T>, [a = x.a<T>(), b = x.b<T>()](std::size_t i) {
                      return mul(add(a[i], b[i]), add(a[i], b[i]));
                    }));
                  }>});

  rows.push_back(
      {.name = "inclusive_scan",
       .family = "scans",
       .formula = "out[i] = a[0] + … + a[i]",
       .types = all,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { inclusive_scan(e, x.a<T>(), x.out<T>()); }>,
       .reference =
           reference<[]<class T>(Operands& x) { reference::running_sums<T>(x.a<T>(), x.out<T>(), static_cast<T>(-0.0), true); }>});
  rows.push_back(
      {.name = "exclusive_scan",
       .family = "scans",
       .formula = "out[i] = s + a[0] + … + a[i-1]",
       .types = all,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { exclusive_scan(e, x.a<T>(), x.out<T>(), s<T>()); }>,
       .reference = reference<[]<class T>(Operands& x) { reference::running_sums<T>(x.a<T>(), x.out<T>(), s<T>(), false); }>});

  rows.push_back({.name = "sort",
                  .family = "order",
                  .formula = "out = a in order",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    copy(e, x.a<T>(), x.out<T>());
                    sort(e, x.out<T>());
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::copy_n(x.a<T>().data(), x.size(), x.out<T>().data());
                    std::sort(x.out<T>().begin(), x.out<T>().end());
                  }>});
  rows.push_back({.name = "stable_sort",
                  .family = "order",
                  .formula = "out = a by falling a²",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    copy(e, x.a<T>(), x.out<T>());
                    stable_sort(e, x.out<T>(), by_falling_square);
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::copy_n(x.a<T>().data(), x.size(), x.out<T>().data());
                    std::stable_sort(x.out<T>().begin(), x.out<T>().end(), by_falling_square);
                  }>});
  rows.push_back({.name = "argsort",
                  .family = "order",
                  .formula = "a[out[i]] in order",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { argsort(e, x.a<T>(), as_indices(x.out<T>())); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    const auto out = as_indices(x.out<T>());
                    for (std::size_t i = 0; i < x.size(); ++i) out[i] = static_cast<Index<T>>(i);
                    std::stable_sort(out.begin(), out.end(), [a = x.a<T>()](auto i, auto j) { return a[i] < a[j]; });
                  }>});
  rows.push_back({.name = "nth_element",
                  .family = "order",
                  .formula = "out = a about its median",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    copy(e, x.a<T>(), x.out<T>());
                    if (x.size() != 0) nth_element(e, x.out<T>(), x.size() / 2);
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    const auto out = x.out<T>();
                    std::copy_n(x.a<T>().data(), x.size(), out.data());
                    if (x.size() < 2 || std::is_sorted(out.begin(), out.end())) return;
                    std::sort(out.begin(), out.end());
                    const T median = out[x.size() / 2];
                    std::copy_n(x.a<T>().data(), x.size(), out.data());
                    std::stable_partition(out.begin(), out.end(), [=](T v) { return v <= median; });
                    std::stable_partition(out.begin(), out.end(), [=](T v) { return v < median; });
                  }>});
  rows.push_back({.name = "copy_if",
                  .family = "order",
                  .formula = "out = those a > 0",
                  .types = all,
                  .reads = 1,
                  .writes = 0.5,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(copy_if(e, x.a<T>(), x.out<T>(), positive)); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::size_t kept = 0;
                    for (const T v : x.a<T>())
                      if (positive(v)) x.out<T>()[kept++] = v;
                    x.set_result(kept);
                  }>});
  rows.push_back({.name = "count_if",
                  .family = "order",
                  .formula = "how many a > 0",
                  .types = all,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(count_if(e, x.a<T>(), positive)); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::size_t count = 0;
                    for (const T v : x.a<T>()) count += positive(v) ? 1 : 0;
                    x.set_result(count);
                  }>});
  rows.push_back(
      {.name = "all_of",
       .family = "order",
       .formula = "whether all a = a",
       .types = all,
       .reads = 1,
       .writes = 0,
       .flops = 1,
       .make_inputs = random_inputs,
       .run =
           run<[]<class T>(Engine& e, Operands& x) { x.set_result(std::size_t{all_of(e, x.a<T>(), [](T v) { return v == v; })}); }>,
       .reference = reference<[]<class T>(Operands& x) {
         std::size_t all_are = 1;
         for (const T v : x.a<T>()) all_are &= v == v ? 1U : 0U;
         x.set_result(all_are);
       }>});
  rows.push_back({.name = "unique",
                  .family = "order",
                  .formula = "out = the first of each run of a of one sign",
                  .types = all,
                  .reads = 1,
                  .writes = 0.5,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    x.set_result(unique(e, x.a<T>(), x.out<T>(), [](T v, T w) { return positive(v) == positive(w); }));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::size_t kept = 0;
                    for (std::size_t i = 0; i < x.size(); ++i)
                      if (i == 0 || positive(x.a<T>()[i - 1]) != positive(x.a<T>()[i])) x.out<T>()[kept++] = x.a<T>()[i];
                    x.set_result(kept);
                  }>});
  rows.push_back({.name = "partition",
                  .family = "order",
                  .formula = "out = those a > 0, then the others",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    copy(e, x.a<T>(), x.out<T>());
                    x.set_result(partition(e, x.out<T>(), positive));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::size_t kept = 0;
                    for (const T v : x.a<T>())
                      if (positive(v)) x.out<T>()[kept++] = v;
                    x.set_result(kept);
                    for (const T v : x.a<T>())
                      if (!positive(v)) x.out<T>()[kept++] = v;
                  }>});
  rows.push_back({.name = "gather",
                  .family = "order",
                  .formula = "out[i] = a[b[i]]",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = permuted_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { gather(e, x.a<T>(), as_indices(x.b<T>()), x.out<T>()); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = x.a<T>()[as_indices(x.b<T>())[i]];
                  }>});
  rows.push_back({.name = "scatter",
                  .family = "order",
                  .formula = "out[b[i]] = a[i]",
                  .types = all,
                  .reads = 2,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = permuted_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { scatter(e, x.a<T>(), as_indices(x.b<T>()), x.out<T>()); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[as_indices(x.b<T>())[i]] = x.a<T>()[i];
                  }>});
  rows.push_back({.name = "reverse",
                  .family = "order",
                  .formula = "out[i] = a[n - 1 - i]",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { reverse(e, x.a<T>(), x.out<T>()); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = x.a<T>()[x.size() - 1 - i];
                  }>});
  rows.push_back({.name = "transpose",
                  .family = "order",
                  .formula = "out[j, i] = a[i, j]",
                  .types = all,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    const std::size_t height = matrix_rows(x.size());
                    const std::size_t width = x.size() / height;
                    transpose(e, View<const T, 2>::row_major(x.a<T>().data(), {height, width}),
                              View<T, 2>::row_major(x.out<T>().data(), {width, height}));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    const std::size_t height = matrix_rows(x.size());
                    const std::size_t width = x.size() / height;
                    for (std::size_t i = 0; i < height; ++i)
                      for (std::size_t j = 0; j < width; ++j) x.out<T>()[j * height + i] = x.a<T>()[i * width + j];
                  }>});

  // Where backends really differ: tasks of uneven cost under the default schedule, many calls of little work each, and calls inside
  // calls. And a pair of kernels, of which one reads what the other has just written: results that were streamed past the cache
  // must be fetched again.
  rows.push_back({.name = "fractal",
                  .family = "irregular",
                  .formula = "Mandelbrot steps, a task a row of 256",
                  .types = {Type::i32},
                  .reads = 0,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<std::int32_t> T>(Engine& e, Operands& x) {
                    const std::span<T> out = x.out<T>();
                    e.bulk((out.size() + kRow - 1) / kRow, [out](std::size_t row) {
                      for (std::size_t i = row * kRow; i < std::min(out.size(), (row + 1) * kRow); ++i)
                        out[i] = escape_steps(i, out.size());
                    });
                  }>,
                  .reference = reference<[]<std::same_as<std::int32_t> T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = escape_steps(i, x.size());
                  }>,
                  .largest = std::size_t{1} << 16});
  rows.push_back({.name = "small_calls",
                  .family = "irregular",
                  .formula = "out = a · b, a call for every 1024",
                  .types = {Type::f64},
                  .reads = 2,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                    const std::span<T> out = x.out<T>();
                    for (std::size_t begin = 0; begin < out.size(); begin += kCall) {
                      const std::size_t size = std::min(kCall, out.size() - begin);
                      constexpr std::size_t kTasks = 4;
                      e.bulk(kTasks, [=, a = x.a<T>(), b = x.b<T>()](std::size_t task) {
                        for (std::size_t i = begin + size * task / kTasks; i < begin + size * (task + 1) / kTasks; ++i)
                          out[i] = a[i] * b[i];
                      });
                    }
                  }>,
                  .reference = element_by_element<[](auto a, auto b, auto) { return mul(a, b); }>,
                  .largest = std::size_t{1} << 19});
  rows.push_back({.name = "nested_calls",
                  .family = "irregular",
                  .formula = "out = a · √|b|, a call in each of 16 tasks of growing size",
                  .types = {Type::f64},
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                    e.bulk(kParts, [&e, a = x.a<T>(), b = x.b<T>(), out = x.out<T>()](std::size_t k) {
                      const Range part = part_of(k, out.size());
                      constexpr std::size_t kTasks = 4;
                      e.bulk(kTasks, [=](std::size_t task) {
                        for (std::size_t i = part.begin + part.size() * task / kTasks;
                             i < part.begin + part.size() * (task + 1) / kTasks; ++i)
                          out[i] = a[i] * std::sqrt(std::abs(b[i]));
                      });
                    });
                  }>,
                  .reference = element_by_element<[](std::floating_point auto a, std::floating_point auto b, auto) {
                    return a * std::sqrt(std::abs(b));
                  }>,
                  .largest = std::size_t{1} << 22});
  rows.push_back({.name = "write_then_read",
                  .family = "irregular",
                  .formula = "out = a · b, then Σ out",
                  .types = {Type::f64},
                  .reads = 3,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                    furrow::mul(e, x.a<T>(), x.b<T>(), x.out<T>());
                    x.set_result(sum(e, x.out<T>()));
                  }>,
                  .reference = reference<[]<std::same_as<double> T>(Operands& x) {
                    const std::span<T> out = x.out<T>();
                    for (std::size_t i = 0; i < out.size(); ++i) out[i] = x.a<T>()[i] * x.b<T>()[i];
                    x.set_result(out.empty() ? T{0} : reference::named_sum<T>(out.size(), [out](std::size_t i) { return out[i]; }));
                  }>});
  return rows;
}
}  // namespace FURROW_TABLE_ISA

}  // namespace furrow::table
