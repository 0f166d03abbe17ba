#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "furrow/engine/view.hpp"

namespace furrow {

/// Whatever has data() and size() over elements that lie side by side: Array, std::vector, std::span, C arrays, Eigen vectors.
template <class R>
concept ContiguousRange = requires(R& range) {
  {*std::data(range)};
  { std::size(range) } -> std::convertible_to<std::size_t>;
};

/// The type of a range's elements, const if they may only be read.
template <ContiguousRange R>
using element_t = std::remove_reference_t<decltype(*std::data(std::declval<R&>()))>;
/// The same without const.
template <ContiguousRange R>
using value_t = std::remove_cv_t<element_t<R>>;
/// How an element is handed to a functor.
template <ContiguousRange R>
using reference_t = element_t<R>&;
/// How it is handed to one that may not change it.
template <ContiguousRange R>
using const_reference_t = const value_t<R>&;

/// A range of elements of this type, which may be const.
template <class R, class T>
concept RangeOf = ContiguousRange<R> && std::same_as<value_t<R>, T>;

/// What can be called with an element of each of the ranges.
template <class F, class... Ranges>
concept ElementFunction = std::invocable<F&, const_reference_t<Ranges>...>;
/// The same, and says whether something holds.
template <class F, class... Ranges>
concept ElementPredicate = std::predicate<F&, const_reference_t<Ranges>...>;
/// What can be called with each element of a range in turn, and may change it.
template <class F, class R>
concept ElementVisitor = std::invocable<F&, reference_t<R>>;
/// What makes one value of two.
template <class F, class T>
concept BinaryOperation = std::invocable<F&, T, T>;

namespace check {

[[noreturn]] void different_sizes(const char* call, std::size_t first, std::size_t other);
[[noreturn]] void partial_overlap(const char* call);
[[noreturn]] void overlap(const char* call);
[[noreturn]] void not_contiguous();
[[noreturn]] void bad_pointer(const void* data, std::size_t alignment);
[[noreturn]] void negative_extent();
[[noreturn]] void different_shapes(const char* call);
[[noreturn]] void zero_stride(const char* call);
[[noreturn]] void empty(const char* call);
[[noreturn]] void wrong_bounds(const char* call);

/// a * b. Throws Error if it overflows.
std::size_t product(std::size_t a, std::size_t b);

/// An extent as a size. Throws Error if it is negative.
template <std::integral Index>
std::size_t extent(Index value) {
  if constexpr (std::is_signed_v<Index>) {
    if (value < 0) negative_extent();
  }
  return static_cast<std::size_t>(value);
}

/// Throws Error unless the sizes are equal.
inline void same_size(const char* call, std::size_t first, std::size_t other) {
  if (first != other) different_sizes(call, first, other);
}

/// Throws Error if there are no elements.
inline void not_empty(const char* call, std::size_t size) {
  if (size == 0) empty(call);
}

/// Throws Error unless the lower bound is at most the upper one.
inline void ordered(const char* call, bool are) {
  if (!are) wrong_bounds(call);
}

/// Throws Error unless the share is from 0 to 1.
void share(const char* call, double share);

/// Whether element i of the one is element i of the other.
template <class A, class B>
bool same_memory(std::span<A> a, std::span<B> b) {
  return static_cast<const void*>(a.data()) == static_cast<const void*>(b.data()) && sizeof(A) == sizeof(B);
}

/// Throws Error if `out` shares memory with `in`.
template <class In, class Out>
void apart(const char* call, std::span<In> in, std::span<Out> out) {
  const auto in_begin = reinterpret_cast<std::uintptr_t>(in.data());
  const auto out_begin = reinterpret_cast<std::uintptr_t>(out.data());
  if (in_begin < out_begin + out.size_bytes() && out_begin < in_begin + in.size_bytes()) overlap(call);
}

/// Throws Error if `out` shares memory with `in` and is not, element by element, the very same: element i of the result would then
/// be written over an element of the input that has yet to be read.
template <class In, class Out>
void no_partial_overlap(const char* call, std::span<In> in, std::span<Out> out) {
  if (same_memory(in, out)) return;
  const auto in_begin = reinterpret_cast<std::uintptr_t>(in.data());
  const auto out_begin = reinterpret_cast<std::uintptr_t>(out.data());
  if (in_begin < out_begin + out.size_bytes() && out_begin < in_begin + in.size_bytes()) partial_overlap(call);
}

/// The addresses from the first byte of a view's lowest element to the end of its highest.
template <class T, std::size_t D>
std::array<std::uintptr_t, 2> addresses(const View<T, D>& view) {
  const auto base = reinterpret_cast<std::uintptr_t>(view.data_handle());
  std::array<std::uintptr_t, 2> ends{base, base + sizeof(T)};
  for (std::size_t d = 0; d < D; ++d) {
    const std::ptrdiff_t reach =
        view.stride(d) * (static_cast<std::ptrdiff_t>(view.extent(d)) - 1) * static_cast<std::ptrdiff_t>(sizeof(T));
    ends[reach < 0 ? 0 : 1] += static_cast<std::uintptr_t>(reach);
  }
  return ends;
}

/// Throws Error unless the shapes are equal, no two indices of `out` are one element, and the two are the same memory or apart.
template <class In, class Out, std::size_t D>
void views(const char* call, const View<In, D>& in, const View<Out, D>& out) {
  if (in.extents() != out.extents()) different_shapes(call);
  if (out.empty()) return;
  for (std::size_t d = 0; d < D; ++d)
    if (out.stride(d) == 0 && out.extent(d) > 1) zero_stride(call);
  if (in.data_handle() == nullptr || out.data_handle() == nullptr) bad_pointer(nullptr, 1);
  const bool same = static_cast<const void*>(in.data_handle()) == static_cast<const void*>(out.data_handle()) &&
                    sizeof(In) == sizeof(Out) && in.strides() == out.strides();
  const auto a = addresses(in);
  const auto b = addresses(out);
  if (!same && a[0] < b[1] && b[0] < a[1]) partial_overlap(call);
}

}  // namespace check

/// The range as a span. Throws Error if its elements do not lie side by side (a row of a column-major Eigen matrix), or if it has
/// elements and its pointer is null or not aligned for them.
template <ContiguousRange R>
std::span<element_t<R>> as_span(R&& range) {
  if constexpr (requires { range.innerStride(), range.outerStride(), range.innerSize(), range.outerSize(); }) {
    const bool gaps = range.innerStride() != 1 || (range.outerStride() != range.innerSize() && range.outerSize() > 1);
    if (gaps && range.size() > 1) check::not_contiguous();
  }
  using T = element_t<R>;
  const std::span<T> span(std::data(range), static_cast<std::size_t>(std::size(range)));
  if (!span.empty() && (span.data() == nullptr || reinterpret_cast<std::uintptr_t>(span.data()) % alignof(T) != 0))
    check::bad_pointer(span.data(), alignof(T));
  return span;
}

}  // namespace furrow
