#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// Parameters of NBody, with what they are unless set.
struct NBodyOptions {
  std::size_t bodies = 4096;      ///< at least 2; "kepler" has 2 and "figure_eight" 3, whatever is said here
  double softening = 0.02;        ///< length, at least 0: attraction is that of Plummer spheres of this radius
  double gravity = 1;             ///< length³ per mass and time²: the gravitational constant, at least 0
  double dt = 0.001;              ///< time of a step, greater than 0
  std::string precision = "f32";  ///< of what a pair of bodies does to each other: "f32" (summed in double) or "f64"
  std::string initial = "disc";   ///< "disc", "plummer", "kepler" or "figure_eight"
  double eccentricity = 0.5;      ///< of "kepler", from 0 to less than 1
  std::size_t seed = 1;           ///< of the places of "disc" and "plummer"

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// Bodies that attract each other, all pairs of them: a_i = G Σ m_j (x_j − x_i) / (|x_j − x_i|² + ε²)^{3/2}, by the leapfrog (kick,
/// drift, kick), which is of second order, symplectic and the same backwards (Verlet, Phys. Rev. 159, 1967; Hairer, Lubich &
/// Wanner, Geometric Numerical Integration, 2006, ch. I).
///
/// There are no units but those of the parameters. "disc": light bodies on circles about one of mass 1. "plummer": a sphere in
/// equilibrium of mass 1 and energy −1/4 (Aarseth, Hénon & Wielen, Astron. Astrophys. 37, 1974). "kepler": two bodies of mass 1/2 a
/// length of 1 apart in the mean, whose period is 2π. "figure_eight": three of mass 1 that follow each other along an eight
/// (Chenciner & Montgomery, Ann. Math. 152, 2000), period 6.32591398.
///
/// Fields: positions and velocities, of shape {bodies, 3}; masses. Observables: energy, kinetic, potential (costs a pass over all
/// pairs in double), momentum and angular_momentum (their lengths).
class NBody final : public Simulation {
 public:
  /// Its parameters.
  using Options = NBodyOptions;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = "nbody";
  /// What it is, for people.
  static constexpr std::string_view kAbout = "bodies that attract each other: all pairs, softened gravity, leapfrog";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = 1000;

  /// Throws Error for parameters out of their bounds.
  explicit NBody(Engine& engine, Options options = {});

  /// Sets all bodies: three numbers of each for positions and velocities, one for masses, which may be 0 but not less. Throws Error
  /// if there are not as many as there are bodies, or if a number is not finite.
  void set_bodies(std::span<const double> positions, std::span<const double> velocities, std::span<const double> masses);

  double time() const override { return static_cast<double>(step()) * options_.dt; }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override;

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;

 private:
  std::size_t bodies() const { return masses_.size(); }
  void accelerate(const Array<double>& positions, Array<double>& accelerations) const;

  Options options_;
  Array<double> masses_;
  Array<double> positions_, velocities_, accelerations_;  ///< x, y, z of each body
  Array<double> next_positions_, next_velocities_, next_accelerations_;
};

/// Where bodies are: coordinates of each, in arrays of their own.
template <class T>
struct Bodies {
  std::span<const T> x;     ///< first coordinates
  std::span<const T> y;     ///< second ones
  std::span<const T> z;     ///< third ones
  std::span<const T> mass;  ///< in units of which the constant of gravity is 1
};

/// out_x[i], out_y[i], out_z[i] = Σ m_j (x_j − x_i) / (|x_j − x_i|² + ε²)^{3/2}, of float or double; j goes up in order. In float,
/// 64 terms at a time are summed in float, these sums in double. m / r³ comes from an integer guess and polynomials, within
/// 7 · 2^-24 (double: 6 · 2^-53) of that of the rounded r², where it is from 1e-37 to 1e36 (1e-306 to 1e300) and r below 1e18
/// (1e150). ε below 1e-12 (double: 1e-100) counts as that. Throws Error if sizes differ. Cost: 20 operations a pair.
template <class T>
void attract(Engine& engine, const Bodies<T>& bodies, double softening, std::span<double> out_x, std::span<double> out_y,
             std::span<double> out_z);

}  // namespace furrow::sim
