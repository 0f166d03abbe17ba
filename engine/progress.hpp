#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

namespace furrow {

/// How far something long has come, told by those who do it and asked for by those who wait. From any thread.
class Progress {
 public:
  /// Is given the part that is done, from 0 to 1.
  using Callback = std::function<void(double)>;

  /// Keeps the latest number only.
  Progress() = default;
  /// Also calls `callback` with it, on the thread that reports: never twice at once, and not again before `at_most_every` has
  /// passed since it last returned. What comes too soon is left out, the last report too.
  explicit Progress(Callback callback, std::chrono::nanoseconds at_most_every = std::chrono::milliseconds(100))
      : callback_(std::move(callback)), interval_(at_most_every.count()) {}

  /// `done` of `total` is done. Costs a look at the clock if there is a callback; an exception of the callback passes through.
  void report(double done, double total = 1) {
    const double part = total > 0 ? done / total : 1;
    done_.store(part, std::memory_order_relaxed);
    if (!callback_) return;
    const std::int64_t now = nanoseconds();
    std::int64_t due = due_.load(std::memory_order_relaxed);
    if (now < due || !due_.compare_exchange_strong(due, kCalling, std::memory_order_acquire)) return;
    struct Return {  // also when it throws
      Progress& self;
      ~Return() { self.due_.store(nanoseconds() + self.interval_, std::memory_order_release); }
    };
    const Return at_the_end{*this};
    callback_(part);
  }

  /// The latest part reported, from 0 to 1; 0 before any.
  double done() const { return done_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kCalling = std::numeric_limits<std::int64_t>::max();
  static std::int64_t nanoseconds() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  Callback callback_;
  std::int64_t interval_ = 0;
  std::atomic<std::int64_t> due_{0};
  std::atomic<double> done_{0};
};

}  // namespace furrow
