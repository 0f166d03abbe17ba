// Mathematical functions of our own, where they are faster than SLEEF's: struct function { static V apply(V) }. They need fused
// multiply-add. Every vector width and every processor does the same operations on an element, so all give the same bits. Included
// once for each instruction set, by files that Highway's foreach_target compiles so. The polynomials are minimax ones, by Remez's
// exchange in 60 digits. docs/accuracy.md has the errors.
#if defined(FURROW_KERNELS_MATH_FUNCTIONS_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_KERNELS_MATH_FUNCTIONS_HPP
#undef FURROW_KERNELS_MATH_FUNCTIONS_HPP
#else
#define FURROW_KERNELS_MATH_FUNCTIONS_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <limits>

#include "furrow/kernels/simd/exp_constants.hpp"

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2

HWY_BEFORE_NAMESPACE();
namespace furrow::math::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class V>
constexpr bool kFloat = sizeof(hn::TFromV<V>) == 4;

/// The number in all elements; one for float, another for double.
template <class V>
HWY_INLINE V number(float f32, double f64) {
  return hn::Set(hn::DFromV<V>(), kFloat<V> ? static_cast<hn::TFromV<V>>(f32) : static_cast<hn::TFromV<V>>(f64));
}
template <class V>
HWY_INLINE V number(double value) {
  return hn::Set(hn::DFromV<V>(), static_cast<hn::TFromV<V>>(value));
}

/// c[0] + c[1] x + c[2] x² + …
template <class V, class T, std::size_t n>
HWY_INLINE V polynomial(V x, const T (&c)[n]) {
  const hn::DFromV<V> d;
  // Even and odd powers side by side: half as long a chain.
  const V square = hn::Mul(x, x);
  V of[2] = {hn::Set(d, c[n - 1]), hn::Set(d, c[n - 2])};
#pragma GCC unroll 16
  for (std::size_t k = n - 2; k > 0; --k) of[(n - k) % 2] = hn::MulAdd(of[(n - k) % 2], square, hn::Set(d, c[k - 1]));
  return n % 2 == 1 ? hn::MulAdd(of[1], x, of[0]) : hn::MulAdd(of[0], x, of[1]);
}

/// 2 to the power of k, a whole number for which that is neither too large nor denormal.
template <class V>
HWY_INLINE V power_of_two(V k) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  // k, biased, stands in the lowest bits of the sum.
  const auto sum = hn::BitCast(bits, hn::Add(k, number<V>(0x1.8p23F + 127, 0x1.8p52 + 1023)));
  return hn::BitCast(d, hn::ShiftLeft < kFloat<V> ? 23 : 52 > (sum));
}

/// y · 2^k, rounded once, for y near 1 and |k| up to twice the largest exponent; `extreme` where 2^k is beyond power_of_two().
template <class V, class M>
HWY_INLINE V scaled(V y, V k, [[maybe_unused]] M extreme) {
#if HWY_TARGET == HWY_AVX3
  // maskz: the plain forms make GCC 12 warn of uninitialised variables in its own header.
  if constexpr (kFloat<V>)
    return V{_mm512_maskz_scalef_ps(0xFFFF, y.raw, k.raw)};
  else
    return V{_mm512_maskz_scalef_pd(0xFF, y.raw, k.raw)};
#else
  if (HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), extreme))) return hn::Mul(y, power_of_two(k));
  const V half = hn::Round(hn::Mul(k, number<V>(0.5)));
  return hn::Mul(hn::Mul(y, power_of_two(half)), power_of_two(hn::Sub(k, half)));
#endif
}

/// e^x = 2^k (1 + r + s): k whole, |r| ≤ ln 2 / 2 rounded to the nearest, s the rest.
template <class V>
struct ExpParts {
  V k, r, s;
};
/// Of x + tail, which must not change k by much.
template <class V>
HWY_INLINE ExpParts<V> exp_parts(V x, V tail) {
  using Constants = ExpConstants<hn::TFromV<V>>;
  const hn::DFromV<V> d;
  const V k = hn::Round(hn::Mul(x, hn::Set(d, Constants::kInverseLn2)));
  const V most = hn::NegMulAdd(k, hn::Set(d, Constants::kLn2High), x);  // exact
  const V less = hn::NegMulAdd(k, hn::Set(d, Constants::kLn2Low), tail);
  const V r = hn::Add(most, less);
  const V rest = hn::Add(hn::Sub(most, r), less);
  return {k, r, hn::MulAdd(hn::Mul(r, r), polynomial(r, Constants::kSeries), rest)};
}

struct Exp {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const hn::DFromV<V> d;
    // Beyond these limits the result is 0 or infinite. Both instructions give their second operand if it is NaN.
    const V x = hn::Max(number<V>(-110.0F, -1000.0), hn::Min(number<V>(110.0F, 1000.0), v));
    const ExpParts<V> e = exp_parts(x, hn::Zero(d));
    const auto extreme = hn::Gt(hn::Abs(x), number<V>(87.0F, 708.0));
    return scaled(hn::Add(hn::Set(d, 1), hn::Add(e.r, e.s)), e.k, extreme);
  }
};

/// v = 2^k · m, m in [3/4, 3/2), for v > 0.
template <class V>
struct LogParts {
  V k, m;
};
template <class V>
HWY_INLINE LogParts<V> log_parts(V v) {
  const hn::DFromV<V> d;
#if HWY_TARGET == HWY_AVX3
  V k, m;
  if constexpr (kFloat<V>) {
    k = V{_mm512_maskz_getexp_ps(0xFFFF, v.raw)};
    m = V{_mm512_maskz_getmant_ps(0xFFFF, v.raw, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero)};
  } else {
    k = V{_mm512_maskz_getexp_pd(0xFF, v.raw)};
    m = V{_mm512_maskz_getmant_pd(0xFF, v.raw, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero)};
  }
  const V one = hn::Set(d, 1);
  return {hn::Add(k, hn::IfThenElseZero(hn::Lt(m, one), one)), m};
#else
  using T = hn::TFromV<V>;
  constexpr int kDigits = kFloat<V> ? 23 : 52;
  const hn::RebindToUnsigned<decltype(d)> bits;
  using Bits = hn::TFromD<decltype(bits)>;
  const auto denormal = hn::Lt(v, hn::Set(d, std::numeric_limits<T>::min()));
  const V larger = hn::IfThenElse(denormal, hn::Mul(v, number<V>(0x1p25F, 0x1p54)), v);
  const auto three_quarters = hn::BitCast(bits, hn::Set(d, static_cast<T>(0.75)));
  const auto from = hn::Sub(hn::BitCast(bits, larger), three_quarters);
  // The exponent is whole multiples of 2^kDigits above that of 3/4, or below, where it is negative; biased so that it is not.
  constexpr Bits kBias = Bits{1} << (kFloat<V> ? 8 : 11);
  const auto exponent = hn::ShiftRight<kDigits>(hn::Add(from, hn::Set(bits, (kBias / 2) << kDigits)));
  const V large = number<V>(0x1p23F, 0x1p52);
  const V k = hn::Sub(hn::BitCast(d, hn::Or(exponent, hn::BitCast(bits, large))),
                      hn::Add(large, hn::IfThenElse(denormal, number<V>(128 + 25, 1024 + 54), number<V>(128, 1024))));
  const auto digits = hn::And(from, hn::Set(bits, (Bits{1} << kDigits) - 1));
  return {k, hn::BitCast(d, hn::Add(digits, three_quarters))};
#endif
}

struct Log {
  /// `usual` for positive numbers, else what C's Annex F says.
  template <class V>
  static HWY_INLINE V with_specials(V v, V usual) {
#if HWY_TARGET == HWY_AVX3
    // What becomes of quiet and signalling NaN, zero, one, -infinity, +infinity, negative and positive numbers, in four bits each,
    // the first the lowest: 0 leaves `usual`, 3 is NaN, 4 and 5 are -infinity and +infinity.
    constexpr int kBecomes = 0x03530433;
    if constexpr (kFloat<V>)
      return V{_mm512_maskz_fixupimm_ps(0xFFFF, usual.raw, v.raw, _mm512_set1_epi32(kBecomes), 0)};
    else
      return V{_mm512_maskz_fixupimm_pd(0xFF, usual.raw, v.raw, _mm512_set1_epi64(kBecomes), 0)};
#else
    using Limits = std::numeric_limits<hn::TFromV<V>>;
    const hn::DFromV<V> d;
    const V zero = hn::Zero(d);
    const V positive = hn::IfThenElse(hn::Lt(zero, v), usual, hn::Set(d, Limits::quiet_NaN()));
    const V finite = hn::IfThenElse(hn::Eq(v, hn::Set(d, Limits::infinity())), v, positive);
    return hn::IfThenElse(hn::Eq(v, zero), hn::Set(d, -Limits::infinity()), finite);
#endif
  }

  template <class V>
  static HWY_INLINE V apply(V v) {
    using T = hn::TFromV<V>;
    const hn::DFromV<V> d;
    const LogParts<V> p = log_parts(v);
    // ln(1 + f) = f − (f²/2 − s (f²/2 + R(s²))) with s = f / (2 + f) (fdlibm's)
    const V f = hn::Sub(p.m, hn::Set(d, 1));
    const V s = hn::Div(f, hn::Add(hn::Set(d, 2), f));
    const V z = hn::Mul(s, s);
    V of_z;
    if constexpr (kFloat<V>) {
      constexpr T c[] = {0x1.5555d6p-1, 0x1.9917d8p-2, 0x1.382618p-2};
      of_z = polynomial(z, c);
    } else {
      constexpr T c[] = {0x1.555555555599ap-1, 0x1.99999998867adp-2, 0x1.249249eccf0cap-2, 0x1.c71be2786aa1fp-3,
                         0x1.74791a35ef07bp-3, 0x1.380947e56f267p-3, 0x1.3cb9817857c03p-3};
      of_z = polynomial(z, c);
    }
    const V half = hn::Mul(hn::Mul(number<V>(0.5), f), f);
    const V low = hn::Mul(p.k, hn::Set(d, ExpConstants<T>::kLn2Low));
    const V less = hn::Sub(half, hn::MulAdd(s, hn::MulAdd(z, of_z, half), low));
    // k ln 2 is exact in its upper part, and the sum with f is kept exactly in two.
    const V high = hn::Mul(p.k, hn::Set(d, ExpConstants<T>::kLn2High));
    const V sum = hn::Add(high, f);
    const V rest = hn::Sub(f, hn::Sub(sum, high));
    return with_specials(v, hn::Add(sum, hn::Sub(rest, less)));
  }
};

/// high + low, of which high is the sum rounded to the nearest, or almost.
template <class V>
struct Two {
  V high, low;
};
/// a + b exactly, for |a| ≥ |b| or a = 0.
template <class V>
HWY_INLINE Two<V> exact_sum(V a, V b) {
  const V sum = hn::Add(a, b);
  return {sum, hn::Sub(b, hn::Sub(sum, a))};
}
/// a · b exactly.
template <class V>
HWY_INLINE Two<V> exact_product(V a, V b) {
  const V product = hn::Mul(a, b);
  return {product, hn::MulSub(a, b, product)};
}
/// a · b without the product of the lower parts.
template <class V>
HWY_INLINE Two<V> product(Two<V> a, Two<V> b) {
  const Two<V> p = exact_product(a.high, b.high);
  return {p.high, hn::Add(p.low, hn::MulAdd(a.high, b.low, hn::Mul(a.low, b.high)))};
}

struct Tanh {
  /// (e^2x − 1) / (e^2x + 1) of |x|, each in two parts.
  template <class V>
  static HWY_INLINE V apply(V v) {
    const hn::DFromV<V> d;
    const V one = hn::Set(d, 1);
    // From here on it is 1. Gives the second operand if that is NaN.
    const V x = hn::Min(number<V>(10.0F, 22.0), hn::Abs(v));
    const ExpParts<V> e = exp_parts(hn::Add(x, x), hn::Zero(d));
    // Both times 2^-k, which is too small for 1 ± 2^-k from some k on and goes to the lower part there.
    const V inverse = power_of_two(hn::Neg(e.k));
    const V large = hn::IfThenElseZero(hn::Gt(inverse, number<V>(0x1p-12F, 0x1p-26)), inverse);
    const V small = hn::Sub(inverse, large);
    const auto sum = [&](V whole, V rest) HWY_ATTR {
      const Two<V> most = exact_sum(whole, e.r);
      return exact_sum(most.high, hn::Add(most.low, rest));
    };
    const Two<V> above = sum(hn::Sub(one, large), hn::Sub(e.s, small));
    const Two<V> below = sum(hn::Add(one, large), hn::Add(e.s, small));
    const V part = hn::Div(one, below.high);
    const V quotient = hn::Mul(above.high, part);
    const V missing = hn::Add(hn::NegMulAdd(quotient, below.high, above.high), hn::NegMulAdd(quotient, below.low, above.low));
    return hn::CopySign(hn::MulAdd(missing, part, quotient), v);
  }
};

/// Up to here sin and cos are computed below, exactly enough.
template <class V>
HWY_INLINE V sin_limit() {
  return number<V>(0x1p12F, 0x1p20);
}

/// sin(v) or cos(v) for |v| ≤ sin_limit().
template <bool cosine>
struct SinOrCos {
  template <class V>
  static HWY_INLINE V apply(V v) {
    using T = hn::TFromV<V>;
    const hn::DFromV<V> d;
    const hn::RebindToUnsigned<decltype(d)> bits;
    const V k = hn::Round(hn::Mul(v, number<V>(0x1.45f306p-1F, 0x1.45f306dc9c883p-1)));
    // v − k π/2 in two parts, r + low. π/2 is in three or four, of which the first has so few digits that its product is exact.
    const V second = number<V>(0x1.fb5444p-12F, 0x1.0b4611a626331p-34);
    const V most = hn::NegMulAdd(k, number<V>(0x1.92p+0F, 0x1.921fb544p+0), v);
    const V product = hn::Mul(k, second);
    const V first = hn::Sub(most, product);
    V rest = hn::Sub(hn::Sub(hn::Sub(most, first), product), hn::MulSub(k, second, product));
    rest = hn::NegMulAdd(k, number<V>(0x1.68c234p-39F, 0x1.1701b839a252p-88), rest);
    if constexpr (kFloat<V>) rest = hn::NegMulAdd(k, hn::Set(d, static_cast<T>(0x1.898cc6p-64)), rest);
    const V r = hn::Add(first, rest);
    const V low = hn::Add(hn::Sub(first, r), rest);

    const V z = hn::Mul(r, r);
    // (sin r / r − 1) / r² and (cos r − 1 + r²/2) / r⁴
    V of_sine, of_cosine;
    if constexpr (kFloat<V>) {
      constexpr T s[] = {-0x1.555546p-3, 0x1.11075ep-7, -0x1.994e06p-13};
      constexpr T c[] = {0x1.55554ap-5, -0x1.6c0c8ap-10, 0x1.9a01c6p-16};
      of_sine = polynomial(z, s);
      of_cosine = polynomial(z, c);
    } else {
      constexpr T s[] = {-0x1.5555555555549p-3, 0x1.111111110f875p-7,   -0x1.a01a019c10de6p-13,
                         0x1.71de3577092f2p-19, -0x1.ae5e65ab1c361p-26, 0x1.5d92d56ae0995p-33};
      constexpr T c[] = {0x1.555555555554cp-5,   -0x1.6c16c16c1517cp-10, 0x1.a01a019cb1827p-16,
                         -0x1.27e4f809b63aep-22, 0x1.1ee9ebb8b3feep-29,  -0x1.8fae7f7b1a4acp-37};
      of_sine = polynomial(z, s);
      of_cosine = polynomial(z, c);
    }
    const V sine = hn::Add(r, hn::MulAdd(hn::Mul(r, z), of_sine, low));
    const V one = hn::Set(d, 1);
    const V half = hn::Mul(number<V>(0.5), z);
    const V above = hn::Sub(one, half);
    const V below = hn::Sub(hn::Sub(one, above), half);
    const V cosine_of_r = hn::Add(above, hn::Add(below, hn::MulSub(hn::Mul(z, z), of_cosine, hn::Mul(r, low))));

    // k stands in the lowest bits of the sum: the lowest says which of the two it is, the next one its sign.
    const auto sum = hn::BitCast(bits, hn::Add(k, number<V>(0x1.8p23F + (cosine ? 1 : 0), 0x1.8p52 + (cosine ? 1 : 0))));
    const auto odd = hn::RebindMask(d, hn::Ne(hn::And(sum, hn::Set(bits, 1)), hn::Zero(bits)));
    const auto sign = hn::ShiftLeft<(kFloat<V> ? 30 : 62)>(hn::And(sum, hn::Set(bits, 2)));
    const V result = hn::Xor(hn::IfThenElse(odd, cosine_of_r, sine), hn::BitCast(d, sign));
    if constexpr (cosine) {
      return result;
    } else {
      // −0 stays −0.
      return hn::IfThenElse(hn::Eq(v, hn::Zero(d)), v, result);
    }
  }
};

/// ln x for positive numbers x, to half as many digits again as one number has.
template <class V>
HWY_INLINE Two<V> precise_log(V x) {
  using T = hn::TFromV<V>;
  const hn::DFromV<V> d;
  const LogParts<V> p = log_parts(x);
  // ln m = 2 artanh s = 2 s + s³ t, s = f / (2 + f), t = 2/3 + s² q(s²)
  const V f = hn::Sub(p.m, hn::Set(d, 1));
  const Two<V> below = exact_sum(hn::Set(d, 2), f);
  const V part = hn::Div(hn::Set(d, 1), below.high);
  const V quotient = hn::Mul(f, part);
  const V missing = hn::NegMulAdd(quotient, below.low, hn::NegMulAdd(quotient, below.high, f));
  const Two<V> s{quotient, hn::Mul(missing, part)};
  const Two<V> z = product(s, s);
  V q;
  if constexpr (kFloat<V>) {
    constexpr T c[] = {0x1.999996p-2, 0x1.249548p-2, 0x1.c5ac98p-3, 0x1.98bdd6p-3};
    q = polynomial(z.high, c);
  } else {
    constexpr T c[] = {0x1.999999999996cp-2, 0x1.2492492498783p-2, 0x1.c71c71bce103fp-3, 0x1.745d1ba394dc1p-3,
                       0x1.3b129e5c9b5afp-3, 0x1.113981ec3e5cp-3,  0x1.dae03d4cbdffap-4, 0x1.01515d127cdc8p-3};
    q = polynomial(z.high, c);
  }
  const V third = number<V>(0x1.555556p-1F, 0x1.5555555555555p-1);
  const V rest_of_third = number<V>(-0x1.555556p-26F, 0x1.5555555555555p-55);
  const V most = hn::MulAdd(z.high, q, third);
  const Two<V> t{most, hn::Add(hn::MulAdd(z.high, q, hn::Sub(third, most)), rest_of_third)};
  const Two<V> cubic = product(product(s, z), t);
  const Two<V> whole = exact_sum(hn::Mul(p.k, hn::Set(d, ExpConstants<T>::kLn2High)), hn::Add(s.high, s.high));
  const Two<V> sum = exact_sum(whole.high, cubic.high);
  const V small = hn::MulAdd(p.k, hn::Set(d, ExpConstants<T>::kLn2Low), hn::Add(s.low, s.low));
  return {sum.high, hn::Add(hn::Add(whole.low, sum.low), hn::Add(small, cubic.low))};
}

struct Pow {
  /// x^y; but `far` says where x is 0 or not finite, or the result is far beyond what numbers there are, and something else stands.
  template <class V, class M>
  static HWY_INLINE V apply(V x, V y, M& far) {
    using T = hn::TFromV<V>;
    const hn::DFromV<V> d;
    const V size = hn::Abs(x);
    const Two<V> log = precise_log(size);
    const Two<V> product = exact_product(log.high, y);
    const Two<V> power = exact_sum(product.high, hn::MulAdd(log.low, y, product.low));
    const V reach = hn::Abs(power.high);
    const auto inside = hn::And(hn::Le(reach, number<V>(110.0F, 1000.0)),
                                hn::And(hn::Lt(hn::Zero(d), size), hn::Le(size, hn::Set(d, std::numeric_limits<T>::max()))));
    far = hn::Not(inside);
    const ExpParts<V> e = exp_parts(power.high, power.low);
    const V result = scaled(hn::Add(hn::Set(d, 1), hn::Add(e.r, e.s)), e.k, hn::Gt(reach, number<V>(87.0F, 708.0)));
    // Of negative numbers there are whole powers only, and odd ones are negative.
    const V half = hn::Mul(y, number<V>(0.5));
    const auto fraction = hn::Not(hn::Eq(hn::Round(y), y));
    const V with_sign = hn::IfThenElse(hn::Eq(hn::Round(half), half), result, hn::CopySign(result, x));
    const auto none = hn::And(fraction, hn::Lt(x, hn::Zero(d)));
    return hn::IfThenElse(none, hn::Set(d, std::numeric_limits<T>::quiet_NaN()), with_sign);
  }
};

}  // namespace
}  // namespace furrow::math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
