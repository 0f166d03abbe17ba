#include "furrow/kernels/exact.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>

#include "furrow/kernels/simd/reductions.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::named {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

/// A sum of doubles and products of doubles, exact: a number in fixed point, wide enough for all of them, in digits of 32 bits each
/// of which has 64, so that carries can wait (Neal, Fast Exact Summation Using Small and Large Superaccumulators, 2015).
class FixedPoint {
 public:
  void add(double v) {
    if (!std::isfinite(v)) return note(v);
    const Parts parts(v);
    add(parts.negative, parts.significand, parts.exponent);
  }

  void add_product(double v, double w) {
    if (!std::isfinite(v) || !std::isfinite(w)) return note(v * w);
    const Parts a(v);
    const Parts b(w);
    const UnsignedWide product = UnsignedWide{a.significand} * b.significand;
    const int exponent = a.exponent + b.exponent;
    const bool negative = a.negative != b.negative;
    add(negative, static_cast<std::uint64_t>(product) & kSignificand, exponent);
    add(negative, static_cast<std::uint64_t>(product >> kPrecision), exponent + kPrecision);
  }

  void add(FixedPoint& other) {
    carry();
    other.carry();
    for (std::size_t i = 0; i < digits_.size(); ++i) digits_[i] += other.digits_[i];
    for (std::size_t s = 0; s < specials_.size(); ++s) specials_[s] = specials_[s] || other.specials_[s];
    waiting_ = 1;
  }

  /// The nearest T, the even one of two.
  template <std::floating_point T>
  T rounded() {
    using Limits = std::numeric_limits<T>;
    if (specials_[kNaN] || (specials_[kPositive] && specials_[kNegative])) return Limits::quiet_NaN();
    if (specials_[kPositive] || specials_[kNegative]) return specials_[kPositive] ? Limits::infinity() : -Limits::infinity();
    carry();
    const bool negative = digits_.back() < 0;
    if (negative) {
      for (std::int64_t& digit : digits_) digit = -digit;
      waiting_ = 1;
      carry();
    }
    std::size_t top = digits_.size();
    while (top > 0 && digits_[top - 1] == 0) --top;
    if (top == 0) return 0;
    // Bits are counted from the lowest of the lowest digit.
    const int highest =
        kDigitBits * static_cast<int>(top) - 1 - (std::countl_zero(static_cast<std::uint64_t>(digits_[top - 1])) - kDigitBits);
    const int lowest = std::max(highest - Limits::digits + 1, Limits::min_exponent - Limits::digits - kUnit);
    std::uint64_t kept = 0;
    for (int i = highest; i >= lowest; --i) kept = 2 * kept + bit(i);
    if (bit(lowest - 1) != 0 && ((kept & 1) != 0 || any_below(lowest - 1))) ++kept;
    if (kept == std::uint64_t{1} << Limits::digits ? lowest + kUnit + Limits::digits >= Limits::max_exponent
                                                   : highest + kUnit >= Limits::max_exponent)
      return negative ? -Limits::infinity() : Limits::infinity();
    const T magnitude = std::ldexp(static_cast<T>(kept), lowest + kUnit);
    return negative ? -magnitude : magnitude;
  }

 private:
  static constexpr int kDigitBits = 32;
  static constexpr int kPrecision = std::numeric_limits<double>::digits;
  static constexpr std::uint64_t kSignificand = (std::uint64_t{1} << kPrecision) - 1;
  /// The exponent of the lowest bit: that of the square of the least double, 2^-2148, or a little less.
  static constexpr int kUnit = -2176;
  /// Up to the square of the greatest double, 2^2048, as often as there are addresses.
  static constexpr std::size_t kDigits = (2048 + 64 - kUnit) / kDigitBits + 1;
  enum Special { kNaN, kPositive, kNegative };

  /// ± significand · 2^exponent.
  struct Parts {
    explicit Parts(double v) {
      const auto bits = std::bit_cast<std::uint64_t>(v);
      const int biased = static_cast<int>(bits >> (kPrecision - 1) & 0x7FF);
      const std::uint64_t hidden = std::uint64_t{1} << (kPrecision - 1);
      negative = bits >> 63 != 0;
      significand = (bits & (hidden - 1)) | (biased != 0 ? hidden : 0);
      exponent = std::max(biased, 1) - 1075;
    }
    bool negative;
    std::uint64_t significand;
    int exponent;
  };

  void note(double v) { specials_[std::isnan(v) ? kNaN : v > 0 ? kPositive : kNegative] = true; }

  void add(bool negative, std::uint64_t significand, int exponent) {
    const auto position = static_cast<unsigned>(exponent - kUnit);
    const std::size_t digit = position / kDigitBits;
    const UnsignedWide shifted = UnsignedWide{significand} << (position % kDigitBits);
    const std::int64_t sign = negative ? -1 : 1;
    digits_[digit] += sign * static_cast<std::int64_t>(shifted & 0xFFFFFFFF);
    digits_[digit + 1] += sign * static_cast<std::int64_t>(shifted >> 32 & 0xFFFFFFFF);
    digits_[digit + 2] += sign * static_cast<std::int64_t>(shifted >> 64);
    if (++waiting_ == kMostWaiting) carry();
  }

  /// Leaves 0 … 2^32 - 1 in each digit but the last, which has the sign.
  void carry() {
    for (std::size_t i = 0; i + 1 < digits_.size(); ++i) {
      digits_[i + 1] += digits_[i] >> kDigitBits;
      digits_[i] &= 0xFFFFFFFF;
    }
    waiting_ = 0;
  }

  std::uint64_t bit(int i) const {
    return i < 0 ? 0 : static_cast<std::uint64_t>(digits_[static_cast<std::size_t>(i) / kDigitBits]) >> (i % kDigitBits) & 1;
  }
  bool any_below(int i) const {
    for (int k = 0; k < i; ++k)
      if (bit(k) != 0) return true;
    return false;
  }

  static constexpr std::uint32_t kMostWaiting = std::uint32_t{1} << 30;  // terms below 2^32 until a digit may overflow
  std::array<std::int64_t, kDigits> digits_{};
  std::uint32_t waiting_ = 0;
  std::array<bool, 3> specials_{};
};

using Block = std::array<double, simd::kSplitBlock>;

/// Adds x[0] … x[n - 1], n <= kSplitBlock, leading bits first, until nothing is left of any.
void add_block(FixedPoint& total, const double* x, std::size_t n, Block& rest) {
  constexpr double kLargest = 0x1p1013;  // with room above for the sum of a block
  const simd::BlockReductions& kernels = simd::block_reductions();
  double most = simd::reductions<double>().max_magnitude(x, n);
  if (!(most <= kLargest)) {
    for (std::size_t i = 0; i < n; ++i) total.add(x[i]);
    return;
  }
  while (most != 0) {
    std::array<double, simd::kSplits> sums;
    most = kernels.split(x, rest.data(), n, std::ilogb(most) + simd::kSplitBlockBits, sums);
    for (const double sum : sums) total.add(sum);
    x = rest.data();
  }
}

/// The numbers as doubles: themselves, or copied to `memory`.
template <std::floating_point T>
const double* as_doubles(const T* x, std::size_t n, Block& memory) {
  if constexpr (std::is_same_v<T, double>) return x;
  simd::reductions<T>().to_doubles(x, memory.data(), n);
  return memory.data();
}

/// add(total, first element, number of elements) for all blocks; each task has a total of its own, which are added up as they are
/// done: exact sums do not know an order.
template <std::floating_point T, class Add>
T over_blocks(Engine& engine, Cost& cost, std::size_t n, const Add& add) {
  const Chunks chunks(n, sizeof(double), kReductionChunk);
  FixedPoint total;
  std::mutex mutex;
  engine.over_chunks(chunks, cost, [&, chunks, add](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    FixedPoint own;
    for (std::size_t i = part.begin; i < part.end; i += simd::kSplitBlock) add(own, i, std::min(part.end - i, simd::kSplitBlock));
    const std::lock_guard lock(mutex);
    total.add(own);
  });
  return total.rounded<T>();
}

}  // namespace

template <std::floating_point T>
T exact_sum(Engine& engine, std::span<const T> x) {
  static constinit Cost cost("exact_sum", type_code(type_of<T>));
  return over_blocks<T>(engine, cost, x.size(), [x](FixedPoint& total, std::size_t at, std::size_t n) {
    alignas(64) Block rest;
    add_block(total, as_doubles(x.data() + at, n, rest), n, rest);
  });
}

template <std::floating_point T>
T exact_dot(Engine& engine, std::span<const T> x, std::span<const T> y) {
  static constinit Cost cost("exact_dot", type_code(type_of<T>));
  check::same_size("dot", x.size(), y.size());
  return over_blocks<T>(engine, cost, x.size(), [x, y](FixedPoint& total, std::size_t at, std::size_t n) {
    alignas(64) Block product;
    alignas(64) Block error;
    alignas(64) Block rest;
    const double* const a = as_doubles(x.data() + at, n, rest);
    const double* const b = as_doubles(y.data() + at, n, error);
    if (!simd::block_reductions().products(a, b, product.data(), error.data(), n)) {
      for (std::size_t i = 0; i < n; ++i) total.add_product(x[at + i], y[at + i]);
      return;
    }
    add_block(total, product.data(), n, product);
    if constexpr (std::is_same_v<T, double>) add_block(total, error.data(), n, error);  // products of floats fit a double
  });
}

template float exact_sum(Engine&, std::span<const float>);
template double exact_sum(Engine&, std::span<const double>);
template float exact_dot(Engine&, std::span<const float>, std::span<const float>);
template double exact_dot(Engine&, std::span<const double>, std::span<const double>);

}  // namespace furrow::named
