#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <memory>
#include "furrow/engine/access.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/node_body.hpp"

namespace furrow {

/// Pieces of work, each of which says what memory it reads and writes. Who has to wait for whom follows from that: a node reads
/// what the latest node before it wrote, and writes over what earlier ones have read. So the result is that of running the nodes in
/// the order in which they were added, on every backend and with any number of threads; what does not depend on each other runs at
/// once.
///
/// Method: each thread takes nodes whose predecessors have finished, its own latest first, and others' oldest when it has none
/// (Chase and Lev 2005). All backends run it, as one bulk call of as many tasks as there are threads; with one thread nodes run in
/// the order in which they were added. So do graphs of a kind whose runs have been seen to take no longer on one thread, and less
/// than 2 ms, unless a node has several tasks or the engine's options say serial_below: graphs of about as many nodes whose first
/// has a body of the same type. One that takes longer than those is left to all threads on the way.
class Graph {
 public:
  /// A node, to be named in after().
  class Node {
   public:
    /// Of no graph.
    Node() = default;

   private:
    friend class Graph;
    Node(const void* graph, std::uint32_t index) : graph_(graph), index_(index) {}
    const void* graph_ = nullptr;
    std::uint32_t index_ = 0;
  };

  /// No nodes.
  Graph();
  ~Graph();
  /// Takes over the nodes of the other one, which may only be destroyed or assigned to then.
  Graph(Graph&&) noexcept;
  /// The same; this one's nodes are gone.
  Graph& operator=(Graph&&) noexcept;

  /// Adds a node that calls body(task) once for every task in [0, tasks), in any order, possibly at once. The body must touch no
  /// memory that other nodes use but what `accesses` names, of which `read(x)` may only be read. It is kept with the graph, and all
  /// that it refers to has to be there when the graph runs. Throws Error if there are 2^31 nodes.
  template <class Body>
  Node add(std::string_view name, std::span<const Access> accesses, std::size_t tasks, Body&& body) {
    return add_node(name, accesses.data(), accesses.size(), tasks, NodeBody(std::forward<Body>(body)));
  }
  /// The same, as in add("name", {read(x), write(y)}, tasks, body).
  template <class Body>
  Node add(std::string_view name, std::initializer_list<Access> accesses, std::size_t tasks, Body&& body) {
    return add_node(name, accesses.begin(), accesses.size(), tasks, NodeBody(std::forward<Body>(body)));
  }

  /// Makes `node` wait for `earlier` as well, for what no memory shows: output, a file. Throws Error unless both are nodes of this
  /// graph and `earlier` was added first; that rules out circles.
  void after(Node node, Node earlier);

  /// Adds the nodes of several steps over buffers that take turns: calls step(k, first, second, …) for each k in [0, steps), which
  /// adds those of step k. The first call gets the buffers as given here, each later one as the one before with the first put last:
  /// of two the step reads `first` and writes `second`, of three it may read what the last two steps wrote. Buffers are spans,
  /// views or pointers. Returns the one that holds the result of the last step, of two the first if there is no step. A graph that
  /// is to go on when it is run again needs a multiple of as many steps as there are buffers. Step k + 1 of one place waits only
  /// for what it reads and writes of step k: nobody waits for the whole of a step.
  template <class Buffer, std::size_t N, class Step>
  Buffer repeat(std::size_t steps, const Buffer (&buffers)[N], Step&& step) {
    static_assert(N >= 2, "one buffer cannot take turns");
    static_assert(std::is_trivially_copyable_v<Buffer>, "give spans, views or pointers, which refer to memory that stays");
    const auto take = [&]<std::size_t... I>(std::size_t k, std::index_sequence<I...>) {
      step(k, buffers[(k + I) % N]...);
    };
    for (std::size_t k = 0; k < steps; ++k) take(k, std::make_index_sequence<N>());
    return buffers[(steps + N - 2) % N];
  }

  /// Takes out all nodes, and keeps the graph's own memory for those to come.
  void clear();

  /// Runs all nodes; may be called again and again. Not while it runs. Rethrows the exception of the lowest node and task that
  /// threw, in the order of adding; nodes after that one may be left out. Throws Cancelled if the engine was asked to stop before
  /// all had begun. In either case arrays hold what the nodes that ran have written.
  void run(Engine& engine);

  /// Looks for memory that nodes use without having declared it, among what the nodes of this graph declare. Runs them on the
  /// calling thread in the order of adding and compares that memory before and after each: what changed must have been declared as
  /// written. Then it runs the node again with all that others write and this one has not declared moved about, and altered: if
  /// what it writes comes out differently, it has read that. Throws Error that says which node used which bytes, for up to ten
  /// nodes. Rethrows what a body throws.
  ///
  /// Declared memory is left as run() leaves it; what else bodies touch sees each run two or three times. Those that do not give
  /// the same twice, and those that declare no write, are not tried for reads. A body that takes for an address or an index what it
  /// reads undeclared may crash. Cost: several passes over all declared memory for each node.
  void check();

  std::size_t size() const;          ///< nodes
  std::size_t dependencies() const;  ///< pairs of nodes of which one waits for the other, without those that follow from others

  /// The graph as Graphviz draws it: a box for each node with its name and tasks, an arrow for each dependency.
  std::string dot() const;

  struct State;  ///< the library's own

 private:
  Node add_node(std::string_view name, const Access* accesses, std::size_t count, std::size_t tasks, NodeBody&& body);

  std::unique_ptr<State> state_;
};

}  // namespace furrow
