#pragma once

#include <array>
#include <bit>

#include "benchmarks/peers/formulas.hpp"
#include "furrow/engine/memory.hpp"

// The steps of `lbm2d` as one would write them with care: populations in arrays of their own, kept twice, pulled and collided in
// one loop that compilers vectorise.

namespace furrow::bench {
namespace {

/// One row's populations: those that come to it, by way of pointers to cell 0 of the rows where they are, and those that leave it.
struct LatticeRow {
  std::array<const double*, 9> from;
  std::array<double*, 9> to;
};

/// Cell x, between the cells w and e.
inline __attribute__((always_inline)) void lattice_cell(const LatticeRow& row, std::size_t w, std::size_t x, std::size_t e) {
  constexpr double kPlus = 1 / (3 * 0.05 + 0.5), kMinus = 1 / (3.0 / 16 / (3 * 0.05) + 0.5);
  const double g0 = row.from[0][x];
  const double g1 = row.from[1][w], g2 = row.from[2][e], g3 = row.from[3][x], g4 = row.from[4][x];
  const double g5 = row.from[5][w], g6 = row.from[6][e], g7 = row.from[7][e], g8 = row.from[8][w];
  const double s1 = g1 + g2, s2 = g3 + g4, s3 = g5 + g6, s4 = g7 + g8;
  const double d1 = g1 - g2, d2 = g3 - g4, d3 = g5 - g6, d4 = g7 - g8;
  const double rho = g0 + ((s1 + s2) + (s3 + s4));
  const double east = d1 + (d3 - d4), north = d2 + (d3 + d4);
  const double inverse = 1 / rho, u = east * inverse, v = north * inverse;
  const double uu = 4.5 * (east * u), vv = 4.5 * (north * v), uv = 9 * (east * v);
  const double base = rho - 1.0 / 3 * (uu + vv), across = base + (uu + vv);
  const double a1 = kPlus / 2 * (s1 - 2.0 / 9 * (base + uu)), b1 = kMinus / 2 * (d1 - 2.0 / 3 * east);
  const double a2 = kPlus / 2 * (s2 - 2.0 / 9 * (base + vv)), b2 = kMinus / 2 * (d2 - 2.0 / 3 * north);
  const double a3 = kPlus / 2 * (s3 - 1.0 / 18 * (across + uv)), b3 = kMinus / 2 * (d3 - 1.0 / 6 * (east + north));
  const double a4 = kPlus / 2 * (s4 - 1.0 / 18 * (across - uv)), b4 = kMinus / 2 * (d4 - 1.0 / 6 * (north - east));
  row.to[0][x] = g0 - kPlus * (g0 - 4.0 / 9 * base);
  row.to[1][x] = g1 - (a1 + b1);
  row.to[2][x] = g2 - (a1 - b1);
  row.to[3][x] = g3 - (a2 + b2);
  row.to[4][x] = g4 - (a2 - b2);
  row.to[5][x] = g5 - (a3 + b3);
  row.to[6][x] = g6 - (a3 - b3);
  row.to[7][x] = g7 - (a4 + b4);
  row.to[8][x] = g8 - (a4 - b4);
}

inline void lattice_row(const LatticeRow& given, std::size_t width) {
  const LatticeRow row = given;
  lattice_cell(row, width - 1, 0, width > 1 ? 1 : 0);
#pragma GCC ivdep
  for (std::size_t x = 1; x + 1 < width; ++x) lattice_cell(row, x - 1, x, x + 1);
  if (width > 1) lattice_cell(row, width - 2, width - 1, 0);
}

inline void lattice(table::Operands& operands, int threads) {
  constexpr std::size_t kSteps = 16;
  const double* const a = operands.a<double>().data();
  double* const out = operands.out<double>().data();
  const std::size_t n = operands.size();
  const std::size_t field = n / 9;
  const std::size_t width = std::max<std::size_t>(1, std::bit_floor(field) >> std::bit_width(field) / 2);
  const std::size_t height = field / width;
  for (std::size_t i = 0; i < 9; ++i)
    std::copy(a + i * field + width * height, a + (i + 1) * field, out + i * field + width * height);
  std::copy(a + 9 * field, a + n, out + 9 * field);
  const Scratch<double> scratch(9 * field);
  double* const other = scratch.data();
#pragma omp parallel num_threads(threads)
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double* const from = step == 0 ? a : step % 2 == 1 ? other : out;
    double* const to = step % 2 == 0 ? other : out;
#pragma omp for schedule(static)
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t above = (y == 0 ? height : y) - 1, below = y + 1 == height ? 0 : y + 1;
      const std::array<std::size_t, 9> where{y, y, y, below, above, below, above, below, above};
      LatticeRow row;
      for (std::size_t i = 0; i < 9; ++i) {
        row.from[i] = from + i * field + where[i] * width;
        row.to[i] = to + i * field + y * width;
      }
      lattice_row(row, width);
    }
  }
}

}  // namespace
}  // namespace furrow::bench
