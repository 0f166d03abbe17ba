#include <algorithm>
#include <bit>

#include "furrow/kernels/instruction_set.hpp"
#include "furrow/kernels/simulations/attraction.hpp"
#include "furrow/kernels/simulations/gray_scott.hpp"
#include "furrow/kernels/simulations/heat.hpp"
#include "furrow/kernels/simulations/nbody.hpp"
#include "furrow/kernels/simulations/wave.hpp"
#include "furrow/kernels/table/rows.hpp"

// What simulations do to their state, sixteen steps of it, on periodic grids that hold as many of the elements as fit; the rest is
// copied. (benchmarks/peers/raw_openmp_simulations.cpp has the same grids.)

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

constexpr std::size_t kSteps = 16;

std::size_t root(std::size_t n, std::size_t degree) {
  std::size_t side = 0;
  const auto power = [degree](std::size_t x) { return degree == 2 ? x * x : x * x * x; };
  while (power(side + 1) <= n) ++side;
  return side;
}

/// Cubes, and squares of the elements of each of `fields` fields, which stand one after the other.
template <std::size_t D>
struct Shape {
  explicit Shape(std::size_t n, std::size_t fields = 1) { extents.fill(root(n / fields, D)); }
  std::size_t cells() const {
    std::size_t product = 1;
    for (const std::size_t extent : extents) product *= extent;
    return product;
  }
  std::array<std::size_t, D> extents;
};

void copy_rest(std::span<const double> a, std::span<double> out, std::size_t from) {
  std::ranges::copy(a.subspan(from), out.subspan(from).begin());
}

/// The neighbour of a cell in a periodic square, by rows and columns (-1, 0 or 1).
struct Near {
  std::size_t side;
  std::size_t row, column;
  std::size_t operator()(std::size_t rows, std::size_t columns) const {
    return (row + side + rows) % side * side + (column + side + columns) % side;
  }
};

/// 4-neighbourhood of f at a cell: (above + below) + (left + right).
double around(const double* f, const Near& at) {
  constexpr auto back = static_cast<std::size_t>(-1);
  return (f[at(back, 0)] + f[at(1, 0)]) + (f[at(0, back)] + f[at(0, 1)]);
}

/// kSteps of `step(now, next, near)` over the cells of a square, from what is in `a`; of two fields, at `side`² apart.
template <class Step>
void steps_of_squares(Operands& x, std::size_t fields, const Step& step) {
  const auto a = x.a<double>(), out = x.out<double>();
  const Shape<2> shape(out.size(), fields);
  const std::size_t side = shape.extents[0];
  std::vector<double> now(a.begin(), a.end());
  std::vector<double> next = now;
  for (std::size_t i = 0; i < kSteps; ++i) {
    for (std::size_t row = 0; row < side; ++row)
      for (std::size_t column = 0; column < side; ++column) step(now.data(), next.data(), Near{side, row, column});
    now.swap(next);
  }
  std::ranges::copy(now, out.begin());
}

constexpr double kDiffusion = 0.2;

void heat2d_reference(Operands& x) {
  steps_of_squares(x, 1, [](const double* now, double* next, const Near& near) {
    const std::size_t here = near(0, 0);
    next[here] = now[here] + kDiffusion * (around(now, near) - 4 * now[here]);
  });
}

void heat3d_reference(Operands& x) {
  const auto a = x.a<double>(), out = x.out<double>();
  const std::size_t side = Shape<3>(out.size()).extents[0];
  std::vector<double> now(a.begin(), a.end());
  std::vector<double> next = now;
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < side * side * side; ++i) {
      const std::size_t plane = i / (side * side);
      const Near near{side, i / side % side, i % side};
      const double* const layer = now.data() + plane * side * side;
      const double planes =
          now[(plane + side - 1) % side * side * side + near(0, 0)] + now[(plane + 1) % side * side * side + near(0, 0)];
      constexpr auto back = static_cast<std::size_t>(-1);
      const double rows = layer[near(back, 0)] + layer[near(1, 0)];
      const double columns = layer[near(0, back)] + layer[near(0, 1)];
      next[i] = now[i] + kDiffusion / 2 * (((planes + rows) + columns) - 6 * now[i]);
    }
    now.swap(next);
  }
  std::ranges::copy(now, out.begin());
}

constexpr double kCourant = 0.36;  // (c dt / h)²

void wave2d_reference(Operands& x) {
  steps_of_squares(x, 2, [](const double* now, double* next, const Near& near) {
    const std::size_t here = near(0, 0);
    const double* const before = now + near.side * near.side;
    next[here] = ((now[here] + now[here]) + kCourant * (around(now, near) - 4 * now[here])) - before[here];
    next[near.side * near.side + here] = now[here];
  });
}

/// v in the quarter of u's range where its reaction does not run away.
void gray_scott_inputs(Operands& x) {
  positive_inputs(x);
  for (double& v : x.a<double>().subspan(Shape<2>(x.size(), 2).cells())) v *= 0.25;
}

void gray_scott_reference(Operands& x) {
  const sim::GrayScottOptions<2> options;
  const double feed = options.feed;
  const double loss = options.feed + options.kill;
  steps_of_squares(x, 2, [&](const double* u, double* next, const Near& near) {
    const std::size_t here = near(0, 0);
    const std::size_t cells = near.side * near.side;
    const double* const v = u + cells;
    const double turned = u[here] * (v[here] * v[here]);
    const double flow_u = options.diffusion_u * (around(u, near) - 4 * u[here]);
    const double flow_v = options.diffusion_v * (around(v, near) - 4 * v[here]);
    next[here] = u[here] + ((flow_u - turned) + feed * (1 - u[here]));
    next[cells + here] = v[here] + ((flow_v + turned) - loss * v[here]);
  });
}

/// So many bodies that there are about four pairs for each element, whose coordinates and masses are among the elements.
std::size_t bodies_in(std::size_t n) {
  return std::min(n / 4, root(4 * n, 2));
}

template <class T>
void attract_bodies(Engine& engine, Operands& x) {
  const std::size_t n = bodies_in(x.size());
  const auto a = x.a<T>(), out = x.out<T>();
  std::vector<double> sums[3] = {std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  sim::attract<T>(engine, {a.first(n), a.subspan(n, n), a.subspan(2 * n, n), a.subspan(3 * n, n)}, 0.25, sums[0], sums[1], sums[2]);
  for (std::size_t k = 0; k < 3; ++k)
    std::ranges::transform(sums[k], out.subspan(k * n).begin(), [](double sum) { return static_cast<T>(sum); });
  std::ranges::copy(a.subspan(3 * n), out.subspan(3 * n).begin());
}

/// a · b + c, rounded once where the instruction set of named kernels does so.
template <class T>
T multiply_add(T a, T b, T c) {
  static const bool fused = instruction_set() == "avx512" || instruction_set() == "avx2";
  return fused ? std::fma(a, b, c) : a * b + c;
}

/// mass · x^(-3/2) / kScale
template <class T>
T mass_by_cube(T x, T mass) {
  using Numbers = sim::InverseCube<T>;
  using Bits = typename Numbers::Bits;
  const T guess = std::bit_cast<T>(static_cast<Bits>(Numbers::kMagic - (std::bit_cast<Bits>(x) >> 1)));
  const T square = guess * guess;
  const T a = multiply_add(x, square, Numbers::kP[0]);
  const T y = multiply_add(a, a, Numbers::kP[1]);
  if constexpr (sizeof(T) == 4) {
    const T p = multiply_add(y + (a + Numbers::kP[2]), y, Numbers::kP[3]);
    return guess * mass * square * p;
  } else {
    const T root = guess * y;
    const T root_square = root * root;
    const T e = multiply_add(-x, root_square, Numbers::kQ[0]);
    const T q = multiply_add(multiply_add(e, e, Numbers::kQ[1]), e, Numbers::kQ[2]);
    return root * mass * root_square * q;
  }
}

template <class T>
void attract_bodies_reference(Operands& x) {
  const std::size_t n = bodies_in(x.size());
  const auto a = x.a<T>(), out = x.out<T>();
  std::ranges::copy(a.subspan(3 * n), out.subspan(3 * n).begin());
  for (std::size_t i = 0; i < n; ++i) {
    double sums[3] = {};
    for (std::size_t first = 0; first < n; first += sim::kTermsTogether) {
      T terms[3] = {};
      for (std::size_t j = first; j < std::min(first + sim::kTermsTogether, n); ++j) {
        T towards[3];
        T square = T(0.0625);
        for (std::size_t k = 0; k < 3; ++k) {
          towards[k] = a[k * n + j] - a[k * n + i];
          square = multiply_add(towards[k], towards[k], square);
        }
        const T factor = mass_by_cube(square, a[3 * n + j]);
        for (std::size_t k = 0; k < 3; ++k) terms[k] = multiply_add(factor, towards[k], terms[k]);
      }
      for (std::size_t k = 0; k < 3; ++k) sums[k] += static_cast<double>(terms[k]);
    }
    for (std::size_t k = 0; k < 3; ++k) out[k * n + i] = static_cast<T>(sim::InverseCube<T>::kScale * sums[k]);
  }
}

}  // namespace

void add_simulations(std::vector<Kernel>& rows) {
  const Kernel heat2d{.name = "heat2d",
                      .family = "simulations",
                      .formula = "sixteen steps of heat2d",
                      .types = {Type::f64},
                      .reads = 1,
                      .writes = 1,
                      .flops = kSteps * 6,
                      .make_inputs = random_inputs,
                      .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                        const Shape<2> shape(x.size());
                        const std::size_t cells = shape.cells();
                        sim::diffuse<2>(e, x.a<T>().first(cells), x.out<T>().first(cells), shape.extents, kDiffusion, kSteps);
                        copy_rest(x.a<T>(), x.out<T>(), cells);
                      }>,
                      .reference = heat2d_reference,
                      .largest = std::size_t{1} << 24,
                      .of_sums = true};  // of what sixteen steps have brought from hundreds of cells
  rows.push_back(heat2d);
  rows.push_back(heat2d);
  rows.back().name = "heat3d";
  rows.back().formula = "sixteen steps of heat3d";
  rows.back().flops = kSteps * 8;
  rows.back().run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
    const Shape<3> shape(x.size());
    const std::size_t cells = shape.cells();
    sim::diffuse<3>(e, x.a<T>().first(cells), x.out<T>().first(cells), shape.extents, kDiffusion / 2, kSteps);
    copy_rest(x.a<T>(), x.out<T>(), cells);
  }>;
  rows.back().reference = heat3d_reference;
  rows.push_back(heat2d);
  rows.back().name = "wave2d";
  rows.back().formula = "sixteen steps of wave2d, of half as many cells";
  rows.back().flops = kSteps * 9 / 2.0;
  rows.back().run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
    const Shape<2> shape(x.size(), 2);
    const std::size_t cells = shape.cells();
    const auto a = x.a<T>(), out = x.out<T>();
    sim::propagate(e, a.first(cells), a.subspan(cells, cells), out.first(cells), out.subspan(cells, cells), shape.extents, kCourant,
                   kSteps);
    copy_rest(a, out, 2 * cells);
  }>;
  rows.back().reference = wave2d_reference;
  rows.push_back(heat2d);
  rows.back().name = "gray_scott";
  rows.back().formula = "sixteen steps of gray_scott, of half as many cells";
  rows.back().flops = kSteps * 22 / 2.0;
  rows.back().make_inputs = gray_scott_inputs;
  rows.back().run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
    const Shape<2> shape(x.size(), 2);
    const std::size_t cells = shape.cells();
    const auto a = x.a<T>(), out = x.out<T>();
    sim::react(e, a.first(cells), a.subspan(cells, cells), out.first(cells), out.subspan(cells, cells), shape.extents, {}, kSteps);
    copy_rest(a, out, 2 * cells);
  }>;
  rows.back().reference = gray_scott_reference;
  rows.push_back({.name = "nbody",
                  .family = "simulations",
                  .formula = "attraction of bodies, four pairs for each element",
                  .types = kFloats,
                  .reads = 1,
                  .writes = 1,
                  .flops = 80,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { attract_bodies<T>(e, x); }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) { attract_bodies_reference<T>(x); }>,
                  .specials = Special::none,
                  .of_sums = true,
                  .fuses = true});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
