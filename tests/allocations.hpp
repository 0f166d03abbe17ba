#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

// Replaces operator new in the program that includes it, which one of its files may do.

namespace furrow::support {

/// Allocations so far.
inline std::atomic<std::size_t> allocations{0};

/// The one with this number, counted from 0, fails, and it alone.
inline constexpr std::size_t kNone = SIZE_MAX;
inline std::atomic<std::size_t> failing_allocation{kNone};

inline void* allocate(std::size_t bytes) {
  if (allocations.fetch_add(1) == failing_allocation.load(std::memory_order_relaxed)) throw std::bad_alloc();
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace furrow::support

// Not inline, or GCC sees a delete of what malloc() gave.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return furrow::support::allocate(bytes);
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) {
  return furrow::support::allocate(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
