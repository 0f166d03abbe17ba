#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

// The random numbers of random.hpp, one at a time by plain operations: their definition. random.cpp does the same in SIMD code.

namespace furrow::random {

/// Minimax polynomials (Remez 1934), as short as the rounding of T allows. Behind each: what it changes, of the value at most.
/// atanh s = s + s·z·p(z), z = s², for |s| up to that of m = √2: 2^-59, 2^-30.
template <class T>
inline constexpr auto kLogSeries = [] {
  if constexpr (sizeof(T) == 8)
    return std::array{0x1.5555555555591p-2, 0x1.999999998025bp-3, 0x1.24924941ba3a3p-3, 0x1.c71c523055afcp-4,
                      0x1.746637bbdc345p-4, 0x1.39a263ed93377p-4, 0x1.2eff37d9246e5p-4};
  else
    return std::array{0x1.55557ap-2F, 0x1.995edp-3F, 0x1.31e0fep-3F};
}();
/// sin x = x + x·y·p(y), y = x², for |x| up to π/4: 2^-58, 2^-28.
template <class T>
inline constexpr auto kSineSeries = [] {
  if constexpr (sizeof(T) == 8)
    return std::array{-0x1.5555555555549p-3, 0x1.111111110f8b2p-7,   -0x1.a01a019c177fap-13,
                      0x1.71de357c35e7fp-19, -0x1.ae5e6969ff863p-26, 0x1.5d93db17e8f8dp-33};
  else
    return std::array{-0x1.555546p-3F, 0x1.110764p-7F, -0x1.994facp-13F};
}();
/// cos x = 1 + y·p(y), y = x², for |x| up to π/4: 2^-53, 2^-33.
template <class T>
inline constexpr auto kCosineSeries = [] {
  if constexpr (sizeof(T) == 8)
    return std::array{-0x1.fffffffffffa4p-2, 0x1.555555554fa0cp-5,   -0x1.6c16c16494156p-10,
                      0x1.a019f88b1c469p-16, -0x1.27df6e6efa118p-22, 0x1.1b969eae46a5fp-29};
  else
    return std::array{-0x1.fffffep-2F, 0x1.55553ep-5F, -0x1.6c0884p-10F, 0x1.99355p-16F};
}();

inline constexpr std::array<std::uint32_t, 2> kPhiloxMultipliers{0xD2511F53, 0xCD9E8D57};
inline constexpr std::array<std::uint32_t, 2> kPhiloxKeySteps{0x9E3779B9, 0xBB67AE85};  // golden ratio, √3 − 1
inline constexpr int kPhiloxRounds = 10;

/// The unsigned integer of T's size.
template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

namespace reference {

/// Four words for a counter and a key.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t p = std::uint64_t{kPhiloxMultipliers[0]} * x[0];
    const std::uint64_t q = std::uint64_t{kPhiloxMultipliers[1]} * x[2];
    x = {static_cast<std::uint32_t>(q >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(q),
         static_cast<std::uint32_t>(p >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(p)};
    key = {key[0] + kPhiloxKeySteps[0], key[1] + kPhiloxKeySteps[1]};
  }
  return x;
}

/// Word i of a seed and stream, of 32 or 64 bits.
template <class Word>
Word word(std::uint64_t seed, std::uint64_t stream, std::uint64_t i) {
  constexpr std::uint64_t kPerBlock = 16 / sizeof(Word);
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
  const std::uint64_t block = i / kPerBlock;
  const auto four = philox({low(block), high(block), low(stream), high(stream)}, {low(seed), high(seed)});
  if constexpr (sizeof(Word) == 4)
    return four[i % 4];
  else
    return four[i % 2 * 2] | std::uint64_t{four[i % 2 * 2 + 1]} << 32;
}

/// (c[0] + c[1]·x + …), from the last term on.
template <class T, std::size_t n>
T polynomial(const std::array<T, n>& c, T x) {
  T sum = c[n - 1];
  for (std::size_t k = n - 1; k-- > 0;) sum = sum * x + c[k];
  return sum;
}

/// −ln u for u in (0, 1]: u = m·2^e with m about 1, and ln m = 2 atanh((m − 1)/(m + 1)).
template <class T>
T minus_log(T u) {
  using U = Bits<T>;
  constexpr int kFraction = std::numeric_limits<T>::digits - 1;
  constexpr U kOne = std::bit_cast<U>(T{1});
  constexpr U kRootHalf = std::bit_cast<U>(static_cast<T>(0.70710678118654752440L));
  constexpr T kLn2 = static_cast<T>(0.69314718055994530942L);
  const U bits = std::bit_cast<U>(u);
  const U biased = (bits + (kOne - kRootHalf)) >> kFraction;  // e, and what it is for m = 1
  const T e = static_cast<T>(biased) - static_cast<T>(kOne >> kFraction);
  const T m = std::bit_cast<T>(static_cast<U>(bits + kOne - (biased << kFraction)));
  const T s = (m - 1) / (m + 1);
  const T z = s * s;
  const T twice = s + s;
  return T{0} - e * kLn2 - (twice + twice * (z * polynomial(kLogSeries<T>, z)));
}

/// In (0, 1], from a word.
template <class T>
T positive_uniform(Bits<T> w) {
  if constexpr (sizeof(T) == 8)
    return (static_cast<double>(static_cast<std::int64_t>(w >> 11)) + 1) * 0x1p-53;
  else
    return (static_cast<float>(static_cast<std::int32_t>(w >> 1)) + 1) * 0x1p-31F;
}

template <class T>
T uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t i, T first, T second) {
  const auto w = word<Bits<T>>(seed, stream, i);
  if constexpr (sizeof(T) == 8)
    return first + second * (static_cast<double>(static_cast<std::int64_t>(w >> 11)) * 0x1p-53);
  else
    return first + second * (static_cast<float>(static_cast<std::int32_t>(w >> 8)) * 0x1p-24F);
}

template <class T>
T exponential(std::uint64_t seed, std::uint64_t stream, std::uint64_t i, T first, T second) {
  return first + second * minus_log(positive_uniform<T>(word<Bits<T>>(seed, stream, i)));
}

template <class T>
T normal(std::uint64_t seed, std::uint64_t stream, std::uint64_t i, T first, T second) {
  using U = Bits<T>;
  constexpr int kBits = 8 * sizeof(T);
  constexpr T kHalfPi = static_cast<T>(1.57079632679489661923L);
  const T minus = minus_log(positive_uniform<T>(word<U>(seed, stream, i & ~std::uint64_t{1})));
  const T radius = std::sqrt(minus + minus);
  // The two leading bits say which quarter of the circle is meant, the rest the angle in it, from −1/2 to 1/2 of it.
  const auto w = word<U>(seed, stream, i | 1);
  constexpr int kDropped = sizeof(T) == 8 ? 11 : 7;
  const auto part = static_cast<std::make_signed_t<U>>(w << 2) >> kDropped;
  const T x = static_cast<T>(part) * (sizeof(T) == 8 ? static_cast<T>(0x1p-53) : static_cast<T>(0x1p-25)) * kHalfPi;
  const T y = x * x;
  T sine = x + x * (y * polynomial(kSineSeries<T>, y));
  T cosine = 1 + y * polynomial(kCosineSeries<T>, y);
  const auto quarter = static_cast<unsigned>(w >> (kBits - 2));
  if (quarter % 2 != 0) std::swap(sine, cosine);
  if (quarter == 1 || quarter == 2) cosine = -cosine;
  if (quarter >= 2) sine = -sine;
  return first + second * (radius * (i % 2 == 0 ? cosine : sine));
}

template <class T>
T integer(std::uint64_t seed, std::uint64_t stream, std::uint64_t i, T low, T high) {
  const std::uint64_t values = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;  // 0: 2^64
  const auto w = word<std::uint64_t>(seed, stream, i);
  __extension__ typedef unsigned __int128 Wide;
  const std::uint64_t above = values == 0 ? w : static_cast<std::uint64_t>(Wide{w} * values >> 64);
  return static_cast<T>(static_cast<std::uint64_t>(low) + above);
}

}  // namespace reference
}  // namespace furrow::random
