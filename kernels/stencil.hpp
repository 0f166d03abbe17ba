#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/blocking.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"

namespace furrow {

/// Several ranges over the same grid, for stencils of more than one field; made by fields(u, v).
template <class T, std::size_t N>
struct Fields {
  std::array<std::span<T>, N> of;  ///< the ranges
};

/// T or const T.
template <class U, class T>
concept MaybeConst = std::same_as<std::remove_const_t<U>, T>;
/// A range of just this element type, as all fields of a stencil are that are given together.
template <class R, class Element>
concept FieldOf = ContiguousRange<R> && std::same_as<element_t<R>, Element>;

/// These ranges as the fields of a stencil.
template <ContiguousRange First, FieldOf<element_t<First>>... More>
Fields<element_t<First>, 1 + sizeof...(More)> fields(First&& first, More&&... more) {
  return {{as_span(first), as_span(more)...}};
}

/// Replaces every cell of a grid by op of its neighbourhood, `steps` times: out = op(op(… in)).
///
///     furrow::stencil(engine, u, next, {ny, nx}, Boundary::fixed(0), 100, [=](const auto& u) {
///       return u(0, 0) + k * (u(-1, 0) + u(1, 0) + u(0, -1) + u(0, 1) - 4 * u(0, 0));
///     });
///
/// `in` and `out` are ranges of shape[0] · shape[1] (· shape[2]) cells, rows one after the other. For several fields they are
/// fields(u, v) and fields(next_u, next_v); op then takes a Neighbourhood of each and returns a std::array of the new values.
/// `constants` are fields that op reads too, after those, and that stay as they are. Neighbourhoods reach `Radius` cells in each
/// direction: furrow::stencil<2>(…) for two.
///
/// Beyond the edges lies what `boundary` says, for all axes or for each; where two axes are beyond, what the first of them says.
/// Constants are not of a fixed value there: they go on as in a mirror.
/// op is called once or more for each cell and step, on any thread, and has to be a function of what it sees. `in` is left as it
/// is; `out` must share no memory with it, with the constants or in itself, and is undefined if op throws or the engine is stopped.
/// No steps: a copy. Throws Error if sizes do not fit the shape, ranges overlap, an extent is negative or their product overflows.
///
/// Several steps are taken while a part of the grid is in cache (see blocking::Block), with the bits of one step after the other.
/// (Which instructions compute a cell depends on where blocks begin: if the program is compiled so that single cells may be rounded
/// otherwise than vectors of them, so may bits.)
/// Cost: one read and one write of the fields for each 4 to 16 steps, and as much memory as `out` for more steps than that.
template <std::size_t Radius = 1, class T, MaybeConst<T> In, std::size_t F, std::integral Index, std::size_t D, class Op,
          MaybeConst<T> K = const T, std::size_t C = 0>
void stencil(Engine& engine, const Fields<In, F>& in, const Fields<T, F>& out, const Index (&shape)[D],
             const std::type_identity_t<Boundaries<D>>& boundary, std::size_t steps, const Op& op,
             const Fields<K, C>& constants = {}) requires(D == 2 || D == 3) {
  const blocking::Grid grid = blocking::grid_of<D>(shape, boundary, Radius);
  std::array<const T*, F> from{};
  std::array<T*, F> to{};
  std::array<const T*, C> unchanged{};
  for (std::size_t f = 0; f < F; ++f) {
    blocking::check_size(in.of[f].size(), grid);
    blocking::check_size(out.of[f].size(), grid);
    from[f] = in.of[f].data();
    to[f] = out.of[f].data();
    for (std::size_t g = 0; g < F; ++g) {
      check::apart("stencil", in.of[g], out.of[f]);
      if (g < f) check::apart("stencil", out.of[g], out.of[f]);
    }
    for (const std::span<K>& field : constants.of) check::apart("stencil", field, out.of[f]);
  }
  for (std::size_t c = 0; c < C; ++c) {
    blocking::check_size(constants.of[c].size(), grid);
    unchanged[c] = constants.of[c].data();
  }
  if (steps == 0)
    for (std::size_t f = 0; f < F; ++f) copy(engine, in.of[f], out.of[f]);
  if (steps > 0) blocking::run<Radius, D>(engine, grid, from, to, unchanged, steps, op);
}

/// The same of one field.
template <std::size_t Radius = 1, ContiguousRange In, ContiguousRange Out, std::integral Index, std::size_t D, class Op,
          class K = const element_t<Out>, std::size_t C = 0>
requires std::same_as<value_t<In>, element_t<Out>>
void stencil(Engine& engine, In&& in, Out&& out, const Index (&shape)[D], const std::type_identity_t<Boundaries<D>>& boundary,
             std::size_t steps, const Op& op, const Fields<K, C>& constants = {}) {
  stencil<Radius>(engine, fields(in), fields(out), shape, boundary, steps, op, constants);
}

}  // namespace furrow
