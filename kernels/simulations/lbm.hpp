#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/simulations/d2q9.hpp"
#include "furrow/kernels/simulations/grid_state.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// In units of the lattice: cells, steps, and the density at rest.
struct LBM2DOptions {
  std::array<std::size_t, 2> shape = square<2>(256);  ///< rows and cells in a row; rows go from the top down
  std::string scene = "cavity";                       ///< "cavity", "channel", "taylor_green" or "cylinder": see LBM2D
  double velocity = 0.1;          ///< cells per step: of the lid, or the greatest of the scene; at most 0.3 (Mach number 0.52)
  double reynolds = 0;            ///< sets the viscosity; 0: 1000 in a cavity, else 100, unless the viscosity is given
  double viscosity = 0;           ///< cells² per step: (relaxation time − 1/2) / 3, greater than 0; 0: from the Reynolds number
  std::string collision = "trt";  ///< "trt" (two relaxation times) or "bgk" (one)
  double magic = 0.1875;          ///< of "trt": 3/16 puts walls exactly half-way, 1/4 is the most stable
  std::array<double, 2>
      force{};  ///< momentum that each cell gains per step, to the right and up; a channel without: as velocity needs

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// Flow in a plane by the lattice Boltzmann method: nine velocities (D2Q9), one or two relaxation times, second order in space, for
/// flow much slower than sound (Krüger et al., The Lattice Boltzmann Method, 2017). See sim::d2q9 for what its parts are by whom.
///
/// Scenes, with the velocity and length that make the Reynolds number:
/// - "cavity": walls on all sides; that at the top moves to the right, at `velocity` (width).
/// - "channel": walls at top and bottom, periodic from left to right, driven by `force`, from rest (height). At last the flow is a
///   parabola, whose greatest velocity is `velocity` unless a force is given.
/// - "taylor_green": periodic; four vortices that decay, at `velocity` at first where they are fastest (width).
/// - "cylinder": a channel with a round obstacle, from the left a parabola of inflow whose greatest velocity is `velocity`, to the
///   right an opening; the mean velocity and the diameter make the Reynolds number. Measures are those of Schäfer and Turek's
///   benchmark (1996): in a channel 0.41 high and 2.2 long the diameter is 0.1 and the centre 0.2 from the left and the bottom.
/// Walls stand half-way between the outermost cells and those that would be next: n cells between two walls are a width of n.
///
/// Fields: speed, density, velocity_x (to the right), velocity_y (up, to row 0). They are worked out when they are asked for; in
/// obstacles velocities are 0. Observables: mass, kinetic_energy, max_speed, of the fluid.
class LBM2D final : public Simulation {
 public:
  /// Its parameters.
  using Options = LBM2DOptions;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = "lbm2d";
  /// What it is, for people.
  static constexpr std::string_view kAbout = "flow in a plane: lattice Boltzmann, 9 velocities, walls and obstacles";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = 20000;

  /// Throws Error for parameters under which it would be unstable or compressible, and says the bound.
  explicit LBM2D(Engine& engine, Options options = {});

  /// Makes all cells solid whose value is not 0, and the others fluid, in place of the scene's own obstacles: as many values as
  /// there are cells, rows one after the other. Cells that change are set to rest at density 1. Throws Error if the size differs. A
  /// checkpoint brings its obstacles with it.
  void set_obstacles(std::span<const std::uint8_t> solid);

  double time() const override { return static_cast<double>(step()); }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"cell updates", static_cast<double>(state_.cells())}; }

  /// Kinematic viscosity, in cells² per step.
  double viscosity() const { return viscosity_; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;
  std::vector<Field> watched() const override;

 private:
  d2q9::Links links_of(std::size_t row, std::size_t column, std::span<const std::uint8_t> solid) const;
  void set_links(std::span<const std::uint8_t> solid);
  void set_populations();
  void work_out() const;

  Options options_;
  double viscosity_;
  d2q9::Collision collision_;
  std::vector<d2q9::Push> pushes_;  ///< of the lid, or of the inflow by rows
  GridState<double, d2q9::kDirections, 1, 2> state_;
  mutable std::array<Array<double>, 4> fields_;  ///< worked out by work_out()
};

}  // namespace furrow::sim
