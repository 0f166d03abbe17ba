#pragma once

// What the rows of the kernel table are written with. Each file of rows is compiled once for each instruction set that compilers
// know by a name (see kernels/table.cpp), as a user compiles a program of his own: the functors of the generic kernels become the
// code that his would. FURROW_TABLE_ISA is the namespace that keeps them apart.
#include <cmath>
#include <concepts>
#include <vector>

#include "furrow/kernels/reference.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::table::FURROW_TABLE_ISA {

inline const std::vector<Type> kAllTypes{kTypes.begin(), kTypes.end()};
inline const std::vector<Type> kWideTypes{Type::f32, Type::f64, Type::i32, Type::i64};
inline const std::vector<Type> kFloats{Type::f32, Type::f64};

/// What has the size of an index, or of a number of the other kind.
template <class T>
concept Wide = sizeof(T) >= 4;

/// The i-th of a fixed sequence of well-mixed numbers (splitmix64; Steele, Lea, Flood 2014).
inline std::uint64_t mixed(std::uint64_t i) {
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
    x.a<T>()[i] = positive ? static_cast<T>(std::abs(number<T>(3 * i))) : number<T>(3 * i);
    x.b<T>()[i] = number<T>(3 * i + 1);
    x.out<T>()[i] = number<T>(3 * i + 2);
  }
  std::array<std::uint64_t, sizeof(Operands::Result) / sizeof(std::uint64_t)> noise;
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = mixed(i);
  x.set_result(noise);
}

inline void random_inputs(Operands& x) {
  with_type(x.type(), [&](auto tag) { set_inputs<typename decltype(tag)::type>(x, false); });
}
inline void positive_inputs(Operands& x) {
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

// The rows of each family, one file each, appended in the order in which they are shown.
void add_elementwise(std::vector<Kernel>& rows);
void add_functions(std::vector<Kernel>& rows);
void add_reductions(std::vector<Kernel>& rows);
void add_loops(std::vector<Kernel>& rows);
void add_scans(std::vector<Kernel>& rows);
void add_order(std::vector<Kernel>& rows);
void add_random(std::vector<Kernel>& rows);
void add_irregular(std::vector<Kernel>& rows);
void add_flows(std::vector<Kernel>& rows);
void add_simulations(std::vector<Kernel>& rows);
void add_lattices(std::vector<Kernel>& rows);
void add_monte_carlo(std::vector<Kernel>& rows);

}  // namespace furrow::table::FURROW_TABLE_ISA
