#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// Sweeps over an Ising lattice whose spins are bits: what Ising does on rows, in SIMD code.

namespace furrow::sim::ising {

/// The cells of a chessboard's colour, 0 or 1: those with (row + column) mod 2 = colour. Cell j of a row is the one in column 2j or
/// 2j + 1; its spin is bit j mod 64 of the row's word j / 64.
struct Board {
  std::size_t rows = 0;
  std::size_t cells = 0;  ///< of one colour in a row
  std::size_t words = 0;  ///< of a row: a multiple of kGroup, the bits behind the cells are 0

  constexpr Board() = default;
  constexpr Board(std::size_t height, std::size_t width);
};

/// Rows are swept in groups of so many words.
inline constexpr std::size_t kGroup = 8;
/// The random numbers that decide on flips have so many bits; each is drawn for all cells of a group at once (see below).
inline constexpr std::size_t kPlanes = 64;

constexpr Board::Board(std::size_t height, std::size_t width)
    : rows(height), cells(width / 2), words((cells + 64 * kGroup - 1) / (64 * kGroup) * kGroup) {}

/// Probabilities of flips that cost energy, as numbers of kPlanes binary digits, the first that of 1/2; each digit is all ones or
/// all zeros. `one` is p, for a cell with one unlike neighbour, `none` p², for one without; p has but half as many digits.
struct Acceptance {
  std::array<std::uint64_t, kPlanes> one{};
  std::array<std::uint64_t, kPlanes> none{};

  constexpr Acceptance() = default;
  /// p / 2^32.
  constexpr explicit Acceptance(std::uint32_t p) {
    const auto digit = [](std::uint64_t of, std::size_t k) { return std::uint64_t{0} - (of >> (kPlanes - 1 - k) & 1); };
    for (std::size_t k = 0; k < kPlanes; ++k) {
      one[k] = digit(std::uint64_t{p} << 32, k);
      none[k] = digit(std::uint64_t{p} * p, k);
    }
  }
};

/// A sweep over the cells of one colour. Those flip that have two or more unlike neighbours, and others by chance: where
/// U < p or U < p², U of kPlanes binary digits. Digit k of the cells of group g (counted over all rows) are words
/// 512 g + 8 k … + 7 of the seed and stream; later digits are only looked at while there are cells that they could matter to.
struct HalfSweep {
  Board board;
  unsigned colour;
  std::uint64_t seed;
  std::uint64_t stream;
  const Acceptance* acceptance;
  const std::uint64_t* own;    ///< the colour's spins
  const std::uint64_t* other;  ///< those of the other colour
  std::uint64_t* out;          ///< the colour's spins after it; may not overlap either
};

struct Counts {
  std::uint64_t up = 0;      ///< spins
  std::uint64_t unlike = 0;  ///< pairs of neighbours
};

struct Sweeps {
  /// Sweeps rows [first, last). `side` is memory for a row.
  void (*half_sweep)(const HalfSweep& sweep, std::size_t first, std::size_t last, std::uint64_t* side);
  /// Of rows [first, last): both colours' spins, and the black cells, of colour 0, with their neighbours.
  Counts (*count)(const Board& board, const std::uint64_t* black, const std::uint64_t* white, std::size_t first, std::size_t last,
                  std::uint64_t* side);
};

/// Those of the instruction set in use.
const Sweeps& sweeps();

/// The cells beside those of the row, on the side on which they do not have the same number: to the left where cells are in even
/// columns, else to the right. The bits behind the cells may be anything.
inline void beside(const Board& board, bool odd_columns, const std::uint64_t* row, std::uint64_t* side) {
  const std::size_t last = board.cells - 1;
  const std::size_t words = board.words;
  if (odd_columns) {
    for (std::size_t i = 0; i + 1 < words; ++i) side[i] = row[i] >> 1 | row[i + 1] << 63;
    side[words - 1] = row[words - 1] >> 1;
    side[last / 64] |= (row[0] & 1) << last % 64;  // what stands behind the last cell is 0
  } else {
    for (std::size_t i = words; i-- > 1;) side[i] = row[i] << 1 | row[i - 1] >> 63;
    side[0] = row[0] << 1 | (row[last / 64] >> last % 64 & 1);
  }
}

/// The bits of word i of a row that are cells.
inline std::uint64_t cells_of_word(const Board& board, std::size_t i) {
  if (board.cells <= 64 * i) return 0;
  const std::size_t count = board.cells - 64 * i;
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

}  // namespace furrow::sim::ising
