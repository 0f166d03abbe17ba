#include "furrow/kernels/ranges.hpp"

#include <string>

#include "furrow/engine/error.hpp"

namespace furrow::check {

void different_sizes(const char* call, std::size_t first, std::size_t other) {
  fail(std::string(call) + ": the ranges have different sizes, " + std::to_string(first) + " and " + std::to_string(other) +
       "; give ranges of one size");
}

void partial_overlap(const char* call) {
  fail(std::string(call) + ": the output overlaps an input partly; give the very same range (in place) or one apart from it");
}

void overlap(const char* call) {
  fail(std::string(call) + ": the output shares memory with an input; give a range apart from it");
}

void not_contiguous() {
  fail("the elements of this range do not lie side by side; copy it first, or pass it as a furrow::View with its strides");
}

void bad_pointer(const void* data, std::size_t alignment) {
  if (data == nullptr) fail("the range has elements but its pointer is null");
  fail("the range's pointer is not aligned to the " + std::to_string(alignment) + " bytes that its element type needs");
}

void negative_extent() {
  fail("an extent is negative; extents are numbers of elements");
}

void different_shapes(const char* call) {
  fail(std::string(call) + ": the views have different shapes; give views of one shape");
}

void zero_stride(const char* call) {
  fail(std::string(call) + ": the output view has a stride of 0, so that several indices are one element; give each its own");
}

void empty(const char* call) {
  fail(std::string(call) + ": an empty range has none; check for empty() first");
}

void wrong_bounds(const char* call) {
  fail(std::string(call) + ": the lower bound must be at most the upper one, and neither NaN");
}

void share(const char* call, double share) {
  if (!(share >= 0 && share <= 1)) fail(std::string(call) + ": " + std::to_string(share) + " is no share; it must be from 0 to 1");
}

std::size_t product(std::size_t a, std::size_t b) {
  std::size_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) fail("the product of the extents does not fit a size; give a smaller shape");
  return result;
}

}  // namespace furrow::check
