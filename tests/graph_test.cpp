// Graphs: what waits for what, and that the result is that of the order in which nodes were added.
#include "furrow/engine/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

class GraphTest : public testing::TestWithParam<std::string> {};

/// Elements of memory in rows, of which each begins so many after the one before.
struct Piece {
  std::size_t begin = 0;
  std::size_t rows = 1;
  std::size_t size = 0;  // of a row
  std::size_t pitch = 0;

  std::size_t count() const { return rows * size; }
  std::size_t at(std::size_t k) const { return begin + k / size * pitch + k % size; }
  bool has(std::size_t place) const {
    for (std::size_t k = 0; k < count(); ++k)
      if (at(k) == place) return true;
    return false;
  }
  View<std::uint64_t, 2> of(std::vector<std::uint64_t>& memory) const {
    return {memory.data() + begin, {rows, size}, {static_cast<std::ptrdiff_t>(pitch), 1}};
  }
};

/// What a node does: each task mixes what it reads into its share of what it writes.
struct Work {
  Piece from;
  Piece to;
  std::size_t tasks;
  std::size_t after;  // so many nodes before it: one that it waits for in any case; 0: none
};

void mix(std::vector<std::uint64_t>& memory, const Work& work, std::size_t task) {
  const std::size_t begin = work.to.count() * task / work.tasks;
  const std::size_t end = work.to.count() * (task + 1) / work.tasks;
  std::uint64_t sum = task + 1;
  // Not where other tasks of this node write meanwhile.
  for (std::size_t k = 0; k < work.from.count(); ++k)
    if (!work.to.has(work.from.at(k))) sum = sum * 0x9E3779B97F4A7C15U + memory[work.from.at(k)];
  for (std::size_t k = begin; k < end; ++k) memory[work.to.at(k)] = memory[work.to.at(k)] * 31 + sum + k;
}

Piece draw_piece(std::mt19937_64& random, std::size_t size) {
  Piece piece;
  switch (random() % 4) {
    case 0:
    case 1:  // aligned blocks
      piece.size = std::size_t{1} << random() % 4;
      piece.begin = random() % (size / piece.size) * piece.size;
      break;
    case 2:  // any range, also none
      piece.begin = random() % size;
      piece.size = random() % std::min<std::size_t>(size - piece.begin, 12);
      break;
    default:  // rectangles, of rows that others' lie between
      piece.size = 1 + random() % 3;
      piece.pitch = random() % 2 == 0 ? 4 : piece.size + random() % 4;
      piece.rows = 1 + random() % 3;
      piece.begin = random() % (size - (piece.rows - 1) * piece.pitch - piece.size + 1);
  }
  return piece;
}

std::vector<Work> draw(std::mt19937_64& random, std::size_t nodes, std::size_t size) {
  std::vector<Work> all;
  for (std::size_t node = 0; node < nodes; ++node)
    all.push_back({draw_piece(random, size), draw_piece(random, size), random() % 4 == 0 ? 1 + random() % 9 : 1,
                   random() % 8 == 0 ? random() % (node + 1) : 0});
  return all;
}

void add_nodes(Graph& graph, const std::vector<Work>& all, std::vector<std::uint64_t>& memory) {
  std::vector<Graph::Node> nodes;
  for (const Work& work : all) {
    nodes.push_back(graph.add("mix", {read(work.from.of(memory)), write(work.to.of(memory))}, work.tasks,
                              [&memory, work](std::size_t task) { mix(memory, work, task); }));
    if (work.after > 0) graph.after(nodes.back(), nodes[nodes.size() - 1 - work.after]);
  }
}

Graph graph_of(const std::vector<Work>& all, std::vector<std::uint64_t>& memory) {
  Graph graph;
  add_nodes(graph, all, memory);
  return graph;
}

TEST_P(GraphTest, RandomGraphsGiveWhatTheOrderOfAddingGives) {
  std::mt19937_64 random(std::hash<std::string>()(GetParam()));
  std::vector<Engine> engines;
  for (const int threads : {1, 2, 3, 7}) engines.emplace_back(GetParam(), EngineOptions{.concurrency = threads});
  // As many as $FURROW_RANDOM_GRAPHS says, where there is time for more.
  const char* const wanted = std::getenv("FURROW_RANDOM_GRAPHS");
  const std::size_t rounds = wanted != nullptr ? std::stoul(wanted) : support::repeats(100);
  for (std::size_t round = 0; round < rounds; ++round) {
    const std::size_t size = 16 + random() % 64;
    const std::vector<Work> all = draw(random, 1 + random() % 120, size);
    std::vector<std::uint64_t> start(size);
    std::iota(start.begin(), start.end(), round);
    std::vector<std::uint64_t> expected = start;
    for (const Work& work : all)
      for (std::size_t task = 0; task < work.tasks; ++task) mix(expected, work, task);
    std::vector<std::uint64_t> memory = start;
    Graph graph = graph_of(all, memory);
    for (Engine& engine : engines) {
      for (int again = 0; again < 2; ++again) {
        memory = start;
        graph.run(engine);
        ASSERT_EQ(memory, expected) << "round " << round << " with " << engine.concurrency() << " threads";
      }
    }
  }
}

TEST_P(GraphTest, IndependentNodesRunAtOnce) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  if (engine.concurrency() < 2) GTEST_SKIP() << "one thread";
  int a = 0;
  int b = 0;
  std::atomic<int> here{0};
  const auto meet = [&](std::size_t) {
    ++here;
    while (here < 2) std::this_thread::yield();
  };
  Graph graph;
  graph.add("a", {write(std::span(&a, 1))}, 1, meet);
  graph.add("b", {write(std::span(&b, 1))}, 1, meet);
  graph.run(engine);
  // The tasks of a node, too.
  here = 0;
  Graph shared;
  shared.add("first", {write(std::span(&a, 1))}, 1, [](std::size_t) {});
  shared.add("both", {write(std::span(&a, 1))}, 2, meet);
  shared.run(engine);
  EXPECT_EQ(here, 2);
}

TEST_P(GraphTest, TheLowestNodeThatThrewIsTold) {
  for (const int threads : {1, 2, 7}) {
    Engine engine(GetParam(), {.concurrency = threads, .serial_below = 0});
    for (int round = 0; round < 20; ++round) {
      std::vector<int> cells(100);
      std::atomic<int> ran{0};
      Graph graph;
      for (std::size_t node = 0; node < 100; ++node)
        graph.add("node", {write(std::span(cells).subspan(node, 1))}, 3, [&ran, node](std::size_t task) {
          if (node % 10 == 7 && task > 0) throw std::runtime_error(std::to_string(node) + "." + std::to_string(task));
          if (node <= 7) ++ran;
        });
      EXPECT_EQ(message_of<std::runtime_error>([&] { graph.run(engine); }), "7.1");
      EXPECT_GE(ran, 7 * 3 + 1);
      // It can run again.
      EXPECT_EQ(message_of<std::runtime_error>([&] { graph.run(engine); }), "7.1");
    }
  }
}

TEST_P(GraphTest, AStopLeavesOutWhatHasNotBegun) {
  for (const int threads : {1, 2}) {
    std::stop_source source;
    Engine engine(GetParam(), {.concurrency = threads, .serial_below = 0, .stop = source.get_token()});
    int cell = 0;
    int ran = 0;
    Graph graph;
    for (int node = 0; node < 100; ++node)
      graph.add("node", {write(std::span(&cell, 1))}, 1, [&](std::size_t) {
        if (++ran == 10) source.request_stop();
      });
    EXPECT_THROW(graph.run(engine), Cancelled);
    EXPECT_EQ(ran, 10);
  }
}

TEST_P(GraphTest, NodesMayCallTheEngine) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  std::vector<int> cells(8);
  Graph graph;
  for (std::size_t node = 0; node < 8; ++node)
    graph.add("node", {write(std::span(cells).subspan(node, 1))}, 1, [&, node](std::size_t) {
      std::atomic<int> sum{0};
      engine.bulk(10, [&](std::size_t task) { sum += static_cast<int>(task); });
      cells[node] = sum;
    });
  graph.run(engine);
  EXPECT_EQ(cells, std::vector<int>(8, 45));
}

TEST_P(GraphTest, EmptyGraphsAndNodesWithoutTasks) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  Graph graph;
  graph.run(engine);
  EXPECT_EQ(graph.size(), 0U);
  int cell = 0;
  int seen = 0;
  graph.add("write", {write(std::span(&cell, 1))}, 1, [&](std::size_t) { cell = 1; });
  graph.add("nothing", {write(std::span(&cell, 1))}, 0, [&](std::size_t) { cell = 2; });
  graph.add("read", {read(std::span(&cell, 1))}, 1, [&](std::size_t) { seen = cell; });
  graph.run(engine);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(graph.dependencies(), 2U);
  // More nodes may follow a run.
  graph.add("again", {write(std::span(&cell, 1))}, 1, [&](std::size_t) { cell = 5 + seen; });
  graph.run(engine);
  EXPECT_EQ(cell, 6);
}

TEST_P(GraphTest, WhatMemoryDoesNotShowIsSaidByAfter) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  for (int round = 0; round < 50; ++round) {
    std::vector<int> order;
    Graph graph;
    std::vector<Graph::Node> nodes;
    for (int node = 0; node < 20; ++node) {
      nodes.push_back(graph.add("node", {}, 1, [&order, node](std::size_t) { order.push_back(node); }));
      if (node > 0) graph.after(nodes[static_cast<std::size_t>(node)], nodes[static_cast<std::size_t>(node) - 1]);
    }
    graph.run(engine);
    EXPECT_TRUE(std::ranges::is_sorted(order));
    EXPECT_EQ(order.size(), 20U);
  }
}

TEST_P(GraphTest, OneSoSmallThatThreadsCostMoreComesToRunWithoutThemAndSaysSo) {
  Engine engine(GetParam(), {.concurrency = 2});
  if (engine.concurrency() < 2) GTEST_SKIP() << "one thread";
  int runs = 0;
  Graph graph;
  graph.add("count", {write(std::span(&runs, 1))}, 1, [&runs](std::size_t) { ++runs; });
  int alone = 0;
  for (int run = 1; run <= 200; ++run) {
    graph.run(engine);
    ASSERT_EQ(runs, run);
    const Serial serial = engine.last_run().serial;
    ASSERT_EQ(serial == Serial::no, engine.last_run().tasks > 1);
    alone += serial == Serial::too_small ? 1 : 0;
  }
  EXPECT_GT(alone, 0);
  EXPECT_LT(alone, 199);
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, GraphTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<std::string>& named) { return named.param; });

TEST(Graph, WaitsForWhatItHasTo) {
  std::vector<double> x(100);
  const std::span all(x);
  const auto nothing = [](std::size_t) {};
  Graph graph;
  graph.add("write left", {write(all.first(50))}, 1, nothing);
  graph.add("write right", {write(all.last(50))}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 0U);
  graph.add("read middle", {read(all.subspan(40, 20))}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 2U);  // for both
  graph.add("read left", {read(all.first(50))}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 3U);
  graph.add("write all", {write(x)}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 7U);  // for both writers and both readers: that it could leave out the former is not seen
  graph.add("read right", {read(all.last(50))}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 8U);  // only for the write of all
  graph.add("read and write", {read(x), write(x)}, 1, nothing);
  EXPECT_EQ(graph.dependencies(), 10U);
}

TEST(Graph, TilesOfOneArrayWaitForTheirNeighboursOnly) {
  constexpr std::size_t kTiles = 8, kTile = 16, kSize = kTiles * kTile;
  std::vector<float> a(kSize * kSize), b(kSize * kSize);
  const auto part = [&](std::vector<float>& x, std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) {
    return View<float, 2>(x.data() + i * kSize + j, {rows, columns}, {kSize, 1});
  };
  Graph graph;
  for (int step = 0; step < 2; ++step) {
    std::vector<float>& from = step == 0 ? a : b;
    std::vector<float>& to = step == 0 ? b : a;
    for (std::size_t i = 0; i < kTiles; ++i)
      for (std::size_t j = 0; j < kTiles; ++j) {
        const std::size_t top = i == 0 ? 0 : i * kTile - 1, bottom = std::min(kSize, (i + 1) * kTile + 1);
        const std::size_t left = j == 0 ? 0 : j * kTile - 1, right = std::min(kSize, (j + 1) * kTile + 1);
        graph.add("tile",
                  {read(part(from, top, left, bottom - top, right - left)), write(part(to, i * kTile, j * kTile, kTile, kTile))}, 1,
                  [](std::size_t) {});
      }
  }
  // Each tile of the second step waits for its neighbourhood of the first, which wrote what it reads and read what it writes.
  const std::size_t in_a_row = 3 * kTiles - 2;
  EXPECT_EQ(graph.dependencies(), in_a_row * in_a_row);
}

TEST(Graph, WrongCallsAreTold) {
  Graph graph;
  const auto nothing = [](std::size_t) {};
  const Graph::Node first = graph.add("first", {}, 1, nothing);
  const Graph::Node second = graph.add("second", {}, 1, nothing);
  EXPECT_NE(message_of([&] { graph.after(first, second); }).find("\"first\" was added before \"second\""), std::string::npos);
  EXPECT_NE(message_of([&] { graph.after(first, first); }).find("cannot wait"), std::string::npos);
  EXPECT_NE(message_of([&] { graph.after(second, Graph::Node()); }).find("no node of this graph"), std::string::npos);
  Graph other;
  const Graph::Node foreign = other.add("first", {}, 1, nothing);
  EXPECT_NE(message_of([&] { graph.after(second, foreign); }).find("no node of this graph"), std::string::npos);
  graph.after(second, first);
  EXPECT_EQ(graph.dependencies(), 1U);
}

TEST(Graph, IsDrawnForGraphviz) {
  double x = 0;
  Graph graph;
  graph.add("say \"x\"", {write(std::span(&x, 1))}, 1, [](std::size_t) {});
  graph.add("use", {read(std::span(&x, 1))}, 4, [](std::size_t) {});
  EXPECT_EQ(graph.dot(),
            "digraph furrow {\n  node [shape=box];\n  n0 [label=\"say \\\"x\\\"\"];\n  n1 [label=\"use × 4\"];\n  n0 -> n1;\n}\n");
}

TEST_P(GraphTest, StepsOverBuffersThatTakeTurns) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  constexpr std::size_t kSize = 60, kTile = 7;
  const auto each_tile = [](auto&& tile) {
    for (std::size_t begin = 1; begin < kSize - 1; begin += kTile) tile(begin, std::min(begin + kTile, kSize - 1));
  };
  for (std::size_t steps = 0; steps < 8; ++steps) {
    std::vector<double> memory[3], expected[3];
    for (std::size_t k = 0; k < 3; ++k) {
      memory[k].resize(kSize);
      std::iota(memory[k].begin(), memory[k].end(), static_cast<double>(k));
      expected[k] = memory[k];
    }
    Graph graph;
    std::vector<std::size_t> called;
    const std::span<double> result =
        graph.repeat(steps, {std::span(memory[0]), std::span(memory[1]), std::span(memory[2])},
                     [&](std::size_t step, std::span<double> before, std::span<double> now, std::span<double> next) {
                       called.push_back(step);
                       each_tile([&](std::size_t begin, std::size_t end) {
                         graph.add("tile",
                                   {read(before.subspan(begin, end - begin)), read(now.subspan(begin - 1, end - begin + 2)),
                                    write(next.subspan(begin, end - begin))},
                                   1, [=](std::size_t) {
                                     for (std::size_t k = begin; k < end; ++k)
                                       next[k] = 0.25 * (now[k - 1] + now[k + 1]) + now[k] - before[k];
                                   });
                       });
                     });
    graph.run(engine);
    for (std::size_t step = 0; step < steps; ++step) {
      const std::vector<double>&before = expected[step % 3], &now = expected[(step + 1) % 3];
      std::vector<double>& next = expected[(step + 2) % 3];
      for (std::size_t k = 1; k + 1 < kSize; ++k) next[k] = 0.25 * (now[k - 1] + now[k + 1]) + now[k] - before[k];
    }
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(memory[k], expected[k]) << steps << " steps, buffer " << k;
    EXPECT_EQ(result.data(), memory[(steps + 1) % 3].data());
    std::vector<std::size_t> all(steps);
    std::iota(all.begin(), all.end(), 0U);
    EXPECT_EQ(called, all);
  }
}

TEST(Graph, ClearedGraphsAreBuiltAgain) {
  Engine engine(backends().back(), {.concurrency = 2, .serial_below = 0});
  std::vector<std::uint64_t> memory(100);
  std::mt19937_64 random(7);
  Graph graph;
  for (std::size_t nodes : {50U, 500U, 5U, 3000U, 0U, 3000U}) {
    graph.clear();
    EXPECT_EQ(graph.size(), 0U);
    EXPECT_EQ(graph.dependencies(), 0U);
    const std::vector<Work> all = draw(random, nodes, memory.size());
    add_nodes(graph, all, memory);
    EXPECT_EQ(graph.dependencies(), graph_of(all, memory).dependencies());
    std::vector<std::uint64_t> expected = memory;
    for (const Work& work : all)
      for (std::size_t task = 0; task < work.tasks; ++task) mix(expected, work, task);
    graph.run(engine);
    EXPECT_EQ(memory, expected) << nodes << " nodes";
  }
}

TEST(Graph, ClearedGraphsGiveUpTheirBodies) {
  const auto held = std::make_shared<int>(0);
  Graph graph;
  for (int node = 0; node < 3; ++node) graph.add("holds", {}, 1, [held](std::size_t) {});
  EXPECT_EQ(held.use_count(), 4);
  graph.clear();
  EXPECT_EQ(held.use_count(), 1);
  graph.add("holds", {}, 1, [held](std::size_t) {});
  graph = Graph();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Graph, KeepsItsBodies) {
  Engine engine("serial");
  int sum = 0;
  Graph graph;
  {
    const auto large = std::make_shared<std::vector<int>>(100, 1);
    graph.add("large", {}, 1, [large, &sum](std::size_t) { sum += std::accumulate(large->begin(), large->end(), 0); });
    graph.add("small", {}, 1, [&sum](std::size_t) { sum += 1; });
  }
  Graph moved = std::move(graph);
  for (int node = 0; node < 100; ++node) moved.add("more", {}, 1, [&sum](std::size_t) { sum += 1; });
  moved.run(engine);
  EXPECT_EQ(sum, 201);
}

}  // namespace
}  // namespace furrow
