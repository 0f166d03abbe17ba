#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"

// The named reductions of elements that are computed as they are asked for, in blocks that stay in the first-level cache. Each
// gives the bits of the function of the same name for a range of these elements; `cost` is what the library learns of computing
// them.

namespace furrow::named {

/// write(state, begin, count, to) computes elements [begin, begin + count), on several threads at once.
template <class T>
struct Computed {
  std::size_t size;
  const void* state;
  void (*write)(const void* state, std::size_t begin, std::size_t count, T* to);
};

/// sum(state, begin, end) is what sum() would make of elements [begin, end), which are those of one chunk.
template <std::floating_point T>
struct ComputedSums {
  std::size_t size;
  const void* state;
  T (*sum)(const void* state, std::size_t begin, std::size_t end);
};

template <std::floating_point T>
T sum(Engine& engine, Cost& cost, const ComputedSums<T>& x);
template <std::integral T>
std::int64_t sum(Engine& engine, Cost& cost, const Computed<T>& x);
template <std::integral T>
std::int64_t dot(Engine& engine, Cost& cost, const Computed<T>& x, const Computed<T>& y);
template <NamedElement T>
T min(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
T max(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
Extremes<T> minmax(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
std::size_t argmin(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
std::size_t argmax(Engine& engine, Cost& cost, const Computed<T>& x);
template <std::floating_point T>
T norm_inf(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
double mean(Engine& engine, Cost& cost, const Computed<T>& x);
template <NamedElement T>
double variance(Engine& engine, Cost& cost, const Computed<T>& x);
bool any(Engine& engine, Cost& cost, const Computed<bool>& x);
bool all(Engine& engine, Cost& cost, const Computed<bool>& x);
std::size_t count(Engine& engine, Cost& cost, const Computed<bool>& x);

}  // namespace furrow::named
