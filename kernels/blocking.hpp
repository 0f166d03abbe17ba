#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/engine/owned.hpp"
#include "furrow/kernels/grid.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/streaming.hpp"

// Several steps of a stencil in one pass over memory.

namespace furrow {
namespace blocking {

// std::min and std::max of places along an axis: all of <algorithm> would be a tenth of what furrow's headers cost to compile.
constexpr std::ptrdiff_t least(std::ptrdiff_t a, std::ptrdiff_t b) {
  return b < a ? b : a;
}
constexpr std::ptrdiff_t most(std::ptrdiff_t a, std::ptrdiff_t b) {
  return a < b ? b : a;
}

/// Lines of the latest planes of a field at one time, in cache: planes take the place of those `depth` before them.
template <class T>
struct Ring {
  T* memory;
  std::ptrdiff_t depth;
  std::ptrdiff_t lines;
  std::ptrdiff_t stride;

  T* line(std::ptrdiff_t plane, std::ptrdiff_t line) const { return memory + (plane % depth * lines + line) * stride; }
};

/// Memory that blocks work in, one after the other: fresh pages for each would cost more than the work.
class Workspaces {
 public:
  Workspaces();
  ~Workspaces();
  Workspaces(const Workspaces&) = delete;
  Workspaces& operator=(const Workspaces&) = delete;

  /// At least so many bytes.
  Scratch<std::byte> take(std::size_t bytes);
  void give_back(Scratch<std::byte> memory) noexcept;

 private:
  struct State;
  Owned<State> state_;
};

/// Such memory for n elements, until the end of a scope.
template <class T>
class Workspace {
 public:
  Workspace(Workspaces& of, std::ptrdiff_t n) : of_(of), memory_(of.take(static_cast<std::size_t>(n) * sizeof(T))) {}
  ~Workspace() { of_.give_back(std::move(memory_)); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() const { return reinterpret_cast<T*>(memory_.data()); }

 private:
  Workspaces& of_;
  Scratch<std::byte> memory_;
};

/// What operations derive from that compute a line at a time, with instructions of their own choice:
///
///     void line(const std::array<Lines, F + C>& from, std::ptrdiff_t first, std::ptrdiff_t size, const std::array<T*, F>& to)
///     const;
///
/// `from` has the lines about it of each field and constant, as a Neighbourhood has them; in the middle one of field f the cells
/// [first, first + size) are replaced, and their new values go to to[f][0], to[f][1], …
struct LineOperation {};

/// A block of a grid on its way through several steps.
///
/// The block sweeps along the planes, all steps at once: as soon as step t of plane p is there, step t + 1 can be made of the plane
/// a radius before it. Of each step only the planes that the next one reads are kept, so that they stay in cache; memory is read
/// for the first step and written for the last. At its sides a block computes what its neighbours do too, as far as its later steps
/// need it: blocks need not wait for each other. Rows of planar grids go two at a time through each step: what one reads is still
/// in the first-level cache for the other. (Overlapped tiling with a wavefront inside; after Wonnacott, IPDPS 2000; Krishnamoorthy
/// et al., PLDI 2007.)
template <class T, std::size_t F, std::size_t C, std::size_t D, std::size_t Radius, class Op>
class Block {
  static constexpr std::ptrdiff_t kRadius = Radius;
  static constexpr std::ptrdiff_t kSide = 2 * kRadius + 1;
  static constexpr std::ptrdiff_t kTogether = together(D);
  static constexpr std::ptrdiff_t kKept = kSide + kTogether - 1;   ///< planes of a step
  static constexpr std::ptrdiff_t kLine = 64 / sizeof(T);          ///< cells
  static constexpr std::ptrdiff_t kAcross = D == 2 ? 0 : kRadius;  ///< radius from line to line of a plane
  using Near = Neighbourhood<T, D, Radius>;

 public:
  struct Pass {
    const Grid& grid;
    const Cut& cut;
    std::array<const T*, F> in;
    std::array<T*, F> out;
    std::array<const T*, C> constants;
    const Op& op;
    bool stream;
  };

  Block(const Pass& pass, std::size_t block) : pass_(pass), steps_(static_cast<std::ptrdiff_t>(pass.cut.steps)) {
    auto at = static_cast<std::ptrdiff_t>(block);
    for (std::size_t axis = 3; axis-- > 0;) {
      const std::ptrdiff_t index = at % pass.cut.counts[axis];
      at /= pass.cut.counts[axis];
      begin_[axis] = index * pass.cut.extents[axis];
      end_[axis] = least(begin_[axis] + pass.cut.extents[axis], pass.grid.extents[axis]);
    }
    lines_ = end_[1] - begin_[1] + 2 * kAcross * steps_;
    beside_ = (kRadius * steps_ + kLine - 1) / kLine * kLine;
    // Lines that lie a multiple of 4 KiB apart would take each other's place in the first cache.
    stride_ = ((end_[2] - begin_[2] + 2 * beside_ + kLine - 1) / kLine | 1) * kLine;
  }

  void run(Workspaces& workspaces) {
    const std::ptrdiff_t plane = lines_ * stride_;
    const std::ptrdiff_t kept = kRadius * (steps_ + 1) + kTogether;  // planes of what does not change
    constexpr auto fields = static_cast<std::ptrdiff_t>(F);
    constexpr auto constants = static_cast<std::ptrdiff_t>(C);
    const Workspace<T> workspace(workspaces, fields * steps_ * kKept * plane + constants * kept * plane + (fields + 2) * stride_);
    T* next = workspace.data();
    const auto take = [&](std::ptrdiff_t size) { return std::exchange(next, next + size); };
    rings_ = take(fields * steps_ * kKept * plane);
    for (Ring<T>& ring : constant_rings_) ring = {take(kept * plane), kept, lines_, stride_};
    for (T*& line : last_) line = take(stride_);
    for (T*& line : beyond_) line = take(stride_);
    for (std::size_t axis = 0; axis < beyond_.size(); ++axis)
      std::uninitialized_fill_n(beyond_[axis], stride_, static_cast<T>(pass_.grid.boundaries[axis].value()));
    sweep();
  }

  /// The new values of `size` cells from `first` on in the middle of these lines.
  static void compute(const Op& op, const std::array<typename Near::Lines, F + C>& from, std::ptrdiff_t first, std::ptrdiff_t size,
                      const std::array<T*, F>& to) {
    if constexpr (std::derived_from<Op, LineOperation>)
      op.line(from, first, size, to);
    else
      compute(op, from, first, size, to, std::make_index_sequence<F>(), std::make_index_sequence<F + C>());
  }

 private:
  void sweep() {
    const Span read = reach(0, 0);
    for (std::ptrdiff_t first = read.begin; first < end_[0] + kRadius * steps_; first += kTogether) {
      for (std::ptrdiff_t plane = first; plane < least(first + kTogether, read.end); ++plane) load(plane);
      for (std::ptrdiff_t step = 1; step <= steps_; ++step) {
        const Span range = reach(0, step);
        for (std::ptrdiff_t plane = first; plane < first + kTogether; ++plane) {
          const std::ptrdiff_t behind = plane - kRadius * step;
          if (behind < range.begin || behind >= range.end) continue;
          const std::ptrdiff_t next = plane + kTogether;
          ahead_ = next < read.end ? wrapped(next, pass_.grid.extents[0]) : -1;
          advance(step, behind);
        }
      }
    }
    if (pass_.stream) stream_fence();
  }

  bool periodic(std::size_t axis) const { return pass_.grid.boundaries[axis].kind() == Boundary::Kind::periodic; }
  bool fixed(std::size_t axis) const { return pass_.grid.boundaries[axis].kind() == Boundary::Kind::fixed; }

  /// The cells of an axis whose state after `step` steps the block needs.
  Span reach(std::size_t axis, std::ptrdiff_t step) const {
    const std::ptrdiff_t more = pass_.grid.radius[axis] * (steps_ - step);
    const Span all{begin_[axis] - more, end_[axis] + more};
    if (periodic(axis)) return all;
    return {most(all.begin, 0), least(all.end, pass_.grid.extents[axis])};
  }

  std::ptrdiff_t local(std::size_t axis, std::ptrdiff_t at) const { return at - begin_[axis] + pass_.grid.radius[axis] * steps_; }

  std::ptrdiff_t cell_at(std::ptrdiff_t at) const { return at - begin_[2] + beside_; }

  Ring<T> ring(std::size_t field, std::ptrdiff_t step) const {
    const std::ptrdiff_t index = static_cast<std::ptrdiff_t>(field) * steps_ + step;
    return {rings_ + index * kKept * lines_ * stride_, kKept, lines_, stride_};
  }

  /// Reads a plane of all fields from memory.
  void load(std::ptrdiff_t plane) {
    const Span lines = reach(1, 0);
    for (std::ptrdiff_t line = lines.begin; line < lines.end; ++line) {
      const std::ptrdiff_t row =
          wrapped(plane, pass_.grid.extents[0]) * pass_.grid.extents[1] + wrapped(line, pass_.grid.extents[1]);
      const std::ptrdiff_t first = row * pass_.grid.extents[2];
      for (std::size_t f = 0; f < F; ++f) load_line(pass_.in[f] + first, line_of(ring(f, 0), plane, line), fixed(2));
      for (std::size_t c = 0; c < C; ++c) load_line(pass_.constants[c] + first, line_of(constant_rings_[c], plane, line), false);
    }
  }
  void load_line(const T* from, T* to, bool ends_fixed) const {
    const Span cells = reach(2, 0);
    const std::ptrdiff_t extent = pass_.grid.extents[2];
    for (std::ptrdiff_t x = cells.begin; x < cells.end;) {
      const std::ptrdiff_t at = wrapped(x, extent);
      const std::ptrdiff_t size = least(cells.end - x, extent - at);
      std::uninitialized_copy_n(from + at, size, to + cell_at(x));
      x += size;
    }
    finish_line(to, ends_fixed);
  }

  /// Puts what lies beyond the ends of a line beside it.
  void finish_line(T* line, bool ends_fixed) const {
    if (periodic(2)) return;
    const std::ptrdiff_t extent = pass_.grid.extents[2];
    const auto put = [&](std::ptrdiff_t x) {
      line[cell_at(x)] = ends_fixed ? static_cast<T>(pass_.grid.boundaries[2].value()) : line[cell_at(reflected(x, extent))];
    };
    for (std::ptrdiff_t x = most(-kRadius, begin_[2] - kRadius * steps_); x < 0; ++x) put(x);
    for (std::ptrdiff_t x = extent; x < least(extent + kRadius, end_[2] + kRadius * steps_); ++x) put(x);
  }

  /// Asks for part of a line of the plane that is loaded next: each step for its share, so that memory works while steps are made.
  void fetch_ahead(std::ptrdiff_t step, std::ptrdiff_t line) const {
    if (ahead_ < 0) return;
    const std::ptrdiff_t share = (end_[2] - begin_[2]) / steps_ + kLine;
    const std::ptrdiff_t from = begin_[2] + (step - 1) * share;
    const std::ptrdiff_t cell = (ahead_ * pass_.grid.extents[1] + wrapped(line, pass_.grid.extents[1])) * pass_.grid.extents[2];
    for (std::ptrdiff_t x = from; x < least(from + share, end_[2]); x += kLine) {
      for (std::size_t f = 0; f < F; ++f) __builtin_prefetch(pass_.in[f] + cell + x, 0, 2);
      for (std::size_t c = 0; c < C; ++c) __builtin_prefetch(pass_.constants[c] + cell + x, 0, 2);
    }
  }

  T* line_of(const Ring<T>& ring, std::ptrdiff_t plane, std::ptrdiff_t line) const {
    return ring.line(local(0, plane), local(1, line));
  }
  bool inside(std::size_t axis, std::ptrdiff_t at) const { return periodic(axis) || (at >= 0 && at < pass_.grid.extents[axis]); }
  /// Where what lies beside a plane or line is found along axis 0 or 1, unless it is of a fixed value: its index in the block.
  std::ptrdiff_t found(std::size_t axis, std::ptrdiff_t at) const {
    return local(axis, inside(axis, at) ? at : reflected(at, pass_.grid.extents[axis]));
  }

  /// Makes a step of a plane out of the planes of the step before.
  void advance(std::ptrdiff_t step, std::ptrdiff_t plane) {
    std::array<std::array<const T*, kSide>, F + C> planes{};  // null: of a fixed value
    for (std::ptrdiff_t p = 0; p < kSide; ++p) {
      const std::ptrdiff_t at = found(0, plane + p - kRadius);
      const bool of_fixed_value = fixed(0) && !inside(0, plane + p - kRadius);
      for (std::size_t f = 0; f < F && !of_fixed_value; ++f) planes[f][static_cast<std::size_t>(p)] = ring(f, step - 1).line(at, 0);
      for (std::size_t c = 0; c < C; ++c) planes[F + c][static_cast<std::size_t>(p)] = constant_rings_[c].line(at, 0);
    }
    std::array<T*, F> made{};
    for (std::size_t f = 0; f < F && step < steps_; ++f) made[f] = ring(f, step).line(local(0, plane), 0);

    const Span lines = reach(1, step);
    const Span cells = reach(2, step);
    const std::ptrdiff_t first = cell_at(cells.begin);
    const std::ptrdiff_t size = cells.end - cells.begin;
    for (std::ptrdiff_t line = lines.begin; line < lines.end; ++line) {
      const std::array<typename Near::Lines, F + C> from = near_lines(planes, line);
      std::array<T*, F> to{};
      const std::ptrdiff_t target = (plane * pass_.grid.extents[1] + line) * pass_.grid.extents[2] + begin_[2];
      for (std::size_t f = 0; f < F; ++f) {
        if (step < steps_)
          to[f] = made[f] + local(1, line) * stride_ + first;
        else
          to[f] = pass_.stream ? last_[f] : pass_.out[f] + target;
      }
      fetch_ahead(step, line);
      compute(pass_.op, from, first, size, to);
      for (std::size_t f = 0; f < F; ++f) {
        if (step < steps_)
          finish_line(to[f] - first, fixed(2));
        else if (pass_.stream)
          stream_copy(pass_.out[f] + target, last_[f], static_cast<std::size_t>(size) * sizeof(T));
      }
    }
  }

  /// The lines about `line` in these planes.
  std::array<typename Near::Lines, F + C> near_lines(const std::array<std::array<const T*, kSide>, F + C>& planes,
                                                     std::ptrdiff_t line) const {
    std::array<typename Near::Lines, F + C> lines{};
    std::size_t next = 0;
    for (std::size_t p = 0; p < kSide; ++p) {
      for (std::ptrdiff_t l = line - kAcross; l <= line + kAcross; ++l, ++next) {
        const std::ptrdiff_t at = found(1, l);
        const bool of_fixed_value = fixed(1) && !inside(1, l);
        for (std::size_t f = 0; f < F + C; ++f) {
          const T* const plane = planes[f][p];
          lines[f][next] = plane == nullptr ? beyond_[0] : of_fixed_value && f < F ? beyond_[1] : plane + at * stride_;
        }
      }
    }
    return lines;
  }

  /// Apart from its caller, so that it has all registers for its lines.
  template <std::size_t... Of, std::size_t... From>
  [[gnu::noinline]] static void compute(const Op& op, const std::array<typename Near::Lines, F + C>& from, std::ptrdiff_t first,
                                        std::ptrdiff_t size, const std::array<T*, F>& to, std::index_sequence<Of...>,
                                        std::index_sequence<From...>) {
    const std::array<typename Near::Lines, F + C> lines = from;  // copies, so that what is written cannot be them
    const std::array<T*, F> out = to;
    loops::Held<const Op> own = op;
    const auto cell = [&](std::ptrdiff_t i) {
      if constexpr (F == 1) {
        out[0][i] = own(Near(lines[From], first + i)...);
      } else {
        const std::array<T, F> values = own(Near(lines[From], first + i)...);
        ((out[Of][i] = values[Of]), ...);
      }
    };
    const std::ptrdiff_t before = least(size, -first & (kLine - 1));
    std::ptrdiff_t i = 0;
#pragma GCC unroll 1
    for (; i < before; ++i) cell(i);
#pragma GCC ivdep
    for (; i < size; ++i) cell(i);
  }

  const Pass& pass_;
  std::ptrdiff_t steps_;
  std::array<std::ptrdiff_t, 3> begin_{};
  std::array<std::ptrdiff_t, 3> end_{};
  std::ptrdiff_t ahead_ = -1;  ///< the plane that is loaded next
  std::ptrdiff_t beside_ = 0;
  std::ptrdiff_t lines_ = 0;
  std::ptrdiff_t stride_ = 0;
  T* rings_ = nullptr;
  std::array<Ring<T>, C> constant_rings_{};
  std::array<T*, F> last_{};
  std::array<T*, 2> beyond_{};  ///< lines of what lies beyond a fixed boundary
};

/// A grid small enough to stay in the cache of a core: all its cells take a step, then the next, from copy to copy. Lines of the
/// copies have what lies beyond their ends beside them, so that nothing is computed twice.
template <class T, std::size_t F, std::size_t C, std::size_t D, std::size_t Radius, class Op>
class Whole {
  using B = Block<T, F, C, D, Radius, Op>;
  using Lines = typename Neighbourhood<T, D, Radius>::Lines;
  static constexpr std::ptrdiff_t kRadius = Radius;
  static constexpr std::ptrdiff_t kAcross = D == 2 ? 0 : kRadius;
  static constexpr std::ptrdiff_t kLine = 64 / sizeof(T);
  static constexpr std::ptrdiff_t kBeside = (kRadius + kLine - 1) / kLine * kLine;

 public:
  explicit Whole(const typename B::Pass& pass)
      : pass_(pass), lines_(pass.grid.extents[0] * pass.grid.extents[1]), cells_(pass.grid.extents[2]) {
    // As in Block.
    stride_ = ((cells_ + 2 * kBeside + kLine - 1) / kLine | 1) * kLine;
    for (std::size_t i = 0; i < Radius; ++i) {
      before_[i] = again(2, -1 - static_cast<std::ptrdiff_t>(i));
      behind_[i] = again(2, cells_ + static_cast<std::ptrdiff_t>(i));
    }
  }

  void run(Workspaces& workspaces) {
    const auto lines = static_cast<std::ptrdiff_t>(2 * F + C) * lines_;
    const Workspace<T> workspace(workspaces, (lines + 2) * stride_);
    copies_ = workspace.data();
    for (std::size_t axis = 0; axis < 2; ++axis) {
      beyond_[axis] = copies_ + (lines + static_cast<std::ptrdiff_t>(axis)) * stride_;
      std::uninitialized_fill_n(beyond_[axis], stride_, static_cast<T>(pass_.grid.boundaries[axis].value()));
    }
    for (std::ptrdiff_t line = 0; line < lines_; ++line) {
      for (std::size_t f = 0; f < F; ++f) load(pass_.in[f], copy(0, f), line, true);
      for (std::size_t c = 0; c < C; ++c) load(pass_.constants[c], constant(c), line, false);
    }
    for (std::size_t step = 0; step < pass_.cut.steps; ++step)
      for (std::ptrdiff_t line = 0; line < lines_; ++line) advance(step, line);
  }

 private:
  /// Cell 0 of line 0, in the copies that even and odd steps start from.
  T* copy(std::size_t step, std::size_t f) const { return array(step % 2 * F + f); }
  T* constant(std::size_t c) const { return array(2 * F + c); }
  T* array(std::size_t index) const { return copies_ + static_cast<std::ptrdiff_t>(index) * lines_ * stride_ + kBeside; }

  void load(const T* from, T* to, std::ptrdiff_t line, bool field) const {
    std::uninitialized_copy_n(from + line * cells_, cells_, to + line * stride_);
    finish_line(to + line * stride_, field);
  }

  void finish_line(T* line, bool field) const {
    const Boundary& boundary = pass_.grid.boundaries[2];
    const bool of_fixed_value = field && boundary.kind() == Boundary::Kind::fixed;
    for (std::ptrdiff_t i = 0; i < kRadius; ++i) {
      line[-1 - i] = of_fixed_value ? static_cast<T>(boundary.value()) : line[before_[static_cast<std::size_t>(i)]];
      line[cells_ + i] = of_fixed_value ? static_cast<T>(boundary.value()) : line[behind_[static_cast<std::size_t>(i)]];
    }
  }

  /// Where along axis 0 or 1 the state beside the grid is found; -1: it is of a fixed value.
  std::ptrdiff_t found(std::size_t axis, std::ptrdiff_t at, bool field) const {
    const std::ptrdiff_t extent = pass_.grid.extents[axis];
    if (at >= 0 && at < extent) return at;
    return field && pass_.grid.boundaries[axis].kind() == Boundary::Kind::fixed ? -1 : again(axis, at);
  }
  std::ptrdiff_t again(std::size_t axis, std::ptrdiff_t at) const {
    const std::ptrdiff_t extent = pass_.grid.extents[axis];
    return pass_.grid.boundaries[axis].kind() == Boundary::Kind::periodic ? wrapped(at, extent) : reflected(at, extent);
  }

  void advance(std::size_t step, std::ptrdiff_t line) const {
    const std::ptrdiff_t plane = D == 2 ? line : line / pass_.grid.extents[1];
    const std::ptrdiff_t row = D == 2 ? 0 : line % pass_.grid.extents[1];
    std::array<Lines, F + C> from{};
    std::size_t next = 0;
    for (std::ptrdiff_t p = plane - kRadius; p <= plane + kRadius; ++p) {
      for (std::ptrdiff_t r = row - kAcross; r <= row + kAcross; ++r, ++next) {
        for (const bool field : {true, false}) {
          const std::ptrdiff_t at_plane = found(0, p, field);
          const std::ptrdiff_t at_row = found(1, r, field);
          const std::ptrdiff_t at = (at_plane * pass_.grid.extents[1] + at_row) * stride_;
          const T* const beyond = at_plane < 0 ? beyond_[0] + kBeside : at_row < 0 ? beyond_[1] + kBeside : nullptr;
          if (field)
            for (std::size_t f = 0; f < F; ++f) from[f][next] = beyond != nullptr ? beyond : copy(step, f) + at;
          else
            for (std::size_t c = 0; c < C; ++c) from[F + c][next] = constant(c) + at;
        }
      }
    }
    const bool last = step + 1 == pass_.cut.steps;
    std::array<T*, F> to{};
    for (std::size_t f = 0; f < F; ++f) to[f] = last ? pass_.out[f] + line * cells_ : copy(step + 1, f) + line * stride_;
    B::compute(pass_.op, from, 0, cells_, to);
    for (std::size_t f = 0; f < F && !last; ++f) finish_line(to[f], true);
  }

  const typename B::Pass& pass_;
  std::ptrdiff_t lines_;
  std::ptrdiff_t cells_;
  std::ptrdiff_t stride_ = 0;
  T* copies_ = nullptr;
  std::array<T*, 2> beyond_{};                   ///< lines of what lies beyond a fixed boundary
  std::array<std::ptrdiff_t, Radius> before_{};  ///< the cells that are found again before a line, and behind it
  std::array<std::ptrdiff_t, Radius> behind_{};
};

/// Takes the steps of one pass from `in` to `out`.
template <std::size_t Radius, std::size_t D, class T, std::size_t F, std::size_t C, class Op>
void run_pass(Engine& engine, const Grid& grid, const Cut& cut, const std::array<const T*, F>& in, const std::array<T*, F>& out,
              const std::array<const T*, C>& constants, const Op& op, Workspaces& workspaces) {
  using B = Block<T, F, C, D, Radius, Op>;
  const bool stream = worth_streaming((2 * F + C) * static_cast<std::size_t>(grid.cells()) * sizeof(T));
  const typename B::Pass pass{grid, cut, in, out, constants, op, stream};
  engine.bulk(cut.blocks(), [&](std::size_t block) {
    if (cut.whole)
      Whole<T, F, C, D, Radius, Op>(pass).run(workspaces);
    else
      B(pass, block).run(workspaces);
  });
}

/// Takes `steps` steps, one or more, from `in` to `out`. An empty grid has none to take.
template <std::size_t Radius, std::size_t D, class T, std::size_t F, std::size_t C, class Op>
void run(Engine& engine, const Grid& grid, const std::array<const T*, F>& in, const std::array<T*, F>& out,
         const std::array<const T*, C>& constants, std::size_t steps, const Op& op) {
  const auto cells = static_cast<std::size_t>(grid.cells());
  if (cells == 0) return;
  const Cut cut = cut_for(grid, {sizeof(T), F, C}, steps, engine.concurrency());
  const std::size_t passes = (steps + cut.steps - 1) / cut.steps;
  Scratch<T> scratch(passes > 1 ? check::product(F, cells) : 0);
  Workspaces workspaces;
  std::array<const T*, F> from = in;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    std::array<T*, F> to = out;  // and every other pass before the last one
    if ((passes - pass) % 2 == 0)
      for (std::size_t f = 0; f < F; ++f) to[f] = scratch.data() + f * cells;
    Cut part = cut;
    part.steps = steps / passes + (pass < steps % passes);
    run_pass<Radius, D>(engine, grid, part, from, to, constants, op, workspaces);
    for (std::size_t f = 0; f < F; ++f) from[f] = to[f];
  }
}

}  // namespace blocking
}  // namespace furrow
