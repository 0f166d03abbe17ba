// Gray and Scott's reaction against a plain loop, and its budgets of mass.
#include "furrow/kernels/simulations/gray_scott.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;

struct Both {
  std::vector<double> u, v;
};

Both now(const Simulation& simulation) {
  const auto v = simulation.fields()[0].values<double>();
  const auto u = simulation.fields()[1].values<double>();
  return {{u.begin(), u.end()}, {v.begin(), v.end()}};
}

/// One step in periodic space; of a plane there is one layer, which is not its own neighbour.
Both stepped(const Both& from, std::array<std::size_t, 3> shape, double flow_u, double flow_v, double feed, double kill) {
  Both next = from;
  const bool plane = shape[0] == 1;
  const auto at = [&](std::size_t z, std::size_t y, std::size_t x) {
    return (z % shape[0] * shape[1] + y % shape[1]) * shape[2] + x % shape[2];
  };
  for (std::size_t z = 0; z < shape[0]; ++z) {
    for (std::size_t y = 0; y < shape[1]; ++y) {
      for (std::size_t x = 0; x < shape[2]; ++x) {
        const std::size_t here = at(z, y, x);
        const auto curvature = [&](const std::vector<double>& f) {
          const double rows = f[at(z, y + shape[1] - 1, x)] + f[at(z, y + 1, x)];
          const double columns = f[at(z, y, x + shape[2] - 1)] + f[at(z, y, x + 1)];
          if (plane) return (rows + columns) - 4 * f[here];
          return (((f[at(z + shape[0] - 1, y, x)] + f[at(z + 1, y, x)]) + rows) + columns) - 6 * f[here];
        };
        const double u = from.u[here];
        const double v = from.v[here];
        const double turned = 1.0 * (u * (v * v));
        next.u[here] = u + ((flow_u * curvature(from.u) - turned) + feed * (1 - u));
        next.v[here] = v + ((flow_v * curvature(from.v) + turned) - (feed + kill) * v);
      }
    }
  }
  return next;
}

TEST(GrayScott, PlanesAndSpacesAreThoseOfAPlainLoop) {
  for (const auto& name : backends()) {
    Engine engine(name, {.concurrency = 3});
    GrayScott2D plane(engine, {.shape = {43, 61}, .spots = 5});
    GrayScott3D space(engine, {.shape = {14, 11, 17}, .spots = 3});
    Both of_plane = now(plane);
    Both of_space = now(space);
    for (const std::size_t steps : {1U, 2U, 20U}) {
      plane.advance(steps);
      space.advance(steps);
      for (std::size_t i = 0; i < steps; ++i) of_plane = stepped(of_plane, {1, 43, 61}, 0.2, 0.1, 0.037, 0.06);
      for (std::size_t i = 0; i < steps; ++i) of_space = stepped(of_space, {14, 11, 17}, 0.14, 0.07, 0.037, 0.06);
      ASSERT_EQ(now(plane).u, of_plane.u) << name;
      ASSERT_EQ(now(plane).v, of_plane.v) << name;
      ASSERT_EQ(now(space).u, of_space.u) << name;
      ASSERT_EQ(now(space).v, of_space.v) << name;
    }
  }
}

TEST(GrayScott, MassIsFedTurnedAndLost) {
  Engine engine;
  for (const char* boundary : {"periodic", "insulated"}) {
    GrayScott2D reaction(engine, {.shape = {64, 80}, .boundary = boundary, .spots = 6});
    reaction.advance(200);
    const Both before = now(reaction);
    reaction.advance(1);
    const Both after = now(reaction);
    double turned = 0;
    double fed = 0;
    double lost = 0;
    for (std::size_t i = 0; i < before.u.size(); ++i) {
      turned += before.u[i] * before.v[i] * before.v[i];
      fed += 0.037 * (1 - before.u[i]);
      lost += (0.037 + 0.06) * before.v[i];
    }
    ASSERT_GT(turned, 1);
    const auto change = [](const std::vector<double>& from, const std::vector<double>& to) {
      return std::accumulate(to.begin(), to.end(), 0.0) - std::accumulate(from.begin(), from.end(), 0.0);
    };
    EXPECT_NEAR(change(before.u, after.u), fed - turned, 1e-9) << boundary;
    EXPECT_NEAR(change(before.v, after.v), turned - lost, 1e-9) << boundary;
  }
}

TEST(GrayScott, WithoutVNothingHappens) {
  Engine engine;
  GrayScott2D reaction(engine, {.shape = {20, 30}});
  reaction.set(std::vector<double>(600, 1.0), std::vector<double>(600, 0.0));
  reaction.advance(50);
  EXPECT_EQ(now(reaction).u, std::vector<double>(600, 1.0));
  EXPECT_EQ(now(reaction).v, std::vector<double>(600, 0.0));
}

TEST(GrayScott, UnstableParametersAreErrorsThatSayTheBound) {
  Engine engine("serial");
  const auto make = [&](GrayScottOptions<2> options) { return message_of([&] { GrayScott2D(engine, options); }); };
  EXPECT_NE(make({.diffusion_u = 0.5}).find("it can be at most 0.5"), std::string::npos);
  EXPECT_NE(make({.dt = 1.1}).find("it can be at most 1.0"), std::string::npos);
  EXPECT_NE(make({.feed = 1.5}).find("between 0 and 1"), std::string::npos);
  EXPECT_NE(make({.boundary = "fixed"}), "(nothing was thrown)");
  GrayScott2D reaction(engine, {.shape = {4, 4}});
  EXPECT_NE(message_of([&] { reaction.set(std::vector<double>(15), std::vector<double>(15)); }), "(nothing was thrown)");
}

}  // namespace
}  // namespace furrow::sim
