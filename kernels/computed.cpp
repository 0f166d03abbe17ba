#include "furrow/kernels/computed.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/kernels.hpp"
#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

/// Elements of a block.
constexpr std::size_t kBlock = 1024;

/// partial(elements, how many, index of the first) of blocks, joined in the tree. Needs at least one element.
template <std::size_t kSize, class P, class T, class Partial, class Join>
P reduce(Engine& engine, Cost& cost, const Computed<T>& x, const Partial& partial, Join join) {
  static_assert(kReductionChunk % kSize == 0);
  return reductions::over_chunks<P>(
      engine, cost, Chunks(x.size, sizeof(double), kReductionChunk),
      [x, &partial, &join](Range part) {
        std::array<P, kReductionChunk / kSize> partials{};
        std::size_t blocks = 0;
        alignas(64) std::array<T, kSize> elements;
        for (std::size_t begin = part.begin; begin < part.end; begin += kSize) {
          const std::size_t size = std::min(kSize, part.end - begin);
          x.write(x.state, begin, size, elements.data());
          partials[blocks++] = partial(elements.data(), size, begin);
        }
        reductions::combine(std::span(partials).first(blocks), join);
        return partials[0];
      },
      join);
}

template <bool kLeast, NamedElement T>
std::size_t locate(Engine& engine, Cost& cost, const Computed<T>& x) {
  const auto extreme = kLeast ? simd::kernels<T>().min : simd::kernels<T>().max;
  const Located<T> block = reduce<kBlock, Located<T>>(
      engine, cost, x,
      [extreme](const T* elements, std::size_t size, std::size_t begin) {
        return Located<T>{extreme(elements, size), begin};
      },
      join_located<kLeast, T>);
  std::array<T, kBlock> elements;
  const std::size_t size = std::min(kBlock, x.size - block.index);
  x.write(x.state, block.index, size, elements.data());
  return block.index + simd::reductions<T>().find(elements.data(), block.value, size);
}

/// A bool is a byte.
const std::uint8_t* bytes(const bool* x) {
  static_assert(sizeof(bool) == 1);
  return reinterpret_cast<const std::uint8_t*>(x);
}

/// Truth values between looks at whether another thread knows the answer.
constexpr std::size_t kStep = 4096;

/// Whether found(x, n) of any part.
bool search(Engine& engine, Cost& cost, const Computed<bool>& x, bool (*found)(const std::uint8_t*, std::size_t)) {
  const Chunks chunks(x.size, sizeof(double), kStep);
  std::atomic<bool> yes{false};
  engine.over_chunks(chunks, cost, [chunks, x, found, &yes](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    std::array<bool, kStep> elements;
    for (std::size_t begin = part.begin; begin < part.end && !yes.load(std::memory_order_relaxed); begin += kStep) {
      const std::size_t size = std::min(part.end - begin, kStep);
      x.write(x.state, begin, size, elements.data());
      if (found(bytes(elements.data()), size)) yes.store(true, std::memory_order_relaxed);
    }
  });
  return yes;
}

}  // namespace

template <std::floating_point T>
T sum(Engine& engine, Cost& cost, const ComputedSums<T>& x) {
  if (x.size == 0) return 0;
  return reductions::over_chunks<T>(
      engine, cost, Chunks(x.size, sizeof(double), kReductionChunk),
      [x](Range part) { return x.sum(x.state, part.begin, part.end); }, join_sums<T>);
}

template <std::integral T>
std::int64_t sum(Engine& engine, Cost& cost, const Computed<T>& x) {
  if (x.size == 0) return 0;
  const auto partial = simd::kernels<T>().sum;
  return reduce<kBlock, std::int64_t>(
      engine, cost, x, [partial](const T* elements, std::size_t size, std::size_t) { return partial(elements, size); },
      join_sums<std::int64_t>);
}

template <std::integral T>
std::int64_t dot(Engine& engine, Cost& cost, const Computed<T>& x, const Computed<T>& y) {
  check::same_size("dot", x.size, y.size);
  if (x.size == 0) return 0;
  const auto partial = simd::kernels<T>().dot;
  return reduce<kBlock, std::int64_t>(
      engine, cost, x,
      [partial, y](const T* elements, std::size_t size, std::size_t begin) {
        alignas(64) std::array<T, kBlock> others;
        y.write(y.state, begin, size, others.data());
        return partial(elements, others.data(), size);
      },
      join_sums<std::int64_t>);
}

template <NamedElement T>
T min(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("min", x.size);
  const auto partial = simd::kernels<T>().min;
  return reduce<kBlock, T>(
      engine, cost, x, [partial](const T* elements, std::size_t size, std::size_t) { return partial(elements, size); }, lesser<T>);
}

template <NamedElement T>
T max(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("max", x.size);
  const auto partial = simd::kernels<T>().max;
  return reduce<kBlock, T>(
      engine, cost, x, [partial](const T* elements, std::size_t size, std::size_t) { return partial(elements, size); }, greater<T>);
}

template <NamedElement T>
Extremes<T> minmax(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("minmax", x.size);
  const auto least = simd::kernels<T>().min;
  const auto greatest = simd::kernels<T>().max;
  return reduce<kBlock, Extremes<T>>(
      engine, cost, x,
      [least, greatest](const T* elements, std::size_t size, std::size_t) {
        return Extremes<T>{least(elements, size), greatest(elements, size)};
      },
      join_extremes<T>);
}

template <NamedElement T>
std::size_t argmin(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("argmin", x.size);
  return locate<true>(engine, cost, x);
}

template <NamedElement T>
std::size_t argmax(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("argmax", x.size);
  return locate<false>(engine, cost, x);
}

template <std::floating_point T>
T norm_inf(Engine& engine, Cost& cost, const Computed<T>& x) {
  if (x.size == 0) return 0;
  const auto partial = simd::reductions<T>().max_magnitude;
  return reduce<kBlock, T>(
      engine, cost, x, [partial](const T* elements, std::size_t size, std::size_t) { return partial(elements, size); }, greater<T>);
}

template <NamedElement T>
double mean(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("mean", x.size);
  using S = mean_sum_t<T>;
  constexpr std::size_t kSize = std::floating_point<T> ? kReductionChunk : kBlock;  // whether the order matters
  const S sum = reduce<kSize, S>(
      engine, cost, x,
      [](const T* elements, std::size_t size, std::size_t) -> S {
        if constexpr (std::floating_point<T>) {
          return simd::kernels<T>().sum_of_doubles(elements, size);
        } else if constexpr (sizeof(T) == 8) {
          const auto [high, low] = simd::block_reductions().half_sums(elements, size);
          return Wide{high} * (Wide{1} << 32) + low;
        } else {
          return simd::kernels<T>().sum(elements, size);
        }
      },
      std::plus<S>());
  return static_cast<double>(sum) / static_cast<double>(x.size);
}

bool any(Engine& engine, Cost& cost, const Computed<bool>& x) {
  return search(engine, cost, x, simd::block_reductions().any_true);
}

bool all(Engine& engine, Cost& cost, const Computed<bool>& x) {
  return !search(engine, cost, x, simd::block_reductions().any_false);
}

std::size_t count(Engine& engine, Cost& cost, const Computed<bool>& x) {
  if (x.size == 0) return 0;
  const auto partial = simd::kernels<std::uint8_t>().sum;
  return static_cast<std::size_t>(reduce<kStep, std::int64_t>(
      engine, cost, x, [partial](const bool* elements, std::size_t size, std::size_t) { return partial(bytes(elements), size); },
      std::plus<std::int64_t>()));
}

#define FURROW_INSTANTIATE(T)                                      \
  template T min(Engine&, Cost&, const Computed<T>&);              \
  template T max(Engine&, Cost&, const Computed<T>&);              \
  template Extremes<T> minmax(Engine&, Cost&, const Computed<T>&); \
  template std::size_t argmin(Engine&, Cost&, const Computed<T>&); \
  template std::size_t argmax(Engine&, Cost&, const Computed<T>&); \
  template double mean(Engine&, Cost&, const Computed<T>&);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                             \
  template T sum(Engine&, Cost&, const ComputedSums<T>&); \
  template T norm_inf(Engine&, Cost&, const Computed<T>&);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                                    \
  template std::int64_t sum(Engine&, Cost&, const Computed<T>&); \
  template std::int64_t dot(Engine&, Cost&, const Computed<T>&, const Computed<T>&);
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
FURROW_INSTANTIATE(std::uint8_t)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
