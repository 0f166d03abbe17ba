#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/kernels/reductions.hpp"

namespace furrow::simd {

/// The lanes in which sums are accumulated, on every machine: 256 bytes, which is 4 registers of AVX-512 or 8 of AVX2.
template <class T>
inline constexpr std::size_t kLanes = 256 / sizeof(T);
/// Rows of kLanes elements that are added up before they join the running total; two short sums round less than one long one.
inline constexpr std::size_t kRows = 16;

/// Elements whose running sums are made at once, by a network of additions.
inline constexpr std::size_t kScanned = 8;

/// The SIMD code for one element type and one instruction set.
template <class T>
struct Kernels {
  /// Of n >= 1 elements.
  sum_t<T> (*sum)(const T* x, std::size_t n);
  sum_t<T> (*dot)(const T* x, const T* y, std::size_t n);
  /// Null for integers: the sum in double, and Σ|x[i]|.
  double (*sum_of_doubles)(const T* x, std::size_t n);
  T (*sum_of_magnitudes)(const T* x, std::size_t n);
  T (*min)(const T* x, std::size_t n);
  T (*max)(const T* x, std::size_t n);
  /// Running sums of a part of a chunk that begins at a multiple of kScanned, inclusive or exclusive, from `before` on; returns
  /// what comes before the next part. `out` may be `x`.
  using Scan = T (*)(const T* x, T* out, T before, std::size_t n);
  Scan inclusive_sums;
  Scan exclusive_sums;
};

/// Those of the instruction set in use.
template <NamedElement T>
const Kernels<T>& kernels();

/// Copies whole lines of 64 bytes past the cache; `to` begins at one. stream_fence() must follow.
void stream_lines(unsigned char* to, const unsigned char* from, std::size_t bytes);

}  // namespace furrow::simd
