#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace furrow::bench {

/// How a candidate's answer stands to the reference of the kernel table.
enum class Bits {
  unknown,  ///< it was not looked at, as in files of older runs
  same,     ///< bit for bit
  differs,  ///< within what reordered and contracted operations can do to it
  varies,   ///< a reduction that differs, and from one run to the next
};

inline constexpr std::array<std::string_view, 4> kBitsNames{"", "same bits", "bits differ", "bits vary"};

/// What the JSON file says of it.
inline std::string_view name_of(Bits bits) {
  return kBitsNames[static_cast<std::size_t>(bits)];
}

/// unknown for any other name.
inline Bits bits_named(std::string_view name) {
  const auto* const found = std::ranges::find(kBitsNames, name);
  return found == kBitsNames.end() ? Bits::unknown : static_cast<Bits>(found - kBitsNames.begin());
}

/// Of two answers together: the one further from the reference; unknown only if both are.
inline Bits worse(Bits a, Bits b) {
  return std::max(a, b);
}

}  // namespace furrow::bench
