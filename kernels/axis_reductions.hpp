#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/view.hpp"
#include "furrow/kernels/reductions.hpp"

// Named reductions along one axis of a view of two or three dimensions: of each row, each column, each line. Of all named element
// types but std::uint8_t.
//
// Each result has the bits that the function of the same name gives for a range of the line's elements, however they lie in memory:
// rows or columns first, with gaps, backwards. `out` is a view of the axes that are left, in their order; of the lines of two
// dimensions also a range. It must not overlap `in`. A line of no elements has the sum and the norms 0. All throw Error if there is
// no such axis, the shapes do not fit, `out` shares memory with `in`, or lines are empty and have no result. Cost: 1 read.

namespace furrow {

/// An axis of a view by the place of its index, from 0 on: of a matrix, axis 0 goes down the columns and axis 1 along the rows.
struct Axis {
  std::size_t index;  ///< from 0 on
};

namespace named {

/// The elements whose lines are reduced: all named ones but std::uint8_t.
template <class T>
concept LineElement = NamedElement<T> && sizeof(T) >= 4;

/// The lines of a view along one of its axes.
template <class T>
struct Lines {
  const T* data;
  std::size_t length;                     ///< elements of a line
  std::ptrdiff_t stride;                  ///< from one of them to the next
  std::array<std::size_t, 2> counts;      ///< lines along the axes that are left
  std::array<std::ptrdiff_t, 2> strides;  ///< from a line to the next along these
};

/// Where their results go.
template <class R>
struct LineResults {
  R* data;
  std::array<std::ptrdiff_t, 2> strides;
};

template <LineElement T>
void sum(Engine& engine, const Lines<T>& lines, const LineResults<sum_t<T>>& out);
template <LineElement T>
void mean(Engine& engine, const Lines<T>& lines, const LineResults<double>& out);
template <LineElement T>
void min(Engine& engine, const Lines<T>& lines, const LineResults<T>& out);
template <LineElement T>
void max(Engine& engine, const Lines<T>& lines, const LineResults<T>& out);
template <std::floating_point T>
void norm1(Engine& engine, const Lines<T>& lines, const LineResults<T>& out);
template <std::floating_point T>
void norm2(Engine& engine, const Lines<T>& lines, const LineResults<T>& out);
template <std::floating_point T>
void norm_inf(Engine& engine, const Lines<T>& lines, const LineResults<T>& out);

[[noreturn]] void no_axis(const char* call, std::size_t index, std::size_t dimensions);
[[noreturn]] void wrong_results(const char* call, std::size_t axis, std::span<const std::size_t> wanted,
                                std::span<const std::size_t> given);
[[noreturn]] void empty_lines(const char* call, std::size_t axis);

/// What results of type R of the lines of a view of D dimensions may be written to.
template <class Out, class R, std::size_t D>
concept LineRange = (D == 2 || D == 3) && (std::same_as<std::remove_cvref_t<Out>, View<R, D - 1>> ||
                                           (D == 2 && ContiguousRange<Out> && std::same_as<element_t<Out>, R>));

template <class R, std::size_t D, class Out>
View<R, D> as_view(Out&& out) {
  if constexpr (std::same_as<std::remove_cvref_t<Out>, View<R, D>>) {
    return out;
  } else {
    const std::span<R> span = as_span(out);
    return View<R, D>::row_major(span.data(), {span.size()});
  }
}

/// compute(lines, results), if there are any lines. Lines of no elements need `may_be_empty`.
template <class R, class T, std::size_t D, class Out, class Compute>
void along(const char* call, const View<T, D>& in, Axis axis, Out&& out, bool may_be_empty, const Compute& compute) {
  const View<R, D - 1> results = as_view<R, D - 1>(out);
  if (axis.index >= D) no_axis(call, axis.index, D);
  Lines<std::remove_const_t<T>> lines{in.data_handle(), in.extent(axis.index), in.stride(axis.index), {1, 1}, {0, 0}};
  LineResults<R> to{results.data_handle(), {0, 0}};
  std::array<std::size_t, D - 1> left{};
  for (std::size_t d = 0; d + 1 < D; ++d) {
    const std::size_t from = d < axis.index ? d : d + 1;
    left[d] = in.extent(from);
    lines.counts[d] = in.extent(from);
    lines.strides[d] = in.stride(from);
    to.strides[d] = results.stride(d);
    if (results.stride(d) == 0 && results.extent(d) > 1) check::zero_stride(call);
  }
  if (left != results.extents()) wrong_results(call, axis.index, left, results.extents());
  if (results.empty()) return;
  if (results.data_handle() == nullptr) check::bad_pointer(nullptr, alignof(R));
  if (lines.length == 0 && !may_be_empty) empty_lines(call, axis.index);
  if (lines.length > 0) {
    if (in.data_handle() == nullptr) check::bad_pointer(nullptr, alignof(T));
    const auto read = check::addresses(in);
    const auto written = check::addresses(results);
    if (read[0] < written[1] && written[0] < read[1]) check::overlap(call);
  }
  compute(lines, to);
}

}  // namespace named

/// The sum of each line. Integers are added in 64 bits and wrap.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires named::LineElement<E> && named::LineRange<Out, sum_t<E>, D>
void sum(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<sum_t<E>>("sum", in, axis, out, true, [&](const auto& lines, const auto& to) { named::sum<E>(engine, lines, to); });
}

/// The mean of each line. Those of int64 read the elements twice.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires named::LineElement<E> && named::LineRange<Out, double, D>
void mean(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<double>("mean", in, axis, out, false, [&](const auto& lines, const auto& to) { named::mean<E>(engine, lines, to); });
}

/// The least element of each line.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires named::LineElement<E> && named::LineRange<Out, E, D>
void min(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<E>("min", in, axis, out, false, [&](const auto& lines, const auto& to) { named::min<E>(engine, lines, to); });
}

/// The greatest element of each line.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires named::LineElement<E> && named::LineRange<Out, E, D>
void max(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<E>("max", in, axis, out, false, [&](const auto& lines, const auto& to) { named::max<E>(engine, lines, to); });
}

/// Σ|x| of each line.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires std::floating_point<E> && named::LineElement<E> && named::LineRange<Out, E, D>
void norm1(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<E>("norm1", in, axis, out, true, [&](const auto& lines, const auto& to) { named::norm1<E>(engine, lines, to); });
}

/// √Σx² of each line. Lines whose squares overflow or underflow, zeros too, are copied and read again.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires std::floating_point<E> && named::LineElement<E> && named::LineRange<Out, E, D>
void norm2(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<E>("norm2", in, axis, out, true, [&](const auto& lines, const auto& to) { named::norm2<E>(engine, lines, to); });
}

/// The greatest |x| of each line.
template <class T, std::size_t D, class Out, class E = std::remove_const_t<T>>
requires std::floating_point<E> && named::LineElement<E> && named::LineRange<Out, E, D>
void norm_inf(Engine& engine, const View<T, D>& in, Axis axis, Out&& out) {
  named::along<E>("norm_inf", in, axis, out, true,
                  [&](const auto& lines, const auto& to) { named::norm_inf<E>(engine, lines, to); });
}

}  // namespace furrow
