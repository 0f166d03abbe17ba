#include "furrow/engine/graph/times.hpp"

#include <algorithm>
#include <array>

namespace furrow {

GraphTimes& GraphTimes::of(std::uint64_t key) {
  static constinit std::array<GraphTimes, 256> all;
  GraphTimes& times = all[key % all.size()];
  if (times.key_.load(std::memory_order_relaxed) != key) times.begin(key);
  return times;
}

void GraphTimes::begin(std::uint64_t key) {
  // Threads that come here at once may mix their times up, which costs one of them a wrong guess.
  runs_.store(0, std::memory_order_relaxed);
  alone_.store(0, std::memory_order_relaxed);
  together_.store(0, std::memory_order_relaxed);
  key_.store(key, std::memory_order_relaxed);
}

float GraphTimes::patience_alone(std::size_t threads) {
  constexpr unsigned kFirst = 2;   // runs on all threads: the first finds cold caches and threads asleep
  constexpr unsigned kEvery = 64;  // the slower way is tried again, if it is near
  constexpr float kNear = 2;
  constexpr float kLongest = 2e6F;  // ns that one thread may take in a trial
  constexpr float kPatience = 4;    // times as long as expected: then this one is of another kind after all
  const unsigned run = runs_.fetch_add(1, std::memory_order_relaxed);
  const float alone = alone_.load(std::memory_order_relaxed);
  const float together = together_.load(std::memory_order_relaxed);
  if (run < kFirst || together == 0 || together * static_cast<float>(threads) > kLongest) return 0;
  const bool again = run % kEvery == 0 && std::max(alone, together) < kNear * std::min(alone, together);
  return alone == 0 || (alone < together) != again ? kPatience * std::max(alone, together) : 0;
}

void GraphTimes::add(bool alone, float nanoseconds) {
  constexpr float kForget = 1.05F;  // the least there was lately: what disturbs a run only adds to it
  std::atomic<float>& time = alone ? alone_ : together_;
  const float before = time.load(std::memory_order_relaxed);
  time.store(before == 0 ? nanoseconds : std::min(nanoseconds, before * kForget), std::memory_order_relaxed);
}

}  // namespace furrow
