// How a graph runs on more than one thread.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fp_environment.hpp"
#include "furrow/engine/graph/state.hpp"
#include "furrow/engine/tracing.hpp"

namespace furrow {

using Index = Graph::State::Index;

void Graph::State::prepare(std::size_t workers) {
  if (interrupted)
    for (Index node = 0; node < nodes.size(); ++node)
      nodes[node].waits_for.store(nodes[node].predecessors, std::memory_order_relaxed);
  interrupted = false;
  for (Index one = 0; one < shared.size(); ++one) {
    shared[one].next_task.store(0, std::memory_order_relaxed);
    shared[one].tasks_left.store(shared[one].tasks, std::memory_order_relaxed);
  }
  if (queues.size() != workers || queues_for != nodes.size()) {
    std::size_t offers = nodes.size();
    for (Index one = 0; one < shared.size(); ++one) offers += std::min(shared[one].tasks, workers) - 1;
    queues.clear();
    for (std::size_t worker = 0; worker < workers; ++worker) queues.emplace_back(offers);
    queues_for = nodes.size();
  }
  for (WorkQueue& queue : queues) queue.clear();
}

namespace {

constexpr Index kNone = Graph::State::kNone;

/// One run of a graph.
class GraphRun {
 public:
  GraphRun(Graph::State& state, const std::stop_token& stop)
      : state_(state), stop_(stop), may_stop_(stop.stop_possible()), sinks_left_(state.sinks) {}

  /// Shares the nodes that wait for none out to the workers: a part of those in a row to each.
  void begin() {
    const std::size_t workers = state_.queues.size();
    const std::size_t count = state_.roots.size();
    for (std::size_t worker = 0; worker < workers; ++worker)
      for (std::size_t one = count * (worker + 1) / workers;
           one-- > count * worker / workers;) {  // so that it begins with the first
        const Index node = state_.roots[static_cast<Index>(one)];
        if (state_.nodes[node].predecessors == 0) offer(node, state_.queues[worker], workers);
      }
  }

  /// Shares out those behind the first `done`, which have finished, that wait for none of the others.
  void begin_behind(Index done) {
    for (Index node = 0; node < done; ++node) {
      if (state_.nodes[node].first_edge == kNone) sinks_left_.fetch_sub(1, std::memory_order_relaxed);
      for (Index edge = state_.nodes[node].first_edge; edge != kNone; edge = state_.edges[edge].next)
        if (const Index later = state_.edges[edge].later; later >= done)
          state_.nodes[later].waits_for.fetch_sub(1, std::memory_order_relaxed);
    }
    std::size_t next = 0;
    for (Index node = done; node < state_.nodes.size(); ++node)
      if (state_.nodes[node].waits_for.load(std::memory_order_relaxed) == 0)
        offer(node, state_.queues[next++ % state_.queues.size()], state_.queues.size());
  }

  /// Works until all nodes have finished. A worker that never comes leaves its work to the others.
  void work(std::size_t worker) {
    WorkQueue& own = state_.queues[worker];
    Index sinks = 0;
    for (unsigned idle = 0;;) {
      std::optional<Index> node = own.take();
      if (!node) {
        if (sinks > 0) sinks_left_.fetch_sub(std::exchange(sinks, 0), std::memory_order_release);
        if (sinks_left_.load(std::memory_order_acquire) == 0) return;
        node = steal(worker);
      }
      if (node) {
        idle = 0;
        sinks += run_from(*node, own);
      } else {
        rest(idle++);
      }
    }
  }

  void finish() {
    if (error_) std::rethrow_exception(error_);
    if (stopped_.load(std::memory_order_relaxed)) throw Cancelled();
  }

 private:
  std::optional<Index> steal(std::size_t worker) {
    const std::size_t workers = state_.queues.size();
    for (std::size_t next = worker + 1; next < worker + workers; ++next)
      if (const auto stolen = state_.queues[next % workers].steal()) return stolen;
    return std::nullopt;
  }

  /// A node that is ready becomes known, to as many threads as can share its tasks.
  void offer(Index node, WorkQueue& queue, std::size_t threads) const {
    const std::size_t tasks = state_.tasks_of(state_.nodes[node]);
    for (std::size_t k = 0; k < std::clamp<std::size_t>(tasks, 1, threads); ++k) queue.put(node);
  }

  /// The node, and what becomes ready through it: one after the other here, what more there is for anybody. Returns for how many of
  /// them nobody waits.
  Index run_from(Index node, WorkQueue& queue) {
    Index sinks = 0;
    while (node != kNone) {
      Graph::State::Entry& entry = state_.nodes[node];
      if (!run(node, entry)) break;
      entry.waits_for.store(entry.predecessors, std::memory_order_relaxed);  // for the next run
      sinks += entry.first_edge == kNone ? 1 : 0;
      Index next = kNone;
      for (Index edge = entry.first_edge; edge != kNone;) {
        const auto [later, after] = state_.edges[edge];
        edge = after;
        // Whoever finds itself the last need not say so: others have, and none is left to hear it.
        std::atomic<Index>& left = state_.nodes[later].waits_for;
        if (left.load(std::memory_order_acquire) != 1 && left.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
        const tracing::Span release(tracing::Kind::release, "release", {.number = node, .node = later});
        if (next != kNone) offer(next, queue, state_.queues.size());
        next = later;
      }
      if (next != kNone && state_.nodes[next].tasks >= 2) offer(next, queue, state_.queues.size() - 1);
      node = next;
    }
    return sinks;
  }

  /// Does what is left to begin of the node's tasks. True if that was the last of it.
  bool run(Index node, Graph::State::Entry& entry) {
    if (entry.tasks < 2) {
      if (entry.tasks == 1) guarded(node, entry.body, 0);
      return true;
    }
    Graph::State::Shared& shared = state_.shared[entry.tasks - 2];
    for (;;) {
      const std::size_t task = shared.next_task.fetch_add(1, std::memory_order_relaxed);
      if (task >= shared.tasks) return false;
      guarded(node, entry.body, task);
      if (shared.tasks_left.fetch_sub(1, std::memory_order_acq_rel) == 1) return true;
    }
  }

  void guarded(Index node, NodeBody& body, std::size_t task) noexcept {
    // Of two that fail, the lower is told, whichever came first: nothing below a failure is left out.
    if (node > lowest_failed_.load(std::memory_order_relaxed)) return;
    if (may_stop_ && stop_.stop_requested()) {
      stopped_.store(true, std::memory_order_relaxed);
      return;
    }
    try {
      const FpScope scope(environment_);
      const tracing::Span span(tracing::Kind::node, tracing::on() ? state_.name_of(node) : "", {.number = task, .node = node});
      body(task);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      const Index lowest = lowest_failed_.load(std::memory_order_relaxed);
      if (node > lowest || (node == lowest && task > failed_task_)) return;
      lowest_failed_.store(node, std::memory_order_relaxed);
      failed_task_ = task;
      error_ = std::current_exception();
    }
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  /// For want of anything to do: ever longer, so that threads with long tasks have the machine.
  static void rest(unsigned idle) {
    constexpr unsigned kSpins = 200;
    constexpr unsigned kYields = 1000;
    if (idle < kSpins)
      pause();
    else if (idle < kYields)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  Graph::State& state_;
  const std::stop_token& stop_;
  const bool may_stop_;
  const FpEnvironment environment_ = FpEnvironment::current();
  std::atomic<Index> lowest_failed_{kNone};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::size_t failed_task_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr error_;
  alignas(64) std::atomic<Index> sinks_left_;
};

}  // namespace

void run_graph(Graph::State& state, Engine& engine, std::size_t workers, Index done) {
  state.prepare(workers);
  GraphRun run(state, engine.options().stop);
  state.interrupted = true;
  done == 0 ? run.begin() : run.begin_behind(done);
  engine.bulk(workers, [&run](std::size_t worker) { run.work(worker); });
  state.interrupted = false;
  run.finish();
}

}  // namespace furrow
