#pragma once

#include <cstddef>

#include "furrow/kernels/conversions.hpp"

namespace furrow::conversions {

/// out[i] = in[i] for i in [0, n), converted as furrow::convert does.
using Kernel = void (*)(const void* in, void* out, std::size_t n);

/// That of the instruction set in use.
Kernel kernel(Type from, Type to);

}  // namespace furrow::conversions
