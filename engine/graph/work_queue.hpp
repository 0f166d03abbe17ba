#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace furrow {

/// What a worker has found to do: it takes the latest itself, others may take the oldest. Holds a fixed number of items in its
/// lifetime between two calls of clear(). (Chase and Lev 2005, with the memory order of Lê, Pop, Cohen and Zappa Nardelli 2013.)
class alignas(64) WorkQueue {
 public:
  using Item = std::uint32_t;

  /// For so many items in all.
  explicit WorkQueue(std::size_t items) : items_(std::make_unique_for_overwrite<Item[]>(items)) {}

  /// Only while nobody else looks.
  void clear() {
    oldest_.store(0, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
  }

  /// By the owner only.
  void put(Item item) {
    const std::ptrdiff_t next = next_.load(std::memory_order_relaxed);
    at(next).store(item, std::memory_order_relaxed);
    next_.store(next + 1, std::memory_order_release);
  }

  /// The latest, by the owner only.
  std::optional<Item> take() {
    const std::ptrdiff_t last = next_.load(std::memory_order_relaxed) - 1;
    if (oldest_.load(std::memory_order_relaxed) > last) return std::nullopt;
    next_.store(last, std::memory_order_seq_cst);
    std::ptrdiff_t oldest = oldest_.load(std::memory_order_seq_cst);
    if (oldest < last) return at(last).load(std::memory_order_relaxed);
    // Of the only one left, who is first decides.
    const bool first = oldest == last && oldest_.compare_exchange_strong(oldest, oldest + 1, std::memory_order_seq_cst);
    next_.store(last + 1, std::memory_order_relaxed);
    if (!first) return std::nullopt;
    return at(last).load(std::memory_order_relaxed);
  }

  /// The oldest, by anybody. May find none although there is one, if others are at it.
  std::optional<Item> steal() {
    std::ptrdiff_t oldest = oldest_.load(std::memory_order_seq_cst);
    if (oldest >= next_.load(std::memory_order_seq_cst)) return std::nullopt;
    const Item item = at(oldest).load(std::memory_order_relaxed);
    if (!oldest_.compare_exchange_strong(oldest, oldest + 1, std::memory_order_seq_cst)) return std::nullopt;
    return item;
  }

 private:
  std::atomic_ref<Item> at(std::ptrdiff_t place) { return std::atomic_ref(items_[static_cast<std::size_t>(place)]); }

  std::unique_ptr<Item[]> items_;  // not written to before it is used: a run needs few of them at once
  alignas(64) std::atomic<std::ptrdiff_t> oldest_{0};
  alignas(64) std::atomic<std::ptrdiff_t> next_{0};
};

}  // namespace furrow
