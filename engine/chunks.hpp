#pragma once

#include <bit>
#include <cstddef>

namespace furrow {

/// A half-open range [begin, end) of element indices.
struct Range {
  std::size_t begin = 0;  ///< index of the first
  std::size_t end = 0;    ///< behind the last

  /// The number of elements.
  constexpr std::size_t size() const { return end - begin; }
  /// Whether both are the same.
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

/// How [0, n) is cut: into equal chunks of `length()` elements (the last may be shorter). Depends on n and the element size alone,
/// never on threads, backend, tuning or addresses: this is what makes results reproducible.
///
/// The length is the power of two that gives at most 128 chunks, until a chunk reaches 64 KiB (two of them fit any L2 cache); above
/// that, chunks of 64 KiB. So 100 elements of an expensive functor become 100 chunks and spread over all cores, and 2^25 doubles
/// become 4096 chunks. `shortest` (a power of two) is for kernels whose cost per element is known to be small.
///
/// A window is the part of a larger whole that is in memory: it begins at a chunk boundary of the whole and keeps the whole's cut,
/// so that what is computed in windows has the bits of what is computed at once.
class Chunks {
 public:
  /// No chunks.
  constexpr Chunks() = default;

  /// Cuts [0, n) for elements of so many bytes.
  constexpr Chunks(std::size_t n, std::size_t element_bytes, std::size_t shortest = 1)
      : length_(cut(n, element_bytes, shortest)),
        extent_(n),
        count_((n >> std::countr_zero(length_)) + ((n & (length_ - 1)) != 0)) {}  // division would take as long as 100 elements

  /// Chunks [first, first + count) of this cut; indices of the result count from 0 again, `offset()` says where it begins.
  constexpr Chunks window(std::size_t first, std::size_t count) const {
    Chunks part = *this;
    part.first_ = first_ + first;
    part.count_ = least(count, count_ - least(first, count_));
    return part;
  }

  /// The number of chunks.
  constexpr std::size_t count() const { return count_; }
  /// Elements of each chunk but perhaps the last.
  constexpr std::size_t length() const { return length_; }
  /// The number of elements of the whole.
  constexpr std::size_t extent() const { return extent_; }
  /// The index in the whole at which chunk 0 of this window begins.
  constexpr std::size_t offset() const { return first_ * length_; }
  /// The number of elements of this window.
  constexpr std::size_t size() const { return count_ == 0 ? 0 : (*this)[count_ - 1].end; }

  /// Elements of chunk k, counted from the beginning of this window.
  constexpr Range operator[](std::size_t k) const { return elements(k, k + 1); }
  /// Elements of the chunks [first, last), counted from the beginning of this window; needs first < last <= count().
  constexpr Range elements(std::size_t first, std::size_t last) const {
    return {first * length_, least(last * length_, extent_ - offset())};
  }

 private:
  static constexpr std::size_t kMostChunks = 128;
  static constexpr std::size_t kLargestBytes = std::size_t{64} * 1024;

  static constexpr std::size_t least(std::size_t a, std::size_t b) { return a < b ? a : b; }
  static constexpr std::size_t most(std::size_t a, std::size_t b) { return a < b ? b : a; }

  static constexpr std::size_t cut(std::size_t n, std::size_t element_bytes, std::size_t shortest) {
    const std::size_t largest = most(std::bit_floor(kLargestBytes / most(element_bytes, 1)), most(shortest, 1));
    const std::size_t fewest = n / kMostChunks + (n % kMostChunks != 0);
    return std::bit_ceil(most(least(fewest, largest), shortest));
  }

  std::size_t length_ = 1;
  std::size_t extent_ = 0;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace furrow
