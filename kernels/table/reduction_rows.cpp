#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "furrow/kernels/axis_reductions.hpp"
#include "furrow/kernels/exact.hpp"
#include "furrow/kernels/histogram.hpp"
#include "furrow/kernels/masks.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

constexpr std::size_t kBins = 256;
constexpr double kLow = -0.9;  // of what lies in [-1, 1)
constexpr double kHigh = 0.8;

/// A number of [-1, 1) as what has its place among all numbers that `a` has.
template <class T>
constexpr double of_range(double part) {
  if constexpr (std::is_floating_point_v<T>) return part;
  constexpr double kHalf = static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
  return std::is_signed_v<T> ? part * 2 * kHalf : (part + 1) * kHalf;
}

/// Counts as few numbers, in which each of them shows.
std::array<std::size_t, 8> digest(std::span<const std::size_t> counts) {
  std::array<std::size_t, 8> sums{};
  for (std::size_t k = 0; k < counts.size(); ++k) sums[k % 8] += counts[k] * (k + 1);
  return sums;
}

/// In a whole numbers below kBins.
void few_integers(Operands& x) {
  random_inputs(x);
  with_type(x.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < x.size(); ++i) x.a<T>()[i] = static_cast<T>(mixed(3 * i) % kBins);
  });
}

/// Bytes of which none is 0.
void true_bytes(Operands& x) {
  random_inputs(x);
  for (std::uint8_t& v : x.a<std::uint8_t>()) v |= 1;
}

/// A matrix of a power of two of columns, about as many as rows, without what is left of n.
template <class T>
View<const T, 2> matrix_of(Operands& x) {
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(x.size())));
  const std::size_t width = std::bit_floor(root);
  return View<const T, 2>::row_major(x.a<T>().data(), {width == 0 ? 0 : x.size() / width, width});
}

/// A row of a reduction along an axis of it, which leaves each line's sum in `out` and the sum of all as the result.
template <std::size_t axis>
Kernel axis_row(std::string_view name, std::string_view formula) {
  return {.name = name,
          .family = "reductions",
          .formula = formula,
          .types = {Type::f32, Type::f64, Type::i64},
          .reads = 1,
          .writes = 0,
          .flops = 1,
          .make_inputs = random_inputs,
          .run = run<[]<class T>(Engine& e, Operands& x) {
            if constexpr (std::is_same_v<sum_t<T>, T>) {
              const View<const T, 2> matrix = matrix_of<T>(x);
              const auto sums = x.out<T>().first(matrix.extent(1 - axis));
              sum(e, matrix, Axis{axis}, sums);
              x.set_result(sum(e, sums));
            }
          }>,
          .reference = reference<[]<class T>(Operands& x) {
            if constexpr (std::is_same_v<sum_t<T>, T>) {
              const View<const T, 2> matrix = matrix_of<T>(x);
              const auto sums = x.out<T>().first(matrix.extent(1 - axis));
              for (std::size_t line = 0; line < sums.size(); ++line)
                sums[line] = reference::named_sum<T>(matrix.extent(axis),
                                                     [&](std::size_t i) { return axis == 0 ? matrix(i, line) : matrix(line, i); });
              x.set_result(sums.empty() ? T{0} : reference::named_sum<T>(sums.size(), [&](std::size_t i) { return sums[i]; }));
            }
          }>};
}

}  // namespace

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
  rows.push_back({.name = "minmax",
                  .family = "reductions",
                  .formula = "min a and max a",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(minmax(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0)
                      x.set_result((Extremes<T>{reference::extreme<T>(x.a<T>(), true), reference::extreme<T>(x.a<T>(), false)}));
                  }>});
  rows.push_back({.name = "argmin",
                  .family = "reductions",
                  .formula = "where min a is",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(argmin(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::locate<T>(x.a<T>(), true));
                  }>});
  rows.push_back({.name = "argmax",
                  .family = "reductions",
                  .formula = "where max a is",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(argmax(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::locate<T>(x.a<T>(), false));
                  }>});
  rows.push_back({.name = "norm1",
                  .family = "reductions",
                  .formula = "Σ |a|",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(norm1(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    if (x.size() != 0)
                      x.set_result(reference::named_sum<T>(x.size(), [a = x.a<T>()](std::size_t i) { return std::abs(a[i]); }));
                  }>});
  rows.push_back({.name = "norm2",
                  .family = "reductions",
                  .formula = "√Σ a²",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(norm2(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    if (x.size() != 0)
                      x.set_result(
                          std::sqrt(reference::named_sum<T>(x.size(), [a = x.a<T>()](std::size_t i) { return a[i] * a[i]; })));
                  }>,
                  .specials = Special::none});
  rows.push_back({.name = "norm_inf",
                  .family = "reductions",
                  .formula = "max |a|",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(norm_inf(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    if (x.size() != 0)
                      x.set_result(std::max(reference::extreme<T>(x.a<T>(), false), -reference::extreme<T>(x.a<T>(), true)));
                  }>});
  rows.push_back({.name = "mean",
                  .family = "reductions",
                  .formula = "Σ a / n",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(mean(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::mean<T>(x.a<T>()));
                  }>});
  rows.push_back({.name = "variance",
                  .family = "reductions",
                  .formula = "Σ (a - mean)² / n",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 4,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(variance(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::moments<T>(x.a<T>()).variance);
                  }>,
                  .specials = Special::finite});
  rows.push_back({.name = "moments",
                  .family = "reductions",
                  .formula = "count, mean, variance, skew, kurtosis, min and max of a",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 11,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    if (x.size() != 0) x.set_result(moments(e, x.a<T>()));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    if (x.size() != 0) x.set_result(reference::moments<T>(x.a<T>()));
                  }>,
                  .specials = Special::finite});
  rows.push_back({.name = "exact_sum",
                  .family = "reductions",
                  .formula = "Σ a, rounded once",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 0,
                  .flops = 16,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { x.set_result(sum(e, x.a<T>(), exact)); }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    x.set_result(reference::exact_sum<T>({x.a<T>().begin(), x.a<T>().end()}));
                  }>,
                  .specials = Special::finite});
  rows.push_back(
      {.name = "exact_dot",
       .family = "reductions",
       .formula = "Σ a · b, rounded once",
       .types = kFloats,
       .reads = 2,
       .writes = 0,
       .flops = 34,
       .make_inputs = random_inputs,
       .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { x.set_result(dot(e, x.a<T>(), x.b<T>(), exact)); }>,
       .reference =
           reference<[]<std::floating_point T>(Operands& x) { x.set_result(reference::exact_dot<T>(x.a<T>(), x.b<T>())); }>,
       .specials = Special::none});
  rows.push_back({.name = "histogram",
                  .family = "reductions",
                  .formula = "how many a in each of 256 bins",
                  .types = kAllTypes,
                  .reads = 1,
                  .writes = 0,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<class T>(Engine& e, Operands& x) {
                    x.set_result(digest(histogram(e, x.a<T>(), kBins, of_range<T>(kLow), of_range<T>(kHigh))));
                  }>,
                  .reference = reference<[]<class T>(Operands& x) {
                    const auto low = of_range<T>(kLow);
                    const auto high = of_range<T>(kHigh);
                    std::array<double, kBins> begins;
                    for (std::size_t k = 0; k < kBins; ++k)
                      begins[k] = low + static_cast<double>(k) * ((high - low) / static_cast<double>(kBins));
                    std::array<std::size_t, kBins> counts{};
                    for (const T v : x.a<T>())
                      if (const auto d = static_cast<double>(v); d >= low && d <= high)
                        ++counts[static_cast<std::size_t>(std::ranges::upper_bound(begins, d) - begins.begin()) - 1];
                    x.set_result(digest(counts));
                  }>});
  rows.push_back({.name = "bincount",
                  .family = "reductions",
                  .formula = "how many a are 0, 1, … 255",
                  .types = {Type::i32, Type::i64, Type::u8},
                  .reads = 1,
                  .writes = 0,
                  .flops = 0,
                  .make_inputs = few_integers,
                  .run = run<[]<std::integral T>(Engine& e, Operands& x) {
                    std::array<std::size_t, kBins> counts;
                    bincount(e, x.a<T>(), counts);
                    x.set_result(digest(counts));
                  }>,
                  .reference = reference<[]<std::integral T>(Operands& x) {
                    std::array<std::size_t, kBins> counts{};
                    for (const T v : x.a<T>()) ++counts[static_cast<std::size_t>(v)];
                    x.set_result(digest(counts));
                  }>,
                  .specials = Special::none});
  rows.push_back({.name = "all",
                  .family = "reductions",
                  .formula = "whether no a is 0",
                  .types = {Type::u8},
                  .reads = 1,
                  .writes = 0,
                  .flops = 0,
                  .make_inputs = true_bytes,
                  .run = [](Engine& e, Operands& x) { x.set_result(std::size_t{all(e, x.a<std::uint8_t>())}); },
                  .reference =
                      [](Operands& x) {
                        std::size_t zeros = 0;
                        for (const std::uint8_t v : x.a<std::uint8_t>()) zeros += v == 0 ? 1 : 0;
                        x.set_result(std::size_t{zeros == 0});
                      }});
  rows.push_back(axis_row<0>("sum_axis0", "the sum of each column of a"));
  rows.push_back(axis_row<1>("sum_axis1", "the sum of each row of a"));
}

}  // namespace furrow::table::FURROW_TABLE_ISA
