#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "furrow/kernels/sorting/radix_keys.hpp"

namespace furrow::sorting {

// Sharing out what does not.

inline constexpr std::size_t kCells = 1024;
inline constexpr std::size_t kMostBuckets = 1024;
inline constexpr std::size_t kPerBucket = 16;                        // keys of the sample for each bucket
inline constexpr std::size_t kBucketBytes = std::size_t{128} << 10;  // wanted: two of them, and some more, fit a second-level cache
inline constexpr std::size_t kGiant = std::size_t{1} << 18;          // so many records are not one thread's work

/// A map from keys to buckets that does not decrease, made from a sample so that buckets get about the same number of keys: the
/// range is cut into equal cells; those with many keys are cut again, those with few share a bucket.
template <class U>
class BucketMap {
 public:
  /// `sample` is sorted. Keys may lie outside [least, greatest].
  BucketMap(const std::vector<KeyOnly<U>>& sample, U least, U greatest, std::size_t buckets)
      : least_(least), span_(static_cast<U>(greatest - least)), cells_(1) {
    constexpr int kCellBits = std::countr_zero(kCells);
    shift_ = std::max(0, bits_of(span_) - kCellBits);
    cells_.resize(static_cast<std::size_t>(span_ >> shift_) + 1);
    const std::size_t share = std::max<std::size_t>(1, sample.size() / buckets);
    std::size_t next = 0;    // in the sample
    std::size_t filled = 0;  // keys of the sample in the bucket that cells are being added to
    std::uint32_t bucket = 0;
    bool open = false;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const std::size_t begin = next;
      while (next < sample.size() && static_cast<std::size_t>(static_cast<U>(sample[next].key - least) >> shift_) == c) ++next;
      const std::size_t keys = next - begin;
      int bits = 0;
      if (keys > share + share / 2) bits = std::min(bits_of((keys - 1) / share), shift_);
      if (open && (bits > 0 || filled + keys > share + share / 2)) {
        ++bucket;
        open = false;
      }
      if (!open) filled = 0;
      const int shift = shift_ - bits;
      cells_[c] = {static_cast<std::uint32_t>(bucket - static_cast<std::uint32_t>(c << bits)), static_cast<std::uint32_t>(shift)};
      filled += keys;
      open = true;
      if (bits > 0 || keys > share + share / 2) {
        bucket += std::uint32_t{1} << bits;
        open = false;
      }
    }
    buckets_ = bucket + (open ? 1 : 0);
  }

  std::size_t buckets() const { return buckets_; }
  std::size_t operator()(U key) const {
    const U distance = std::min(static_cast<U>(std::max(key, least_) - least_), span_);
    const Cell cell = cells_[static_cast<std::size_t>(distance >> shift_)];
    return static_cast<std::uint32_t>(static_cast<std::uint32_t>(distance >> cell.shift) + cell.offset);
  }

 private:
  struct Cell {
    std::uint32_t offset;  // of its first bucket, less what the keys' leading bits are there; wraps
    std::uint32_t shift;
  };

  U least_;
  U span_;
  int shift_ = 0;
  std::vector<Cell> cells_;
  std::size_t buckets_ = 0;
};

}  // namespace furrow::sorting
