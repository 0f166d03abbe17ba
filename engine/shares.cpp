#include "furrow/engine/shares.hpp"

#include <algorithm>
#include <limits>

namespace furrow {

Shares::Shares(std::size_t tasks, int workers)
    : tasks_(tasks),
      workers_(static_cast<std::size_t>(workers)),
      unit_(tasks / std::numeric_limits<std::uint32_t>::max() + 1),
      shares_(std::make_unique<Share[]>(workers_)) {
  const std::size_t units = (tasks - 1) / unit_ + 1;
  const auto begin = [&](std::size_t worker) {
    return static_cast<std::uint32_t>(worker * (units / workers_) + std::min(worker, units % workers_));
  };
  for (std::size_t worker = 0; worker < workers_; ++worker)
    shares_[worker].left.store(pack({begin(worker), begin(worker + 1)}), std::memory_order_relaxed);
}

void Shares::work(std::size_t worker, TaskRef body) {
  do {
    for (Part part = claim(worker); part.size() > 0; part = claim(worker))
      for (std::size_t task = part.begin * unit_; task < std::min(tasks_, part.end * unit_); ++task) body(task);
  } while (take_over(worker));
}

/// The next of the worker's own: a few at a time while there are many.
Shares::Part Shares::claim(std::size_t worker) {
  constexpr std::uint32_t kOfThoseLeft = 16;
  std::atomic<std::uint64_t>& own = shares_[worker].left;
  std::uint64_t seen = own.load(std::memory_order_relaxed);
  for (;;) {
    const Part left = unpack(seen);
    if (left.size() == 0) return left;
    const std::uint32_t until = left.begin + std::max(1U, left.size() / kOfThoseLeft);
    if (own.compare_exchange_weak(seen, pack({until, left.end}), std::memory_order_relaxed)) return {left.begin, until};
  }
}

/// Makes the farther half of what the next worker has left this one's own; false if nobody has any.
bool Shares::take_over(std::size_t worker) {
  for (std::size_t step = 1; step < workers_; ++step) {
    std::atomic<std::uint64_t>& other = shares_[(worker + step) % workers_].left;
    std::uint64_t seen = other.load(std::memory_order_relaxed);
    for (Part left = unpack(seen); left.size() > 0; left = unpack(seen)) {
      const std::uint32_t middle = left.begin + left.size() / 2;
      if (!other.compare_exchange_weak(seen, pack({left.begin, middle}), std::memory_order_relaxed)) continue;
      shares_[worker].left.store(pack({middle, left.end}), std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace furrow
