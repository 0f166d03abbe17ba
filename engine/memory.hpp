#pragma once

#include <cstddef>

namespace furrow {

/// Memory for arrays: `bytes` bytes, aligned to 64, in huge pages when large; not touched yet. Throws std::bad_alloc. 0 bytes give
/// a null pointer. Large arrays begin at different places within their first page: the same element of two arrays at equal
/// distances from a 4 KiB boundary would make processors take a store for a dependency of the next load.
void* allocate(std::size_t bytes);

/// Gives back what allocate() returned.
void deallocate(void* memory) noexcept;

/// elements * size, or throws std::bad_alloc if that overflows.
std::size_t array_bytes(std::size_t elements, std::size_t size);

}  // namespace furrow
