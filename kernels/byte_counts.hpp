#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/engine/engine.hpp"

namespace furrow::named {

/// How often each byte stands in `x`. 1 read.
std::array<std::size_t, 256> byte_counts(Engine& engine, Cost& cost, std::span<const std::uint8_t> x);

}  // namespace furrow::named
