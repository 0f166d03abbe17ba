#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/ranges.hpp"

// Questions to truth values, as comparisons write them: 0 is false, everything else true. Elements behind one that decides the
// answer are looked at for a few thousand more at most.

namespace furrow {

/// A range of truth values: std::uint8_t or bool.
template <class R>
concept MaskRange = RangeOf<R, std::uint8_t> || RangeOf<R, bool>;

namespace named {

bool any(Engine& engine, std::span<const std::uint8_t> mask);
bool all(Engine& engine, std::span<const std::uint8_t> mask);

template <MaskRange Mask>
std::span<const std::uint8_t> bytes(Mask&& mask) {
  static_assert(sizeof(bool) == 1);
  const auto values = as_span(mask);
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size()};
}

}  // namespace named

/// Whether any element is true; false if empty. 1 read of a byte.
template <MaskRange Mask>
bool any(Engine& engine, Mask&& mask) {
  return named::any(engine, named::bytes(mask));
}

/// Whether all elements are true; true if empty. 1 read of a byte.
template <MaskRange Mask>
bool all(Engine& engine, Mask&& mask) {
  return named::all(engine, named::bytes(mask));
}

/// Whether no element is true; true if empty. 1 read of a byte.
template <MaskRange Mask>
bool none(Engine& engine, Mask&& mask) {
  return !named::any(engine, named::bytes(mask));
}

}  // namespace furrow
