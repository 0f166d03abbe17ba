#include <algorithm>
#include <array>
#include <bit>

#include "furrow/kernels/simulations/ising.hpp"
#include "furrow/kernels/simulations/ising_reference.hpp"
#include "furrow/kernels/simulations/option_reference.hpp"
#include "furrow/kernels/simulations/options.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

constexpr std::size_t kSweeps = 16;
constexpr double kTemperature = 3;
constexpr std::size_t kSeed = 0x0123456789ABCDEF;

/// Spins in a plane about as wide as high, both even; what is left over keeps its value.
struct Plane {
  explicit Plane(std::size_t n)
      : width(std::max<std::size_t>(2, std::bit_floor(n) >> std::bit_width(n) / 2)), height(n / width / 2 * 2) {}
  std::size_t width;
  std::size_t height;
  std::size_t cells() const { return width * height; }
};

void ising(Engine& engine, std::span<const std::uint8_t> a, std::span<std::uint8_t> out) {
  const Plane plane(out.size());
  const std::size_t cells = plane.cells();
  std::ranges::copy(a.subspan(cells), out.subspan(cells).begin());
  if (cells == 0) return;
  sim::Ising ising(engine, {.shape = {plane.height, plane.width}, .temperature = kTemperature, .initial = "cold", .seed = kSeed});
  ising.set_spins(a.first(cells));
  ising.advance(kSweeps);
  ising.copy_spins(out.first(cells));
}

void ising_reference(Operands& x) {
  const auto a = x.a<std::uint8_t>();
  const auto out = x.out<std::uint8_t>();
  std::ranges::copy(a, out.begin());
  const Plane plane(x.size());
  const auto spins = out.first(plane.cells());
  for (std::uint8_t& spin : spins) spin &= 1;
  for (std::size_t step = 0; step < kSweeps; ++step)
    sim::ising::reference::sweep(spins, plane.height, plane.width, kTemperature, kSeed, step);
}

constexpr std::size_t kDates = 12;
constexpr std::uint64_t kStream = 0xFEDCBA9876543210;

sim::pricing::Paths paths(bool european) {
  return sim::pricing::paths_of({.dates = kDates, .contracts = european ? "european" : "all"});
}

/// What each contract pays on average; first the arithmetic Asian one, or, if there are no Asian ones, the European.
void set_means(Operands& x, const sim::pricing::Sums& sums) {
  constexpr double kSpot = 100;
  const double scale = kSpot / static_cast<double>(std::max<std::size_t>(x.size(), 1));
  const auto mean = [&](std::size_t contract) { return scale * sums.of[2 * sim::pricing::kQuantities * contract]; };
  const double asian = mean(2) + mean(1);
  x.set_result(std::array{asian > 0 ? asian : mean(0), mean(0), mean(1), mean(3)});
}

template <bool european>
void price(Engine& engine, Operands& x) {
  if (x.size() == 0) return set_means(x, {});
  set_means(x, sim::pricing::sum_paths(engine, paths(european), european, kSeed, kStream, x.size()));
}

template <bool european>
void price_reference(Operands& x) {
  const std::size_t n = x.size();
  if (n == 0) return set_means(x, {});
  sim::pricing::Sums sums = sim::pricing::reference::sums(paths(european), kSeed, kStream, n,
                                                          Chunks(n, sizeof(double), sim::pricing::kShortest).length());
  if (european) std::fill(sums.of.begin() + 2 * sim::pricing::kQuantities, sums.of.end(), 0.0);
  set_means(x, sums);
}

}  // namespace

void add_monte_carlo(std::vector<Kernel>& rows) {
  // Paths are the elements.
  rows.push_back({.name = "options",
                  .family = "simulations",
                  .formula = "European call and its Greeks by Monte Carlo",
                  .types = {Type::f64},
                  .reads = 0,
                  .writes = 0,
                  .flops = 80,
                  .make_inputs = random_inputs,
                  .run = price<true>,
                  .reference = price_reference<true>,
                  .by_chance = true});
  rows.push_back({.name = "options_all",
                  .family = "simulations",
                  .formula = "European, Asian and barrier calls, twelve dates, and their Greeks",
                  .types = {Type::f64},
                  .reads = 0,
                  .writes = 0,
                  .flops = kDates * 150,
                  .make_inputs = random_inputs,
                  .run = price<false>,
                  .reference = price_reference<false>,
                  .largest = std::size_t{1} << 24,
                  .by_chance = true});
  rows.push_back({.name = "ising",
                  .family = "simulations",
                  .formula = "sixteen sweeps of Metropolis over spins in a periodic plane",
                  .types = {Type::u8},
                  .reads = 1,
                  .writes = 1,
                  .flops = kSweeps * 10,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<std::uint8_t> T>(Engine& e, Operands& x) { ising(e, x.a<T>(), x.out<T>()); }>,
                  .reference = ising_reference,
                  .by_chance = true});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
