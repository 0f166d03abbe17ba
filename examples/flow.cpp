// Ten kernels over the same arrays: called one after the other, and tile by tile while a tile is in cache.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <furrow/furrow.hpp>
#include <string>
#include <vector>

namespace {

/// The same calls for an engine, which makes them at once, and for a flow.
template <class Runner>
void eight_kernels(Runner& runner, const furrow::Array<double>& x, furrow::Array<double>& y) {
  furrow::copy(runner, x, y);
  furrow::square(runner, y, y);
  furrow::axpy(runner, 0.5, x, y);
  furrow::abs(runner, y, y);
  furrow::sqrt(runner, y, y);
  furrow::sub(runner, y, x, y);
  furrow::maximum(runner, y, x, y);
  furrow::mul(runner, y, x, y);
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
  furrow::Array<double> x(engine, std::size_t{1} << 24);
  furrow::Array<double> y(engine, x.size());
  furrow::for_each_index(engine, x.size(), [&](std::size_t i) { x[i] = static_cast<double>(i % 1000) / 7 - 70; });

  double sum = 0;
  double product = 0;
  const double by_call = milliseconds([&] {
    eight_kernels(engine, x, y);
    sum = furrow::sum(engine, y);
    product = furrow::dot(engine, x, y);
  });
  const std::vector<double> expected(y.begin(), y.end());

  double sum_of_flow = 0;
  double product_of_flow = 0;
  furrow::Flow flow;
  eight_kernels(flow, x, y);
  furrow::sum(flow, y, sum_of_flow);
  furrow::dot(flow, x, y, product_of_flow);
  furrow::fill(engine, y, 0.0);
  const double by_tile = milliseconds([&] { flow.run(engine); });

  std::printf("ten kernels over %zu numbers on %s: call by call %.0f ms, tile by tile %.0f ms\n", x.size(),
              std::string(engine.backend()).c_str(), by_call, by_tile);
  const bool same = sum == sum_of_flow && product == product_of_flow && std::equal(y.begin(), y.end(), expected.begin());
  return same ? EXIT_SUCCESS : (std::printf("they differ\n"), EXIT_FAILURE);
}
