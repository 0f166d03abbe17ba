#include "furrow/kernels/adjacent_difference.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

constexpr auto weighted_difference = [](auto v, auto before) {
  return add(v, mul(static_cast<decltype(v)>(-s<decltype(v)>()), before));
};

}  // namespace

void add_scans(std::vector<Kernel>& rows) {
  rows.push_back(
      {.name = "inclusive_scan",
       .family = "scans",
       .formula = "out[i] = a[0] + … + a[i]",
       .types = kAllTypes,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { inclusive_scan(e, x.a<T>(), x.out<T>()); }>,
       .reference =
           reference<[]<class T>(Operands& x) { reference::running_sums<T>(x.a<T>(), x.out<T>(), static_cast<T>(-0.0), true); }>,
       .of_sums = true});
  rows.push_back(
      {.name = "exclusive_scan",
       .family = "scans",
       .formula = "out[i] = s + a[0] + … + a[i-1]",
       .types = kAllTypes,
       .reads = 1,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { exclusive_scan(e, x.a<T>(), x.out<T>(), s<T>()); }>,
       .reference = reference<[]<class T>(Operands& x) { reference::running_sums<T>(x.a<T>(), x.out<T>(), s<T>(), false); }>,
       .of_sums = true});
  rows.push_back(
      {.name = "adjacent_difference",
       .family = "scans",
       .formula = "out[i] = a[i] − s · a[i-1]",
       .types = kAllTypes,
       .reads = 1,
       .writes = 1,
       .flops = 2,
       .make_inputs = random_inputs,
       .run = run<[]<class T>(Engine& e, Operands& x) { adjacent_difference(e, x.a<T>(), x.out<T>(), weighted_difference); }>,
       .reference = reference<[]<class T>(Operands& x) {
         for (std::size_t i = 0; i < x.size(); ++i)
           x.out<T>()[i] = i == 0 ? x.a<T>()[0] : weighted_difference(x.a<T>()[i], x.a<T>()[i - 1]);
       }>});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
