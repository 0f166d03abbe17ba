#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/kernels/random/reference.hpp"

// The sweeps of Ising, cell after cell: their definition. ising_sweeps.cpp does the same with bits in SIMD code.

namespace furrow::sim::ising::reference {

/// The 64 binary digits of the numbers of 64 cells, made when they are asked for.
class Digits {
 public:
  /// Of cells 64 · word … of a row of a colour; a row takes `groups` groups of 512 cells.
  Digits(std::uint64_t seed, std::uint64_t stream, std::uint64_t row, std::uint64_t groups, std::uint64_t word)
      : seed_(seed), stream_(stream), first_(512 * (row * groups + word / 8) + word % 8) {}

  /// Whether the number of cell j of these is below limit / 2^64.
  bool below(std::size_t j, std::uint64_t limit) {
    for (std::size_t k = 0; k < words_.size(); ++k) {
      if (k == known_) words_[known_++] = random::reference::word<std::uint64_t>(seed_, stream_, first_ + 8 * k);
      const bool digit = words_[k] >> j & 1;
      const bool of_limit = limit >> (63 - k) & 1;
      if (digit != of_limit) return of_limit;
    }
    return false;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t first_;
  std::array<std::uint64_t, 64> words_{};
  std::size_t known_ = 0;
};

/// Step `step` of spins 0 and 1, rows one after the other.
inline void sweep(std::span<std::uint8_t> spins, std::size_t height, std::size_t width, double temperature, std::uint64_t seed,
                  std::uint64_t step) {
  const long double rounded = std::nearbyint(std::exp(-4 / static_cast<long double>(temperature)) * 0x1p32L);
  const auto p = static_cast<std::uint64_t>(rounded < 0x1p32L ? rounded : 0x1p32L - 1);
  const std::size_t groups = (width / 2 + 511) / 512;
  for (std::size_t colour = 0; colour < 2; ++colour) {
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t above = (y + height - 1) % height * width;
      const std::size_t below = (y + 1) % height * width;
      const std::size_t here = y * width;
      for (std::size_t first = 0; first < width / 2; first += 64) {
        Digits digits(seed, 2 * step + colour, y, groups, first / 64);
        for (std::size_t j = first; j < width / 2 && j < first + 64; ++j) {
          const std::size_t x = 2 * j + (y + colour) % 2;
          std::uint8_t& spin = spins[here + x];
          int unlike = 0;
          for (const std::size_t neighbour : {above + x, below + x, here + (x + width - 1) % width, here + (x + 1) % width})
            unlike += spins[neighbour] != spin ? 1 : 0;
          if (unlike >= 2 || digits.below(j - first, unlike == 1 ? p << 32 : p * p)) spin ^= 1;
        }
      }
    }
  }
}

}  // namespace furrow::sim::ising::reference
