#include "furrow/kernels/grid.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow::blocking {
namespace {

std::ptrdiff_t parts(std::ptrdiff_t extent, std::ptrdiff_t length) {
  return (extent + length - 1) / length;
}

/// The length of equal parts, as many as `length` makes necessary.
std::ptrdiff_t even(std::ptrdiff_t extent, std::ptrdiff_t length) {
  return parts(extent, parts(extent, std::clamp<std::ptrdiff_t>(length, 1, extent)));
}

/// A cache that blocks may work in: what of it is there for one, and what a step in it costs.
struct Level {
  std::ptrdiff_t bytes;
  double cost;
};

std::ptrdiff_t known_or(std::size_t bytes, std::size_t otherwise) {
  return static_cast<std::ptrdiff_t>(bytes != 0 ? bytes : otherwise);
}

// In units of a step of a cell of one field of a plane in the cache of the core:
constexpr double kSpace = 2;          ///< the same of a space: from lines of three planes
constexpr double kLine = 48;          ///< beginning a line
constexpr double kMemory = 3;         ///< reading and writing a cell in memory
constexpr double kCache = 1.5;        ///< the same in a cache that cores share
constexpr double kNoCache = 2;        ///< a step of a block that fits no cache
constexpr double kMeeting = 1 << 14;  ///< handing blocks to threads and waiting for them

constexpr double kLeastUpdates = 1 << 15;  ///< of a block: threads pay from about there on
constexpr double kMostBlocks = 1 << 20;

/// What cuts of one grid cost, and the best so far.
class Search {
 public:
  Search(const Grid& grid, const CellBytes& bytes, int threads, bool cached)
      : grid_(grid),
        bytes_(bytes),
        threads_(threads),
        outside_(cached ? kCache : kMemory),
        blocks_per_thread_(cached ? 1 : 4),
        best_{1, grid.extents, {1, 1, 1}} {
    blocks(std::min(grid.extents[1], kLeastLength), std::min(grid.extents[2], kLeastWidth), kNoCache, 1);
  }

  /// The whole grid, which fits the cache of the core.
  void whole(std::ptrdiff_t steps) {
    take({static_cast<std::size_t>(steps), grid_.extents, {1, 1, 1}, true}, step_of_cell(grid_.extents[2], steps, 1));
  }

  /// Blocks whose planes fit a level of cache for so many steps. Returns whether planes as they are do.
  bool in(const Level& level, std::ptrdiff_t steps) {
    const auto& [planes, lines, cells] = grid_.extents;
    const std::ptrdiff_t more = together(grid_.radius[1] == 0 ? 2 : 3);
    const std::ptrdiff_t states = bytes_.leapfrog ? steps + 1 : static_cast<std::ptrdiff_t>(bytes_.fields) * steps;
    const std::ptrdiff_t kept = states * (2 * grid_.radius[0] + more) +
                                static_cast<std::ptrdiff_t>(bytes_.constants) * (grid_.radius[0] * (steps + 1) + more);
    const std::ptrdiff_t room = level.bytes / (kept * static_cast<std::ptrdiff_t>(bytes_.element));  // elements of a plane
    const auto in_cache_line = 64 / static_cast<std::ptrdiff_t>(bytes_.element);
    bool uncut = false;
    for (std::ptrdiff_t share = cells;; share /= 2) {
      // Whole cache lines, so that blocks do not share one that they stream.
      const std::ptrdiff_t width = std::min(cells, parts(share, in_cache_line) * in_cache_line);
      const std::ptrdiff_t margin = width < cells ? grid_.radius[2] * steps : 0;
      const std::ptrdiff_t fitting = room / LineLayout(width, margin, grid_.radius[2], in_cache_line).stride;
      uncut = uncut || (width == cells && fitting >= lines);
      std::ptrdiff_t height = fitting >= lines ? lines : std::min(fitting - 2 * grid_.radius[1] * steps, lines - 1);
      // Low blocks with many planes compute less beside them than high ones with few.
      for (; height >= std::min(lines, kLeastLength); height /= 2) blocks(even(lines, height), width, level.cost, steps);
      if (share <= kLeastWidth) return uncut;
    }
  }

  const Cut& best() const { return best_; }

 private:
  static constexpr std::ptrdiff_t kLeastLength = 16;  // planes or lines
  static constexpr std::ptrdiff_t kLeastWidth = 64;   // cells

  /// Blocks of such planes, as many along them as threads want.
  void blocks(std::ptrdiff_t height, std::ptrdiff_t width, double step, std::ptrdiff_t steps) {
    const auto& [planes, lines, cells] = grid_.extents;
    const std::ptrdiff_t across = parts(lines, height) * parts(cells, width);
    const double updates = static_cast<double>(grid_.cells()) * static_cast<double>(bytes_.fields) * static_cast<double>(steps);
    const auto most = static_cast<std::ptrdiff_t>(std::min(updates / kLeastUpdates, kMostBlocks)) + 1;
    const std::ptrdiff_t wanted = std::clamp<std::ptrdiff_t>(parts(threads_ * blocks_per_thread_, across), 1, most);
    Cut cut{static_cast<std::size_t>(steps), {even(planes, std::max(parts(planes, wanted), kLeastLength)), height, width}, {}};
    double cost = step_of_cell(width, steps, step);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      cut.counts[axis] = parts(grid_.extents[axis], cut.extents[axis]);
      // What is computed beside the block, on average over the steps. A sweep along the planes has to go round at both ends.
      const bool round = axis == 0 && grid_.boundaries[0].kind() == Boundary::Kind::periodic;
      if (cut.counts[axis] > 1 || round)
        cost *= 1 + static_cast<double>(grid_.radius[axis] * (steps - 1)) / static_cast<double>(cut.extents[axis]);
    }
    const auto count = static_cast<std::ptrdiff_t>(cut.blocks());
    cost *= static_cast<double>(parts(count, threads_)) / static_cast<double>(count);
    if (threads_ > 1) cost += kMeeting / updates;
    take(cut, cost);
  }

  double step_of_cell(std::ptrdiff_t width, std::ptrdiff_t steps, double step) const {
    const double cell = grid_.radius[1] == 0 ? 1 : kSpace;
    return step * (cell + kLine / static_cast<double>(width)) + outside_ / static_cast<double>(steps);
  }

  void take(const Cut& cut, double cost) {
    if (least_ != 0 && cost >= least_) return;
    least_ = cost;
    best_ = cut;
  }

  const Grid& grid_;
  const CellBytes& bytes_;
  std::ptrdiff_t threads_;
  double outside_;
  std::ptrdiff_t blocks_per_thread_;
  Cut best_;
  double least_ = 0;
};

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
  // In a virtual machine, what is told of the last cache may be that of a whole chip, which others use too.
  constexpr std::ptrdiff_t kSurely = std::ptrdiff_t{4} << 20;
  const std::ptrdiff_t shared = std::min(static_cast<std::ptrdiff_t>(machine().l3_bytes) / (4 * threads), kSurely);
  const std::ptrdiff_t own = known_or(machine().l2_bytes, std::size_t{1} << 18) / 2;
  const auto cell = static_cast<std::ptrdiff_t>((2 * bytes.fields + bytes.constants) * bytes.element);
  const bool fits_own = grid.cells() < 2 * own / cell;

  const auto wanted = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(steps, 1, std::size_t{1} << 40));
  Search search(grid, bytes, threads, !worth_streaming(static_cast<std::size_t>(grid.cells() * cell)));
  std::ptrdiff_t before = 0;
  for (const std::ptrdiff_t most : kSteps) {
    const std::ptrdiff_t taken = even(wanted, most);  // passes share the steps
    if (taken == before) continue;
    before = taken;
    if (fits_own) search.whole(taken);
    if (!search.in({own, 1}, taken)) search.in({shared, 1.15}, taken);
  }
  return search.best();
}

}  // namespace furrow::blocking
