#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <numbers>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/kernels/blocking.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"

namespace furrow::sim {

/// "fixed" to `edge`, "insulated" or "periodic". Throws Error, which lists these, for another name.
Boundary boundary_named(const std::string& name, double edge);

/// Throws Error, which lists these names, unless it is one of them.
void one_of(std::string_view parameter, const std::string& name, std::initializer_list<std::string_view> known);

/// F fields on a grid that a stencil moves on, and C that it only reads. Fields are kept twice: each pass goes from one copy to the
/// other, so that one which does not come to its end leaves nothing behind.
template <class T, std::size_t F, std::size_t C, std::size_t D>
class GridState {
 public:
  /// All zeros; `constants` of C are wanted. Throws Error for an extent of 0 or too many cells.
  GridState(Engine& engine, const std::array<std::size_t, D>& shape, const Boundaries<D>& boundary, std::size_t constants = C)
      : shape_(shape), grid_(grid_of(shape, boundary)) {
    const auto cells = static_cast<std::size_t>(grid_.cells());
    for (auto* copy : {&now_, &next_})
      for (Array<T>& field : *copy) field = Array<T>(engine, cells);
    for (std::size_t c = 0; c < constants; ++c) constants_[c] = Array<T>(engine, cells);
  }

  /// The number of cells.
  std::size_t cells() const { return now_[0].size(); }
  /// Cells along each axis.
  const std::array<std::size_t, D>& shape() const { return shape_; }
  /// The values of a field now.
  std::span<T> field(std::size_t f) { return now_[f]; }
  /// The same, to read.
  std::span<const T> field(std::size_t f) const { return now_[f]; }
  /// The values of a constant; none if there are fewer constants.
  std::span<T> constant(std::size_t c) { return constants_[c]; }
  /// The same, to read.
  std::span<const T> constant(std::size_t c) const { return constants_[c]; }

  /// Takes as many steps as one pass over memory should, at most `most`, and returns how many. Several such calls share the steps
  /// about evenly. Reads the first `c` constants.
  template <std::size_t c = C, class Op>
  std::size_t run(Engine& engine, std::size_t most, const Op& op) {
    blocking::Cut cut = blocking::cut_for(grid_, blocking::cell_bytes<T, F, c, Op>(), most, engine.concurrency());
    const std::size_t passes = (most + cut.steps - 1) / cut.steps;
    cut.steps = (most + passes - 1) / passes;
    std::array<const T*, F> from{};
    std::array<T*, F> to{};
    std::array<const T*, c> unchanged{};
    for (std::size_t f = 0; f < F; ++f) from[f] = now_[f].data();
    for (std::size_t f = 0; f < F; ++f) to[f] = next_[f].data();
    for (std::size_t i = 0; i < c; ++i) unchanged[i] = constants_[i].data();
    blocking::run_pass<1, D>(engine, grid_, cut, from, to, unchanged, op, workspaces_);
    std::swap(now_, next_);
    return cut.steps;
  }

  /// All that a checkpoint has to hold.
  std::vector<std::span<std::byte>> bytes() {
    std::vector<std::span<std::byte>> all;
    for (Array<T>& field : now_) all.push_back(std::as_writable_bytes(std::span<T>(field)));
    for (Array<T>& field : constants_) all.push_back(std::as_writable_bytes(std::span<T>(field)));
    return all;
  }

 private:
  static blocking::Grid grid_of(const std::array<std::size_t, D>& shape, const Boundaries<D>& boundary) {
    std::size_t extents[D];
    for (std::size_t axis = 0; axis < D; ++axis) {
      if (shape[axis] == 0) fail("shape: there has to be at least one cell along each axis");
      extents[axis] = shape[axis];
    }
    return blocking::grid_of<D>(extents, boundary, 1);
  }

  std::array<std::size_t, D> shape_;
  blocking::Grid grid_;
  std::array<Array<T>, F> now_;
  std::array<Array<T>, F> next_;
  std::array<Array<T>, C> constants_;
  blocking::Workspaces workspaces_;
};

/// f(indices) of every cell, written to `field`.
template <std::size_t D, class F>
void set_cells(Engine& engine, const std::array<std::size_t, D>& shape, std::span<double> field, const F& f) {
  if constexpr (D == 2)
    for_each_index(engine, {shape[0], shape[1]}, [&](std::size_t y, std::size_t x) { field[y * shape[1] + x] = f({y, x}); });
  else
    for_each_index(engine, {shape[0], shape[1], shape[2]}, [&](std::size_t z, std::size_t y, std::size_t x) {
      field[(z * shape[1] + y) * shape[2] + x] = f({z, y, x});
    });
}

/// The product along the axes of half a wave of the sine, which is 0 just beyond the edges.
template <std::size_t D>
void set_mode(Engine& engine, const std::array<std::size_t, D>& shape, std::span<double> field) {
  std::array<std::vector<double>, D> wave;
  for (std::size_t axis = 0; axis < D; ++axis) {
    wave[axis].resize(shape[axis]);
    for (std::size_t i = 0; i < shape[axis]; ++i)
      wave[axis][i] = std::numbers::pi * static_cast<double>(i + 1) / static_cast<double>(shape[axis] + 1);
    furrow::sin(engine, wave[axis], wave[axis]);
  }
  set_cells<D>(engine, shape, field, [&](const std::array<std::size_t, D>& cell) {
    double product = 1;
    for (std::size_t axis = 0; axis < D; ++axis) product *= wave[axis][cell[axis]];
    return product;
  });
}

}  // namespace furrow::sim
