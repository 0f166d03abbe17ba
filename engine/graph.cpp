#include "furrow/engine/graph.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <memory>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fp_environment.hpp"
#include "furrow/engine/graph/state.hpp"
#include "furrow/engine/graph/times.hpp"
#include "furrow/engine/tracing.hpp"

namespace furrow {

Graph::State::Index Graph::State::add(std::string_view name, std::span<const Access> declared, std::size_t tasks, NodeBody&& body) {
  if (name_runs.empty() || std::string_view(names).substr(name_runs.back().begin) != name) {
    if (names.size() + name.size() >= kNone) fail("the names of a graph's nodes have 4 GiB at most");
    name_runs.add(arena, nodes.size(), static_cast<Index>(names.size()));
    names += name;
  }
  owns_memory |= body.owns_memory();
  const Index tasks_or_shared = tasks < 2 ? static_cast<Index>(tasks) : 2 + shared.add(arena, tasks);
  const Index node = nodes.add(arena, std::move(body), tasks_or_shared);
  nodes[node].first_access = accesses.size();
  ++sinks;
  for (const Access& access : declared) {
    if (access.empty()) continue;
    const Index block = hazards.add(arena, node, access, [&](Index earlier) { wait(node, earlier); });
    accesses.add(arena, 2 * block + (access.writes() ? 1 : 0));
  }
  if (nodes[node].predecessors == 0) roots.add(arena, node);
  return node;
}

std::string_view Graph::State::name_of(Index node) const {
  Index low = 0;
  for (Index high = name_runs.size(); high - low > 1;) {
    const Index middle = low + (high - low) / 2;
    (name_runs[middle].node <= node ? low : high) = middle;
  }
  const std::size_t end = low + 1 < name_runs.size() ? name_runs[low + 1].begin : names.size();
  return std::string_view(names).substr(name_runs[low].begin, end - name_runs[low].begin);
}

void Graph::State::destroy_bodies() {
  if (owns_memory)
    for (Index node = 0; node < nodes.size(); ++node) std::destroy_at(&nodes[node]);
  owns_memory = false;
}

void Graph::State::clear() {
  destroy_bodies();
  nodes.clear();
  edges.clear();
  accesses.clear();
  shared.clear();
  roots.clear();
  name_runs.clear();
  names.clear();
  hazards.clear();
  sinks = 0;
  interrupted = false;
  queues_for = 0;
  arena.clear();
}

Graph::Graph() : state_(new State) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

Graph::Node Graph::add_node(std::string_view name, const Access* accesses, std::size_t count, std::size_t tasks, NodeBody&& body) {
  return {state_.get(), state_->add(name, {accesses, count}, tasks, std::move(body))};
}

void Graph::after(Node node, Node earlier) {
  State& state = *state_;
  const auto is_one = [&](Node one) { return one.graph_ == &state && one.index_ < state.nodes.size(); };
  if (!is_one(node) || !is_one(earlier)) fail("after: one of the two is no node of this graph; give what its add() returned");
  if (earlier.index_ >= node.index_)
    fail("after: \"" + std::string(state.name_of(node.index_)) + "\" was added before \"" +
         std::string(state.name_of(earlier.index_)) +
         "\" and cannot wait for it: nodes run as if in the order in which they were added");
  state.wait(node.index_, earlier.index_);
}

void Graph::clear() {
  state_->clear();
}

namespace {

/// Graphs of about as many nodes, the first of which have callables of one type, on one backend and so many threads.
std::uint64_t kind_of(Graph::State& state, const Engine& engine, std::size_t workers) {
  const auto body = reinterpret_cast<std::uintptr_t>(state.nodes[0].body.type());
  const std::uint64_t size = std::bit_width(state.nodes.size()) + 64 * workers;
  return Cost::key_of(engine.backend(), body * 0x9E3779B97F4A7C15U + size);
}

using Clock = std::chrono::steady_clock;

float nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<float, std::nano>(Clock::now() - start).count();
}

/// Node after node on the calling thread, until all are done or so many nanoseconds have passed. Returns how many were done.
Graph::State::Index run_in_order(Graph::State& state, Engine& engine, float patience) {
  using State = Graph::State;
  constexpr State::Index kEvery = 8;  // nodes for a look at the clock; sooner in the beginning
  const std::stop_token& stop = engine.options().stop;
  const FpEnvironment environment = FpEnvironment::current();
  State::Index node = 0;
  engine.bulk(1, [&](std::size_t) {
    const Clock::time_point start = Clock::now();
    while (node < state.nodes.size()) {
      State::Entry& entry = state.nodes[node];
      for (std::size_t task = 0; task < state.tasks_of(entry); ++task) {
        if (stop.stop_requested()) throw Cancelled();
        const FpScope scope(environment);
        const tracing::Span one(tracing::Kind::node, tracing::on() ? state.name_of(node) : "", {.number = task, .node = node});
        entry.body(task);
      }
      ++node;
      if ((node % kEvery == 0 || node < kEvery) && nanoseconds_since(start) > patience) return;
    }
  });
  return node;
}

}  // namespace

void Graph::run(Engine& engine) {
  State& state = *state_;
  const tracing::Span span(tracing::Kind::graph, "graph");
  if (state.nodes.empty()) return engine.bulk(0, [](std::size_t) {});
  const auto workers = std::min(static_cast<std::size_t>(engine.concurrency()), std::size_t{State::kNone});
  if (workers == 1) {
    run_in_order(state, engine, std::numeric_limits<float>::infinity());
    return;
  }
  // Who says what threads are worth, or asks for several tasks, is believed.
  if (engine.options().serial_below != kMeasured || state.shared.size() > 0) return run_graph(state, engine, workers, 0);
  GraphTimes& times = GraphTimes::of(kind_of(state, engine, workers));
  const float patience = times.patience_alone(workers);
  const Clock::time_point start = Clock::now();
  State::Index done = 0;
  if (patience > 0) {
    done = run_in_order(state, engine, patience);
    times.add(true, nanoseconds_since(start));
  }
  if (done == state.nodes.size()) return engine.record(1, 1, Serial::too_small);
  run_graph(state, engine, workers, done);
  if (done == 0) times.add(false, nanoseconds_since(start));
}

std::size_t Graph::size() const {
  return state_->nodes.size();
}

std::size_t Graph::dependencies() const {
  return state_->edges.size();
}

std::string Graph::dot() const {
  const auto quoted = [](const std::string& text) {
    std::string result = "\"";
    for (const char c : text) (c == '"' || c == '\\' ? result += '\\' : result) += c;
    return result + '"';
  };
  const State& state = *state_;
  std::string text = "digraph furrow {\n  node [shape=box];\n";
  std::string arrows;
  for (State::Index node = 0; node < state.nodes.size(); ++node) {
    const State::Entry& entry = state.nodes[node];
    const std::size_t tasks = state.tasks_of(entry);
    const std::string label = std::string(state.name_of(node)) + (tasks == 1 ? "" : " × " + std::to_string(tasks));
    text += "  n" + std::to_string(node) + " [label=" + quoted(label) + "];\n";
    std::vector<State::Index> waiting;
    for (State::Index edge = entry.first_edge; edge != State::kNone; edge = state.edges[edge].next)
      waiting.push_back(state.edges[edge].later);
    std::ranges::sort(waiting);
    for (const State::Index later : waiting) arrows += "  n" + std::to_string(node) + " -> n" + std::to_string(later) + ";\n";
  }
  return text + arrows + "}\n";
}

}  // namespace furrow
