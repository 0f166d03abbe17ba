#include "furrow/kernels/eigen/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "furrow/engine/error.hpp"

namespace furrow::eigen {
namespace {

/// The stride along an axis, of which there may be one element only.
std::ptrdiff_t stride(const Memory& memory, std::size_t axis) {
  return memory.extents[axis] > 1 ? memory.strides[axis] : 0;
}

/// The quotient towards minus infinity, and 0 by 0.
std::ptrdiff_t divided(std::ptrdiff_t a, std::ptrdiff_t b) {
  if (b == 0) return 0;
  const std::ptrdiff_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::string shape(const std::array<std::ptrdiff_t, 2>& extents) {
  return std::to_string(extents[0]) + " × " + std::to_string(extents[1]);
}

}  // namespace

bool are_same(const Memory& a, const Memory& b) {
  return a.begin == b.begin && a.element_bytes == b.element_bytes && a.extents == b.extents && stride(a, 0) == stride(b, 0) &&
         stride(a, 1) == stride(b, 1);
}

bool elements_meet(const Memory& a, const Memory& b) {
  if (a.element_bytes != b.element_bytes) return true;
  std::array<std::ptrdiff_t, 2> strides{};
  for (const std::size_t axis : {0U, 1U}) {
    strides[axis] = a.extents[axis] > 1 ? stride(a, axis) : stride(b, axis);
    if (a.extents[axis] > 1 && b.extents[axis] > 1 && stride(a, axis) != stride(b, axis)) return true;
  }
  // Rows of one matrix, or its even and odd columns, lie among each other and share nothing: two elements meet if they are apart by
  // i and j strides, with i and j within the extents. Where lines do not overlap, there are two j to be tried.
  const std::size_t outer = std::abs(strides[1]) >= std::abs(strides[0]) ? 1 : 0;
  const std::size_t inner = 1 - outer;
  const std::ptrdiff_t outer_stride = strides[outer];
  const std::ptrdiff_t inner_stride = strides[inner];
  const std::ptrdiff_t reach = std::abs(inner_stride) * (std::max(a.extents[inner], b.extents[inner]) - 1);
  if (reach > 0 && reach >= std::abs(outer_stride)) return true;
  const auto apart = static_cast<std::ptrdiff_t>(b.begin - a.begin);
  const auto within = [](std::ptrdiff_t steps, std::ptrdiff_t of_a, std::ptrdiff_t of_b) { return steps < of_a && -steps < of_b; };
  for (std::ptrdiff_t j = divided(apart, outer_stride), j_end = j + 2; j < j_end; ++j) {
    if (!within(j, a.extents[outer], b.extents[outer])) continue;
    const std::ptrdiff_t rest = apart - j * outer_stride;
    for (std::ptrdiff_t i = divided(rest, inner_stride), i_end = i + 2; i < i_end; ++i)
      if (within(i, a.extents[inner], b.extents[inner]) && std::abs(rest - i * inner_stride) < a.element_bytes) return true;
  }
  return false;
}

void partial_overlap() {
  fail(
      "assign: the expression reads elements of the destination's memory at other places than it writes them (shifted, transposed "
      "or "
      "reversed); evaluate it into a temporary, (…).eval(), or assign it to another array");
}

void wrong_shape(const char* call, const std::array<std::ptrdiff_t, 2>& has, const std::array<std::ptrdiff_t, 2>& needs) {
  fail(std::string(call) + ": the destination is " + shape(has) + " and the expression " + shape(needs) +
       "; give a destination of that shape, or an Eigen array or matrix that can be resized");
}

}  // namespace furrow::eigen
