#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {

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
}

}  // namespace furrow::table::FURROW_TABLE_ISA
