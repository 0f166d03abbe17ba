#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

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

/// Sixteen sweeps over spins of a byte each, as one writes them: a generator for each thread, of whose numbers a cell takes one if
/// its flip costs energy, and a table of the probabilities.
void ising(table::Operands& operands, int threads) {
  constexpr auto kHalves = 2 * kSteps;  // a sweep of either colour
  const double temperature = 3;
  const std::size_t n = operands.size();
  const std::uint8_t* const a = operands.a<std::uint8_t>().data();
  std::uint8_t* const out = operands.out<std::uint8_t>().data();
  const std::size_t width = std::max<std::size_t>(2, std::bit_floor(n) >> std::bit_width(n) / 2);
  const std::size_t height = n / width / 2 * 2;
  const std::size_t cells = width * height;
  std::copy(a + cells, a + n, out + cells);
  std::uint32_t limits[2];  // of numbers below 2^32, by how many neighbours are unlike
  for (int unlike = 0; unlike < 2; ++unlike)
    limits[unlike] = static_cast<std::uint32_t>(std::exp((4 * unlike - 8) / temperature) * 0x1p32);
#pragma omp parallel num_threads(threads)
  {
    std::mt19937 random(static_cast<std::uint32_t>(omp_get_thread_num()));
#pragma omp for schedule(static)
    for (std::size_t i = 0; i < cells; ++i) out[i] = a[i] & 1;
    for (std::size_t half = 0; half < kHalves; ++half) {
#pragma omp for schedule(static)
      for (std::size_t y = 0; y < height; ++y) {
        std::uint8_t* const here = out + y * width;
        const std::uint8_t* const above = out + (y == 0 ? height - 1 : y - 1) * width;
        const std::uint8_t* const below = out + (y + 1 == height ? 0 : y + 1) * width;
        for (std::size_t x = (y + half) % 2; x < width; x += 2) {
          const std::uint8_t spin = here[x];
          const std::uint8_t left = here[x == 0 ? width - 1 : x - 1];
          const std::uint8_t right = here[x + 1 == width ? 0 : x + 1];
          const int unlike = (spin ^ above[x]) + (spin ^ below[x]) + (spin ^ left) + (spin ^ right);
          if (unlike >= 2 || random() < limits[unlike]) here[x] = spin ^ 1;
        }
      }
    }
  }
}

/// Makes compilers compute it.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// A call and its Greeks, as one writes it: a generator and a distribution for each thread, and the exponential function of each
/// path.
void options(table::Operands& operands, int threads) {
  const std::size_t n = operands.size();
  const double spot = 100;
  const double strike = 100;
  const double rate = 0.05;
  const double volatility = 0.2;
  double payoffs = 0, deltas = 0, vegas = 0;
  double payoff_squares = 0, delta_squares = 0, vega_squares = 0;
#pragma omp parallel num_threads(threads) reduction(+ : payoffs, deltas, vegas, payoff_squares, delta_squares, vega_squares)
  {
    std::mt19937_64 random(static_cast<std::uint64_t>(omp_get_thread_num()));
    std::normal_distribution<double> normal;
#pragma omp for schedule(static)
    for (std::size_t i = 0; i < n; ++i) {
      const double z = normal(random);
      const double price = spot * std::exp(rate - 0.5 * volatility * volatility + volatility * z);
      if (price > strike) {
        const double payoff = price - strike;
        const double delta = price / spot;
        const double vega = price * (z - volatility);
        payoffs += payoff;
        deltas += delta;
        vegas += vega;
        payoff_squares += payoff * payoff;
        delta_squares += delta * delta;
        vega_squares += vega * vega;
      }
    }
  }
  keep(deltas + vegas + payoff_squares + delta_squares + vega_squares);
  operands.set_result(payoffs / static_cast<double>(n));
}

/// The price and its derivatives by spot and volatility, over all paths so far.
struct Totals {
  double sums[3] = {};
  double squares[3] = {};
  void add(double payoff, double delta, double vega) {
    const double values[] = {payoff, delta, vega};
    for (int k = 0; k < 3; ++k) {
      sums[k] += values[k];
      squares[k] += values[k] * values[k];
    }
  }
  Totals& operator+=(const Totals& other) {
    for (int k = 0; k < 3; ++k) {
      sums[k] += other.sums[k];
      squares[k] += other.squares[k];
    }
    return *this;
  }
};

/// European, geometric and arithmetic Asian and barrier calls over twelve dates, path after path.
void all_options(table::Operands& operands, int threads) {
  constexpr int kDates = 12;
  const std::size_t n = operands.size();
  const double spot = 100, strike = 100, rate = 0.05, volatility = 0.2, barrier = 90;
  const double dt = 1.0 / kDates;
  const double drift = (rate - 0.5 * volatility * volatility) * dt;
  const double tilt = (rate + 0.5 * volatility * volatility) * dt;
  const double spread = volatility * std::sqrt(dt);
  const double log_barrier = std::log(barrier / spot);
  const double bridge = 2 / (volatility * volatility * dt);
  Totals all[4];
#pragma omp parallel num_threads(threads)
  {
    Totals own[4];
    std::mt19937_64 random(static_cast<std::uint64_t>(omp_get_thread_num()));
    std::normal_distribution<double> normal;
#pragma omp for schedule(static)
    for (std::size_t i = 0; i < n; ++i) {
      double x = 0, y = 0, price = spot, sum = 0, sum_by_volatility = 0, sum_of_logs = 0;
      double alive = 1, alive_by_spot = 0, alive_by_volatility = 0;
      for (int date = 1; date <= kDates; ++date) {
        const double x0 = x, y0 = y;
        x += drift + spread * normal(random);
        y = (x - tilt * date) / volatility;
        price = spot * std::exp(x);
        sum += price;
        sum_by_volatility += price * y;
        sum_of_logs += x;
        if (alive > 0) {
          const double a = x0 - log_barrier, b = x - log_barrier;
          if (b <= 0) {
            alive = alive_by_spot = alive_by_volatility = 0;
          } else {
            const double met = std::exp(-bridge * a * b);
            const double slope = bridge * met;
            alive_by_spot = alive_by_spot * (1 - met) + alive * slope * (a + b);
            alive_by_volatility = alive_by_volatility * (1 - met) + alive * slope * (y0 * b + a * y - 2 / volatility * a * b);
            alive *= 1 - met;
          }
        }
      }
      const double geometric = spot * std::exp(sum_of_logs / kDates);
      const double mean = sum / kDates;
      const double payoff = std::max(price - strike, 0.0);
      const double in = price > strike ? price / spot : 0, g_in = geometric > strike ? geometric / spot : 0;
      own[0].add(payoff, in, in * spot * y);
      own[1].add(std::max(geometric - strike, 0.0), g_in,
                 g_in * spot * (sum_of_logs / kDates - tilt * (kDates + 1) / 2) / volatility);
      own[2].add(std::max(mean - strike, 0.0), mean > strike ? mean / spot : 0, mean > strike ? sum_by_volatility / kDates : 0);
      own[3].add(alive * payoff, (alive_by_spot * payoff) / spot + alive * in,
                 alive_by_volatility * payoff + alive * in * spot * y);
    }
#pragma omp critical
    for (int contract = 0; contract < 4; ++contract) all[contract] += own[contract];
  }
  keep(all);
  operands.set_result(all[2].sums[0] / static_cast<double>(n));
}

constexpr Peer kPeers[] = {{"heat2d", heat2d},
                           {"heat3d", heat3d},
                           {"wave2d", wave2d},
                           {"gray_scott", gray_scott},
                           {"lbm2d", lattice},
                           {"nbody", nbody, true},
                           {"ising", ising, false, true},
                           {"options", options, true},
                           {"options_all", all_options, true}};

}  // namespace

template <>
std::span<const Peer> raw_openmp_simulations<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
