#include "furrow/engine/fork_join.hpp"

#include <algorithm>
#include <chrono>

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
  return static_cast<float>(median > 0 ? std::max(double{median}, least) : kMargin * least);
}

ForkJoin::Way ForkJoin::Calls::weighed(double saved, double least) {
  constexpr double kFar = 8;           // times what is expected: no disturbance that lasts costs so much
  constexpr unsigned kWonEvery = 4;    // the clock costs a few hundredths of such a call
  constexpr unsigned kLostEvery = 64;  // it is slower on threads, but this may have changed
  const double cost = expected(least);
  if (saved > kFar * cost) return Way::threads;
  const unsigned close = close_.load(std::memory_order_relaxed) + 1;
  close_.store(close, std::memory_order_relaxed);  // calls from other threads may be lost count of
  const bool won = saved > cost;
  if (close % (won ? kWonEvery : kLostEvery) == 0) return Way::timed;
  return won ? Way::threads : Way::alone;
}

void ForkJoin::Calls::add(double nanoseconds, double least) {
  // By steps towards it, whose size does not depend on how far away it is: a call that was interrupted moves it no more than
  // others.
  constexpr float kStep = 1.15F;
  const float median = expected(least);
  median_.store(nanoseconds > double{median} ? median * kStep : median / kStep, std::memory_order_relaxed);
}

}  // namespace furrow
