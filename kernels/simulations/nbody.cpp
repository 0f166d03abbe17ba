// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of kernels/simd/kernels.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/nbody.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/nbody.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simulations/attraction.hpp"
#include "furrow/kernels/simulations/grid_state.hpp"
#include "furrow/kernels/simulations/parameter.hpp"

#ifndef FURROW_KERNELS_SIMULATIONS_NBODY_ONCE
#define FURROW_KERNELS_SIMULATIONS_NBODY_ONCE
namespace furrow::sim {

constexpr std::size_t kTargets = 192;  ///< bodies whose accelerations are computed together

/// What all of n bodies do to the kTargets bodies at `target`, whose coordinates are at x, y and z like those of all.
template <class T>
struct Attraction {
  const T* x;
  const T* y;
  const T* z;
  const T* mass;
  std::size_t n;
  T softening_squared;
};

template <class T>
using Attract = void (*)(const Attraction<T>& all, const T* x, const T* y, const T* z, double* out_x, double* out_y, double* out_z);

struct NBodyKernels {
  Attract<float> in_float;
  Attract<double> in_double;
  /// Σ m_j / √(r² + ε²) over j ≠ i for the kTargets bodies from i = `first` on.
  void (*potential)(const Attraction<double>& all, std::size_t first, const double* x, const double* y, const double* z,
                    double* out);
};

}  // namespace furrow::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// So many vectors of targets meet a body that was read once.
constexpr std::size_t kTogether = 2;

/// mass · x^(-3/2) / kScale
template <class D, class V = hn::Vec<D>>
HWY_INLINE V mass_by_cube(D d, V x, V mass) {
  using T = hn::TFromD<D>;
  using Numbers = InverseCube<T>;
  const auto number = [d](T value) HWY_ATTR { return hn::Set(d, value); };
  const hn::RebindToUnsigned<D> du;
  const V guess = hn::BitCast(d, hn::Sub(hn::Set(du, Numbers::kMagic), hn::ShiftRight<1>(hn::BitCast(du, x))));
  const V square = hn::Mul(guess, guess);
  const V a = hn::MulAdd(x, square, number(Numbers::kP[0]));
  const V y = hn::MulAdd(a, a, number(Numbers::kP[1]));
  if constexpr (sizeof(T) == 4) {
    const V p = hn::MulAdd(hn::Add(y, hn::Add(a, number(Numbers::kP[2]))), y, number(Numbers::kP[3]));
    return hn::Mul(hn::Mul(hn::Mul(guess, mass), square), p);
  } else {
    const V root = hn::Mul(guess, y);
    const V root_square = hn::Mul(root, root);
    const V e = hn::NegMulAdd(x, root_square, number(Numbers::kQ[0]));
    const V q = hn::MulAdd(hn::MulAdd(e, e, number(Numbers::kQ[1])), e, number(Numbers::kQ[2]));
    return hn::Mul(hn::Mul(hn::Mul(root, mass), root_square), q);
  }
}

/// Adds lanes of floats, or of doubles, to doubles.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void add_to(D d, V sum, double* out) {
  using T = hn::TFromD<D>;
  const hn::ScalableTag<double> wide;
  alignas(64) T lanes[hn::MaxLanes(d)];
  hn::Store(sum, d, lanes);
  for (std::size_t i = 0; i < hn::MaxLanes(d); i += hn::MaxLanes(wide)) {
    const auto part = hn::Load(hn::Rebind<T, decltype(wide)>(), lanes + i);
    if constexpr (sizeof(T) == 8)
      hn::StoreU(hn::Add(hn::LoadU(wide, out + i), part), wide, out + i);
    else
      hn::StoreU(hn::Add(hn::LoadU(wide, out + i), hn::PromoteTo(wide, part)), wide, out + i);
  }
}

/// Lanes are targets, and each meets the others in order, so that the width of vectors changes nothing.
template <class T>
void attract(const Attraction<T>& all, const T* x, const T* y, const T* z, double* out_x, double* out_y, double* out_z) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  static_assert(kTargets % (kTogether * kLanes) == 0);
  std::fill_n(out_x, kTargets, 0.0);
  std::fill_n(out_y, kTargets, 0.0);
  std::fill_n(out_z, kTargets, 0.0);
  const V softening = hn::Set(d, all.softening_squared);
  for (std::size_t i = 0; i < kTargets; i += kTogether * kLanes) {
    for (std::size_t first = 0; first < all.n; first += kTermsTogether) {
      const V zero = hn::Zero(d);
      V sum_x[kTogether] = {zero, zero}, sum_y[kTogether] = {zero, zero}, sum_z[kTogether] = {zero, zero};
      const std::size_t last = std::min(first + kTermsTogether, all.n);
      for (std::size_t j = first; j < last; ++j) {
        const V other_x = hn::Set(d, all.x[j]), other_y = hn::Set(d, all.y[j]), other_z = hn::Set(d, all.z[j]);
        const V mass = hn::Set(d, all.mass[j]);
#pragma GCC unroll 2  // so that sums stay in registers
        for (std::size_t k = 0; k < kTogether; ++k) {
          const std::size_t at = i + k * kLanes;
          const V ax = hn::Sub(other_x, hn::LoadU(d, x + at));
          const V ay = hn::Sub(other_y, hn::LoadU(d, y + at));
          const V az = hn::Sub(other_z, hn::LoadU(d, z + at));
          const V a = mass_by_cube(d, hn::MulAdd(az, az, hn::MulAdd(ay, ay, hn::MulAdd(ax, ax, softening))), mass);
          sum_x[k] = hn::MulAdd(a, ax, sum_x[k]);
          sum_y[k] = hn::MulAdd(a, ay, sum_y[k]);
          sum_z[k] = hn::MulAdd(a, az, sum_z[k]);
        }
      }
#pragma GCC unroll 2
      for (std::size_t k = 0; k < kTogether; ++k) {
        const std::size_t at = i + k * kLanes;
        add_to(d, sum_x[k], out_x + at);
        add_to(d, sum_y[k], out_y + at);
        add_to(d, sum_z[k], out_z + at);
      }
    }
  }
}

void potential(const Attraction<double>& all, std::size_t first, const double* x, const double* y, const double* z, double* out) {
  const hn::ScalableTag<double> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  for (std::size_t i = 0; i < kTargets; i += kLanes) {
    const auto ix = hn::LoadU(d, x + i), iy = hn::LoadU(d, y + i), iz = hn::LoadU(d, z + i);
    const auto own = hn::Iota(d, static_cast<double>(first + i));
    auto sum = hn::Zero(d);
    for (std::size_t j = 0; j < all.n; ++j) {
      const auto ax = hn::Sub(hn::Set(d, all.x[j]), ix), ay = hn::Sub(hn::Set(d, all.y[j]), iy),
                 az = hn::Sub(hn::Set(d, all.z[j]), iz);
      const auto square =
          hn::Add(hn::Add(hn::Mul(ax, ax), hn::Mul(ay, ay)), hn::Add(hn::Mul(az, az), hn::Set(d, all.softening_squared)));
      const auto term = hn::Div(hn::Set(d, all.mass[j]), hn::Sqrt(square));
      sum = hn::Add(sum, hn::IfThenElseZero(hn::Ne(own, hn::Set(d, static_cast<double>(j))), term));
    }
    hn::StoreU(sum, d, out + i);
  }
}

constexpr NBodyKernels kNBodyKernels{attract<float>, attract<double>, potential};

}  // namespace
}  // namespace furrow::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim {
namespace {

constexpr Built<NBodyKernels> kBuilt[] = {FURROW_TABLES(kNBodyKernels)};

const NBodyKernels& kernels() {
  static const NBodyKernels& chosen = chosen_of<NBodyKernels>(kBuilt);
  return chosen;
}

template <class T>
T least_softening(double softening) {
  return static_cast<T>(std::max(softening * softening, InverseCube<T>::kLeastSquare));
}

/// f(first, count, x, y, z) for groups of kTargets bodies, or fewer at the end: there x, y and z lead to copies with zeros behind
/// them.
template <class T, class F>
void over_targets(Engine& engine, const Bodies<T>& bodies, const F& f) {
  const std::size_t n = bodies.x.size();
  engine.bulk((n + kTargets - 1) / kTargets, [&](std::size_t task) {
    const std::size_t first = task * kTargets;
    const std::size_t count = std::min(kTargets, n - first);
    if (count == kTargets) return f(first, count, &bodies.x[first], &bodies.y[first], &bodies.z[first]);
    T last[3][kTargets] = {};
    std::copy_n(&bodies.x[first], count, last[0]);
    std::copy_n(&bodies.y[first], count, last[1]);
    std::copy_n(&bodies.z[first], count, last[2]);
    f(first, count, last[0], last[1], last[2]);
  });
}

/// Coordinates of bodies whose three stand together.
template <class T>
struct Apart {
  std::vector<T> x, y, z, mass;

  Apart(Engine& engine, std::span<const double> positions, std::span<const double> masses)
      : x(masses.size()), y(masses.size()), z(masses.size()), mass(masses.size()) {
    for_each_index(engine, masses.size(), [&](std::size_t i) {
      x[i] = static_cast<T>(positions[3 * i]);
      y[i] = static_cast<T>(positions[3 * i + 1]);
      z[i] = static_cast<T>(positions[3 * i + 2]);
      mass[i] = static_cast<T>(masses[i]);
    });
  }
  Bodies<T> bodies() const { return {x, y, z, mass}; }
};

NBodyOptions checked(NBodyOptions options) {
  one_of("initial", options.initial, {"disc", "plummer", "kepler", "figure_eight"});
  one_of("precision", options.precision, {"f32", "f64"});
  if (options.initial == "kepler") options.bodies = 2;
  if (options.initial == "figure_eight") options.bodies = 3;
  if (options.bodies < 2) fail("bodies has to be at least 2");
  for (const double value : {options.softening, options.gravity, options.dt})
    if (!std::isfinite(value)) fail("softening, gravity and dt have to be finite");
  if (!(options.softening >= 0)) fail("softening has to be at least 0");
  if (!(options.gravity >= 0)) fail("gravity has to be at least 0");
  if (!(options.dt > 0)) fail("dt has to be greater than 0");
  if (!(options.eccentricity >= 0 && options.eccentricity < 1)) fail("eccentricity has to be from 0 to less than 1");
  return options;
}

struct Initial {
  std::vector<double> positions, velocities, masses;
};

void add(Initial& all, double mass, const std::array<double, 3>& position, const std::array<double, 3>& velocity) {
  all.masses.push_back(mass);
  all.positions.insert(all.positions.end(), position.begin(), position.end());
  all.velocities.insert(all.velocities.end(), velocity.begin(), velocity.end());
}

/// Two bodies at their greatest distance.
Initial kepler(double gravity, double eccentricity) {
  Initial all;
  const double distance = 1 + eccentricity;
  const double speed = std::sqrt(gravity * (1 - eccentricity) / (1 + eccentricity));
  add(all, 0.5, {distance / 2, 0, 0}, {0, speed / 2, 0});
  add(all, 0.5, {-distance / 2, 0, 0}, {0, -speed / 2, 0});
  return all;
}

/// The numbers are Simó's, in Chenciner and Montgomery.
Initial figure_eight() {
  Initial all;
  const double x = 0.97000436, y = 0.24308753, vx = 0.93240737, vy = 0.86473146;
  add(all, 1, {x, -y, 0}, {vx / 2, vy / 2, 0});
  add(all, 1, {-x, y, 0}, {vx / 2, vy / 2, 0});
  add(all, 1, {0, 0, 0}, {-vx, -vy, 0});
  return all;
}

std::vector<double> uniforms(Engine& engine, const NBodyOptions& options, std::uint64_t stream) {
  std::vector<double> numbers(options.bodies);
  uniform(engine, numbers, {options.seed, stream});
  return numbers;
}

/// Cosines and sines of angles spread evenly.
struct Angles {
  Angles(Engine& engine, const NBodyOptions& options, std::uint64_t stream)
      : cosine(uniforms(engine, options, stream)), sine(cosine) {
    for (double& angle : cosine) angle *= 2 * std::numbers::pi;
    furrow::sin(engine, cosine, sine);
    furrow::cos(engine, cosine, cosine);
  }
  std::vector<double> cosine, sine;
};

/// Bodies of mass 0.1 together, evenly over a ring from 0.2 to 1.2, some hundredths thick.
Initial disc(Engine& engine, const NBodyOptions& options) {
  Initial all;
  add(all, 1, {0, 0, 0}, {0, 0, 0});
  const std::vector<double> areas = uniforms(engine, options, 0), heights = uniforms(engine, options, 2);
  const Angles angles(engine, options, 1);
  for (std::size_t i = 1; i < options.bodies; ++i) {
    const double radius = std::sqrt(0.04 + 1.4 * areas[i]);
    const double speed = std::sqrt(options.gravity / radius);
    add(all, 0.1 / static_cast<double>(options.bodies - 1),
        {radius * angles.cosine[i], radius * angles.sine[i], 0.02 * (heights[i] - 0.5)},
        {-speed * angles.sine[i], speed * angles.cosine[i], 0});
  }
  return all;
}

Initial plummer(Engine& engine, const NBodyOptions& options) {
  Initial all;
  std::vector<double> radii = uniforms(engine, options, 0);
  // Of bodies that would be farther than 38 there are less than one in a thousand: they are left out.
  for (double& share : radii) share = 0.001 + 0.998 * share;
  pow(engine, radii, std::vector<double>(radii.size(), -2.0 / 3), radii);
  const std::vector<double> heights = uniforms(engine, options, 1), upwards = uniforms(engine, options, 2);
  const Angles around(engine, options, 3), along(engine, options, 4);
  // The speed as a share q of that of escape has the density q² (1 − q²)^{7/2}, below 0.1: by rejection.
  constexpr std::size_t kTries = 64;
  std::vector<double> tries(2 * kTries);
  constexpr double kScale = 3 * std::numbers::pi / 16;  // to the units in which the energy is −1/4
  for (std::size_t i = 0; i < options.bodies; ++i) {
    Engine serial("serial");
    uniform(serial, tries, {options.seed, 5, i * tries.size()});
    double share = 0;
    for (std::size_t t = 0; t < kTries; ++t) {
      const double q = tries[2 * t], rest = 1 - q * q;
      share = q;
      if (0.1 * tries[2 * t + 1] < q * q * rest * rest * rest * std::sqrt(rest)) break;
    }
    const double radius = 1 / std::sqrt(radii[i] - 1);
    const double escape = std::sqrt(2.0) / std::sqrt(std::sqrt(1 + radius * radius));
    const double speed = share * escape * std::sqrt(options.gravity / kScale);
    const auto pointing = [](double length, double height, const Angles& angles, std::size_t at) -> std::array<double, 3> {
      const double up = 1 - 2 * height, flat = std::sqrt(std::max(0.0, 1 - up * up));
      return {length * flat * angles.cosine[at], length * flat * angles.sine[at], length * up};
    };
    add(all, 1 / static_cast<double>(options.bodies), pointing(kScale * radius, heights[i], around, i),
        pointing(speed, upwards[i], along, i));
  }
  return all;
}

Initial initial(Engine& engine, const NBodyOptions& options) {
  if (options.initial == "kepler") return kepler(options.gravity, options.eccentricity);
  if (options.initial == "figure_eight") return figure_eight();
  return options.initial == "disc" ? disc(engine, options) : plummer(engine, options);
}

}  // namespace

std::vector<Parameter> NBodyOptions::parameters() {
  return {
      {"bodies", "at least 2 (kepler has 2, figure_eight 3)", &bodies},
      {"softening", "length, at least 0: attraction is that of Plummer spheres of this radius", &softening},
      {"gravity", "length³ per mass and time²: the gravitational constant, at least 0", &gravity},
      {"dt", "time of a step, greater than 0", &dt},
      {"precision", "of what a pair does to each other: f32 (summed in double) or f64", &precision},
      {"initial", "disc, plummer, kepler or figure_eight", &initial},
      {"eccentricity", "of kepler, from 0 to less than 1", &eccentricity},
      {"seed", "of the places of disc and plummer", &seed},
  };
}

template <class T>
void attract(Engine& engine, const Bodies<T>& bodies, double softening, std::span<double> out_x, std::span<double> out_y,
             std::span<double> out_z) {
  const std::size_t n = bodies.x.size();
  for (const std::size_t size : {bodies.y.size(), bodies.z.size(), bodies.mass.size(), out_x.size(), out_y.size(), out_z.size()})
    if (size != n)
      fail("attract: there are " + std::to_string(n) + " bodies, and an array has " + std::to_string(size) + " elements");
  const Attraction<T> all{bodies.x.data(), bodies.y.data(), bodies.z.data(), bodies.mass.data(), n, least_softening<T>(softening)};
  Attract<T> kernel;
  if constexpr (sizeof(T) == 4)
    kernel = kernels().in_float;
  else
    kernel = kernels().in_double;
  over_targets(engine, bodies, [&](std::size_t first, std::size_t count, const T* x, const T* y, const T* z) {
    double out[3][kTargets];
    kernel(all, x, y, z, out[0], out[1], out[2]);
    double* const to[] = {&out_x[first], &out_y[first], &out_z[first]};
    for (std::size_t k = 0; k < 3; ++k)
      std::transform(out[k], out[k] + count, to[k], [](double sum) { return InverseCube<T>::kScale * sum; });
  });
}

template void attract(Engine&, const Bodies<float>&, double, std::span<double>, std::span<double>, std::span<double>);
template void attract(Engine&, const Bodies<double>&, double, std::span<double>, std::span<double>, std::span<double>);

NBody::NBody(Engine& engine, Options options)
    : Simulation(engine, kName, (options = checked(options), options.parameters())), options_(options) {
  const std::size_t n = options_.bodies;
  masses_ = Array<double>(engine, n);
  check::product(3, n);
  for (auto* vectors : {&positions_, &velocities_, &accelerations_, &next_positions_, &next_velocities_, &next_accelerations_})
    *vectors = Array<double>(engine, 3 * n);
  const Initial start = sim::initial(engine, options_);
  set_bodies(start.positions, start.velocities, start.masses);
}

void NBody::set_bodies(std::span<const double> positions, std::span<const double> velocities, std::span<const double> masses) {
  const std::size_t n = bodies();
  if (positions.size() != 3 * n || velocities.size() != 3 * n || masses.size() != n)
    fail("set_bodies: there are " + std::to_string(n) +
         " bodies: as many masses, and three times as many positions and velocities");
  for (const auto& numbers : {positions, velocities, masses})
    if (!std::isfinite(norm_inf(engine(), numbers))) fail("set_bodies: there is a number that is not finite");
  if (!(min(engine(), masses) >= 0)) fail("set_bodies: masses have to be at least 0");
  copy(engine(), positions, next_positions_);
  copy(engine(), velocities, next_velocities_);
  Array<double> before(engine(), n);
  copy(engine(), masses, before);
  std::swap(masses_, before);
  try {
    accelerate(next_positions_, next_accelerations_);
  } catch (...) {
    std::swap(masses_, before);
    throw;
  }
  std::swap(positions_, next_positions_);
  std::swap(velocities_, next_velocities_);
  std::swap(accelerations_, next_accelerations_);
}

void NBody::accelerate(const Array<double>& positions, Array<double>& accelerations) const {
  const auto with = [&]<class T>(T) {
    const Apart<T> apart(engine(), positions, masses_);
    std::vector<double> x(bodies()), y(bodies()), z(bodies());
    attract<T>(engine(), apart.bodies(), options_.softening, x, y, z);
    for_each_index(engine(), bodies(), [&, gravity = options_.gravity](std::size_t i) {
      accelerations[3 * i] = gravity * x[i];
      accelerations[3 * i + 1] = gravity * y[i];
      accelerations[3 * i + 2] = gravity * z[i];
    });
  };
  options_.precision == "f32" ? with(float{}) : with(double{});
}

std::size_t NBody::run(std::size_t) {
  const double dt = options_.dt;
  for_each_index(engine(), positions_.size(), [&, dt](std::size_t i) {
    next_velocities_[i] = velocities_[i] + 0.5 * dt * accelerations_[i];
    next_positions_[i] = positions_[i] + dt * next_velocities_[i];
  });
  accelerate(next_positions_, next_accelerations_);
  for_each_index(engine(), positions_.size(), [&, dt](std::size_t i) { next_velocities_[i] += 0.5 * dt * next_accelerations_[i]; });
  std::swap(positions_, next_positions_);
  std::swap(velocities_, next_velocities_);
  std::swap(accelerations_, next_accelerations_);
  return 1;
}

std::vector<std::span<std::byte>> NBody::state() {
  return {std::as_writable_bytes(std::span<double>(masses_)), std::as_writable_bytes(std::span<double>(positions_)),
          std::as_writable_bytes(std::span<double>(velocities_)), std::as_writable_bytes(std::span<double>(accelerations_))};
}

std::vector<Field> NBody::fields() const {
  return {{"positions", {bodies(), 3}, positions_.data()},
          {"velocities", {bodies(), 3}, velocities_.data()},
          {"masses", {bodies()}, masses_.data()}};
}

Work NBody::work() const {
  return {"interactions", static_cast<double>(bodies()) * static_cast<double>(bodies())};
}

std::vector<Observable> NBody::observables() const {
  const std::size_t n = bodies();
  const Apart<double> apart(engine(), positions_, masses_);
  const Attraction<double> all{
      apart.x.data(), apart.y.data(), apart.z.data(), apart.mass.data(), n, least_softening<double>(options_.softening)};
  std::vector<double> potentials(n);
  over_targets(engine(), apart.bodies(),
               [&](std::size_t first, std::size_t count, const double* x, const double* y, const double* z) {
                 double out[kTargets];
                 kernels().potential(all, first, x, y, z, out);
                 std::copy_n(out, count, &potentials[first]);
               });
  const double potential = -0.5 * options_.gravity * dot(engine(), masses_, potentials);
  // Seven numbers of each body, summed one after the other.
  std::vector<double> terms(n);
  const auto total = [&](const auto& of) {
    for_each_index(engine(), n, [&](std::size_t i) { terms[i] = masses_[i] * of(&positions_[3 * i], &velocities_[3 * i]); });
    return sum(engine(), terms);
  };
  const auto length = [](double x, double y, double z) { return std::sqrt(x * x + y * y + z * z); };
  const double kinetic = 0.5 * total([](const double*, const double* v) { return v[0] * v[0] + v[1] * v[1] + v[2] * v[2]; });
  const double momentum =
      length(total([](const double*, const double* v) { return v[0]; }), total([](const double*, const double* v) { return v[1]; }),
             total([](const double*, const double* v) { return v[2]; }));
  const double angular_momentum = length(total([](const double* x, const double* v) { return x[1] * v[2] - x[2] * v[1]; }),
                                         total([](const double* x, const double* v) { return x[2] * v[0] - x[0] * v[2]; }),
                                         total([](const double* x, const double* v) { return x[0] * v[1] - x[1] * v[0]; }));
  return {{"energy", kinetic + potential},
          {"kinetic", kinetic},
          {"potential", potential},
          {"momentum", momentum},
          {"angular_momentum", angular_momentum}};
}

}  // namespace furrow::sim
#endif  // HWY_ONCE
