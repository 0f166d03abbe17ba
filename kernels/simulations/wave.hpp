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

/// Parameters of Wave2D, with what they are unless set.
struct Wave2DOptions {
  std::array<std::size_t, 2> shape{768, 768};  ///< rows, columns of cells
  double speed = 1;                            ///< length per time: the greatest there is
  double spacing = 1;                          ///< length: from cell to cell
  double dt = 0.6;                             ///< time of a step: at most spacing / (√2 · speed)
  std::string boundary = "absorbing";  ///< "fixed" (to 0), "free" (waves are reflected without a turn), "periodic" or "absorbing"
  std::size_t absorbing_cells = 48;    ///< how far an absorbing edge reaches in
  std::string medium = "lens";         ///< "uniform", "lens" (a disc of half the speed) or "given"
  std::string initial = "pulse";       ///< "pulse", or "mode": the lowest between fixed edges

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// Waves in a plane: ∂²u/∂t² + σ ∂u/∂t = c² ∇²u by the leapfrog scheme (central differences of second order in space and time;
/// Strikwerda, Finite Difference Schemes and Partial Differential Equations, 2004, ch. 8). At an absorbing edge the damping σ grows
/// with the square of the way into it, so that a wave comes back with about a thousandth of its height (Israeli & Orszag, J.
/// Comput. Phys. 41, 1981). Steps are blocked over time, as those of furrow::stencil.
///
/// Fields: displacement; before, which is the displacement a step earlier. Observables: energy (that which the scheme keeps, to the
/// last rounding, where nothing is absorbed: ½ Σ (u − before)² h²/(c dt)² + ½ Σ ∇u · ∇before), highest (|u|).
class Wave2D final : public Simulation {
 public:
  /// Its parameters.
  using Options = Wave2DOptions;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = "wave2d";
  /// What it is, for people.
  static constexpr std::string_view kAbout = "waves in a plane: leapfrog, variable speed, absorbing edges";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = 1500;

  /// Throws Error for parameters under which it would be unstable, and says the bound.
  explicit Wave2D(Engine& engine, Options options = {});

  /// Sets the displacement of all cells, at rest. Throws Error if there are not as many values as cells.
  void set_displacement(std::span<const double> values);

  /// Sets the speed in each cell, if medium is "given", and takes the displacement as at rest. Each greater than 0 and at most the
  /// option speed, or Error.
  void set_speed(std::span<const double> values);

  double time() const override { return static_cast<double>(step()) * options_.dt; }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"cell updates", static_cast<double>(state_.cells())}; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;

 private:
  void rest();
  double number() const;
  double energy() const;

  Options options_;
  Boundary boundary_;
  bool uniform_;
  GridState<double, 2, 2, 2> state_;  ///< constants, where it is not uniform: (c dt / h)², and what damping leaves of a step
};

/// `steps` steps in a periodic plane with (c dt / h)² = k: from u and the u before. For the kernel table.
void propagate(Engine& engine, std::span<const double> u, std::span<const double> before, std::span<double> next,
               std::span<double> next_before, const std::array<std::size_t, 2>& shape, double k, std::size_t steps);

}  // namespace furrow::sim
