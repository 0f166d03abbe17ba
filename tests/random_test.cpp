// Random numbers: Philox against its published answers and against Random123, numbers as functions of their index alone, the
// distributions' statistics, and bad parameters. That all is the same on every backend is in table_test.cpp.
#include "furrow/kernels/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/random/reference.hpp"
#include "tests/support.hpp"

#if defined(FURROW_TEST_RANDOM123)
#include <Random123/philox.h>
#endif

namespace furrow {
namespace {

using support::message_of;

/// The words of a seed and stream, as integers of the full range are made of them.
std::vector<std::uint32_t> words(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, std::size_t blocks) {
  Engine engine("serial");
  std::vector<std::int64_t> out(2 * blocks);
  integers(engine, out, {seed, stream, 2 * first_block}, std::numeric_limits<std::int64_t>::min(),
           std::numeric_limits<std::int64_t>::max());
  std::vector<std::uint32_t> all;
  for (const std::int64_t v : out) {
    const std::uint64_t bits = static_cast<std::uint64_t>(v) - (std::uint64_t{1} << 63);  // counted from the lowest
    all.push_back(static_cast<std::uint32_t>(bits));
    all.push_back(static_cast<std::uint32_t>(bits >> 32));
  }
  return all;
}

TEST(Random, PhiloxGivesThePublishedAnswers) {
  // kat_vectors of Random123 1.14: counter, key, answer of philox4x32-10.
  struct Answer {
    std::array<std::uint32_t, 4> counter;
    std::array<std::uint32_t, 2> key;
    std::array<std::uint32_t, 4> words;
  };
  const Answer answers[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  const auto join = [](std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; };
  for (const Answer& answer : answers) {
    EXPECT_EQ(random::reference::philox(answer.counter, answer.key), answer.words);
    // Of the counter's upper half a block takes all, of the lower the index of its first number, which has 64 bits itself.
    const std::uint64_t block = join(answer.counter[0], answer.counter[1]) & (~std::uint64_t{0} >> 1);
    const auto expected = random::reference::philox(
        {answer.counter[0], static_cast<std::uint32_t>(block >> 32), answer.counter[2], answer.counter[3]}, answer.key);
    const auto got = words(join(answer.key[0], answer.key[1]), join(answer.counter[2], answer.counter[3]), block, 1);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin()));
  }
  EXPECT_EQ(words(0, 0, 0, 1), (std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

#if defined(FURROW_TEST_RANDOM123)
TEST(Random, WordsAreThoseOfRandom123) {
  constexpr std::size_t kSome = 1000;
  std::mt19937_64 random(1);
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t seed = random();
    const std::uint64_t stream = random();
    const std::uint64_t block = random() >> 1;
    const std::vector<std::uint32_t> got = words(seed, stream, block, kSome);
    r123::Philox4x32 philox;
    for (std::size_t b = 0; b < kSome; ++b) {
      const std::uint64_t count = block + b;
      const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(count >> 32),
                                                   static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)}};
      const r123::Philox4x32::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
      const auto four = philox(counter, key);
      for (std::size_t w = 0; w < 4; ++w) ASSERT_EQ(got[4 * b + w], four[w]) << seed << ", " << stream << ", " << count;
    }
  }
}
#endif

/// Calls check(fill) for every law of T: fill(out, numbers).
template <class T, class Check>
void for_each_law(const Check& check) {
  static Engine engine("serial");
  if constexpr (std::is_floating_point_v<T>) {
    check("uniform", [](std::span<T> out, RandomNumbers numbers) { uniform(engine, out, numbers, T{-3}, T{5}); });
    check("normal", [](std::span<T> out, RandomNumbers numbers) { normal(engine, out, numbers, T{1}, T{2}); });
    check("exponential", [](std::span<T> out, RandomNumbers numbers) { exponential(engine, out, numbers, T{4}); });
  } else {
    check("integers", [](std::span<T> out, RandomNumbers numbers) { integers(engine, out, numbers, T{-1000}, T{1'000'000}); });
  }
}

template <class T>
class RandomNumbersTest : public testing::Test {};
using Types = testing::Types<float, double, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(RandomNumbersTest, Types);

TYPED_TEST(RandomNumbersTest, WindowsHoldTheBitsOfTheWhole) {
  using T = TypeParam;
  for_each_law<T>([](const std::string& law, const auto& fill) {
    std::vector<T> whole(5000);
    fill(whole, {11, 5, 1000});
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
      const std::size_t begin = random() % whole.size();
      const std::size_t size = random() % std::min<std::size_t>(whole.size() - begin + 1, 400);
      std::vector<T> part(size + 1, T{77});
      fill(std::span(part).first(size), {11, 5, 1000 + begin});
      ASSERT_TRUE(std::equal(part.begin(), part.end() - 1, whole.begin() + static_cast<std::ptrdiff_t>(begin)))
          << law << " [" << begin << ", " << begin + size << ")";
      ASSERT_EQ(part.back(), T{77}) << law << " wrote behind the end";
    }
  });
}

TYPED_TEST(RandomNumbersTest, SeedsAndStreamsDiffer) {
  using T = TypeParam;
  for_each_law<T>([](const std::string& law, const auto& fill) {
    std::vector<T> one(100);
    std::vector<T> other(100);
    fill(one, {1});
    for (const RandomNumbers& numbers :
         {RandomNumbers(2), RandomNumbers(1, 1), RandomNumbers(1ULL << 40), RandomNumbers(1, 1ULL << 40)}) {
      fill(other, numbers);
      int equal = 0;
      for (std::size_t i = 0; i < one.size(); ++i) equal += one[i] == other[i];
      EXPECT_LT(equal, 3) << law;
    }
  });
}

// ---- statistics ----

/// √n times the greatest distance of the numbers' distribution from `probability` (Kolmogorov, Smirnov); above 1.95 for one seed in
/// a thousand.
template <class T>
double kolmogorov_smirnov(std::vector<T> x, const std::function<double(double)>& probability) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = probability(static_cast<double>(x[i]));
    distance = std::max({distance, std::abs(p - static_cast<double>(i) / n), std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return std::sqrt(n) * distance;
}

struct Moments {
  double mean, variance, skew, kurtosis, neighbours;  // the last: correlation of x[i] and x[i + 1]
};
template <class T>
Moments moments_of(const std::vector<T>& x) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
  double product = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = static_cast<double>(x[i]) - mean;
    m2 += d * d;
    m3 += d * d * d;
    m4 += d * d * d * d;
    if (i + 1 < x.size()) product += d * (static_cast<double>(x[i + 1]) - mean);
  }
  m2 /= n;
  return {mean, m2, m3 / n / std::pow(m2, 1.5), m4 / n / (m2 * m2), product / n / m2};
}

template <class T>
class RandomStatistics : public testing::Test {};
using Fractions = testing::Types<float, double>;
TYPED_TEST_SUITE(RandomStatistics, Fractions);

constexpr std::size_t kMany = 1 << 18;
const double kSigma = 4 / std::sqrt(static_cast<double>(kMany));  // four standard deviations of a mean of deviation 1

TYPED_TEST(RandomStatistics, UniformNumbersAreUniform) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> x(kMany);
  for (const std::uint64_t seed : {1, 2, 3}) {
    uniform(engine, x, seed, T{-1}, T{3});
    EXPECT_LT(kolmogorov_smirnov(x, [](double v) { return (v + 1) / 4; }), 1.95);
    const Moments m = moments_of(x);
    EXPECT_NEAR(m.mean, 1, kSigma * std::sqrt(4.0 / 3));
    EXPECT_NEAR(m.variance, 4.0 / 3, kSigma * 1.2);
    EXPECT_NEAR(m.neighbours, 0, kSigma);
    EXPECT_GE(*std::min_element(x.begin(), x.end()), T{-1});
    EXPECT_LE(*std::max_element(x.begin(), x.end()), T{3});
    uniform(engine, x, seed);
    EXPECT_GE(*std::min_element(x.begin(), x.end()), T{0});
    EXPECT_LT(*std::max_element(x.begin(), x.end()), T{1});
  }
}

TYPED_TEST(RandomStatistics, NormalNumbersAreNormal) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> x(kMany);
  for (const std::uint64_t seed : {1, 2, 3}) {
    normal(engine, x, seed, T{10}, T{2});
    EXPECT_LT(kolmogorov_smirnov(x, [](double v) { return 0.5 * std::erfc((10 - v) / 2 * std::sqrt(0.5)); }), 1.95);
    const Moments m = moments_of(x);
    EXPECT_NEAR(m.mean, 10, kSigma * 2);
    EXPECT_NEAR(m.variance, 4, kSigma * 4 * std::sqrt(2.0));
    EXPECT_NEAR(m.skew, 0, kSigma * std::sqrt(6.0));
    EXPECT_NEAR(m.kurtosis, 3, kSigma * std::sqrt(24.0));
    EXPECT_NEAR(m.neighbours, 0, kSigma);
  }
}

TYPED_TEST(RandomStatistics, ExponentialNumbersAreExponential) {
  using T = TypeParam;
  Engine engine("serial");
  std::vector<T> x(kMany);
  for (const std::uint64_t seed : {1, 2, 3}) {
    exponential(engine, x, seed, T{4});
    EXPECT_LT(kolmogorov_smirnov(x, [](double v) { return -std::expm1(-4 * v); }), 1.95);
    const Moments m = moments_of(x);
    EXPECT_NEAR(m.mean, 0.25, kSigma * 0.25);
    EXPECT_NEAR(m.variance, 0.0625, kSigma * 0.0625 * std::sqrt(8.0));
    EXPECT_NEAR(m.neighbours, 0, kSigma);
    EXPECT_GE(*std::min_element(x.begin(), x.end()), T{0});
  }
}

TYPED_TEST(RandomStatistics, NormalAndExponentialNumbersAreTheFormulasToAFewUnits) {
  using T = TypeParam;
  using U = random::Bits<T>;
  namespace plain = random::reference;
  constexpr long double kTwoPi = 6.28318530717958647692528676655900577L;
  Engine engine("serial");
  std::vector<T> z(1 << 14);
  std::vector<T> x(z.size());
  normal(engine, z, 7);
  exponential(engine, x, 7);
  constexpr long double kUnit = std::numeric_limits<T>::epsilon();
  for (std::size_t i = 0; i < z.size(); i += 2) {
    const long double u = plain::positive_uniform<T>(plain::word<U>(7, 0, i));
    const long double minus = -std::log(u);
    ASSERT_NEAR(static_cast<double>(x[i] / minus), 1, static_cast<double>(4 * kUnit)) << i;
    const long double angle = std::ldexp(static_cast<long double>(plain::word<U>(7, 0, i + 1)), -8 * static_cast<int>(sizeof(T)));
    const long double radius = std::sqrt(2 * minus);
    // The bits that are dropped, and the quarter's middle at its axis, move the angle as a whole at most by its last place.
    const long double cosine = z[i] / radius;
    const long double sine = z[i + 1] / radius;
    ASSERT_NEAR(static_cast<double>(cosine * cosine + sine * sine), 1, static_cast<double>(16 * kUnit)) << i;
    long double found = std::atan2(sine, cosine) / kTwoPi;
    const auto quarter = std::floor(4 * angle);
    const long double in_quarter = 4 * angle - quarter;
    const long double expected = (quarter + (in_quarter < 0.5L ? in_quarter : in_quarter - 1)) / 4;
    found -= std::round(found - expected);
    ASSERT_NEAR(static_cast<double>(found), static_cast<double>(expected), static_cast<double>(4 * kUnit)) << i;
  }
}

TEST(Random, IntegersFillTheirIntervalEvenly) {
  Engine engine("serial");
  std::vector<std::int32_t> x(kMany);
  integers(engine, x, 5, -3, 6);
  std::vector<double> counts(10);
  for (const std::int32_t v : x) {
    ASSERT_GE(v, -3);
    ASSERT_LE(v, 6);
    counts[static_cast<std::size_t>(v + 3)] += 1;
  }
  double chi_squared = 0;
  for (const double count : counts) chi_squared += (count - kMany / 10.0) * (count - kMany / 10.0) / (kMany / 10.0);
  EXPECT_LT(chi_squared, 27.9);  // 9 degrees of freedom: one seed in a thousand is above
  std::vector<std::int64_t> wide(kMany);
  constexpr std::int64_t kHigh = std::int64_t{3} << 61;
  integers(engine, wide, 5, -kHigh / 2, kHigh / 2);  // three quarters of all there are
  EXPECT_LT(kolmogorov_smirnov(wide, [](double v) { return v / static_cast<double>(kHigh) + 0.5; }), 1.95);
  integers(engine, x, 5, 8, 8);
  EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](std::int32_t v) { return v == 8; }));
  integers(engine, x, 5, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  EXPECT_LT(kolmogorov_smirnov(x, [](double v) { return v * 0x1p-32 + 0.5; }), 1.95);
}

TEST(Random, ParametersThatAreNoDistributionAreErrors) {
  Engine engine("serial");
  std::vector<double> x(10, 7);
  std::vector<std::int32_t> k(10, 7);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(message_of([&] { uniform(engine, x, 1, 2.0, 1.0); }).find("uniform: "), std::string::npos);
  EXPECT_NE(message_of([&] { uniform(engine, x, 1, -1e308, 1e308); }).find("distance"), std::string::npos);
  EXPECT_NE(message_of([&] { uniform(engine, x, 1, 0.0, kNan); }).find("uniform: "), std::string::npos);
  EXPECT_NE(message_of([&] { normal(engine, x, 1, 0.0, -1.0); }).find("standard deviation"), std::string::npos);
  EXPECT_NE(message_of([&] { normal(engine, x, 1, kInfinity, 1.0); }).find("normal: "), std::string::npos);
  EXPECT_NE(message_of([&] { exponential(engine, x, 1, 0.0); }).find("rate"), std::string::npos);
  EXPECT_NE(message_of([&] { exponential(engine, x, 1, kInfinity); }).find("rate"), std::string::npos);
  EXPECT_NE(message_of([&] { integers(engine, k, 1, 2, 1); }).find("from 2 to 1"), std::string::npos);
  EXPECT_EQ(x, std::vector<double>(10, 7)) << "nothing is written then";
  EXPECT_EQ(k, std::vector<std::int32_t>(10, 7));
  uniform(engine, x, 1, 3.0, 3.0);
  normal(engine, std::span<double>(), 1);
  EXPECT_EQ(x, std::vector<double>(10, 3));
}

}  // namespace
}  // namespace furrow
