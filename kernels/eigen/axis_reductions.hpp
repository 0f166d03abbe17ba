#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <memory>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/view.hpp"
#include "furrow/kernels/axis_reductions.hpp"
#include "furrow/kernels/eigen/expressions.hpp"
#include "furrow/kernels/ranges.hpp"

// Reductions of each row or column of a matrix or a two-dimensional expression: as those of views (axis_reductions.hpp), whose bits
// they have. Axis 0 goes down the columns, so that there is a result for each column; axis 1 along the rows. `out` must not share
// memory with what the expression reads. Cost: each operand is read once; an expression passes through blocks of some whole lines
// that fit a second-level cache, or that have few lines where these are longer than it.

namespace furrow {
namespace eigen {

/// Elements of a block of lines.
inline constexpr Index kPanel = 32'768;

/// reduce(engine, view, axis, results) of the whole, or of blocks of lines.
template <class R, Dense In, class Out, class Reduce>
void along(const char* call, Engine& engine, Cost& cost, const In& in, Axis axis, Out&& out, const Reduce& reduce) {
  using T = typename In::Scalar;
  if constexpr (is_memory<In>) {
    const std::ptrdiff_t inner = in.innerStride();
    const std::ptrdiff_t outer = in.outerStride();
    const View<const T, 2> view(in.data(), {static_cast<std::size_t>(in.rows()), static_cast<std::size_t>(in.cols())},
                                {In::IsRowMajor ? outer : inner, In::IsRowMajor ? inner : outer});
    reduce(engine, view, axis, out);
  } else {
    const View<R, 1> results = named::as_view<R, 1>(out);
    if (axis.index > 1) named::no_axis(call, axis.index, 2);
    const Index count = axis.index == 0 ? in.cols() : in.rows();
    const Index length = axis.index == 0 ? in.rows() : in.cols();
    const auto wanted = static_cast<std::size_t>(count);
    if (results.extent(0) != wanted) named::wrong_results(call, axis.index, {&wanted, 1}, results.extents());
    constexpr auto bytes = static_cast<std::ptrdiff_t>(sizeof(R));
    Operands operands({reinterpret_cast<std::uintptr_t>(results.data_handle()), bytes, {count, 1}, {results.stride(0) * bytes, 0}});
    for_each_memory(in, false, [&](const auto& x, bool) { operands.add(x, false); });
    if (count == 0) return;

    const bool side_by_side = (axis.index == 1) == bool(In::IsRowMajor);  // the elements of a line, if evaluated
    const Index fewest = side_by_side ? 1 : 64;  // whole packets and lines of the cache of each of its rows
    const Index lines = std::min(count, std::max(kPanel / std::max<Index>(length, 1), fewest));
    const auto panels = static_cast<std::size_t>((count - 1) / lines + 1);
    const std::size_t weight = std::bit_floor(static_cast<std::size_t>(std::max<Index>(lines * length, 1)));
    const Chunks chunks(panels * weight, sizeof(T), weight);
    engine.over_chunks(chunks, cost, [&, chunks](std::size_t first, std::size_t last) {
      const Range part = chunks.elements(first, last);
      const auto buffer = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(lines * length));
      Engine serial("serial");
      for (std::size_t panel = part.begin / weight; panel < part.end / weight; ++panel) {
        const Index begin = static_cast<Index>(panel) * lines;
        const Index here = std::min(lines, count - begin);
        if (side_by_side || here == count) {  // one piece of what would lie in memory
          write(in, begin * length, here * length, buffer.get());
        } else if (length > 0) {
          using Across = Elements<In::IsRowMajor ? Order::rows : Order::columns, T, In>;
          Across::write(in, {0, length, begin, here, count}, buffer.get(), here);
        }
        const View<const T, 2> view(buffer.get(), {static_cast<std::size_t>(here), static_cast<std::size_t>(length)},
                                    {side_by_side ? length : 1, side_by_side ? 1 : here});
        const View<R, 1> to(results.data_handle() + begin * results.stride(0), {static_cast<std::size_t>(here)},
                            {results.stride(0)});
        reduce(serial, view, Axis{1}, to);
      }
    });
  }
}

/// What results of type R of the rows or columns of a matrix of numbers may be written to.
template <class In, class Out, class R>
concept Along = Dense<In> && named::LineElement<scalar_t<In>> && named::LineRange<Out, R, 2>;

}  // namespace eigen

/// The sum of each line. Integers are added in 64 bits and wrap.
template <class In, class Out>
requires eigen::Along<In, Out, sum_t<eigen::scalar_t<In>>>
void sum(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "sum");
  eigen::along<sum_t<eigen::scalar_t<In>>>("sum", engine, cost, in.derived(), axis, out,
                                           [](auto&&... all) { furrow::sum(all...); });
}

/// The mean of each line. Throws Error if lines are empty.
template <class In, class Out>
requires eigen::Along<In, Out, double>
void mean(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "mean");
  eigen::along<double>("mean", engine, cost, in.derived(), axis, out, [](auto&&... all) { furrow::mean(all...); });
}

/// The least element of each line, as min has it. Throws Error if lines are empty.
template <class In, class Out>
requires eigen::Along<In, Out, eigen::scalar_t<In>>
void min(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "min");
  eigen::along<eigen::scalar_t<In>>("min", engine, cost, in.derived(), axis, out, [](auto&&... all) { furrow::min(all...); });
}

/// The greatest element of each line, as max has it. Throws Error if lines are empty.
template <class In, class Out>
requires eigen::Along<In, Out, eigen::scalar_t<In>>
void max(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "max");
  eigen::along<eigen::scalar_t<In>>("max", engine, cost, in.derived(), axis, out, [](auto&&... all) { furrow::max(all...); });
}

/// Σ|x| of each line.
template <class In, class Out>
requires std::floating_point<eigen::scalar_t<In>> && eigen::Along<In, Out, eigen::scalar_t<In>>
void norm1(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "norm1");
  eigen::along<eigen::scalar_t<In>>("norm1", engine, cost, in.derived(), axis, out, [](auto&&... all) { furrow::norm1(all...); });
}

/// √Σx² of each line.
template <class In, class Out>
requires std::floating_point<eigen::scalar_t<In>> && eigen::Along<In, Out, eigen::scalar_t<In>>
void norm2(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "norm2");
  eigen::along<eigen::scalar_t<In>>("norm2", engine, cost, in.derived(), axis, out, [](auto&&... all) { furrow::norm2(all...); });
}

/// The greatest |x| of each line.
template <class In, class Out>
requires std::floating_point<eigen::scalar_t<In>> && eigen::Along<In, Out, eigen::scalar_t<In>>
void norm_inf(Engine& engine, const In& in, Axis axis, Out&& out) {
  static constinit Cost cost(0, "norm_inf");
  eigen::along<eigen::scalar_t<In>>("norm_inf", engine, cost, in.derived(), axis, out,
                                    [](auto&&... all) { furrow::norm_inf(all...); });
}

}  // namespace furrow
