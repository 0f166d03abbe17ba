// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/packing.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <bit>
#include <cstring>

#include "furrow/kernels/instruction_set_tables.hpp"
#include "furrow/kernels/packing.hpp"

#ifndef FURROW_KERNELS_PACKING_ONCE
#define FURROW_KERNELS_PACKING_ONCE
namespace furrow::selection {

struct Packing {
  std::size_t (*narrow)(const std::uint32_t*, const unsigned char*, std::size_t, std::uint32_t*);
  std::size_t (*wide)(const std::uint64_t*, const unsigned char*, std::size_t, std::uint64_t*);
};

}  // namespace furrow::selection
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::selection::HWY_NAMESPACE {
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

/// Packs whole eights, says how many elements these are, and adds those packed to `count`. Words are compressed in a register and
/// stored whole, each store over what the one before wrote too much: the instruction that compresses on its way to memory takes
/// more than a hundred cycles on Zen 4. Of 64 bits as two words: for those Highway 1.0.3 has a table, which GCC copies at each use.
template <class U>
std::size_t pack_eights(const U* x, const unsigned char* chosen, std::size_t n, U* to, std::size_t& count) {
  constexpr std::size_t kWords = sizeof(U) / sizeof(std::uint32_t);
  const hn::CappedTag<std::uint32_t, 8 * kWords> d;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, chosen + i, sizeof(bytes));
    // Byte k to bit 56 + k: no two of the products meet.
    const auto bits = static_cast<unsigned>(bytes * 0x0102040810204080U >> 56);
    const std::uint64_t mask = kWords == 2 ? doubled(bits) : bits;
    const auto kept = hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&mask));
    const auto words = hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(x + i));
    hn::StoreU(hn::Compress(words, kept), d, reinterpret_cast<std::uint32_t*>(to + count));
    count += static_cast<std::size_t>(std::popcount(bits));
  }
  return i;
}
#endif

template <class U>
std::size_t pack_words(const U* x, const unsigned char* chosen, std::size_t n, U* to) {
  std::size_t count = 0;
  std::size_t i = 0;
#if HWY_TARGET == HWY_AVX3
  i = pack_eights(x, chosen, n, to, count);
#endif
  for (; i < n; ++i) {
    to[count] = x[i];
    count += chosen[i];
  }
  return count;
}

constexpr Packing kPacking{pack_words<std::uint32_t>, pack_words<std::uint64_t>};

}  // namespace
}  // namespace furrow::selection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::selection {
namespace {

constexpr Built<Packing> kBuilt[] = {FURROW_TABLES(kPacking)};

const Packing& chosen_packing() {
  static const Packing& packing = chosen_of<Packing>(kBuilt);
  return packing;
}

}  // namespace

std::size_t pack(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* to) {
  return chosen_packing().narrow(x, chosen, n, to);
}
std::size_t pack(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* to) {
  return chosen_packing().wide(x, chosen, n, to);
}

}  // namespace furrow::selection
#endif  // HWY_ONCE
