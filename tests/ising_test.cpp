// The Ising model against a loop over cells, against the sum over all states of a small plane, and against Onsager and Yang. That
// it is the same on every backend is in simulations_test.cpp and, of the table's row, in table_test.cpp.
#include "furrow/kernels/simulations/ising.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "furrow/kernels/random/reference.hpp"
#include "furrow/kernels/simulations/ising_reference.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;

std::vector<std::uint8_t> spins_of(const Ising& ising) {
  const Field field = ising.fields().at(0);
  return {field.values<std::uint8_t>().begin(), field.values<std::uint8_t>().end()};
}

/// Energy and magnetisation per spin, bond by bond.
std::array<double, 2> sums_of(const std::vector<std::uint8_t>& spins, std::size_t height, std::size_t width) {
  const auto spin = [&](std::size_t y, std::size_t x) { return 2 * spins[y % height * width + x % width] - 1; };
  int energy = 0;
  int magnetisation = 0;
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      energy -= spin(y, x) * (spin(y + 1, x) + spin(y, x + 1));
      magnetisation += spin(y, x);
    }
  const auto cells = static_cast<double>(height * width);
  return {energy / cells, magnetisation / cells};
}

TEST(Ising, SweepsAreThoseOfALoopOverCells) {
  std::mt19937 random(1);
  for (const std::array<std::size_t, 2> shape : {std::array<std::size_t, 2>{2, 2},
                                                 {2, 64},
                                                 {4, 6},
                                                 {6, 126},
                                                 {8, 128},
                                                 {6, 130},
                                                 {40, 254},
                                                 {4, 1022},
                                                 {6, 1024},
                                                 {4, 1026},
                                                 {2, 2500},
                                                 {130, 16}}) {
    const auto [height, width] = shape;
    for (const double temperature : {0.1, 0.4, 1.5, 2.269185314213022, 10.0, 1e30}) {
      Engine engine({.concurrency = 2, .serial_below = 0});
      const std::size_t seed = random();
      Ising ising(engine, {.shape = shape, .temperature = temperature, .seed = seed});
      std::vector<std::uint8_t> spins(height * width);
      for (std::uint8_t& spin : spins) spin = static_cast<std::uint8_t>(random());
      ising.set_spins(spins);
      for (std::uint8_t& spin : spins) spin &= 1;
      ASSERT_EQ(spins_of(ising), spins);
      for (std::uint64_t step = 0; step < 6; ++step) {
        ising.advance(1);
        ising::reference::sweep(spins, height, width, temperature, seed, step);
        ASSERT_EQ(spins_of(ising), spins) << height << "x" << width << ", temperature " << temperature << ", step " << step;
        const auto observables = ising.observables();
        const auto [energy, magnetisation] = sums_of(spins, height, width);
        ASSERT_EQ(observables.at(0).value, energy);
        ASSERT_EQ(observables.at(1).value, magnetisation);
      }
    }
  }
}

TEST(Ising, StartsHotOrCold) {
  Engine engine("serial");
  Ising cold(engine, {.shape = {34, 66}, .temperature = 0.1, .initial = "cold"});
  cold.advance(3);
  EXPECT_EQ(spins_of(cold), std::vector<std::uint8_t>(34 * 66, 1));
  EXPECT_EQ(cold.observables().at(0).value, -2);
  EXPECT_EQ(cold.observables().at(1).value, 1);
  Ising hot(engine, {.shape = {200, 1100}, .initial = "hot"});
  EXPECT_LT(std::abs(hot.observables().at(0).value), 5 * std::sqrt(2.0 / (200 * 1100)));
  EXPECT_LT(std::abs(hot.observables().at(1).value), 5 * std::sqrt(1.0 / (200 * 1100)));
  Ising other(engine, {.shape = {200, 1100}, .initial = "hot", .seed = 2});
  EXPECT_NE(spins_of(hot), spins_of(other));
}

/// A mean over many sweeps, and its standard error from the means of parts of them.
struct Estimate {
  explicit Estimate(const std::vector<double>& series) {
    constexpr std::size_t kParts = 50;
    const std::size_t length = series.size() / kParts;
    double squares = 0;
    for (std::size_t part = 0; part < kParts; ++part) {
      double sum = 0;
      for (std::size_t i = part * length; i < (part + 1) * length; ++i) sum += series[i];
      sum /= static_cast<double>(length);
      mean += sum / kParts;
      squares += sum * sum / kParts;
    }
    error = std::sqrt((squares - mean * mean) / (kParts - 1));
  }
  double mean = 0;
  double error = 0;
};

/// $FURROW_ISING_SWEEPS times as many sweeps as usual; the results are then printed.
std::size_t effort() {
  const char* const given = std::getenv("FURROW_ISING_SWEEPS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

void expect_close(const std::string& what, const Estimate& got, double exact) {
  const double deviations = (got.mean - exact) / got.error;
  if (effort() > 1)
    std::printf("%-40s exact %.7f  got %.7f ± %.7f  (%+.1f standard errors)\n", what.c_str(), exact, got.mean, got.error,
                deviations);
  EXPECT_LT(std::abs(deviations), 4) << what << ": " << got.mean << " ± " << got.error << ", not " << exact;
  EXPECT_LT(got.error, 0.01) << what << ": too few sweeps to say anything";
}

TEST(Ising, TendsToTheMeansOverAllStatesOfASmallPlane) {
  constexpr std::size_t kSide = 4;
  constexpr std::size_t kCells = kSide * kSide;
  for (const double temperature : {1.2, 2.269185314213022, 5.0}) {
    double weights = 0;
    std::array<double, 4> exact{};  // energy, its square, |magnetisation|, square of that
    for (unsigned state = 0; state < 1U << kCells; ++state) {
      std::vector<std::uint8_t> spins(kCells);
      for (std::size_t i = 0; i < kCells; ++i) spins[i] = state >> i & 1;
      const auto [energy, magnetisation] = sums_of(spins, kSide, kSide);
      const double weight = std::exp(-(energy + 2) * kCells / temperature);
      weights += weight;
      const std::array values{energy, energy * energy, std::abs(magnetisation), magnetisation * magnetisation};
      for (std::size_t k = 0; k < values.size(); ++k) exact[k] += weight * values[k];
    }
    Engine engine("serial");
    Ising ising(engine, {.shape = {kSide, kSide}, .temperature = temperature, .seed = 7});
    ising.advance(1000);
    std::array<std::vector<double>, 4> series;
    for (std::size_t sweep = 0; sweep < 200'000 * effort(); ++sweep) {
      ising.advance(1);
      const auto observables = ising.observables();
      const double energy = observables[0].value;
      const double magnetisation = observables[1].value;
      series[0].push_back(energy);
      series[1].push_back(energy * energy);
      series[2].push_back(std::abs(magnetisation));
      series[3].push_back(magnetisation * magnetisation);
    }
    const char* const names[] = {"energy", "energy squared", "magnetisation", "magnetisation squared"};
    for (std::size_t k = 0; k < series.size(); ++k)
      expect_close("4 x 4, T = " + std::to_string(temperature) + ", " + names[k], Estimate(series[k]), exact[k] / weights);
  }
}

/// Energy per spin of the infinite plane (Onsager, Phys. Rev. 65, 117, 1944), the elliptic integral by arithmetic-geometric means.
double onsager(double temperature) {
  const double x = 2 / temperature;
  const double modulus = 2 * std::sinh(x) / (std::cosh(x) * std::cosh(x));
  double a = 1;
  double b = std::sqrt(1 - modulus * modulus);
  for (int i = 0; i < 30; ++i) {
    const double mean = (a + b) / 2;
    b = std::sqrt(a * b);
    a = mean;
  }
  const double integral = std::numbers::pi / (2 * a);
  const double t = std::tanh(x);
  return -1 / t * (1 + 2 / std::numbers::pi * (2 * t * t - 1) * integral);
}

/// Spontaneous magnetisation (Yang, Phys. Rev. 85, 808, 1952).
double yang(double temperature) {
  const double s = std::sinh(2 / temperature);
  return s > 1 ? std::pow(1 - std::pow(s, -4), 0.125) : 0;
}

TEST(Ising, TendsToOnsagersEnergyAndYangsMagnetisation) {
  EXPECT_NEAR(onsager(2.0), -1.745564, 1e-5);
  EXPECT_NEAR(yang(2.0), 0.911319, 1e-6);
  const std::size_t side = effort() > 1 ? 1024 : 256;
  for (const double temperature : {1.5, 2.0, 2.15, 2.2, 2.4, 2.5, 3.0, 5.0}) {
    Engine engine;
    const bool ordered = temperature < 2.269;
    Ising ising(engine, {.shape = {side, side}, .temperature = temperature, .initial = ordered ? "cold" : "hot", .seed = 3});
    ising.advance(1000 * (effort() > 1 ? 10 : 1));
    std::vector<double> energy;
    std::vector<double> magnetisation;
    for (std::size_t sample = 0; sample < 1000 * effort(); ++sample) {
      ising.advance(3);
      const auto observables = ising.observables();
      energy.push_back(observables[0].value);
      magnetisation.push_back(observables[1].value);
    }
    const std::string where = std::to_string(side) + "², T = " + std::to_string(temperature);
    expect_close(where + ", energy", Estimate(energy), onsager(temperature));
    expect_close(where + ", magnetisation", Estimate(magnetisation), yang(temperature));
  }
}

TEST(Ising, BadInput) {
  Engine engine("serial");
  const auto made = [&](IsingOptions options) { return message_of([&] { Ising(engine, std::move(options)); }); };
  EXPECT_NE(made({.shape = {3, 4}}).find("shape: 3 is not even"), std::string::npos);
  EXPECT_NE(made({.shape = {4, 5}}).find("shape: 5 is not even"), std::string::npos);
  EXPECT_NE(made({.shape = {4, 0}}).find("shape: 0 is not even and greater than 0"), std::string::npos);
  EXPECT_NE(made({.shape = {std::size_t{1} << 40, 2}}).find("at most 2^31"), std::string::npos);
  EXPECT_NE(made({.temperature = 0}).find("temperature has to be greater than 0"), std::string::npos);
  EXPECT_NE(made({.temperature = std::nan("")}).find("temperature has to be greater than 0"), std::string::npos);
  EXPECT_NE(made({.initial = "warm"}).find("hot, cold"), std::string::npos);
  Ising ising(engine, {.shape = {4, 6}});
  std::vector<std::uint8_t> spins(23);
  EXPECT_NE(message_of([&] { ising.set_spins(spins); }).find("23 spins were given for 24 cells"), std::string::npos);
  EXPECT_NE(message_of([&] { ising.copy_spins(spins); }).find("23 spins were given for 24 cells"), std::string::npos);
}

}  // namespace
}  // namespace furrow::sim
