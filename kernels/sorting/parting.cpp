// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/sorting/parting.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <bit>

#include "furrow/kernels/selection/compressing.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/sorting/parting.hpp"

#ifndef FURROW_KERNELS_PARTING_ONCE
#define FURROW_KERNELS_PARTING_ONCE
namespace furrow::sorting {

template <class U>
using PartByKeys = Parted (*)(const U*, std::size_t, const KeyRule<U>&, U, U, const PartsOut<U>&);

struct Parting {
  PartByKeys<std::uint8_t> of_8_bits;
  PartByKeys<std::uint16_t> of_16_bits;
  PartByKeys<std::uint32_t> of_32_bits;
  PartByKeys<std::uint64_t> of_64_bits;
};

}  // namespace furrow::sorting
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sorting::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
using furrow::vectors::HWY_NAMESPACE::bits_of;
using furrow::vectors::HWY_NAMESPACE::compress;

/// Parts whole registers, and says how many elements these are.
template <bool has_below, bool has_within, bool has_above, class U>
std::size_t part_registers(const U* x, std::size_t n, const KeyRule<U>& rule, U least, U greatest, const PartsOut<U>& out,
                           Parted& parted) {
  const hn::CappedTag<U, 64 / sizeof(U)> d;
  const hn::RebindToSigned<decltype(d)> compared;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr U kTop = U{1} << (8 * sizeof(U) - 1);  // unsigned keys are compared as signed ones
  const auto sign_mask = hn::Set(d, rule.sign_mask);
  const auto sign = hn::Set(d, rule.sign);
  const auto zero = hn::Set(d, rule.least);
  const auto flip = hn::Set(d, static_cast<U>(rule.flip ^ kTop));
  const auto low = hn::BitCast(compared, hn::Set(d, static_cast<U>(least ^ kTop)));
  const auto high = hn::BitCast(compared, hn::Set(d, static_cast<U>(greatest ^ kTop)));
  std::size_t above = 0;
  std::size_t i = 0;
  for (; i + N <= n; i += N) {
    const auto bits = hn::LoadU(d, x + i);
    const auto negative = hn::BitCast(d, hn::BroadcastSignBit(hn::BitCast(compared, bits)));
    const auto total = hn::Sub(hn::Xor(bits, hn::Or(hn::And(negative, sign_mask), sign)), zero);
    const auto key = hn::BitCast(compared, hn::Xor(total, flip));
    const unsigned is_below = bits_of(hn::Lt(key, low));
    const unsigned is_above = bits_of(hn::Gt(key, high));
    if constexpr (has_below) compress(x + i, is_below, out.below + parted.below);
    if constexpr (has_within) compress(x + i, ~(is_below | is_above) & ((1U << N) - 1), out.within + parted.within);
    if constexpr (has_above) compress(x + i, is_above, out.above + above);
    const auto below = static_cast<std::size_t>(std::popcount(is_below));
    const auto beyond = static_cast<std::size_t>(std::popcount(is_above));
    parted.below += below;
    parted.within += N - below - beyond;
    above += beyond;
  }
  return i;
}
#endif

template <bool has_below, bool has_within, bool has_above, class U>
Parted part_as(const U* x, std::size_t n, const KeyRule<U>& rule, U least, U greatest, const PartsOut<U>& out) {
  Parted parted;
  std::size_t i = 0;
#if HWY_TARGET == HWY_AVX3
  if constexpr (sizeof(U) >= 4) i = part_registers<has_below, has_within, has_above>(x, n, rule, least, greatest, out, parted);
#endif
  std::size_t above = i - parted.below - parted.within;
  for (; i < n; ++i) {  // no branch: nobody could predict it
    const U key = rule.key(x[i]);
    const bool is_below = key < least;
    const bool is_above = key > greatest;
    if constexpr (has_below) out.below[parted.below] = x[i];
    if constexpr (has_within) out.within[parted.within] = x[i];
    if constexpr (has_above) out.above[above] = x[i];
    parted.below += is_below ? 1 : 0;
    parted.within += is_below || is_above ? 0 : 1;
    above += is_above ? 1 : 0;
  }
  return parted;
}

template <class U>
Parted part_by_keys(const U* x, std::size_t n, const KeyRule<U>& rule, U least, U greatest, const PartsOut<U>& out) {
  if (out.below != nullptr) return part_as<true, false, true>(x, n, rule, least, greatest, out);
  if (out.within != nullptr) return part_as<false, true, false>(x, n, rule, least, greatest, out);
  return part_as<false, false, false>(x, n, rule, least, greatest, out);
}

constexpr Parting kParting{part_by_keys<std::uint8_t>, part_by_keys<std::uint16_t>, part_by_keys<std::uint32_t>,
                           part_by_keys<std::uint64_t>};

}  // namespace
}  // namespace furrow::sorting::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sorting {
namespace {

constexpr Built<Parting> kBuilt[] = {FURROW_TABLES(kParting)};

const Parting& chosen_parting() {
  static const Parting& parting = chosen_of<Parting>(kBuilt);
  return parting;
}

}  // namespace

Parted part_by_keys(const std::uint8_t* x, std::size_t n, const KeyRule<std::uint8_t>& rule, std::uint8_t least,
                    std::uint8_t greatest, const PartsOut<std::uint8_t>& out) {
  return chosen_parting().of_8_bits(x, n, rule, least, greatest, out);
}
Parted part_by_keys(const std::uint16_t* x, std::size_t n, const KeyRule<std::uint16_t>& rule, std::uint16_t least,
                    std::uint16_t greatest, const PartsOut<std::uint16_t>& out) {
  return chosen_parting().of_16_bits(x, n, rule, least, greatest, out);
}
Parted part_by_keys(const std::uint32_t* x, std::size_t n, const KeyRule<std::uint32_t>& rule, std::uint32_t least,
                    std::uint32_t greatest, const PartsOut<std::uint32_t>& out) {
  return chosen_parting().of_32_bits(x, n, rule, least, greatest, out);
}
Parted part_by_keys(const std::uint64_t* x, std::size_t n, const KeyRule<std::uint64_t>& rule, std::uint64_t least,
                    std::uint64_t greatest, const PartsOut<std::uint64_t>& out) {
  return chosen_parting().of_64_bits(x, n, rule, least, greatest, out);
}

}  // namespace furrow::sorting
#endif  // HWY_ONCE
