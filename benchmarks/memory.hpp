#pragma once

#include <cstddef>

namespace furrow::bench {

/// Bytes of memory that can be had without swapping; the largest number where the system does not say.
std::size_t available_memory();

}  // namespace furrow::bench
