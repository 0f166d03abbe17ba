#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "furrow/kernels/random/reference.hpp"
#include "furrow/kernels/reference.hpp"
#include "furrow/kernels/simd/exp_constants.hpp"
#include "furrow/kernels/simulations/option_paths.hpp"

// What OptionPricing adds up, path after path: its definition. option_paths.cpp does the same in SIMD code.

namespace furrow::sim::pricing::reference {

inline double exponential(double v) {
  using Constants = math::ExpConstants<double>;
  const double x = std::min(std::max(v, -kExpLimit), kExpLimit);
  const double shifted = x * Constants::kInverseLn2 + kInteger;
  const double k = shifted - kInteger;
  const double r = (x - k * Constants::kLn2High) - k * Constants::kLn2Low;
  const double z = r * r;
  double even = Constants::kSeries[8];
  double odd = Constants::kSeries[9];
  for (std::size_t c = 8; c > 0; c -= 2) {
    even = even * z + Constants::kSeries[c - 2];
    odd = odd * z + Constants::kSeries[c - 1];
  }
  const double q = even + odd * r;
  const double y = 1 + (r + z * q);
  return y * std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
}

/// What path `index` of a stream pays under each contract, and the derivatives, as in Sums.
struct Path {
  double of[kContracts][kQuantities];

  Path(const Paths& paths, std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    const auto dates = static_cast<double>(paths.dates);
    double x = 0;
    double price = 1;
    double sum = 0;
    double sum_by_volatility = 0;
    double sum_of_logs = 0;
    double alive = 1;
    double alive_by_spot = 0;
    double alive_by_volatility = 0;
    for (std::size_t date = 0; date < paths.dates; ++date) {
      const std::uint64_t number = kBlock * (index / kBlock * paths.dates + date) + index % kBlock;
      const double z = random::reference::normal<double>(seed, stream, number, 0, 1);
      const double before = x;
      x = before + (paths.drift + paths.spread * z);
      price = exponential(x);
      const double y0 = (before - paths.tilt * static_cast<double>(date)) * paths.inverse_volatility;
      const double y1 = (x - paths.tilt * static_cast<double>(date + 1)) * paths.inverse_volatility;
      sum += price;
      sum_by_volatility += price * y1;
      sum_of_logs += x;
      const double a = before - paths.barrier;
      const double b = x - paths.barrier;
      const double product = a * b;
      const double met = product > 0 ? exponential(product * -paths.bridge) : 1;
      const double slope = product > 0 ? met * paths.bridge : 0;
      const double missed = 1 - met;
      const double by_volatility = slope * ((y0 * b + a * y1) - (paths.inverse_volatility + paths.inverse_volatility) * product);
      alive_by_spot = alive_by_spot * missed + alive * (slope * (a + b));
      alive_by_volatility = alive_by_volatility * missed + alive * by_volatility;
      alive = alive * missed;
    }
    const auto set = [&](std::size_t contract, double value, double by_volatility) {
      const bool pays = value > paths.strike;
      of[contract][0] = pays ? value - paths.strike : 0;
      of[contract][1] = pays ? value : 0;
      of[contract][2] = pays ? by_volatility : 0;
    };
    set(0, price, price * ((x - paths.tilt * dates) * paths.inverse_volatility));
    const double mean_log = sum_of_logs * (1 / dates);
    const double geometric = exponential(mean_log);
    set(1, geometric, geometric * ((mean_log - paths.tilt * ((dates + 1) / 2)) * paths.inverse_volatility));
    set(2, sum * (1 / dates), sum_by_volatility * (1 / dates));
    for (std::size_t k = 0; k < kQuantities; ++k) of[2][k] -= of[1][k];
    of[3][0] = alive * of[0][0];
    of[3][1] = alive_by_spot * of[0][0] + alive * of[0][1];
    of[3][2] = alive_by_volatility * of[0][0] + alive * of[0][2];
  }
};

/// Of paths [0, n) of a stream, n >= 1, in chunks of `length`.
inline Sums sums(const Paths& paths, std::uint64_t seed, std::uint64_t stream, std::size_t n, std::size_t length) {
  std::vector<Sums> chunks;
  for (std::size_t begin = 0; begin < n; begin += length) {
    std::vector<Sums> lanes(kLanes, Sums{});
    for (std::size_t i = begin; i < std::min(n, begin + length); ++i) {
      const Path path(paths, seed, stream, i);
      for (std::size_t k = 0; k < kContracts * kQuantities; ++k) {
        const double value = path.of[k / kQuantities][k % kQuantities];
        lanes[i % kLanes].of[2 * k] += value;
        lanes[i % kLanes].of[2 * k + 1] += value * value;
      }
    }
    for (std::size_t half = kLanes / 2; half > 0; half /= 2)
      for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + half]);
    chunks.push_back(lanes[0]);
  }
  return furrow::reference::tree(chunks, join);
}

}  // namespace furrow::sim::pricing::reference
