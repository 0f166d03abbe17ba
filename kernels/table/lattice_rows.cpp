#include <algorithm>
#include <bit>

#include "furrow/kernels/simulations/d2q9.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

using sim::d2q9::kDirections;

constexpr std::size_t kSteps = 16;
constexpr double kViscosity = 0.05;
constexpr double kMagic = 3.0 / 16;

/// Nine fields one after the other, of a plane about as wide as high; cells too many for full rows keep what they have.
struct Lattice {
  explicit Lattice(std::size_t n)
      : field(n / kDirections),
        width(std::max<std::size_t>(1, std::bit_floor(field) >> std::bit_width(field) / 2)),
        height(field / width) {}
  std::size_t field;
  std::size_t width;
  std::size_t height;
};

/// Populations near those at rest. The second input is only what peers' roundings are held against.
void lattice_inputs(Operands& x) {
  random_inputs(x);
  const Lattice lattice(x.size());
  const auto a = x.a<double>();
  for (std::size_t i = 0; i < lattice.field * kDirections; ++i) a[i] = sim::d2q9::kWeights[i / lattice.field] * (1 + 0.1 * a[i]);
  std::ranges::fill(x.b<double>(), 1.0);
}

void lattice_steps(Engine& engine, std::span<const double> a, std::span<double> out) {
  const Lattice lattice(out.size());
  const std::size_t cells = lattice.width * lattice.height;
  Fields<const double, kDirections> in{};
  Fields<double, kDirections> to{};
  for (std::size_t i = 0; i < kDirections; ++i) {
    const auto from = a.subspan(i * lattice.field, lattice.field);
    const auto field = out.subspan(i * lattice.field, lattice.field);
    in.of[i] = from.first(cells);
    to.of[i] = field.first(cells);
    std::ranges::copy(from.subspan(cells), field.subspan(cells).begin());
  }
  std::ranges::copy(a.subspan(kDirections * lattice.field), out.subspan(kDirections * lattice.field).begin());
  sim::d2q9::run(engine, in, to, {lattice.height, lattice.width}, kSteps, sim::d2q9::Collision::two_rates(kViscosity, kMagic));
}

/// What nine populations of a cell become, operation for operation.
void collide(const std::array<double, kDirections>& g, std::array<double, kDirections>& out) {
  const auto [plus, minus, force] = sim::d2q9::Collision::two_rates(kViscosity, kMagic);
  double alike[4], differ[4];
  for (std::size_t k = 0; k < 4; ++k) {
    alike[k] = g[2 * k + 1] + g[2 * k + 2];
    differ[k] = g[2 * k + 1] - g[2 * k + 2];
  }
  const double rho = g[0] + ((alike[0] + alike[1]) + (alike[2] + alike[3]));
  const double east = differ[0] + (differ[2] - differ[3]);
  const double north = differ[1] + (differ[2] + differ[3]);
  const double inverse = 1 / rho;
  const double u = east * inverse;
  const double v = north * inverse;
  const double uu = 4.5 * (east * u);
  const double vv = 4.5 * (north * v);
  const double uv = 9 * (east * v);
  const double base = rho - 1.0 / 3 * (uu + vv);
  const double across = base + (uu + vv);
  const double equal[4] = {2.0 / 9 * (base + uu), 2.0 / 9 * (base + vv), 1.0 / 18 * (across + uv), 1.0 / 18 * (across - uv)};
  const double unequal[4] = {2.0 / 3 * east, 2.0 / 3 * north, 1.0 / 6 * (east + north), 1.0 / 6 * (north - east)};
  out[0] = g[0] - plus * (g[0] - 4.0 / 9 * base);
  for (std::size_t k = 0; k < 4; ++k) {
    const double a = plus / 2 * (alike[k] - equal[k]);
    const double b = minus / 2 * (differ[k] - unequal[k]);
    out[2 * k + 1] = g[2 * k + 1] - (a + b);
    out[2 * k + 2] = g[2 * k + 2] - (a - b);
  }
}

void lattice_reference(Operands& x) {
  const auto a = x.a<double>(), out = x.out<double>();
  const Lattice lattice(out.size());
  const auto [field, width, height] = lattice;
  std::vector<double> now(a.begin(), a.end());
  std::vector<double> next = now;
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t at = 0; at < width; ++at) {
        std::array<double, kDirections> g{}, collided{};
        for (std::size_t i = 0; i < kDirections; ++i) {
          const std::size_t row = (y + height + static_cast<std::size_t>(sim::d2q9::kNorth[i])) % height;
          const std::size_t column = (at + width - static_cast<std::size_t>(sim::d2q9::kEast[i])) % width;
          g[i] = now[i * field + row * width + column];
        }
        collide(g, collided);
        for (std::size_t i = 0; i < kDirections; ++i) next[i * field + y * width + at] = collided[i];
      }
    }
    now.swap(next);
  }
  std::ranges::copy(now, out.begin());
}

}  // namespace

void add_lattices(std::vector<Kernel>& rows) {
  rows.push_back({.name = "lbm2d",
                  .family = "simulations",
                  .formula = "sixteen steps of lbm2d, of a ninth as many cells",
                  .types = {Type::f64},
                  .reads = 1,
                  .writes = 1,
                  .flops = kSteps * 80.0 / kDirections,
                  .make_inputs = lattice_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) { lattice_steps(e, x.a<T>(), x.out<T>()); }>,
                  .reference = lattice_reference,
                  .specials = Special::none,
                  .largest = std::size_t{1} << 26});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
