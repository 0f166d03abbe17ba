#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "furrow/kernels/comparisons.hpp"
#include "furrow/kernels/elementwise.hpp"

namespace furrow::elementwise {

/// Elements in the shortest chunk: 8 KiB of them take less than handing them to a second thread.
template <class T>
inline constexpr std::size_t kShortest = 8192 / sizeof(T);

/// The SIMD code of element-wise kernels for one element type and one instruction set: out[i] from the i-th elements of the inputs,
/// for i in [0, n), by exact operations, so that neither lanes nor alignment nor instruction set can change a bit. `stream`: past
/// the cache. `out` may be an input of elements of its size.
template <class T>
struct Kernels {
  /// Operands that the operation does not have are not looked at.
  using Map = void (*)(const T* a, const T* b, T* out, T s, std::size_t n, bool stream);
  using Compare = void (*)(const T* a, const T* b, std::uint8_t* out, std::size_t n);

  std::array<Map, named::kOpNames.size()> map;
  std::array<Compare, named::kComparisonNames.size()> compare;
  void (*clamp)(const T* a, T low, T high, T* out, std::size_t n, bool stream);
  void (*fma)(const T* a, const T* b, const T* c, T* out, std::size_t n, bool stream);  ///< null for integers
  void (*where)(const std::uint8_t* condition, const T* a, const T* b, T* out, std::size_t n, bool stream);
};

using Tables = PerType<Kernels>;

/// Those of the instruction set in use.
template <NamedElement T>
const Kernels<T>& kernels();

}  // namespace furrow::elementwise
