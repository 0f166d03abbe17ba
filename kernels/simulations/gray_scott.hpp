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

/// Parameters of GrayScott, with what they are unless set.
template <std::size_t D>
struct GrayScottOptions {
  std::array<std::size_t, D> shape = square<D>(D == 2 ? 512 : 96);  ///< cells along each axis, the slowest first
  double feed = 0.037;                                              ///< of u, per time, from 0 to 1
  double kill = 0.06;                                               ///< of v, per time, from 0 to 1
  double diffusion_u = D == 2 ? 0.2 : 0.14;                         ///< length² per time
  double diffusion_v = D == 2 ? 0.1 : 0.07;                         ///< length² per time
  double spacing = 1;                                               ///< length: from cell to cell
  double dt = 1;                      ///< time of a step: at most 1, and spacing² / (2 D · the greater diffusion)
  std::string boundary = "periodic";  ///< "periodic" or "insulated"
  std::size_t spots = 24;             ///< squares or cubes in which v is set free at the beginning
  std::size_t seed = 1;               ///< of their places, and of a noise of a hundredth

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// Two substances that diffuse, and of which one turns into the other: ∂u/∂t = Du ∇²u − u v² + feed (1 − u),
/// ∂v/∂t = Dv ∇²v + u v² − (feed + kill) v (Gray & Scott, Chem. Eng. Sci. 38, 1983), by forward Euler and central differences, as
/// Pearson did (Complex Patterns in a Simple System, Science 261, 1993; his pattern classes are regions of feed and kill). Steps
/// are blocked over time, as those of furrow::stencil.
///
/// Fields: v, u. Observables: mean_v, mean_u, highest_v.
template <std::size_t D>
class GrayScott final : public Simulation {
 public:
  /// Its parameters.
  using Options = GrayScottOptions<D>;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = D == 2 ? "gray_scott" : "gray_scott3d";
  /// What it is, for people.
  static constexpr std::string_view kAbout =
      D == 2 ? "reaction and diffusion of two substances in a plane" : "reaction and diffusion of two substances in space";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = D == 2 ? 5000 : 1500;

  /// Throws Error for parameters under which it would be unstable, and says the bound.
  explicit GrayScott(Engine& engine, Options options = {});

  /// Sets both in all cells. Throws Error if there are not as many values as cells.
  void set(std::span<const double> u, std::span<const double> v);

  double time() const override { return static_cast<double>(step()) * options_.dt; }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"cell updates", static_cast<double>(state_.cells())}; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;

 private:
  Options options_;
  GridState<double, 2, 0, D> state_;  ///< u, v
};

/// In a plane.
using GrayScott2D = GrayScott<2>;
/// In space.
using GrayScott3D = GrayScott<3>;

/// `steps` steps of u and v in a periodic plane with these parameters' rates. For the kernel table.
void react(Engine& engine, std::span<const double> u, std::span<const double> v, std::span<double> next_u, std::span<double> next_v,
           const std::array<std::size_t, 2>& shape, const GrayScottOptions<2>& options, std::size_t steps);

}  // namespace furrow::sim
