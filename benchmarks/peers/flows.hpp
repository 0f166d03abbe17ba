#pragma once

#include <bit>

#include "benchmarks/peers/formulas.hpp"
#include "furrow/engine/memory.hpp"

// Kernels one after the other over the same arrays, and steps in time, as loops that end before the next begins.

namespace furrow::bench {
namespace {

/// The eight loops of `chain`.
template <int k>
struct Link {
  static constexpr int inputs = 2;
  static constexpr bool only_fractions = true;
  template <class T>
  static T at(const T& a, const T& b, const T& out, const T& s) {
    if constexpr (k == 0) return a * b;
    if constexpr (k == 1) return s * a + out;
    if constexpr (k == 2) return std::abs(out);
    if constexpr (k == 3) return std::sqrt(out);
    if constexpr (k == 4) return out - b;
    if constexpr (k == 5) return std::max(out, a);
    if constexpr (k == 6) return out + s * b;
    if constexpr (k == 7) return std::clamp(out, T{-1}, T{1});
  }
};

inline double result_of(const table::Operands& operands) {
  double result;
  std::memcpy(&result, operands.result().data(), sizeof(result));
  return result;
}

template <class Each, class Reduce>
void chain(table::Operands& operands, int threads) {
  [&]<int... k>(std::integer_sequence<int, k...>) {
    (Each::template run<Link<k>>(operands, threads), ...);
  }
  (std::make_integer_sequence<int, 8>());
  Reduce::template run<Sum, true>(operands, threads);
  const double total = result_of(operands);
  Reduce::template run<Dot, true>(operands, threads);
  operands.set_result(total + result_of(operands));
}

/// A step of one row of `heat`.
inline void heat_row(std::size_t width, const double* from, double* to, std::size_t i) {
  const double* const up = from + (i - 1) * width;
  const double* const here = up + width;
  const double* const down = here + width;
  double* const out = to + i * width;
#pragma GCC ivdep
  for (std::size_t j = 1; j + 1 < width; ++j)
    out[j] = here[j] + 0.125 * ((up[j] + down[j]) + (here[j - 1] + here[j + 1]) - 4 * here[j]);
}

/// The steps of `heat`: rows(height, row) calls row(i) for all rows but the outermost, on all threads.
template <class Rows>
void heat(table::Operands& operands, const Rows& rows) {
  constexpr std::size_t kSteps = 16;
  with_arrays<true>(operands, [&]<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<T, double>) {
      const std::size_t width = std::max<std::size_t>(1, std::bit_floor(x.n) >> std::bit_width(x.n) / 2);
      const std::size_t height = x.n / width;
      if (width < 3 || height < 3) {
        std::copy_n(x.a, x.n, x.out);
        return;
      }
      const Scratch<double> scratch(x.n);
      for (double* const to : {x.out, scratch.data()}) {
        for (const std::size_t row : {std::size_t{0}, height - 1}) std::copy_n(x.a + row * width, width, to + row * width);
        for (std::size_t row = 0; row < height; ++row)
          for (const std::size_t i : {row * width, (row + 1) * width - 1}) to[i] = x.a[i];
        std::copy(x.a + width * height, x.a + x.n, to + width * height);
      }
      const double* from = x.a;
      for (std::size_t step = 0; step < kSteps; ++step) {
        double* const to = step % 2 == 0 ? scratch.data() : x.out;
        rows(height, [width, from, to](std::size_t i) { heat_row(width, from, to, i); });
        from = to;
      }
    }
  });
}

}  // namespace
}  // namespace furrow::bench
