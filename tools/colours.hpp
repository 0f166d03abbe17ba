#pragma once

#include <array>
#include <cstdint>

namespace furrow::tools {

using Rgb = std::array<std::uint8_t, 3>;

/// What values from least (0) to greatest (255) are shown as: from near black through purple and orange to pale yellow, in equal
/// steps of lightness as people see it, so that equal differences look equal, also in print without colours and to the
/// colour-blind. Computed in Oklab (Ottosson 2020): lightness rises in a straight line, the hue turns, and the chroma is what sRGB
/// allows.
const std::array<Rgb, 256>& colours();

}  // namespace furrow::tools
