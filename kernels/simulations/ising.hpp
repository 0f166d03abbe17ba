#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// Parameters of Ising, with what they are unless set.
struct IsingOptions {
  std::array<std::size_t, 2> shape{1024, 1024};  ///< spins along each axis, both even, the slowest axis first
  double temperature = 2.269185314213022;        ///< in units of J/k; that of the phase transition is 2 / ln(1 + √2)
  std::string initial = "hot";                   ///< "hot" (spins by chance) or "cold" (all up)
  std::size_t seed = 1;                          ///< of the random numbers

  /// All of them; what they point to is in this object. Needs `<furrow/kernels/simulations/parameter.hpp>`.
  std::vector<Parameter> parameters();
};

/// The Ising model in a periodic plane without a field, E = −J Σ s s' over pairs of neighbours, by Metropolis's algorithm on a
/// chessboard: a step is a sweep over the black cells, then over the white ones, of which no two are neighbours.
///
/// A flip that costs 4 J is made with probability p, one that costs 8 J with probability p², both exactly, where p is e^(−4/T)
/// rounded to a multiple of 2^-32. So detailed balance holds exactly, at the temperature −4 / ln p, which differs from T by less
/// than T² / p · 2^-35: by 4e-10 of T at the transition, 5e-8 of it at T = 0.5. Below T = 0.17 p is 0: no flip costs energy.
/// Random numbers are Philox's (see random.hpp): what happens to a cell in a step depends on seed, shape, step and cell alone.
///
/// Spins are kept as bits, twice. Fields: spins (bytes: 0 is down, 1 up), unpacked with each call of fields(). Observables: energy
/// (per spin, in J) and magnetisation (per spin), from exact counts. Time counts sweeps.
class Ising final : public Simulation {
 public:
  /// Its parameters.
  using Options = IsingOptions;
  /// What the command and checkpoints call it.
  static constexpr std::string_view kName = "ising";
  /// What it is, for people.
  static constexpr std::string_view kAbout = "Ising model in a plane: Metropolis on a chessboard";
  /// Steps that show something within seconds.
  static constexpr std::size_t kSteps = 2000;

  /// Throws Error unless both extents are even and the temperature greater than 0.
  explicit Ising(Engine& engine, Options options = {});

  /// Sets all spins, rows one after the other: bit 0 of each byte says whether it is up. Throws Error if the size differs.
  void set_spins(std::span<const std::uint8_t> spins);
  /// Writes all spins as bytes, 0 or 1. Throws Error if the size differs.
  void copy_spins(std::span<std::uint8_t> out) const;

  double time() const override { return static_cast<double>(step()); }
  std::vector<Field> fields() const override;
  std::vector<Observable> observables() const override;
  Work work() const override { return {"spin updates", static_cast<double>(cells())}; }

 protected:
  std::size_t run(std::size_t most) override;
  std::vector<std::span<std::byte>> state() override;
  std::vector<Field> watched() const override;

 private:
  using Colours = std::array<Array<std::uint64_t>, 2>;

  std::size_t cells() const { return options_.shape[0] * options_.shape[1]; }
  void half_sweep(unsigned colour);
  void expect_size(std::size_t size) const;

  Options options_;
  Colours spins_;
  Colours next_;
  mutable Array<std::uint8_t> unpacked_;
};

}  // namespace furrow::sim
