#include "furrow/kernels/simulations/options.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simulations/grid_state.hpp"
#include "furrow/kernels/simulations/parameter.hpp"

namespace furrow::sim {
namespace {

constexpr std::array<std::string_view, pricing::kContracts> kNames{"european", "geometric_asian", "arithmetic_asian", "barrier"};
constexpr std::array<std::string_view, pricing::kContracts> kErrorNames{"european_error", "geometric_asian_error",
                                                                        "arithmetic_asian_error", "barrier_error"};

OptionPricingOptions checked(OptionPricingOptions options) {
  const auto positive = [](std::string_view name, double value) {
    if (!(value > 0) || !std::isfinite(value)) fail(std::string(name) + " has to be greater than 0");
  };
  positive("spot", options.spot);
  positive("strike", options.strike);
  positive("volatility", options.volatility);
  positive("maturity", options.maturity);
  one_of("contracts", options.contracts, {"all", "european"});
  positive("barrier", options.barrier);
  if (options.contracts == "all" && !(options.barrier < options.spot))
    fail("barrier has to be below spot, " + std::to_string(options.spot));
  // Beyond these prices leave the range of numbers.
  if (!(options.volatility * std::sqrt(options.maturity) <= 10)) fail("volatility · √maturity can be at most 10");
  if (!(std::abs(options.rate) * options.maturity <= 100)) fail("rate · maturity can be at most 100, up or down");
  if (options.dates == 0) fail("dates has to be at least 1");
  if (options.dates > std::size_t{1} << 20) fail("dates can be at most 2^20");
  if (options.paths == 0) fail("paths has to be at least 1");
  if (options.paths > std::size_t{1} << 40) fail("paths can be at most 2^40");
  return options;
}

double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}
double normal_density(double x) {
  return std::exp(-0.5 * x * x) * 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
}

double discount(const OptionPricingOptions& options) {
  return std::exp(-options.rate * options.maturity);
}

/// A call on what is forward · e^(√variance z − variance/2), z normal, at maturity; derivatives by volatility are given.
OptionValue call_on(const OptionPricingOptions& options, double forward, double variance, double forward_by_volatility,
                    double deviation_by_volatility) {
  const double deviation = std::sqrt(variance);
  const double d1 = std::log(forward / options.strike) / deviation + 0.5 * deviation;
  const double reached = normal_below(d1);
  return {discount(options) * (forward * reached - options.strike * normal_below(d1 - deviation)),
          discount(options) * forward / options.spot * reached,
          discount(options) * (reached * forward_by_volatility + forward * normal_density(d1) * deviation_by_volatility)};
}

/// Reiner and Rubinstein's price of the down-and-out call, in Haug's letters (The Complete Guide to Option Pricing Formulas, 2007,
/// 4.17.1).
double down_and_out(const OptionPricingOptions& options) {
  const double deviation = options.volatility * std::sqrt(options.maturity);
  const double mu = options.rate / (options.volatility * options.volatility) - 0.5;
  const double ratio = options.barrier / options.spot;
  const double spot = options.spot;
  const double paid = options.strike * discount(options);
  const auto term = [&](double log, double of_spot, double of_strike) {
    const double x = log / deviation + (1 + mu) * deviation;
    return spot * of_spot * normal_below(x) - paid * of_strike * normal_below(x - deviation);
  };
  const double above = std::max(options.strike, options.barrier);
  const double reflected = std::log(options.barrier * ratio / above);
  return term(std::log(spot / above), 1, 1) - term(reflected, std::pow(ratio, 2 * (mu + 1)), std::pow(ratio, 2 * mu));
}

}  // namespace

std::vector<Parameter> OptionPricingOptions::parameters() {
  return {
      {"spot", "price of what is traded, now; greater than 0", &spot},
      {"strike", "of all contracts, greater than 0", &strike},
      {"rate", "of interest, a year, compounded continuously", &rate},
      {"volatility", "for the root of a year, greater than 0", &volatility},
      {"maturity", "years, greater than 0", &maturity},
      {"barrier", "of the down-and-out call, greater than 0 and below spot", &barrier},
      {"dates", "at equal distances, over which Asian options average", &dates},
      {"contracts", "all (European, geometric and arithmetic Asian, barrier) or european", &contracts},
      {"paths", "of a step", &paths},
      {"seed", "of the random numbers", &seed},
  };
}

OptionValue OptionPricing::exact_european(const Options& options) {
  const double variance = options.volatility * options.volatility * options.maturity;
  return call_on(options, options.spot / discount(options), variance, 0, std::sqrt(options.maturity));
}

OptionValue OptionPricing::exact_geometric_asian(const Options& options) {
  const auto m = static_cast<double>(options.dates);
  const double mean_time = options.maturity * (m + 1) / (2 * m);
  const double time = options.maturity * (m + 1) * (2 * m + 1) / (6 * m * m);  // in which the variance of the mean builds up
  const double variance = options.volatility * options.volatility;
  const double forward = options.spot * std::exp((options.rate - 0.5 * variance) * mean_time + 0.5 * variance * time);
  return call_on(options, forward, variance * time, forward * options.volatility * (time - mean_time), std::sqrt(time));
}

OptionValue OptionPricing::exact_barrier(const Options& options) {
  const auto changed = [&options](double spot, double volatility) {
    Options other = options;
    other.spot = spot;
    other.volatility = volatility;
    return down_and_out(other);
  };
  const double spot = options.spot;
  const double volatility = options.volatility;
  const double h = std::min(1e-4 * spot, (spot - options.barrier) / 2);
  const double k = 1e-4 * volatility;
  return {down_and_out(options), (changed(spot + h, volatility) - changed(spot - h, volatility)) / (2 * h),
          (changed(spot, volatility + k) - changed(spot, volatility - k)) / (2 * k)};
}

OptionPricing::OptionPricing(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()), options_(checked(std::move(options))), paths_(pricing::paths_of(options_)) {}

std::size_t OptionPricing::run(std::size_t) {
  const pricing::Sums more = pricing::sum_paths(engine(), paths_, contracts() == 1, options_.seed, step(), options_.paths);
  sums_ = pricing::join(sums_, more);
  return 1;
}

std::vector<OptionPricing::Row> OptionPricing::estimates() const {
  std::vector<Row> rows(contracts(), Row{});
  const double n = time();
  if (n == 0) return rows;
  const std::array scale{options_.spot * discount(options_), discount(options_), options_.spot * discount(options_)};
  for (std::size_t contract = 0; contract < rows.size(); ++contract) {
    for (std::size_t k = 0; k < pricing::kQuantities; ++k) {
      const double* const sum = &sums_.of[2 * (pricing::kQuantities * contract + k)];
      const double mean = sum[0] / n;
      const double variance = std::max(0.0, sum[1] / n - mean * mean);
      rows[contract][k] = scale[k] * mean;
      rows[contract][pricing::kQuantities + k] = n > 1 ? scale[k] * std::sqrt(variance / (n - 1)) : 0;
    }
  }
  if (rows.size() > 1) {
    const OptionValue geometric = exact_geometric_asian(options_);
    rows[2][0] += geometric.price;
    rows[2][1] += geometric.delta;
    rows[2][2] += geometric.vega;
  }
  return rows;
}

std::vector<Field> OptionPricing::fields() const {
  shown_ = estimates();
  return {{"estimates", {shown_.size(), std::tuple_size_v<Row>}, shown_.front().data()}};
}

std::vector<Observable> OptionPricing::observables() const {
  const std::vector<Row> rows = estimates();
  std::vector<Observable> all;
  for (std::size_t contract = 0; contract < rows.size(); ++contract) {
    all.push_back({kNames[contract], rows[contract][0]});
    all.push_back({kErrorNames[contract], rows[contract][pricing::kQuantities]});
  }
  return all;
}

std::vector<std::span<std::byte>> OptionPricing::state() {
  return {std::as_writable_bytes(std::span(sums_.of))};
}

namespace pricing {

Paths paths_of(const OptionPricingOptions& options) {
  const std::size_t dates = options.contracts == "european" ? 1 : options.dates;  // the price at maturity needs no others
  const double dt = options.maturity / static_cast<double>(dates);
  const double variance = options.volatility * options.volatility;
  Paths paths;
  paths.dates = dates;
  paths.drift = (options.rate - 0.5 * variance) * dt;
  paths.spread = options.volatility * std::sqrt(dt);
  paths.tilt = (options.rate + 0.5 * variance) * dt;
  paths.inverse_volatility = 1 / options.volatility;
  paths.bridge = 2 / (variance * dt);
  paths.strike = options.strike / options.spot;
  // In long double, so that C libraries whose last bits differ agree.
  paths.barrier = static_cast<double>(std::log(static_cast<long double>(options.barrier) / static_cast<long double>(options.spot)));
  return paths;
}

Sums sum_paths(Engine& engine, const Paths& paths, bool european, std::uint64_t seed, std::uint64_t stream, std::size_t n) {
  static constinit Cost costs[2]{Cost("options_all", "f64"), Cost("options", "f64")};
  const auto sum = european ? kernels().european : kernels().all;
  return reductions::over_chunks<Sums>(
      engine, costs[european ? 1 : 0], Chunks(n, sizeof(double), kShortest),
      [=](Range part) { return sum(paths, seed, stream, part.begin, part.size()); }, join);
}

}  // namespace pricing
}  // namespace furrow::sim
