#include "furrow/kernels/moments.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "furrow/kernels/computed.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/kernels.hpp"
#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

using Powers = void (*)(const double* x, std::size_t n, double centre, const void* ahead, simd::PowerSums& out);

/// Of the numbers of one block: first their mean, roughly, then powers about it, then what the mean was off by is put right. Sums
/// of squares alone come without extremes, which cost as much as they do.
template <bool kExtremes>
CentralSums of_block(Powers powers, const double* x, std::size_t n, const void* ahead) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto count = static_cast<double>(n);
  const auto& kernels = simd::kernels<double>();
  const double centre = kernels.sum(x, n) / count;
  if (!std::isfinite(centre)) return {count, centre, 0, kNaN, kNaN, kNaN, kernels.min(x, n), kernels.max(x, n)};
  simd::PowerSums about;
  powers(x, n, centre, ahead, about);
  const auto [s1, s2, s3, s4] = about.sums;
  if constexpr (!kExtremes) {
    constexpr double kClose = 0x1p-40;  // equal numbers are within a few roundings of their mean
    if (s2 <= count * (kClose * centre) * (kClose * centre)) about.low = kernels.min(x, n), about.high = kernels.max(x, n);
  }
  if (about.low == about.high && about.low != 0) return {count, about.low, 0, 0, 0, 0, about.low, about.high};
  const double off = s1 / count;
  return {count,
          centre,
          off,
          std::max(s2 - off * s1, 0.0),
          s3 - off * (3 * s2 - off * (2 * s1)),
          std::max(s4 - off * (4 * s3 - off * (6 * s2 - off * (3 * s1))), 0.0),
          about.low != 0 || !kExtremes ? about.low : kernels.min(x, n),  // the instruction does not tell −0 from +0
          about.high != 0 || !kExtremes ? about.high : kernels.max(x, n)};
}

template <bool kExtremes, NamedElement T>
CentralSums of_chunk(Powers powers, const T* x, std::size_t n) {
  std::array<CentralSums, kReductionChunk / kMomentBlock> blocks;
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kMomentBlock) {
    const std::size_t size = std::min(n - i, kMomentBlock);
    if constexpr (std::is_same_v<T, double>) {
      blocks[count++] = of_block<kExtremes>(powers, x + i, size, x + i + size);
    } else {
      alignas(64) std::array<double, kMomentBlock> doubles;
      simd::reductions<T>().to_doubles(x + i, doubles.data(), size);
      blocks[count++] = of_block<kExtremes>(powers, doubles.data(), size, x + i + size);
    }
  }
  reductions::combine(std::span(blocks).first(count), join_central);
  return blocks[0];
}

template <bool kExtremes, NamedElement T>
CentralSums over_chunks(const char* call, Engine& engine, Cost& cost, Powers powers, std::span<const T> x) {
  check::not_empty(call, x.size());
  return reductions::over_chunks<CentralSums>(
      engine, cost, Chunks(x.size(), sizeof(double), kReductionChunk),
      [powers, x](Range part) { return of_chunk<kExtremes>(powers, x.data() + part.begin, part.size()); }, join_central);
}

}  // namespace

CentralSums join_central(CentralSums a, CentralSums b) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const double n = a.count + b.count;
  const double low = lesser(a.min, b.min);
  const double high = greater(a.max, b.max);
  const double apart = (b.centre - a.centre) + (b.off - a.off);
  if (!std::isfinite(apart)) return {n, a.centre + b.centre, 0, kNaN, kNaN, kNaN, low, high};  // infinities of one sign stay
  const double part = apart / n;
  const double square = part * part;
  const double product = a.count * b.count;
  const double m2 = a.m2 + b.m2 + apart * part * product;
  const double m3 = a.m3 + b.m3 + apart * square * product * (a.count - b.count) + 3 * part * (a.count * b.m2 - b.count * a.m2);
  const double m4 = a.m4 + b.m4 + apart * part * square * product * (a.count * a.count - product + b.count * b.count) +
                    6 * square * (a.count * a.count * b.m2 + b.count * b.count * a.m2) +
                    4 * part * (a.count * b.m3 - b.count * a.m3);
  return {n, a.centre, a.off + part * b.count, m2, m3, m4, low, high};
}

Moments moments(const CentralSums& sums) {
  const double n = sums.count;
  const double variance = sums.m2 / n;
  const bool spread = variance != 0;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  return {static_cast<std::size_t>(n),
          sums.centre + sums.off,
          variance,
          spread ? sums.m3 / n / (variance * std::sqrt(variance)) : kNaN,
          spread ? sums.m4 / n / (variance * variance) - 3 : kNaN,
          sums.min,
          sums.max};
}

template <NamedElement T>
CentralSums square_sums(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("variance", type_code(type_of<T>), sizeof(T));
  return over_chunks<false>("variance", engine, cost, simd::block_reductions().square_sums, x);
}

template <NamedElement T>
CentralSums power_sums(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("moments", type_code(type_of<T>), sizeof(T));
  return over_chunks<true>("moments", engine, cost, simd::block_reductions().power_sums, x);
}

template <NamedElement T>
double variance(Engine& engine, Cost& cost, const Computed<T>& x) {
  check::not_empty("variance", x.size);
  const CentralSums sums = reductions::over_chunks<CentralSums>(
      engine, cost, Chunks(x.size, sizeof(double), kReductionChunk),
      [x](Range part) {
        alignas(64) std::array<T, kReductionChunk> elements;
        x.write(x.state, part.begin, part.size(), elements.data());
        return of_chunk<false>(simd::block_reductions().square_sums, elements.data(), part.size());
      },
      join_central);
  return sums.m2 / sums.count;
}

#define FURROW_INSTANTIATE(T)                                    \
  template CentralSums square_sums(Engine&, std::span<const T>); \
  template double variance(Engine&, Cost&, const Computed<T>&);  \
  template CentralSums power_sums(Engine&, std::span<const T>);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
