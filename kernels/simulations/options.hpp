#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/kernels/simulations/option_paths.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// Parameters of OptionPricing, with what they are unless set.
struct OptionPricingOptions {
  double spot = 100;              ///< the price of what is traded, now
  double strike = 100;            ///< of all contracts
  double rate = 0.05;             ///< of interest, a year, compounded continuously
  double volatility = 0.2;        ///< of the price, for the root of a year
  double maturity = 1;            ///< years
  double barrier = 90;            ///< below the spot price
  std::size_t dates = 12;         ///< at equal distances, the last at maturity; Asian options average over them
  std::string contracts = "all";  ///< or "european", which alone needs but one random number for a path
  std::size_t paths = 1 << 20;    ///< of a step
  std::size_t seed = 1;           ///< of the random numbers

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// A price and how it changes with the spot price (delta) and with volatility (vega).
struct OptionValue {
  double price;  ///< in the units of the spot price
  double delta;  ///< change of the price with the spot price
  double vega;   ///< change of the price with the volatility, of 1 rather than of a percent
};

/// Prices of call options under Black and Scholes's model, dS = r S dt + σ S dW, from random paths; each step adds so many. The
/// contracts pay at maturity
///
/// - european: max(S − K, 0);
/// - geometric_asian, arithmetic_asian: max(mean of S over the dates − K, 0);
/// - barrier: max(S − K, 0) unless S has been below the barrier at any time (down-and-out, watched continuously). Between dates a
///   path counts by the probability that a Brownian bridge misses the barrier, so that dates do not bias it (Glasserman, Monte
///   Carlo Methods in Financial Engineering, 2004, 6.4).
///
/// The arithmetic mean has no closed form: the difference from the geometric one is estimated and added to that one's (Kemna &
/// Vorst, J. Banking Finance 14, 113, 1990). Deltas and vegas are means of derivatives along paths (Broadie & Glasserman,
/// Management Science 42, 269, 1996).
///
/// Fields: estimates, f64, a row for each contract in the order above (only the first if contracts is "european"), with the columns
/// price, delta, vega, and their standard errors. Observables: of each contract the price and its standard error. All are 0 before
/// the first step. Time counts paths. Random numbers are those of normal() (see random.hpp), of the stream that the step's number
/// is; nothing uses fused multiply-add or a library function until sums are turned into estimates, so sums have the same bits on
/// all processors.
class OptionPricing final : public Simulation {
 public:
  /// Its parameters.
  using Options = OptionPricingOptions;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = "options";
  /// What it is, for people.
  static constexpr std::string_view kAbout = "prices of options by Monte Carlo: European, Asian, barrier, with Greeks";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = 20;

  /// Throws Error if a parameter makes no sense; the message says the bound.
  explicit OptionPricing(Engine& engine, Options options = {});

  double time() const override { return static_cast<double>(step()) * static_cast<double>(options_.paths); }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"paths", static_cast<double>(options_.paths)}; }

  /// What the estimates tend to, by closed forms: European (Black & Scholes 1973), geometric Asian over these dates (Kemna & Vorst
  /// 1990), barrier (Reiner & Rubinstein, Risk 4(8), 28, 1991; its delta and vega by central differences, to about 1e-8 of them).
  static OptionValue exact_european(const Options& options);
  /// The geometric Asian option.
  static OptionValue exact_geometric_asian(const Options& options);
  /// The barrier option.
  static OptionValue exact_barrier(const Options& options);

  /// Sums over all paths so far.
  const pricing::Sums& sums() const { return sums_; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;

 private:
  using Row = std::array<double, 6>;

  std::size_t contracts() const { return options_.contracts == "european" ? 1 : pricing::kContracts; }
  std::vector<Row> estimates() const;

  Options options_;
  pricing::Paths paths_;
  pricing::Sums sums_{};
  mutable std::vector<Row> shown_;
};

namespace pricing {

/// The paths of these options.
Paths paths_of(const OptionPricingOptions& options);

/// Sums over the first n paths of a seed and stream, n >= 1; with `european`, over that contract alone. For the kernel table.
Sums sum_paths(Engine& engine, const Paths& paths, bool european, std::uint64_t seed, std::uint64_t stream, std::size_t n);

}  // namespace pricing
}  // namespace furrow::sim
