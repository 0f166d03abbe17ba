#include "furrow/kernels/simulations/lbm.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simulations/parameter.hpp"

namespace furrow::sim {
namespace {

using d2q9::kDirections;
using d2q9::Links;

constexpr double kMostVelocity = 0.3;

struct Cylinder {
  double radius, left, bottom;  // cells

  /// In a channel so high (Schäfer and Turek 1996).
  explicit Cylinder(std::size_t rows) {
    const double unit = static_cast<double>(rows) / 0.41;
    radius = 0.05 * unit;
    left = bottom = 0.2 * unit;
  }
  bool has(double right, double up) const {
    const double x = right - left, y = up - bottom;
    return x * x + y * y < radius * radius;
  }
};

std::string about(double value) {
  return std::to_string(value);
}

/// The length and velocity of the Reynolds number.
double length_times_velocity(const LBM2DOptions& options) {
  const auto rows = static_cast<double>(options.shape[0]);
  const auto columns = static_cast<double>(options.shape[1]);
  if (options.scene == "channel") return rows * options.velocity;
  if (options.scene == "cylinder") return 2 * Cylinder(options.shape[0]).radius * (options.velocity * 2 / 3);
  return columns * options.velocity;
}

LBM2DOptions checked(LBM2DOptions options) {
  const std::string& scene = options.scene;
  one_of("scene", scene, {"cavity", "channel", "taylor_green", "cylinder"});
  one_of("collision", options.collision, {"trt", "bgk"});
  if (options.shape[0] == 0 || options.shape[1] == 0) fail("shape: there has to be at least one cell along each axis");
  if (scene == "cylinder" && (options.shape[0] < 32 || options.shape[1] < options.shape[0]))
    fail("shape: a channel with a cylinder has to be at least 32 cells high, and at least as long");
  if (!(std::abs(options.velocity) <= kMostVelocity))
    fail("velocity is " + about(options.velocity) +
         " cells per step, and flow on this lattice is nearly incompressible, and stable, up to 0.3 (Mach number 0.52)");
  if (options.reynolds != 0 && options.viscosity != 0) fail("reynolds and viscosity: only one of them can be given");
  if (!(options.reynolds >= 0)) fail("reynolds has to be greater than 0, or 0 for the scene's own");
  if (!std::isfinite(options.viscosity) || options.viscosity < 0)
    fail("the relaxation time, 3 · viscosity + 1/2, is " + about(3 * options.viscosity + 0.5) +
         ", and it is stable only above 1/2: viscosity has to be greater than 0");
  if (!(options.magic > 0) || !std::isfinite(options.magic))
    fail("magic is " + about(options.magic) + ", and both relaxation times are above 1/2 only if it is greater than 0");
  const auto [right, up] = options.force;
  if (!std::isfinite(right) || !std::isfinite(up)) fail("force has to be finite");
  if (scene == "cylinder" && (right != 0 || up != 0)) fail("force has to be 0 in the scene \"cylinder\", which inflow drives");
  return options;
}

/// Of checked options.
double viscosity_of(const LBM2DOptions& options) {
  double viscosity = options.viscosity;
  if (viscosity == 0) {
    const double reynolds = options.reynolds != 0 ? options.reynolds : options.scene == "cavity" ? 1000 : 100;
    viscosity = std::abs(length_times_velocity(options)) / reynolds;
  }
  if (!(3 * viscosity + 0.5 > 0.5) || !std::isfinite(viscosity))
    fail("the relaxation time, 3 · viscosity + 1/2, is " + about(3 * viscosity + 0.5) +
         ", and it is stable only above 1/2: give a viscosity, or a lower Reynolds number or a velocity");
  return viscosity;
}

d2q9::Collision collision_of(const LBM2DOptions& options, double viscosity) {
  auto collision =
      options.collision == "bgk" ? d2q9::Collision::one_rate(viscosity) : d2q9::Collision::two_rates(viscosity, options.magic);
  collision.force = options.force;
  if (options.scene != "channel") return collision;
  const auto height = static_cast<double>(options.shape[0]);
  double& force = collision.force[0];
  if (options.force == std::array{0.0, 0.0}) force = 8 * viscosity * options.velocity / (height * height);
  const double fastest = std::abs(force) * height * height / (8 * viscosity);
  if (!(fastest <= kMostVelocity * 1.000001))  // the force for just that velocity is rounded
    fail("force would make the channel flow at " + about(fastest) +
         " cells per step, and 0.3 is the bound (Mach number 0.52): at most " +
         about(8 * viscosity * kMostVelocity / (height * height)));
  return collision;
}

/// The parabola of a channel at the middle of a row.
double inflow(const LBM2DOptions& options, std::size_t row) {
  const double at = (static_cast<double>(row) + 0.5) / static_cast<double>(options.shape[0]);
  return 4 * options.velocity * at * (1 - at);
}

std::vector<d2q9::Push> pushes_of(const LBM2DOptions& options) {
  std::vector<d2q9::Push> pushes;
  if (options.scene == "cavity") pushes.push_back(d2q9::push_of(options.velocity, 0));
  if (options.scene == "cylinder")
    for (std::size_t row = 0; row < options.shape[0]; ++row) pushes.push_back(d2q9::push_of(inflow(options, row), 0));
  return pushes;
}

std::vector<std::uint8_t> own_obstacles(const LBM2DOptions& options) {
  const auto [rows, columns] = options.shape;
  std::vector<std::uint8_t> solid(rows * columns);
  if (options.scene != "cylinder") return solid;
  const Cylinder cylinder(rows);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      solid[row * columns + column] = cylinder.has(static_cast<double>(column) + 0.5, static_cast<double>(rows - row) - 0.5);
  return solid;
}

/// sin or cos of `waves` · 2π (i + 1/2) / n.
template <class F>
std::vector<double> wave(std::size_t n, double waves, const F& f) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i)
    values[i] = 2 * 3.14159265358979323846 * waves * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
  f(values);
  return values;
}

bool is_solid(double links) {
  return (std::bit_cast<Links>(links) & d2q9::kSolid) != 0;
}

}  // namespace

std::vector<Parameter> LBM2DOptions::parameters() {
  return {
      {"shape", "rows and cells in a row", std::span(shape)},
      {"scene", "cavity (its lid moves), channel, taylor_green (decaying vortices) or cylinder (a street of vortices)", &scene},
      {"velocity", "cells per step: of the lid, or the greatest in the scene; at most 0.3", &velocity},
      {"reynolds", "sets the viscosity; 0: 1000 in a cavity, else 100, unless the viscosity is given", &reynolds},
      {"viscosity", "cells² per step, greater than 0; 0: from the Reynolds number", &viscosity},
      {"collision", "trt (two relaxation times) or bgk (one)", &collision},
      {"magic", "of trt: 0.1875 puts walls exactly half-way, 0.25 is the most stable", &magic},
      {"force_x", "momentum that each cell gains per step, to the right; 0 in a channel: what velocity needs", &force[0]},
      {"force_y", "the same upwards", &force[1]},
  };
}

LBM2D::LBM2D(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()),
      options_(checked(options)),
      viscosity_(viscosity_of(options_)),
      collision_(collision_of(options_, viscosity_)),
      pushes_(pushes_of(options_)),
      state_(engine, options.shape, Boundary::periodic()) {
  set_links(own_obstacles(options_));
  set_populations();
}

Links LBM2D::links_of(std::size_t row, std::size_t column, std::span<const std::uint8_t> solid) const {
  const auto [rows, columns] = options_.shape;
  const bool walls = options_.scene != "taylor_green";                           // at top and bottom
  const bool ends = options_.scene == "cavity" || options_.scene == "cylinder";  // at left and right
  if (solid[row * columns + column] != 0) return d2q9::kSolid;
  Links links = 0;
  for (std::size_t i = 1; i < kDirections; ++i) {
    // Unsigned, so that what lies before the first is beyond the last too.
    const std::size_t from_row = row + static_cast<std::size_t>(d2q9::kNorth[i]);
    const std::size_t from_column = column - static_cast<std::size_t>(d2q9::kEast[i]);
    if (walls && from_row >= rows) {
      links |= d2q9::bounces(i);
      if (options_.scene == "cavity" && row == 0 && d2q9::kNorth[i] < 0) links |= d2q9::moves(i);
    } else if (ends && from_column >= columns) {
      if (options_.scene == "cavity")
        links |= d2q9::bounces(i);
      else if (d2q9::kEast[i] > 0)
        links |= d2q9::bounces(i) | d2q9::moves(i) | d2q9::wall(row);
      else
        links |= d2q9::opens(i);
    } else if (solid[(from_row + rows) % rows * columns + (from_column + columns) % columns] != 0) {
      links |= d2q9::bounces(i);
    }
  }
  return links;
}

void LBM2D::set_links(std::span<const std::uint8_t> solid) {
  const auto [rows, columns] = options_.shape;
  const std::span<double> links = state_.constant(0);
  for_each_index(engine(), {rows, columns}, [&, width = columns](std::size_t row, std::size_t column) {
    links[row * width + column] = std::bit_cast<double>(links_of(row, column, solid));
  });
}

void LBM2D::set_obstacles(std::span<const std::uint8_t> solid) {
  if (solid.size() != state_.cells())
    fail("set_obstacles: " + std::to_string(solid.size()) + " values were given for " + std::to_string(state_.cells()) + " cells");
  for (std::size_t cell = 0; cell < solid.size(); ++cell) {
    if (is_solid(state_.constant(0)[cell]) == (solid[cell] != 0)) continue;
    for (std::size_t i = 0; i < kDirections; ++i) state_.field(i)[cell] = d2q9::kWeights[i];
  }
  set_links(solid);
}

void LBM2D::set_populations() {
  const auto [rows, columns] = options_.shape;
  const std::size_t width = columns;
  const auto set = [&, width](std::size_t row, std::size_t column, double rho, double u, double v) {
    const std::size_t cell = row * width + column;
    const bool solid = is_solid(state_.constant(0)[cell]);
    const auto populations = solid ? d2q9::kWeights : d2q9::equilibrium(rho, u, v);
    for (std::size_t i = 0; i < kDirections; ++i) state_.field(i)[cell] = populations[i];
  };
  if (options_.scene == "taylor_green") {
    const auto sine = [&](std::vector<double>& x) { furrow::sin(engine(), x, x); };
    const auto cosine = [&](std::vector<double>& x) { furrow::cos(engine(), x, x); };
    const auto sin_x = wave(columns, 1, sine), cos_x = wave(columns, 1, cosine), cos_2x = wave(columns, 2, cosine);
    const auto sin_y = wave(rows, 1, sine), cos_y = wave(rows, 1, cosine), cos_2y = wave(rows, 2, cosine);
    // Krüger et al., 2017, A.3, with y downwards, and the greater of both amplitudes `velocity`.
    const double ratio = static_cast<double>(columns) / static_cast<double>(rows);  // of the wave numbers along y and x
    const double u = options_.velocity * std::min(1.0, ratio);
    const double v = u / ratio;
    for_each_index(engine(), {rows, columns}, [&](std::size_t y, std::size_t x) {
      const double pressure = -0.25 * (u * u * cos_2x[x] + v * v * cos_2y[y]);
      set(y, x, 1 + 3 * pressure, u * cos_x[x] * sin_y[y], v * sin_x[x] * cos_y[y]);
    });
  } else {
    const bool flows = options_.scene == "cylinder";
    for_each_index(engine(), {rows, columns},
                   [&](std::size_t y, std::size_t x) { set(y, x, 1, flows ? inflow(options_, y) : 0.0, 0); });
  }
}

std::vector<std::span<std::byte>> LBM2D::state() {
  return state_.bytes();
}

std::size_t LBM2D::run(std::size_t most) {
  return state_.run(engine(), most, d2q9::Step<1>(collision_, pushes_));
}

void LBM2D::work_out() const {
  for (Array<double>& field : fields_)
    if (field.empty()) field = Array<double>(engine(), state_.cells());
  std::array<const double*, kDirections> f{};
  for (std::size_t i = 0; i < kDirections; ++i) f[i] = state_.field(i).data();
  const double* const links = state_.constant(0).data();
  double* const speed = fields_[0].data();
  double* const density = fields_[1].data();
  double* const velocity_x = fields_[2].data();
  double* const velocity_y = fields_[3].data();
  // What left the cells has all of the step's force, and velocity is that with half of it.
  const double half_x = 0.5 * collision_.force[0];
  const double half_y = 0.5 * collision_.force[1];
  for_each_index(engine(), state_.cells(), [=](std::size_t i) {
    const double rho = f[0][i] + (((f[1][i] + f[2][i]) + (f[3][i] + f[4][i])) + ((f[5][i] + f[6][i]) + (f[7][i] + f[8][i])));
    const double x = (f[1][i] - f[2][i]) + ((f[5][i] - f[6][i]) - (f[7][i] - f[8][i]));
    const double y = (f[3][i] - f[4][i]) + ((f[5][i] - f[6][i]) + (f[7][i] - f[8][i]));
    const bool solid = is_solid(links[i]);
    const double u = solid ? 0 : (x - half_x) / rho;
    const double v = solid ? 0 : (y - half_y) / rho;
    density[i] = rho;
    velocity_x[i] = u;
    velocity_y[i] = v;
    speed[i] = std::sqrt(u * u + v * v);
  });
}

std::vector<Field> LBM2D::fields() const {
  work_out();
  static constexpr std::string_view kNames[] = {"speed", "density", "velocity_x", "velocity_y"};
  std::vector<Field> all;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    all.emplace_back(kNames[i], std::vector<std::size_t>{options_.shape[0], options_.shape[1]}, fields_[i].data());
  return all;
}

/// A step takes all populations of a cell to the one at rest: where one is not finite, that is not either.
std::vector<Field> LBM2D::watched() const {
  return {Field("population at rest", {options_.shape[0], options_.shape[1]}, state_.field(0).data())};
}

std::vector<Observable> LBM2D::observables() const {
  work_out();
  const Array<double>& speed = fields_[0];
  const Array<double>& density = fields_[1];
  const double mass = transform_reduce(engine(), density, state_.constant(0), 0.0, std::plus<>(),
                                       [](double rho, double links) { return is_solid(links) ? 0 : rho; });
  const double energy =
      transform_reduce(engine(), density, speed, 0.0, std::plus<>(), [](double rho, double u) { return 0.5 * rho * u * u; });
  return {{"mass", mass}, {"kinetic_energy", energy}, {"max_speed", furrow::max(engine(), speed)}};
}

}  // namespace furrow::sim
