// The error of the mathematical functions against MPFR, over bit patterns of all kinds. Prints a row for each function and type;
// the rows of a long run are in docs/accuracy.md.
#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/instruction_set.hpp"
#include "furrow/kernels/math.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

/// Points per function and type; $FURROW_ACCURACY_SAMPLES in long runs.
std::size_t samples() {
  const char* const wanted = std::getenv("FURROW_ACCURACY_SAMPLES");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : support::repeats(20'000);
}

/// Far more digits than double has, so that rounding the reference does not show.
constexpr mpfr_prec_t kDigits = 160;

struct Real {
  mpfr_t value;
  Real() { mpfr_init2(value, kDigits); }
  ~Real() { mpfr_clear(value); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
};

using Unary = int (*)(mpfr_t, const mpfr_t, mpfr_rnd_t);
using Binary = int (*)(mpfr_t, const mpfr_t, const mpfr_t, mpfr_rnd_t);

template <mpfr_rnd_t direction>
int whole(mpfr_t result, const mpfr_t x, mpfr_rnd_t) {
  return mpfr_rint(result, x, direction);
}

/// In the order of named::Unary.
constexpr Unary kUnary[] = {whole<MPFR_RNDD>, whole<MPFR_RNDU>, whole<MPFR_RNDN>, whole<MPFR_RNDZ>, mpfr_cbrt,  mpfr_exp,
                            mpfr_exp2,        mpfr_expm1,       mpfr_log,         mpfr_log2,        mpfr_log10, mpfr_log1p,
                            mpfr_sin,         mpfr_cos,         mpfr_tan,         mpfr_asin,        mpfr_acos,  mpfr_atan,
                            mpfr_sinh,        mpfr_cosh,        mpfr_tanh,        mpfr_erf};
static_assert(std::size(kUnary) == named::kUnaryNames.size());
/// In the order of named::Binary.
constexpr Binary kBinary[] = {mpfr_pow, mpfr_atan2, mpfr_hypot};
static_assert(std::size(kBinary) == named::kBinaryNames.size());

/// The distance of `value` from `exact` in units in the last place of T at `exact`; 0 for the same infinity or both NaN.
template <class T>
double error_in_ulp(T value, const Real& exact) {
  using Limits = std::numeric_limits<T>;
  if (mpfr_nan_p(exact.value) != 0 || std::isnan(value)) return mpfr_nan_p(exact.value) != 0 && std::isnan(value) ? 0 : INFINITY;
  const T rounded =
      sizeof(T) == 4 ? static_cast<T>(mpfr_get_flt(exact.value, MPFR_RNDN)) : static_cast<T>(mpfr_get_d(exact.value, MPFR_RNDN));
  if (std::isinf(value) || std::isinf(rounded)) {
    // So near the largest number pow may overflow without fused multiply-add, as its documentation says.
    static const bool fused = instruction_set() == "avx512" || instruction_set() == "avx2";
    if (!fused && std::isinf(value) && !std::isinf(rounded) && std::abs(rounded) > Limits::max() * (1 - static_cast<T>(0x1p-41)))
      return 0;
    // Beyond the largest number either neighbour is within a unit.
    return rounded == value || (std::isinf(rounded) && mpfr_inf_p(exact.value) == 0 && std::abs(value) == Limits::max()) ? 0
                                                                                                                         : INFINITY;
  }
  if (mpfr_zero_p(exact.value) != 0) return value == 0 && std::signbit(value) == (mpfr_signbit(exact.value) != 0) ? 0 : INFINITY;
  const auto exponent = static_cast<int>(std::max<mpfr_exp_t>(mpfr_get_exp(exact.value), Limits::min_exponent));
  Real difference;
  mpfr_set_d(difference.value, static_cast<double>(value), MPFR_RNDN);
  mpfr_sub(difference.value, difference.value, exact.value, MPFR_RNDN);
  mpfr_mul_2si(difference.value, difference.value, Limits::digits - exponent, MPFR_RNDN);
  return std::abs(mpfr_get_d(difference.value, MPFR_RNDN));
}

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Values of all kinds in turn: any bits; all magnitudes down to 2^-60 around 1; the range in which most functions do most; beside
/// multiples of π/2; beside powers of two; beside special values.
template <class T>
T point(std::size_t i, std::mt19937_64& random) {
  using Limits = std::numeric_limits<T>;
  const auto bits = random();
  const double part = static_cast<double>(bits >> 11) * 0x1p-53;
  const T sign = (bits & 1) != 0 ? T{1} : T{-1};
  const auto beside = [&](T v) { return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(v) + (bits >> 1) % 9 - 4)); };
  switch (i % 6) {
    case 0:
      return std::bit_cast<T>(static_cast<Bits<T>>(bits));
    case 1:
      return sign * static_cast<T>(std::exp2(part * 70 - 60));
    case 2:
      return sign * static_cast<T>(part * (sizeof(T) == 4 ? 100 : 750));
    case 3:
      return sign * beside(static_cast<T>(static_cast<double>(1 + (bits >> 8) % (std::uint64_t{1} << (bits >> 1) % 40)) *
                                          1.5707963267948966));
    case 4:
      return sign * beside(static_cast<T>(std::ldexp(T{1}, static_cast<int>((bits >> 8) % 200) - 100)));
    default: {
      const T specials[] = {
          T{0}, T{1},  Limits::min(), Limits::max(), Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(), T{0.5},
          T{2}, T{10}, T{88},         T{709}};
      const T v = specials[(bits >> 8) % std::size(specials)];
      return sign * ((bits & 2) != 0 && v != 0 && v < Limits::max() ? beside(v) : v);
    }
  }
}

template <class T>
class AccuracyTest : public testing::Test {
 protected:
  /// Prints a row and holds the worst error against one unit.
  static void report(std::string_view name, double worst, T a, T b) {
    std::printf("| %-6s | %s | %.3f | %a |", std::string(name).c_str(), sizeof(T) == 4 ? "f32" : "f64", worst,
                static_cast<double>(a));
    if (!std::isnan(b)) std::printf(" %a |", static_cast<double>(b));
    std::printf("\n");
    EXPECT_LE(worst, 1.0) << name << " of " << a << ", " << b;
  }
  Engine engine_{"serial"};
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(AccuracyTest, Types);

TYPED_TEST(AccuracyTest, OfOneArgument) {
  using T = TypeParam;
  std::mt19937_64 random(1);
  std::vector<T> x(samples());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = point<T>(i, random);
  std::vector<T> out(x.size());
  Real argument;
  Real exact;
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    named::evaluate<T>(this->engine_, named::Unary{static_cast<int>(f)}, x, out);
    double worst = 0;
    T at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      mpfr_set_d(argument.value, static_cast<double>(x[i]), MPFR_RNDN);
      kUnary[f](exact.value, argument.value, MPFR_RNDN);
      const double error = error_in_ulp(out[i], exact);
      if (error > worst) worst = error, at = x[i];
    }
    this->report(named::kUnaryNames[f], worst, at, std::numeric_limits<T>::quiet_NaN());
  }
}

TYPED_TEST(AccuracyTest, OfTwoArguments) {
  using T = TypeParam;
  std::mt19937_64 random(2);
  std::vector<T> x(samples());
  std::vector<T> y(samples());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = point<T>(i, random);
    y[i] = point<T>(i / 6, random);
    // Bases near 1 with large exponents, where results are of all sizes.
    if (i % 4 == 3) x[i] = static_cast<T>(1 + std::exp2(-static_cast<double>(random() % 20)) * (i % 8 == 3 ? 1 : -0.5));
  }
  std::vector<T> out(x.size());
  Real a;
  Real b;
  Real exact;
  for (std::size_t f = 0; f < std::size(kBinary); ++f) {
    named::evaluate<T>(this->engine_, named::Binary{static_cast<int>(f)}, x, y, out);
    double worst = 0;
    T at = 0;
    T and_at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      mpfr_set_d(a.value, static_cast<double>(x[i]), MPFR_RNDN);
      mpfr_set_d(b.value, static_cast<double>(y[i]), MPFR_RNDN);
      kBinary[f](exact.value, a.value, b.value, MPFR_RNDN);
      const double error = error_in_ulp(out[i], exact);
      if (error > worst) worst = error, at = x[i], and_at = y[i];
    }
    this->report(named::kBinaryNames[f], worst, at, and_at);
  }
}

}  // namespace
}  // namespace furrow
