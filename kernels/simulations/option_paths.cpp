// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is. Each operation is
// one of option_reference.hpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/option_paths.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>

#include "furrow/kernels/random/groups.hpp"
#include "furrow/kernels/simd/exp_constants.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simulations/option_paths.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_OPTION_PATHS_ONCE
#define FURROW_KERNELS_SIMULATIONS_OPTION_PATHS_ONCE
namespace furrow::sim::pricing {

static_assert(kBlock == random::kPerGroup<double>);

/// Groups of normal numbers, one after the other; made several at a time.
class Normals {
 public:
  Normals(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::size_t count)
      : numbers_(seed, stream), next_(first), left_(count) {}
  const double* group() {
    if (used_ == made_) {
      made_ = std::min(kMost, left_);
      make_(numbers_, next_, made_, buffer_, 0, 1);
      next_ += made_;
      left_ -= made_;
      used_ = 0;
    }
    return buffer_ + kBlock * used_++;
  }

 private:
  static constexpr std::size_t kMost = 8;  // a page
  alignas(64) double buffer_[kMost * kBlock];
  random::Make<double> make_ = random::normal_groups();
  RandomNumbers numbers_;
  std::uint64_t next_;
  std::size_t left_;
  std::size_t made_ = 0;
  std::size_t used_ = 0;
};

}  // namespace furrow::sim::pricing
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::pricing::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

constexpr std::size_t kWidth = hn::MaxLanes(D());
constexpr std::size_t kVectors = kLanes / kWidth;

HWY_INLINE V number(double value) {
  return hn::Set(D(), value);
}

HWY_INLINE V exponential(V v) {
  using Constants = math::ExpConstants<double>;
  const D d;
  const hn::RebindToUnsigned<D> bits;
  const V x = hn::Min(hn::Max(v, number(-kExpLimit)), number(kExpLimit));
  const V shifted = hn::Add(hn::Mul(x, number(Constants::kInverseLn2)), number(kInteger));
  const V k = hn::Sub(shifted, number(kInteger));
  const V r = hn::Sub(hn::Sub(x, hn::Mul(k, number(Constants::kLn2High))), hn::Mul(k, number(Constants::kLn2Low)));
  const V z = hn::Mul(r, r);
  // Even and odd powers side by side: half as long a chain.
  V even = number(Constants::kSeries[8]);
  V odd = number(Constants::kSeries[9]);
#pragma GCC unroll 4
  for (std::size_t c = 8; c > 0; c -= 2) {
    even = hn::Add(hn::Mul(even, z), number(Constants::kSeries[c - 2]));
    odd = hn::Add(hn::Mul(odd, z), number(Constants::kSeries[c - 1]));
  }
  const V q = hn::Add(even, hn::Mul(odd, r));
  const V y = hn::Add(number(1), hn::Add(r, hn::Mul(z, q)));
  const auto power = hn::ShiftLeft<52>(hn::Add(hn::BitCast(bits, shifted), hn::Set(bits, 1023)));
  return hn::Mul(y, hn::BitCast(d, power));
}

/// Sums in lanes, of the contracts from 0 on.
template <std::size_t contracts>
class Totals {
 public:
  Totals() {
    for (auto& lanes : sums_)
      for (V& sum : lanes) sum = number(0);
  }
  /// A payoff and its derivatives, where a contract pays.
  HWY_INLINE void add(std::size_t contract, std::size_t vector, V payoff, V by_spot, V by_volatility) {
    add_one(kQuantities * contract, vector, payoff);
    add_one(kQuantities * contract + 1, vector, by_spot);
    add_one(kQuantities * contract + 2, vector, by_volatility);
  }
  Sums sums() const {
    Sums all{};
    for (std::size_t i = 0; i < contracts * kQuantities * 2; ++i) {
      double lanes[kLanes];
      for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums_[i][v], D(), lanes + v * kWidth);
      for (std::size_t half = kLanes / 2; half > 0; half /= 2)
        for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
      all.of[i] = lanes[0];
    }
    return all;
  }

 private:
  HWY_INLINE void add_one(std::size_t quantity, std::size_t vector, V value) {
    V* const sum = &sums_[2 * quantity][vector];
    V* const squares = &sums_[2 * quantity + 1][vector];
    *sum = hn::Add(*sum, value);
    *squares = hn::Add(*squares, hn::Mul(value, value));
  }
  V sums_[contracts * kQuantities * 2][kVectors];
};

/// Which of the paths from i of a block on are among the first `count`.
HWY_INLINE M among(std::size_t i, std::size_t count) {
  const D d;
  return hn::Lt(hn::Add(hn::Iota(d, 0), number(static_cast<double>(i))), number(static_cast<double>(count)));
}

Sums european(const Paths& paths, std::uint64_t seed, std::uint64_t stream, std::size_t first, std::size_t n) {
  const D d;
  Totals<1> totals;
  const std::size_t blocks = (n + kBlock - 1) / kBlock;
  Normals normals(seed, stream, first / kBlock * paths.dates, blocks * paths.dates);
  alignas(64) double logs[kBlock];
  const V tilt = number(paths.tilt * static_cast<double>(paths.dates));
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t date = 0; date < paths.dates; ++date) {
      const double* const z = normals.group();
      for (std::size_t i = 0; i < kBlock; i += kWidth) {
        const V growth = hn::Add(number(paths.drift), hn::Mul(number(paths.spread), hn::Load(d, z + i)));
        hn::Store(date == 0 ? growth : hn::Add(hn::Load(d, logs + i), growth), d, logs + i);
      }
    }
    const std::size_t count = n - block * kBlock;
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) {
        const std::size_t at = i + v * kWidth;
        const V x = hn::Load(d, logs + at);
        const V price = exponential(x);
        const V by_volatility = hn::Mul(hn::Sub(x, tilt), number(paths.inverse_volatility));
        const M pays = hn::And(among(at, count), hn::Gt(price, number(paths.strike)));
        const V by_spot = hn::IfThenElseZero(pays, price);
        totals.add(0, v, hn::IfThenElseZero(pays, hn::Sub(price, number(paths.strike))), by_spot, hn::Mul(by_spot, by_volatility));
      }
    }
  }
  return totals.sums();
}

/// What is known of the paths of a block.
struct Block {
  alignas(64) double log[kBlock];  // of the price
  alignas(64) double price[kBlock];
  alignas(64) double sum[kBlock];                // of prices at the dates so far
  alignas(64) double sum_by_volatility[kBlock];  // its derivative
  alignas(64) double sum_of_logs[kBlock];
  alignas(64) double alive[kBlock];  // the probability not to have met the barrier, given the prices
  alignas(64) double alive_by_spot[kBlock];
  alignas(64) double alive_by_volatility[kBlock];
};

HWY_INLINE void go_on(const Paths& paths, std::size_t date, const double* z, Block& block) {
  const D d;
  const V drift = number(paths.drift);
  const V spread = number(paths.spread);
  const V inverse = number(paths.inverse_volatility);
  const V before = number(paths.tilt * static_cast<double>(date));
  const V now = number(paths.tilt * static_cast<double>(date + 1));
  for (std::size_t i = 0; i < kBlock; i += kWidth) {
    const V x0 = hn::Load(d, block.log + i);
    const V x1 = hn::Add(x0, hn::Add(drift, hn::Mul(spread, hn::Load(d, z + i))));
    const V price = exponential(x1);
    // Derivatives of the logarithms by σ, from what of them is due to chance.
    const V y0 = hn::Mul(hn::Sub(x0, before), inverse);
    const V y1 = hn::Mul(hn::Sub(x1, now), inverse);
    hn::Store(x1, d, block.log + i);
    hn::Store(price, d, block.price + i);
    hn::Store(hn::Add(hn::Load(d, block.sum + i), price), d, block.sum + i);
    hn::Store(hn::Add(hn::Load(d, block.sum_by_volatility + i), hn::Mul(price, y1)), d, block.sum_by_volatility + i);
    hn::Store(hn::Add(hn::Load(d, block.sum_of_logs + i), x1), d, block.sum_of_logs + i);
    // The probability that a Brownian bridge meets the barrier: e^(−2 a b / (σ² dt)), a and b the distances from it at its ends.
    const V a = hn::Sub(x0, number(paths.barrier));
    const V b = hn::Sub(x1, number(paths.barrier));
    const V product = hn::Mul(a, b);
    const M above = hn::Gt(product, hn::Zero(d));
    const V met = hn::IfThenElse(above, exponential(hn::Mul(product, number(-paths.bridge))), number(1));
    const V missed = hn::Sub(number(1), met);
    const V slope = hn::IfThenElseZero(above, hn::Mul(met, number(paths.bridge)));
    const V by_spot = hn::Mul(slope, hn::Add(a, b));
    const V by_volatility =
        hn::Mul(slope, hn::Sub(hn::Add(hn::Mul(y0, b), hn::Mul(a, y1)), hn::Mul(hn::Add(inverse, inverse), product)));
    const V alive = hn::Load(d, block.alive + i);
    hn::Store(hn::Mul(alive, missed), d, block.alive + i);
    hn::Store(hn::Add(hn::Mul(hn::Load(d, block.alive_by_spot + i), missed), hn::Mul(alive, by_spot)), d, block.alive_by_spot + i);
    hn::Store(hn::Add(hn::Mul(hn::Load(d, block.alive_by_volatility + i), missed), hn::Mul(alive, by_volatility)), d,
              block.alive_by_volatility + i);
  }
}

Sums all(const Paths& paths, std::uint64_t seed, std::uint64_t stream, std::size_t first, std::size_t n) {
  const D d;
  Totals<kContracts> totals;
  const std::size_t blocks = (n + kBlock - 1) / kBlock;
  const auto dates = static_cast<double>(paths.dates);
  Normals normals(seed, stream, first / kBlock * paths.dates, blocks * paths.dates);
  const V strike = number(paths.strike);
  const V inverse = number(paths.inverse_volatility);
  const V inverse_dates = number(1 / dates);
  const V tilt = number(paths.tilt * dates);
  const V mean_tilt = number(paths.tilt * ((dates + 1) / 2));
  const V one = number(1);
  for (std::size_t b = 0; b < blocks; ++b) {
    Block block{};
    for (std::size_t i = 0; i < kBlock; i += kWidth) hn::Store(one, d, block.alive + i);
    for (std::size_t date = 0; date < paths.dates; ++date) go_on(paths, date, normals.group(), block);
    const std::size_t count = n - b * kBlock;
    for (std::size_t i = 0; i < kBlock; i += kWidth) {
      const std::size_t v = i / kWidth % kVectors;
      const M counts = among(i, count);
      const auto pays = [&](V price) HWY_ATTR { return hn::And(counts, hn::Gt(price, strike)); };

      const V price = hn::Load(d, block.price + i);
      const V in = hn::IfThenElseZero(pays(price), price);
      const V payoff = hn::IfThenElseZero(pays(price), hn::Sub(price, strike));
      const V by_volatility = hn::Mul(in, hn::Mul(hn::Sub(hn::Load(d, block.log + i), tilt), inverse));
      totals.add(0, v, payoff, in, by_volatility);

      const V mean_log = hn::Mul(hn::Load(d, block.sum_of_logs + i), inverse_dates);
      const V geometric = exponential(mean_log);
      const V g_in = hn::IfThenElseZero(pays(geometric), geometric);
      const V g_payoff = hn::IfThenElseZero(pays(geometric), hn::Sub(geometric, strike));
      const V g_by_volatility = hn::Mul(g_in, hn::Mul(hn::Sub(mean_log, mean_tilt), inverse));
      totals.add(1, v, g_payoff, g_in, g_by_volatility);

      const V arithmetic = hn::Mul(hn::Load(d, block.sum + i), inverse_dates);
      const V a_in = hn::IfThenElseZero(pays(arithmetic), arithmetic);
      const V a_payoff = hn::IfThenElseZero(pays(arithmetic), hn::Sub(arithmetic, strike));
      const V a_by_volatility =
          hn::IfThenElseZero(pays(arithmetic), hn::Mul(hn::Load(d, block.sum_by_volatility + i), inverse_dates));
      totals.add(2, v, hn::Sub(a_payoff, g_payoff), hn::Sub(a_in, g_in), hn::Sub(a_by_volatility, g_by_volatility));

      const V alive = hn::Load(d, block.alive + i);
      totals.add(3, v, hn::Mul(alive, payoff), hn::Add(hn::Mul(hn::Load(d, block.alive_by_spot + i), payoff), hn::Mul(alive, in)),
                 hn::Add(hn::Mul(hn::Load(d, block.alive_by_volatility + i), payoff), hn::Mul(alive, by_volatility)));
    }
  }
  return totals.sums();
}

constexpr Kernels kKernels{all, european};

}  // namespace
}  // namespace furrow::sim::pricing::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim::pricing {
namespace {

constexpr Built<Kernels> kBuilt[] = {FURROW_TABLES(kKernels)};

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = chosen_of<Kernels>(kBuilt);
  return chosen;
}

}  // namespace furrow::sim::pricing
#endif  // HWY_ONCE
