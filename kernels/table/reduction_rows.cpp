#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {

void add_reductions(std::vector<Kernel>& rows) {
  rows.push_back({.name = "sum",
                  .family = "reductions",
                  .formula = "Σ a",
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
}

}  // namespace furrow::table::FURROW_TABLE_ISA
