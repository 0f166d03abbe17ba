#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/blocking.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

template <std::size_t D>
struct HeatOptions {
  std::array<std::size_t, D> shape{};    ///< cells along each axis, the slowest first; default 1024 x 1024 or 128 x 128 x 128
  double diffusivity = 1;                ///< length² per time
  double spacing = 1;                    ///< length: from cell to cell
  double dt = 0.8 / (2 * D);             ///< time: of a step; at most spacing² / (2 D · diffusivity)
  std::string boundary = "fixed";        ///< "fixed" (Dirichlet), "insulated" (Neumann) or "periodic"
  double edge = 0;                       ///< temperature beyond fixed edges
  std::string initial = "spots";         ///< "spots", or "mode": the slowest mode between fixed edges of 0
  std::string conductivity = "uniform";  ///< "uniform", "layers" (every other one of 16 layers conducts a tenth), or "given"

  HeatOptions() { shape.fill(D == 2 ? 1024 : 128); }
  std::vector<Parameter> parameters();
};

/// Heat in a plane or in space: ∂u/∂t = ∇·(κ ∇u), by the explicit five- or seven-point scheme of second order (forward Euler in time,
/// central differences in space; Strikwerda, Finite Difference Schemes and Partial Differential Equations, ch. 6). Between cells of
/// different conductivity heat flows by the mean of both. Steps are blocked over time (see furrow::stencil).
///
/// Throws Error for parameters under which it would be unstable, and says the bound.
template <std::size_t D>
class Heat final : public Simulation {
 public:
  using Options = HeatOptions<D>;
  static constexpr std::string_view kName = D == 2 ? "heat2d" : "heat3d";
};

using Heat2D = Heat<2>;
using Heat3D = Heat<3>;

}  // namespace furrow::sim
