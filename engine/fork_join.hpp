#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "furrow/engine/backend.hpp"

namespace furrow {

/// What it costs to hand a call to an engine's threads and to wait for them. The least of it is measured once. What it comes to is
/// another matter: threads may have fallen asleep, two of them may share a core for a while, data may lie in another core's cache.
/// So the time that short calls take is looked at now and then, for each kernel and class of sizes. It decides how a call runs,
/// never what it computes.
class ForkJoin {
 public:
  explicit ForkJoin(Backend& backend) : backend_(backend) {}

  /// How many times the least a fork and join is taken to cost before more is known: threads are rarely as wide awake.
  static constexpr double kMargin = 1.5;

  /// Nanoseconds: the least of a few, since whatever else the machine does only adds to it. Measured when first asked for; 0 inside
  /// a parallel region.
  double least() {
    const float known = least_.load(std::memory_order_relaxed);
    return known > 0 ? known : measure();
  }

  /// How a call should run.
  enum class Way {
    alone,
    threads,
    timed,  ///< on threads, and add() is to be told what that cost
  };

  /// Calls of one kernel over about as many elements.
  class Calls {
   public:
    /// Of a call of which threads save so many nanoseconds. `least` may have been measured while they were slow, so that half of it
    /// is what they cost at least.
    Way way(double saved, double least) { return saved <= least / 2 ? Way::alone : weighed(saved, least); }
    /// That it cost so many.
    void add(double nanoseconds, double saved, double least);

    /// Whose they are; 0: nobody's yet.
    bool are_of(std::uint64_t key) const { return key_.load(std::memory_order_relaxed) == key; }
    /// Forgets whose calls they were; from now on they are another's.
    void begin(std::uint64_t key);

   private:
    Way weighed(double saved, double least);
    void learn(double nanoseconds, double least);
    float expected(double least) const;

    static constexpr float kFirst = 7;
    static constexpr int kLost = 8;  // tries of threads that are slower may take so small a part of the time, and ever less

    std::atomic<std::uint64_t> key_{0};
    std::atomic<float> median_{0};      ///< nanoseconds, lately; 0: not known
    std::atomic<int> trend_{0};         ///< how many in a row were above it, or, negative, below
    std::atomic<float> until_{kFirst};  ///< calls until the next that is timed
    std::atomic<int> rarity_{kLost};    ///< the part of the time that the next tries may take
    std::atomic<float> woken_{0};       ///< nanoseconds that waking the threads took, which are being tried
  };

  /// Those of a kernel, known by the place of something that it has, over about n elements. There is room for as many as most
  /// programs need; where it is full, the latest stay. (Fibonacci hashing and linear probing; Knuth, TAOCP 6.4.)
  Calls& calls(const void* kernel, std::size_t n) {
    constexpr std::size_t kTries = 4;
    const std::uint64_t key = reinterpret_cast<std::uintptr_t>(kernel) + static_cast<unsigned>(std::bit_width(n));
    const std::size_t first = key * 0x9E3779B97F4A7C15U >> (64 - kBits);
    for (std::size_t next = first; next < first + kTries; ++next) {
      Calls& found = calls_[next % calls_.size()];
      if (found.are_of(key)) return found;
      if (!found.are_of(0)) continue;
      found.begin(key);
      return found;
    }
    calls_[first].begin(key);
    return calls_[first];
  }

 private:
  static constexpr int kBits = 9;

  double measure();

  Backend& backend_;
  std::atomic<float> least_{0};
  std::array<Calls, std::size_t{1} << kBits> calls_;
};

}  // namespace furrow
