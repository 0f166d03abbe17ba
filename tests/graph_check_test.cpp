// Graph::check(): planted faults are found and told, sound graphs pass, and memory is left as a run leaves it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/graph.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;
constexpr const char* kNothing = "(nothing was thrown)";

std::string check(Graph& graph) {
  return message_of([&] { graph.check(); });
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// a is set, b follows from a, c from both.
struct Three {
  std::vector<double> a = std::vector<double>(100), b = a, c = a;

  void add_first(Graph& graph) {
    graph.add("first", {write(a)}, 1, [this](std::size_t) { std::iota(a.begin(), a.end(), 1.0); });
  }
  void add_second(Graph& graph) {
    graph.add("second", {read(a), write(b)}, 4, [this](std::size_t task) {
      for (std::size_t k = task * 25; k < task * 25 + 25; ++k) b[k] = a[k] * a[k];
    });
  }
  void third(std::size_t) {
    for (std::size_t k = 0; k < c.size(); ++k) c[k] = a[k] + b[99 - k];
  }
};

TEST(GraphCheck, ASoundGraphPassesAndIsLeftAsAfterARun) {
  Three checked, run;
  Engine engine("serial");
  for (Three* three : {&checked, &run}) {
    Graph graph;
    three->add_first(graph);
    three->add_second(graph);
    graph.add("third", {read(three->a), read(three->b), write(three->c)}, 1, [three](std::size_t task) { three->third(task); });
    graph.add("in place", {write(three->a)}, 1, [three](std::size_t) {
      for (double& v : three->a) v = 3 * v + 1;
    });
    if (three == &checked)
      EXPECT_EQ(check(graph), kNothing);
    else
      graph.run(engine);
  }
  EXPECT_EQ(checked.a, run.a);
  EXPECT_EQ(checked.b, run.b);
  EXPECT_EQ(checked.c, run.c);
}

TEST(GraphCheck, AMissingReadIsTold) {
  Three three;
  Graph graph;
  three.add_first(graph);
  three.add_second(graph);
  graph.add("third", {read(three.a), write(three.c)}, 1, [&](std::size_t task) { three.third(task); });
  const std::string told = check(graph);
  EXPECT_TRUE(contains(told, "node 2 \"third\" reads")) << told;
  EXPECT_TRUE(contains(told, "of what node 1 \"second\" writes")) << told;
  EXPECT_TRUE(contains(told, "give its add() read(…) of that")) << told;
  EXPECT_FALSE(contains(told, "node 0 \"first\" reads")) << told;
  // As after a run.
  EXPECT_EQ(three.b[7], 64);
  EXPECT_EQ(three.c[3], 4 + 97 * 97);
}

TEST(GraphCheck, OneElementReadIsFound) {
  std::vector<std::int32_t> from(1000, 5), to(1);
  Graph graph;
  graph.add("set", {write(from)}, 1, [&](std::size_t) { std::iota(from.begin(), from.end(), 0); });
  graph.add("use", {read(std::span(from).first(10)), write(to)}, 1, [&](std::size_t) { to[0] = from[3] + from[700]; });
  const std::string told = check(graph);
  EXPECT_TRUE(contains(
      told, "node 1 \"use\" reads what it has not declared, at least some of bytes 2800 to 2815 of what node 0 \"set\" writes"))
      << told;
}

TEST(GraphCheck, AReadOfEqualElementsIsFound) {
  std::vector<float> from(64, 0.0F), to(1);
  Graph graph;
  graph.add("set", {write(from)}, 1, [&](std::size_t) { std::fill(from.begin(), from.end(), 0.0F); });
  graph.add("use", {write(to)}, 1, [&](std::size_t) { to[0] = from[8]; });
  EXPECT_TRUE(contains(check(graph), "\"use\" reads"));
}

TEST(GraphCheck, AMissingWriteIsTold) {
  Three three;
  Graph graph;
  three.add_first(graph);
  three.add_second(graph);
  graph.add("third", {read(three.a), read(three.b), write(three.c)}, 1, [&](std::size_t task) {
    three.third(task);
    three.b[11] = -1;
  });
  const std::string told = check(graph);
  EXPECT_TRUE(contains(
      told, "node 2 \"third\" writes what it has not declared, at least some of bytes 88 to 95 of what node 1 \"second\" writes"))
      << told;
  EXPECT_TRUE(contains(told, "give its add() write(…) of that")) << told;
  EXPECT_EQ(three.b[11], -1);  // as after a run
}

TEST(GraphCheck, AWriteThatChangesNothingIsTold) {
  std::vector<int> a(4), b(4);
  Graph graph;
  graph.add("a", {write(a)}, 1, [&](std::size_t) { a[2] = 7; });
  graph.add("b", {write(b)}, 1, [&](std::size_t) {
    b[0] = 1;
    a[2] = 7;
  });
  EXPECT_TRUE(contains(check(graph), "node 1 \"b\" writes"));
}

TEST(GraphCheck, TilesAreToldApart) {
  constexpr std::size_t kSize = 32, kTile = 8;
  std::vector<double> x(kSize * kSize);
  const auto tile = [&](std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) {
    return View<double, 2>(x.data() + i * kSize + j, {rows, columns}, {kSize, 1});
  };
  for (const bool sound : {true, false}) {
    Graph graph;
    for (std::size_t i = 0; i < kSize; i += kTile)
      for (std::size_t j = 0; j < kSize; j += kTile)
        graph.add("tile", {write(tile(i, j, kTile, kTile))}, 1, [&, i, j](std::size_t) {
          for (std::size_t row = i; row < i + kTile; ++row)
            for (std::size_t column = j; column < j + kTile + (!sound && i == 16 && j == 8 ? 1 : 0); ++column)
              x[row * kSize + column] += 1;
        });
    const std::string told = check(graph);
    if (sound)
      EXPECT_EQ(told, kNothing);
    else
      EXPECT_TRUE(contains(
          told, "node 9 \"tile\" writes what it has not declared, at least some of bytes 0 to 7 of what node 10 \"tile\" writes"))
          << told;
  }
}

TEST(GraphCheck, WhatNoNodeWritesNeedNotBeWritable) {
  static constexpr double kWeights[3] = {1, 2, 1};
  std::vector<double> x(3);
  Graph graph;
  graph.add("weigh", {read(kWeights), write(x)}, 1, [&](std::size_t) { x[0] += kWeights[1]; });
  graph.add("other", {write(std::span(x).subspan(1))}, 1, [&](std::size_t) { x[1] = 1; });
  EXPECT_EQ(check(graph), kNothing);
}

TEST(GraphCheck, AReadThatMakesTheBodyThrowIsFound) {
  std::vector<int> a(4), b(4);
  Graph graph;
  graph.add("a", {write(a)}, 1, [&](std::size_t) { std::iota(a.begin(), a.end(), 1); });
  graph.add("b", {write(b)}, 1, [&](std::size_t) {
    if (a[1] != 2) throw std::runtime_error("mine");
    b[0] = 1;
  });
  EXPECT_TRUE(contains(check(graph), "node 1 \"b\" reads"));
  EXPECT_EQ(a, (std::vector<int>{1, 2, 3, 4}));
}

TEST(GraphCheck, OtherResultsEachTimeAreNoRead) {
  std::vector<int> a(4), b(4);
  int runs = 0;
  Graph graph;
  graph.add("a", {write(a)}, 1, [&](std::size_t) { a[2] = 7; });
  graph.add("b", {write(b)}, 1, [&](std::size_t) { b[0] = ++runs; });
  EXPECT_EQ(check(graph), kNothing);
}

TEST(GraphCheck, ManyFaultsAreCutShort) {
  std::vector<int> cells(30);
  Graph graph;
  for (std::size_t node = 0; node < cells.size(); ++node)
    graph.add("cell", {write(std::span(cells).subspan(node, 1))}, 1, [&, node](std::size_t) { cells[(node + 1) % 30] += 1; });
  const std::string told = check(graph);
  EXPECT_TRUE(contains(told, "\n  node 9 ")) << told;
  EXPECT_FALSE(contains(told, "\n  node 10 ")) << told;
  EXPECT_TRUE(contains(told, "more")) << told;
}

TEST(GraphCheck, EmptyGraphsAndThrowingBodies) {
  Graph graph;
  EXPECT_EQ(check(graph), kNothing);
  int x = 0;
  graph.add("throws", {write(std::span(&x, 1))}, 1, [](std::size_t) { throw std::runtime_error("mine"); });
  EXPECT_EQ(message_of<std::runtime_error>([&] { graph.check(); }), "mine");
}

/// In graphs of random ranges, one access left out of one node is told of that node, if the graph has somebody else for it.
TEST(GraphCheck, ARangeLeftOutIsFoundWhereverItIs) {
  std::mt19937 random(11);
  for (std::size_t round = 0; round < support::repeats(300); ++round) {
    std::vector<std::uint32_t> memory(64);
    std::iota(memory.begin(), memory.end(), 1U);
    const std::size_t nodes = 2 + random() % 20;
    const std::size_t faulty = random() % nodes;
    Graph graph;
    graph.add("all", {write(memory)}, 1, [&](std::size_t) { memory[0] += 1; });
    for (std::size_t node = 0; node < nodes; ++node) {
      const std::size_t from = random() % 60, to = random() % 60, size = 1 + random() % 4;
      const std::span whole(memory);
      const bool apart = from + size <= to || to + size <= from;
      std::vector<Access> accesses{write(whole.subspan(to, size))};
      if (node != faulty || !apart) accesses.push_back(read(whole.subspan(from, size)));
      graph.add(node == faulty && apart ? "faulty" : "sound", accesses, 1, [&memory, from, to, size](std::size_t) {
        for (std::size_t k = 0; k < size; ++k) memory[to + k] = memory[to + k] * 3 + memory[from + size - 1 - k];
      });
    }
    const std::string told = check(graph);
    EXPECT_FALSE(contains(told, "\"sound\" reads") || contains(told, "write(…)")) << told;
    EXPECT_EQ(contains(told, "\"faulty\" reads"), contains(graph.dot(), "faulty")) << told;
  }
}

}  // namespace
}  // namespace furrow
