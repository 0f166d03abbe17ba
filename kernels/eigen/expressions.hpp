#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/kernels/eigen/memory.hpp"
#include "furrow/kernels/ranges.hpp"

// What Eigen's expressions are to furrow: elements that can be computed one by one, in any order, from elements in memory.

namespace furrow {
namespace eigen {

using Eigen::Index;

/// Eigen's dense objects and expressions.
template <class E>
concept Dense = requires(const std::remove_cvref_t<E>& e) {
  []<class D>(const Eigen::DenseBase<D>&) {}(e);
};

/// Those that are no range: their elements have yet to be computed, or to be found.
template <class E>
concept Expression = Dense<E> && !ContiguousRange<E>;

template <Dense E>
using scalar_t = typename std::remove_cvref_t<E>::Scalar;

// What expressions may be made of: nodes whose elements can be computed one by one, in any order.

template <class X>
inline constexpr bool is_memory = bool(Eigen::internal::has_direct_access<X>::ret);

/// Element (i, j) is made of the operands' elements (i, j).
template <class X>
inline constexpr bool is_element_wise = false;
template <class F, class X>
inline constexpr bool is_element_wise<Eigen::CwiseUnaryOp<F, X>> = true;
template <class F, class X>
inline constexpr bool is_element_wise<Eigen::CwiseUnaryView<F, X>> = true;
template <class F, class A, class B>
inline constexpr bool is_element_wise<Eigen::CwiseBinaryOp<F, A, B>> = true;
template <class F, class A, class B, class C>
inline constexpr bool is_element_wise<Eigen::CwiseTernaryOp<F, A, B, C>> = true;
template <class A, class B, class C>
inline constexpr bool is_element_wise<Eigen::Select<A, B, C>> = true;
template <class X>
inline constexpr bool is_element_wise<Eigen::ArrayWrapper<X>> = true;
template <class X>
inline constexpr bool is_element_wise<Eigen::MatrixWrapper<X>> = true;

/// Element (i, j) is some other element of the operand.
template <class X>
inline constexpr bool is_rearranged = false;
template <class X, int rows, int columns, bool panel>
inline constexpr bool is_rearranged<Eigen::Block<X, rows, columns, panel>> = true;
template <class X>
inline constexpr bool is_rearranged<Eigen::Transpose<X>> = true;
template <class X, int direction>
inline constexpr bool is_rearranged<Eigen::Reverse<X, direction>> = true;
template <class X, int index>
inline constexpr bool is_rearranged<Eigen::Diagonal<X, index>> = true;
template <class X, class Rows, class Columns>
inline constexpr bool is_rearranged<Eigen::IndexedView<X, Rows, Columns>> = true;
template <class X, int rows, int columns, int order>
inline constexpr bool is_rearranged<Eigen::Reshaped<X, rows, columns, order>> = true;

/// Eigen evaluates what it repeats, unless that lies in memory.
template <class X>
inline constexpr bool repeats_memory = false;
template <class X, int rows, int columns>
inline constexpr bool repeats_memory<Eigen::Replicate<X, rows, columns>> = is_memory<X>;

/// No elements of any other object.
template <class X>
inline constexpr bool is_generated = false;
template <class F, class X>
inline constexpr bool is_generated<Eigen::CwiseNullaryOp<F, X>> = true;
template <class T, class X>
inline constexpr bool is_generated<Eigen::CwiseNullaryOp<Eigen::internal::scalar_random_op<T>, X>> = false;

template <class X>
Memory memory_of(const X& x) {
  constexpr auto bytes = static_cast<std::ptrdiff_t>(sizeof(typename X::Scalar));
  const std::ptrdiff_t inner = x.innerStride() * bytes;
  const std::ptrdiff_t outer = x.outerStride() * bytes;
  return {.begin = reinterpret_cast<std::uintptr_t>(x.data()),
          .element_bytes = bytes,
          .extents = {x.rows(), x.cols()},
          .strides = {X::IsRowMajor ? outer : inner, X::IsRowMajor ? inner : outer}};
}

/// The first byte of what lies in memory and that behind the last.
template <class X>
std::array<std::uintptr_t, 2> ends_of(const X& x) {
  if constexpr (std::derived_from<X, Eigen::PlainObjectBase<X>> || (X::IsVectorAtCompileTime && X::InnerStrideAtCompileTime == 1)) {
    const auto begin = reinterpret_cast<std::uintptr_t>(x.data());
    return {begin, begin + static_cast<std::uintptr_t>(x.size()) * sizeof(typename X::Scalar)};
  } else {
    return memory_of(x).ends();
  }
}

/// visit(x, whether its element (i, j) is read for element (i, j) alone) for whatever lies in memory and is read.
template <class X, class Visit>
void for_each_memory(const X& x, bool in_place, const Visit& visit) {
  if constexpr (is_memory<X>) {
    visit(x, in_place);
  } else {
    static_assert(
        is_element_wise<X> || is_rearranged<X> || repeats_memory<X> || is_generated<X>,
        "furrow computes elements one by one. A product of matrices, a reduction of rows or columns, a solution, Random(), "
        "or a replicate of an expression has to be evaluated first: write (A * x).eval() in its place");
    const bool stays = in_place && is_element_wise<X>;
    if constexpr (requires { x.lhs(); }) {
      for_each_memory(x.lhs(), stays, visit);
      for_each_memory(x.rhs(), stays, visit);
    } else if constexpr (requires { x.arg1(); }) {
      for_each_memory(x.arg1(), stays, visit);
      for_each_memory(x.arg2(), stays, visit);
      for_each_memory(x.arg3(), stays, visit);
    } else if constexpr (requires { x.conditionMatrix(); }) {
      for_each_memory(x.conditionMatrix(), stays, visit);
      for_each_memory(x.thenMatrix(), stays, visit);
      for_each_memory(x.elseMatrix(), stays, visit);
    } else if constexpr (requires { x.nestedExpression(); }) {
      for_each_memory(x.nestedExpression(), stays, visit);
    }
  }
}

/// What a call that writes to `target` knows of the memory that it reads.
class Operands {
 public:
  explicit Operands(const Memory& target) : target_(target), ends_(target.ends()) {}

  /// x is read, its element (i, j) for element (i, j) of the target alone if `in_place`. Throws Error if what is read may already
  /// have been written.
  template <class X>
  void add(const X& x, bool in_place) {
    bytes_ += static_cast<std::size_t>(x.size()) * sizeof(typename X::Scalar);
    const auto [begin, end] = ends_of(x);
    if (end <= ends_[0] || ends_[1] <= begin) [[likely]]
      return;
    const Memory memory = memory_of(x);
    if (!elements_meet(memory, target_)) return;
    if (!in_place || !are_same(memory, target_)) partial_overlap();
    in_place_ = true;
  }

  std::size_t bytes() const { return bytes_; }
  bool in_place() const { return in_place_; }

 private:
  Memory target_;
  std::array<std::uintptr_t, 2> ends_;
  std::size_t bytes_ = 0;
  bool in_place_ = false;
};

/// Does not compile for an expression whose elements cannot be computed one by one.
template <class X>
void require_elements(const X& x) {
  for_each_memory(x, true, [](const auto&, bool) {});
}

/// How elements are gone through: by one index, or row by row, or column by column.
enum class Order { linear, rows, columns };

/// Elements [begin, begin + count) of each of `lines` rows or columns from the first-th on. They have `length` in all.
struct Part {
  Index first;
  Index lines;
  Index begin;
  Index count;
  Index length;
};

/// Bytes of a line of the cache.
inline constexpr std::size_t kLine = 64;

/// Stores a packet past the cache; stream_fence() must follow. `to` is aligned to the packet, and its line is written in one go.
template <class Packet, class T>
void store_past_cache(T* to, const Packet& packet) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Packet) == 64) {
    __m512i bits;
    __builtin_memcpy(&bits, &packet, sizeof bits);
    return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), bits);
  }
#endif
#if defined(__AVX__)
  if constexpr (sizeof(Packet) == 32) {
    __m256i bits;
    __builtin_memcpy(&bits, &packet, sizeof bits);
    return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bits);
  }
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(Packet) == 16) {
    __m128i bits;
    __builtin_memcpy(&bits, &packet, sizeof bits);
    return _mm_stream_si128(reinterpret_cast<__m128i*>(to), bits);
  }
#endif
  Eigen::internal::pstoreu(to, packet);
}

template <Order kOrder, class T, class E>
class Elements {
  using Source = Eigen::internal::evaluator<E>;
  using Packet = typename Eigen::internal::packet_traits<T>::type;
  static constexpr bool kSameOrder = kOrder == Order::linear || (kOrder == Order::rows) == bool(E::IsRowMajor);
  static constexpr Index kWidth = Eigen::internal::packet_traits<T>::size;

 public:
  static constexpr bool kPackets = std::is_same_v<T, typename E::Scalar> && kSameOrder && kWidth > 1 &&
                                   bool(int(Source::Flags) & int(Eigen::ActualPacketAccessBit));

  /// Writes them side by side to `to`, and the next line `stride` elements further. Never inlined, so that each element is computed
  /// by one compiled loop in the program, whatever becomes of it. All go through packets, the last ones in one that reaches back,
  /// unless a whole line is shorter than a packet. Of a part of at least a packet, nothing is read after it was written. Packets go
  /// `past_cache` if `to` is aligned to kLine.
  [[gnu::noinline]] static void write(const E& expression, const Part& part, T* to, Index stride, bool past_cache = false) {
    const Source source(expression);
    for (Index line = part.first; line < part.first + part.lines; ++line, to += stride) {
      if (kPackets && part.length >= kWidth)
        packets(source, line, part, to, past_cache);
      else
        one_by_one(source, line, part, to);
    }
  }

 private:
  static T element(const Source& source, [[maybe_unused]] Index line, Index i) {
    if constexpr (kOrder == Order::linear)
      return static_cast<T>(source.coeff(i));
    else if constexpr (kOrder == Order::rows)
      return static_cast<T>(source.coeff(line, i));
    else
      return static_cast<T>(source.coeff(i, line));
  }

  static Packet packet(const Source& source, [[maybe_unused]] Index line, Index i) {
    if constexpr (kOrder == Order::linear)
      return source.template packet<Eigen::Unaligned, Packet>(i);
    else if constexpr (kOrder == Order::rows)
      return source.template packet<Eigen::Unaligned, Packet>(line, i);
    else
      return source.template packet<Eigen::Unaligned, Packet>(i, line);
  }

  static void packets(const Source& source, Index line, const Part& part, T* to, bool past_cache) {
    if constexpr (kPackets) {
      if (part.count < kWidth) {
        const Index begin = std::min(part.begin, part.length - kWidth);
        T all[kWidth];
        Eigen::internal::pstoreu(all, packet(source, line, begin));
        std::copy_n(all + (part.begin - begin), part.count, to);
        return;
      }
      const Index whole = part.count - part.count % kWidth;
      T last[kWidth]{};
      if (whole < part.count) Eigen::internal::pstoreu(last, packet(source, line, part.begin + part.count - kWidth));
      for (Index i = 0; i < whole; i += kWidth) {
        const Packet all = packet(source, line, part.begin + i);
        if (past_cache)
          store_past_cache(to + i, all);
        else
          Eigen::internal::pstoreu(to + i, all);
      }
      if (whole < part.count) std::copy_n(last + (kWidth - (part.count - whole)), part.count - whole, to + whole);
    }
  }

  static void one_by_one(const Source& source, Index line, const Part& part, T* to) {
    constexpr Index kGroup = 16;  // a constant number, which compilers vectorise at -O2
    Index i = 0;
    for (; i + kGroup <= part.count; i += kGroup) {
#pragma GCC ivdep
      for (Index k = 0; k < kGroup; ++k) to[i + k] = element(source, line, part.begin + i + k);
    }
    for (; i < part.count; ++i) {
      to[i] = element(source, line, part.begin + i);
      asm volatile("" ::: "memory");  // not to be vectorised, or where a group begins would matter
    }
  }
};

/// Writes elements [begin, begin + count) of the expression, in the order in which they would lie in memory if it were evaluated:
/// column by column, or row by row if it is row-major.
template <class E>
void write(const E& expression, Index begin, Index count, typename E::Scalar* to) {
  using T = typename E::Scalar;
  if constexpr (bool(int(Eigen::internal::evaluator<E>::Flags) & int(Eigen::LinearAccessBit))) {
    Elements<Order::linear, T, E>::write(expression, {0, 1, begin, count, expression.size()}, to, 0);
  } else {
    using Lines = Elements<E::IsRowMajor ? Order::rows : Order::columns, T, E>;
    const Index length = expression.innerSize();
    for (Index line = begin / length, at = begin % length; count > 0; at = 0) {
      const Index whole = at == 0 ? count / length : 0;
      const Index part = whole > 0 ? length : std::min(length - at, count);
      const Index lines = std::max<Index>(whole, 1);
      Lines::write(expression, {line, lines, at, part, length}, to, part);
      to += lines * part;
      count -= lines * part;
      line += lines;
    }
  }
}

}  // namespace eigen
}  // namespace furrow
