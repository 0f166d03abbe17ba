#pragma once

#include <cstdint>

#include "furrow/kernels/types.hpp"

/// DO(T) for each element type: for the explicit instantiation of what named kernels are made of.
#define FURROW_FOR_EACH_ELEMENT_TYPE(DO) DO(float) DO(double) DO(std::int32_t) DO(std::int64_t) DO(std::uint8_t)
