#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"

// Comparisons, element by element, in SIMD code chosen at run time: each writes 1 where it holds and 0 where not, as std::uint8_t.
// They are C's: −0 equals +0, and beside a NaN only not_equal holds. And `where`, which such results choose by. `out` must not
// overlap the inputs, but that of `where` may be `a` or `b`. All throw Error if sizes differ or ranges overlap; empty ranges are
// fine.

namespace furrow {
namespace named {

/// The comparisons, in the order of their code tables.
enum class Comparison { equal, not_equal, less, less_equal, greater, greater_equal };
inline constexpr std::array<std::string_view, 6> kComparisonNames{"equal",      "not_equal", "less",
                                                                  "less_equal", "greater",   "greater_equal"};

/// out[i] = whether the comparison of a[i] with b[i] holds.
template <NamedElement T>
void compare(Engine& engine, Comparison comparison, std::span<const T> a, std::span<const T> b, std::span<std::uint8_t> out);
template <NamedElement T>
void compare(Flow& flow, Comparison comparison, std::span<const T> a, std::span<const T> b, std::span<std::uint8_t> out);

/// out[i] = condition[i] ? a[i] : b[i].
template <NamedElement T>
void where(Engine& engine, std::span<const std::uint8_t> condition, std::span<const T> a, std::span<const T> b, std::span<T> out);
template <NamedElement T>
void where(Flow& flow, std::span<const std::uint8_t> condition, std::span<const T> a, std::span<const T> b, std::span<T> out);

}  // namespace named

/// A range of bytes: what comparisons write and `where` chooses by.
template <class R>
concept ByteRange = ContiguousRange<R> && std::same_as<value_t<R>, std::uint8_t>;

/// out[i] = a[i] = b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void equal(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::equal, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] ≠ b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void not_equal(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::not_equal, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] < b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void less(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::less, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] ≤ b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void less_equal(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::less_equal, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] > b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void greater(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::greater, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] ≥ b[i]. 2 reads, 1 byte written.
template <NamedRange A, RangeOf<value_t<A>> B, ByteRange Out>
void greater_equal(Runner auto& runner, A&& a, B&& b, Out&& out) {
  named::compare<value_t<A>>(runner, named::Comparison::greater_equal, named::in(a), named::in(b), as_span(out));
}

/// out[i] = a[i] where condition[i] is not 0, else b[i]: the very bits, of NaN too. 2 reads and a byte, 1 write.
template <ByteRange Condition, NamedRange A, RangeOf<value_t<A>> B, RangeOf<value_t<A>> Out>
void where(Runner auto& runner, Condition&& condition, A&& a, B&& b, Out&& out) {
  named::where<value_t<A>>(runner, named::in(condition), named::in(a), named::in(b), as_span(out));
}

}  // namespace furrow
