#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "furrow/engine/graph.hpp"
#include "furrow/engine/graph/arena.hpp"
#include "furrow/engine/graph/hazards.hpp"
#include "furrow/engine/graph/work_queue.hpp"

namespace furrow {

/// A graph as it is kept. All that grows with it lies in its arena, and what one node needs in one line of the cache.
struct Graph::State {
  using Index = std::uint32_t;
  static constexpr Index kNone = static_cast<Index>(-1);

  struct alignas(64) Entry {
    NodeBody body;
    Index tasks;  ///< 0 or 1, or which of `shared` it is, plus 2
    Index first_edge = kNone;
    Index predecessors = 0;
    std::atomic<Index> waits_for{0};  ///< of a run: predecessors that have not finished; between runs all of them
    Index latest_wait = kNone;        ///< the latest node that waits for this one
    Index first_access = 0;           ///< of those in `accesses` up to the next node's
  };
  static_assert(sizeof(Entry) == 64);
  /// To a node that waits for the one in whose list it is.
  struct Edge {
    Index later;
    Index next;
  };
  /// To memory, as a node declared it.
  struct Declared {
    Index block_and_mode;

    Index block() const { return block_and_mode / 2; }  ///< of `hazards`
    bool writes() const { return block_and_mode % 2 != 0; }
  };
  /// A node of several tasks.
  struct Shared {
    std::size_t tasks;
    std::atomic<std::size_t> next_task{0};
    std::atomic<std::size_t> tasks_left{0};
  };
  /// From this node on nodes have the name that begins there in `names`.
  struct Name {
    Index node;
    Index begin;
  };

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { destroy_bodies(); }

  Index add(std::string_view name, std::span<const Access> declared, std::size_t tasks, NodeBody&& body);
  /// `later` has to wait for `earlier`.
  void wait(Index later, Index earlier) {
    Entry& before = nodes[earlier];
    if (before.latest_wait == later) return;
    before.latest_wait = later;
    if (before.first_edge == kNone) --sinks;
    before.first_edge = edges.add(arena, later, before.first_edge);
    Entry& after = nodes[later];
    after.waits_for.store(++after.predecessors, std::memory_order_relaxed);
  }
  void clear();

  std::string_view name_of(Index node) const;
  Index accesses_end(Index node) const { return node + 1 < nodes.size() ? nodes[node + 1].first_access : accesses.size(); }
  std::size_t tasks_of(const Entry& entry) const { return entry.tasks < 2 ? entry.tasks : shared[entry.tasks - 2].tasks; }
  /// Makes ready for a run by so many workers.
  void prepare(std::size_t workers);

  Arena arena;
  Growing<Entry> nodes;
  Growing<Edge> edges;
  Growing<Declared> accesses;
  Growing<Shared> shared;
  Growing<Index> roots;  ///< among them all nodes that wait for none
  Index sinks = 0;       ///< nodes for which none waits
  Growing<Name> name_runs;
  std::string names;
  Hazards hazards;
  bool owns_memory = false;  ///< a body has to be destroyed
  bool interrupted = false;  ///< a run did not come to its end

  std::deque<WorkQueue> queues;
  Index queues_for = 0;  ///< nodes

 private:
  void destroy_bodies();
};

/// Runs a graph but for its first `done` nodes, which have been run, by so many workers, of more than one.
void run_graph(Graph::State& state, Engine& engine, std::size_t workers, Graph::State::Index done);

}  // namespace furrow
