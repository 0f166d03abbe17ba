#include "furrow/kernels/masks.hpp"

#include <algorithm>
#include <atomic>

#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

constexpr std::size_t kShortest = 4096;
/// Bytes between looks at whether another thread knows the answer.
constexpr std::size_t kStep = 8192;

/// Whether found(x, n) of any part.
bool search(Engine& engine, Cost& cost, std::span<const std::uint8_t> x, bool (*found)(const std::uint8_t*, std::size_t)) {
  const Chunks chunks(x.size(), 1, kShortest);
  std::atomic<bool> yes{false};
  engine.over_chunks(chunks, cost, [chunks, x, found, &yes](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    for (std::size_t i = part.begin; i < part.end && !yes.load(std::memory_order_relaxed); i += kStep)
      if (found(x.data() + i, std::min(part.end - i, kStep))) yes.store(true, std::memory_order_relaxed);
  });
  return yes;
}

}  // namespace

bool any(Engine& engine, std::span<const std::uint8_t> mask) {
  static constinit Cost cost("any", "u8");
  return search(engine, cost, mask, simd::block_reductions().any_true);
}

bool all(Engine& engine, std::span<const std::uint8_t> mask) {
  static constinit Cost cost("all", "u8");
  return !search(engine, cost, mask, simd::block_reductions().any_false);
}

}  // namespace furrow::named
