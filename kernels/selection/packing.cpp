// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/selection/packing.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "furrow/kernels/selection/compressing.hpp"
#include "furrow/kernels/selection/packing.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/streaming.hpp"

#ifndef FURROW_KERNELS_PACKING_ONCE
#define FURROW_KERNELS_PACKING_ONCE
namespace furrow::selection {

struct Packing {
  std::size_t (*bytes)(const std::uint8_t*, const unsigned char*, std::size_t, std::uint8_t*);
  std::size_t (*narrow)(const std::uint32_t*, const unsigned char*, std::size_t, std::uint32_t*);
  std::size_t (*wide)(const std::uint64_t*, const unsigned char*, std::size_t, std::uint64_t*);
};

}  // namespace furrow::selection
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::selection::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3
/// Packs whole registers, says how many elements these are, and adds those packed to `count`. Each store goes over what the one
/// before wrote too much.
template <class U>
std::size_t pack_registers(const U* x, const unsigned char* chosen, std::size_t n, U* to, std::size_t& count) {
  constexpr std::size_t N = vectors::HWY_NAMESPACE::kCompressed<U>;
  std::size_t i = 0;
  for (; i + N <= n; i += N) {
    unsigned bits = 0;
    for (std::size_t eight = 0; eight < N; eight += 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, chosen + i + eight, sizeof(bytes));
      // Byte k to bit 56 + k: no two of the products meet.
      bits |= static_cast<unsigned>(bytes * 0x0102040810204080U >> 56) << eight;
    }
    vectors::HWY_NAMESPACE::compress(x + i, bits, to + count);
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
  i = pack_registers(x, chosen, n, to, count);
#endif
  for (; i < n; ++i) {
    to[count] = x[i];
    count += chosen[i];
  }
  return count;
}

constexpr Packing kPacking{pack_words<std::uint8_t>, pack_words<std::uint32_t>, pack_words<std::uint64_t>};

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

template <class Writer, class U>
void part_through(const U* x, const unsigned char* chosen, std::size_t n, U* to_yes, U* to_no) {
  Writer yes(to_yes);
  Writer no(to_no);
  std::array<unsigned char, Writer::kMost> others;
  for (std::size_t begin = 0; begin < n; begin += Writer::kMost) {
    const std::size_t size = std::min(Writer::kMost, n - begin);
    for (std::size_t i = 0; i < size; ++i) others[i] = chosen[begin + i] ^ 1;
    yes.take(pack(x + begin, chosen + begin, size, yes.next()));
    no.take(pack(x + begin, others.data(), size, no.next()));
  }
  yes.finish();
  no.finish();
}

template <class U>
void part_words(const U* x, const unsigned char* chosen, std::size_t n, U* yes, U* no, bool stream) {
  if (stream)
    part_through<StreamWriter<U>>(x, chosen, n, yes, no);
  else
    part_through<CopyWriter<U>>(x, chosen, n, yes, no);
}

}  // namespace

std::size_t pack(const std::uint8_t* x, const unsigned char* chosen, std::size_t n, std::uint8_t* to) {
  return chosen_packing().bytes(x, chosen, n, to);
}
std::size_t pack(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* to) {
  return chosen_packing().narrow(x, chosen, n, to);
}
std::size_t pack(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* to) {
  return chosen_packing().wide(x, chosen, n, to);
}

void part(const std::uint8_t* x, const unsigned char* chosen, std::size_t n, std::uint8_t* yes, std::uint8_t* no, bool stream) {
  part_words(x, chosen, n, yes, no, stream);
}
void part(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* yes, std::uint32_t* no, bool stream) {
  part_words(x, chosen, n, yes, no, stream);
}
void part(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* yes, std::uint64_t* no, bool stream) {
  part_words(x, chosen, n, yes, no, stream);
}

}  // namespace furrow::selection
#endif  // HWY_ONCE
