#pragma once

#include <algorithm>
#include <bit>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/eigen/expressions.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow {
namespace eigen {

/// Where elements go, line by line.
template <class T>
struct Target {
  T* data;
  Index lines;
  Index length;
  Index stride;        ///< from one element of a line to the next
  Index outer_stride;  ///< from one line to the next
};

/// Elements that pass through a buffer at once.
inline constexpr Index kBuffered = 512;

/// Writes elements [begin, end) of one line of the target, past the cache or, if they do not lie side by side, by way of a buffer.
template <Order kOrder, class T, class E>
void write_line(const E& expression, const Target<T>& target, Index line, Index begin, Index end, bool stream) {
  using From = Elements<kOrder, T, E>;
  T* to = target.data + line * target.outer_stride + begin * target.stride;
  const auto part = [&](Index size) { return Part{line, 1, begin, std::min(end - begin, size), target.length}; };
  if constexpr (From::kPackets) {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(to) % kLine;
    if (stream && target.stride == 1 && offset % sizeof(T) == 0) {
      const std::size_t before = offset / sizeof(T);
      const Part head = part(before == 0 ? 0 : static_cast<Index>(kLine / sizeof(T) - before));
      From::write(expression, head, to, 0);
      begin += head.count;
      From::write(expression, part(end), to + head.count, 0, true);
      return stream_fence();
    }
  } else if constexpr (std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T> && StreamWriter<T>::takes) {
    if (stream && target.stride == 1) {
      StreamWriter<T> writer(to);
      while (begin < end) {
        const Part next = part(static_cast<Index>(writer.kMost));
        From::write(expression, next, writer.next(), 0);
        writer.take(static_cast<std::size_t>(next.count));
        begin += next.count;
      }
      return writer.finish();
    }
  }
  if (target.stride == 1) return From::write(expression, part(end), to, 0);
  T buffer[kBuffered];
  while (begin < end) {
    const Part next = part(kBuffered);
    From::write(expression, next, buffer, 0);
    for (Index i = 0; i < next.count; ++i) to[i * target.stride] = buffer[i];
    to += next.count * target.stride;
    begin += next.count;
  }
}

/// The fewest elements for which a call is cut: threads cannot pay for less.
template <class E>
inline constexpr std::size_t kShortest = int(Eigen::internal::evaluator<E>::CoeffReadCost) < 20 ? 4096 : 512;

template <Order kOrder, class T, class E>
void assign_to(Engine& engine, const Target<T>& target, const E& expression, bool stream) {
  static constinit Cost cost(0, "assign");
  if (target.lines == 1) {
    // The last packet reaches back; so that it stays within its chunk, the elements that are left over belong to the last one.
    constexpr Index kWidest = 64;
    const Index left = target.length < kWidest ? 0 : target.length % kWidest;
    const Chunks chunks(static_cast<std::size_t>(target.length - left), sizeof(T), kShortest<E>);
    return engine.over_chunks(chunks, cost, [chunks, target, stream, e = &expression](std::size_t first, std::size_t last) {
      const auto begin = static_cast<Index>(first * chunks.length());
      const Index end = last == chunks.count() ? target.length : static_cast<Index>(last * chunks.length());
      write_line<kOrder>(*e, target, 0, begin, end, stream);
    });
  }
  // Long lines are cut, the last piece takes what is left; short ones stay together.
  constexpr Index kPiece = 8192;
  const Index pieces = std::max<Index>(target.length / kPiece, 1);
  const auto weight = std::bit_floor(static_cast<std::size_t>(std::min(target.length, kPiece)));
  const Chunks chunks(static_cast<std::size_t>(target.lines * pieces) * weight, sizeof(T), std::max(weight, kShortest<E>));
  const bool direct = pieces == 1 && target.stride == 1 && !stream;
  engine.over_chunks(chunks, cost, [=, e = &expression](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    const auto begin = static_cast<Index>(part.begin / weight);
    const auto end = static_cast<Index>(part.end / weight);
    if (direct)
      return Elements<kOrder, T, E>::write(*e, {begin, end - begin, 0, target.length, target.length},
                                           target.data + begin * target.outer_stride, target.outer_stride);
    for (Index p = begin; p < end; ++p) {
      const Index piece = p % pieces;
      write_line<kOrder>(*e, target, p / pieces, piece * kPiece, piece + 1 == pieces ? target.length : (piece + 1) * kPiece,
                         stream);
    }
  });
}

/// Gives `out` the shape of the expression, if it can have it. Throws Error if not.
template <class D, class E>
void resize(D& out, const E& expression) {
  const Index rows = expression.rows();
  const Index columns = expression.cols();
  if (out.rows() == rows && out.cols() == columns) return;
  if constexpr (requires { out.resize(rows, columns); } && std::derived_from<D, Eigen::PlainObjectBase<D>>) {
    const auto fits = [](int fixed, int most, Index n) {
      return (fixed == Eigen::Dynamic || fixed == n) && (most == Eigen::Dynamic || n <= most);
    };
    if (fits(D::RowsAtCompileTime, D::MaxRowsAtCompileTime, rows) && fits(D::ColsAtCompileTime, D::MaxColsAtCompileTime, columns))
      return out.resize(rows, columns);
  }
  wrong_shape("assign", {out.rows(), out.cols()}, {rows, columns});
}

/// Whether a column is given to a row or the other way round, which Eigen transposes by itself.
template <class D, class E>
inline constexpr bool is_turned = ((int(D::RowsAtCompileTime) == 1 && int(E::ColsAtCompileTime) == 1) ||
                                   (int(D::ColsAtCompileTime) == 1 && int(E::RowsAtCompileTime) == 1)) &&
                                  int(D::SizeAtCompileTime) != 1;

template <class D, class E>
void assign(Engine& engine, D& out, const E& expression) {
  using T = typename D::Scalar;
  static_assert(
      is_memory<D> && requires(T * p) { p = out.data(); },
      "the destination has to lie in memory and be writable: an Eigen array, matrix, Map, Ref or block");
  static_assert(std::is_same_v<T, typename E::Scalar> || std::is_same_v<T, std::complex<typename E::Scalar>>,
                "Eigen does not convert elements by itself: write .cast<T>() in the expression");
  Operands operands(is_turned<D, E> ? memory_of(out).transposed() : memory_of(out));
  for_each_memory(expression, true, [&](const auto& x, bool in_place) { operands.add(x, in_place); });
  if constexpr (is_turned<D, E>)
    resize(out, expression.transpose());
  else
    resize(out, expression);
  if (out.size() == 0) return;

  using Shape = std::conditional_t<is_turned<D, E>, Eigen::Transpose<D>, D>;
  constexpr bool kSameOrder = bool(Shape::IsRowMajor) == bool(E::IsRowMajor);
  constexpr bool kLinear = kSameOrder && bool(int(Eigen::internal::evaluator<Shape>::Flags) &
                                              int(Eigen::internal::evaluator<E>::Flags) & int(Eigen::LinearAccessBit));
  constexpr Order kOrder = kLinear ? Order::linear : Shape::IsRowMajor ? Order::rows : Order::columns;
  const Target<T> target{out.data(), kLinear ? 1 : out.outerSize(), kLinear ? out.size() : out.innerSize(), out.innerStride(),
                         out.outerStride()};
  constexpr Index kLong = 4096;  // bytes; shorter lines are not worth a start in the middle of a line of the cache
  const std::size_t bytes = operands.bytes() + static_cast<std::size_t>(out.size()) * sizeof(T);
  const bool stream = !operands.in_place() && worth_streaming(bytes) && target.length * static_cast<Index>(sizeof(T)) >= kLong;
  assign_to<kOrder>(engine, target, expression, stream);
}

}  // namespace eigen

/// out = expression, as Eigen's own assignment: element by element, in one pass over memory and without temporaries.
///
/// `out` is an Eigen array, matrix, vector, Map, Ref or block, which may be a temporary (`m.col(3)`); one that owns its elements is
/// resized, and a column may be given to a row. The expression is made of such objects and of whatever Eigen computes element by
/// element: arithmetic, functions, comparisons, select, cast, constants, blocks, transposes, replicates of objects. Anything else,
/// a product of matrices above all, does not compile and has to be evaluated in its place: `b - (A * x).eval()`.
///
/// `out` may be an operand (`assign(engine, x, 2 * x + 1)`). Throws Error if the expression reads memory of `out` at other places
/// than it writes it, or if the shapes differ and `out` cannot be resized; it is untouched then. Cost: each operand is read once
/// and `out` written once, past the cache if they are larger than that.
template <eigen::Dense Out, class E>
void assign(Engine& engine, Out&& out, const Eigen::DenseBase<E>& expression) {
  eigen::assign(engine, out.derived(), expression.derived());
}

/// The same for other ranges, which take vectors of their size.
template <ContiguousRange Out, class E>
void assign(Engine& engine, Out&& out, const Eigen::DenseBase<E>& expression) requires(!eigen::Dense<Out>) {
  const auto elements = as_span(out);
  Eigen::Map<Eigen::Array<value_t<Out>, Eigen::Dynamic, 1>> map(elements.data(), static_cast<Eigen::Index>(elements.size()));
  eigen::assign(engine, map, expression.derived());
}

}  // namespace furrow
