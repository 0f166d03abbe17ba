// Waves against a plain loop, the scheme's dispersion relation, and the energy that it keeps.
#include "furrow/kernels/simulations/wave.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;

std::vector<double> copy_of(std::span<const double> values) {
  return {values.begin(), values.end()};
}

/// One step in a medium where (c dt / h)² is k of the cell and nothing is absorbed; `wall`: 0 beyond the edges, else periodic.
void step(std::vector<double>& u, std::vector<double>& before, const std::vector<double>& k, std::ptrdiff_t rows,
          std::ptrdiff_t columns, bool wall, bool uniform) {
  std::vector<double> next(u.size());
  for (std::ptrdiff_t y = 0; y < rows; ++y) {
    for (std::ptrdiff_t x = 0; x < columns; ++x) {
      const auto at = [&](std::ptrdiff_t row, std::ptrdiff_t column) {
        if (wall && (row < 0 || row >= rows || column < 0 || column >= columns)) return 0.0;
        return u[static_cast<std::size_t>((row + rows) % rows * columns + (column + columns) % columns)];
      };
      const auto here = static_cast<std::size_t>(y * columns + x);
      const double curvature = ((at(y - 1, x) + at(y + 1, x)) + (at(y, x - 1) + at(y, x + 1))) - 4 * u[here];
      const double ahead = (u[here] + u[here]) + k[here] * curvature;
      next[here] = uniform ? ahead - before[here] : 1.0 * ahead - ((1.0 + 1.0) - 1.0) * before[here];
    }
  }
  before = u;
  u = next;
}

TEST(Wave, PlanesAreThoseOfAPlainLoop) {
  constexpr std::ptrdiff_t rows = 41;
  constexpr std::ptrdiff_t columns = 58;
  std::vector<double> start(rows * columns);
  std::vector<double> speed(start.size());
  for (std::size_t i = 0; i < start.size(); ++i) start[i] = static_cast<double>((i * 7919) % 1013) / 1013 - 0.5;
  for (std::size_t i = 0; i < speed.size(); ++i) speed[i] = 0.25 + static_cast<double>((i * 31) % 97) / 200;
  for (const auto& name : backends()) {
    Engine engine(name, {.concurrency = 3});
    for (const char* boundary : {"fixed", "periodic"}) {
      for (const char* medium : {"uniform", "given"}) {
        const bool uniform = std::string_view(medium) == "uniform";
        Wave2D wave(engine, {.shape = {rows, columns}, .spacing = 2, .dt = 1.4, .boundary = boundary, .medium = medium});
        wave.set_displacement(start);
        std::vector<double> k(start.size(), 0.7 * 0.7);
        if (!uniform) {
          for (std::size_t i = 0; i < k.size(); ++i) k[i] = (speed[i] * 0.7) * (speed[i] * 0.7);
          wave.set_speed(speed);
        }
        std::vector<double> u = start;
        std::vector<double> before = copy_of(wave.fields()[1].values<double>());
        for (const std::size_t steps : {1U, 2U, 20U}) {
          wave.advance(steps);
          for (std::size_t i = 0; i < steps; ++i) step(u, before, k, rows, columns, std::string_view(boundary) == "fixed", uniform);
          ASSERT_EQ(copy_of(wave.fields()[0].values<double>()), u) << name << ", " << boundary << ", " << medium;
          ASSERT_EQ(copy_of(wave.fields()[1].values<double>()), before);
        }
      }
    }
  }
}

TEST(Wave, StandingWavesFollowTheDispersionRelation) {
  using std::numbers::pi;
  Engine engine;
  const std::size_t rows = 47;
  const std::size_t columns = 63;
  const double dt = 0.65;
  Wave2D wave(engine, {.shape = {rows, columns}, .dt = dt, .boundary = "fixed", .medium = "uniform"});
  // sin(a y) sin(b x) cos(ω t) with sin²(ω dt / 2) = (c dt / h)² (sin²(a / 2) + sin²(b / 2)).
  const double a = pi * 5 / (rows + 1);
  const double b = pi * 3 / (columns + 1);
  std::vector<double> mode(rows * columns);
  for (std::size_t i = 0; i < mode.size(); ++i)
    mode[i] = std::sin(a * static_cast<double>(i / columns + 1)) * std::sin(b * static_cast<double>(i % columns + 1));
  wave.set_displacement(mode);
  const double angle = 2 * std::asin(dt * std::sqrt(std::pow(std::sin(a / 2), 2) + std::pow(std::sin(b / 2), 2)));
  const int steps = 500;
  wave.advance(steps);
  const auto u = wave.fields()[0].values<double>();
  for (std::size_t i = 0; i < mode.size(); ++i) ASSERT_NEAR(u[i], mode[i] * std::cos(angle * steps), 1e-11);
}

TEST(Wave, EnergyIsKept) {
  Engine engine;
  for (const char* boundary : {"fixed", "free", "periodic"}) {
    Wave2D wave(engine, {.shape = {120, 150}, .boundary = boundary, .medium = "lens"});
    const double before = wave.observables()[0].value;
    ASSERT_GT(before, 0);
    for (int part = 0; part < 4; ++part) {
      wave.advance(200);
      EXPECT_NEAR(wave.observables()[0].value, before, 1e-12 * before) << boundary;
    }
  }
}

TEST(Wave, AbsorbingEdgesLetItOut) {
  Engine engine;
  const auto left = [&](const char* boundary) {
    Wave2D wave(engine, {.shape = {200, 200}, .boundary = boundary, .absorbing_cells = 40, .medium = "uniform"});
    const double before = wave.observables()[0].value;
    wave.advance(800);  // more than twice the way through
    return wave.observables()[0].value / before;
  };
  EXPECT_LT(left("absorbing"), 1e-4);
  EXPECT_NEAR(left("fixed"), 1, 1e-12);
}

TEST(Wave, UnstableParametersAreErrorsThatSayTheBound) {
  Engine engine("serial");
  const auto make = [&](Wave2DOptions options) { return message_of([&] { Wave2D(engine, options); }); };
  EXPECT_NE(make({.dt = 0.71}).find("dt can be at most 0.707"), std::string::npos);
  EXPECT_NE(make({.speed = 0}).find("greater than 0"), std::string::npos);
  EXPECT_NE(make({.boundary = "open"}).find("boundary is one of "), std::string::npos);
  EXPECT_NE(make({.absorbing_cells = 0}).find("at least 1"), std::string::npos);
  EXPECT_NE(make({.shape = {4, 0}}).find("at least one cell"), std::string::npos);
  Wave2D wave(engine, {.shape = {4, 4}, .medium = "given"});
  EXPECT_NE(message_of([&] { wave.set_speed(std::vector<double>(16, 1.1)); }).find("at most speed"), std::string::npos);
  EXPECT_NE(message_of([&] { wave.set_speed(std::vector<double>(16, 0.0)); }).find("greater than 0"), std::string::npos);
  EXPECT_NE(message_of([&] { wave.set_displacement(std::vector<double>(15)); }), "(nothing was thrown)");
}

}  // namespace
}  // namespace furrow::sim
