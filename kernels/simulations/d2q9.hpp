#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/blocking.hpp"
#include "furrow/kernels/grid.hpp"
#include "furrow/kernels/stencil.hpp"

// The lattice with nine velocities in the plane: its populations, how they collide and where they come from.

namespace furrow::sim::d2q9 {

constexpr std::size_t kDirections = 9;

/// Cells that a population goes per step: at rest, then pairs of opposite directions: east and west, north and south, north-east
/// and south-west, north-west and south-east. North is up, to the row before.
constexpr std::array<int, kDirections> kEast{0, 1, -1, 0, 0, 1, -1, -1, 1};
constexpr std::array<int, kDirections> kNorth{0, 0, 0, 1, -1, 1, -1, 1, -1};
constexpr std::array<double, kDirections> kWeights{4.0 / 9,  1.0 / 9,  1.0 / 9,  1.0 / 9, 1.0 / 9,
                                                   1.0 / 36, 1.0 / 36, 1.0 / 36, 1.0 / 36};
constexpr std::size_t opposite(std::size_t i) {
  return i == 0 ? 0 : i % 2 == 1 ? i + 1 : i - 1;
}

/// Populations at rest in equilibrium at density rho and velocity (east, north); second order in the velocity.
std::array<double, kDirections> equilibrium(double rho, double east, double north);

/// How populations relax to that: what of a pair of opposite ones is alike at the rate `plus`, which sets the viscosity, what
/// differs at the rate `minus` (two relaxation times; Ginzburg, Verhaeghe and d'Humières, Communications in Computational Physics
/// 3, 2008). The force acts by the source of Guo, Zheng and Shi (Physical Review E 65, 046308, 2002), split in the same way.
struct Collision {
  double plus;
  double minus;
  std::array<double, 2> force{};  ///< momentum to the east and north that a cell gains per step

  /// viscosity = (1/plus − 1/2) / 3; magic = (1/plus − 1/2) · (1/minus − 1/2), on which alone it depends where between two cells a
  /// wall is felt to stand: at 3/16 in the middle exactly, for flow between parallel plates; 1/4 is the most stable.
  static Collision two_rates(double viscosity, double magic);
  /// One relaxation time for both (Bhatnagar, Gross and Krook).
  static Collision one_rate(double viscosity);
};

/// What a cell has around it, in bits: from where each population comes that is not simply that of the next cell. They are kept in
/// fields of doubles, whose value means nothing.
using Links = std::uint64_t;
constexpr Links kSolid = 1;  ///< the cell is no fluid: its populations stay as they are
/// Population i comes from a wall half-way to the next cell: it is what left the cell in the opposite direction (half-way
/// bounce-back).
constexpr Links bounces(std::size_t i) {
  return Links{1} << i;
}
/// That wall moves, or fluid comes through it: wall(…) says how (Ladd, Journal of Fluid Mechanics 271, 1994).
constexpr Links moves(std::size_t i) {
  return Links{1} << (kDirections + i);
}
/// Population i comes from beyond an opening at density 1 (anti-bounce-back; Ginzburg et al. 2008).
constexpr Links opens(std::size_t i) {
  return Links{1} << (2 * kDirections + i);
}
constexpr Links wall(std::size_t index) {
  return Links{index} << 32;
}
constexpr std::size_t wall_of(Links links) {
  return static_cast<std::size_t>(links >> 32);
}

/// What population i of a cell beside a wall gains of the wall's velocity: 6 w[i] (c[i] · u), at density 1.
using Push = std::array<double, kDirections>;
Push push_of(double east, double north);

/// A step, line by line, for blocking: nine populations as they leave their cells, and the links as a constant unless `constants`
/// is 0.
template <std::size_t constants>
class Step : public blocking::LineOperation {
 public:
  using Lines = Neighbourhood<double, 2, 1>::Lines;

  /// `pushes` are those of the walls that links name; they must live as long.
  explicit Step(const Collision& collision, std::span<const Push> pushes = {});

  void line(const std::array<Lines, kDirections + constants>& from, std::ptrdiff_t first, std::ptrdiff_t size,
            const std::array<double*, kDirections>& to) const;

 private:
  using Kernel = void (*)(const Collision& collision, const Push* pushes, const double* const* pulled, const double* const* own,
                          const double* links, std::size_t size, double* const* to);
  Collision collision_;
  const Push* pushes_;
  Kernel kernel_;
};
extern template class Step<0>;
extern template class Step<1>;

/// Steps in a periodic plane of shape[0] rows of shape[1] cells without walls: out = in after `steps` steps. In each, populations
/// go one cell on and then collide; equal bits on all processors. Throws as furrow::stencil does.
void run(Engine& engine, const Fields<const double, kDirections>& in, const Fields<double, kDirections>& out,
         const std::array<std::size_t, 2>& shape, std::size_t steps, const Collision& collision);

}  // namespace furrow::sim::d2q9
