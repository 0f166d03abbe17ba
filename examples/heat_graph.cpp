// Heat in a rod, as a graph of parts and time steps: a part of the next step waits for its neighbours of this one and not for the
// whole rod.
#include <algorithm>
#include <cstdio>
#include <furrow/furrow.hpp>
#include <span>
#include <string>
#include <vector>

namespace {

constexpr std::size_t n = 1'000'000;
constexpr std::size_t part = 50'000;
constexpr std::size_t steps = 20;  // a multiple of the two buffers: a second run goes on where the first ended

void heat(std::span<const double> from, std::span<double> to, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) to[i] = from[i] + 0.25 * (from[i - 1] - 2 * from[i] + from[i + 1]);
}

std::vector<double> cold_with_a_hot_end() {
  std::vector<double> rod(n, 0.0);
  rod[0] = 100;
  return rod;
}

/// The nodes of `steps` steps: each reads its part and a neighbour on either side.
std::span<double> add_steps(furrow::Graph& graph, std::vector<double>& a, std::vector<double>& b) {
  return graph.repeat(steps, {std::span(a), std::span(b)}, [&](std::size_t, std::span<double> from, std::span<double> to) {
    for (std::size_t begin = 1; begin < n - 1; begin += part) {
      const std::size_t end = std::min(begin + part, n - 1);
      graph.add("part", {furrow::read(from.subspan(begin - 1, end - begin + 2)), furrow::write(to.subspan(begin, end - begin))}, 1,
                [=](std::size_t) { heat(from, to, begin, end); });
    }
  });
}

}  // namespace

int main() {
  std::vector<double> expected = cold_with_a_hot_end(), other = expected;
  for (std::size_t step = 0; step < steps; ++step) {
    heat(expected, other, 1, n - 1);
    expected.swap(other);
  }
  for (const std::string& backend : furrow::backends()) {
    furrow::Engine engine(backend);
    std::vector<double> a = cold_with_a_hot_end(), b = a;
    furrow::Graph graph;
    const std::span<double> result = add_steps(graph, a, b);
    graph.run(engine);
    std::printf("%-8s %zu nodes, %zu dependencies, %d thread(s)\n", backend.c_str(), graph.size(), graph.dependencies(),
                engine.last_run().threads);
    if (!std::ranges::equal(result, expected)) return 1;
  }

  // Somebody forgot the neighbours. Most runs would be right all the same; check() says what is missing.
  std::vector<double> a = cold_with_a_hot_end(), b = a;
  furrow::Graph wrong;
  wrong.repeat(2, {std::span(a), std::span(b)}, [&](std::size_t, std::span<double> from, std::span<double> to) {
    for (std::size_t begin = 1; begin < n - 1; begin += part) {
      const std::size_t end = std::min(begin + part, n - 1);
      wrong.add("part", {furrow::read(from.subspan(begin, end - begin)), furrow::write(to.subspan(begin, end - begin))}, 1,
                [=](std::size_t) { heat(from, to, begin, end); });
    }
  });
  try {
    wrong.check();
    return 1;  // it must not pass
  } catch (const furrow::Error& error) {
    std::printf("%s\n", error.what());
  }
  return 0;
}
