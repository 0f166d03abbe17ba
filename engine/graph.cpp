#include "furrow/engine/graph.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fp_environment.hpp"
#include "furrow/engine/hazards.hpp"
#include "furrow/engine/work_queue.hpp"

namespace furrow {
namespace {

using Index = std::uint32_t;
constexpr Index kNone = static_cast<Index>(-1);

struct GraphNode {
  NodeBody body;
  std::size_t tasks;
  std::uint32_t name_begin;  ///< in the names of all, one after the other
  std::uint32_t name_size;
};

/// How far a node is in the run that is under way.
struct Progress {
  std::atomic<Index> waits_for{0};         ///< predecessors
  std::atomic<std::size_t> next_task{0};   ///< of a node of several
  std::atomic<std::size_t> tasks_left{0};  ///< likewise
};

/// The nodes that wait for each node.
struct Successors {
  std::vector<std::size_t> begin;  ///< of each node's, and the end
  std::vector<Index> nodes;

  std::span<const Index> of(Index node) const { return std::span(nodes).subspan(begin[node], begin[node + 1] - begin[node]); }
};

struct Dependency {
  Index earlier;
  Index later;
};

}  // namespace

struct Graph::State {
  std::vector<GraphNode> nodes;
  std::string names;
  Hazards hazards;
  std::vector<Dependency> dependencies;  // of a later node those in a row, unless after() was called
  std::vector<Index> latest_wait;        // by node: the latest that waits for it

  std::string name(Index node) const { return names.substr(nodes[node].name_begin, nodes[node].name_size); }

  /// Nodes of the same name in a row share it.
  std::uint32_t keep(std::string_view name) {
    if (!nodes.empty()) {
      const GraphNode& latest = nodes.back();
      if (std::string_view(names).substr(latest.name_begin, latest.name_size) == name) return latest.name_begin;
    }
    const std::size_t begin = names.size();
    if (begin + name.size() >= kNone) fail("the names of a graph's nodes have 4 GiB at most");
    names += name;
    return static_cast<std::uint32_t>(begin);
  }

  void wait(Index later, Index earlier) {
    if (latest_wait[earlier] == later) return;
    latest_wait[earlier] = later;
    dependencies.push_back({earlier, later});
    prepared = 0;
  }

  // What a run needs, for so many nodes; made anew when there are more.
  std::size_t prepared = 0;
  Successors successors;
  std::vector<Index> predecessors;  // their number
  std::unique_ptr<Progress[]> progress;
  Index sinks = 0;  // nodes that nobody waits for
  std::deque<WorkQueue> queues;

  void prepare(std::size_t workers);
};

void Graph::State::prepare(std::size_t workers) {
  const std::size_t count = nodes.size();
  if (prepared != count) {
    successors.begin.assign(count + 1, 0);
    successors.nodes.resize(dependencies.size());
    predecessors.assign(count, 0);
    for (const Dependency& one : dependencies) ++successors.begin[one.earlier + 1], ++predecessors[one.later];
    for (std::size_t node = 0; node < count; ++node) successors.begin[node + 1] += successors.begin[node];
    std::vector<std::size_t> next(successors.begin.begin(), successors.begin.end() - 1);
    for (const Dependency& one : dependencies) successors.nodes[next[one.earlier]++] = one.later;
    progress = std::make_unique<Progress[]>(count);
    sinks = 0;
    for (Index node = 0; node < count; ++node) sinks += successors.of(node).empty() ? 1 : 0;
    queues.clear();
    prepared = count;
  }
  for (std::size_t node = 0; node < count; ++node) {
    progress[node].waits_for.store(predecessors[node], std::memory_order_relaxed);
    progress[node].next_task.store(0, std::memory_order_relaxed);
    progress[node].tasks_left.store(nodes[node].tasks, std::memory_order_relaxed);
  }
  if (queues.size() != workers) {
    std::size_t offers = 0;
    for (const GraphNode& node : nodes) offers += std::clamp<std::size_t>(node.tasks, 1, workers);
    queues.clear();
    for (std::size_t worker = 0; worker < workers; ++worker) queues.emplace_back(offers);
  }
  for (WorkQueue& queue : queues) queue.clear();
}

namespace {

/// One run of a graph.
class GraphRun {
 public:
  GraphRun(std::vector<GraphNode>& nodes, const Successors& successors, Progress* progress, std::deque<WorkQueue>& queues,
           Index sinks, const std::stop_token& stop)
      : nodes_(nodes), successors_(successors), progress_(progress), queues_(queues), stop_(stop), sinks_left_(sinks) {}

  /// Shares the nodes that wait for none out to the workers.
  void begin(const std::vector<Index>& predecessors) {
    std::size_t worker = 0;
    for (Index node = static_cast<Index>(predecessors.size()); node-- > 0;)  // so that a worker begins with its lowest
      if (predecessors[node] == 0) offer(node, queues_[worker++ % queues_.size()], queues_.size());
  }

  /// Works until all nodes have finished. A worker that never comes leaves its work to the others.
  void work(std::size_t worker) {
    for (unsigned idle = 0; sinks_left_.load(std::memory_order_acquire) > 0;) {
      if (const std::optional<Index> node = find(worker)) {
        idle = 0;
        run_from(*node, queues_[worker]);
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
  std::optional<Index> find(std::size_t worker) {
    if (const auto own = queues_[worker].take()) return own;
    for (std::size_t next = worker + 1; next < worker + queues_.size(); ++next)
      if (const auto stolen = queues_[next % queues_.size()].steal()) return stolen;
    return std::nullopt;
  }

  /// A node that is ready becomes known, to as many threads as can share its tasks.
  void offer(Index node, WorkQueue& queue, std::size_t threads) const {
    for (std::size_t k = 0; k < std::clamp<std::size_t>(nodes_[node].tasks, 1, threads); ++k) queue.put(node);
  }

  /// The node, and what becomes ready through it: one after the other here, what more there is for anybody.
  void run_from(Index node, WorkQueue& queue) {
    while (node != kNone && run(node)) {
      Index next = kNone;
      const std::span<const Index> waiting = successors_.of(node);
      for (const Index one : waiting) {
        if (progress_[one].waits_for.fetch_sub(1, std::memory_order_acq_rel) > 1) continue;
        if (next == kNone)
          next = one;
        else
          offer(one, queue, queues_.size());
      }
      if (next != kNone && nodes_[next].tasks > 1) offer(next, queue, queues_.size() - 1);
      if (waiting.empty()) sinks_left_.fetch_sub(1, std::memory_order_release);
      node = next;
    }
  }

  /// Does what is left to begin of the node's tasks. True if that was the last of it.
  bool run(Index node) {
    GraphNode& one = nodes_[node];
    if (one.tasks <= 1) {
      if (one.tasks == 1) guarded(node, 0);
      return true;
    }
    Progress& progress = progress_[node];
    for (bool last = false; !last;) {
      const std::size_t task = progress.next_task.fetch_add(1, std::memory_order_relaxed);
      if (task >= one.tasks) return false;
      guarded(node, task);
      last = progress.tasks_left.fetch_sub(1, std::memory_order_acq_rel) == 1;
      if (last) return true;
    }
    return false;
  }

  void guarded(Index node, std::size_t task) noexcept {
    // Of two that fail, the lower is told, whichever came first: nothing below a failure is left out.
    if (node > lowest_failed_.load(std::memory_order_relaxed)) return;
    if (stop_.stop_possible() && stop_.stop_requested()) {
      stopped_.store(true, std::memory_order_relaxed);
      return;
    }
    try {
      const FpScope scope(environment_);
      nodes_[node].body(task);
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

  std::vector<GraphNode>& nodes_;
  const Successors& successors_;
  Progress* progress_;
  std::deque<WorkQueue>& queues_;
  const std::stop_token& stop_;
  const FpEnvironment environment_ = FpEnvironment::current();
  std::atomic<Index> lowest_failed_{kNone};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::size_t failed_task_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr error_;
  alignas(64) std::atomic<Index> sinks_left_;
};

}  // namespace

Graph::Graph() : state_(std::make_unique<State>()) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

Graph::Node Graph::add_node(std::string_view name, std::span<const Access> accesses, std::size_t tasks, NodeBody body) {
  State& state = *state_;
  if (state.nodes.size() >= kNone) fail("a graph has 2^32 - 1 nodes at most");
  const auto index = static_cast<Index>(state.nodes.size());
  const std::uint32_t name_begin = state.keep(name);
  state.nodes.push_back({std::move(body), tasks, name_begin, static_cast<std::uint32_t>(name.size())});
  state.latest_wait.push_back(kNone);
  for (const Access& access : accesses) state.hazards.add(index, access, [&](Index earlier) { state.wait(index, earlier); });
  return Node(index);
}

void Graph::after(Node node, Node earlier) {
  State& state = *state_;
  if (node.index_ >= state.nodes.size() || earlier.index_ >= state.nodes.size())
    fail("after: one of the two is no node of this graph; give what its add() returned");
  if (earlier.index_ >= node.index_)
    fail("after: \"" + state.name(node.index_) + "\" was added before \"" + state.name(earlier.index_) +
         "\" and cannot wait for it: nodes run as if in the order in which they were added");
  state.wait(node.index_, earlier.index_);
}

void Graph::run(Engine& engine) {
  State& state = *state_;
  if (state.nodes.empty()) return engine.bulk(0, [](std::size_t) {});
  const auto workers = std::min(static_cast<std::size_t>(engine.concurrency()), std::size_t{kNone});
  if (workers == 1) {
    const std::stop_token& stop = engine.options().stop;
    const FpEnvironment environment = FpEnvironment::current();
    engine.bulk(1, [&](std::size_t) {
      for (GraphNode& node : state.nodes) {
        for (std::size_t task = 0; task < node.tasks; ++task) {
          if (stop.stop_requested()) throw Cancelled();
          const FpScope scope(environment);
          node.body(task);
        }
      }
    });
    return;
  }
  state.prepare(workers);
  GraphRun run(state.nodes, state.successors, state.progress.get(), state.queues, state.sinks, engine.options().stop);
  run.begin(state.predecessors);
  engine.bulk(workers, [&run](std::size_t worker) { run.work(worker); });
  run.finish();
}

std::size_t Graph::size() const {
  return state_->nodes.size();
}

std::size_t Graph::dependencies() const {
  return state_->dependencies.size();
}

std::string Graph::dot() const {
  const auto quoted = [](const std::string& text) {
    std::string result = "\"";
    for (const char c : text) (c == '"' || c == '\\' ? result += '\\' : result) += c;
    return result + '"';
  };
  std::string text = "digraph furrow {\n  node [shape=box];\n";
  for (Index node = 0; node < state_->nodes.size(); ++node) {
    const std::size_t tasks = state_->nodes[node].tasks;
    const std::string label = state_->name(node) + (tasks == 1 ? "" : " × " + std::to_string(tasks));
    text += "  n" + std::to_string(node) + " [label=" + quoted(label) + "];\n";
  }
  for (const Dependency& one : state_->dependencies)
    text += "  n" + std::to_string(one.earlier) + " -> n" + std::to_string(one.later) + ";\n";
  return text + "}\n";
}

}  // namespace furrow
