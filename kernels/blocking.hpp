#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/grid.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/streaming.hpp"

// Several steps of a stencil in one pass over memory.

namespace furrow {
namespace blocking {

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
  std::unique_ptr<State> state_;
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
/// [first, first + size) are replaced, and their new values go to to[f][0], to[f][1], … The 64 bytes before and behind these cells
/// may be read in each line.
struct LineOperation {};

/// The same for two fields of which the second one is what the first one was a step before, as in leapfrog schemes. Of the second
/// one they may see the cell itself alone, and only the new values of the first one are theirs to write, to to[0]: the fields
/// change their roles instead of one being copied.
struct LeapfrogOperation : LineOperation {};

/// A block of a grid on its way through several steps.
///
/// The block sweeps along the planes, all steps at once: as soon as step t of plane p is there, step t + 1 can be made of the plane
/// a radius before it. Of each step only the planes that the next one reads are kept, so that they stay in cache; memory is read
/// for the first step and written for the last. At its sides a block computes what its neighbours do too, as far as its later steps
/// need it: blocks need not wait for each other. Along an axis that it spans from end to end it has no neighbours and computes
/// nothing twice; but planes of a periodic grid are in their turn only once. Rows of planar grids go two at a time through each
/// step: what one reads is still in the first-level cache for the other. (Overlapped tiling with a wavefront inside; after
/// Wonnacott, IPDPS 2000; Krishnamoorthy et al., PLDI 2007.)
///
/// A whole grid that stays in cache as it is (Cut::whole) takes a step of all planes, then the next, from copy to copy.
template <class T, std::size_t F, std::size_t C, std::size_t D, std::size_t Radius, class Op>
class Block {
  static constexpr std::ptrdiff_t kRadius = Radius;
  static constexpr std::ptrdiff_t kSide = 2 * kRadius + 1;
  static constexpr std::ptrdiff_t kTogether = together(D);
  static constexpr std::ptrdiff_t kKept = kSide + kTogether - 1;   ///< planes of a step
  static constexpr std::ptrdiff_t kLine = 64 / sizeof(T);          ///< cells
  static constexpr std::ptrdiff_t kAcross = D == 2 ? 0 : kRadius;  ///< radius from line to line of a plane
  static constexpr bool kLeapfrog = std::derived_from<Op, LeapfrogOperation>;
  static constexpr std::size_t kMade = kLeapfrog ? 1 : F;  ///< fields that a step computes
  static_assert(!kLeapfrog || F == 2, "a leapfrog operation has two fields");
  using Near = Neighbourhood<T, D, Radius>;
  using Lines = std::array<typename Near::Lines, F + C>;

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

  Block(const Pass& pass, std::size_t block)
      : pass_(pass), steps_(static_cast<std::ptrdiff_t>(pass.cut.steps)), whole_(pass.cut.whole) {
    auto at = static_cast<std::ptrdiff_t>(block);
    for (std::size_t axis = 3; axis-- > 0;) {
      const std::ptrdiff_t index = at % pass.cut.counts[axis];
      at /= pass.cut.counts[axis];
      begin_[axis] = index * pass.cut.extents[axis];
      end_[axis] = least(begin_[axis] + pass.cut.extents[axis], pass.grid.extents[axis]);
      const bool spans = pass.cut.counts[axis] == 1 && (axis > 0 || whole_ || !periodic(axis));
      margin_[axis] = spans ? 0 : pass.grid.radius[axis] * steps_;
    }
    const LineLayout layout(end_[2] - begin_[2], margin_[2], kRadius, kLine);
    beside_ = layout.before;
    stride_ = layout.stride;
    share_ = (end_[2] - begin_[2]) / steps_ + kLine;
    plane_ = (end_[1] - begin_[1] + 2 * margin_[1]) * stride_;
    states_ = whole_ ? 2 : steps_;
    kept_ = whole_ ? end_[0] - begin_[0] : kKept;
    kept_constants_ = whole_ ? kept_ : kRadius * (steps_ + 1) + kTogether;
    state_ = kept_ * plane_;
    prepare_ends();
  }

  void run(Workspaces& workspaces) {
    const std::ptrdiff_t fields = (kLeapfrog ? states_ + 1 : static_cast<std::ptrdiff_t>(F) * states_) * state_;
    const std::ptrdiff_t constants = static_cast<std::ptrdiff_t>(C) * kept_constants_ * plane_;
    const std::ptrdiff_t line = stride_ + beside_;
    const Workspace<T> workspace(workspaces, fields + constants + static_cast<std::ptrdiff_t>(kMade + 2) * line);
    fields_ = workspace.data();
    constants_ = fields_ + fields;
    T* next = constants_ + constants;
    for (T*& made : last_) made = std::exchange(next, next + line);
    for (T*& beyond : beyond_) beyond = std::exchange(next, next + line);
    for (std::size_t axis = 0; axis < beyond_.size(); ++axis)
      std::uninitialized_fill_n(beyond_[axis], line, static_cast<T>(pass_.grid.boundaries[axis].value()));
    if (whole_)
      step_by_step();
    else
      sweep();
    if (pass_.stream) stream_fence();
  }

 private:
  bool periodic(std::size_t axis) const { return pass_.grid.boundaries[axis].kind() == Boundary::Kind::periodic; }
  bool fixed(std::size_t axis) const { return pass_.grid.boundaries[axis].kind() == Boundary::Kind::fixed; }

  /// The cells of an axis whose state after `step` steps the block needs.
  Span reach(std::size_t axis, std::ptrdiff_t step) const {
    if (margin_[axis] == 0) return {begin_[axis], end_[axis]};
    const std::ptrdiff_t more = pass_.grid.radius[axis] * (steps_ - step);
    const Span all{begin_[axis] - more, end_[axis] + more};
    if (periodic(axis)) return all;
    return {most(all.begin, 0), least(all.end, pass_.grid.extents[axis])};
  }

  std::ptrdiff_t local(std::size_t axis, std::ptrdiff_t at) const { return at - begin_[axis] + margin_[axis]; }
  std::ptrdiff_t cell_at(std::ptrdiff_t at) const { return at - begin_[2] + beside_; }

  bool outside(std::size_t axis, std::ptrdiff_t at) const { return at < 0 || at >= pass_.grid.extents[axis]; }
  /// Where what lies outside the grid along an axis is found in it, unless it is of a fixed value.
  std::ptrdiff_t again(std::size_t axis, std::ptrdiff_t at) const {
    return periodic(axis) ? wrapped(at, pass_.grid.extents[axis]) : reflected(at, pass_.grid.extents[axis]);
  }
  /// Where a plane or line is found in the block.
  std::ptrdiff_t found(std::size_t axis, std::ptrdiff_t at) const {
    const bool beside = periodic(axis) && margin_[axis] > 0;  // the block has it at its side
    return local(axis, outside(axis, at) && !beside ? again(axis, at) : at);
  }

  /// A field after `step` steps: its first plane. Of a whole grid, and under leapfrog, what is no longer needed is written over.
  T* state(std::size_t field, std::ptrdiff_t step) const {
    const auto f = static_cast<std::ptrdiff_t>(field);
    if constexpr (kLeapfrog)
      return fields_ + (whole_ ? (step + 1 - f) % 3 : step + 1 - f) * state_;
    else
      return fields_ + (f * states_ + (whole_ ? step % 2 : step)) * state_;
  }
  T* constant(std::size_t c) const { return constants_ + static_cast<std::ptrdiff_t>(c) * kept_constants_ * plane_; }
  /// Where a plane stands, from the first one on: it takes the place of the one so many before it.
  std::ptrdiff_t offset(std::ptrdiff_t local_plane) const { return (whole_ ? local_plane : local_plane % kKept) * plane_; }
  std::ptrdiff_t constant_offset(std::ptrdiff_t local_plane) const { return local_plane % kept_constants_ * plane_; }

  void step_by_step() {
    for (std::ptrdiff_t plane = begin_[0]; plane < end_[0]; ++plane) load(plane);
    for (std::ptrdiff_t step = 1; step <= steps_; ++step)
      for (std::ptrdiff_t plane = begin_[0]; plane < end_[0]; ++plane) advance(step, plane);
  }

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
  }

  /// Reads a plane of all fields from memory.
  void load(std::ptrdiff_t plane) {
    const Span lines = reach(1, 0);
    const std::ptrdiff_t at = local(0, plane);
    for (std::ptrdiff_t line = lines.begin; line < lines.end; ++line) {
      const std::ptrdiff_t row =
          wrapped(plane, pass_.grid.extents[0]) * pass_.grid.extents[1] + wrapped(line, pass_.grid.extents[1]);
      const std::ptrdiff_t first = row * pass_.grid.extents[2];
      const std::ptrdiff_t to = local(1, line) * stride_;
      for (std::size_t f = 0; f < F; ++f) load_line(pass_.in[f] + first, state(f, 0) + offset(at) + to, fixed(2));
      for (std::size_t c = 0; c < C; ++c) load_line(pass_.constants[c] + first, constant(c) + constant_offset(at) + to, false);
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

  void prepare_ends() {
    if (periodic(2) && margin_[2] > 0) return;  // the block has them at its sides
    const std::ptrdiff_t extent = pass_.grid.extents[2];
    const auto up_to_radius = [](std::ptrdiff_t cells) { return static_cast<std::size_t>(most(0, least(cells, kRadius))); };
    before_ = up_to_radius(kRadius * steps_ - begin_[2]);
    behind_ = up_to_radius(end_[2] + kRadius * steps_ - extent);
    for (std::size_t i = 0; i < Radius; ++i) {
      found_before_[i] = cell_at(again(2, -1 - static_cast<std::ptrdiff_t>(i)));
      found_behind_[i] = cell_at(again(2, extent + static_cast<std::ptrdiff_t>(i)));
    }
  }
  /// Puts what lies beyond the ends of a line beside it.
  void finish_line(T* line, bool ends_fixed) const {
    const auto value = static_cast<T>(pass_.grid.boundaries[2].value());
    for (std::size_t i = 0; i < before_; ++i)
      line[cell_at(-1 - static_cast<std::ptrdiff_t>(i))] = ends_fixed ? value : line[found_before_[i]];
    const std::ptrdiff_t end = cell_at(pass_.grid.extents[2]);
    for (std::size_t i = 0; i < behind_; ++i)
      line[end + static_cast<std::ptrdiff_t>(i)] = ends_fixed ? value : line[found_behind_[i]];
  }

  /// Asks for part of a line of the plane that is loaded next: each step for its share, so that memory works while steps are made.
  void fetch_ahead(std::ptrdiff_t step, std::ptrdiff_t line) const {
    if (ahead_ < 0) return;
    const std::ptrdiff_t from = begin_[2] + (step - 1) * share_;
    const std::ptrdiff_t cell = (ahead_ * pass_.grid.extents[1] + wrapped(line, pass_.grid.extents[1])) * pass_.grid.extents[2];
    for (std::ptrdiff_t x = from; x < least(from + share_, end_[2]); x += kLine) {
      for (std::size_t f = 0; f < F; ++f) __builtin_prefetch(pass_.in[f] + cell + x, 0, 2);
      for (std::size_t c = 0; c < C; ++c) __builtin_prefetch(pass_.constants[c] + cell + x, 0, 2);
    }
  }

  /// Makes a step of a plane out of the planes of the step before.
  void advance(std::ptrdiff_t step, std::ptrdiff_t plane) {
    std::array<std::array<const T*, kSide>, F + C> planes{};  // null: of a fixed value
    for (std::size_t p = 0; p < kSide; ++p) {
      const std::ptrdiff_t beside = plane + static_cast<std::ptrdiff_t>(p) - kRadius;
      const std::ptrdiff_t at = found(0, beside);
      const bool of_fixed_value = fixed(0) && outside(0, beside);
      for (std::size_t f = 0; f < F && !of_fixed_value; ++f) planes[f][p] = state(f, step - 1) + offset(at);
      for (std::size_t c = 0; c < C; ++c) planes[F + c][p] = constant(c) + constant_offset(at);
    }
    const bool last = step == steps_;
    std::array<T*, kMade> made{};
    for (std::size_t f = 0; f < kMade && !last; ++f) made[f] = state(f, step) + offset(local(0, plane));

    const Span lines = reach(1, step);
    const Span cells = reach(2, step);
    const std::ptrdiff_t first = cell_at(cells.begin);
    const std::ptrdiff_t size = cells.end - cells.begin;
    for (std::ptrdiff_t line = lines.begin; line < lines.end; ++line) {
      const Lines from = near_lines(planes, line);
      std::array<T*, F> to{};
      const std::ptrdiff_t target = (plane * pass_.grid.extents[1] + line) * pass_.grid.extents[2] + begin_[2];
      for (std::size_t f = 0; f < kMade; ++f) {
        if (!last)
          to[f] = made[f] + local(1, line) * stride_ + first;
        else
          to[f] = pass_.stream ? last_[f] : pass_.out[f] + target;
      }
      fetch_ahead(step, line);
      compute(from, first, size, to);
      for (std::size_t f = 0; f < kMade; ++f) {
        if (!last)
          finish_line(to[f] - first, fixed(2));
        else if (pass_.stream)
          stream_copy(pass_.out[f] + target, last_[f], static_cast<std::size_t>(size) * sizeof(T));
      }
      if constexpr (kLeapfrog)
        if (last) put(from[0][Near::kLines / 2] + first, size, pass_.out[1] + target);
    }
  }

  void put(const T* from, std::ptrdiff_t size, T* target) const {
    if (pass_.stream)
      stream_copy(target, from, static_cast<std::size_t>(size) * sizeof(T));
    else
      std::uninitialized_copy_n(from, size, target);
  }

  /// The lines about `line` in these planes.
  Lines near_lines(const std::array<std::array<const T*, kSide>, F + C>& planes, std::ptrdiff_t line) const {
    Lines lines{};
    std::size_t next = 0;
    std::array<std::ptrdiff_t, 2 * kAcross + 1> at{};
    std::array<bool, 2 * kAcross + 1> of_fixed_value{};
    for (std::size_t l = 0; l < at.size(); ++l) {
      const std::ptrdiff_t beside = line + static_cast<std::ptrdiff_t>(l) - kAcross;
      at[l] = found(1, beside) * stride_;
      of_fixed_value[l] = fixed(1) && outside(1, beside);
    }
    for (std::size_t p = 0; p < kSide; ++p) {
      for (std::size_t l = 0; l < at.size(); ++l, ++next) {
        for (std::size_t f = 0; f < F + C; ++f) {
          const T* const plane = planes[f][p];
          lines[f][next] = plane == nullptr ? beyond_[0] : of_fixed_value[l] && f < F ? beyond_[1] : plane + at[l];
        }
      }
    }
    return lines;
  }

  /// The new values of `size` cells from `first` on in the middle of these lines.
  void compute(const Lines& from, std::ptrdiff_t first, std::ptrdiff_t size, const std::array<T*, F>& to) const {
    if constexpr (std::derived_from<Op, LineOperation>)
      pass_.op.line(from, first, size, to);
    else
      compute(pass_.op, from, first, size, to, std::make_index_sequence<F>(), std::make_index_sequence<F + C>());
  }
  /// Apart from its caller, so that it has all registers for its lines.
  template <std::size_t... Of, std::size_t... From>
  [[gnu::noinline]] static void compute(const Op& op, const Lines& from, std::ptrdiff_t first, std::ptrdiff_t size,
                                        const std::array<T*, F>& to, std::index_sequence<Of...>, std::index_sequence<From...>) {
    const Lines lines = from;  // copies, so that what is written cannot be them
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
  bool whole_;
  std::array<std::ptrdiff_t, 3> begin_{};
  std::array<std::ptrdiff_t, 3> end_{};
  std::array<std::ptrdiff_t, 3> margin_{};  ///< what it has at each of its sides; 0 along axes that it spans
  std::ptrdiff_t ahead_ = -1;               ///< the plane that is loaded next
  std::ptrdiff_t beside_ = 0;               ///< cells of a line before its first own one
  std::ptrdiff_t stride_ = 0;
  std::ptrdiff_t share_ = 0;           ///< cells of the next line that each step asks for
  std::ptrdiff_t plane_ = 0;           ///< cells from plane to plane
  std::ptrdiff_t states_ = 0;          ///< of a field, at once
  std::ptrdiff_t kept_ = 0;            ///< planes of a state
  std::ptrdiff_t state_ = 0;           ///< cells of a state
  std::ptrdiff_t kept_constants_ = 0;  ///< planes of a constant
  T* fields_ = nullptr;
  T* constants_ = nullptr;
  std::array<T*, kMade> last_{};
  std::array<T*, 2> beyond_{};  ///< lines of what lies beyond a fixed boundary
  std::size_t before_ = 0;      ///< cells to put before a line, where they are found in it, and the same behind it
  std::size_t behind_ = 0;
  std::array<std::ptrdiff_t, Radius> found_before_{};
  std::array<std::ptrdiff_t, Radius> found_behind_{};
};

/// What a cell costs in memory under an operation.
template <class T, std::size_t F, std::size_t C, class Op>
constexpr CellBytes cell_bytes() {
  return {sizeof(T), F, C, std::derived_from<Op, LeapfrogOperation>};
}

/// Takes the steps of one pass from `in` to `out`.
template <std::size_t Radius, std::size_t D, class T, std::size_t F, std::size_t C, class Op>
void run_pass(Engine& engine, const Grid& grid, const Cut& cut, const std::array<const T*, F>& in, const std::array<T*, F>& out,
              const std::array<const T*, C>& constants, const Op& op, Workspaces& workspaces) {
  using B = Block<T, F, C, D, Radius, Op>;
  const bool stream = worth_streaming((2 * F + C) * static_cast<std::size_t>(grid.cells()) * sizeof(T));
  const typename B::Pass pass{grid, cut, in, out, constants, op, stream};
  engine.bulk(cut.blocks(), [&](std::size_t block) { B(pass, block).run(workspaces); });
}

/// Takes `steps` steps, one or more, from `in` to `out`. An empty grid has none to take.
template <std::size_t Radius, std::size_t D, class T, std::size_t F, std::size_t C, class Op>
void run(Engine& engine, const Grid& grid, const std::array<const T*, F>& in, const std::array<T*, F>& out,
         const std::array<const T*, C>& constants, std::size_t steps, const Op& op) {
  const auto cells = static_cast<std::size_t>(grid.cells());
  if (cells == 0) return;
  const Cut cut = cut_for(grid, cell_bytes<T, F, C, Op>(), steps, engine.concurrency());
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
