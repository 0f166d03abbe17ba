#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/kernels/simulations/grid_state.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// Parameters of Heat, with what they are unless set.
template <std::size_t D>
struct HeatOptions {
  std::array<std::size_t, D> shape = square<D>(D == 2 ? 1024 : 128);  ///< cells along each axis, the slowest first
  double diffusivity = 1;                                             ///< length² per time
  double spacing = 1;                                                 ///< length: from cell to cell
  double dt = 0.8 / (2 * D);                                          ///< time of a step: at most spacing² / (2 D · diffusivity)
  std::string boundary = "fixed";                                     ///< "fixed" (Dirichlet), "insulated" (Neumann) or "periodic"
  double edge = 0;                                                    ///< temperature beyond fixed edges
  std::string initial = "spots";         ///< "spots", or "mode": the slowest to decay between fixed edges of 0
  std::string conductivity = "uniform";  ///< "uniform", "layers" (every other of 8 conducts a tenth), or "given"

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// Heat in a plane or in space: ∂u/∂t = ∇·(κ ∇u), by the explicit scheme of five or seven points (forward Euler in time, central
/// differences in space; Strikwerda, Finite Difference Schemes and Partial Differential Equations, 2004, ch. 6). Between cells of
/// unlike conductivity heat flows by the mean of both. Steps are blocked over time, as those of furrow::stencil.
///
/// Fields: temperature. Observables: heat (the sum over all cells times their volume), coldest, hottest.
template <std::size_t D>
class Heat final : public Simulation {
 public:
  /// Its parameters.
  using Options = HeatOptions<D>;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = D == 2 ? "heat2d" : "heat3d";
  /// What it is, for people.
  static constexpr std::string_view kAbout =
      D == 2 ? "heat in a plane: explicit diffusion, 5 points" : "heat in space: explicit diffusion, 7 points";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = D == 2 ? 2000 : 500;

  /// Throws Error for parameters under which it would be unstable, and says the bound.
  explicit Heat(Engine& engine, Options options = {});

  /// Sets the temperature of all cells, as many as the shape has, rows one after the other. Throws Error if the size differs.
  void set_temperature(std::span<const double> values);

  /// Sets the diffusivity of each cell, if conductivity is "given". Each from 0 to the greatest for which dt is stable, or Error.
  void set_diffusivity(std::span<const double> values);

  double time() const override { return static_cast<double>(step()) * options_.dt; }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"cell updates", static_cast<double>(state_.cells())}; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;

 private:
  Options options_;
  bool uniform_;
  GridState<double, 1, 1, D> state_;  ///< the constant: dt · diffusivity / spacing² of each cell, where it is not uniform
};

/// In a plane.
using Heat2D = Heat<2>;
/// In space.
using Heat3D = Heat<3>;

/// One pass of `steps` steps with the diffusion number k = dt · κ / h²: out = in after them. For the kernel table.
template <std::size_t D>
void diffuse(Engine& engine, std::span<const double> in, std::span<double> out, const std::array<std::size_t, D>& shape, double k,
             std::size_t steps);

}  // namespace furrow::sim
