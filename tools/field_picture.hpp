#pragma once

#include <optional>

#include "furrow/kernels/simulations/simulation.hpp"
#include "tools/picture.hpp"

namespace furrow::tools {

/// The values that the ends of the colours stand for.
struct ValueRange {
  double low;
  double high;
};

/// "low:high" as numbers. Throws Error unless they are, and low < high.
ValueRange parse_range(const std::string& text);

/// A picture of a field with a bar that says which colour is which value; the range is that of its finite values unless given.
///
/// Of two dimensions: row 0 at the top; grids beyond 2048 on a side are averaged down, small ones magnified. Of three: the slice in
/// the middle of the slowest axis. Of one: a line. Fields of floating-point numbers called "position" or "positions", of shape
/// {n, 2} or {n, 3}: how many of them lie where, seen along z with y upward, within the square that holds 99 % of them, in
/// logarithms. What is not finite is grey.
Picture field_picture(const sim::Field& field, const std::optional<ValueRange>& range);

}  // namespace furrow::tools
