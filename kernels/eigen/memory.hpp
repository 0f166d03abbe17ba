#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// Where the operands and the result of an expression lie, and whether it can be evaluated in any order.

namespace furrow::eigen {

/// A matrix in memory, with strides in bytes.
struct Memory {
  std::uintptr_t begin;
  std::ptrdiff_t element_bytes;
  std::array<std::ptrdiff_t, 2> extents;
  std::array<std::ptrdiff_t, 2> strides;

  Memory transposed() const { return {begin, element_bytes, {extents[1], extents[0]}, {strides[1], strides[0]}}; }
  /// The first byte and that behind the last.
  std::array<std::uintptr_t, 2> ends() const {
    std::array<std::uintptr_t, 2> bytes{begin, begin + static_cast<std::uintptr_t>(element_bytes)};
    for (const std::size_t axis : {0U, 1U}) {
      if (extents[axis] == 0) return {begin, begin};
      const std::ptrdiff_t reach = strides[axis] * (extents[axis] - 1);
      bytes[reach < 0 ? 0 : 1] += static_cast<std::uintptr_t>(reach);
    }
    return bytes;
  }
};

/// Whether element (i, j) of the one is element (i, j) of the other.
bool are_same(const Memory& a, const Memory& b);

/// Whether an element of the one has a byte of an element of the other, if their ends overlap; taken to be so where their strides
/// differ.
bool elements_meet(const Memory& a, const Memory& b);

[[noreturn]] void partial_overlap();
[[noreturn]] void wrong_shape(const char* call, const std::array<std::ptrdiff_t, 2>& has,
                              const std::array<std::ptrdiff_t, 2>& needs);

}  // namespace furrow::eigen
