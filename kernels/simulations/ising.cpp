#include "furrow/kernels/simulations/ising.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/random/reference.hpp"
#include "furrow/kernels/simulations/grid_state.hpp"
#include "furrow/kernels/simulations/ising_sweeps.hpp"
#include "furrow/kernels/simulations/parameter.hpp"

namespace furrow::sim {
namespace {

/// Of the spins of a hot start; steps use the streams 2 · step and 2 · step + 1.
constexpr std::uint64_t kInitialStream = ~std::uint64_t{0};

IsingOptions checked(IsingOptions options) {
  for (const std::size_t extent : options.shape) {
    if (extent == 0 || extent % 2 != 0)
      fail("shape: " + std::to_string(extent) +
           " is not even and greater than 0; on a periodic chessboard both extents have to be, or equal colours would meet");
    if (extent > std::size_t{1} << 31) fail("shape: extents are at most 2^31");
  }
  if (!(options.temperature > 0)) fail("temperature has to be greater than 0");
  one_of("initial", options.initial, {"hot", "cold"});
  return options;
}

/// p · 2^32. In long double, so that C libraries whose last bits differ agree.
ising::Acceptance acceptance_at(double temperature) {
  const long double scaled = std::nearbyint(std::exp(-4 / static_cast<long double>(temperature)) * 0x1p32L);
  return ising::Acceptance(static_cast<std::uint32_t>(std::min(scaled, 0x1p32L - 1)));
}

ising::Board board_of(const std::array<std::size_t, 2>& shape) {
  return {shape[0], shape[1]};
}

/// body(first, last) for runs of rows.
template <class Body>
void over_rows(Engine& engine, Cost& cost, const ising::Board& board, const Body& body) {
  const Chunks chunks(board.rows, board.words * sizeof(std::uint64_t));
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range rows = chunks.elements(first, last);
    body(rows.begin, rows.end);
  });
}

// Bytes of 0 and 1 to bits and back, eight at a time: those in even places and those in odd ones.

constexpr std::uint64_t kEvenBytes = 0x0001000100010001;

std::uint64_t gathered(std::uint64_t bytes) {
  return (bytes & kEvenBytes) * 0x1000200040008000 >> 60;
}
std::uint64_t spread(std::uint64_t bits) {
  return (bits * 0x0000200040008001) & kEvenBytes;
}

/// Row y; `colours` are its words of black and white cells, all 0 before.
void pack_row(const std::uint8_t* spins, std::size_t y, std::size_t width, std::array<std::uint64_t*, 2> colours) {
  std::uint64_t* const even = colours[y % 2];
  std::uint64_t* const odd = colours[1 - y % 2];
  std::size_t x = 0;
  for (; x + 8 <= width; x += 8) {
    std::uint64_t bytes;
    std::copy_n(spins + x, 8, reinterpret_cast<std::uint8_t*>(&bytes));
    even[x / 128] |= gathered(bytes) << x / 2 % 64;
    odd[x / 128] |= gathered(bytes >> 8) << x / 2 % 64;
  }
  for (; x < width; ++x) (x % 2 == 0 ? even : odd)[x / 128] |= std::uint64_t{spins[x] & 1U} << x / 2 % 64;
}

void unpack_row(std::array<const std::uint64_t*, 2> colours, std::size_t y, std::size_t width, std::uint8_t* spins) {
  const std::uint64_t* const even = colours[y % 2];
  const std::uint64_t* const odd = colours[1 - y % 2];
  std::size_t x = 0;
  for (; x + 8 <= width; x += 8) {
    const std::uint64_t bytes = spread(even[x / 128] >> x / 2 % 64 & 15) | spread(odd[x / 128] >> x / 2 % 64 & 15) << 8;
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&bytes), 8, spins + x);
  }
  for (; x < width; ++x) spins[x] = (x % 2 == 0 ? even : odd)[x / 128] >> x / 2 % 64 & 1;
}

}  // namespace

std::vector<Parameter> IsingOptions::parameters() {
  return {
      {"shape", "spins along each axis, both even, the slowest axis first", std::span(shape)},
      {"temperature", "in units of J/k, greater than 0; order sets in below 2.269", &temperature},
      {"initial", "hot (spins by chance) or cold (all up)", &initial},
      {"seed", "of the random numbers", &seed},
  };
}

Ising::Ising(Engine& engine, Options options)
    : Simulation(engine, kName, options.parameters()), options_(checked(std::move(options))) {
  const ising::Board board = board_of(options_.shape);
  for (Colours* const copy : {&spins_, &next_})
    for (Array<std::uint64_t>& colour : *copy) colour = Array<std::uint64_t>(engine, board.rows * board.words);
  const bool hot = options_.initial == "hot";
  static Cost cost;
  for (std::uint64_t colour = 0; colour < 2; ++colour)
    over_rows(engine, cost, board, [&](std::size_t first, std::size_t last) {
      for (std::size_t y = first; y < last; ++y)
        for (std::size_t i = 0; 64 * i < board.cells; ++i) {
          const std::uint64_t index = (colour * board.rows + y) * board.words + i;
          spins_[colour][y * board.words + i] =
              ising::cells_of_word(board, i) &
              (hot ? random::reference::word<std::uint64_t>(options_.seed, kInitialStream, index) : ~std::uint64_t{0});
        }
    });
}

void Ising::expect_size(std::size_t size) const {
  if (size != cells()) fail("ising: " + std::to_string(size) + " spins were given for " + std::to_string(cells()) + " cells");
}

void Ising::set_spins(std::span<const std::uint8_t> spins) {
  expect_size(spins.size());
  const ising::Board board = board_of(options_.shape);
  const std::size_t width = options_.shape[1];
  static Cost cost;
  over_rows(engine(), cost, board, [&](std::size_t first, std::size_t last) {
    for (std::size_t y = first; y < last; ++y) {
      const std::array row{spins_[0].data() + y * board.words, spins_[1].data() + y * board.words};
      for (std::uint64_t* const words : row) std::fill_n(words, board.words, 0);
      pack_row(spins.data() + y * width, y, width, row);
    }
  });
}

void Ising::copy_spins(std::span<std::uint8_t> out) const {
  expect_size(out.size());
  const ising::Board board = board_of(options_.shape);
  const std::size_t width = options_.shape[1];
  static Cost cost;
  over_rows(engine(), cost, board, [&](std::size_t first, std::size_t last) {
    for (std::size_t y = first; y < last; ++y)
      unpack_row({spins_[0].data() + y * board.words, spins_[1].data() + y * board.words}, y, width, out.data() + y * width);
  });
}

std::vector<Field> Ising::fields() const {
  if (unpacked_.empty()) unpacked_ = Array<std::uint8_t>(engine(), cells());
  copy_spins({unpacked_.data(), unpacked_.size()});
  return {{"spins", {options_.shape.begin(), options_.shape.end()}, unpacked_.data()}};
}

std::vector<Observable> Ising::observables() const {
  const ising::Board board = board_of(options_.shape);
  std::atomic<std::uint64_t> up{0};
  std::atomic<std::uint64_t> unlike{0};
  static Cost cost;
  over_rows(engine(), cost, board, [&](std::size_t first, std::size_t last) {
    const Scratch<std::uint64_t> side(board.words);
    const ising::Counts counts = ising::sweeps().count(board, spins_[0].data(), spins_[1].data(), first, last, side.data());
    up += counts.up;
    unlike += counts.unlike;
  });
  // There are two pairs of neighbours to a spin.
  const auto all = static_cast<std::int64_t>(cells());
  const auto per_spin = [all](std::int64_t sum) { return static_cast<double>(sum) / static_cast<double>(all); };
  return {{"energy", per_spin(2 * static_cast<std::int64_t>(unlike) - 2 * all)},
          {"magnetisation", per_spin(2 * static_cast<std::int64_t>(up) - all)}};
}

void Ising::half_sweep(unsigned colour) {
  const ising::Board board = board_of(options_.shape);
  const ising::Acceptance acceptance = acceptance_at(options_.temperature);
  const ising::HalfSweep sweep{.board = board,
                               .colour = colour,
                               .seed = options_.seed,
                               .stream = 2 * step() + colour,
                               .acceptance = &acceptance,
                               .own = spins_[colour].data(),
                               .other = (colour == 0 ? spins_[1] : next_[0]).data(),
                               .out = next_[colour].data()};
  static Cost cost;
  over_rows(engine(), cost, board, [&](std::size_t first, std::size_t last) {
    const Scratch<std::uint64_t> side(board.words);
    ising::sweeps().half_sweep(sweep, first, last, side.data());
  });
}

std::size_t Ising::run(std::size_t) {
  half_sweep(0);
  half_sweep(1);
  std::swap(spins_, next_);
  return 1;
}

std::vector<Field> Ising::watched() const {
  return {};
}

std::vector<std::span<std::byte>> Ising::state() {
  std::vector<std::span<std::byte>> all;
  for (Array<std::uint64_t>& colour : spins_) all.push_back(std::as_writable_bytes(std::span<std::uint64_t>(colour)));
  return all;
}

}  // namespace furrow::sim
