// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simd/reductions.cpp"
// clang-format off
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simd/reductions.hpp"

#ifndef FURROW_KERNELS_SIMD_REDUCTIONS_ONCE
#define FURROW_KERNELS_SIMD_REDUCTIONS_ONCE
namespace furrow::simd {

struct ReductionTables {
  PerType<Reductions> types;
  BlockReductions blocks;
};

}  // namespace furrow::simd
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
std::size_t find(const T* x, T value, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  using Bits = hn::TFromD<decltype(du)>;
  constexpr std::size_t N = hn::MaxLanes(d);
  const bool is_nan = value != value;
  const auto bits = std::bit_cast<Bits>(value);
  const auto wanted = hn::Set(du, bits);
  std::size_t i = 0;
  for (; i + N <= n; i += N) {
    const auto v = hn::LoadU(d, x + i);
    auto same = hn::RebindMask(d, hn::Eq(hn::BitCast(du, v), wanted));
    if constexpr (std::is_floating_point_v<T>) {
      if (is_nan) same = hn::IsNaN(v);
    }
    if (HWY_UNLIKELY(!hn::AllFalse(d, same))) return i + static_cast<std::size_t>(hn::FindFirstTrue(d, same));
  }
  while (i < n && !(is_nan ? x[i] != x[i] : std::bit_cast<Bits>(x[i]) == bits)) ++i;
  return i;
}

template <class T, class D>
HWY_INLINE hn::Vec<D> load_doubles(D d, const T* x) {
  const auto v = hn::LoadU(hn::Rebind<T, D>(), x);
  if constexpr (std::is_same_v<T, double>)
    return v;
  else if constexpr (sizeof(T) == 1)
    return hn::PromoteTo(d, hn::PromoteTo(hn::Rebind<std::int32_t, D>(), v));
  else if constexpr (sizeof(T) == 8)
    return hn::ConvertTo(d, v);
  else
    return hn::PromoteTo(d, v);
}

template <class T>
void to_doubles(const T* x, double* out, std::size_t n) {
  const hn::ScalableTag<double> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  std::size_t i = 0;
  for (; i + N <= n; i += N) hn::StoreU(load_doubles(d, x + i), d, out + i);
  for (; i < n; ++i) out[i] = static_cast<double>(x[i]);
}

/// Magnitudes are in the order of their bits as integers, NaN last.
template <class T>
T max_magnitude(const T* x, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using Bits = hn::TFromD<decltype(di)>;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = 4;
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
  const auto magnitude = hn::Set(di, kMagnitude);
  hn::Vec<decltype(di)> most[kRegisters];
  for (auto& v : most) v = hn::Zero(di);
  const auto look = [&](std::size_t r, std::size_t i)
                        HWY_ATTR { most[r] = hn::Max(most[r], hn::And(hn::BitCast(di, hn::LoadU(d, x + i)), magnitude)); };
  std::size_t i = 0;
  for (; i + kRegisters * N <= n; i += kRegisters * N) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRegisters; ++r) look(r, i + r * N);
  }
  for (; i + N <= n; i += N) look(0, i);
  HWY_ALIGN Bits lanes[N];
  hn::Store(hn::Max(hn::Max(most[0], most[1]), hn::Max(most[2], most[3])), di, lanes);
  Bits best = 0;
  for (const Bits lane : lanes) best = std::max(best, lane);
  for (; i < n; ++i) best = std::max(best, static_cast<Bits>(std::bit_cast<Bits>(x[i]) & kMagnitude));
  const T found = std::bit_cast<T>(best);
  return found != found ? std::numeric_limits<T>::quiet_NaN() : found;
}

// ---- powers about a centre ----

/// The upper half of the lanes joins the lower half, until one is left.
template <class D, class Op>
HWY_INLINE hn::TFromD<D> fold_lanes([[maybe_unused]] D d, hn::Vec<D> v, [[maybe_unused]] Op op) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    return fold_lanes(half, op(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), op);
  }
#endif
  return hn::GetLane(v);
}

/// The same of so many registers of lanes.
template <std::size_t kRegisters, class D, class Op>
HWY_INLINE hn::TFromD<D> fold_registers(D d, hn::Vec<D>* v, Op op) {
#pragma GCC unroll 4
  for (std::size_t width = kRegisters / 2; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < width; ++r) v[r] = op(v[r], v[r + width]);
  }
  return fold_lanes(d, v[0], op);
}

template <std::size_t kPowers>
void power_sums(const double* x, std::size_t n, double centre, const void* ahead, PowerSums& out) {
  constexpr bool kExtremes = kPowers > 2;
  const hn::CappedTag<double, kPowerLanes> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = kPowerLanes / N;
  using V = hn::Vec<decltype(d)>;
  const V middle = hn::Set(d, centre);
  V sums[kPowers][kRegisters];
  V low[kRegisters];
  V high[kRegisters];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRegisters; ++r) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kPowers; ++k) sums[k][r] = hn::Zero(d);
    low[r] = high[r] = hn::Set(d, x[0]);
  }
  const auto take = [&](std::size_t r, std::size_t i) HWY_ATTR {
    const V v = hn::LoadU(d, x + i);
    const V e = hn::Sub(v, middle);
    const V square = hn::Mul(e, e);
    sums[0][r] = hn::Add(sums[0][r], e);
    sums[1][r] = hn::Add(sums[1][r], square);
    if constexpr (kExtremes) {
      low[r] = hn::Min(low[r], v);
      high[r] = hn::Max(high[r], v);
      sums[2][r] = hn::Add(sums[2][r], hn::Mul(square, e));
      sums[3][r] = hn::Add(sums[3][r], hn::Mul(square, square));
    }
  };
  const auto plus = [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); };
  std::size_t i = 0;
  for (; i + kPowerLanes <= n; i += kPowerLanes) {
    hwy::Prefetch(static_cast<const double*>(ahead) + i);  // else memory would rest while this block is worked on in cache
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRegisters; ++r) take(r, i + r * N);
  }
  if (i < n) {  // an element a lane
    HWY_ALIGN double lanes[kPowers + 2][kPowerLanes];
    const auto with_lanes = [&](auto move) HWY_ATTR {
      for (std::size_t r = 0; r < kRegisters; ++r) {
        for (std::size_t k = 0; k < kPowers; ++k) move(sums[k][r], lanes[k] + r * N);
        move(low[r], lanes[kPowers] + r * N);
        move(high[r], lanes[kPowers + 1] + r * N);
      }
    };
    with_lanes([d](V& v, double* to) HWY_ATTR { hn::Store(v, d, to); });
    for (std::size_t l = 0; i < n; ++i, ++l) {
      const double e = x[i] - centre;
      const double square = e * e;
      const std::array<double, 4> powers{e, square, square * e, square * square};
      for (std::size_t k = 0; k < kPowers; ++k) lanes[k][l] += powers[k];
      lanes[kPowers][l] = std::min(lanes[kPowers][l], x[i]);
      lanes[kPowers + 1][l] = std::max(lanes[kPowers + 1][l], x[i]);
    }
    with_lanes([d](V& v, double* from) HWY_ATTR { v = hn::Load(d, from); });
  }
  out = {};
  for (std::size_t k = 0; k < kPowers; ++k) out.sums[k] = fold_registers<kRegisters>(d, sums[k], plus);
  if constexpr (kExtremes) {
    out.low = fold_registers<kRegisters>(d, low, [](auto a, auto b) HWY_ATTR { return hn::Min(a, b); });
    out.high = fold_registers<kRegisters>(d, high, [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); });
  }
}

// ---- exact sums ----

/// Adding 1.5·2^high and taking it away again leaves the bits from 2^(high - 52) on; the difference to the number is exact too
/// (Rump, Ogita, Oishi, Accurate Floating-Point Summation, 2008). Both are so in every rounding mode.
double split(const double* x, double* rest, std::size_t n, int high, std::array<double, kSplits>& sums) {
  const hn::ScalableTag<double> d;
  const hn::CappedTag<double, 1> one;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = 2;
  using V = hn::Vec<decltype(d)>;
  constexpr int kLeast = std::numeric_limits<double>::min_exponent - 1;  // there the unit is the least denormal number
  std::array<double, kSplits> big;
  for (std::size_t k = 0; k < kSplits; ++k) big[k] = std::ldexp(1.5, std::max(high - static_cast<int>(k) * kSplitBits, kLeast));
  V added[kSplits][kRegisters];
  V bigs[kSplits];
  V most[kRegisters];
#pragma GCC unroll 4
  for (std::size_t k = 0; k < kSplits; ++k) {
    bigs[k] = hn::Set(d, big[k]);
    for (std::size_t r = 0; r < kRegisters; ++r) added[k][r] = hn::Zero(d);
  }
  for (std::size_t r = 0; r < kRegisters; ++r) most[r] = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kRegisters * N <= n; i += kRegisters * N) {
#pragma GCC unroll 2
    for (std::size_t r = 0; r < kRegisters; ++r) {
      V v = hn::LoadU(d, x + i + r * N);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < kSplits; ++k) {
        const V leading = hn::Sub(hn::Add(v, bigs[k]), bigs[k]);
        added[k][r] = hn::Add(added[k][r], leading);
        v = hn::Sub(v, leading);
      }
      most[r] = hn::Max(most[r], hn::Abs(v));
      hn::StoreU(v, d, rest + i + r * N);
    }
  }
  HWY_ALIGN double lanes[N];
  hn::Store(hn::Max(most[0], most[1]), d, lanes);
  double left = *std::max_element(lanes, lanes + N);
  for (std::size_t k = 0; k < kSplits; ++k) {
    hn::Store(hn::Add(added[k][0], added[k][1]), d, lanes);
    sums[k] = 0;
    for (const double lane : lanes) sums[k] += lane;
  }
  for (; i < n; ++i) {
    auto v = hn::LoadU(one, x + i);
    for (std::size_t k = 0; k < kSplits; ++k) {
      const auto leading = hn::Sub(hn::Add(v, hn::Set(one, big[k])), hn::Set(one, big[k]));
      sums[k] += hn::GetLane(leading);
      v = hn::Sub(v, leading);
    }
    left = std::max(left, std::abs(hn::GetLane(v)));
    hn::StoreU(v, one, rest + i);
  }
  return left;
}

/// x · y - p, where p is the rounded product of numbers of moderate size.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V product_error([[maybe_unused]] D d, V x, V y, V p) {
#if HWY_NATIVE_FMA
  return hn::MulSub(x, y, p);
#else  // of halves, whose products are exact (Dekker, A Floating-Point Technique for Extending the Available Precision, 1971)
  const auto halves = [d](V v, V& high, V& low) HWY_ATTR {
    const V scaled = hn::Mul(v, hn::Set(d, 0x1p27 + 1));
    high = hn::Sub(scaled, hn::Sub(scaled, v));
    low = hn::Sub(v, high);
  };
  V x_high, x_low, y_high, y_low;
  halves(x, x_high, x_low);
  halves(y, y_high, y_low);
  const V crossed = hn::Add(hn::Sub(hn::Mul(x_high, y_high), p), hn::Mul(x_high, y_low));
  return hn::Add(hn::Add(crossed, hn::Mul(x_low, y_high)), hn::Mul(x_low, y_low));
#endif
}

bool products(const double* x, const double* y, double* product, double* error, std::size_t n) {
  const hn::ScalableTag<double> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  bool exact = true;
  const auto multiply = [&](auto tag, std::size_t i) HWY_ATTR {
    const auto a = hn::LoadU(tag, x + i);
    const auto b = hn::LoadU(tag, y + i);
    const auto p = hn::Mul(a, b);
    hn::StoreU(p, tag, product + i);
    hn::StoreU(product_error(tag, a, b, p), tag, error + i);
    // Beyond these the halves overflow; below, the error underflows, unless a factor is 0. NaN is not within anything.
    const auto large = hn::Set(tag, 0x1p990);
    const auto within = hn::And(hn::Lt(hn::Abs(a), large), hn::Lt(hn::Abs(b), large));
    const auto zero = hn::Or(hn::Eq(a, hn::Zero(tag)), hn::Eq(b, hn::Zero(tag)));
    const auto sized = hn::And(hn::Ge(hn::Abs(p), hn::Set(tag, 0x1p-960)), hn::Lt(hn::Abs(p), large));
    exact = exact && hn::AllTrue(tag, hn::And(within, hn::Or(zero, sized)));
  };
  std::size_t i = 0;
  for (; i + N <= n; i += N) multiply(d, i);
  for (; i < n; ++i) multiply(hn::CappedTag<double, 1>(), i);
  return exact;
}

std::array<std::int64_t, 2> half_sums(const std::int64_t* x, std::size_t n) {
  const hn::ScalableTag<std::int64_t> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::int64_t kLow = 0xFFFFFFFF;
  auto high = hn::Zero(d);
  auto low = hn::Zero(d);
  std::size_t i = 0;
  for (; i + N <= n; i += N) {
    const auto v = hn::LoadU(d, x + i);
    low = hn::Add(low, hn::And(v, hn::Set(d, kLow)));
    high = hn::Add(high, hn::ShiftRight<32>(v));
  }
  HWY_ALIGN std::int64_t lanes[2][N];
  hn::Store(high, d, lanes[0]);
  hn::Store(low, d, lanes[1]);
  std::array<std::int64_t, 2> sums{};
  for (std::size_t l = 0; l < N; ++l) {
    sums[0] += lanes[0][l];
    sums[1] += lanes[1][l];
  }
  for (; i < n; ++i) {
    sums[0] += x[i] >> 32;
    sums[1] += x[i] & kLow;
  }
  return sums;
}

/// A bin is found by a product. Only of a number close to an edge may it be wrong, by one; then the edges themselves decide.
template <class T>
void find_bins(const T* x, std::size_t n, const EqualBins& bins, std::uint32_t* out) {
  const auto find = [&](auto d, std::size_t i) HWY_ATTR {
    const hn::Rebind<std::int32_t, decltype(d)> di;
    const auto v = load_doubles(d, x + i);
    const auto low = hn::Set(d, bins.low);
    const auto outside = hn::Set(d, static_cast<double>(bins.count));
    const auto place = hn::Mul(hn::Sub(v, low), hn::Set(d, bins.scale));
    auto bin = hn::Floor(place);
    auto is_inside = hn::And(hn::Ge(place, hn::Zero(d)), hn::Lt(place, outside));
    const auto off_middle = hn::Abs(hn::Sub(hn::Sub(place, bin), hn::Set(d, 0.5)));
    if (HWY_UNLIKELY(!hn::AllFalse(d, hn::Gt(off_middle, hn::Set(d, 0.5 - kCloseToEdge))))) {
      const auto one = hn::Set(d, 1.0);
      const auto last = hn::Sub(outside, one);
      const auto begin_of = [&](auto k) HWY_ATTR { return hn::Add(low, hn::Mul(k, hn::Set(d, bins.width))); };
      bin = hn::Min(bin, last);
      const auto next = hn::Add(bin, one);
      const auto is_below = hn::Lt(v, begin_of(bin));
      const auto is_above = hn::And(hn::Ge(v, begin_of(next)), hn::Lt(bin, last));
      bin = hn::IfThenElse(is_below, hn::Sub(bin, one), hn::IfThenElse(is_above, next, bin));
      is_inside = hn::And(hn::Ge(v, low), hn::Le(v, hn::Set(d, bins.high)));
    }
    bin = hn::IfThenElse(is_inside, bin, outside);
    hn::StoreU(hn::DemoteTo(di, bin), di, reinterpret_cast<std::int32_t*>(out + i));
  };
  const hn::ScalableTag<double> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  std::size_t i = 0;
  for (; i + N <= n; i += N) find(d, i);
  for (; i < n; ++i) find(hn::CappedTag<double, 1>(), i);
}

/// Whether any x[i] is not 0 (or any is 0).
template <bool kAnyTrue>
bool any_byte(const std::uint8_t* x, std::size_t n) {
  const hn::ScalableTag<std::uint8_t> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  const auto join = [](auto a, auto b) HWY_ATTR { return kAnyTrue ? hn::Or(a, b) : hn::Min(a, b); };
  const auto decides = [&](auto tag, auto v) HWY_ATTR {
    const auto zeros = hn::Eq(v, hn::Zero(tag));
    return kAnyTrue ? !hn::AllTrue(tag, zeros) : !hn::AllFalse(tag, zeros);
  };
  std::size_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    const auto first = join(hn::LoadU(d, x + i), hn::LoadU(d, x + i + N));
    if (decides(d, join(first, join(hn::LoadU(d, x + i + 2 * N), hn::LoadU(d, x + i + 3 * N))))) return true;
  }
  for (; i + N <= n; i += N)
    if (decides(d, hn::LoadU(d, x + i))) return true;
  for (; i < n; ++i)
    if ((x[i] != 0) == kAnyTrue) return true;
  return false;
}

template <class T>
constexpr Reductions<T> make() {
  if constexpr (std::is_floating_point_v<T>)
    return {find<T>, to_doubles<T>, max_magnitude<T>, find_bins<T>};
  else if constexpr (sizeof(T) == 1)
    return {find<T>, to_doubles<T>, nullptr, nullptr};
  else
    return {find<T>, to_doubles<T>, nullptr, find_bins<T>};
}

constexpr ReductionTables kReductionTables{
    PerType<Reductions>::made_by([]<class T>() { return make<T>(); }),
    {power_sums<4>, power_sums<2>, split, products, half_sums, any_byte<true>, any_byte<false>}};

}  // namespace
}  // namespace furrow::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::simd {
namespace {

constexpr Built<ReductionTables> kBuilt[] = {FURROW_TABLES(kReductionTables)};

const ReductionTables& chosen_reductions() {
  static const ReductionTables& tables = chosen_of<ReductionTables>(kBuilt);
  return tables;
}

}  // namespace

template <NamedElement T>
const Reductions<T>& reductions() {
  return chosen_reductions().types.of<T>();
}
#define FURROW_INSTANTIATE(T) template const Reductions<T>& reductions();
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

const BlockReductions& block_reductions() {
  return chosen_reductions().blocks;
}

}  // namespace furrow::simd
#endif  // HWY_ONCE
