#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/ranges.hpp"

// Conversion of element types, in SIMD code chosen at run time.

namespace furrow {

namespace named {

template <NamedElement From, NamedElement To>
void convert(Engine& engine, std::span<const From> in, std::span<To> out);
template <NamedElement From, NamedElement To>
void convert(Flow& flow, std::span<const From> in, std::span<To> out);

}  // namespace named

/// out[i] = in[i] as an element of out's type: float, double, std::int32_t, std::int64_t or std::uint8_t. Defined everywhere: to an
/// integer type, fractions are cut off, what is beyond its range becomes its least or greatest number, and NaN becomes 0; to a
/// floating-point type, values are rounded to the nearest, beyond its range to ±∞, −0 and NaN stay. Ranges of the same type are
/// copied. The two must not overlap, but for the very same one. Throws Error if the sizes differ or they overlap. 1 read, 1 write.
template <ContiguousRange In, ContiguousRange Out>
requires NamedElement<value_t<In>> && NamedElement<value_t<Out>>
void convert(Runner auto& runner, In&& in, Out&& out) {
  named::convert<value_t<In>, value_t<Out>>(runner, named::in(in), as_span(out));
}

}  // namespace furrow
