#pragma once

#include <cstddef>
#include <cstdint>

namespace furrow::sim {

/// The numbers by which attraction finds m x^(-3/2) without division or root, shared with its reference.
///
/// An integer guess g = bits(kMagic − bits(x) / 2) of x^(-1/2) (Lomont, Fast Inverse Square Root, 2003) has t = x g² within
/// [0.75, 0.84375] for every x, with this kMagic the least range there is. Of t, polynomials of the least greatest relative error
/// (Remez' algorithm, in long double) give what is missing, in forms whose first coefficient is 1 and that need the fewest
/// multiplications (after Knuth, The Art of Computer Programming, vol. 2, 4.6.4): so all terms lack the same factor, kScale.
template <class T>
struct InverseCube;
/// g³ p, where p = (y + (a + kP[2])) y + kP[3] of a = t + kP[0], y = a² + kP[1] is t^(-3/2) within 1.2e-7. With all rounding, for
/// every x: within 5.6 · 2^-24.
template <>
struct InverseCube<float> {
  using Bits = std::uint32_t;
  static constexpr Bits kMagic = 0x5F200000;
  static constexpr float kP[] = {-1.22413409F, 0.0282214899F, 0.611740351F, 0.0798331052F};
  static constexpr double kScale = 8.6168937707052073;
  static constexpr double kLeastSquare = 1e-24;  ///< of the softening: its -3/2th power is still finite
};
/// r = g (a² + kP[1]), where a = t + kP[0], is a root within 1.6e-5, but for a constant; then r³ ((e² + kQ[1]) e + kQ[2]) of
/// e = kQ[0] − x r² is within 7e-19. With all rounding, for four million x at random: within 3.5 · 2^-53.
template <>
struct InverseCube<double> {
  using Bits = std::uint64_t;
  static constexpr Bits kMagic = 0x5FE4000000000000;
  static constexpr double kP[] = {-1.3276937821301416, 1.4074696396316409};
  static constexpr double kQ[] = {2.9235917319922353, 2.279303626009525, 3.6198165759135018};
  static constexpr double kScale = 0.054259140768192557;
  static constexpr double kLeastSquare = 1e-200;
};

/// So many terms are summed in T before their sum is added in double.
inline constexpr std::size_t kTermsTogether = 64;

}  // namespace furrow::sim
