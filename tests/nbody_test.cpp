// Bodies against a plain sum over pairs, orbits that are known, and what the leapfrog keeps.
#include "furrow/kernels/simulations/nbody.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/random.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using std::numbers::pi;
using support::message_of;

std::vector<double> copy_of(std::span<const double> values) {
  return {values.begin(), values.end()};
}

double value_of(const Simulation& simulation, std::string_view name) {
  for (const Observable& one : simulation.observables())
    if (one.name == name) return one.value;
  ADD_FAILURE() << name;
  return 0;
}

/// n bodies in a cube, of masses up to 1.
template <class T>
struct Cloud {
  std::vector<T> x, y, z, mass;
  explicit Cloud(std::size_t n) : x(n), y(n), z(n), mass(n) {
    Engine engine("serial");
    std::uint64_t stream = 0;
    for (auto* numbers : {&x, &y, &z, &mass}) uniform(engine, *numbers, {7, stream++});
  }
  Bodies<T> bodies() const { return {x, y, z, mass}; }
};

template <class T>
std::array<std::vector<double>, 3> attracted(Engine& engine, const Cloud<T>& cloud, double softening) {
  const std::size_t n = cloud.x.size();
  std::array<std::vector<double>, 3> out{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  attract<T>(engine, cloud.bodies(), softening, out[0], out[1], out[2]);
  return out;
}

/// Against sums in long double: within `bound` of the sum of the lengths of all terms.
template <class T>
void expect_attraction(std::size_t n, double softening, double bound) {
  const Cloud<T> cloud(n);
  Engine engine;
  const auto found = attracted(engine, cloud, softening);
  for (std::size_t i = 0; i < n; ++i) {
    std::array<long double, 3> sums{};
    long double lengths = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const std::array<long double, 3> d{static_cast<long double>(cloud.x[j]) - static_cast<long double>(cloud.x[i]),
                                         static_cast<long double>(cloud.y[j]) - static_cast<long double>(cloud.y[i]),
                                         static_cast<long double>(cloud.z[j]) - static_cast<long double>(cloud.z[i])};
      const long double square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + static_cast<long double>(softening) * softening;
      const long double factor = static_cast<long double>(cloud.mass[j]) / (square * std::sqrt(square));
      for (std::size_t k = 0; k < 3; ++k) sums[k] += factor * d[k];
      lengths += factor * std::sqrt(square);
    }
    for (std::size_t k = 0; k < 3; ++k)
      ASSERT_NEAR(found[k][i], static_cast<double>(sums[k]), bound * static_cast<double>(lengths)) << i << " of " << n;
  }
}

TEST(NBody, AttractionIsThatOfAllPairs) {
  for (const std::size_t n : {1U, 2U, 63U, 64U, 65U, 191U, 193U, 700U}) {
    expect_attraction<float>(n, 0.01, 6e-7);
    expect_attraction<float>(n, 0, 6e-7);
    expect_attraction<double>(n, 0.01, 2e-15);
    expect_attraction<double>(n, 0, 2e-15);
  }
}

TEST(NBody, OneTermIsWithinSomeUnitsInTheLastPlace) {
  Engine engine("serial");
  double worst_float = 0;
  double worst_double = 0;
  for (int i = 0; i < 4000; ++i) {
    const double distance = std::exp2(-20 + 60 * i / 4000.0);
    const auto error = [&]<class T>(T, double& worst) {
      Cloud<T> two(2);
      two.x = {0, static_cast<T>(distance)};
      two.y = two.z = {0, 0};
      two.mass = {1, 1};
      const long double exact = 1 / (static_cast<long double>(two.x[1]) * static_cast<long double>(two.x[1]));
      const double found = attracted(engine, two, 0)[0][0];
      worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(found) / exact - 1)));
    };
    error(float{}, worst_float);
    error(double{}, worst_double);
  }
  EXPECT_LT(worst_float, 6 * 0x1p-24);
  EXPECT_LT(worst_double, 6 * 0x1p-53);
}

template <class T>
void expect_nothing_at_no_distance() {
  Engine engine("serial");
  Cloud<T> three(3);
  three.x = three.y = three.z = {T(0.3), T(0.3), T(0.3)};
  three.mass = {100, 0, 1};
  for (const double softening : {0.0, 0.01})
    for (const auto& sums : attracted(engine, three, softening))
      for (const double sum : sums) {
        EXPECT_EQ(sum, 0);
        EXPECT_FALSE(std::signbit(sum));
      }
}

TEST(NBody, BodiesInOnePlaceDoNotAttractEachOther) {
  expect_nothing_at_no_distance<float>();
  expect_nothing_at_no_distance<double>();
}

TEST(NBody, AttractionHasTheSameBitsOnAllBackends) {
  const Cloud<float> in_float(1000);
  const Cloud<double> in_double(1000);
  Engine serial("serial");
  const auto expected_float = attracted(serial, in_float, 0.01);
  const auto expected_double = attracted(serial, in_double, 0.01);
  for (const auto& name : backends()) {
    for (const int threads : {1, 2, 3, 7}) {
      Engine engine(name, {.concurrency = threads});
      ASSERT_EQ(attracted(engine, in_float, 0.01), expected_float) << name << ", " << threads;
      ASSERT_EQ(attracted(engine, in_double, 0.01), expected_double) << name << ", " << threads;
    }
  }
}

/// How far the first body of an orbit is from where it began, after a period of so many steps.
double missed(Engine& engine, const char* initial, double period, int steps) {
  NBody bodies(engine, {.softening = 0, .dt = period / steps, .precision = "f64", .initial = initial});
  const auto start = copy_of(bodies.fields()[0].values<double>());
  bodies.advance(static_cast<std::size_t>(steps));
  const auto end = bodies.fields()[0].values<double>();
  return std::hypot(end[0] - start[0], end[1] - start[1], end[2] - start[2]);
}

TEST(NBody, KeplersOrbitClosesWithSecondOrder) {
  Engine engine("serial");
  const double coarse = missed(engine, "kepler", 2 * pi, 4000);
  const double fine = missed(engine, "kepler", 2 * pi, 8000);
  EXPECT_LT(fine, 2e-5);
  EXPECT_NEAR(coarse / fine, 4, 0.05);
}

TEST(NBody, TheFigureEightCloses) {
  Engine engine("serial");
  EXPECT_LT(missed(engine, "figure_eight", 6.32591398, 20000), 1e-6);
}

TEST(NBody, EnergyAndMomentaAreKept) {
  Engine engine("serial");
  NBody orbit(engine, {.softening = 0, .dt = 2 * pi / 2000, .precision = "f64", .initial = "kepler"});
  const double energy = value_of(orbit, "energy");
  EXPECT_NEAR(energy, -0.125, 1e-15);  // −G m₁ m₂ / 2a
  const double turning = value_of(orbit, "angular_momentum");
  EXPECT_NEAR(turning, 0.25 * std::sqrt(0.75), 1e-15);
  orbit.advance(20000);                                  // ten periods
  EXPECT_NEAR(value_of(orbit, "energy"), energy, 1e-6);  // at the place where it began, again
  EXPECT_NEAR(value_of(orbit, "angular_momentum"), turning, 1e-13);

  for (const char* precision : {"f32", "f64"}) {
    NBody sphere(engine, {.bodies = 400, .softening = 0.05, .dt = 0.002, .precision = precision, .initial = "plummer"});
    EXPECT_NEAR(value_of(sphere, "energy"), -0.25, 0.05);
    EXPECT_NEAR(value_of(sphere, "kinetic") / -value_of(sphere, "potential"), 0.5, 0.06);  // in equilibrium
    const double before = value_of(sphere, "energy");
    const double moving = value_of(sphere, "momentum");
    sphere.advance(500);
    EXPECT_NEAR(value_of(sphere, "energy"), before, 1e-4) << precision;
    EXPECT_NEAR(value_of(sphere, "momentum"), moving, std::string_view(precision) == "f32" ? 1e-6 : 1e-13) << precision;
  }
}

TEST(NBody, ItRunsBackwards) {
  Engine engine;
  NBody bodies(engine, {.bodies = 300, .softening = 0.05, .dt = 0.002, .precision = "f64"});
  const auto start = copy_of(bodies.fields()[0].values<double>());
  bodies.advance(300);
  const auto masses = copy_of(bodies.fields()[2].values<double>());
  auto back = copy_of(bodies.fields()[1].values<double>());
  for (double& speed : back) speed = -speed;
  bodies.set_bodies(copy_of(bodies.fields()[0].values<double>()), back, masses);
  bodies.advance(300);
  for (std::size_t i = 0; i < start.size(); ++i) ASSERT_NEAR(bodies.fields()[0].values<double>()[i], start[i], 1e-11);
}

TEST(NBody, ImpossibleParametersAreErrors) {
  Engine engine("serial");
  const auto make = [&](NBodyOptions options) { return message_of([&] { NBody(engine, options); }); };
  EXPECT_NE(make({.bodies = 1}).find("at least 2"), std::string::npos);
  EXPECT_NE(make({.softening = -1}).find("softening has to be at least 0"), std::string::npos);
  EXPECT_NE(make({.dt = 0}).find("dt has to be greater than 0"), std::string::npos);
  EXPECT_NE(make({.precision = "f16"}).find("precision is one of f32, f64"), std::string::npos);
  EXPECT_NE(make({.initial = "kepler", .eccentricity = 1}).find("less than 1"), std::string::npos);
  NBody two(engine, {.bodies = 2});
  const std::vector<double> six(6);
  EXPECT_NE(message_of([&] { two.set_bodies(six, six, six); }).find("there are 2 bodies"), std::string::npos);
  EXPECT_NE(message_of([&] { two.set_bodies(six, six, std::vector<double>{1, -1}); }).find("at least 0"), std::string::npos);
  const std::vector<double> broken{0, 0, 0, 1, std::nan(""), 0};
  EXPECT_NE(message_of([&] { two.set_bodies(broken, six, std::vector<double>{1, 1}); }).find("not finite"), std::string::npos);
  const std::vector<float> few(3);
  std::vector<double> out(4);
  EXPECT_NE(message_of([&] {
              attract<float>(engine, {few, few, few, few}, 0, out, out, out);
            }).find("there are 3 bodies"),
            std::string::npos);
}

}  // namespace
}  // namespace furrow::sim
