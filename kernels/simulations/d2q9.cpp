// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/d2q9.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/d2q9.hpp"

#include <algorithm>
#include <bit>

#include "furrow/kernels/simd/instruction_set_tables.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_D2Q9_ONCE
#define FURROW_KERNELS_SIMULATIONS_D2Q9_ONCE
namespace furrow::sim::d2q9 {

/// Cells [0, size) of a line: `pulled` are the populations that come to it, `own` those that left it, of cell 0 each.
using LineKernel = void (*)(const Collision& collision, const Push* pushes, const double* const* pulled, const double* const* own,
                            const double* links, std::size_t size, double* const* to);

struct LineKernels {
  LineKernel free[2];    ///< no links; the second one with a force
  LineKernel linked[2];  ///< with links
};

}  // namespace furrow::sim::d2q9
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::d2q9::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using DU = hn::RebindToUnsigned<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());

/// A collision of the populations g, to each its own lanes. What it does with the nine numbers of a cell, in this order, is the
/// definition of a step's bits.
template <bool kForced>
class Collide {
 public:
  explicit HWY_INLINE Collide(const Collision& c)
      : plus_(hn::Set(d_, c.plus)), half_plus_(hn::Set(d_, c.plus / 2)), half_minus_(hn::Set(d_, c.minus / 2)) {
    if constexpr (kForced) {
      const double rest = 1 - c.plus / 2;
      const double differing = 1 - c.minus / 2;
      const auto [east, north] = c.force;
      half_east_ = hn::Set(d_, 0.5 * east);
      half_north_ = hn::Set(d_, 0.5 * north);
      east_ = hn::Set(d_, rest * east);
      north_ = hn::Set(d_, rest * north);
      push_[0] = hn::Set(d_, differing * east / 3);
      push_[1] = hn::Set(d_, differing * north / 3);
      push_[2] = hn::Set(d_, differing * (east + north) / 12);
      push_[3] = hn::Set(d_, differing * (north - east) / 12);
    }
  }

  HWY_INLINE void operator()(const V* g, V* out) const {
    V alike[4], differ[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      alike[k] = hn::Add(g[2 * k + 1], g[2 * k + 2]);
      differ[k] = hn::Sub(g[2 * k + 1], g[2 * k + 2]);
    }
    const V rho = hn::Add(g[0], hn::Add(hn::Add(alike[0], alike[1]), hn::Add(alike[2], alike[3])));
    V east = hn::Add(differ[0], hn::Sub(differ[2], differ[3]));  // momentum
    V north = hn::Add(differ[1], hn::Add(differ[2], differ[3]));
    if constexpr (kForced) {
      east = hn::Add(east, half_east_);
      north = hn::Add(north, half_north_);
    }
    const V inverse = hn::Div(number(1), rho);
    const V u = hn::Mul(east, inverse);
    const V v = hn::Mul(north, inverse);
    const V uu = hn::Mul(number(4.5), hn::Mul(east, u));
    const V vv = hn::Mul(number(4.5), hn::Mul(north, v));
    const V uv = hn::Mul(number(9), hn::Mul(east, v));
    const V both = hn::Add(uu, vv);
    const V base = hn::Sub(rho, hn::Mul(number(1.0 / 3), both));
    const V across = hn::Add(base, both);
    const V equal[4] = {hn::Mul(number(2.0 / 9), hn::Add(base, uu)), hn::Mul(number(2.0 / 9), hn::Add(base, vv)),
                        hn::Mul(number(1.0 / 18), hn::Add(across, uv)), hn::Mul(number(1.0 / 18), hn::Sub(across, uv))};
    const V unequal[4] = {hn::Mul(number(2.0 / 3), east), hn::Mul(number(2.0 / 3), north),
                          hn::Mul(number(1.0 / 6), hn::Add(east, north)), hn::Mul(number(1.0 / 6), hn::Sub(north, east))};
    V a[4], b[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      a[k] = hn::Mul(half_plus_, hn::Sub(alike[k], equal[k]));
      b[k] = hn::Mul(half_minus_, hn::Sub(differ[k], unequal[k]));
    }
    V rest = hn::Mul(plus_, hn::Sub(g[0], hn::Mul(number(4.0 / 9), base)));
    if constexpr (kForced) {
      const V fu = hn::Mul(east_, u);
      const V fv = hn::Mul(north_, v);
      const V work = hn::Add(fu, fv);
      const V third = hn::Mul(number(1.0 / 3), work);
      const V sixth = hn::Mul(number(1.0 / 6), work);
      const V turn = hn::Mul(number(0.25), hn::Add(hn::Mul(north_, u), hn::Mul(east_, v)));
      a[0] = hn::Sub(a[0], hn::Sub(fu, third));
      a[1] = hn::Sub(a[1], hn::Sub(fv, third));
      a[2] = hn::Sub(a[2], hn::Add(sixth, turn));
      a[3] = hn::Sub(a[3], hn::Sub(sixth, turn));
#pragma GCC unroll 4
      for (std::size_t k = 0; k < 4; ++k) b[k] = hn::Sub(b[k], push_[k]);
      rest = hn::Add(rest, hn::Mul(number(4.0 / 3), work));
    }
    out[0] = hn::Sub(g[0], rest);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      out[2 * k + 1] = hn::Sub(g[2 * k + 1], hn::Add(a[k], b[k]));
      out[2 * k + 2] = hn::Sub(g[2 * k + 2], hn::Sub(a[k], b[k]));
    }
  }

 private:
  HWY_INLINE V number(double value) const {
    return hn::Set(d_, value);
  }

  D d_;
  V plus_, half_plus_, half_minus_;
  V half_east_, half_north_, east_, north_;  // with a force
  V push_[4];
};

constexpr Links kSpecial = ((Links{1} << 2 * kDirections) - 1) << kDirections;  ///< all of moves and opens

/// Population i that comes to a cell whose links are not all plain.
double coming(std::size_t i, Links links, const Push* pushes, const double* const* pulled, const double* const* own,
              std::size_t at) {
  const double back = own[opposite(i)][at];
  if ((links & opens(i)) != 0) {
    double rho = own[0][at], east = 0, north = 0;
    for (std::size_t k = 1; k < kDirections; ++k) {
      rho += own[k][at];
      east += kEast[k] * own[k][at];
      north += kNorth[k] * own[k][at];
    }
    const double u = east / rho, v = north / rho;
    const double along = kEast[i] * u + kNorth[i] * v;
    return 2 * kWeights[i] * (1 + (4.5 * (along * along) - 1.5 * (u * u + v * v))) - back;
  }
  if ((links & moves(i)) != 0) return back + pushes[wall_of(links)][i];
  return (links & bounces(i)) != 0 ? back : pulled[i][at];
}

template <bool kForced, bool kLinked>
class Line {
 public:
  Line(const Collision& collision, const Push* pushes, const double* const* pulled, const double* const* own, const double* links,
       double* const* to)
      : collide_(collision), pushes_(pushes), links_(links) {
    for (std::size_t i = 0; i < kDirections; ++i) {
      pulled_[i] = pulled[i];
      own_[i] = own[i];
      to_[i] = to[i];
    }
  }

  /// Cells [at, at + kLanes).
  HWY_INLINE void vector(std::size_t at) const {
    const D d;
    V g[kDirections], out[kDirections];
#pragma GCC unroll 9
    for (std::size_t i = 0; i < kDirections; ++i) g[i] = hn::LoadU(d, pulled_[i] + at);
    if constexpr (kLinked) {
      const DU du;
      const auto found = hn::BitCast(du, hn::LoadU(d, links_ + at));
      if (HWY_UNLIKELY(!hn::AllTrue(du, hn::Eq(found, hn::Zero(du))))) return linked(at);
    }
    collide_(g, out);
#pragma GCC unroll 9
    for (std::size_t i = 0; i < kDirections; ++i) hn::StoreU(out[i], d, to_[i] + at);
  }

  /// Cells [at, at + count), at most kLanes, by way of a buffer: short lines, and where walls move or are open.
  HWY_NOINLINE void few(std::size_t at, std::size_t count) const {
    const D d;
    HWY_ALIGN double buffer[kDirections][kLanes];
    for (std::size_t i = 0; i < kDirections; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t cell = at + std::min(lane, count - 1);
        if constexpr (kLinked)
          buffer[i][lane] = coming(i, std::bit_cast<Links>(links_[cell]), pushes_, pulled_, own_, cell);
        else
          buffer[i][lane] = pulled_[i][cell];
      }
    }
    V g[kDirections], out[kDirections];
    for (std::size_t i = 0; i < kDirections; ++i) g[i] = hn::Load(d, buffer[i]);
    collide_(g, out);
    for (std::size_t i = 0; i < kDirections; ++i) {
      hn::Store(out[i], d, buffer[i]);
      for (std::size_t lane = 0; lane < count; ++lane) {
        bool solid = false;
        if constexpr (kLinked) solid = (std::bit_cast<Links>(links_[at + lane]) & kSolid) != 0;
        to_[i][at + lane] = solid ? own_[i][at + lane] : buffer[i][lane];
      }
    }
  }

 private:
  /// Cells [at, at + kLanes) of which some have links.
  HWY_NOINLINE void linked(std::size_t at) const {
    const D d;
    const DU du;
    const auto found = hn::BitCast(du, hn::LoadU(d, links_ + at));
    if (!hn::AllTrue(du, hn::Eq(hn::And(found, hn::Set(du, kSpecial)), hn::Zero(du)))) return few(at, kLanes);
    V g[kDirections], out[kDirections];
    g[0] = hn::LoadU(d, pulled_[0] + at);
    for (std::size_t i = 1; i < kDirections; ++i) {
      const auto bounced = hn::RebindMask(d, hn::TestBit(found, hn::Set(du, bounces(i))));
      g[i] = hn::IfThenElse(bounced, hn::LoadU(d, own_[opposite(i)] + at), hn::LoadU(d, pulled_[i] + at));
    }
    collide_(g, out);
    const auto solid = hn::RebindMask(d, hn::TestBit(found, hn::Set(du, kSolid)));
    for (std::size_t i = 0; i < kDirections; ++i)
      hn::StoreU(hn::IfThenElse(solid, hn::LoadU(d, own_[i] + at), out[i]), d, to_[i] + at);
  }

  Collide<kForced> collide_;
  const Push* pushes_;
  const double* links_;
  const double* pulled_[kDirections];
  const double* own_[kDirections];
  double* to_[kDirections];
};

template <bool kForced, bool kLinked>
void collide_line(const Collision& collision, const Push* pushes, const double* const* pulled, const double* const* own,
                  const double* links, std::size_t size, double* const* to) {
  const Line<kForced, kLinked> line(collision, pushes, pulled, own, links, to);
  if (size < kLanes) {
    if (size > 0) line.few(0, size);
    return;
  }
  // Some cells at both ends may be computed twice, so that all other vectors are stored as whole lines of the cache.
  const std::size_t second = kLanes - reinterpret_cast<std::uintptr_t>(to[0]) / sizeof(double) % kLanes;
  for (std::size_t at = 0;;) {
    line.vector(at);
    if (at + kLanes == size) break;
    at = std::min(at == 0 ? second : at + kLanes, size - kLanes);
  }
}

constexpr LineKernels kLineKernels{{collide_line<false, false>, collide_line<true, false>},
                                   {collide_line<false, true>, collide_line<true, true>}};

}  // namespace
}  // namespace furrow::sim::d2q9::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim::d2q9 {
namespace {

constexpr Built<LineKernels> kBuilt[] = {FURROW_TABLES(kLineKernels)};

const LineKernels& line_kernels() {
  static const LineKernels& chosen = chosen_of<LineKernels>(kBuilt);
  return chosen;
}

double rate(double viscosity_or_like) {
  return 1 / (viscosity_or_like + 0.5);
}

}  // namespace

std::array<double, kDirections> equilibrium(double rho, double east, double north) {
  std::array<double, kDirections> populations{};
  for (std::size_t i = 0; i < kDirections; ++i) {
    const double along = kEast[i] * east + kNorth[i] * north;
    populations[i] = kWeights[i] * rho * (1 + 3 * along + 4.5 * along * along - 1.5 * (east * east + north * north));
  }
  return populations;
}

Collision Collision::two_rates(double viscosity, double magic) {
  return {rate(3 * viscosity), rate(magic / (3 * viscosity)), {}};
}

Collision Collision::one_rate(double viscosity) {
  return {rate(3 * viscosity), rate(3 * viscosity), {}};
}

Push push_of(double east, double north) {
  Push push{};
  for (std::size_t i = 0; i < kDirections; ++i) push[i] = 6 * kWeights[i] * (kEast[i] * east + kNorth[i] * north);
  return push;
}

template <std::size_t constants>
Step<constants>::Step(const Collision& collision, std::span<const Push> pushes)
    : collision_(collision),
      pushes_(pushes.data()),
      kernel_((constants == 0 ? line_kernels().free : line_kernels().linked)[collision.force[0] != 0 || collision.force[1] != 0]) {}

template <std::size_t constants>
void Step<constants>::line(const std::array<Lines, kDirections + constants>& from, std::ptrdiff_t first, std::ptrdiff_t size,
                           const std::array<double*, kDirections>& to) const {
  std::array<const double*, kDirections> pulled{};
  std::array<const double*, kDirections> own{};
  for (std::size_t i = 0; i < kDirections; ++i) {
    pulled[i] = from[i][static_cast<std::size_t>(1 + kNorth[i])] + first - kEast[i];
    own[i] = from[i][1] + first;
  }
  const double* links = nullptr;
  if constexpr (constants > 0) links = from[kDirections][1] + first;
  kernel_(collision_, pushes_, pulled.data(), own.data(), links, static_cast<std::size_t>(size), to.data());
}

template class Step<0>;
template class Step<1>;

void run(Engine& engine, const Fields<const double, kDirections>& in, const Fields<double, kDirections>& out,
         const std::array<std::size_t, 2>& shape, std::size_t steps, const Collision& collision) {
  stencil(engine, in, out, {shape[0], shape[1]}, Boundary::periodic(), steps, Step<0>(collision));
}

}  // namespace furrow::sim::d2q9
#endif  // HWY_ONCE
