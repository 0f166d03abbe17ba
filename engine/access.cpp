#include "furrow/engine/access.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "furrow/engine/error.hpp"

namespace furrow {
namespace {

/// Bytes from the beginning of the first to the end of the last of `count` things of `size` bytes. Throws Error if they do not fit.
std::size_t length(std::size_t count, std::size_t stride, std::size_t size) {
  std::size_t between = 0;
  std::size_t all = 0;
  if (__builtin_mul_overflow(count - 1, stride, &between) || __builtin_add_overflow(between, size, &all) ||
      all > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()))
    fail("a graph's node reads or writes more bytes than there can be; check the extents and strides of its views");
  return all;
}

/// Whether there is a whole number m in [first, last] with low < m · stride < high.
bool has_multiple(std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t stride, std::ptrdiff_t low, std::ptrdiff_t high) {
  if (stride == 0) return low < 0 && 0 < high;
  // The least m above low / stride.
  std::ptrdiff_t least = low / stride;
  if (low % stride >= 0) ++least;
  return std::max(least, first) <= last && std::max(least, first) * stride < high;
}

std::ptrdiff_t difference(std::uintptr_t a, std::uintptr_t b) {
  return static_cast<std::ptrdiff_t>(a - b);
}

}  // namespace

Access::Access(Mode mode, const void* first, std::size_t element_bytes, const Directions& directions)
    : mode_(mode), begin_(reinterpret_cast<std::uintptr_t>(first)) {
  struct Steps {
    std::size_t count;
    std::size_t stride;
  };
  std::array<Steps, 3> steps{};
  std::size_t used = 0;
  for (const Direction& direction : directions) {
    if (direction.count == 0) return;
    if (direction.count == 1 || direction.stride == 0) continue;
    const auto stride = static_cast<std::size_t>(std::abs(direction.stride));
    const std::size_t extent = length(direction.count, stride, 0);
    if (direction.stride < 0) begin_ -= extent;
    std::size_t place = used++;  // the nearest first
    for (; place > 0 && steps[place - 1].stride > stride; --place) steps[place] = steps[place - 1];
    steps[place] = {direction.count, stride};
  }
  piece_ = element_bytes;
  std::size_t left = 0;
  for (std::size_t s = 0; s < used; ++s) {
    const std::size_t all = length(steps[s].count, steps[s].stride, left == 0 ? piece_ : static_cast<std::size_t>(end() - begin_));
    if (left == 0 && steps[s].stride <= piece_) {
      piece_ = all;
    } else if (left > 0 && steps[s].stride == along_[left - 1].count * static_cast<std::size_t>(along_[left - 1].stride)) {
      along_[left - 1].count *= steps[s].count;  // the farther direction goes on where the nearer one ends
    } else if (left < along_.size()) {
      along_[left++] = {steps[s].count, static_cast<std::ptrdiff_t>(steps[s].stride)};
    } else {
      fail("a graph's node reads or writes single elements along three directions; give it several views of fewer dimensions");
    }
  }
}

/// Whether one of the pieces has a byte in [begin, end).
bool Access::meets_row(std::uintptr_t begin, std::uintptr_t end) const {
  const auto& [near, far] = along_;
  for (std::size_t j = 0; j < far.count; ++j) {
    const std::ptrdiff_t offset = difference(begin, begin_ + j * static_cast<std::size_t>(far.stride));
    if (has_multiple(0, static_cast<std::ptrdiff_t>(near.count) - 1, near.stride, offset - static_cast<std::ptrdiff_t>(piece_),
                     offset + difference(end, begin)))
      return true;
  }
  return false;
}

bool Access::overlaps(const Access& other) const {
  if (empty() || other.empty() || begin_ >= other.end() || other.begin_ >= end()) return false;
  const auto& [near, far] = along_;
  const auto& [other_near, other_far] = other.along_;
  if (near.count == 1 && far.count == 1) return other.meets_row(begin_, begin_ + piece_);
  if (other_near.count == 1 && other_far.count == 1) return meets_row(other.begin_, other.begin_ + other.piece_);
  for (std::size_t i = 0; i < far.count; ++i) {
    const std::uintptr_t row = begin_ + i * static_cast<std::size_t>(far.stride);
    for (std::size_t j = 0; j < other_far.count; ++j) {
      const std::uintptr_t other_row = other.begin_ + j * static_cast<std::size_t>(other_far.stride);
      if (near.stride == other_near.stride) {
        // Piece a of the one and piece b of the other: m = a − b.
        const std::ptrdiff_t offset = difference(other_row, row);
        if (has_multiple(1 - static_cast<std::ptrdiff_t>(other_near.count), static_cast<std::ptrdiff_t>(near.count) - 1,
                         near.stride, offset - static_cast<std::ptrdiff_t>(piece_),
                         offset + static_cast<std::ptrdiff_t>(other.piece_)))
          return true;
        continue;
      }
      const bool fewer = near.count <= other_near.count;
      const Direction& few = fewer ? near : other_near;
      const std::uintptr_t from = fewer ? row : other_row;
      const std::size_t bytes = fewer ? piece_ : other.piece_;
      for (std::size_t k = 0; k < few.count; ++k) {
        const std::uintptr_t piece = from + k * static_cast<std::size_t>(few.stride);
        if (fewer ? other.meets_row(piece, piece + bytes) : meets_row(piece, piece + bytes)) return true;
      }
    }
  }
  return false;
}

bool Access::covers(const Access& other) const {
  if (other.empty() || same_bytes(other)) return true;
  if (other.begin_ < begin_ || other.end() > end()) return false;
  const auto& [near, far] = along_;
  if (far.count > 1 || other.along_[1].count > 1) return false;
  if (near.count == 1) return true;
  const std::size_t offset = other.begin_ - begin_;
  const auto stride = static_cast<std::size_t>(near.stride);
  const bool aligned = other.along_[0].count == 1 || other.along_[0].stride == near.stride;
  return aligned && offset % stride + other.piece_ <= piece_ && offset / stride + other.along_[0].count <= near.count;
}

}  // namespace furrow
