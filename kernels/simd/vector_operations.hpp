// What element-wise operations do to vectors of any width: struct Operation { static V apply(D, V…) }. Each is exact: that of IEEE
// 754, rounded once, or of wrapping integers. So the instruction set cannot change a bit. Included once for each instruction set,
// by files that Highway's foreach_target compiles so.
#if defined(FURROW_KERNELS_VECTOR_OPERATIONS_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_VECTOR_OPERATIONS_HPP
#undef FURROW_KERNELS_VECTOR_OPERATIONS_HPP
#else
#define FURROW_KERNELS_VECTOR_OPERATIONS_HPP
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace furrow::vectors::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// a · b; integers wrap.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V product([[maybe_unused]] D d, V a, V b) {
  using T = hn::TFromD<D>;
  if constexpr (sizeof(T) == 1 && hn::MaxLanes(D()) == 1) return hn::Set(d, static_cast<T>(hn::GetLane(a) * hn::GetLane(b)));
#if HWY_TARGET != HWY_SCALAR
  // There is no instruction for 8 bits: those of even and of odd lanes, in lanes of 16.
  if constexpr (sizeof(T) == 1 && hn::MaxLanes(D()) > 1) {
    const hn::Repartition<std::uint16_t, D> pairs;
    const auto low = hn::Set(pairs, 0x00FF);
    const auto x = hn::BitCast(pairs, a);
    const auto y = hn::BitCast(pairs, b);
    const auto even = hn::And(hn::Mul(x, y), low);
    return hn::BitCast(d, hn::Or(even, hn::Mul(hn::ShiftRight<8>(x), hn::AndNot(low, y))));
  }
#endif
#if HWY_TARGET != HWY_AVX3 && HWY_TARGET != HWY_SCALAR
  // There is no instruction for 64 bits before AVX-512: low · low + ((low · high + high · low) << 32) of their halves.
  if constexpr (std::is_same_v<T, std::int64_t>) {
    const hn::Repartition<std::uint32_t, D> halves;
    const hn::RebindToUnsigned<D> whole;
    const auto x = hn::BitCast(halves, a);
    const auto y = hn::BitCast(halves, b);
    const auto crossed = hn::BitCast(whole, hn::Mul(x, hn::Shuffle2301(y)));
    const auto high = hn::Add(hn::ShiftLeft<32>(crossed), hn::ShiftLeft<32>(hn::ShiftRight<32>(crossed)));
    return hn::BitCast(d, hn::Add(hn::MulEven(x, y), high));
  }
#endif
  if constexpr (sizeof(T) > 1) return hn::Mul(a, b);
}

/// f of one lane after the other, for what there are no instructions for.
template <class F, class D, class... V>
HWY_INLINE hn::Vec<D> lane_by_lane(const F& f, D d, V... operands) {
  using T = hn::TFromD<D>;
  constexpr std::size_t N = hn::MaxLanes(d);
  HWY_ALIGN T lanes[sizeof...(V)][N];
  std::size_t k = 0;
  (hn::Store(operands, d, lanes[k++]), ...);
  HWY_ALIGN T result[N];
  for (std::size_t l = 0; l < N; ++l) {
    if constexpr (sizeof...(V) == 2)
      result[l] = f(lanes[0][l], lanes[1][l]);
    else
      result[l] = f(lanes[0][l], lanes[1][l], lanes[2][l]);
  }
  return hn::Load(d, result);
}

struct Add {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Add(a, b);
  }
};
struct Subtract {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Sub(a, b);
  }
};
struct Multiply {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a, V b) {
    return product(d, a, b);
  }
};
/// Of bytes, 0 where b is 0: in float, in which the quotient is at most half a unit in the last place off, and cut off right.
template <class D, class V>
HWY_INLINE V quotient_of_bytes(D d, V a, V b) {
  constexpr std::size_t N = hn::MaxLanes(d);
  const hn::CappedTag<float, N> df;
  const hn::Rebind<std::int32_t, decltype(df)> di;
  const hn::Rebind<std::uint8_t, decltype(df)> bytes;
  HWY_ALIGN std::uint8_t lanes[2][N];
  hn::Store(a, d, lanes[0]);
  hn::Store(b, d, lanes[1]);
  const auto load = [&](const std::uint8_t* from) HWY_ATTR { return hn::ConvertTo(df, hn::PromoteTo(di, hn::LoadU(bytes, from))); };
  for (std::size_t l = 0; l < N; l += hn::MaxLanes(df)) {
    const auto divisor = load(lanes[1] + l);
    const auto quotient = hn::ConvertTo(di, hn::Div(load(lanes[0] + l), divisor));
    const auto none = hn::RebindMask(di, hn::Eq(divisor, hn::Zero(df)));
    hn::StoreU(hn::DemoteTo(bytes, hn::IfThenZeroElse(none, quotient)), bytes, lanes[0] + l);
  }
  return hn::Load(d, lanes[0]);
}

/// Of integers: towards zero, as in C; 0 where b is 0; the least divided by −1 wraps around to itself.
struct Divide {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a, V b) {
    using T = hn::TFromD<D>;
    if constexpr (std::is_floating_point_v<T>) {
      return hn::Div(a, b);
    } else if constexpr (sizeof(T) == 1) {
      return quotient_of_bytes(d, a, b);
    } else {
      const auto quotient = [](T x, T y) HWY_ATTR -> T {
        if (y == 0) return 0;
        if (y == -1 && x == std::numeric_limits<T>::min()) return x;
        return static_cast<T>(x / y);
      };
      return lane_by_lane(quotient, d, a, b);
    }
  }
};
struct Negate {
  template <class D, class V>
  static HWY_INLINE V apply([[maybe_unused]] D d, V a) {
    if constexpr (std::is_unsigned_v<hn::TFromD<D>>)
      return hn::Sub(hn::Zero(d), a);
    else
      return hn::Neg(a);
  }
};
struct Abs {
  template <class D, class V>
  static HWY_INLINE V apply([[maybe_unused]] D d, V a) {
    if constexpr (std::is_floating_point_v<hn::TFromD<D>>) {
      return hn::Abs(a);
    } else if constexpr (std::is_unsigned_v<hn::TFromD<D>>) {
      return a;
    } else {
      return hn::IfThenElse(hn::Lt(a, hn::Zero(d)), hn::Neg(a), a);  // there is no Abs of 64 bits before AVX-512
    }
  }
};
struct Square {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a) {
    return product(d, a, a);
  }
};
struct Sqrt {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a) {
    return hn::Sqrt(a);
  }
};

/// The lesser or the greater; NaN if either is NaN, the first one's if both are; −0 is less than +0.
template <bool kLesser>
struct Extreme {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    if constexpr (std::is_floating_point_v<hn::TFromD<D>>) {
      const auto a_wins = kLesser ? hn::Lt(a, b) : hn::Gt(a, b);  // not if b is NaN: then b is taken
      const V apart = hn::IfThenElse(a_wins, a, b);
      // Equal numbers differ in the sign of zero at most.
      const V equal = kLesser ? hn::Or(a, b) : hn::And(a, b);
      return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::Eq(a, b), equal, apart));
    } else {
      return kLesser ? hn::Min(a, b) : hn::Max(a, b);
    }
  }
};
using Minimum = Extreme<true>;
using Maximum = Extreme<false>;

/// The lesser of `high` and the greater of a and `low`.
struct Clamp {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a, V low, V high) {
    return Minimum::apply(d, Maximum::apply(d, a, low), high);
  }
};

/// a · b + c, rounded once: by the instruction, or without it as std::fma does in software. Integers wrap.
struct FusedMultiplyAdd {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a, V b, V c) {
    using T = hn::TFromD<D>;
    if constexpr (std::is_integral_v<T>) {
      return hn::Add(product(d, a, b), c);
    } else {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
      return hn::MulAdd(a, b, c);
#else
      return lane_by_lane([](T x, T y, T z) HWY_ATTR { return std::fma(x, y, z); }, d, a, b, c);
#endif
    }
  }
};

// Comparisons, as C's: where either is NaN, "not equal" alone holds. holds() gives a mask; apply() 1 where it holds, else 0.
template <class Comparison>
struct AsNumber {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V a, V b) {
    return hn::IfThenElseZero(Comparison::holds(d, a, b), hn::Set(d, 1));
  }
};
struct Equal : AsNumber<Equal> {
  template <class D, class V>
  static HWY_INLINE auto holds(D, V a, V b) {
    return hn::Eq(a, b);
  }
};
struct NotEqual : AsNumber<NotEqual> {
  template <class D, class V>
  static HWY_INLINE auto holds(D, V a, V b) {
    return hn::Not(hn::Eq(a, b));  // Highway's Ne is false beside a NaN
  }
};
struct Less : AsNumber<Less> {
  template <class D, class V>
  static HWY_INLINE auto holds(D, V a, V b) {
    return hn::Lt(a, b);
  }
};
struct LessEqual : AsNumber<LessEqual> {
  template <class D, class V>
  static HWY_INLINE auto holds(D, V a, V b) {
    if constexpr (std::is_floating_point_v<hn::TFromD<D>>)
      return hn::Le(a, b);
    else
      return hn::Not(hn::Lt(b, a));
  }
};
struct Greater : AsNumber<Greater> {
  template <class D, class V>
  static HWY_INLINE auto holds(D d, V a, V b) {
    return Less::holds(d, b, a);
  }
};
struct GreaterEqual : AsNumber<GreaterEqual> {
  template <class D, class V>
  static HWY_INLINE auto holds(D d, V a, V b) {
    return LessEqual::holds(d, b, a);
  }
};

/// a where the condition is anything but zero (NaN is), else b.
struct Where {
  template <class D, class V>
  static HWY_INLINE V apply(D d, V condition, V a, V b) {
    return hn::IfThenElse(hn::Eq(condition, hn::Zero(d)), b, a);
  }
};

}  // namespace
}  // namespace furrow::vectors::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
