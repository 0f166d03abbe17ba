// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/gray_scott.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/gray_scott.hpp"

#include <algorithm>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simulations/line_kernels.hpp"
#include "furrow/kernels/simulations/parameter.hpp"
#include "furrow/kernels/stencil.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_GRAY_SCOTT_ONCE
#define FURROW_KERNELS_SIMULATIONS_GRAY_SCOTT_ONCE
namespace furrow::sim {

/// Changes in a step.
struct GrayScottRates {
  double flow_u;  ///< dt · Du / h²
  double flow_v;
  double reaction;  ///< dt
  double feed;      ///< dt · feed
  double loss;      ///< dt · (feed + kill)
};

/// One step of `size` cells from `first` on, in the middle of these lines.
struct GrayScottLines {
  using Step = void (*)(const double* const* u, const double* const* v, const GrayScottRates& rates, std::ptrdiff_t first,
                        std::ptrdiff_t size, double* next_u, double* next_v);
  Step plane, space;
};

}  // namespace furrow::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

template <std::size_t D, class Tag, class V>
HWY_INLINE V curvature(Tag d, const std::array<const double*, D == 2 ? 3 : 9>& lines, std::ptrdiff_t i, V here) {
  const auto around =
      over_neighbours<D>([&](std::size_t line, std::ptrdiff_t at) HWY_ATTR { return load_beside(d, lines[line] + i, at); });
  return hn::Sub(around, hn::Mul(hn::Set(d, 2.0 * D), here));
}

template <std::size_t D>
void step(const double* const* u, const double* const* v, const GrayScottRates& rates, std::ptrdiff_t first, std::ptrdiff_t size,
          double* HWY_RESTRICT next_u, double* HWY_RESTRICT next_v) {
  constexpr std::size_t kLines = D == 2 ? 3 : 9;
  const auto of_u = lines_from<kLines>(u, first);
  const auto of_v = lines_from<kLines>(v, first);
  const GrayScottRates r = rates;
  for_cells<double>(first, size, [&](auto d, std::ptrdiff_t i) HWY_ATTR {
    const auto here_u = hn::LoadU(d, of_u[kLines / 2] + i);
    const auto here_v = hn::LoadU(d, of_v[kLines / 2] + i);
    const auto turned = hn::Mul(hn::Set(d, r.reaction), hn::Mul(here_u, hn::Mul(here_v, here_v)));
    const auto flow_u = hn::Mul(hn::Set(d, r.flow_u), curvature<D>(d, of_u, i, here_u));
    const auto flow_v = hn::Mul(hn::Set(d, r.flow_v), curvature<D>(d, of_v, i, here_v));
    const auto fed = hn::Mul(hn::Set(d, r.feed), hn::Sub(hn::Set(d, 1.0), here_u));
    const auto lost = hn::Mul(hn::Set(d, r.loss), here_v);
    hn::StoreU(hn::Add(here_u, hn::Add(hn::Sub(flow_u, turned), fed)), d, next_u + i);
    hn::StoreU(hn::Add(here_v, hn::Sub(hn::Add(flow_v, turned), lost)), d, next_v + i);
  });
}

constexpr GrayScottLines kGrayScottLines{step<2>, step<3>};

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim {
namespace {

constexpr Built<GrayScottLines> kBuilt[] = {FURROW_TABLES(kGrayScottLines)};

const GrayScottLines& lines() {
  static const GrayScottLines& chosen = chosen_of<GrayScottLines>(kBuilt);
  return chosen;
}

template <std::size_t D>
struct React : blocking::LineOperation {
  explicit React(const GrayScottOptions<D>& options) {
    const double flow = options.dt / (options.spacing * options.spacing);
    rates = {options.diffusion_u * flow, options.diffusion_v * flow, options.dt, options.dt * options.feed,
             options.dt * (options.feed + options.kill)};
  }
  void line(const std::array<typename Neighbourhood<double, D, 1>::Lines, 2>& from, std::ptrdiff_t first, std::ptrdiff_t size,
            const std::array<double*, 2>& to) const {
    step(from[0].data(), from[1].data(), rates, first, size, to[0], to[1]);
  }
  GrayScottRates rates{};
  GrayScottLines::Step step = D == 2 ? lines().plane : lines().space;
};

template <std::size_t D>
GrayScottOptions<D> checked(GrayScottOptions<D> options) {
  if (!(options.feed >= 0 && options.feed <= 1) || !(options.kill >= 0 && options.kill <= 1))
    fail("feed and kill have to lie between 0 and 1");
  if (!(options.diffusion_u >= 0) || !(options.diffusion_v >= 0)) fail("diffusion_u and diffusion_v have to be at least 0");
  if (!(options.spacing > 0) || !(options.dt > 0)) fail("spacing and dt have to be greater than 0");
  const double area = options.spacing * options.spacing;
  const double greater = std::max(options.diffusion_u, options.diffusion_v);
  const double most = greater > 0 ? std::min(1.0, area / (2 * D * greater)) : 1.0;
  if (!(options.dt <= most))
    fail("dt is " + std::to_string(options.dt) + ", and steps are unstable above 1 and above spacing² / (" + std::to_string(2 * D) +
         " · the greater diffusion): it can be at most " + std::to_string(most));
  one_of("boundary", options.boundary, {"periodic", "insulated"});
  return options;
}

}  // namespace

template <std::size_t D>
std::vector<Parameter> GrayScottOptions<D>::parameters() {
  return {
      {"shape", "cells along each axis, the slowest first", std::span(shape)},
      {"feed", "of u, per time, from 0 to 1", &feed},
      {"kill", "of v, per time, from 0 to 1", &kill},
      {"diffusion_u", "length² per time", &diffusion_u},
      {"diffusion_v", "length² per time", &diffusion_v},
      {"spacing", "length from cell to cell, greater than 0", &spacing},
      {"dt",
       D == 2 ? "time of a step, at most 1 and spacing² / (4 · the greater diffusion)"
              : "time of a step, at most 1 and spacing² / (6 · the greater diffusion)",
       &dt},
      {"boundary", "periodic or insulated", &boundary},
      {"spots", "places in which v is set free at the beginning", &spots},
      {"seed", "of these places, and of a noise of a hundredth", &seed},
  };
}

template <std::size_t D>
GrayScott<D>::GrayScott(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()),
      options_(checked(options)),
      state_(engine, options.shape, options.boundary == "periodic" ? Boundary::periodic() : Boundary::reflecting()) {
  const auto& shape = options_.shape;
  // As Pearson began: u = 1 and v = 0, within spots u = 1/2 and v = 1/4, all with noise; which is drawn into u first.
  uniform(engine, state_.field(0), options_.seed);
  std::vector<double> places(options_.spots * D);
  uniform(engine, places, {options_.seed, 1});
  const std::size_t side = std::max<std::size_t>(10, *std::ranges::min_element(shape) / 24);  // cells; smaller ones would die out
  std::vector<std::array<std::size_t, D>> corners(options_.spots);
  for (std::size_t i = 0; i < corners.size(); ++i)
    for (std::size_t axis = 0; axis < D; ++axis)
      corners[i][axis] = static_cast<std::size_t>(places[i * D + axis] * static_cast<double>(shape[axis]));
  const auto inside = [&](const std::array<std::size_t, D>& cell) {
    return std::ranges::any_of(corners, [&](const std::array<std::size_t, D>& corner) {
      bool in = true;
      for (std::size_t axis = 0; axis < D; ++axis) in = in && cell[axis] >= corner[axis] && cell[axis] < corner[axis] + side;
      return in;
    });
  };
  const auto noise = [u = state_.field(0), &shape](const std::array<std::size_t, D>& cell) {
    std::size_t at = cell[0];
    for (std::size_t axis = 1; axis < D; ++axis) at = at * shape[axis] + cell[axis];
    return 1 - 0.01 * u[at];
  };
  set_cells<D>(engine, shape, state_.field(1),
               [&](const std::array<std::size_t, D>& cell) { return inside(cell) ? 0.25 * noise(cell) : 0.0; });
  set_cells<D>(engine, shape, state_.field(0),
               [&](const std::array<std::size_t, D>& cell) { return (inside(cell) ? 0.5 : 1.0) * noise(cell); });
}

template <std::size_t D>
void GrayScott<D>::set(std::span<const double> u, std::span<const double> v) {
  if (v.size() != state_.cells())
    fail("set: " + std::to_string(v.size()) + " values were given for " + std::to_string(state_.cells()) + " cells");
  copy(engine(), u, state_.field(0));
  copy(engine(), v, state_.field(1));
}

template <std::size_t D>
std::vector<std::span<std::byte>> GrayScott<D>::state() {
  return state_.bytes();
}

template <std::size_t D>
std::size_t GrayScott<D>::run(std::size_t most) {
  return state_.run(engine(), most, React<D>(options_));
}

template <std::size_t D>
std::vector<Field> GrayScott<D>::fields() const {
  const std::vector<std::size_t> shape(options_.shape.begin(), options_.shape.end());
  return {{"v", shape, state_.field(1).data()}, {"u", shape, state_.field(0).data()}};
}

template <std::size_t D>
std::vector<Observable> GrayScott<D>::observables() const {
  return {{"mean_v", mean(engine(), state_.field(1))},
          {"mean_u", mean(engine(), state_.field(0))},
          {"highest_v", max(engine(), state_.field(1))}};
}

void react(Engine& engine, std::span<const double> u, std::span<const double> v, std::span<double> next_u, std::span<double> next_v,
           const std::array<std::size_t, 2>& shape, const GrayScottOptions<2>& options, std::size_t steps) {
  stencil(engine, fields(u, v), fields(next_u, next_v), {shape[0], shape[1]}, Boundary::periodic(), steps, React<2>(options));
}

template struct GrayScottOptions<2>;
template struct GrayScottOptions<3>;
template class GrayScott<2>;
template class GrayScott<3>;

}  // namespace furrow::sim
#endif  // HWY_ONCE
