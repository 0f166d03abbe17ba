// Most functions are SLEEF's, called by the names of each instruction set, so that all of a kind give the same bits; some, where
// there is fused multiply-add, are those of math_functions.hpp. This file's HWY_NAMESPACE is compiled once for each instruction
// set, as that of simd.cpp is. SLEEF's header would not declare functions of instruction sets that the compiler was not asked for
// when it was read; so they are declared here.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/math.cpp"
// clang-format off
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cstring>
#include <limits>

#include "furrow/kernels/math.hpp"
#include "furrow/kernels/math_kernels.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simd/math_functions.hpp"
#include "furrow/kernels/streaming.hpp"
#include "furrow/kernels/types.hpp"

// What SLEEF calls its functions for this instruction set: KIND_NAMEdLANES_ERROR SUFFIX. "finz" use fused multiply-add, "cinz" do
// not.
#undef FURROW_SLEEF_D
#undef FURROW_SLEEF_F
#undef FURROW_SLEEF_VD
#undef FURROW_SLEEF_VF
#if HWY_COMPILER_CLANG && (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2)
// Clang 14 hands longer vectors over in memory, where SLEEF does not look for them, unless the whole file is compiled for them.
// These give the same bits, two and four at a time.
#define FURROW_SLEEF_D(name, error) Sleef_finz_##name##d2_##error##avx2128
#define FURROW_SLEEF_F(name, error) Sleef_finz_##name##f4_##error##avx2128
#define FURROW_SLEEF_VD __m128d
#define FURROW_SLEEF_VF __m128
#elif HWY_TARGET == HWY_AVX3
#define FURROW_SLEEF_D(name, error) Sleef_finz_##name##d8_##error##avx512f
#define FURROW_SLEEF_F(name, error) Sleef_finz_##name##f16_##error##avx512f
#define FURROW_SLEEF_VD __m512d
#define FURROW_SLEEF_VF __m512
#elif HWY_TARGET == HWY_AVX2
#define FURROW_SLEEF_D(name, error) Sleef_finz_##name##d4_##error##avx2
#define FURROW_SLEEF_F(name, error) Sleef_finz_##name##f8_##error##avx2
#define FURROW_SLEEF_VD __m256d
#define FURROW_SLEEF_VF __m256
#elif HWY_TARGET == HWY_SSE4
#define FURROW_SLEEF_D(name, error) Sleef_cinz_##name##d2_##error##sse4
#define FURROW_SLEEF_F(name, error) Sleef_cinz_##name##f4_##error##sse4
#define FURROW_SLEEF_VD __m128d
#define FURROW_SLEEF_VF __m128
#elif HWY_TARGET == HWY_SSSE3
#define FURROW_SLEEF_D(name, error) Sleef_cinz_##name##d2_##error##sse2
#define FURROW_SLEEF_F(name, error) Sleef_cinz_##name##f4_##error##sse2
#define FURROW_SLEEF_VD __m128d
#define FURROW_SLEEF_VF __m128
#elif HWY_TARGET == HWY_SCALAR
#define FURROW_SLEEF_D(name, error) Sleef_cinz_##name##d1_##error##purec
#define FURROW_SLEEF_F(name, error) Sleef_cinz_##name##f1_##error##purec
#define FURROW_SLEEF_VD double
#define FURROW_SLEEF_VF float
#else
#error "say what SLEEF calls its functions for this instruction set"
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::math::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// f(v.raw...), a part after the other where f takes shorter vectors.
template <class Raw, class V, class F, class... W>
HWY_INLINE V called(F f, V v, W... w) {
  if constexpr (sizeof(Raw) == sizeof(v.raw)) {
    return V{f(v.raw, w.raw...)};
  } else {
    V result = v;
    for (std::size_t part = 0; part < sizeof(V); part += sizeof(Raw)) {
      const auto of = [part](const V& whole) HWY_ATTR {
        Raw raw;
        std::memcpy(&raw, reinterpret_cast<const char*>(&whole) + part, sizeof raw);
        return raw;
      };
      const Raw raw = f(of(v), of(w)...);
      std::memcpy(reinterpret_cast<char*>(&result) + part, &raw, sizeof raw);
    }
    return result;
  }
}

/// A function of vectors of doubles and one of vectors of floats, as one.
#undef FURROW_SLEEF
#define FURROW_SLEEF(name, error)                                          \
  extern "C" FURROW_SLEEF_VD FURROW_SLEEF_D(name, error)(FURROW_SLEEF_VD); \
  extern "C" FURROW_SLEEF_VF FURROW_SLEEF_F(name, error)(FURROW_SLEEF_VF); \
  struct name##_of {                                                       \
    template <class V>                                                     \
    static HWY_INLINE V apply(V v) {                                       \
      if constexpr (sizeof(hn::TFromV<V>) == 8) {                          \
        return called<FURROW_SLEEF_VD>(FURROW_SLEEF_D(name, error), v);    \
      } else {                                                             \
        return called<FURROW_SLEEF_VF>(FURROW_SLEEF_F(name, error), v);    \
      }                                                                    \
    }                                                                      \
  }
FURROW_SLEEF(cbrt, u10);
FURROW_SLEEF(exp, u10);
FURROW_SLEEF(exp2, u10);
FURROW_SLEEF(expm1, u10);
FURROW_SLEEF(log, u10);
FURROW_SLEEF(log2, u10);
FURROW_SLEEF(log10, u10);
FURROW_SLEEF(log1p, u10);
FURROW_SLEEF(sin, u10);
FURROW_SLEEF(cos, u10);
FURROW_SLEEF(tan, u10);
FURROW_SLEEF(asin, u10);
FURROW_SLEEF(acos, u10);
FURROW_SLEEF(atan, u10);
FURROW_SLEEF(sinh, u10);
FURROW_SLEEF(cosh, u10);
FURROW_SLEEF(tanh, u10);
FURROW_SLEEF(erf, u10);

#undef FURROW_SLEEF_2
#define FURROW_SLEEF_2(name, error)                                                         \
  extern "C" FURROW_SLEEF_VD FURROW_SLEEF_D(name, error)(FURROW_SLEEF_VD, FURROW_SLEEF_VD); \
  extern "C" FURROW_SLEEF_VF FURROW_SLEEF_F(name, error)(FURROW_SLEEF_VF, FURROW_SLEEF_VF); \
  struct name##_of {                                                                        \
    template <class V>                                                                      \
    static HWY_INLINE V apply(V v, V w) {                                                   \
      if constexpr (sizeof(hn::TFromV<V>) == 8) {                                           \
        return called<FURROW_SLEEF_VD>(FURROW_SLEEF_D(name, error), v, w);                  \
      } else {                                                                              \
        return called<FURROW_SLEEF_VF>(FURROW_SLEEF_F(name, error), v, w);                  \
      }                                                                                     \
    }                                                                                       \
  }
FURROW_SLEEF_2(pow, u10);
FURROW_SLEEF_2(atan2, u10);
FURROW_SLEEF_2(hypot, u05);

struct floor_of {
  template <class V>
  static HWY_INLINE V apply(V v) {
    return hn::CopySign(hn::Floor(v), v);  // some of Highway's lose the sign of zero
  }
};
struct ceil_of {
  template <class V>
  static HWY_INLINE V apply(V v) {
    return hn::CopySign(hn::Ceil(v), v);  // some of Highway's lose the sign of zero
  }
};
struct round_of {
  template <class V>
  static HWY_INLINE V apply(V v) {
    return hn::CopySign(hn::Round(v), v);  // some of Highway's lose the sign of zero
  }
};
struct trunc_of {
  template <class V>
  static HWY_INLINE V apply(V v) {
    return hn::CopySign(hn::Trunc(v), v);  // some of Highway's lose the sign of zero
  }
};

// Where SLEEF 3.5.1 falls short, or is slower than it could be.

/// It calls infinite what is finite near the largest numbers; there log1p is log.
struct log1p_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const hn::DFromV<V> d;
    const auto large = hn::Gt(v, hn::Set(d, static_cast<hn::TFromV<V>>(0x1p100)));
    const V one_more = log1p_of::apply(v);
    if (HWY_LIKELY(hn::AllFalse(d, large))) return one_more;
    return hn::IfThenElse(large, log_of::apply(v), one_more);
  }
};
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
using exp_everywhere = Exp;
using log_everywhere = Log;
using tanh_everywhere = Tanh;
/// SLEEF's where ours does not reach.
template <class Near, class Far>
struct sin_or_cos {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const V near = Near::apply(v);
    const auto far = hn::Not(hn::Le(hn::Abs(v), sin_limit<V>()));
    if (HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), far))) return near;
    return hn::IfThenElse(far, Far::apply(v), near);
  }
};
using sin_everywhere = sin_or_cos<SinOrCos<false>, sin_of>;
using cos_everywhere = sin_or_cos<SinOrCos<true>, cos_of>;
struct pow_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v, V w) {
    hn::Mask<hn::DFromV<V>> far;
    const V near = Pow::apply(v, w, far);
    if (HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), far))) return near;
    return hn::IfThenElse(far, pow_of::apply(v, w), near);
  }
};
#else
using exp_everywhere = exp_of;
using log_everywhere = log_of;
using sin_everywhere = sin_of;
using cos_everywhere = cos_of;
using pow_everywhere = pow_of;
/// It is just beyond one unit in the last place near 0, where tanh x is x.
struct tanh_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const hn::DFromV<V> d;
    const auto small = hn::Lt(hn::Abs(v), hn::Set(d, static_cast<hn::TFromV<V>>(sizeof(hn::TFromV<V>) == 4 ? 0x1p-12 : 0x1p-27)));
    return hn::IfThenElse(small, v, tanh_of::apply(v));
  }
};
#endif

/// e to the power of |v|, halved, where sinh and cosh no longer differ from it and it may be finite though e^|v| is not: above
/// k · ln 2 = high + low, where 2^k overflows.
template <class V>
HWY_INLINE V half_exp(V v) {
  using T = hn::TFromV<V>;
  constexpr bool kFloat = sizeof(T) == 4;
  const hn::DFromV<V> d;
  const V high = hn::Set(d, static_cast<T>(kFloat ? 0x1.62e43p+6 : 0x1.62e42fefa39efp+9));
  const V low = hn::Set(d, static_cast<T>(kFloat ? -0x1.05c61p-22 : 0x1.abc9e3b39803fp-46));
  const V one = hn::Set(d, 1);
  // Beyond 2 all is infinite, without infinities on the way.
  const V more = expm1_of::apply(hn::Min(hn::Sub(hn::Abs(v), high), hn::Set(d, 2)));
  const V factor = hn::Add(one, hn::Sub(more, hn::Mul(low, hn::Add(one, more))));
  return hn::Mul(factor, hn::Set(d, static_cast<T>(kFloat ? 0x1p127 : 0x1p1023)));
}
/// Whether any of v is so large that SLEEF's sinh and cosh may call infinite what is finite.
template <class V>
HWY_INLINE auto beyond_exp(V v) {
  const hn::DFromV<V> d;
  return hn::Gt(hn::Abs(v), hn::Set(d, static_cast<hn::TFromV<V>>(sizeof(hn::TFromV<V>) == 4 ? 88.7 : 709.75)));
}
struct sinh_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const auto large = beyond_exp(v);
    const V usual = sinh_of::apply(v);
    if (HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), large))) return usual;
    return hn::IfThenElse(large, hn::CopySign(half_exp(v), v), usual);
  }
};
struct cosh_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const auto large = beyond_exp(v);
    const V usual = cosh_of::apply(v);
    if (HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), large))) return usual;
    return hn::IfThenElse(large, half_exp(v), usual);
  }
};
/// Of float it is just beyond one unit in the last place near 0, where erf x is x · 2/√π, here in two parts.
struct erf_everywhere {
  template <class V>
  static HWY_INLINE V apply(V v) {
    const V usual = erf_of::apply(v);
    if constexpr (sizeof(hn::TFromV<V>) == 8) {
      return usual;
    } else {
      const hn::DFromV<V> d;
      const V line = hn::MulAdd(v, hn::Set(d, 0x1.20dd76p+0F), hn::Mul(v, hn::Set(d, -0x1.f7ac92p-25F)));
      return hn::IfThenElse(hn::Lt(hn::Abs(v), hn::Set(d, 0x1p-13F)), hn::CopySign(line, v), usual);
    }
  }
};

constexpr std::size_t kLine = 64;
/// So many bytes ahead inputs are fetched that are too large for the cache: long computations keep the processor from seeing
/// what it could load.
constexpr std::size_t kAhead = 4096;

/// out[i] = F(a[i]) or F(a[i], b[i]); elements that do not fill a vector are filled up with ones. Where that is NaN, it is always
/// the same one: SLEEF's differ between instruction sets.
template <class F, class T>
void run(const T* a, const T* b, T* out, std::size_t n, bool past_cache) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr bool kBinary = requires {
    F::apply(hn::Zero(d), hn::Zero(d));
  };
  const auto not_a_number = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  const auto fetch = [](const T* x) {
    for (std::size_t k = 0; k < 4 * N * sizeof(T); k += kLine) __builtin_prefetch(reinterpret_cast<const char*>(x) + kAhead + k);
  };
  const auto value = [d, not_a_number](const T* x, const T* y) HWY_ATTR {
    const auto canonical = [not_a_number](auto v) HWY_ATTR { return hn::IfThenElse(hn::IsNaN(v), not_a_number, v); };
    if constexpr (kBinary)
      return canonical(F::apply(hn::LoadU(d, x), hn::LoadU(d, y)));
    else
      return canonical(F::apply(hn::LoadU(d, x)));
  };
  const auto filled_up = [=](std::size_t i, std::size_t end) HWY_ATTR {
    for (; i < end; i += N) {
      T x[N];
      T y[N];
      const std::size_t size = std::min(N, end - i);
      for (std::size_t l = 0; l < N; ++l) x[l] = y[l] = 1;
      for (std::size_t l = 0; l < size; ++l) x[l] = a[i + l], y[l] = b[i + l];
      hn::StoreU(value(x, y), d, x);
      for (std::size_t l = 0; l < size; ++l) out[i + l] = x[l];
    }
  };
  std::size_t i = 0;
  if (past_cache) {
    i = std::min(n, (kLine - reinterpret_cast<std::uintptr_t>(out) % kLine) % kLine / sizeof(T));
    filled_up(0, i);
    // Several lines at a time: memory likes its writes in runs.
    constexpr std::size_t kRun = 4 * N;
    for (; i + kRun <= n; i += kRun) {
      fetch(a + i);
      if constexpr (kBinary) fetch(b + i);
      const auto r0 = value(a + i, b + i);
      const auto r1 = value(a + i + N, b + i + N);
      const auto r2 = value(a + i + 2 * N, b + i + 2 * N);
      const auto r3 = value(a + i + 3 * N, b + i + 3 * N);
      hn::Stream(r0, d, out + i);
      hn::Stream(r1, d, out + i + N);
      hn::Stream(r2, d, out + i + 2 * N);
      hn::Stream(r3, d, out + i + 3 * N);
    }
    hwy::FlushStream();
  }
  for (; i + N <= n; i += N) hn::StoreU(value(a + i, b + i), d, out + i);
  filled_up(i, n);
}

template <class T>
constexpr Kernels<T> make() {
  return {
      {run<floor_of, T>,        run<ceil_of, T>,          run<round_of, T>,       run<trunc_of, T>,        run<cbrt_of, T>,
       run<exp_everywhere, T>,  run<exp2_of, T>,          run<expm1_of, T>,       run<log_everywhere, T>,  run<log2_of, T>,
       run<log10_of, T>,        run<log1p_everywhere, T>, run<sin_everywhere, T>, run<cos_everywhere, T>,  run<tan_of, T>,
       run<asin_of, T>,         run<acos_of, T>,          run<atan_of, T>,        run<sinh_everywhere, T>, run<cosh_everywhere, T>,
       run<tanh_everywhere, T>, run<erf_everywhere, T>},
      {run<pow_everywhere, T>, run<atan2_of, T>, run<hypot_of, T>}};
}

constexpr Tables kTables{make<float>(), make<double>()};

}  // namespace
}  // namespace furrow::math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {
namespace math {
namespace {

constexpr Built<Tables> kBuilt[] = {FURROW_TABLES(kTables)};

const Tables& chosen() {
  static const Tables& tables = chosen_of<Tables>(kBuilt);
  return tables;
}

}  // namespace

template <>
const Kernels<float>& kernels() {
  return chosen().f32;
}
template <>
const Kernels<double>& kernels() {
  return chosen().f64;
}

}  // namespace math

namespace named {
namespace {

/// Fewer than this are hardly worth a second thread.
constexpr std::size_t kShortest = 256;

template <class T, std::size_t n, std::size_t... f>
constexpr std::array<Cost, n> make_costs(const std::array<std::string_view, n>& names, std::size_t arrays,
                                         std::index_sequence<f...>) {
  return {Cost(names[f], type_code(type_of<T>), arrays * sizeof(T))...};
}
template <class T>
constinit auto unary_costs = make_costs<T>(kUnaryNames, 2, std::make_index_sequence<kUnaryNames.size()>());
template <class T>
constinit auto binary_costs = make_costs<T>(kBinaryNames, 3, std::make_index_sequence<kBinaryNames.size()>());

template <class T>
void run(Engine& engine, Cost& cost, math::Kernel<T> kernel, std::span<const T> a, std::span<const T> b, std::span<T> out,
         std::size_t bytes) {
  const bool in_place = a.data() == out.data() || b.data() == out.data();
  const bool stream = !in_place && worth_streaming(bytes);
  const Chunks chunks(out.size(), sizeof(T), kShortest);
  engine.over_chunks(chunks, cost,
                     [chunks, kernel, x = a.data(), y = b.data(), to = out.data(), stream](std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(x + part.begin, y + part.begin, to + part.begin, part.size(), stream);
                     });
}

}  // namespace

template <std::floating_point T>
void evaluate(Engine& engine, Unary f, std::span<const T> in, std::span<T> out) {
  const auto index = static_cast<std::size_t>(f);
  check::same_size(kUnaryNames[index].data(), in.size(), out.size());
  check::no_partial_overlap(kUnaryNames[index].data(), in, out);
  run<T>(engine, unary_costs<T>[index], math::kernels<T>().unary[index], in, in, out, in.size_bytes() + out.size_bytes());
}

template <std::floating_point T>
void evaluate(Engine& engine, Binary f, std::span<const T> a, std::span<const T> b, std::span<T> out) {
  const auto index = static_cast<std::size_t>(f);
  for (const std::span<const T> in : {a, b}) {
    check::same_size(kBinaryNames[index].data(), in.size(), out.size());
    check::no_partial_overlap(kBinaryNames[index].data(), in, out);
  }
  run<T>(engine, binary_costs<T>[index], math::kernels<T>().binary[index], a, b, out,
         a.size_bytes() + b.size_bytes() + out.size_bytes());
}

template void evaluate(Engine&, Unary, std::span<const float>, std::span<float>);
template void evaluate(Engine&, Unary, std::span<const double>, std::span<double>);
template void evaluate(Engine&, Binary, std::span<const float>, std::span<const float>, std::span<float>);
template void evaluate(Engine&, Binary, std::span<const double>, std::span<const double>, std::span<double>);

}  // namespace named
}  // namespace furrow
#endif  // HWY_ONCE
