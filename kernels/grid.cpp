#include "furrow/kernels/grid.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"

namespace furrow::blocking {
namespace {

std::ptrdiff_t parts(std::ptrdiff_t extent, std::ptrdiff_t length) {
  return (extent + length - 1) / length;
}

/// The length of equal parts, as many as `length` makes necessary.
std::ptrdiff_t even(std::ptrdiff_t extent, std::ptrdiff_t length) {
  return parts(extent, parts(extent, std::clamp<std::ptrdiff_t>(length, 1, extent)));
}

/// What computing beside the block adds to its own cells along an axis, on average over the steps.
double beside(std::ptrdiff_t extent, std::ptrdiff_t length, std::ptrdiff_t radius, std::ptrdiff_t steps) {
  if (length >= extent) return 1;
  return 1 + static_cast<double>(radius * (steps - 1)) / static_cast<double>(length);
}

/// A cache that blocks may work in: what of it is there for one, and what a step in it costs.
struct Level {
  std::ptrdiff_t bytes;
  double cost;
};

std::ptrdiff_t known_or(std::size_t bytes, std::size_t otherwise) {
  return static_cast<std::ptrdiff_t>(bytes != 0 ? bytes : otherwise);
}

constexpr std::ptrdiff_t kLeastUpdates = 1 << 15;  ///< of a block: threads pay from about there on

/// The extents of blocks of at most `highest` lines whose planes fit this much cache for so many steps.
std::array<std::ptrdiff_t, 3> block_in(std::ptrdiff_t cache, std::ptrdiff_t highest, const Grid& grid, const CellBytes& bytes,
                                       std::ptrdiff_t steps, int threads) {
  constexpr std::ptrdiff_t kLeastLength = 16;  // planes, lines or cells
  constexpr std::ptrdiff_t kBlocksPerThread = 4;
  const auto& [planes, lines, cells] = grid.extents;
  const std::ptrdiff_t more = together(grid.radius[1] == 0 ? 2 : 3);
  const std::ptrdiff_t kept = static_cast<std::ptrdiff_t>(bytes.fields) * steps * (2 * grid.radius[0] + more) +
                              static_cast<std::ptrdiff_t>(bytes.constants) * (grid.radius[0] * (steps + 1) + more);
  const std::ptrdiff_t room = cache / (kept * static_cast<std::ptrdiff_t>(bytes.element));  // cells of a plane
  std::array<std::ptrdiff_t, 3> beside{};
  for (std::size_t axis = 0; axis < 3; ++axis) beside[axis] = 2 * grid.radius[axis] * steps;

  const std::ptrdiff_t least_lines = std::min(lines, kLeastLength + beside[1]);
  // Whole cache lines, so that blocks do not share one that they stream.
  const auto line = 64 / static_cast<std::ptrdiff_t>(bytes.element);
  const std::ptrdiff_t share = even(cells, std::max(kLeastLength, room / least_lines - beside[2]));
  const std::ptrdiff_t width = std::min(cells, parts(share, line) * line);
  const std::ptrdiff_t fitting = std::max(kLeastLength, room / (width + beside[2]) - beside[1]);
  const std::ptrdiff_t height = even(lines, std::min(fitting, highest));
  const std::ptrdiff_t across = parts(lines, height) * parts(cells, width);
  const std::ptrdiff_t wanted =
      std::clamp<std::ptrdiff_t>(parts(threads * kBlocksPerThread, across), 1, grid.cells() / kLeastUpdates * steps + 1);
  return {even(planes, std::max(parts(planes, wanted), kLeastLength)), height, width};
}

}  // namespace

std::ptrdiff_t reflected(std::ptrdiff_t at, std::ptrdiff_t extent) {
  while (at < 0 || at >= extent) at = at < 0 ? -1 - at : 2 * extent - 1 - at;
  return at;
}

Grid checked(const std::array<std::size_t, 3>& extents, const std::array<Boundary, 3>& boundaries,
             const std::array<std::ptrdiff_t, 3>& radius) {
  // Room for what is computed beside the grid, and for the addresses of its cells.
  constexpr std::size_t kMost = std::size_t{1} << 60;
  Grid grid{{}, boundaries, radius};
  std::size_t cells = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    cells = check::product(cells, extents[axis]);
    if (cells > kMost || extents[axis] > kMost) fail("stencil: the shape has more cells than memory can hold");
    grid.extents[axis] = static_cast<std::ptrdiff_t>(extents[axis]);
  }
  return grid;
}

void check_size(std::size_t size, const Grid& grid) {
  if (size != static_cast<std::size_t>(grid.cells()))
    fail("stencil: a field of " + std::to_string(size) + " elements was given for a shape of " + std::to_string(grid.cells()) +
         " cells; both must be equal");
}

Cut cut_for(const Grid& grid, const CellBytes& bytes, std::size_t steps, int threads) {
  constexpr std::ptrdiff_t kSteps[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32};
  // In units of a step of a cell in the cache of the core:
  constexpr double kMemory = 3;  // reading and writing a cell in memory
  constexpr double kLine = 48;   // beginning a line
  // In a virtual machine, what is told of the last cache may be that of a whole chip, which others use too.
  constexpr std::ptrdiff_t kSurely = std::ptrdiff_t{4} << 20;
  const std::ptrdiff_t shared = std::min(static_cast<std::ptrdiff_t>(machine().l3_bytes) / (4 * threads), kSurely);
  const std::ptrdiff_t own = known_or(machine().l2_bytes, std::size_t{1} << 18) / 2;
  const auto cell = static_cast<std::ptrdiff_t>((2 * bytes.fields + bytes.constants) * bytes.element);
  if (grid.cells() < kLeastUpdates && grid.cells() * cell < 2 * own)
    return {std::clamp<std::size_t>(steps, 1, kSteps[std::size(kSteps) - 1]), grid.extents, {1, 1, 1}, true};
  const Level levels[] = {{own, 1}, {shared, 1.15}};

  Cut best{1, grid.extents, {1, 1, 1}};
  double least = 0;
  // Low blocks with many planes compute less beside them than high ones with few.
  for (std::ptrdiff_t highest = std::max<std::ptrdiff_t>(grid.extents[1], 1); highest > 0; highest /= 2) {
    for (const Level& level : levels) {
      for (const std::ptrdiff_t taken : kSteps) {
        if (static_cast<std::size_t>(taken) > std::max<std::size_t>(steps, 1)) break;
        const std::array<std::ptrdiff_t, 3> extents = block_in(level.bytes, highest, grid, bytes, taken, threads);
        double cost = level.cost * (1 + kLine / static_cast<double>(extents[2]));
        for (std::size_t axis = 0; axis < 3; ++axis) cost *= beside(grid.extents[axis], extents[axis], grid.radius[axis], taken);
        cost += kMemory / static_cast<double>(taken);
        if (least != 0 && cost >= least) continue;
        least = cost;
        best = {static_cast<std::size_t>(taken), extents, {}};
      }
    }
  }
  for (std::size_t axis = 0; axis < 3; ++axis) best.counts[axis] = parts(grid.extents[axis], best.extents[axis]);
  return best;
}

}  // namespace furrow::blocking
