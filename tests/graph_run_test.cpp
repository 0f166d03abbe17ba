// How a graph runs: without memory of its own, and what has become ready next.
#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/graph.hpp"
#include "furrow/engine/graph/state.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/allocations.hpp"

namespace furrow {
namespace {

class GraphRunTest : public testing::TestWithParam<std::string> {};

/// Three steps of averages over neighbouring tiles, every fourth of which has three tasks.
template <class G>
void add_steps(G& graph, std::vector<double>& a, std::vector<double>& b, std::size_t tile) {
  for (std::size_t step = 0; step < 3; ++step) {
    std::vector<double>& from = step % 2 == 0 ? a : b;
    std::vector<double>& to = step % 2 == 0 ? b : a;
    for (std::size_t begin = tile; begin + 2 * tile <= a.size(); begin += tile) {
      const std::span<const double> reads = std::span(from).subspan(begin - tile, 3 * tile);
      graph.add("step", {read(reads), write(std::span(to).subspan(begin, tile))}, begin / tile % 4 == 0 ? 3 : 1,
                [&from, &to, begin, tile](std::size_t task) {
                  for (std::size_t k = begin + task; k < begin + tile; k += begin / tile % 4 == 0 ? 3 : 1)
                    to[k] = (from[k - 1] + from[k] + from[k + 1]) / 3;
                });
    }
  }
}

TEST_P(GraphRunTest, ABuiltGraphRunsAgainWithoutAllocating) {
  for (const int threads : {1, 2, 3}) {
    Engine engine(GetParam(), {.concurrency = threads, .serial_below = 0});
    std::vector<double> a(1600), b(1600);
    std::iota(a.begin(), a.end(), 0.0);
    Graph graph;
    add_steps(graph, a, b, 16);
    // What the backend takes for itself is not the graph's.
    const auto allocated_by = [&](auto&& call) {
      const std::size_t before = support::allocations;
      for (int again = 0; again < 20; ++again) call();
      return support::allocations - before;
    };
    const std::size_t first = allocated_by([&] { graph.run(engine); });
    EXPECT_EQ(first > 0, engine.concurrency() > 1);  // the queues: they are counted
    const std::size_t bulk = allocated_by([&] { engine.bulk(static_cast<std::size_t>(threads), [](std::size_t) {}); });
    EXPECT_LE(allocated_by([&] { graph.run(engine); }), bulk) << threads << " threads";
  }
}

/// A thread goes on with what it has just made ready, while its data are in the cache, rather than with what waits elsewhere.
TEST_P(GraphRunTest, WhatWasMadeReadyComesNext) {
  // From inside a task a graph runs on the calling thread alone, in the order of one worker of two.
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  if (engine.concurrency() < 2) GTEST_SKIP() << "one thread runs nodes in the order of adding";
  constexpr std::size_t kChains = 4, kLength = 5;
  std::vector<int> cells(kChains);
  std::vector<std::size_t> order;
  Graph graph;
  for (std::size_t step = 0; step < kLength; ++step)
    for (std::size_t chain = 0; chain < kChains; ++chain)
      graph.add("link", {write(std::span(cells).subspan(chain, 1))}, 1, [&order, chain](std::size_t) { order.push_back(chain); });
  Engine around(GetParam() == "openmp" ? "tbb" : "openmp", {.concurrency = 2, .serial_below = 0});
  around.bulk(2, [&](std::size_t task) {
    if (task == 0) graph.run(engine);
  });
  ASSERT_EQ(order.size(), kChains * kLength);
  for (std::size_t k = 0; k < order.size(); ++k) EXPECT_EQ(order[k], order[k / kLength * kLength]) << "as number " << k;
}

/// A graph from within.
struct Parts {
  template <class Body>
  void add(std::string_view name, std::initializer_list<Access> accesses, std::size_t tasks, Body body) {
    state.add(name, {accesses.begin(), accesses.size()}, tasks, NodeBody(body));
  }
  Graph::State state;
};

TEST_P(GraphRunTest, ThreadsTakeOverBehindNodesThatHaveRun) {
  const std::size_t threads = 3;
  Engine engine(GetParam(), {.concurrency = static_cast<int>(threads)});
  Engine serial("serial");
  std::vector<double> start(300);
  std::iota(start.begin(), start.end(), 0.0);
  std::vector<double> a = start, b = start;
  Graph whole;
  add_steps(whole, a, b, 10);
  whole.run(serial);
  const std::vector<double> expected_a = a, expected_b = b;
  Parts parts;
  add_steps(parts, a, b, 10);
  Graph::State& state = parts.state;
  for (Graph::State::Index done = 0; done < state.nodes.size(); ++done) {
    a = b = start;
    for (Graph::State::Index node = 0; node < done; ++node)
      for (std::size_t task = 0; task < state.tasks_of(state.nodes[node]); ++task) state.nodes[node].body(task);
    run_graph(state, engine, threads, done);
    ASSERT_EQ(a, expected_a) << done;
    ASSERT_EQ(b, expected_b) << done;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, GraphRunTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<std::string>& named) { return named.param; });

}  // namespace
}  // namespace furrow
