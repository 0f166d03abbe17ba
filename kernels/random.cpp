// What is made of Philox's words, in SIMD code: this file's HWY_NAMESPACE is compiled once for each instruction set, as that of
// simd.cpp is. Each operation is one of random_reference.hpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/random.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/random/groups.hpp"
#include "furrow/kernels/random/philox.hpp"
#include "furrow/kernels/random/reference.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/types.hpp"

#ifndef FURROW_KERNELS_RANDOM_ONCE
#define FURROW_KERNELS_RANDOM_ONCE
namespace furrow::random {

struct Kernels {
  std::array<Make<float>, 3> f32;  // by law
  std::array<Make<double>, 3> f64;
  Make<std::int32_t> i32;
  Make<std::int64_t> i64;
};

}  // namespace furrow::random
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::random::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vec = hn::Vec<Tag<T>>;
template <class T>
using VecBits = hn::Vec<Tag<Bits<T>>>;

/// Vectors of numbers that are made side by side, since each step of one waits for the one before.
constexpr std::size_t kSide = 2;
template <class T>
using Vectors = std::array<Vec<T>, kSide>;
template <class T>
using VectorsOfBits = std::array<VecBits<T>, kSide>;

template <class T, std::size_t n>
HWY_INLINE Vectors<T> polynomial(const std::array<T, n>& c, const Vectors<T>& x) {
  const Tag<T> d;
  Vectors<T> sum;
#pragma GCC unroll 2
  for (std::size_t v = 0; v < kSide; ++v) sum[v] = hn::Set(d, c[n - 1]);
#pragma GCC unroll 16
  for (std::size_t k = 1; k < n; ++k) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kSide; ++v) sum[v] = hn::Add(hn::Mul(sum[v], x[v]), hn::Set(d, c[n - 1 - k]));
  }
  return sum;
}

/// What the signed integers of T's size are worth.
template <class T>
HWY_INLINE Vec<T> to_fraction(VecBits<T> w) {
  const Tag<T> d;
  return hn::ConvertTo(d, hn::BitCast(hn::RebindToSigned<Tag<T>>(), w));
}

template <class T>
HWY_INLINE Vectors<T> minus_log(const Vectors<T>& u) {
  using U = Bits<T>;
  const Tag<T> d;
  const Tag<U> du;
  constexpr int kFraction = std::numeric_limits<T>::digits - 1;
  constexpr U kOne = std::bit_cast<U>(T{1});
  constexpr U kRootHalf = std::bit_cast<U>(static_cast<T>(0.70710678118654752440L));
  // An integer below 2^kFraction as a number: put behind a leading one of that weight, and taken off again.
  constexpr T kWeight = static_cast<T>(std::uint64_t{1} << kFraction);
  const Vec<T> one = hn::Set(d, T{1});
  Vectors<T> e;
  Vectors<T> s;
  Vectors<T> z;
#pragma GCC unroll 2
  for (std::size_t v = 0; v < kSide; ++v) {
    const auto bits = hn::BitCast(du, u[v]);
    const auto biased = hn::ShiftRight<kFraction>(hn::Add(bits, hn::Set(du, kOne - kRootHalf)));
    e[v] = hn::Sub(hn::BitCast(d, hn::Or(biased, hn::Set(du, std::bit_cast<U>(kWeight)))),
                   hn::Set(d, kWeight + static_cast<T>(kOne >> kFraction)));
    const Vec<T> m = hn::BitCast(d, hn::Sub(hn::Add(bits, hn::Set(du, kOne)), hn::ShiftLeft<kFraction>(biased)));
    s[v] = hn::Div(hn::Sub(m, one), hn::Add(m, one));
    z[v] = hn::Mul(s[v], s[v]);
  }
  Vectors<T> series = polynomial<T>(kLogSeries<T>, z);
#pragma GCC unroll 2
  for (std::size_t v = 0; v < kSide; ++v) {
    const Vec<T> twice = hn::Add(s[v], s[v]);
    const Vec<T> log_m = hn::Add(twice, hn::Mul(twice, hn::Mul(z[v], series[v])));
    series[v] = hn::Sub(hn::Sub(hn::Zero(d), hn::Mul(e[v], hn::Set(d, static_cast<T>(0.69314718055994530942L)))), log_m);
  }
  return series;
}

template <class T>
HWY_INLINE Vectors<T> positive_uniform(const VectorsOfBits<T>& w) {
  const Tag<T> d;
  const Vec<T> one = hn::Set(d, T{1});
  Vectors<T> u;
#pragma GCC unroll 2
  for (std::size_t v = 0; v < kSide; ++v) {
    if constexpr (sizeof(T) == 8)
      u[v] = hn::Mul(hn::Add(to_fraction<T>(hn::ShiftRight<11>(w[v])), one), hn::Set(d, 0x1p-53));
    else
      u[v] = hn::Mul(hn::Add(to_fraction<T>(hn::ShiftRight<1>(w[v])), one), hn::Set(d, 0x1p-31F));
  }
  return u;
}

// The laws: numbers in plain form from vectors of words; or from those of the even and those of the odd words.

struct Uniform {
  template <class T>
  static HWY_INLINE Vectors<T> make(const VectorsOfBits<T>& w) {
    const Tag<T> d;
    Vectors<T> u;
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kSide; ++v) {
      if constexpr (sizeof(T) == 8)
        u[v] = hn::Mul(to_fraction<T>(hn::ShiftRight<11>(w[v])), hn::Set(d, 0x1p-53));
      else
        u[v] = hn::Mul(to_fraction<T>(hn::ShiftRight<8>(w[v])), hn::Set(d, 0x1p-24F));
    }
    return u;
  }
};

struct Exponential {
  template <class T>
  static HWY_INLINE Vectors<T> make(const VectorsOfBits<T>& w) {
    return minus_log<T>(positive_uniform<T>(w));
  }
};

struct Normal {
  template <class T>
  static HWY_INLINE void make_pairs(const VectorsOfBits<T>& w0, const VectorsOfBits<T>& w1, Vectors<T>& even, Vectors<T>& odd) {
    using U = Bits<T>;
    const Tag<T> d;
    const Tag<U> du;
    const hn::RebindToSigned<Tag<T>> di;
    constexpr int kDropped = sizeof(T) == 8 ? 11 : 7;
    const Vectors<T> minus = minus_log<T>(positive_uniform<T>(w0));
    Vectors<T> x;
    Vectors<T> y;
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kSide; ++v) {
      const auto part = hn::ShiftRight<kDropped>(hn::BitCast(di, hn::ShiftLeft<2>(w1[v])));
      const Vec<T> turned = hn::Mul(hn::ConvertTo(d, part), hn::Set(d, static_cast<T>(sizeof(T) == 8 ? 0x1p-53 : 0x1p-25)));
      x[v] = hn::Mul(turned, hn::Set(d, static_cast<T>(1.57079632679489661923L)));
      y[v] = hn::Mul(x[v], x[v]);
    }
    const Vectors<T> sines = polynomial<T>(kSineSeries<T>, y);
    const Vectors<T> cosines = polynomial<T>(kCosineSeries<T>, y);
    const auto sign = hn::Set(du, U{1} << (8 * sizeof(T) - 1));
    const auto quarter = hn::Set(du, U{1} << (8 * sizeof(T) - 2));
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kSide; ++v) {
      const Vec<T> radius = hn::Sqrt(hn::Add(minus[v], minus[v]));
      const Vec<T> sine = hn::Add(x[v], hn::Mul(x[v], hn::Mul(y[v], sines[v])));
      const Vec<T> cosine = hn::Add(hn::Set(d, T{1}), hn::Mul(y[v], cosines[v]));
      const auto odd_quarter = hn::RebindMask(d, hn::TestBit(w1[v], quarter));
      const auto cosine_sign = hn::BitCast(d, hn::And(hn::Xor(w1[v], hn::ShiftLeft<1>(w1[v])), sign));
      const auto sine_sign = hn::BitCast(d, hn::And(w1[v], sign));
      even[v] = hn::Mul(radius, hn::Xor(hn::IfThenElse(odd_quarter, sine, cosine), cosine_sign));
      odd[v] = hn::Mul(radius, hn::Xor(hn::IfThenElse(odd_quarter, cosine, sine), sine_sign));
    }
  }
};

template <class Law, class T>
void make(const RandomNumbers& numbers, std::uint64_t group, std::size_t count, T* out, T a, T b) {
  const Tag<T> d;
  const Tag<Bits<T>> du;
  constexpr std::size_t N = hn::MaxLanes(d);
  const Keys keys = keys_of(numbers.seed);
  HWY_ALIGN std::uint64_t words[kWords];
  const auto* const w = reinterpret_cast<const Bits<T>*>(words);
  const Vec<T> first = hn::Set(d, a);
  const Vec<T> second = hn::Set(d, b);
  const auto scaled = [first, second](Vec<T> x) HWY_ATTR { return hn::Add(first, hn::Mul(second, x)); };
  for (; count > 0; --count, ++group, out += kPerGroup<T>) {
    make_words(keys, numbers.stream, group * kBlocks, words);
    if constexpr (std::is_same_v<Law, Normal>) {
      for (std::size_t i = 0; i < kPerGroup<T>; i += 2 * kSide * N) {
        VectorsOfBits<T> w0;
        VectorsOfBits<T> w1;
        Vectors<T> even;
        Vectors<T> odd;
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kSide; ++v) hn::LoadInterleaved2(du, w + i + 2 * v * N, w0[v], w1[v]);
        Law::template make_pairs<T>(w0, w1, even, odd);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kSide; ++v) hn::StoreInterleaved2(scaled(even[v]), scaled(odd[v]), d, out + i + 2 * v * N);
      }
    } else {
      for (std::size_t i = 0; i < kPerGroup<T>; i += kSide * N) {
        VectorsOfBits<T> bits;
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kSide; ++v) bits[v] = hn::Load(du, w + i + v * N);
        const Vectors<T> numbers_of_law = Law::template make<T>(bits);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kSide; ++v) hn::StoreU(scaled(numbers_of_law[v]), d, out + i + v * N);
      }
    }
  }
}

/// The upper 64 bits of w · values, or w if values is 0, which stands for 2^64.
HWY_INLINE VecW scaled_down(VecW w, std::uint64_t values) {
  const Words d;
  if (values == 0) return w;
  const VecW low = hn::Set(d, values);
  const VecW high = hn::Set(d, values >> 32);
  const VecW mask = hn::Set(d, 0xFFFFFFFF);
  const VecW w_high = hn::ShiftRight<32>(w);
  const VecW ll = multiply_low(d, w, low);
  const VecW hl = multiply_low(d, w_high, low);
  const VecW lh = multiply_low(d, w, high);
  const VecW hh = multiply_low(d, w_high, high);
  const VecW middle = hn::Add(hn::Add(hn::ShiftRight<32>(ll), hn::And(hl, mask)), lh);
  return hn::Add(hn::Add(hh, hn::ShiftRight<32>(hl)), hn::ShiftRight<32>(middle));
}

template <class T>
void make_integers(const RandomNumbers& numbers, std::uint64_t group, std::size_t count, T* out, T low, T high) {
  const Words d;
  constexpr std::size_t N = hn::MaxLanes(d);
  const Keys keys = keys_of(numbers.seed);
  HWY_ALIGN std::uint64_t words[kWords];
  const std::uint64_t values = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const VecW lowest = hn::Set(d, static_cast<std::uint64_t>(low));
  for (; count > 0; --count, ++group, out += kWords) {
    make_words(keys, numbers.stream, group * kBlocks, words);
    for (std::size_t i = 0; i < kWords; i += N) {
      const VecW result = hn::Add(lowest, scaled_down(hn::Load(d, words + i), values));
      if constexpr (sizeof(T) == 8)
        hn::StoreU(result, d, reinterpret_cast<std::uint64_t*>(out + i));
      else
        hn::StoreU(hn::TruncateTo(hn::Rebind<std::uint32_t, Words>(), result), hn::Rebind<std::uint32_t, Words>(),
                   reinterpret_cast<std::uint32_t*>(out + i));
    }
  }
}

constexpr Kernels kKernels{
    {make<Uniform, float>, make<Normal, float>, make<Exponential, float>},
    {make<Uniform, double>, make<Normal, double>, make<Exponential, double>},
    make_integers<std::int32_t>,
    make_integers<std::int64_t>,
};

}  // namespace
}  // namespace furrow::random::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::random {
namespace {

constexpr Built<Kernels> kBuilt[] = {FURROW_TABLES(kKernels)};

const Kernels& kernels() {
  static const Kernels& chosen = chosen_of<Kernels>(kBuilt);
  return chosen;
}

static_assert(kPerGroup<double> == kWords && kPerGroup<float> == 2 * kWords);

constexpr std::array<std::string_view, 3> kLaws{"uniform", "normal", "exponential"};

/// Numbers first, first + 1, … by whole groups, and parts of them at the ends.
template <class T>
void make_range(Make<T> groups, const RandomNumbers& numbers, std::uint64_t first, T* out, std::size_t n, T a, T b) {
  constexpr std::size_t kSize = kPerGroup<T>;
  const auto part = [&](std::size_t skipped, std::size_t size) {
    alignas(64) std::array<T, kSize> whole;
    groups(numbers, first / kSize, 1, whole.data(), a, b);
    std::copy_n(whole.data() + skipped, size, out);
    first += size;
    out += size;
    n -= size;
  };
  if (const auto skipped = static_cast<std::size_t>(first % kSize); skipped != 0) part(skipped, std::min(n, kSize - skipped));
  const std::size_t whole = n / kSize;
  groups(numbers, first / kSize, whole, out, a, b);
  first += whole * kSize;
  out += whole * kSize;
  n -= whole * kSize;
  if (n != 0) part(0, n);
}

// Not streamed past the cache: making the numbers takes longer than reading the lines that they replace, and streamed stores would
// hold it up (2^25 uniform doubles on two threads of Zen 4: 11.6 GB/s, against 14.7).
template <class T>
void fill(Engine& engine, Cost& cost, Make<T> groups, const RandomNumbers& numbers, std::span<T> out, T a, T b) {
  const Chunks chunks(out.size(), sizeof(T), kPerGroup<T>);
  engine.over_chunks(chunks, cost, [=, data = out.data()](std::size_t first, std::size_t last) {
    const Range elements = chunks.elements(first, last);
    make_range(groups, numbers, numbers.offset + elements.begin, data + elements.begin, elements.size(), a, b);
  });
}

template <class T>
constinit std::array<Cost, 3> costs{Cost(kLaws[0], type_code(type_of<T>)), Cost(kLaws[1], type_code(type_of<T>)),
                                    Cost(kLaws[2], type_code(type_of<T>))};

}  // namespace

Make<double> normal_groups() {
  return kernels().f64[static_cast<std::size_t>(Law::normal)];
}

template <std::floating_point T>
void fill(Engine& engine, Law law, const RandomNumbers& numbers, std::span<T> out, T first, T second) {
  const bool is_one = std::isfinite(first) && std::isfinite(second) && (law == Law::exponential ? second > 0 : second >= 0);
  if (!is_one) bad_parameters(law, static_cast<double>(first), static_cast<double>(second));
  const auto index = static_cast<std::size_t>(law);
  if constexpr (sizeof(T) == 4)
    fill(engine, costs<T>[index], kernels().f32[index], numbers, out, first, second);
  else
    fill(engine, costs<T>[index], kernels().f64[index], numbers, out, first, second);
}

template <std::signed_integral T>
void fill_integers(Engine& engine, const RandomNumbers& numbers, std::span<T> out, T low, T high) {
  static constinit Cost cost("integers", type_code(type_of<T>));
  if (low > high)
    fail("integers: the interval from " + std::to_string(low) + " to " + std::to_string(high) +
         " holds none; give the lower end first");
  if constexpr (sizeof(T) == 4)
    fill(engine, cost, kernels().i32, numbers, out, low, high);
  else
    fill(engine, cost, kernels().i64, numbers, out, low, high);
}

void bad_parameters(Law law, double first, double second) {
  switch (law) {
    case Law::uniform:
      fail("uniform: from " + std::to_string(first) + ", " + std::to_string(second) +
           " further: give two finite ends, the lower first, whose distance is finite too");
    case Law::normal:
      fail("normal: mean " + std::to_string(first) + ", standard deviation " + std::to_string(second) +
           ": both must be finite, and the latter not negative");
    case Law::exponential:
      fail("exponential: a mean of " + std::to_string(second) + ": give a rate that is positive and finite, as is its inverse");
  }
  __builtin_unreachable();
}

template void fill(Engine&, Law, const RandomNumbers&, std::span<float>, float, float);
template void fill(Engine&, Law, const RandomNumbers&, std::span<double>, double, double);
template void fill_integers(Engine&, const RandomNumbers&, std::span<std::int32_t>, std::int32_t, std::int32_t);
template void fill_integers(Engine&, const RandomNumbers&, std::span<std::int64_t>, std::int64_t, std::int64_t);

}  // namespace furrow::random
#endif  // HWY_ONCE
