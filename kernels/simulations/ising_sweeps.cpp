// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is. Integers only: any has the same
// bits.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simulations/ising_sweeps.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simulations/ising_sweeps.hpp"
#include "furrow/kernels/random/philox.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::sim::ising::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace philox = random::HWY_NAMESPACE;

using Words = philox::Words;
using VecW = philox::VecW;

constexpr std::size_t kLanes = hn::MaxLanes(Words());
constexpr std::size_t kVectors = kGroup / kLanes;
/// Digits that are drawn at a time: what one call makes. After eight of them two cells of a group of 512 are undecided on average.
constexpr std::size_t kBatch = random::kWords / kGroup;

/// The cells of a group, in as many vectors as they fill.
struct Group {
  VecW of[kVectors];
};

void half_sweep(const HalfSweep& sweep, std::size_t first, std::size_t last, std::uint64_t* side) {
  const Words d;
  const Board& board = sweep.board;
  const philox::Keys keys = philox::keys_of(sweep.seed);
  HWY_ALIGN std::uint64_t digits[random::kWords];
  HWY_ALIGN std::uint64_t cells[kGroup];
  for (std::size_t y = first; y < last; ++y) {
    const std::uint64_t* const here = sweep.other + y * board.words;
    const std::uint64_t* const above = sweep.other + (y == 0 ? board.rows - 1 : y - 1) * board.words;
    const std::uint64_t* const below = sweep.other + (y + 1 == board.rows ? 0 : y + 1) * board.words;
    beside(board, (y + sweep.colour) % 2 != 0, here, side);
    for (std::size_t begin = 0; begin < board.words; begin += kGroup) {
      const std::uint64_t* const own = sweep.own + y * board.words + begin;
      for (std::size_t i = 0; i < kGroup; ++i) cells[i] = cells_of_word(board, begin + i);
      Group flips;
      Group undecided;
      Group none;  // those without unlike neighbours
      bool decided = true;
      for (std::size_t v = 0; v < kVectors; ++v) {
        const std::size_t i = begin + v * kLanes;
        const VecW spins = hn::LoadU(d, own + v * kLanes);
        const VecW valid = hn::Load(d, cells + v * kLanes);
        const VecW a = hn::Xor(spins, hn::LoadU(d, above + i));
        const VecW b = hn::Xor(spins, hn::LoadU(d, below + i));
        const VecW c = hn::Xor(spins, hn::LoadU(d, here + i));
        const VecW e = hn::Xor(spins, hn::LoadU(d, side + i));
        const VecW vertical = hn::Or(a, b);
        const VecW horizontal = hn::Or(c, e);
        const VecW two = hn::Or(hn::Or(hn::And(a, b), hn::And(c, e)), hn::And(vertical, horizontal));
        flips.of[v] = hn::And(two, valid);
        undecided.of[v] = hn::AndNot(two, valid);
        none.of[v] = hn::AndNot(hn::Or(vertical, horizontal), valid);
        decided = decided && hn::AllTrue(d, hn::Eq(undecided.of[v], hn::Zero(d)));
      }
      const std::uint64_t group = (y * board.words + begin) / kGroup;
      for (std::size_t digit = 0; !decided && digit < kPlanes; digit += kBatch) {
        philox::make_words(keys, sweep.stream, (group * kPlanes + digit) * kGroup / 2, digits);
        for (std::size_t k = 0; k < kBatch; ++k) {
          const VecW one_digit = hn::Set(d, sweep.acceptance->one[digit + k]);
          const VecW none_digit = hn::Set(d, sweep.acceptance->none[digit + k]);
          for (std::size_t v = 0; v < kVectors; ++v) {
            const VecW u = hn::Load(d, digits + k * kGroup + v * kLanes);
            const VecW p = hn::Or(hn::And(none.of[v], none_digit), hn::AndNot(none.of[v], one_digit));
            const VecW differs = hn::And(undecided.of[v], hn::Xor(u, p));
            flips.of[v] = hn::Or(flips.of[v], hn::And(differs, p));
            undecided.of[v] = hn::AndNot(differs, undecided.of[v]);
          }
        }
        decided = true;
        for (std::size_t v = 0; v < kVectors; ++v) decided = decided && hn::AllTrue(d, hn::Eq(undecided.of[v], hn::Zero(d)));
      }
      for (std::size_t v = 0; v < kVectors; ++v)
        hn::StoreU(hn::Xor(hn::LoadU(d, own + v * kLanes), flips.of[v]), d, sweep.out + y * board.words + begin + v * kLanes);
    }
  }
}

Counts count(const Board& board, const std::uint64_t* black, const std::uint64_t* white, std::size_t first, std::size_t last,
             std::uint64_t* side) {
  const auto ones = [](std::uint64_t bits) { return static_cast<std::uint64_t>(__builtin_popcountll(bits)); };
  Counts counts;
  for (std::size_t y = first; y < last; ++y) {
    const std::uint64_t* const own = black + y * board.words;
    const std::uint64_t* const here = white + y * board.words;
    const std::uint64_t* const above = white + (y == 0 ? board.rows - 1 : y - 1) * board.words;
    const std::uint64_t* const below = white + (y + 1 == board.rows ? 0 : y + 1) * board.words;
    beside(board, y % 2 != 0, here, side);
    for (std::size_t i = 0; 64 * i < board.cells; ++i) {
      counts.up += ones(own[i]) + ones(here[i]);
      counts.unlike += ones(own[i] ^ here[i]) + ones((own[i] ^ side[i]) & cells_of_word(board, i)) + ones(own[i] ^ above[i]) +
                       ones(own[i] ^ below[i]);
    }
  }
  return counts;
}

constexpr Sweeps kSweeps{half_sweep, count};

}  // namespace
}  // namespace furrow::sim::ising::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::sim::ising {
namespace {

constexpr Built<Sweeps> kBuilt[] = {FURROW_TABLES(kSweeps)};

}  // namespace

const Sweeps& sweeps() {
  static const Sweeps& chosen = chosen_of<Sweeps>(kBuilt);
  return chosen;
}

}  // namespace furrow::sim::ising
#endif  // HWY_ONCE
