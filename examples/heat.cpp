// Heat in a plane, step after step: as one parallel loop for each step, and as a graph of strips that take their next step while
// they are in cache.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <furrow/engine/machine.hpp>
#include <furrow/furrow.hpp>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kWidth = 4096;
constexpr std::size_t kHeight = 4096;
constexpr int kSteps = 32;

using Plane = furrow::Array<double>;

/// A step of the rows [first, last). Cells at the rim keep their heat, so they are nobody's to compute.
void step_rows(const double* from, double* to, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const double* const up = from + (i - 1) * kWidth;
    const double* const here = up + kWidth;
    const double* const down = here + kWidth;
    double* const out = to + i * kWidth;
#pragma GCC ivdep
    for (std::size_t j = 1; j + 1 < kWidth; ++j)
      out[j] = here[j] + 0.1 * ((up[j] + down[j]) + (here[j - 1] + here[j + 1]) - 4 * here[j]);
  }
}

/// Both planes with a hot upper rim, so that it does not matter which of them a step begins with.
void set(furrow::Engine& engine, Plane& now, Plane& next) {
  for (Plane* plane : {&now, &next})
    furrow::for_each_index(engine, {kHeight, kWidth}, [&](std::size_t i, std::size_t j) {
      (*plane)[i * kWidth + j] = i == 0 ? 100.0 : static_cast<double>((i * 31 + j * 17) % 23);
    });
}

/// All threads wait for each other after each step, and each step fetches both planes from memory.
void step_by_step(furrow::Engine& engine, Plane& now, Plane& next) {
  constexpr std::size_t kTasks = 64;
  for (int step = 0; step < kSteps; ++step) {
    const double* const from = step % 2 == 0 ? now.data() : next.data();
    double* const to = step % 2 == 0 ? next.data() : now.data();
    engine.bulk(kTasks, [&](std::size_t task) {
      const std::size_t rows = kHeight - 2;
      step_rows(from, to, 1 + rows * task / kTasks, 1 + rows * (task + 1) / kTasks);
    });
  }
}

/// The steps of strips, as nodes that say what they read and write. Threads go on with what has become ready last: after a strip's
/// step that is the next step of the strip before it. So they walk along diagonals of strips and steps, and what lies on one has to
/// fit the cache.
furrow::Graph graph_of(Plane& now, Plane& next, int steps) {
  constexpr std::size_t kRowBytes = kWidth * sizeof(double);
  const std::size_t cache = std::max(furrow::machine().l3_bytes, std::size_t{8} << 20) / 8;
  const std::size_t rows = std::clamp<std::size_t>(cache / (2 * static_cast<std::size_t>(steps) * kRowBytes), 1, 64);
  furrow::Graph graph;
  for (int step = 0; step < steps; ++step) {
    const double* const from = step % 2 == 0 ? now.data() : next.data();
    double* const to = step % 2 == 0 ? next.data() : now.data();
    for (std::size_t first = 1; first < kHeight - 1; first += rows) {
      const std::size_t last = std::min(first + rows, kHeight - 1);
      graph.add("strip",
                {furrow::read(std::span(from + (first - 1) * kWidth, (last - first + 2) * kWidth)),
                 furrow::write(std::span(to + first * kWidth, (last - first) * kWidth))},
                1, [from, to, first, last](std::size_t) { step_rows(from, to, first, last); });
    }
  }
  return graph;
}

template <class Run>
double milliseconds(const Run& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main() {
  furrow::Engine engine;
  Plane now(engine, kWidth * kHeight);
  Plane next(engine, kWidth * kHeight);
  set(engine, now, next);
  const double by_step = milliseconds([&] { step_by_step(engine, now, next); });
  const std::vector<double> expected(now.begin(), now.end());

  set(engine, now, next);
  furrow::Graph graph = graph_of(now, next, kSteps);
  const double by_strip = milliseconds([&] { graph.run(engine); });
  std::printf("%d steps of %zu x %zu cells on %s: step by step %.0f ms, as a graph of %zu nodes %.0f ms\n", kSteps, kHeight, kWidth,
              std::string(engine.backend()).c_str(), by_step, graph.size(), by_strip);
  return std::equal(now.begin(), now.end(), expected.begin()) ? EXIT_SUCCESS : (std::printf("they differ\n"), EXIT_FAILURE);
}
