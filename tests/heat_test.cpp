// Heat against a plain loop and against the exact decay of the scheme's own modes.
#include "furrow/kernels/simulations/heat.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;

/// Where the neighbour at `at` of an axis is; -1: beyond a fixed edge.
std::ptrdiff_t neighbour(std::ptrdiff_t at, std::ptrdiff_t extent, const std::string& boundary) {
  if (at >= 0 && at < extent) return at;
  if (boundary == "periodic") return (at + extent) % extent;
  if (boundary == "insulated") return at < 0 ? 0 : extent - 1;
  return -1;
}

/// One step, with the diffusion number of each cell; `uniform`: of the first for all.
std::vector<double> stepped(const std::vector<double>& u, const std::vector<double>& k, bool uniform, std::ptrdiff_t rows,
                            std::ptrdiff_t columns, const std::string& boundary, double edge) {
  std::vector<double> next(u.size());
  for (std::ptrdiff_t y = 0; y < rows; ++y) {
    for (std::ptrdiff_t x = 0; x < columns; ++x) {
      const auto here = static_cast<std::size_t>(y * columns + x);
      const auto cell = [&](std::ptrdiff_t dy, std::ptrdiff_t dx) {
        const std::ptrdiff_t row = neighbour(y + dy, rows, boundary);
        const std::ptrdiff_t column = neighbour(x + dx, columns, boundary);
        return row < 0 || column < 0 ? -1 : row * columns + column;
      };
      const auto temperature = [&](std::ptrdiff_t dy, std::ptrdiff_t dx) {
        const std::ptrdiff_t at = cell(dy, dx);
        return at < 0 ? edge : u[static_cast<std::size_t>(at)];
      };
      if (uniform) {
        const double around = (temperature(-1, 0) + temperature(1, 0)) + (temperature(0, -1) + temperature(0, 1));
        next[here] = u[here] + k[0] * (around - 4 * u[here]);
      } else {
        const auto flow = [&](std::ptrdiff_t dy, std::ptrdiff_t dx) {
          const std::ptrdiff_t at = cell(dy, dx);
          return (k[here] + (at < 0 ? k[here] : k[static_cast<std::size_t>(at)])) * (temperature(dy, dx) - u[here]);
        };
        next[here] = u[here] + 0.5 * ((flow(-1, 0) + flow(1, 0)) + (flow(0, -1) + flow(0, 1)));
      }
    }
  }
  return next;
}

std::vector<double> uneven(std::size_t n) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<double>((i * 7919) % 1013) / 1013;
  return values;
}

TEST(Heat, PlanesAreThoseOfAPlainLoop) {
  constexpr std::ptrdiff_t rows = 37;
  constexpr std::ptrdiff_t columns = 53;
  for (const auto& name : backends()) {
    Engine engine(name, {.concurrency = 3});
    for (const char* boundary : {"fixed", "insulated", "periodic"}) {
      for (const char* conductivity : {"uniform", "given"}) {
        Heat2D heat(engine, {.shape = {rows, columns},
                             .diffusivity = 0.5,
                             .spacing = 2,
                             .dt = 1.7,
                             .boundary = boundary,
                             .edge = 0.25,
                             .conductivity = conductivity});
        std::vector<double> u = uneven(rows * columns);
        heat.set_temperature(u);
        const bool uniform = std::string_view(conductivity) == "uniform";
        std::vector<double> k(u.size(), 0.5 * 1.7 / 4);
        if (!uniform) {
          std::vector<double> diffusivity = uneven(u.size());
          for (std::size_t i = 0; i < k.size(); ++i) {
            diffusivity[i] = 0.5 * diffusivity[(i * 31) % k.size()];
            k[i] = diffusivity[i] * (1.7 / 4);
          }
          heat.set_diffusivity(diffusivity);
        }
        for (const std::size_t steps : {1U, 2U, 20U}) {
          heat.advance(steps);
          for (std::size_t step = 0; step < steps; ++step) u = stepped(u, k, uniform, rows, columns, boundary, 0.25);
          const auto now = heat.fields()[0].values<double>();
          ASSERT_EQ(std::vector<double>(now.begin(), now.end()), u) << name << ", " << boundary << ", " << conductivity;
        }
      }
    }
  }
}

/// What a step leaves of a wave with so many half or whole waves along an axis: 1 - 4 k Σ sin²(angle / 2).
double kept(double k, std::initializer_list<double> angles) {
  double sum = 0;
  for (const double angle : angles) sum += std::pow(std::sin(angle / 2), 2);
  return 1 - 4 * k * sum;
}

TEST(Heat, ModesDecayAsTheSchemeHasThem) {
  using std::numbers::pi;
  Engine engine;
  const std::size_t n = 63;
  const int steps = 400;
  // Between fixed edges: sin π m (i + 1) / (n + 1).
  Heat2D plane(engine, {.shape = {n, n}, .initial = "mode"});
  const std::vector<double> before(plane.fields()[0].values<double>().begin(), plane.fields()[0].values<double>().end());
  plane.advance(steps);
  const double left = std::pow(kept(0.2, {pi / 64, pi / 64}), steps);
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(plane.fields()[0].values<double>()[i], left * before[i], 1e-13);

  // Between insulated edges: cos π m (i + 1/2) / n.
  Heat2D insulated(engine, {.shape = {40, n}, .boundary = "insulated"});
  std::vector<double> wave(40 * n);
  for (std::size_t y = 0; y < 40; ++y)
    for (std::size_t x = 0; x < n; ++x)
      wave[y * n + x] =
          std::cos(pi * 2 * (static_cast<double>(y) + 0.5) / 40) * std::cos(pi * 3 * (static_cast<double>(x) + 0.5) / n);
  insulated.set_temperature(wave);
  insulated.advance(steps);
  const double less = std::pow(kept(0.2, {pi * 2 / 40, pi * 3 / n}), steps);
  for (std::size_t i = 0; i < wave.size(); ++i) ASSERT_NEAR(insulated.fields()[0].values<double>()[i], less * wave[i], 1e-13);

  // In periodic space: cos 2 π m i / n.
  Heat3D space(engine, {.shape = {12, 16, 20}, .boundary = "periodic"});
  std::vector<double> cube(12 * 16 * 20);
  for (std::size_t i = 0; i < cube.size(); ++i)
    cube[i] = std::cos(2 * pi * static_cast<double>(i / 320) / 12) * std::cos(2 * pi * 2 * static_cast<double>(i / 20 % 16) / 16) *
              std::cos(2 * pi * static_cast<double>(i % 20) / 20);
  space.set_temperature(cube);
  space.advance(10);
  const double rest = std::pow(kept(0.8 / 6, {2 * pi / 12, 4 * pi / 16, 2 * pi / 20}), 10);
  for (std::size_t i = 0; i < cube.size(); ++i) ASSERT_NEAR(space.fields()[0].values<double>()[i], rest * cube[i], 1e-14);
}

TEST(Heat, InsulatedItKeepsItsHeat) {
  Engine engine;
  for (const char* conductivity : {"uniform", "layers"}) {
    Heat2D heat(engine, {.shape = {90, 70}, .spacing = 0.5, .dt = 0.05, .boundary = "insulated", .conductivity = conductivity});
    const double before = heat.observables()[0].value;
    ASSERT_GT(before, 0);
    heat.advance(500);
    EXPECT_NEAR(heat.observables()[0].value, before, 1e-11 * before) << conductivity;
    EXPECT_LT(heat.observables()[2].value, 1.0);
    EXPECT_GE(heat.observables()[1].value, 0.0);
  }
}

TEST(Heat, ConstantFieldsStayConstant) {
  Engine engine;
  Heat3D heat(engine, {.shape = {11, 12, 13}, .edge = 0.75, .conductivity = "layers"});
  heat.set_temperature(std::vector<double>(11 * 12 * 13, 0.75));
  heat.advance(30);
  EXPECT_EQ(heat.observables()[1].value, 0.75);
  EXPECT_EQ(heat.observables()[2].value, 0.75);
}

TEST(Heat, UnstableParametersAreErrorsThatSayTheBound) {
  Engine engine("serial");
  const auto make = [&](HeatOptions<2> options) { return message_of([&] { Heat2D(engine, options); }); };
  EXPECT_NE(make({.dt = 0.251}).find("dt can be at most 0.25"), std::string::npos);
  EXPECT_EQ(make({.shape = {8, 8}, .dt = 0.25}), "(nothing was thrown)");
  EXPECT_NE(make({.dt = -1}).find("greater than 0"), std::string::npos);
  EXPECT_NE(make({.boundary = "open"}).find("boundary is one of fixed, insulated, periodic, not \"open\""), std::string::npos);
  EXPECT_NE(make({.initial = "x"}).find("initial is one of "), std::string::npos);
  EXPECT_NE(make({.shape = {0, 4}}).find("at least one cell"), std::string::npos);
  Heat2D heat(engine, {.shape = {4, 4}, .conductivity = "given"});
  EXPECT_NE(message_of([&] { heat.set_diffusivity(std::vector<double>(16, 1.3)); }).find("between 0 and 1.25"), std::string::npos);
  EXPECT_NE(message_of([&] { heat.set_diffusivity(std::vector<double>(15, 1.0)); }).find("16 cells"), std::string::npos);
  EXPECT_NE(message_of([&] { heat.set_temperature(std::vector<double>(15, 1.0)); }), "(nothing was thrown)");
}

}  // namespace
}  // namespace furrow::sim
