// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/wave.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/wave.hpp"

#include <algorithm>
#include <cmath>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simulations/line_kernels.hpp"
#include "furrow/kernels/simulations/parameter.hpp"
#include "furrow/kernels/stencil.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_WAVE_ONCE
#define FURROW_KERNELS_SIMULATIONS_WAVE_ONCE
namespace furrow::sim {

/// One step of `size` cells from `first` on, in the middle of three lines.
struct WaveLines {
  void (*uniform)(const double* const* u, const double* before, double k, std::ptrdiff_t first, std::ptrdiff_t size, double* next);
  void (*varying)(const double* const* u, const double* before, const double* k, const double* left, std::ptrdiff_t first,
                  std::ptrdiff_t size, double* next);
};

}  // namespace furrow::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

/// 2 u + k · ∇²u
template <class D, class V>
HWY_INLINE V ahead(D d, const std::array<const double*, 3>& u, std::ptrdiff_t cell, V here, V k) {
  const V around =
      over_neighbours<2>([&](std::size_t line, std::ptrdiff_t at) HWY_ATTR { return load_beside(d, u[line] + cell, at); });
  const V curvature = hn::Sub(around, hn::Mul(hn::Set(d, 4.0), here));
  return hn::Add(hn::Add(here, here), hn::Mul(k, curvature));
}

void uniform(const double* const* u, const double* before, double k, std::ptrdiff_t first, std::ptrdiff_t size,
             double* HWY_RESTRICT next) {
  const auto lines = lines_from<3>(u, first);
  const double* const old = before + first;
  for_cells<double>(first, size, [&](auto d, std::ptrdiff_t i) HWY_ATTR {
    const auto here = hn::LoadU(d, lines[1] + i);
    hn::StoreU(hn::Sub(ahead(d, lines, i, here, hn::Set(d, k)), hn::LoadU(d, old + i)), d, next + i);
  });
}

/// left · (2 u + k · ∇²u) − (2 left − 1) · before, where left = 1 / (1 + σ dt / 2)
void varying(const double* const* u, const double* before, const double* k, const double* left, std::ptrdiff_t first,
             std::ptrdiff_t size, double* HWY_RESTRICT next) {
  const auto lines = lines_from<3>(u, first);
  for_cells<double>(first, size, [&](auto d, std::ptrdiff_t i) HWY_ATTR {
    const auto here = hn::LoadU(d, lines[1] + i);
    const auto share = hn::LoadU(d, left + first + i);
    const auto new_share = hn::Mul(share, ahead(d, lines, i, here, hn::LoadU(d, k + first + i)));
    const auto old_share = hn::Mul(hn::Sub(hn::Add(share, share), hn::Set(d, 1.0)), hn::LoadU(d, before + first + i));
    hn::StoreU(hn::Sub(new_share, old_share), d, next + i);
  });
}

constexpr WaveLines kWaveLines{uniform, varying};

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim {
namespace {

constexpr Built<WaveLines> kBuilt[] = {FURROW_TABLES(kWaveLines)};

const WaveLines& lines() {
  static const WaveLines& chosen = chosen_of<WaveLines>(kBuilt);
  return chosen;
}

using Lines = Neighbourhood<double, 2, 1>::Lines;

struct Uniform : blocking::LeapfrogOperation {
  explicit Uniform(double number) : k(number) {}
  void line(const std::array<Lines, 2>& from, std::ptrdiff_t first, std::ptrdiff_t size, const std::array<double*, 2>& to) const {
    step(from[0].data(), from[1][1], k, first, size, to[0]);
  }
  double k;
  decltype(WaveLines::uniform) step = lines().uniform;
};

struct Varying : blocking::LeapfrogOperation {
  void line(const std::array<Lines, 4>& from, std::ptrdiff_t first, std::ptrdiff_t size, const std::array<double*, 2>& to) const {
    step(from[0].data(), from[1][1], from[2][1], from[3][1], first, size, to[0]);
  }
  decltype(WaveLines::varying) step = lines().varying;
};

Boundary boundary_of(const std::string& name) {
  one_of("boundary", name, {"fixed", "free", "periodic", "absorbing"});
  return name == "free" ? Boundary::reflecting() : name == "periodic" ? Boundary::periodic() : Boundary::fixed(0);
}

Wave2DOptions checked(Wave2DOptions options) {
  if (!(options.speed > 0) || !(options.spacing > 0) || !(options.dt > 0)) fail("speed, spacing and dt have to be greater than 0");
  const double courant = options.speed * options.dt / options.spacing;
  const double most = std::sqrt(0.5);
  if (!(courant <= most))
    fail("speed · dt / spacing is " + std::to_string(courant) +
         ", and steps are unstable above 1/√2 (Courant, Friedrichs, Lewy): dt" + " can be at most " +
         std::to_string(most * options.spacing / options.speed));
  one_of("medium", options.medium, {"uniform", "lens", "given"});
  one_of("initial", options.initial, {"pulse", "mode"});
  if (options.boundary == "absorbing" && options.absorbing_cells == 0) fail("absorbing_cells has to be at least 1");
  return options;
}

/// How far a cell is inside an edge of `width` cells, from 0 at its inner side to 1.
double depth(std::size_t at, std::size_t extent, std::size_t width) {
  const double out = 0.5 + static_cast<double>(std::min(at, extent - 1 - at));
  return std::max(0.0, 1 - out / static_cast<double>(width));
}

}  // namespace

std::vector<Parameter> Wave2DOptions::parameters() {
  return {
      {"shape", "rows, columns of cells", std::span(shape)},
      {"speed", "length per time, greater than 0: the greatest there is", &speed},
      {"spacing", "length from cell to cell, greater than 0", &spacing},
      {"dt", "time of a step, at most spacing / (√2 · speed)", &dt},
      {"boundary", "fixed (to 0), free, periodic or absorbing", &boundary},
      {"absorbing_cells", "how far an absorbing edge reaches in", &absorbing_cells},
      {"medium", "uniform, lens (a disc of half the speed), or given (by a program)", &medium},
      {"initial", "pulse, or mode: the lowest between fixed edges", &initial},
  };
}

Wave2D::Wave2D(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()),
      options_(checked(options)),
      boundary_(boundary_of(options.boundary)),
      uniform_(options.medium == "uniform" && options.boundary != "absorbing"),
      state_(engine, options.shape, boundary_, uniform_ ? 0 : 2) {
  const auto [rows, columns] = options_.shape;
  const auto least = static_cast<double>(std::min(rows, columns));
  /// The square of the distance from a place given in shares of the lesser extent from the middle, in squares of a radius.
  const auto apart = [&, rows = rows, columns = columns](const std::array<std::size_t, 2>& cell, double row, double column,
                                                         double radius) {
    const double y = (static_cast<double>(cell[0]) + 0.5 - 0.5 * static_cast<double>(rows)) / least - row;
    const double x = (static_cast<double>(cell[1]) + 0.5 - 0.5 * static_cast<double>(columns)) / least - column;
    return (y * y + x * x) / (radius * radius);
  };
  if (!uniform_) {
    const double k = number();
    const bool lens = options_.medium == "lens";
    set_cells<2>(engine, options_.shape, state_.constant(0),
                 [&](const std::array<std::size_t, 2>& cell) { return lens && apart(cell, 0, 0.15, 0.2) < 1 ? k / 4 : k; });
    // Twice through the edge, a wave keeps exp(-∫ σ dx / c) = 1/1000 of its height.
    const std::size_t width = options_.absorbing_cells;
    const double deepest = 3 * std::log(1000.0) * options_.speed / (static_cast<double>(width) * options_.spacing);
    const bool absorbing = options_.boundary == "absorbing";
    set_cells<2>(engine, options_.shape, state_.constant(1),
                 [&, rows = rows, columns = columns](const std::array<std::size_t, 2>& cell) {
                   if (!absorbing) return 1.0;
                   const double in = std::max(depth(cell[0], rows, width), depth(cell[1], columns, width));
                   return 1 / (1 + 0.5 * options_.dt * deepest * in * in);
                 });
  }
  if (options_.initial == "pulse") {
    set_cells<2>(engine, options_.shape, state_.field(0), [&](const std::array<std::size_t, 2>& cell) {
      const double rest = std::max(0.0, 1 - apart(cell, 0, -0.25, 0.04));
      return rest * rest * rest;
    });
  } else {
    set_mode<2>(engine, options_.shape, state_.field(0));
  }
  rest();
}

double Wave2D::number() const {
  const double courant = options_.speed * options_.dt / options_.spacing;
  return courant * courant;
}

/// Half a step back and forth: u(-dt) = u(0) + ½ dt² ∂²u/∂t².
void Wave2D::rest() {
  const auto u = state_.field(0);
  const auto back = [](const auto& around, double k) {
    return around(0, 0) + 0.5 * k * (((around(-1, 0) + around(1, 0)) + (around(0, -1) + around(0, 1))) - 4 * around(0, 0));
  };
  const std::size_t extents[] = {options_.shape[0], options_.shape[1]};
  if (uniform_)
    stencil(engine(), u, state_.field(1), extents, boundary_, 1,
            [back, k = number()](const auto& around) { return back(around, k); });
  else
    stencil(
        engine(), u, state_.field(1), extents, boundary_, 1,
        [back](const auto& around, const auto& k) { return back(around, k(0, 0)); }, furrow::fields(state_.constant(0)));
}

void Wave2D::set_displacement(std::span<const double> values) {
  copy(engine(), values, state_.field(0));
  rest();
}

void Wave2D::set_speed(std::span<const double> values) {
  if (options_.medium != "given") fail("set_speed needs a simulation made with medium = \"given\"");
  if (values.size() != state_.cells())
    fail("set_speed: " + std::to_string(values.size()) + " values were given for " + std::to_string(state_.cells()) + " cells");
  const auto range = minmax(engine(), values);
  if (!(range.min > 0) || !(range.max <= options_.speed))
    fail("set_speed: values have to be greater than 0 and at most speed, which is " + std::to_string(options_.speed));
  const double scale = options_.dt / options_.spacing;
  transform(engine(), values, state_.constant(0), [scale](double value) { return (value * scale) * (value * scale); });
  rest();
}

std::vector<std::span<std::byte>> Wave2D::state() {
  return state_.bytes();
}

std::size_t Wave2D::run(std::size_t most) {
  if (uniform_) return state_.run<0>(engine(), most, Uniform(number()));
  return state_.run<2>(engine(), most, Varying());
}

std::vector<Field> Wave2D::fields() const {
  const std::vector<std::size_t> shape(options_.shape.begin(), options_.shape.end());
  return {{"displacement", shape, state_.field(0).data()}, {"before", shape, state_.field(1).data()}};
}

double Wave2D::energy() const {
  const auto [rows, columns] = options_.shape;
  const double* const u = state_.field(0).data();
  const double* const before = state_.field(1).data();
  const double* const k = uniform_ ? nullptr : state_.constant(0).data();
  const bool walls = boundary_.kind() == Boundary::Kind::fixed;
  const bool around = boundary_.kind() == Boundary::Kind::periodic;
  std::vector<double> of_row(rows);
  for_each_index(engine(), rows, [&, rows = rows, columns = columns](std::size_t y) {
    double moving = 0;
    double strained = 0;
    const auto product = [&](std::size_t a, std::size_t b) { return (u[b] - u[a]) * (before[b] - before[a]); };
    for (std::size_t x = 0; x < columns; ++x) {
      const std::size_t cell = y * columns + x;
      const double change = u[cell] - before[cell];
      moving += change * change / (uniform_ ? number() : k[cell]);
      const double against_wall = walls ? u[cell] * before[cell] : 0;
      if (x == 0) strained += against_wall;
      if (y == 0) strained += against_wall;
      strained += x + 1 < columns ? product(cell, cell + 1) : around ? product(cell, y * columns) : against_wall;
      strained += y + 1 < rows ? product(cell, cell + columns) : around ? product(cell, x) : against_wall;
    }
    of_row[y] = moving + strained;
  });
  return 0.5 * sum(engine(), of_row);
}

std::vector<Observable> Wave2D::observables() const {
  return {{"energy", energy()}, {"highest", norm_inf(engine(), state_.field(0))}};
}

void propagate(Engine& engine, std::span<const double> u, std::span<const double> before, std::span<double> next,
               std::span<double> next_before, const std::array<std::size_t, 2>& shape, double k, std::size_t steps) {
  stencil(engine, fields(u, before), fields(next, next_before), {shape[0], shape[1]}, Boundary::periodic(), steps, Uniform(k));
}

}  // namespace furrow::sim
#endif  // HWY_ONCE
