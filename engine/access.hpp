#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/engine/view.hpp"

namespace furrow {

/// Memory that a node of a graph reads or writes: pieces of so many bytes, at equal distances along up to two directions. Made by
/// read() and write().
class Access {
 public:
  /// Whether the memory may be written.
  enum class Mode : std::uint8_t { read, write };

  /// Where elements lie, as a View tells it, but in bytes. Distances may be negative.
  struct Direction {
    std::size_t count;      ///< elements along it
    std::ptrdiff_t stride;  ///< bytes from one to the next
    /// Whether both are the same.
    friend bool operator==(const Direction&, const Direction&) = default;
  };
  /// Of up to three dimensions; one that is not used counts 1.
  using Directions = std::array<Direction, 3>;

  /// Elements of so many bytes, `directions[d].count` of them along each direction. Throws Error if there are so many bytes that no
  /// address is left for them.
  Access(Mode mode, const void* first, std::size_t element_bytes, const Directions& directions);

  /// So many bytes side by side.
  Access(Mode mode, const void* first, std::size_t bytes)
      : mode_(mode), begin_(reinterpret_cast<std::uintptr_t>(first)), piece_(bytes) {}

  /// Whether it is read or written.
  Mode mode() const { return mode_; }
  /// Whether it may be written.
  bool writes() const { return mode_ == Mode::write; }
  /// Whether it has no bytes.
  bool empty() const { return piece_ == 0; }
  /// Whether all its bytes lie side by side.
  bool is_contiguous() const { return along_[0].count == 1; }
  /// How many of them do.
  std::size_t piece() const { return piece_; }
  /// The addresses from the first byte to behind the last, with what lies between the pieces.
  std::uintptr_t begin() const { return begin_; }
  /// Behind the last byte.
  std::uintptr_t end() const {
    std::uintptr_t last = begin_;
    for (const Direction& direction : along_) last += (direction.count - 1) * static_cast<std::size_t>(direction.stride);
    return last + piece_;
  }

  /// The least c for which it reaches over no more than 2^c bytes; unless it is empty.
  int size_class() const { return static_cast<int>(std::bit_width(end() - begin() - 1)); }

  /// Calls piece(begin, end) for each run of bytes side by side.
  template <class Piece>
  void for_each_piece(const Piece& piece) const {
    for (std::size_t far = 0; far < along_[1].count; ++far)
      for (std::size_t near = 0; near < along_[0].count; ++near) {
        const std::uintptr_t begin =
            begin_ + far * static_cast<std::size_t>(along_[1].stride) + near * static_cast<std::size_t>(along_[0].stride);
        piece(begin, begin + piece_);
      }
  }

  /// Whether there is a byte that is in both.
  bool overlaps(const Access& other) const;
  /// Whether every byte of `other` is in this one. May say no where it would take long to see.
  bool covers(const Access& other) const;
  /// Whether they are the same bytes, cut alike.
  bool same_bytes(const Access& other) const { return begin_ == other.begin_ && piece_ == other.piece_ && along_ == other.along_; }
  /// Equal for accesses of the same_bytes().
  std::size_t hash() const {
    constexpr std::size_t kOdd = 0x9E3779B97F4A7C15U;
    std::size_t mixed = (begin_ ^ piece_ << 48) * kOdd;
    if (!is_contiguous())
      for (const std::size_t part : {along_[0].count, static_cast<std::size_t>(along_[0].stride), along_[1].count})
        mixed = (mixed ^ mixed >> 29) * kOdd + part;
    return mixed ^ mixed >> 32;
  }

 private:
  bool meets_row(std::uintptr_t begin, std::uintptr_t end) const;

  Mode mode_;
  std::uintptr_t begin_ = 0;
  std::size_t piece_ = 0;  ///< bytes that lie side by side
  /// Pieces along the nearer direction and the farther one; strides are positive, and greater than what lies within, unless the
  /// view overlaps itself.
  std::array<Direction, 2> along_{{{1, 0}, {1, 0}}};
};

namespace access {

template <class Range>
concept Contiguous = requires(Range& range) {
  *std::data(range);
  std::size(range);
};

template <Contiguous Range>
Access of(Access::Mode mode, Range& range) {
  return {mode, std::data(range), std::size(range) * sizeof(*std::data(range))};
}

template <class T, std::size_t D>
Access of(Access::Mode mode, const View<T, D>& view) requires(D <= 3) {
  Access::Directions directions{{{1, 0}, {1, 0}, {1, 0}}};
  for (std::size_t d = 0; d < D; ++d) directions[d] = {view.extent(d), view.stride(d) * static_cast<std::ptrdiff_t>(sizeof(T))};
  return {mode, view.data_handle(), sizeof(T), directions};
}

}  // namespace access

/// Says that a node reads these elements: a contiguous range, or a View of up to three dimensions, of which exactly the elements
/// count and not what lies between them. The elements need not outlive the call, but the memory has to when the node runs.
template <class Elements>
Access read(const Elements& elements) {
  return access::of(Access::Mode::read, elements);
}

/// Says that a node writes these elements, or reads and writes them.
template <class Elements>
Access write(Elements&& elements) {
  return access::of(Access::Mode::write, elements);
}

}  // namespace furrow
