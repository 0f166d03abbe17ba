// Compressing registers, and masks as bits. Included once for each instruction set, by files that Highway's foreach_target compiles
// so; there is something in it for AVX-512 alone.
#if defined(FURROW_KERNELS_COMPRESSING_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_COMPRESSING_HPP
#undef FURROW_KERNELS_COMPRESSING_HPP
#else
#define FURROW_KERNELS_COMPRESSING_HPP
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace furrow::vectors::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
/// Each of the eight bits twice, side by side.
HWY_INLINE unsigned doubled(unsigned bits) {
  bits = (bits | bits << 4) & 0x0F0F;
  bits = (bits | bits << 2) & 0x3333;
  bits = (bits | bits << 1) & 0x5555;
  return 3 * bits;
}

/// Elements that are compressed at a time.
template <class U>
inline constexpr std::size_t kCompressed = sizeof(U) == 1 ? 16 : 64 / sizeof(U);

/// Copies those of the kCompressed elements at x whose bit is set to the front of `to`, of which as many are overwritten. In a
/// register, which is then stored whole: the instruction that compresses on its way to memory takes more than a hundred cycles on
/// Zen 4. Of 64 bits as two words: for those Highway 1.0.3 has a table, which GCC copies at each use.
template <class U>
HWY_INLINE void compress(const U* x, unsigned bits, U* to) {
  const hn::CappedTag<std::uint32_t, 16> d;
  const unsigned mask = sizeof(U) == 8 ? doubled(bits) : bits;
  const hn::Mask<decltype(d)> kept{static_cast<__mmask16>(mask)};
  if constexpr (sizeof(U) == 1) {  // there is no such instruction for bytes yet
    const hn::Rebind<std::uint8_t, decltype(d)> bytes;
    const auto words = hn::PromoteTo(d, hn::LoadU(bytes, x));
    return hn::StoreU(hn::TruncateTo(bytes, hn::Compress(words, kept)), bytes, to);
  }
  const auto words = hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(x));
  hn::StoreU(hn::Compress(words, kept), d, reinterpret_cast<std::uint32_t*>(to));
}

/// Lane k as bit k, of at most 16 lanes.
template <class M>
HWY_INLINE unsigned bits_of(M mask) {
  unsigned bits = mask.raw;
  // Into a general register: of a mask that it has to store meanwhile, GCC 12 writes 16 bits and reads 32.
  asm("" : "+r"(bits));
  return bits;
}
#endif

}  // namespace
}  // namespace furrow::vectors::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // FURROW_KERNELS_COMPRESSING_HPP
