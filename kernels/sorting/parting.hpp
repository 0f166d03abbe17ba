#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/kernels/sorting/radix_keys.hpp"

namespace furrow::sorting {

/// How the bits of a type become keys: what IntegerOrder and FloatOrder do, as numbers, for code that knows neither.
template <class U>
struct KeyRule {
  explicit KeyRule(const IntegerOrder<U>& order) : flip(order.flip) {}
  explicit KeyRule(const FloatOrder<U>& order)
      : sign_mask(static_cast<U>(~U{0})), sign(FloatOrder<U>::kSign), least(FloatOrder<U>::kLeast), flip(order.flip) {}

  U key(U bits) const {
    const U negative = static_cast<U>(U{0} - (bits >> (8 * sizeof(U) - 1)));
    return static_cast<U>(((bits ^ ((negative & sign_mask) | sign)) - least) ^ flip);
  }

  U sign_mask = 0;
  U sign = 0;
  U least = 0;
  U flip;
};

/// How many keys are less than a range of keys, and how many are in it.
struct Parted {
  std::size_t below = 0;
  std::size_t within = 0;
};

/// Where to put them, each with room for all; nullptr if they are not wanted.
template <class U>
struct PartsOut {
  U* below;
  U* within;
  U* above;
};

/// Parts x[0, n) by their keys in those below [least, greatest], those within, and those above; in order. In SIMD code chosen at
/// run time. What lies behind the elements written, up to the n-th, is overwritten.
Parted part_by_keys(const std::uint8_t* x, std::size_t n, const KeyRule<std::uint8_t>& rule, std::uint8_t least,
                    std::uint8_t greatest, const PartsOut<std::uint8_t>& out);
Parted part_by_keys(const std::uint16_t* x, std::size_t n, const KeyRule<std::uint16_t>& rule, std::uint16_t least,
                    std::uint16_t greatest, const PartsOut<std::uint16_t>& out);
Parted part_by_keys(const std::uint32_t* x, std::size_t n, const KeyRule<std::uint32_t>& rule, std::uint32_t least,
                    std::uint32_t greatest, const PartsOut<std::uint32_t>& out);
Parted part_by_keys(const std::uint64_t* x, std::size_t n, const KeyRule<std::uint64_t>& rule, std::uint64_t least,
                    std::uint64_t greatest, const PartsOut<std::uint64_t>& out);

}  // namespace furrow::sorting
