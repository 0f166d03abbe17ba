#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "tools/console.hpp"

namespace furrow::tools {

/// Calls body(worker, range) for consecutive ranges of `window` elements (the last may be shorter) that make up [0, elements), each
/// once, in any order, possibly at once. A worker is what one thread needs, buffers above all: there are as many as threads, made
/// beforehand by make(), and no two calls share one at a time. So memory stays the same however many elements there are. Throws
/// Cancelled after a signal.
template <class Make, class Body>
void over_windows(Engine& engine, std::size_t elements, std::size_t window, const Make& make, const Body& body) {
  using Worker = decltype(make());
  const std::size_t windows = elements / window + (elements % window != 0);
  std::mutex mutex;
  std::vector<std::unique_ptr<Worker>> idle;
  while (idle.size() < std::min(windows, static_cast<std::size_t>(engine.concurrency())))
    idle.push_back(std::make_unique<Worker>(make()));

  /// An idle worker, given back at the end of the task, also if that throws.
  struct Lease {
    std::mutex& mutex;
    std::vector<std::unique_ptr<Worker>>& idle;
    std::unique_ptr<Worker> worker;

    Lease(std::mutex& m, std::vector<std::unique_ptr<Worker>>& all) : mutex(m), idle(all) {
      const std::lock_guard lock(mutex);
      worker = std::move(idle.back());
      idle.pop_back();
    }
    ~Lease() {
      const std::lock_guard lock(mutex);
      idle.push_back(std::move(worker));
    }
  };
  engine.bulk(
      windows,
      [&](std::size_t task) {
        console::poll_signals();
        const Lease lease(mutex, idle);
        body(*lease.worker, Range{task * window, std::min((task + 1) * window, elements)});
      },
      Schedule::dynamic);
  console::throw_if_stopped();
}

}  // namespace furrow::tools
