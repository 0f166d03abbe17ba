#include "furrow/engine/memory.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace furrow {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kLine = 64;

constexpr bool is_large(std::size_t bytes) {
  return bytes >= 2 * kHugePage;
}

}  // namespace

std::size_t array_bytes(std::size_t elements, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(elements, size, &bytes) || bytes > SIZE_MAX / 2) throw std::bad_alloc();
  return bytes;
}

void* allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  static std::atomic<unsigned> arrays{0};
  // Steps of five lines, twelve of them to a page: arrays made one after the other differ by 320 bytes modulo a page.
  const std::size_t shift = bytes >= kPage ? arrays.fetch_add(1, std::memory_order_relaxed) % 12 * 5 * kLine : 0;
  const std::size_t alignment = is_large(bytes) ? kHugePage : kPage;
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  // Small arrays get not a byte more than they need, so that AddressSanitizer sees writes behind them; large ones whole huge pages.
  const std::size_t room = is_large(bytes) ? (bytes + shift + alignment - 1) / alignment * alignment : bytes + shift;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, room) != 0) throw std::bad_alloc();
  if (is_large(bytes)) madvise(memory, room, MADV_HUGEPAGE);  // advice: where it is refused, small pages serve
  return static_cast<char*>(memory) + shift;
}

void deallocate(void* memory) noexcept {
  if (memory == nullptr) return;
  // The shift is less than a page and the block began at a page.
  std::free(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(memory) & ~std::uintptr_t{kPage - 1}));
}

void* allocate_scratch(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  void* memory = nullptr;
  // Not to a page where it is small: with what it leaves before an aligned page, glibc maps such memory anew each time.
  if (posix_memalign(&memory, is_large(bytes) ? kHugePage : kLine, bytes) != 0) throw std::bad_alloc();
  if (is_large(bytes)) madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void deallocate_scratch(void* memory) noexcept {
  std::free(memory);
}

}  // namespace furrow
