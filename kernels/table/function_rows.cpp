#include <utility>

#include "furrow/kernels/math.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

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
          }>,
          .fuses = true};
}
template <class F, auto& names, std::size_t... f>
void add_all(std::vector<Kernel>& rows, std::index_sequence<f...>) {
  (rows.push_back(function_row<static_cast<F>(f), names>()), ...);
}

}  // namespace

void add_functions(std::vector<Kernel>& rows) {
  add_all<named::Unary, named::kUnaryNames>(rows, std::make_index_sequence<named::kUnaryNames.size()>());
  add_all<named::Binary, named::kBinaryNames>(rows, std::make_index_sequence<named::kBinaryNames.size()>());
}

}  // namespace furrow::table::FURROW_TABLE_ISA
