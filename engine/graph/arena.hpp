#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"

namespace furrow {

/// Memory that is given out piece by piece and taken back all at once, in few large blocks: new pages cost more than to write what
/// stands on them, and fewer of them are new where blocks are of huge pages or are used again.
class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Throws std::bad_alloc.
  void* take(std::size_t bytes) {
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    for (; block_ < blocks_.size(); ++block_, used_ = 0) {
      if (bytes > blocks_[block_].bytes - used_) continue;
      used_ += bytes;
      return blocks_[block_].memory.data() + (used_ - bytes);
    }
    constexpr std::size_t kFirst = std::size_t{32} << 10;
    constexpr std::size_t kLargest = std::size_t{16} << 20;
    const std::size_t next = blocks_.empty() ? kFirst : std::min(4 * blocks_.back().bytes, kLargest);
    blocks_.reserve(blocks_.size() + 1);
    const std::size_t room = std::max(next, bytes);
    blocks_.push_back({Scratch<std::byte>(room), room});
    used_ = bytes;
    return blocks_.back().memory.data();
  }

  /// Takes everything back, to give it out again.
  void clear() { block_ = used_ = 0; }

 private:
  struct Block {
    Scratch<std::byte> memory;
    std::size_t bytes;
  };

  std::vector<Block> blocks_;
  std::size_t block_ = 0;  ///< the one that is being given out
  std::size_t used_ = 0;   ///< bytes of it
};

/// A sequence that grows at its end and stays where it is, in pieces of a page from an arena; destructors are the owner's to call.
template <class T>
class Growing {
 public:
  using Index = std::uint32_t;
  static_assert(alignof(T) <= Arena::kAlignment);

  T& operator[](Index i) { return pieces_[i / kPiece][i % kPiece]; }
  const T& operator[](Index i) const { return pieces_[i / kPiece][i % kPiece]; }
  Index size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& back() const { return (*this)[size_ - 1]; }

  /// Puts T{values...} at the end and returns its index. Throws std::bad_alloc, and Error at 2^31 elements.
  template <class... Values>
  Index add(Arena& arena, Values&&... values) {
    if (size_ == room_) grow(arena);
    ::new (static_cast<void*>(&(*this)[size_])) T{std::forward<Values>(values)...};
    return size_++;
  }

  /// Forgets everything, before or after the arena is cleared.
  void clear() {
    pieces_.clear();
    size_ = room_ = 0;
  }

 private:
  static constexpr Index kPiece = std::bit_floor(4096 / sizeof(T));  // elements

  void grow(Arena& arena) {
    if (room_ >= std::uint32_t{1} << 31) fail("a graph has 2^31 nodes, dependencies and pieces of memory each at most; divide it");
    pieces_.reserve(pieces_.size() + 1);
    pieces_.push_back(static_cast<T*>(arena.take(kPiece * sizeof(T))));
    room_ += kPiece;
  }

  std::vector<T*> pieces_;
  Index size_ = 0;
  Index room_ = 0;
};

}  // namespace furrow
