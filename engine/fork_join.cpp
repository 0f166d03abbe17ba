#include "furrow/engine/fork_join.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;

float nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<float, std::nano>(Clock::now() - start).count();
}

}  // namespace

double ForkJoin::measure() {
  constexpr int kCalls = 15;
  constexpr int kFewest = 5;           // one alone may have met another program
  constexpr float kBudget = 300'000;   // ns; more threads than cores make each call slow
  constexpr float kPatience = 10'000;  // ns; a runtime whose threads sleep so deep will not have them at work sooner
  const auto threads = static_cast<std::size_t>(backend_.concurrency());
  if (backend_.bulk(threads, [](std::size_t) {}).inlined) return 0;  // in a parallel region: nothing to learn, nothing to pay
  float least = 0;
  const Clock::time_point start = Clock::now();
  for (int call = 0; call < kCalls && (call < kFewest || nanoseconds_since(start) < kBudget); ++call) {
    // Tasks wait for each other, or the caller would have done all of them before another thread could wake up.
    std::atomic<std::size_t> begun{0};
    const Clock::time_point before = Clock::now();
    backend_.bulk(threads, [&](std::size_t) {
      begun.fetch_add(1, std::memory_order_relaxed);
      while (begun.load(std::memory_order_relaxed) < threads && nanoseconds_since(before) < kPatience) {
      }
    });
    const float time = nanoseconds_since(before);
    least = call == 0 ? time : std::min(least, time);
  }
  least_.store(least, std::memory_order_relaxed);
  return least;
}

float ForkJoin::Calls::expected(double least) const {
  const float median = median_.load(std::memory_order_relaxed);
  return static_cast<float>(median > 0 ? std::max(double{median}, least / 2) : kMargin * least);
}

void ForkJoin::Calls::begin(std::uint64_t key) {
  median_.store(0, std::memory_order_relaxed);
  trend_.store(0, std::memory_order_relaxed);
  until_.store(kFirst, std::memory_order_relaxed);
  woken_.store(0, std::memory_order_relaxed);
  rarity_.store(kLost, std::memory_order_relaxed);
  key_.store(key, std::memory_order_relaxed);
}

ForkJoin::Way ForkJoin::Calls::weighed(double saved, double least) {
  const float until = until_.load(std::memory_order_relaxed);
  if (until < 1) return Way::timed;
  until_.store(until - 1, std::memory_order_relaxed);  // calls from other threads may be lost count of
  return saved > double{expected(least)} ? Way::threads : Way::alone;
}

void ForkJoin::Calls::add(double nanoseconds, double saved, double least) {
  constexpr float kWonEvery = 4;  // the clock costs a few hundredths of such a call
  constexpr int kRarest = 64;
  constexpr float kMost = 1 << 23;  // calls, which a float counts one by one
  const auto next_in = [this](double calls) { until_.store(static_cast<float>(calls), std::memory_order_relaxed); };

  // Threads that had nothing to do may be asleep, and those just woken share a core until the system notices, some milliseconds.
  // What they cost from then on is another matter: the next call says.
  const float woken = woken_.load(std::memory_order_relaxed);
  if (woken == 0 && saved <= double{expected(least)}) {
    woken_.store(static_cast<float>(std::max(nanoseconds, 1.0)), std::memory_order_relaxed);
    return next_in(0);
  }
  woken_.store(0, std::memory_order_relaxed);
  learn(nanoseconds, least);
  if (saved > double{expected(least)}) {
    rarity_.store(kLost, std::memory_order_relaxed);
    return next_in(nanoseconds > saved ? 0 : kWonEvery - 1);
  }
  const int rarity = rarity_.load(std::memory_order_relaxed);
  next_in(std::min<double>(kMost, rarity * std::max(1.0, (woken + nanoseconds) / saved)));
  rarity_.store(std::min(2 * rarity, kRarest), std::memory_order_relaxed);
}

/// Moves the median towards what was measured, by steps whose size does not depend on how far away it is, but on how many in a row
/// went the same way: a call or two that were interrupted move it no more than others.
void ForkJoin::Calls::learn(double nanoseconds, double least) {
  constexpr float kStep = 1.15F;
  constexpr int kFew = 2;
  constexpr int kMany = 7;
  const float median = expected(least);
  const int before = trend_.load(std::memory_order_relaxed);
  const int trend =
      nanoseconds > double{median} ? std::min(std::max(before, 0) + 1, kMany) : std::max(std::min(before, 0) - 1, -kMany);
  const int steps = std::max(std::abs(trend) - kFew, 1);
  trend_.store(trend, std::memory_order_relaxed);
  median_.store(median * std::pow(kStep, static_cast<float>(trend > 0 ? steps : -steps)), std::memory_order_relaxed);
}

}  // namespace furrow
