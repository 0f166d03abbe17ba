// Prices of options against closed forms and integrals, and sums against a loop over paths. That they are the same on every backend
// is in simulations_test.cpp and, of the table's rows, in table_test.cpp.
#include "furrow/kernels/simulations/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>
#include <vector>

#include "furrow/engine/chunks.hpp"
#include "furrow/kernels/simulations/option_reference.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;
using Options = OptionPricingOptions;

/// $FURROW_OPTION_STEPS times as many paths as usual; the results are then printed.
std::size_t effort() {
  const char* const given = std::getenv("FURROW_OPTION_STEPS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

/// A row of the estimates.
struct Estimate {
  std::array<double, 3> values;
  std::array<double, 3> errors;
};
std::vector<Estimate> estimates_of(const OptionPricing& pricing) {
  const Field field = pricing.fields().at(0);
  const auto all = field.values<double>();
  std::vector<Estimate> rows;
  for (std::size_t i = 0; i < all.size(); i += 6)
    rows.push_back({{all[i], all[i + 1], all[i + 2]}, {all[i + 3], all[i + 4], all[i + 5]}});
  return rows;
}

void expect_close(const std::string& what, double got, double error, double exact) {
  const double deviations = (got - exact) / error;
  if (effort() > 1)
    std::printf("%-46s exact %11.6f  got %11.6f ± %.6f  (%+.1f standard errors)\n", what.c_str(), exact, got, error, deviations);
  EXPECT_LT(std::abs(deviations), 4) << what << ": " << got << " ± " << error << ", not " << exact;
  EXPECT_LT(error, 0.02 * std::max(std::abs(exact), 1.0)) << what << ": too few paths to say anything";
}

void expect_close(const std::string& what, const Estimate& got, const OptionValue& exact) {
  const std::array values{exact.price, exact.delta, exact.vega};
  const char* const names[] = {"price", "delta", "vega"};
  for (std::size_t k = 0; k < values.size(); ++k) expect_close(what + ", " + names[k], got.values[k], got.errors[k], values[k]);
}

double normal_density(double z) {
  return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
}

/// f(z) over all normal z, by the trapezoidal rule, which converges like e^(−1/h²) for smooth f.
template <class F>
double over_normal(const F& f) {
  double sum = 0;
  constexpr double kStep = 1.0 / 512;
  for (int i = -10 * 512; i <= 10 * 512; ++i) sum += kStep * normal_density(i * kStep) * f(i * kStep);
  return sum;
}

/// The arithmetic Asian call of two dates: given the first price, what is left is a European one on half the second.
double two_date_asian(const Options& options) {
  Options second = options;
  second.maturity = options.maturity / 2;
  const double growth = std::exp((options.rate - 0.5 * options.volatility * options.volatility) * second.maturity);
  return over_normal([&](double z) {
    second.spot = options.spot * growth * std::exp(options.volatility * std::sqrt(second.maturity) * z);
    second.strike = 2 * options.strike - second.spot;
    const double discount = std::exp(-options.rate * second.maturity);
    if (second.strike <= 0) return discount * (0.5 * second.spot - 0.5 * second.strike * discount);  // it pays in any case
    return discount * 0.5 * OptionPricing::exact_european(second).price;
  });
}

/// A value and its derivatives by central differences.
template <class F>
OptionValue with_differences(const F& price, const Options& options) {
  const auto at = [&](double spot, double volatility) {
    Options changed = options;
    changed.spot = spot;
    changed.volatility = volatility;
    return price(changed);
  };
  const double h = 1e-3 * options.spot;
  const double k = 1e-3 * options.volatility;
  return {price(options), (at(options.spot + h, options.volatility) - at(options.spot - h, options.volatility)) / (2 * h),
          (at(options.spot, options.volatility + k) - at(options.spot, options.volatility - k)) / (2 * k)};
}

/// Cases that differ in all: in, at and out of the money, barriers below and above the strike.
const std::vector<Options> kCases{
    {},
    {.spot = 110, .strike = 90, .rate = 0.1, .volatility = 0.35, .maturity = 0.5, .barrier = 95, .dates = 3, .seed = 2},
    {.spot = 50, .strike = 60, .rate = -0.02, .volatility = 0.5, .maturity = 2, .barrier = 30, .dates = 26, .seed = 3},
};

TEST(Options, ClosedFormsHavePublishedValues) {
  // Hull, Options, Futures, and Other Derivatives, example 15.6: 4.76.
  const Options hull{.spot = 42, .strike = 40, .rate = 0.1, .volatility = 0.2, .maturity = 0.5, .barrier = 30};
  EXPECT_NEAR(OptionPricing::exact_european(hull).price, 4.759, 0.001);
  EXPECT_NEAR(OptionPricing::exact_european(hull).delta, 0.779, 0.001);
  for (const Options& options : kCases) {
    // A mean over one date, and a barrier out of reach, leave a European call.
    Options one = options;
    one.dates = 1;
    one.barrier = 1e-6 * options.spot;
    const OptionValue european = OptionPricing::exact_european(one);
    const OptionValue asian = OptionPricing::exact_geometric_asian(one);
    const OptionValue barrier = OptionPricing::exact_barrier(one);
    EXPECT_NEAR(asian.price, european.price, 1e-12 * options.spot);
    EXPECT_NEAR(asian.vega, european.vega, 1e-11 * options.spot);
    EXPECT_NEAR(barrier.price, european.price, 1e-9 * options.spot);
    const OptionValue differences =
        with_differences([](const Options& o) { return OptionPricing::exact_european(o).price; }, options);
    EXPECT_NEAR(OptionPricing::exact_european(options).delta, differences.delta, 1e-5);
    EXPECT_NEAR(OptionPricing::exact_european(options).vega, differences.vega, 1e-4 * options.spot);
    const OptionValue geometric =
        with_differences([](const Options& o) { return OptionPricing::exact_geometric_asian(o).price; }, options);
    EXPECT_NEAR(OptionPricing::exact_geometric_asian(options).delta, geometric.delta, 1e-5);
    EXPECT_NEAR(OptionPricing::exact_geometric_asian(options).vega, geometric.vega, 1e-4 * options.spot);
  }
}

TEST(Options, TendToClosedForms) {
  for (std::size_t c = 0; c < kCases.size(); ++c) {
    Engine engine;
    Options options = kCases[c];
    options.paths = 1 << 20;
    OptionPricing pricing(engine, options);
    pricing.advance(effort());
    const auto got = estimates_of(pricing);
    ASSERT_EQ(got.size(), 4U);
    const std::string name = "case " + std::to_string(c + 1);
    expect_close(name + ", european", got[0], OptionPricing::exact_european(options));
    expect_close(name + ", geometric Asian", got[1], OptionPricing::exact_geometric_asian(options));
    expect_close(name + ", barrier", got[3], OptionPricing::exact_barrier(options));
    options.contracts = "european";
    OptionPricing alone(engine, options);
    alone.advance(effort());
    ASSERT_EQ(estimates_of(alone).size(), 1U);
    expect_close(name + ", european alone", estimates_of(alone)[0], OptionPricing::exact_european(options));
  }
}

TEST(Options, TendToTheAsianCallOfTwoDates) {
  for (std::size_t c = 0; c < kCases.size(); ++c) {
    Engine engine;
    Options options = kCases[c];
    options.dates = 2;
    options.paths = 1 << 20;
    OptionPricing pricing(engine, options);
    pricing.advance(effort());
    expect_close("case " + std::to_string(c + 1) + ", arithmetic Asian, 2 dates", estimates_of(pricing)[2],
                 with_differences(two_date_asian, options));
  }
}

TEST(Options, TheGeometricMeanTakesMostOfTheErrorAway) {
  Engine engine;
  OptionPricing pricing(engine, {.paths = 1 << 14});
  pricing.advance(1);
  const auto got = estimates_of(pricing);
  EXPECT_LT(20 * got[2].errors[0], got[1].errors[0]);
}

TEST(Options, SumsAreThoseOfALoopOverPaths) {
  Engine engine({.concurrency = 2, .serial_below = 0});
  for (const Options& options : kCases) {
    for (const std::size_t n : {1, 2, 63, 64, 65, 1000, 5003}) {
      for (const bool european : {false, true}) {
        Options few = options;
        few.paths = n;
        few.contracts = european ? "european" : "all";
        OptionPricing pricing(engine, few);
        pricing.advance(2);
        const std::size_t length = Chunks(n, sizeof(double), pricing::kShortest).length();
        const pricing::Paths paths = pricing::paths_of(few);
        pricing::Sums expected{};
        for (std::uint64_t step = 0; step < 2; ++step)
          expected = pricing::join(expected, pricing::reference::sums(paths, few.seed, step, n, length));
        for (std::size_t i = 0; i < (european ? 6U : expected.of.size()); ++i)
          ASSERT_EQ(pricing.sums().of[i], expected.of[i]) << n << " paths, sum " << i;
      }
    }
  }
}

TEST(Options, ExponentialsAreWithinTwoUnitsInTheLastPlace) {
  for (int i = -70000; i <= 70000; ++i) {
    const double x = i * 0.009999;
    const double exact = static_cast<double>(std::exp(static_cast<long double>(x)));
    EXPECT_LE(std::abs(pricing::reference::exponential(x) - exact), 2 * (std::nextafter(exact, INFINITY) - exact)) << x;
  }
  EXPECT_EQ(pricing::reference::exponential(0), 1);
}

TEST(Options, NothingIsKnownAtFirst) {
  Engine engine("serial");
  OptionPricing pricing(engine);
  for (const Observable& observable : pricing.observables()) EXPECT_EQ(observable.value, 0) << observable.name;
}

TEST(Options, BadInput) {
  Engine engine("serial");
  const auto made = [&](const Options& options) { return message_of([&] { OptionPricing(engine, options); }); };
  EXPECT_EQ(made({.spot = 0}), "spot has to be greater than 0");
  EXPECT_EQ(made({.strike = -1}), "strike has to be greater than 0");
  EXPECT_EQ(made({.volatility = 0}), "volatility has to be greater than 0");
  EXPECT_EQ(made({.maturity = std::nan("")}), "maturity has to be greater than 0");
  EXPECT_NE(made({.barrier = 100}).find("barrier has to be below spot, 100"), std::string::npos);
  EXPECT_EQ(made({.barrier = 100, .contracts = "european"}), "(nothing was thrown)");
  EXPECT_NE(made({.volatility = 11}).find("at most 10"), std::string::npos);
  EXPECT_NE(made({.rate = 101}).find("at most 100"), std::string::npos);
  EXPECT_NE(made({.rate = std::nan("")}).find("at most 100"), std::string::npos);
  EXPECT_EQ(made({.dates = 0}), "dates has to be at least 1");
  EXPECT_EQ(made({.paths = 0}), "paths has to be at least 1");
  EXPECT_NE(made({.contracts = "american"}).find("all, european"), std::string::npos);
}

}  // namespace
}  // namespace furrow::sim
