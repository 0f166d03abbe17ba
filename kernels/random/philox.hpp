// Words of Philox4x32-10. Included once for each instruction set, by files that Highway's foreach_target compiles so. Each
// operation is one of random_reference.hpp.
#ifndef FURROW_KERNELS_PHILOX_ONCE
#define FURROW_KERNELS_PHILOX_ONCE
#include <array>
#include <cstddef>
#include <cstdint>

#include "furrow/kernels/random/reference.hpp"

namespace furrow::random {

/// Numbers are made in groups of so many 64-bit words.
inline constexpr std::size_t kWords = 64;
inline constexpr std::size_t kBlocks = kWords / 2;

}  // namespace furrow::random
#endif

#if defined(FURROW_KERNELS_PHILOX_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_PHILOX_HPP
#undef FURROW_KERNELS_PHILOX_HPP
#else
#define FURROW_KERNELS_PHILOX_HPP
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace furrow::random::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::ScalableTag<std::uint64_t>;
using VecW = hn::Vec<Words>;

/// The products of the low halves.
HWY_INLINE VecW multiply_low([[maybe_unused]] Words d, VecW a, VecW b) {
#if HWY_TARGET == HWY_SCALAR
  const VecW low = hn::Set(d, 0xFFFFFFFF);
  return hn::Mul(hn::And(a, low), hn::And(b, low));
#else
  const hn::Repartition<std::uint32_t, Words> halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
#endif
}

/// The words of each round's key, each in the lower half of 64 bits.
using Keys = std::array<std::array<std::uint64_t, 2>, kPhiloxRounds>;
Keys keys_of(std::uint64_t seed) {
  Keys keys;
  std::array key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (auto& round : keys) {
    round = {key[0], key[1]};
    key = {key[0] + kPhiloxKeySteps[0], key[1] + kPhiloxKeySteps[1]};
  }
  return keys;
}

/// Writes the words of the blocks from `block` on. A lane is a block, whose four words stand in four vectors, each in the lower
/// half of 64 bits; what the upper half holds is not looked at.
HWY_INLINE void make_words(const Keys& keys, std::uint64_t stream, std::uint64_t block, std::uint64_t* out) {
  const Words d;
  constexpr std::size_t N = hn::MaxLanes(d);
  // Batches of lanes side by side, since each step of one waits for the one before: as many as there are registers for.
  constexpr std::size_t kTogether = HWY_TARGET == HWY_AVX3 ? 4 : 2;
  // Blocks in such an order that interleaving within 16 bytes puts them in order.
  HWY_ALIGN std::uint64_t order[N];
  for (std::size_t lane = 0; lane < N; ++lane) order[lane] = lane % 2 * (N / 2) + lane / 2;
  const VecW m0 = hn::Set(d, kPhiloxMultipliers[0]);
  const VecW m1 = hn::Set(d, kPhiloxMultipliers[1]);
  for (std::size_t b = 0; b < kBlocks; b += kTogether * N) {
    VecW x[kTogether][4];
#pragma GCC unroll 4
    for (std::size_t t = 0; t < kTogether; ++t) {
      x[t][0] = hn::Add(hn::Set(d, block + b + t * N), hn::Load(d, order));
      x[t][1] = hn::ShiftRight<32>(x[t][0]);
      x[t][2] = hn::Set(d, stream);
      x[t][3] = hn::Set(d, stream >> 32);
    }
#pragma GCC unroll 10
    for (std::size_t round = 0; round < kPhiloxRounds; ++round) {
      const VecW k0 = hn::Set(d, keys[round][0]);
      const VecW k1 = hn::Set(d, keys[round][1]);
#pragma GCC unroll 4
      for (std::size_t t = 0; t < kTogether; ++t) {
        const VecW p = multiply_low(d, x[t][0], m0);
        const VecW q = multiply_low(d, x[t][2], m1);
        x[t][0] = hn::Xor3(hn::ShiftRight<32>(q), x[t][1], k0);
        x[t][1] = q;
        x[t][2] = hn::Xor3(hn::ShiftRight<32>(p), x[t][3], k1);
        x[t][3] = p;
      }
    }
#pragma GCC unroll 4
    for (std::size_t t = 0; t < kTogether; ++t) {
      std::uint64_t* const to = out + 2 * (b + t * N);
      const auto join = [d](VecW low, VecW high) HWY_ATTR {
#if HWY_TARGET == HWY_SCALAR
        return hn::Or(hn::And(low, hn::Set(d, 0xFFFFFFFF)), hn::ShiftLeft<32>(high));
#else
        const hn::Repartition<std::uint32_t, Words> halves;
        return hn::BitCast(d, hn::OddEven(hn::BitCast(halves, hn::ShiftLeft<32>(high)), hn::BitCast(halves, low)));
#endif
      };
      const VecW first = join(x[t][0], x[t][1]);
      const VecW second = join(x[t][2], x[t][3]);
#if HWY_TARGET == HWY_SCALAR
      hn::Store(first, d, to);
      hn::Store(second, d, to + 1);
#else
      hn::Store(hn::InterleaveLower(d, first, second), d, to);
      hn::Store(hn::InterleaveUpper(d, first, second), d, to + N);
#endif
    }
  }
}

}  // namespace
}  // namespace furrow::random::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // FURROW_KERNELS_PHILOX_HPP
