#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// Paths of a price under Black and Scholes's model, and what contracts on it pay: what OptionPricing adds up, in SIMD code.

namespace furrow::sim::pricing {

/// The model in units of the spot price. Between dates the logarithm of the price grows by drift + spread · z, z normal.
struct Paths {
  std::size_t dates = 1;
  double drift = 0;               ///< (r − σ²/2) dt
  double spread = 0;              ///< σ √dt
  double tilt = 0;                ///< (r + σ²/2) dt
  double inverse_volatility = 0;  ///< 1/σ
  double bridge = 0;              ///< 2 / (σ² dt)
  double strike = 0;              ///< K/S
  double barrier = 0;             ///< ln(B/S), below 0
};

/// By contract (european, geometric Asian, arithmetic less geometric Asian, barrier), for each path of n: the payoff, its
/// derivative by ln S and its derivative by σ; the sum of each, then of its square.
inline constexpr std::size_t kContracts = 4;
inline constexpr std::size_t kQuantities = 3;
struct Sums {
  std::array<double, kContracts * kQuantities * 2> of;
};
inline Sums join(const Sums& a, const Sums& b) {
  Sums sum;
  for (std::size_t i = 0; i < sum.of.size(); ++i) sum.of[i] = a.of[i] + b.of[i];
  return sum;
}

/// Paths are made in blocks: number `date` of path i of block b is number 64 (b · dates + date) + i of the stream.
inline constexpr std::size_t kBlock = 64;
/// Paths of a chunk at the least. In each, path i is added to lane i mod kLanes, then the upper half of lanes to the lower half,
/// until one is left; chunks are combined in the tree.
inline constexpr std::size_t kShortest = 1024;
inline constexpr std::size_t kLanes = 8;

struct Kernels {
  /// Of paths [first, first + n) of a stream; first is a multiple of kBlock. `european`: of that contract alone; others' are 0.
  using Sum = Sums (*)(const Paths& paths, std::uint64_t seed, std::uint64_t stream, std::size_t first, std::size_t n);
  Sum all;
  Sum european;
};

/// Those of the instruction set in use.
const Kernels& kernels();

// e^x = 2^k (1 + r + r² q(r)), |r| ≤ ln 2 / 2, within two units in the last place for |x| ≤ 700. Without fused multiply-add, so
// that all processors have the same bits. q is math_functions.hpp's.
inline constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
inline constexpr double kLn2High = 0x1.62e42fefa38p-1;  // so few digits that its products with k are exact
inline constexpr double kLn2Low = 0x1.ef35793c7673p-45;
inline constexpr double kInteger = 0x1.8p52;  // what is added to this is rounded to an integer, which stands in the lowest bits
inline constexpr double kExpLimit = 700;
inline constexpr std::array kExpSeries{0x1p-1,
                                       0x1.555555555555cp-3,
                                       0x1.55555555531dp-5,
                                       0x1.111111110e658p-7,
                                       0x1.6c16c17cd7648p-10,
                                       0x1.a01a01b62b351p-13,
                                       0x1.a019aae87536ap-16,
                                       0x1.71dde91d5268ep-19,
                                       0x1.289fd2475217p-22,
                                       0x1.af78401683b8ap-26};

}  // namespace furrow::sim::pricing
