#include "furrow/engine/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace furrow {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kLine = 64;

constexpr bool is_large(std::size_t bytes) {
  return bytes >= 2 * kHugePage;
}

/// Whether scratch of so many bytes is kept here rather than by the C library, under whose care AddressSanitizer sees what is
/// written beside it.
constexpr bool is_kept(std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  return bytes == SIZE_MAX;
#else
  return is_large(bytes);
#endif
}

constexpr std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

struct Block {
  void* memory = nullptr;
  std::size_t bytes = 0;
};

/// An eighth of the machine's memory.
std::size_t most_kept() {
  static const std::size_t bytes =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 8;
  return bytes;
}

/// Large scratch that was given back, the latest first. Nobody waits for the lock: it may stay held for ever in a fork()'s child.
class Kept {
 public:
  /// A block of at least so many bytes, and not too many more; null if there is none.
  void* take(std::size_t bytes) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return nullptr;
    for (Block& block : blocks_)
      if (block.bytes >= bytes && block.bytes / 2 <= bytes) return cut(std::exchange(block, {}), bytes);
    return nullptr;
  }

  void give_back(const Block& block) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    // From now on the system may take the pages; what is written to them first stays.
    if (!lock || madvise(block.memory, block.bytes, MADV_FREE) != 0) return unmap(block);
    const auto place = std::find_if(blocks_.begin(), blocks_.end() - 1, [](const Block& one) { return one.bytes == 0; });
    unmap(*place);
    std::move_backward(blocks_.begin(), place, place + 1);
    blocks_.front() = block;
    std::size_t bytes = 0;
    for (Block& one : blocks_)
      if ((bytes += one.bytes) > most_kept()) unmap(std::exchange(one, {}));
  }

  void clear() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    for (Block& block : blocks_) unmap(std::exchange(block, {}));
  }

 private:
  static void unmap(const Block& block) {
    if (block.bytes > 0) munmap(block.memory, block.bytes);
  }
  /// Its first bytes; the rest goes.
  static void* cut(const Block& block, std::size_t bytes) {
    unmap({static_cast<char*>(block.memory) + bytes, block.bytes - bytes});
    return block.memory;
  }

  std::mutex mutex_;
  std::array<Block, 4> blocks_{};
};
constinit Kept kept;

/// New memory in whole huge pages. Throws std::bad_alloc.
void* map(std::size_t bytes) {
  const auto reserve = [&] { return mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
  void* memory = reserve();
  if (memory == MAP_FAILED) {
    kept.clear();
    memory = reserve();
  }
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(memory) % kHugePage;
  char* const begin = static_cast<char*>(memory) + before;
  if (before > 0) munmap(memory, before);
  munmap(begin + bytes, kHugePage - before);
  madvise(begin, bytes, MADV_HUGEPAGE);
  return begin;
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
  if (is_kept(bytes)) {
    void* const memory = kept.take(whole_pages(bytes));
    return memory != nullptr ? memory : map(whole_pages(bytes));
  }
  void* memory = nullptr;
  // Not to a page where it is small: with what it leaves before an aligned page, glibc maps such memory anew each time.
  if (posix_memalign(&memory, kLine, bytes) != 0) throw std::bad_alloc();
  return memory;
}

void deallocate_scratch(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  is_kept(bytes) ? kept.give_back({memory, whole_pages(bytes)}) : std::free(memory);
}

}  // namespace furrow
