// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/heat.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/heat.hpp"

#include <algorithm>
#include <cmath>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simulations/line_kernels.hpp"
#include "furrow/kernels/simulations/parameter.hpp"
#include "furrow/kernels/stencil.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_HEAT_ONCE
#define FURROW_KERNELS_SIMULATIONS_HEAT_ONCE
namespace furrow::sim {

/// One step of `size` cells from `first` on, in the middle of these lines.
struct HeatLines {
  using Uniform = void (*)(const double* const* u, double k, std::ptrdiff_t first, std::ptrdiff_t size, double* to);
  using Varying = void (*)(const double* const* u, const double* const* k, std::ptrdiff_t first, std::ptrdiff_t size, double* to);
  Uniform plane, space;
  Varying plane_varying, space_varying;
};

}  // namespace furrow::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

template <std::size_t D>
constexpr std::size_t kMiddle = D == 2 ? 1 : 4;

/// u + k · (Σ neighbours − 2 D u)
template <std::size_t D>
void uniform(const double* const* u, double k, std::ptrdiff_t first, std::ptrdiff_t size, double* HWY_RESTRICT to) {
  const auto lines = lines_from < D == 2 ? 3 : 9 > (u, first);
  for_cells<double>(first, size, [&](auto d, std::ptrdiff_t i) HWY_ATTR {
    const auto here = hn::LoadU(d, lines[kMiddle<D>] + i);
    const auto around =
        over_neighbours<D>([&](std::size_t line, std::ptrdiff_t at) HWY_ATTR { return load_beside(d, lines[line] + i, at); });
    const auto flow = hn::Sub(around, hn::Mul(hn::Set(d, 2.0 * D), here));
    hn::StoreU(hn::Add(here, hn::Mul(hn::Set(d, k), flow)), d, to + i);
  });
}

/// u + ½ Σ (k + k_n) · (u_n − u)
template <std::size_t D>
void varying(const double* const* u, const double* const* k, std::ptrdiff_t first, std::ptrdiff_t size, double* HWY_RESTRICT to) {
  for_cells<double>(first, size, [&](auto d, std::ptrdiff_t i) HWY_ATTR {
    const std::ptrdiff_t cell = first + i;
    const auto here = hn::LoadU(d, u[kMiddle<D>] + cell);
    const auto own = hn::LoadU(d, k[kMiddle<D>] + cell);
    const auto flow = over_neighbours<D>([&](std::size_t line, std::ptrdiff_t at) HWY_ATTR {
      return hn::Mul(hn::Add(own, load_beside(d, k[line] + cell, at)), hn::Sub(load_beside(d, u[line] + cell, at), here));
    });
    hn::StoreU(hn::Add(here, hn::Mul(hn::Set(d, 0.5), flow)), d, to + i);
  });
}

constexpr HeatLines kHeatLines{uniform<2>, uniform<3>, varying<2>, varying<3>};

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim {
namespace {

constexpr Built<HeatLines> kBuilt[] = {FURROW_TABLES(kHeatLines)};

const HeatLines& lines() {
  static const HeatLines& chosen = chosen_of<HeatLines>(kBuilt);
  return chosen;
}

template <std::size_t D>
using Lines = typename Neighbourhood<double, D, 1>::Lines;

template <std::size_t D>
struct Uniform : blocking::LineOperation {
  explicit Uniform(double number) : k(number) {}
  void line(const std::array<Lines<D>, 1>& from, std::ptrdiff_t first, std::ptrdiff_t size,
            const std::array<double*, 1>& to) const {
    step(from[0].data(), k, first, size, to[0]);
  }
  double k;
  HeatLines::Uniform step = D == 2 ? lines().plane : lines().space;
};

template <std::size_t D>
struct Varying : blocking::LineOperation {
  void line(const std::array<Lines<D>, 2>& from, std::ptrdiff_t first, std::ptrdiff_t size,
            const std::array<double*, 1>& to) const {
    step(from[0].data(), from[1].data(), first, size, to[0]);
  }
  HeatLines::Varying step = D == 2 ? lines().plane_varying : lines().space_varying;
};

template <std::size_t D>
double diffusion_number(const HeatOptions<D>& options) {
  return options.diffusivity * options.dt / (options.spacing * options.spacing);
}

template <std::size_t D>
HeatOptions<D> checked(HeatOptions<D> options) {
  if (!(options.diffusivity > 0) || !(options.spacing > 0) || !(options.dt > 0))
    fail("diffusivity, spacing and dt have to be greater than 0");
  const double number = diffusion_number(options);
  if (!(number <= 1.0 / (2 * D)))
    fail("dt · diffusivity / spacing² is " + std::to_string(number) + ", and steps are unstable above " +
         std::to_string(1.0 / (2 * D)) + ": dt can be at most " +
         std::to_string(options.spacing * options.spacing / (2 * D * options.diffusivity)));
  if (!std::isfinite(options.edge)) fail("edge has to be finite");
  one_of("conductivity", options.conductivity, {"uniform", "layers", "given"});
  one_of("initial", options.initial, {"spots", "mode"});
  return options;
}

/// 1 in some balls, 0 between them.
template <std::size_t D>
double spots(const std::array<std::size_t, D>& shape, const std::array<std::size_t, D>& cell) {
  struct Ball {
    double centre[3], radius;  // in shares of the least extent from the middle
  };
  static constexpr Ball kBalls[] = {
      {{-0.18, -0.2, 0}, 0.16}, {{0.2, 0.12, 0.1}, 0.2}, {{-0.22, 0.28, -0.1}, 0.08}, {{0.3, -0.3, 0}, 0.05}};
  const auto least = static_cast<double>(*std::ranges::min_element(shape));
  for (const Ball& ball : kBalls) {
    double distance = 0;
    for (std::size_t axis = 0; axis < D; ++axis) {
      const double at =
          (static_cast<double>(cell[axis]) + 0.5 - 0.5 * static_cast<double>(shape[axis])) / least - ball.centre[axis];
      distance += at * at;
    }
    if (distance < ball.radius * ball.radius) return 1;
  }
  return 0;
}

}  // namespace

template <std::size_t D>
std::vector<Parameter> HeatOptions<D>::parameters() {
  return {
      {"shape", "cells along each axis, the slowest first", std::span(shape)},
      {"diffusivity", "length² per time, greater than 0", &diffusivity},
      {"spacing", "length from cell to cell, greater than 0", &spacing},
      {"dt",
       D == 2 ? "time of a step, at most spacing² / (4 · diffusivity)" : "time of a step, at most spacing² / (6 · diffusivity)",
       &dt},
      {"boundary", "fixed (Dirichlet), insulated (Neumann) or periodic", &boundary},
      {"edge", "temperature beyond fixed edges", &edge},
      {"initial", "spots, or mode: the slowest to decay between fixed edges of 0", &initial},
      {"conductivity", "uniform, layers (every other of 8 conducts a tenth), or given (by a program)", &conductivity},
  };
}

template <std::size_t D>
Heat<D>::Heat(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()),
      options_(checked(options)),
      uniform_(options.conductivity == "uniform"),
      state_(engine, options.shape, boundary_named(options.boundary, options.edge), uniform_ ? 0 : 1) {
  const auto& shape = options_.shape;
  if (options.initial == "spots")
    set_cells<D>(engine, shape, state_.field(0), [&](const std::array<std::size_t, D>& cell) { return spots<D>(shape, cell); });
  else
    set_mode<D>(engine, shape, state_.field(0));
  if (uniform_) return;
  const bool layers = options.conductivity == "layers";
  const double number = diffusion_number(options_);
  set_cells<D>(engine, shape, state_.constant(0), [&](const std::array<std::size_t, D>& cell) {
    return layers && 8 * cell[0] / shape[0] % 2 == 1 ? number / 10 : number;
  });
}

template <std::size_t D>
void Heat<D>::set_temperature(std::span<const double> values) {
  copy(engine(), values, state_.field(0));
}

template <std::size_t D>
void Heat<D>::set_diffusivity(std::span<const double> values) {
  if (options_.conductivity != "given") fail("set_diffusivity needs a simulation made with conductivity = \"given\"");
  const double scale = options_.dt / (options_.spacing * options_.spacing);
  if (values.size() != state_.cells())
    fail("set_diffusivity: " + std::to_string(values.size()) + " values were given for " + std::to_string(state_.cells()) +
         " cells");
  const auto range = minmax(engine(), values);
  if (!(range.min >= 0) || !(range.max * scale <= 1.0 / (2 * D)))
    fail("set_diffusivity: values have to lie between 0 and " + std::to_string(1.0 / (2 * D * scale)) +
         ", the greatest for which dt is stable");
  transform(engine(), values, state_.constant(0), [scale](double value) { return value * scale; });
}

template <std::size_t D>
std::vector<std::span<std::byte>> Heat<D>::state() {
  return state_.bytes();
}

template <std::size_t D>
std::size_t Heat<D>::run(std::size_t most) {
  if (uniform_) return state_.template run<0>(engine(), most, Uniform<D>(diffusion_number(options_)));
  return state_.template run<1>(engine(), most, Varying<D>());
}

template <std::size_t D>
std::vector<Field> Heat<D>::fields() const {
  return {{"temperature", {options_.shape.begin(), options_.shape.end()}, state_.field(0).data()}};
}

template <std::size_t D>
std::vector<Observable> Heat<D>::observables() const {
  const auto extremes = minmax(engine(), state_.field(0));
  double volume = 1;
  for (std::size_t axis = 0; axis < D; ++axis) volume *= options_.spacing;
  return {{"heat", sum(engine(), state_.field(0)) * volume}, {"coldest", extremes.min}, {"hottest", extremes.max}};
}

template <std::size_t D>
void diffuse(Engine& engine, std::span<const double> in, std::span<double> out, const std::array<std::size_t, D>& shape, double k,
             std::size_t steps) {
  std::size_t extents[D];
  std::copy(shape.begin(), shape.end(), extents);
  stencil(engine, in, out, extents, Boundary::periodic(), steps, Uniform<D>(k));
}

template struct HeatOptions<2>;
template struct HeatOptions<3>;
template class Heat<2>;
template class Heat<3>;
template void diffuse<2>(Engine&, std::span<const double>, std::span<double>, const std::array<std::size_t, 2>&, double,
                         std::size_t);
template void diffuse<3>(Engine&, std::span<const double>, std::span<double>, const std::array<std::size_t, 3>&, double,
                         std::size_t);

}  // namespace furrow::sim
#endif  // HWY_ONCE
