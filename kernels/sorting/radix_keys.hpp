#pragma once

#include <bit>
#include <cstdint>

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/sorting.hpp"

namespace furrow::sorting {

// What a sort works on: keys alone, or keys that carry four or eight bytes.

template <class U>
struct KeyOnly {
  U key;
};
template <class U>
struct Pair {
  U key;
  U value;
};

/// Integers of any signedness as keys, and back.
template <class U>
struct IntegerOrder {
  explicit IntegerOrder(const Keys& keys)
      : flip(static_cast<U>((keys.kind == Kind::signed_integer ? U{1} << (8 * sizeof(U) - 1) : U{0}) ^
                            (keys.descending ? static_cast<U>(~U{0}) : U{0}))) {}

  U key(U bits) const { return bits ^ flip; }
  U bits(U key) const { return key ^ flip; }

  U flip;
};

/// IEEE numbers as keys, and back: −∞ is 0, and what their total order puts before −∞, the NaNs with a sign, wraps to the end.
template <class U>
struct FloatOrder {
  static constexpr U kSign = U{1} << (8 * sizeof(U) - 1);
  static constexpr U kInfinity = sizeof(U) == 4 ? U{0x7F800000} : static_cast<U>(0x7FF0000000000000);
  static constexpr U kLeast = static_cast<U>(~(kSign | kInfinity));

  explicit FloatOrder(const Keys& keys) : flip(keys.descending ? ~U{0} : U{0}) {}

  U key(U bits) const { return ((bits ^ ((U{0} - (bits >> (8 * sizeof(U) - 1))) | kSign)) - kLeast) ^ flip; }
  U bits(U key) const {
    const U total = (key ^ flip) + kLeast;
    return total ^ (((total >> (8 * sizeof(U) - 1)) - U{1}) | kSign);
  }

  U flip;
};

/// How many bits it takes to write x.
inline int bits_of(std::uint64_t x) {
  return static_cast<int>(std::bit_width(x));
}

}  // namespace furrow::sorting
