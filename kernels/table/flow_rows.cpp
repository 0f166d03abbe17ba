#include "furrow/kernels/flow.hpp"

#include <algorithm>
#include <bit>

#include "furrow/engine/graph.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/stencil.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

/// Eight kernels over one array, for an engine or for a flow.
template <class R>
void eight_kernels(R& run, std::span<const double> a, std::span<const double> b, std::span<double> out) {
  furrow::mul(run, a, b, out);
  axpy(run, s<double>(), a, out);
  furrow::abs(run, out, out);
  furrow::sqrt(run, out, out);
  sub(run, out, b, out);
  maximum(run, out, a, out);
  triad(run, out, b, s<double>(), out);
  furrow::clamp(run, out, -1.0, 1.0, out);
}

double eight_operations(double a, double b) {
  double v = std::max(std::sqrt(std::abs(s<double>() * a + a * b)) - b, a);
  v += s<double>() * b;
  return std::clamp(v, -1.0, 1.0);
}

void chain_reference(Operands& x) {
  const auto a = x.a<double>(), b = x.b<double>(), out = x.out<double>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = eight_operations(a[i], b[i]);
  if (out.empty()) return x.set_result(0.0);
  x.set_result(reference::named_sum<double>(out.size(), [out](std::size_t i) { return out[i]; }) +
               reference::named_sum<double>(out.size(), [out, b](std::size_t i) { return out[i] * b[i]; }));
}

// A grid of cells whose heat flows to their neighbours; those at the rim keep theirs.

constexpr std::size_t kSteps = 16;

/// About as wide as high; a cell too many for full rows keeps its heat as well.
struct Grid {
  explicit Grid(std::size_t n) : width(std::max<std::size_t>(1, std::bit_floor(n) >> std::bit_width(n) / 2)), height(n / width) {}
  std::size_t width;
  std::size_t height;
};

double flowed(double up, double left, double here, double right, double down) {
  return here + 0.125 * ((up + down) + (left + right) - 4 * here);
}

/// One step of the rows [first, last), none of which is at the rim.
void step_rows(std::size_t width, const double* from, double* to, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const double* const up = from + (i - 1) * width;
    const double* const here = up + width;
    const double* const down = here + width;
    double* const out = to + i * width;
#pragma GCC ivdep
    for (std::size_t j = 1; j + 1 < width; ++j) out[j] = flowed(up[j], here[j - 1], here[j], here[j + 1], down[j]);
  }
}

void copy_rim(const Grid& grid, const double* from, double* to) {
  for (const std::size_t row : {std::size_t{0}, grid.height - 1})
    std::copy_n(from + row * grid.width, grid.width, to + row * grid.width);
  for (std::size_t row = 0; row < grid.height; ++row)
    for (const std::size_t cell : {row * grid.width, (row + 1) * grid.width - 1}) to[cell] = from[cell];
}

/// The steps of a strip of rows are nodes, each of which waits for the strip and its neighbours one step before; a thread goes on
/// with what has become ready last, so that strips are still in cache when they take their next step.
void heat(Engine& engine, std::span<const double> a, std::span<double> out) {
  const Grid grid(out.size());
  if (grid.width < 3 || grid.height < 3) return copy(engine, a, out);
  const Scratch<double> scratch(out.size());
  for (double* const to : {out.data(), scratch.data()}) copy_rim(grid, a.data(), to);
  std::copy(a.begin() + static_cast<std::ptrdiff_t>(grid.width * grid.height), a.end(),
            out.begin() + static_cast<std::ptrdiff_t>(grid.width * grid.height));
  // The strips between the first step and the last lie in an eighth of the cache that threads share.
  const std::size_t row_bytes = grid.width * sizeof(double);
  const std::size_t rows = std::clamp<std::size_t>(machine().l3_bytes / 8 / (2 * kSteps * row_bytes), 1, grid.height / 16 + 1);
  Graph graph;
  for (std::size_t step = 0; step < kSteps; ++step) {
    double* const to = (kSteps - step) % 2 == 1 ? out.data() : scratch.data();
    const double* const from = step == 0 ? a.data() : to == out.data() ? scratch.data() : out.data();
    for (std::size_t row = 1; row + 1 < grid.height; row += rows) {
      const std::size_t end = std::min(row + rows, grid.height - 1);
      graph.add("rows",
                {read(std::span(from + (row - 1) * grid.width, (end + 1 - (row - 1)) * grid.width)),
                 write(std::span(to + row * grid.width, (end - row) * grid.width))},
                1, [&grid, from, to, row, end](std::size_t) { step_rows(grid.width, from, to, row, end); });
    }
  }
  graph.run(engine);
}

void heat_reference(Operands& x) {
  const auto a = x.a<double>(), out = x.out<double>();
  std::vector<double> now(a.begin(), a.end());
  std::vector<double> next = now;
  const Grid grid(now.size());
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t i = 1; i + 1 < grid.height; ++i)
      for (std::size_t j = 1; j + 1 < grid.width; ++j) {
        const std::size_t k = i * grid.width + j;
        next[k] = flowed(now[k - grid.width], now[k - 1], now[k], now[k + 1], now[k + grid.width]);
      }
    now.swap(next);
  }
  std::ranges::copy(now, out.begin());
}

/// The same in the whole plane, whose edges are each other's neighbours.
void periodic_heat(Engine& engine, std::span<const double> a, std::span<double> out) {
  const Grid grid(out.size());
  const std::size_t cells = grid.width * grid.height;
  std::ranges::copy(a.subspan(cells), out.subspan(cells).begin());
  const auto step = [](const auto& u) { return flowed(u(-1, 0), u(0, -1), u(0, 0), u(0, 1), u(1, 0)); };
  stencil(engine, a.first(cells), out.first(cells), {grid.height, grid.width}, Boundary::periodic(), kSteps, step);
}

void periodic_heat_reference(Operands& x) {
  const auto a = x.a<double>(), out = x.out<double>();
  std::vector<double> now(a.begin(), a.end());
  std::vector<double> next = now;
  const Grid grid(now.size());
  const auto [width, height] = grid;
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < height; ++i)
      for (std::size_t j = 0; j < width; ++j)
        next[i * width + j] = flowed(now[(i + height - 1) % height * width + j], now[i * width + (j + width - 1) % width],
                                     now[i * width + j], now[i * width + (j + 1) % width], now[(i + 1) % height * width + j]);
    now.swap(next);
  }
  std::ranges::copy(now, out.begin());
}

}  // namespace

void add_flows(std::vector<Kernel>& rows) {
  const Kernel chain{.name = "chain",
                     .family = "irregular",
                     .formula = "eight kernels over out, Σ out + Σ out · b: ten calls",
                     .types = {Type::f64},
                     .reads = 2,
                     .writes = 1,
                     .flops = 15,
                     .make_inputs = random_inputs,
                     .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                       eight_kernels(e, x.a<T>(), x.b<T>(), x.out<T>());
                       x.set_result(sum(e, x.out<T>()) + dot(e, x.out<T>(), x.b<T>()));
                     }>,
                     .reference = chain_reference,
                     .specials = Special::none};
  rows.push_back(chain);
  rows.push_back(chain);
  rows.back().name = "chain_flow";
  rows.back().formula = "the same, tile by tile";
  rows.back().run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
    T total = 0;
    T product = 0;
    Flow flow;
    eight_kernels(flow, x.a<T>(), x.b<T>(), x.out<T>());
    sum(flow, x.out<T>(), total);
    dot(flow, x.out<T>(), x.b<T>(), product);
    flow.run(e);
    x.set_result(total + product);
  }>;
  rows.push_back({.name = "heat",
                  .family = "irregular",
                  .formula = "sixteen steps of heat in a plane, as a graph of strips",
                  .types = {Type::f64},
                  .reads = 1,
                  .writes = 1,
                  .flops = kSteps * 6,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) { heat(e, x.a<T>(), x.out<T>()); }>,
                  .reference = heat_reference});
  rows.push_back({.name = "stencil",
                  .family = "irregular",
                  .formula = "sixteen steps of heat in a periodic plane",
                  .types = {Type::f64},
                  .reads = 1,
                  .writes = 1,
                  .flops = kSteps * 6,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) { periodic_heat(e, x.a<T>(), x.out<T>()); }>,
                  .reference = periodic_heat_reference});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
