#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

/// Addition that is defined for all integers, as the operation of the generic kernels.
struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return reference::add(a, b);
  }
};

}  // namespace
}  // namespace furrow::table::FURROW_TABLE_ISA

template <class T>
inline constexpr bool furrow::commutes<furrow::table::FURROW_TABLE_ISA::Add, T> = std::is_arithmetic_v<T>;

namespace furrow::table::FURROW_TABLE_ISA {

void add_loops(std::vector<Kernel>& rows) {
  rows.push_back({.name = "for_each",
                  .family = "loops",
                  .formula = "out = s · out",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { for_each(e, x.out<T>(), [](T& v) { v = mul(s<T>(), v); }); }>,
                  .reference = element_by_element<[](auto, auto, auto out) { return mul(s<decltype(out)>(), out); }>});
  rows.push_back({.name = "for_each_index",
                  .family = "loops",
                  .formula = "out[i] = a[i] + b[i]",
                  .types = kAllTypes,
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
       .types = kAllTypes,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { transform(e, x.a<T>(), x.out<T>(), [](T v) { return mul(v, v); }); }>,
       .reference = element_by_element<[](auto a, auto, auto) { return mul(a, a); }>});
  rows.push_back({.name = "transform2",
                  .family = "loops",
                  .formula = "out = f(a, b), f(v, w) = v · w + v",
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
}

}  // namespace furrow::table::FURROW_TABLE_ISA
