#include <algorithm>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/quantile.hpp"
#include "furrow/kernels/selection.hpp"
#include "furrow/kernels/sorting.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

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
  with_type(x.type(), [&]<class T>(TypeTag<T>) {
    if constexpr (Wide<T>) {
      const auto b = as_indices(x.b<T>());
      for (std::size_t i = 0; i < b.size(); ++i) {
        const std::size_t j = mixed(i) % (i + 1);
        b[i] = b[j];
        b[j] = static_cast<Index<T>>(i);
      }
    }
  });
}

/// The rows of a matrix of n elements that is as square as n allows.
std::size_t matrix_rows(std::size_t n) {
  auto rows = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
  while (rows > 1 && n % rows != 0) --rows;
  return rows > 0 ? rows : 1;
}

/// Whether v comes before w in the default order: −0 before +0, NaN behind all numbers.
constexpr auto comes_before = []<class T>(T v, T w) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(v) || std::isnan(w)) return !std::isnan(v) && std::isnan(w);
    if (v == w) return std::signbit(v) && !std::signbit(w);
  }
  return v < w;
};
constexpr auto not_s = [](auto v) { return v != s<decltype(v)>(); };
constexpr auto positive = [](auto v) { return v > 0; };
constexpr auto by_falling_square = [](auto v, auto w) { return mul(v, v) > mul(w, w); };

}  // namespace

void add_order(std::vector<Kernel>& rows) {
  rows.push_back({.name = "sort",
                  .family = "order",
                  .formula = "out = a in order",
                  .types = kAllTypes,
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
                    std::sort(x.out<T>().begin(), x.out<T>().end(), comes_before);
                  }>});
  rows.push_back({.name = "stable_sort",
                  .family = "order",
                  .formula = "out = a by falling a²",
                  .types = kAllTypes,
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
                  }>,
                  .specials = Special::numbers});
  rows.push_back({.name = "argsort",
                  .family = "order",
                  .formula = "a[out[i]] in order",
                  .types = kWideTypes,
                  .reads = 1,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<Wide T>(Engine& e, Operands& x) { argsort(e, x.a<T>(), as_indices(x.out<T>())); }>,
                  .reference = reference<[]<Wide T>(Operands& x) {
                    const auto out = as_indices(x.out<T>());
                    for (std::size_t i = 0; i < x.size(); ++i) out[i] = static_cast<Index<T>>(i);
                    std::stable_sort(out.begin(), out.end(), [a = x.a<T>()](auto i, auto j) { return comes_before(a[i], a[j]); });
                  }>});
  rows.push_back({.name = "nth_element",
                  .family = "order",
                  .formula = "out = a about its median",
                  .types = kAllTypes,
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
                    if (x.size() < 2 || std::is_sorted(out.begin(), out.end(), comes_before)) return;
                    std::sort(out.begin(), out.end(), comes_before);
                    const T median = out[x.size() / 2];
                    std::copy_n(x.a<T>().data(), x.size(), out.data());
                    std::stable_partition(out.begin(), out.end(), [=](T v) { return !comes_before(median, v); });
                    std::stable_partition(out.begin(), out.end(), [=](T v) { return comes_before(v, median); });
                  }>});
  rows.push_back({.name = "quantile",
                  .family = "order",
                  .formula = "what three tenths of a are less than",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(quantile(e, x.a<T>(), 0.3));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() == 0) return;
                    std::vector<T> ordered(x.a<T>().begin(), x.a<T>().end());
                    std::ranges::sort(ordered, comes_before);
                    if (ordered.back() != ordered.back()) return x.set_result(std::numeric_limits<double>::quiet_NaN());
                    const double place = 0.3 * static_cast<double>(ordered.size() - 1);
                    const auto below = static_cast<std::size_t>(place);
                    const auto a = static_cast<double>(ordered[below]);
                    if (place == static_cast<double>(below)) return x.set_result(a);
                    const auto b = static_cast<double>(ordered[below + 1]);
                    const double share = place - static_cast<double>(below);
                    x.set_result(share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share));
                  }>});
  rows.push_back({.name = "copy_if",
                  .family = "order",
                  .formula = "out = those a > 0",
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
  rows.push_back({.name = "all_of",
                  .family = "order",
                  .formula = "whether all a ≠ s",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) { x.set_result(std::size_t{all_of(e, x.a<T>(), not_s)}); }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    std::size_t all_are = 1;
                    for (const T v : x.a<T>()) all_are &= not_s(v) ? 1U : 0U;
                    x.set_result(all_are);
                  }>});
  rows.push_back({.name = "unique",
                  .family = "order",
                  .formula = "out = the first of each run of a of one sign",
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
                  .types = kWideTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = permuted_inputs,
                  .run = run<[]<Wide T>(Engine& e, Operands& x) { gather(e, x.a<T>(), as_indices(x.b<T>()), x.out<T>()); }>,
                  .reference = reference<[]<Wide T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = x.a<T>()[as_indices(x.b<T>())[i]];
                  }>,
                  .specials = Special::none});
  rows.push_back({.name = "scatter",
                  .family = "order",
                  .formula = "out[b[i]] = a[i]",
                  .types = kWideTypes,
                  .reads = 2,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = permuted_inputs,
                  .run = run<[]<Wide T>(Engine& e, Operands& x) { scatter(e, x.a<T>(), as_indices(x.b<T>()), x.out<T>()); }>,
                  .reference = reference<[]<Wide T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[as_indices(x.b<T>())[i]] = x.a<T>()[i];
                  }>,
                  .specials = Special::none});
  rows.push_back({.name = "reverse",
                  .family = "order",
                  .formula = "out[i] = a[n - 1 - i]",
                  .types = kAllTypes,
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
                  .types = kAllTypes,
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
}

}  // namespace furrow::table::FURROW_TABLE_ISA
