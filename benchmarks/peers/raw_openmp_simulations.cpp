#include <array>
#include <cmath>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/lattice.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/simulations/gray_scott.hpp"

// Steps of simulations as a careful user writes them: one parallel region for all steps, rows shared out the same in each, loops
// over a row that vectorise, the wrapped cells at its ends apart.

namespace furrow::bench {
namespace {

constexpr std::size_t kSteps = 16;

/// The largest square or cube of so many cells.
std::size_t side_of(std::size_t cells, int dimensions) {
  auto side = static_cast<std::size_t>(std::pow(static_cast<double>(cells), 1.0 / dimensions) + 1);
  while ((dimensions == 2 ? side * side : side * side * side) > cells) --side;
  return side;
}

/// Steps of `fields` fields of a grid, from a to out by way of scratch: step_row(from, to, row) for each of `rows` rows.
template <class StepRow>
void steps(table::Operands& operands, int threads, std::size_t used, std::size_t rows, const StepRow& step_row) {
  const double* const a = operands.a<double>().data();
  double* const out = operands.out<double>().data();
  std::copy(a + used, a + operands.size(), out + used);
  const Scratch<double> scratch(used);
  double* const other = scratch.data();
#pragma omp parallel num_threads(threads)
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double* const from = step == 0 ? a : step % 2 == 1 ? other : out;
    double* const to = step % 2 == 0 ? other : out;
#pragma omp for schedule(static)
    for (std::size_t row = 0; row < rows; ++row) step_row(from, to, row);
  }
}

/// cell(left, here, right) for all cells of a row of a periodic grid.
template <class Cell>
inline void each_cell(std::size_t side, const Cell& cell) {
  cell(side - 1, 0, side > 1 ? 1 : 0);
#pragma GCC ivdep
  for (std::size_t j = 1; j + 1 < side; ++j) cell(j - 1, j, j + 1);
  if (side > 1) cell(side - 2, side - 1, 0);
}

void heat2d(table::Operands& operands, int threads) {
  const std::size_t side = side_of(operands.size(), 2);
  steps(operands, threads, side * side, side, [side](const double* from, double* to, std::size_t row) {
    const double* const up = from + (row + side - 1) % side * side;
    const double* const here = from + row * side;
    const double* const down = from + (row + 1) % side * side;
    double* const out = to + row * side;
    each_cell(side, [=](std::size_t l, std::size_t j, std::size_t r) {
      out[j] = here[j] + 0.2 * (((up[j] + down[j]) + (here[l] + here[r])) - 4 * here[j]);
    });
  });
}

void heat3d(table::Operands& operands, int threads) {
  const std::size_t side = side_of(operands.size(), 3);
  steps(operands, threads, side * side * side, side * side, [side](const double* from, double* to, std::size_t line) {
    const std::size_t plane = line / side;
    const std::size_t row = line % side;
    const auto at = [=](std::size_t p, std::size_t r) { return from + (p % side * side + r % side) * side; };
    const double* const here = at(plane, row);
    const double* const front = at(plane + side - 1, row);
    const double* const back = at(plane + 1, row);
    const double* const up = at(plane, row + side - 1);
    const double* const down = at(plane, row + 1);
    double* const out = to + line * side;
    each_cell(side, [=](std::size_t l, std::size_t j, std::size_t r) {
      out[j] = here[j] + 0.1 * ((((front[j] + back[j]) + (up[j] + down[j])) + (here[l] + here[r])) - 6 * here[j]);
    });
  });
}

void wave2d(table::Operands& operands, int threads) {
  const std::size_t side = side_of(operands.size() / 2, 2);
  const std::size_t cells = side * side;
  const double* const a = operands.a<double>().data();
  double* const out = operands.out<double>().data();
  std::copy(a + 2 * cells, a + operands.size(), out + 2 * cells);
  // What comes next takes the place of what was before; the first two steps read the input.
  double* const planes[] = {out + cells, out};
#pragma omp parallel num_threads(threads)
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double* const u = step == 0 ? a : planes[(step - 1) % 2];
    const double* const before = step == 0 ? a + cells : step == 1 ? a : planes[step % 2];
    double* const next = planes[step % 2];
#pragma omp for schedule(static)
    for (std::size_t row = 0; row < side; ++row) {
      const double* const up = u + (row + side - 1) % side * side;
      const double* const here = u + row * side;
      const double* const down = u + (row + 1) % side * side;
      const double* const old = before + row * side;
      double* const to = next + row * side;
      each_cell(side, [=](std::size_t l, std::size_t j, std::size_t r) {
        to[j] = ((here[j] + here[j]) + 0.36 * (((up[j] + down[j]) + (here[l] + here[r])) - 4 * here[j])) - old[j];
      });
    }
  }
}

void gray_scott(table::Operands& operands, int threads) {
  const std::size_t side = side_of(operands.size() / 2, 2);
  const std::size_t cells = side * side;
  const sim::GrayScottOptions<2> o;
  const double feed = o.feed, loss = o.feed + o.kill, flow_u = o.diffusion_u, flow_v = o.diffusion_v;
  steps(operands, threads, 2 * cells, side, [=](const double* from, double* to, std::size_t row) {
    const double* const up = from + (row + side - 1) % side * side;
    const double* const here = from + row * side;
    const double* const down = from + (row + 1) % side * side;
    double* const out = to + row * side;
    each_cell(side, [=](std::size_t l, std::size_t j, std::size_t r) {
      const double u = here[j];
      const double v = here[cells + j];
      const double turned = u * (v * v);
      const double around_u = ((up[j] + down[j]) + (here[l] + here[r])) - 4 * u;
      const double around_v = ((up[cells + j] + down[cells + j]) + (here[cells + l] + here[cells + r])) - 4 * v;
      out[j] = u + ((flow_u * around_u - turned) + feed * (1 - u));
      out[cells + j] = v + ((flow_v * around_v + turned) - loss * v);
    });
  });
}

void nbody(table::Operands& operands, int threads) {
  with_arrays<true>(operands, [threads]<class T>(const Arrays<T>& arrays) {
    const auto x = arrays;
    if constexpr (std::is_floating_point_v<T>) {
      const std::size_t n = std::min(x.n / 4, side_of(4 * x.n, 2));
      std::copy(x.a + 3 * n, x.a + x.n, x.out + 3 * n);
#pragma omp parallel for num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < n; ++i) {
        T sum_x = 0, sum_y = 0, sum_z = 0;
#pragma omp simd reduction(+ : sum_x, sum_y, sum_z)
        for (std::size_t j = 0; j < n; ++j) {
          const T dx = x.a[j] - x.a[i], dy = x.a[n + j] - x.a[n + i], dz = x.a[2 * n + j] - x.a[2 * n + i];
          const T square = dx * dx + dy * dy + dz * dz + T(0.0625);
          const T factor = x.a[3 * n + j] / (square * std::sqrt(square));
          sum_x += factor * dx;
          sum_y += factor * dy;
          sum_z += factor * dz;
        }
        x.out[i] = sum_x;
        x.out[n + i] = sum_y;
        x.out[2 * n + i] = sum_z;
      }
    }
  });
}

constexpr Peer kPeers[] = {{"heat2d", heat2d},         {"heat3d", heat3d}, {"wave2d", wave2d},
                           {"gray_scott", gray_scott}, {"lbm2d", lattice}, {"nbody", nbody, true}};

}  // namespace

template <>
std::span<const Peer> raw_openmp_simulations<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
