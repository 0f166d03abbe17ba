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
#include <string_view>

#include "furrow/kernels/instruction_set.hpp"
#include "furrow/kernels/packing.hpp"

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

}  // namespace

struct Packing {
  static std::size_t narrow(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* to) {
    return pack_words(x, chosen, n, to);
  }
  static std::size_t wide(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* to) {
    return pack_words(x, chosen, n, to);
  }
};

}  // namespace furrow::selection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::selection {
namespace {

struct InstructionSet {
  std::string_view name;
  std::size_t (*narrow)(const std::uint32_t*, const unsigned char*, std::size_t, std::uint32_t*);
  std::size_t (*wide)(const std::uint64_t*, const unsigned char*, std::size_t, std::uint64_t*);
};

constexpr InstructionSet kBuilt[] = {
#if HWY_TARGETS & HWY_AVX3
    {"avx512", N_AVX3::Packing::narrow, N_AVX3::Packing::wide},
#endif
#if HWY_TARGETS & HWY_AVX2
    {"avx2", N_AVX2::Packing::narrow, N_AVX2::Packing::wide},
#endif
#if HWY_TARGETS & HWY_SSE4
    {"sse4", N_SSE4::Packing::narrow, N_SSE4::Packing::wide},
#endif
#if HWY_TARGETS & HWY_SSSE3
    {"ssse3", N_SSSE3::Packing::narrow, N_SSSE3::Packing::wide},
#endif
    {"baseline", HWY_NAMESPACE::Packing::narrow, HWY_NAMESPACE::Packing::wide},
};

/// The code for the instruction set that all named kernels use.
const InstructionSet& chosen_set() {
  static const InstructionSet& set = []() -> const InstructionSet& {
    const auto* const found = std::ranges::find(kBuilt, std::string_view(instruction_set()), &InstructionSet::name);
    return *(found != std::end(kBuilt) ? found : std::end(kBuilt) - 1);
  }();
  return set;
}

}  // namespace

std::size_t pack(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* to) {
  return chosen_set().narrow(x, chosen, n, to);
}
std::size_t pack(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* to) {
  return chosen_set().wide(x, chosen, n, to);
}

}  // namespace furrow::selection
#endif  // HWY_ONCE
