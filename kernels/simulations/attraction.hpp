#pragma once

#include <cstddef>
#include <cstdint>

namespace furrow::sim {

/// The numbers by which attraction finds m / r³ from r² alone, shared with its reference: an integer guess of 1/√x (Lomont, Fast
/// Inverse Square Root, 2003), a first step whose coefficients spread its error evenly (Moroz et al., Fast calculation of inverse
/// square root with the use of magic constant, 2018), and the binomial series of what is left.
template <class T>
struct RootGuess;
template <>
struct RootGuess<float> {
  using Bits = std::uint32_t;
  static constexpr Bits kMagic = 0x5F1FFFF9;
  static constexpr float kFactor = 0.703952253F;
  static constexpr float kOffset = 2.38924456F;
  static constexpr double kLeastSquare = 1e-24;  ///< of the softening: its -3/2th power is still finite
};
template <>
struct RootGuess<double> {
  using Bits = std::uint64_t;
  static constexpr Bits kMagic = 0x5FE3FFFF20000000;  // the same guess, in the wider format
  static constexpr double kFactor = 0.703952253;
  static constexpr double kOffset = 2.38924456;
  static constexpr double kLeastSquare = 1e-200;
};

/// So many terms are summed in T before their sum is added in double.
inline constexpr std::size_t kTermsTogether = 64;

}  // namespace furrow::sim
