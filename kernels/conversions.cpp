// Compiled once for each instruction set, as simd.cpp is. The loops are plain: compilers know the instructions.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/conversions.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "furrow/kernels/conversion_kernels.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/streaming.hpp"

#ifndef FURROW_KERNELS_CONVERSIONS_CPP
#define FURROW_KERNELS_CONVERSIONS_CPP
namespace furrow::conversions {

/// By the types from and to.
using Table = std::array<std::array<Kernel, ElementTypes::size>, ElementTypes::size>;

}  // namespace furrow::conversions
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::conversions::HWY_NAMESPACE {
namespace {

template <class To, class From>
HWY_INLINE To converted(From v) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_same_v<From, To> || std::is_floating_point_v<To>) {
    return static_cast<To>(v);
  } else if constexpr (std::is_integral_v<From>) {
    if constexpr (std::in_range<To>(std::numeric_limits<From>::min()) && std::in_range<To>(std::numeric_limits<From>::max())) {
      return static_cast<To>(v);
    } else {
      const From low = static_cast<From>(Limits::min());
      const From high = static_cast<From>(Limits::max());
      return static_cast<To>(v < low ? low : v > high ? high : v);
    }
  } else {
    // The power of two above the greatest integer is exact; what lies below it and is not within fits after cutting.
    constexpr From kAbove = static_cast<From>(Limits::max() / 2 + 1) * 2;
    constexpr From kLeast = static_cast<From>(Limits::min());
    const bool within = v > kLeast && v < kAbove;  // not if v is NaN
    const To cut = static_cast<To>(within ? v : From{0});
    const To beyond = v >= kAbove ? Limits::max() : v <= kLeast ? Limits::min() : To{0};
    return within ? cut : beyond;
  }
}

template <class From, class To>
void convert(const void* in, void* out, std::size_t n) {
  const From* from = static_cast<const From*>(in);
  To* to = static_cast<To*>(out);
  // In groups of constant length, which compilers vectorise at -O2 too.
  constexpr std::size_t kGroup = 64;
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
#pragma GCC ivdep
    for (std::size_t k = 0; k < kGroup; ++k) to[i + k] = converted<To>(from[i + k]);
  }
  for (; i < n; ++i) to[i] = converted<To>(from[i]);
}

template <class From, class... To>
constexpr std::array<Kernel, sizeof...(To)> from_one(TypeList<To...>) {
  return {convert<From, To>...};
}
template <class... From>
constexpr Table make(TypeList<From...> all) {
  return {from_one<From>(all)...};
}
constexpr Table kTable = make(ElementTypes());

}  // namespace
}  // namespace furrow::conversions::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {
namespace conversions {
namespace {

constexpr Built<Table> kBuilt[] = {FURROW_TABLES(kTable)};

const Table& chosen() {
  static const Table& table = chosen_of<Table>(kBuilt);
  return table;
}

}  // namespace

Kernel kernel(Type from, Type to) {
  return chosen()[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

}  // namespace conversions

namespace named {

template <NamedElement From, NamedElement To>
void convert(Engine& engine, std::span<const From> in, std::span<To> out) {
  /// Fewer than this are never worth a second thread.
  constexpr std::size_t kShortest = 1024;
  static constinit Cost cost;
  check::same_size("convert", in.size(), out.size());
  if constexpr (std::is_same_v<From, To>)
    check::no_partial_overlap("convert", in, out);
  else
    check::apart("convert", in, out);
  const conversions::Kernel kernel = conversions::kernel(type_of<From>, type_of<To>);
  const bool in_place = static_cast<const void*>(in.data()) == static_cast<const void*>(out.data());
  const bool stream = !in_place && worth_streaming(in.size_bytes() + out.size_bytes());
  const Chunks chunks(out.size(), sizeof(To), kShortest);
  engine.over_chunks(chunks, cost, [chunks, kernel, x = in.data(), to = out.data(), stream](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    if (!stream) return kernel(x + part.begin, to + part.begin, part.size());
    stream_in_parts(to, part.begin, part.end,
                    [kernel, x](std::size_t i, std::size_t size, To* buffer) { kernel(x + i, buffer, size); });
  });
}

}  // namespace named

#define FURROW_CONVERT(From, To) template void named::convert(Engine&, std::span<const From>, std::span<To>);
#define FURROW_CONVERT_FROM(From) \
  FURROW_CONVERT(From, float)     \
  FURROW_CONVERT(From, double)    \
  FURROW_CONVERT(From, std::int32_t) FURROW_CONVERT(From, std::int64_t) FURROW_CONVERT(From, std::uint8_t)
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_CONVERT_FROM)

}  // namespace furrow
#endif  // HWY_ONCE
