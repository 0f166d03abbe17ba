#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/ranges.hpp"

// Random numbers by index: number i of a seed and stream is a function of the seed, the stream and i alone. So arrays may be filled
// in parts, in any order and by any number of threads, and hold the same bits as if filled at once.
//
// Source of the bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC 2011), with the
// seed as key and (block, stream) as counter, each 64 bits, low words first. A block is four 32-bit words, in order: two numbers,
// or four floats (two of which share what would make one double). Numbers of 64 bits take their low word first. What is made of the
// bits uses operations that IEEE 754 defines, one by one, and no library function, so it is the same on all processors, and
// kernels/random/reference.hpp writes it out. Not for cryptography.
//
// No call looks at what `out` held. Cost of each: 1 write.

namespace furrow {

/// Which random numbers: those of a seed, of one of its 2^64 independent streams, from the one of index `offset` on. Made of the
/// seed alone where that is enough: uniform(engine, x, 42); else as uniform(engine, x, {42, stream, offset}).
struct RandomNumbers {
  /// Those of this seed, from the first on unless told otherwise.
  constexpr RandomNumbers(std::uint64_t of_seed, std::uint64_t of_stream = 0, std::uint64_t from = 0)
      : seed(of_seed), stream(of_stream), offset(from) {}

  std::uint64_t seed;    ///< any; each is another sequence
  std::uint64_t stream;  ///< any; each is another sequence of the seed
  std::uint64_t offset;  ///< index of the first number
};

namespace random {

enum class Law : std::uint8_t { uniform, normal, exponential };

/// out[i] = first + second · (number i of the law in its plain form). Throws Error if that is no distribution.
template <std::floating_point T>
void fill(Engine& engine, Law law, const RandomNumbers& numbers, std::span<T> out, T first, T second);
/// Integers of [low, high].
template <std::signed_integral T>
void fill_integers(Engine& engine, const RandomNumbers& numbers, std::span<T> out, T low, T high);

[[noreturn]] void bad_parameters(Law law, double first, double second);

}  // namespace random

/// Ranges of float or double.
template <class R>
concept FractionRange = RangeOf<R, float> || RangeOf<R, double>;
/// Ranges of 32-bit or 64-bit signed integers.
template <class R>
concept IntegerRange = RangeOf<R, std::int32_t> || RangeOf<R, std::int64_t>;

/// Numbers spread evenly over [low, high): low + (high − low)·u with u one of the 2^53 (float: 2^24) multiples of 2^-53 (2^-24) in
/// [0, 1). If low is not 0, the sum may round to high. Throws Error unless low <= high and their distance is finite.
template <FractionRange Out>
void uniform(Engine& engine, Out&& out, const RandomNumbers& numbers, std::type_identity_t<value_t<Out>> low = 0,
             std::type_identity_t<value_t<Out>> high = 1) {
  using T = value_t<Out>;
  random::fill<T>(engine, random::Law::uniform, numbers, as_span(out), low, high - low);
}

/// Normally distributed numbers: mean + sd·z. Throws Error unless both are finite and sd >= 0. Numbers 2k and 2k + 1 are made
/// together from two uniform ones (Box, Muller: A note on the generation of random normal deviates, 1958); |z| is at most 8.6
/// (float: 6.6), and within some units in the last place of the exact formula.
template <FractionRange Out>
void normal(Engine& engine, Out&& out, const RandomNumbers& numbers, std::type_identity_t<value_t<Out>> mean = 0,
            std::type_identity_t<value_t<Out>> sd = 1) {
  using T = value_t<Out>;
  random::fill<T>(engine, random::Law::normal, numbers, as_span(out), mean, sd);
}

/// Exponentially distributed numbers of mean 1/rate: −ln(u)·(1/rate) with u in (0, 1], a multiple of 2^-53 (float: about 2^-31), so
/// at most 36.8/rate (21.5/rate). Throws Error unless rate and 1/rate are positive and finite.
template <FractionRange Out>
void exponential(Engine& engine, Out&& out, const RandomNumbers& numbers, std::type_identity_t<value_t<Out>> rate = 1) {
  using T = value_t<Out>;
  random::fill<T>(engine, random::Law::exponential, numbers, as_span(out), T{0}, T{1} / rate);
}

/// Integers of [low, high], both included, as of std::uniform_int_distribution. Each comes from 64 bits by one multiplication
/// (Lemire: Fast random integer generation in an interval, 2019), without rejection: with s = high − low + 1 values, the
/// probability of each differs from 1/s by less than 2^-64, and not at all if s is a power of two. Throws Error if low > high.
template <IntegerRange Out>
void integers(Engine& engine, Out&& out, const RandomNumbers& numbers, std::type_identity_t<value_t<Out>> low,
              std::type_identity_t<value_t<Out>> high) {
  random::fill_integers<value_t<Out>>(engine, numbers, as_span(out), low, high);
}

}  // namespace furrow
