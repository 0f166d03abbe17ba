#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "furrow/kernels/ranges.hpp"

// Grids that stencils work on: their boundaries, what is seen of them from a cell, and how they are cut into blocks.

namespace furrow {

/// What a stencil finds beyond the two ends of an axis.
class Boundary {
 public:
  /// What periodic(), fixed() and reflecting() make.
  enum class Kind : unsigned char { periodic, fixed, reflecting };

  /// The grid again, from its other end.
  static constexpr Boundary periodic() { return {Kind::periodic, 0}; }
  /// Cells of this value, in each field (Dirichlet).
  static constexpr Boundary fixed(double value) { return {Kind::fixed, value}; }
  /// The grid once more as in a mirror that stands on the faces of the outermost cells: no flux crosses them (Neumann).
  static constexpr Boundary reflecting() { return {Kind::reflecting, 0}; }

  /// Which of them it is.
  constexpr Kind kind() const { return kind_; }
  /// The value of cells beyond a fixed boundary; else 0.
  constexpr double value() const { return value_; }

 private:
  constexpr Boundary(Kind kind, double value) : kind_(kind), value_(value) {}

  Kind kind_;
  double value_;
};

/// One boundary for all axes of a grid, or one for each.
template <std::size_t D>
class Boundaries {
 public:
  /// The same for all axes.
  constexpr Boundaries(Boundary all) : Boundaries(all, std::make_index_sequence<D>()) {}  // NOLINT(google-explicit-constructor)
  /// One for each axis, the slowest first.
  constexpr Boundaries(const std::array<Boundary, D>& axes) : axes_(axes) {}  // NOLINT(google-explicit-constructor)

  /// That of an axis.
  constexpr const Boundary& operator[](std::size_t axis) const { return axes_[axis]; }

 private:
  template <std::size_t... Axis>
  constexpr Boundaries(Boundary all, std::index_sequence<Axis...>) : axes_{((void)Axis, all)...} {}

  std::array<Boundary, D> axes_;
};

/// What an operation sees of a field: the cell it computes and those within the radius of the stencil.
template <class T, std::size_t D, std::size_t Radius>
class Neighbourhood {
  static constexpr std::ptrdiff_t kReach = Radius;
  static constexpr std::ptrdiff_t kSide = 2 * kReach + 1;

 public:
  /// Lines of cells that it reaches.
  static constexpr std::size_t kLines = D == 2 ? kSide : kSide * kSide;
  /// Their first cells.
  using Lines = std::array<const T*, kLines>;

  /// That of the cell `at` cells from the beginning of the middle line.
  constexpr Neighbourhood(const Lines& lines, std::ptrdiff_t at) : lines_(lines), at_(at) {}

  /// The cell so many rows down and columns to the right.
  constexpr T operator()(std::ptrdiff_t rows, std::ptrdiff_t columns) const requires(D == 2) {
    return lines_[static_cast<std::size_t>(rows + kReach)][at_ + columns];
  }
  /// The cell so many planes, rows and columns on.
  constexpr T operator()(std::ptrdiff_t planes, std::ptrdiff_t rows, std::ptrdiff_t columns) const requires(D == 3) {
    return lines_[static_cast<std::size_t>((planes + kReach) * kSide + rows + kReach)][at_ + columns];
  }

 private:
  const Lines& lines_;
  std::ptrdiff_t at_;
};

namespace blocking {

// std::min and std::max of places along an axis: all of <algorithm> would be a tenth of what furrow's headers cost to compile.
constexpr std::ptrdiff_t least(std::ptrdiff_t a, std::ptrdiff_t b) {
  return b < a ? b : a;
}
constexpr std::ptrdiff_t most(std::ptrdiff_t a, std::ptrdiff_t b) {
  return a < b ? b : a;
}

/// A grid as planes of lines of cells; one of two dimensions has planes of one line.
struct Grid {
  std::array<std::ptrdiff_t, 3> extents;
  std::array<Boundary, 3> boundaries;
  std::array<std::ptrdiff_t, 3> radius;

  std::ptrdiff_t cells() const { return extents[0] * extents[1] * extents[2]; }
};

/// How a pass cuts the grid: into blocks of these extents, each of which takes so many steps while it is in cache.
struct Cut {
  std::size_t steps;
  std::array<std::ptrdiff_t, 3> extents;
  std::array<std::ptrdiff_t, 3> counts;
  bool whole = false;  ///< one block that takes a step as a whole, then the next: it stays in the core's cache as it is

  std::size_t blocks() const { return static_cast<std::size_t>(counts[0] * counts[1] * counts[2]); }
};

/// What a cell costs in memory.
struct CellBytes {
  std::size_t element;
  std::size_t fields;
  std::size_t constants;
  bool leapfrog = false;  ///< two fields of which the second one is the first one a step before
};

/// How many planes of a grid of D dimensions go through a step together.
constexpr std::ptrdiff_t together(std::size_t dimensions) {
  return dimensions == 2 ? 2 : 1;
}

/// How lines lie in the memory of blocks, in elements of which `in_cache_line` fill a cache line.
struct LineLayout {
  std::ptrdiff_t before;  ///< from the beginning of a line's memory to its first own cell
  std::ptrdiff_t stride;  ///< from line to line

  LineLayout(std::ptrdiff_t cells, std::ptrdiff_t margin, std::ptrdiff_t radius, std::ptrdiff_t in_cache_line) {
    const auto whole = [=](std::ptrdiff_t size) { return (size + in_cache_line - 1) / in_cache_line; };
    // One cache line more than steps need, for loads of vectors.
    before = whole(most(margin + in_cache_line - radius, radius)) * in_cache_line;
    // Without margins, what lies behind a line and what lies before the next one fit one gap.
    const std::ptrdiff_t gap = margin == 0 && 2 * radius <= in_cache_line ? before : 2 * before;
    // Lines that lie a multiple of 4 KiB apart would take each other's place in the first cache.
    stride = (whole(cells + gap) | 1) * in_cache_line;
  }
};

/// The cut that should be fastest for a pass of at most `steps` steps on so many threads. It cannot change a result.
Cut cut_for(const Grid& grid, const CellBytes& bytes, std::size_t steps, int threads);

/// Throws Error if the number of cells overflows.
Grid checked(const std::array<std::size_t, 3>& extents, const std::array<Boundary, 3>& boundaries,
             const std::array<std::ptrdiff_t, 3>& radius);

/// A grid of two or three dimensions. Throws Error if an extent is negative or their product overflows.
template <std::size_t D, class Index>
Grid grid_of(const Index (&shape)[D], const Boundaries<D>& boundary, std::size_t radius) {
  const auto reach = static_cast<std::ptrdiff_t>(radius);
  if constexpr (D == 2)
    return checked({check::extent(shape[0]), 1, check::extent(shape[1])}, {boundary[0], Boundary::periodic(), boundary[1]},
                   {reach, 0, reach});
  else
    return checked({check::extent(shape[0]), check::extent(shape[1]), check::extent(shape[2])},
                   {boundary[0], boundary[1], boundary[2]}, {reach, reach, reach});
}

/// Throws Error unless a range of `size` elements is all cells of the grid.
void check_size(std::size_t size, const Grid& grid);

/// Cells [begin, end) of an axis.
struct Span {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;
};

/// Where along an axis what lies beyond its ends is found again.
std::ptrdiff_t reflected(std::ptrdiff_t at, std::ptrdiff_t extent);
inline std::ptrdiff_t wrapped(std::ptrdiff_t at, std::ptrdiff_t extent) {
  if (at >= 0 && at < extent) return at;  // nearly always, and a division costs more than a cell
  const std::ptrdiff_t rest = at % extent;
  return rest < 0 ? rest + extent : rest;
}

}  // namespace blocking
}  // namespace furrow
