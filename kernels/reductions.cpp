#include "furrow/kernels/reductions.hpp"

#include <string>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/simd.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::named {
namespace {

/// One partial per chunk, by partial(first element, number of elements), joined in the tree. Needs n >= 1.
template <class P, class Partial, class Join>
P reduce(Engine& engine, Cost& cost, std::size_t n, const Partial& partial, Join join) {
  return reductions::over_chunks<P>(
      engine, cost, Chunks(n, sizeof(double), kReductionChunk), [partial](Range part) { return partial(part.begin, part.size()); },
      join);
}

template <NamedElement T>
void not_empty(const char* call, std::span<const T> x) {
  if (x.empty()) fail(std::string(call) + ": an empty range has none; check for empty() first");
}

}  // namespace

template <NamedElement T>
sum_t<T> sum(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("sum", type_code(type_of<T>));
  if (x.empty()) return 0;
  const auto partial = simd::kernels<T>().sum;
  return reduce<sum_t<T>>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); },
      join_sums<sum_t<T>>);
}

template <NamedElement T>
sum_t<T> dot(Engine& engine, std::span<const T> x, std::span<const T> y) {
  static constinit Cost cost("dot", type_code(type_of<T>));
  check::same_size("dot", x.size(), y.size());
  if (x.empty()) return 0;
  const auto partial = simd::kernels<T>().dot;
  return reduce<sum_t<T>>(
      engine, cost, x.size(), [partial, x, y](std::size_t at, std::size_t n) { return partial(x.data() + at, y.data() + at, n); },
      join_sums<sum_t<T>>);
}

template <NamedElement T>
T min(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("min", type_code(type_of<T>));
  not_empty("min", x);
  const auto partial = simd::kernels<T>().min;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, lesser<T>);
}

template <NamedElement T>
T max(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("max", type_code(type_of<T>));
  not_empty("max", x);
  const auto partial = simd::kernels<T>().max;
  return reduce<T>(
      engine, cost, x.size(), [partial, x](std::size_t at, std::size_t n) { return partial(x.data() + at, n); }, greater<T>);
}

#define FURROW_INSTANTIATE(T)                                             \
  template sum_t<T> sum(Engine&, std::span<const T>);                     \
  template sum_t<T> dot(Engine&, std::span<const T>, std::span<const T>); \
  template T min(Engine&, std::span<const T>);                            \
  template T max(Engine&, std::span<const T>);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
