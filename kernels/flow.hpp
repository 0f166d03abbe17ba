#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <memory>
#include "furrow/engine/access.hpp"
#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/node_body.hpp"
#include "furrow/kernels/ranges.hpp"

namespace furrow {
namespace flow {

/// An array of a kernel, whose element i goes with element i of the kernel's other arrays.
struct Operand {
  const void* data;
  std::size_t element_bytes;
  bool written;
};
template <class T>
Operand operand(std::span<T> x) {
  return {x.data(), sizeof(T), !std::is_const_v<T>};
}

struct Tile {
  std::size_t index;
  Range elements;
};
/// The tile's elements of x; those of an empty range, which stands for none, are none.
template <class T>
std::span<T> part(std::span<T> x, const Tile& tile) {
  return x.empty() ? x : x.subspan(tile.elements.begin, tile.elements.size());
}

/// What a kernel does, tile by tile.
class Step {
 public:
  Step() = default;
  virtual ~Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  virtual void prepare(std::size_t /*tiles*/) {}  ///< before any
  virtual void work(Engine& serial, const Tile& tile) = 0;
  virtual void finish(Engine& /*serial*/) {}  ///< after all
};

/// call(engine, tile) for each tile.
template <class Call>
std::unique_ptr<Step> element_wise(Call call) {
  struct ElementWise final : Step {
    explicit ElementWise(Call&& held) : call(std::move(held)) {}
    void work(Engine& serial, const Tile& tile) override { call(serial, tile); }
    Call call;
  };
  return std::unique_ptr<Step>(new ElementWise(std::move(call)));
}

}  // namespace flow

/// Kernels to be run later, tile by tile while the tile is in cache. A flow is given to kernels in the place of an engine:
///
///     furrow::Flow flow;
///     furrow::exp(flow, x, y);      // any element-wise kernel, assign, transform, for_each
///     furrow::mul(flow, y, w, y);
///     furrow::sum(flow, y, total);  // reductions set a variable of the caller's
///     flow.then([&](furrow::Engine& engine) { furrow::sort(engine, y); });
///     flow.run(engine);             // as often as you like
///
/// The result has the bits of making the same calls with the engine, one after the other. Ranges, variables and what functions
/// refer to have to be there when the flow runs, and functions must not read what the flow writes but through their arguments.
///
/// Method: kernels over equally many elements go together if what memory they share they share element by element, so that their
/// order matters within a tile alone. Tiles are so long that those of all their arrays lie in a second-level cache together. A tile
/// is a node of a Graph, which does all that was asked for on it, and waits for tiles of earlier kernels that it overlaps where
/// ranges are shifted against each other. Partial results of reductions are those of tiles of whole chunks, combined in the tree
/// that the kernel has without tiles. Cost: each array is read once, and written once if it is; the rest happens
/// in cache.
class Flow {
 public:
  /// Nothing to do.
  Flow();
  ~Flow();
  /// Takes over what the other one is to do, which may only be destroyed or assigned to then.
  Flow(Flow&&) noexcept;
  /// The same; what this one was to do is gone.
  Flow& operator=(Flow&&) noexcept;

  /// Work of the caller's own in its place among the kernels: a node, as Graph::add has it.
  template <class Body>
  void add(std::string_view name, std::initializer_list<Access> accesses, std::size_t tasks, Body&& body) {
    add_node(name, accesses, tasks, NodeBody(std::forward<Body>(body)));
  }

  /// Calls body(engine) on the thread that runs the flow, when all before it has finished and before anything after it begins: for
  /// what cannot go tile by tile, such as scans and sorts.
  template <class Body>
  requires std::invocable<Body&, Engine&>
  void then(Body body) {
    add_whole(flow::element_wise([body = std::move(body)](Engine& engine, const flow::Tile&) mutable { body(engine); }));
  }

  /// Runs all of it. Not while it runs, and not from two threads. Rethrows the exception of the earliest tile that threw, of the
  /// earliest kernels; throws Cancelled if the engine was asked to stop before all had begun.
  void run(Engine& engine);

  std::size_t nodes() const;  ///< of the graphs that the latest run was made of

  /// For kernels: call(engine, tile) is to do part(out, tile) with part(x, tile) of each x of `in`, from several threads at once.
  /// Throws Error if sizes differ, or if `out` overlaps an `in` and is not the same.
  template <class Call, class T, class... In>
  void each(std::string_view name, Call call, std::span<T> out, std::span<In>... in) {
    (check::same_size(name.data(), in.size(), out.size()), ...);
    (check::no_partial_overlap(name.data(), in, out), ...);
    const std::array operands{flow::operand(out), flow::operand(in)...};
    record(name, out.size(), operands, flow::element_wise(std::move(call)), {});
  }

  /// For kernels: any step over n elements of each operand that may be cut at multiples of 8192 times a power of two, and what
  /// memory it writes when it finishes.
  void record(std::string_view name, std::size_t n, std::span<const flow::Operand> operands, std::unique_ptr<flow::Step> step,
              std::span<const Access> results);

 private:
  struct State;
  void add_node(std::string_view name, std::initializer_list<Access> accesses, std::size_t tasks, NodeBody body);
  void add_whole(std::unique_ptr<flow::Step> step);

  std::unique_ptr<State> state_;
};

}  // namespace furrow

#include "furrow/kernels/flow_kernels.hpp"  // what takes a flow
