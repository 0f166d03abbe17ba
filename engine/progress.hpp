#pragma once

#include <atomic>
#include <utility>

#include "furrow/engine/duration.hpp"
#include "furrow/engine/function.hpp"

namespace furrow {

/// How far something long has come, told by those who do it and asked for by those who wait. From any thread.
class Progress {
 public:
  /// Is given the part that is done, from 0 to 1. Any callable void(double), or nullptr.
  using Callback = Function<void(double)>;

  /// Keeps the latest number only.
  Progress() = default;
  /// Also calls `callback` with it, on the thread that reports: never twice at once, and not again before `at_most_every` has
  /// passed since it last returned. What comes too soon is left out, the last report too.
  explicit Progress(Callback callback, Duration at_most_every = Duration(0.1))
      : callback_(std::move(callback)), interval_(at_most_every) {}

  /// `done` of `total` is done. Costs a look at the clock if there is a callback; an exception of the callback passes through.
  void report(double done, double total = 1) {
    const double part = total > 0 ? done / total : 1;
    done_.store(part, std::memory_order_relaxed);
    if (callback_) call(part);
  }

  /// The latest part reported, from 0 to 1; 0 before any.
  double done() const { return done_.load(std::memory_order_relaxed); }

 private:
  void call(double part);

  Callback callback_;
  Duration interval_{0};
  std::atomic<double> due_{0};  ///< when it may be called next, in seconds on the steady clock
  std::atomic<double> done_{0};
};

}  // namespace furrow
