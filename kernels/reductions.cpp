#include "furrow/kernels/reductions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/kernels.hpp"
#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

/// One partial per chunk, by partial(first element, number of elements), joined in the tree. Needs n >= 1.
template <class P, class Partial, class Join>
P reduce(Engine& engine, Cost& cost, std::size_t n, const Partial& partial, Join join) {
  return reductions::over_chunks<P>(
      engine, cost, Chunks(n, sizeof(double), kReductionChunk), [partial](Range part) { return partial(part.begin, part.size()); },
      join);
}

/// The first chunk that has the least element (or greatest), and where in it that element is first.
template <bool kLeast, NamedElement T>
Located<T> locate(Engine& engine, Cost& cost, std::span<const T> x) {
  const auto extreme = kLeast ? simd::kernels<T>().min : simd::kernels<T>().max;
  const Located<T> chunk = reduce<Located<T>>(
      engine, cost, x.size(),
      [extreme, x](std::size_t at, std::size_t n) {
        return Located<T>{extreme(x.data() + at, n), at};
      },
      join_located<kLeast, T>);
  const std::size_t size = std::min(kReductionChunk, x.size() - chunk.index);
  return {chunk.value, chunk.index + simd::reductions<T>().find(x.data() + chunk.index, chunk.value, size)};
}

}  // namespace

template <NamedElement T>
sum_t<T> sum(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("sum", type_code(type_of<T>), sizeof(T));
  if (x.empty()) return 0;
  const auto partial = simd::kernels<T>().sum;
  return reduce<sum_t<T>>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); },
      join_sums<sum_t<T>>);
}

template <NamedElement T>
sum_t<T> dot(Engine& engine, std::span<const T> x, std::span<const T> y) {
  static constinit Cost cost("dot", type_code(type_of<T>), 2 * sizeof(T));
  check::same_size("dot", x.size(), y.size());
  if (x.empty()) return 0;
  const auto partial = simd::kernels<T>().dot;
  return reduce<sum_t<T>>(
      engine, cost, x.size(), [partial, x, y](std::size_t at, std::size_t n) { return partial(x.data() + at, y.data() + at, n); },
      join_sums<sum_t<T>>);
}

template <NamedElement T>
T min(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("min", type_code(type_of<T>), sizeof(T));
  check::not_empty("min", x.size());
  const auto partial = simd::kernels<T>().min;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, lesser<T>);
}

template <NamedElement T>
T max(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("max", type_code(type_of<T>), sizeof(T));
  check::not_empty("max", x.size());
  const auto partial = simd::kernels<T>().max;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, greater<T>);
}

template <NamedElement T>
Extremes<T> minmax(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("minmax", type_code(type_of<T>), sizeof(T));
  check::not_empty("minmax", x.size());
  const auto least = simd::kernels<T>().min;
  const auto greatest = simd::kernels<T>().max;
  return reduce<Extremes<T>>(
      engine, cost, x.size(),
      [least, greatest, x](std::size_t at, std::size_t n) {
        constexpr std::size_t kBlock = 8192 / sizeof(T);  // read for the second time, it is still in the first-level cache
        const auto both = [least, greatest](const T* block, std::size_t size) {
          return Extremes<T>{least(block, size), greatest(block, size)};
        };
        Extremes<T> found = both(x.data() + at, std::min(n, kBlock));
        for (std::size_t i = kBlock; i < n; i += kBlock)
          found = join_extremes(found, both(x.data() + at + i, std::min(n - i, kBlock)));
        return found;
      },
      join_extremes<T>);
}

template <NamedElement T>
Located<T> locate_min(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("argmin", type_code(type_of<T>), sizeof(T));
  check::not_empty("argmin", x.size());
  return locate<true>(engine, cost, x);
}

template <NamedElement T>
Located<T> locate_max(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("argmax", type_code(type_of<T>), sizeof(T));
  check::not_empty("argmax", x.size());
  return locate<false>(engine, cost, x);
}

template <std::floating_point T>
T norm1(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("norm1", type_code(type_of<T>), sizeof(T));
  if (x.empty()) return 0;
  const auto partial = simd::kernels<T>().sum_of_magnitudes;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, join_sums<T>);
}

template <std::floating_point T>
T norm_inf(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("norm_inf", type_code(type_of<T>), sizeof(T));
  if (x.empty()) return 0;
  const auto partial = simd::reductions<T>().max_magnitude;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, greater<T>);
}

template <std::floating_point T>
bool squares_are_safe(T squares, std::size_t n) {
  // Each square that underflows is off by less than half the least denormal number, which so many of do not show in such a sum.
  using Limits = std::numeric_limits<T>;
  return squares >= static_cast<T>(n) * Limits::min() && squares <= Limits::max();
}

template <std::floating_point T>
T safe_scale(T largest) {
  return std::ldexp(T{1}, std::min(-std::ilogb(largest), std::numeric_limits<T>::max_exponent - 1));
}

template <std::floating_point T>
T scaled_squares(Engine& engine, std::span<const T> x, T scale) {
  static constinit Cost cost;
  if (x.empty()) return 0;
  const auto dot = simd::kernels<T>().dot;
  return reduce<T>(
      engine, cost, x.size(),
      [dot, x, scale](std::size_t at, std::size_t n) {
        std::array<T, kReductionChunk> scaled;
        for (std::size_t i = 0; i < n; ++i) scaled[i] = x[at + i] * scale;
        return dot(scaled.data(), scaled.data(), n);
      },
      join_sums<T>);
}

template <std::floating_point T>
T norm2(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("norm2", type_code(type_of<T>), sizeof(T));
  if (x.empty()) return 0;
  const auto dot = simd::kernels<T>().dot;
  const T squares = reduce<T>(
      engine, cost, x.size(), [dot, x](std::size_t at, std::size_t n) { return dot(x.data() + at, x.data() + at, n); },
      join_sums<T>);
  return norm_of_squares(engine, squares, x);
}

template <std::floating_point T>
T norm_of_squares(Engine& engine, T squares, std::span<const T> x) {
  if (squares_are_safe(squares, x.size())) return std::sqrt(squares);
  const T largest = norm_inf(engine, x);
  if (largest == 0 || !std::isfinite(largest)) return largest;
  const T scale = safe_scale(largest);
  return std::sqrt(scaled_squares(engine, x, scale)) / scale;
}

template <NamedElement T>
mean_sum_t<T> mean_sum(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("mean", type_code(type_of<T>), sizeof(T));
  using S = mean_sum_t<T>;
  if (x.empty()) return 0;
  if constexpr (sizeof(T) == 8 && std::is_integral_v<T>) {
    const auto half_sums = simd::block_reductions().half_sums;
    return reduce<S>(
        engine, cost, x.size(),
        [half_sums, x](std::size_t at, std::size_t size) {
          const auto [high, low] = half_sums(x.data() + at, size);
          return Wide{high} * (Wide{1} << 32) + low;
        },
        std::plus<S>());
  } else {
    const auto partial = [] {
      if constexpr (std::is_integral_v<T>)
        return simd::kernels<T>().sum;
      else
        return simd::kernels<T>().sum_of_doubles;
    }();
    return reduce<S>(
        engine, cost, x.size(), [partial, x](std::size_t at, std::size_t size) { return partial(x.data() + at, size); },
        join_sums<S>);
  }
}

template <NamedElement T>
double mean(Engine& engine, std::span<const T> x) {
  check::not_empty("mean", x.size());
  return static_cast<double>(mean_sum(engine, x)) / static_cast<double>(x.size());
}

#define FURROW_INSTANTIATE(T)                                             \
  template sum_t<T> sum(Engine&, std::span<const T>);                     \
  template sum_t<T> dot(Engine&, std::span<const T>, std::span<const T>); \
  template T min(Engine&, std::span<const T>);                            \
  template T max(Engine&, std::span<const T>);                            \
  template Extremes<T> minmax(Engine&, std::span<const T>);               \
  template Located<T> locate_min(Engine&, std::span<const T>);            \
  template Located<T> locate_max(Engine&, std::span<const T>);            \
  template double mean(Engine&, std::span<const T>);                      \
  template mean_sum_t<T> mean_sum(Engine&, std::span<const T>);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                                 \
  template T norm1(Engine&, std::span<const T>);              \
  template T norm2(Engine&, std::span<const T>);              \
  template T norm_of_squares(Engine&, T, std::span<const T>); \
  template T scaled_squares(Engine&, std::span<const T>, T);  \
  template bool squares_are_safe(T, std::size_t);             \
  template T safe_scale(T);                                   \
  template T norm_inf(Engine&, std::span<const T>);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
