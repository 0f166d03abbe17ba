#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "furrow/engine/access.hpp"
#include "furrow/engine/graph/arena.hpp"

namespace furrow {

/// Finds which earlier nodes a node has to wait for: reads wait for the latest write of the same bytes, writes for it and for the
/// reads since.
///
/// Method: memory is known as the blocks that accesses name. One that is accessed again is found by a guess, where nodes go through
/// memory in order, else by where it begins or by a hash. Which blocks share bytes is worked out once, when a block is first seen.
/// Then an access costs as many steps as its block has neighbours, whatever its size. What accesses of a neighbour that lies within
/// the block did is forgotten when the block is written.
class Hazards {
 public:
  using Node = std::uint32_t;
  using Index = std::uint32_t;

  /// Calls before(earlier) for each node that `node` has to wait for, some of them perhaps several times. Nodes come in the order
  /// in which they were added; all accesses of one come in a row, and do not count against each other. Returns the block.
  template <class Before>
  Index add(Arena& arena, Node node, const Access& access, const Before& before) {
    const Index index = block_of(arena, node, access);
    Block& block = blocks_[index];
    const auto wait = [&](const Block& other, std::uint32_t seen) {
      if (other.writer != kNone && other.writer != node) before(other.writer);
      if (!access.writes()) return;
      // For those seen earlier the latest writer of this block has waited.
      std::uint32_t left = other.reads - seen;
      for (Index r = other.latest_reader; r != kNone && left > 0; r = readers_[r].before, --left)
        if (readers_[r].node != node) before(readers_[r].node);
    };
    wait(block, 0);
    for (Index n = block.first_neighbour; n != kNone; n = neighbours_[n].next) {
      Neighbour& neighbour = neighbours_[n];
      Block& other = blocks_[neighbour.block];
      wait(other, neighbour.seen);
      if (!access.writes()) continue;
      neighbour.seen = other.reads;
      if (neighbour.covered) other.forget();
    }
    if (access.writes()) {
      block.forget();
      block.writer = node;
    } else if (block.latest_reader == kNone || readers_[block.latest_reader].node != node) {
      block.latest_reader = readers_.add(arena, node, block.latest_reader);
      ++block.reads;
    }
    return index;
  }

  /// The memory of a block that add() returned.
  Access block(Index index) const;

  /// Forgets everything, before or after the arena is cleared.
  void clear();

 private:
  static constexpr Index kNone = static_cast<Index>(-1);

  struct Block {
    std::uintptr_t begin;
    std::size_t bytes;  ///< side by side; or kStrided and which of strided_ it is
    Index first_neighbour = kNone;
    Node writer = kNone;          ///< the latest; none if a block that covers this one was written since
    Index latest_reader = kNone;  ///< since then
    std::uint32_t reads = 0;      ///< ever

    void forget() { writer = latest_reader = kNone; }
  };
  static constexpr std::size_t kStrided = ~(~std::size_t{0} >> 1);

  /// Another block that shares bytes with one.
  struct Neighbour {
    Index block;
    Index next;
    std::uint32_t seen;  ///< reads of it that writers of the one have waited for
    bool covered;        ///< it lies within the one
  };
  struct Reader {
    Node node;
    Index before;  ///< the reader before it
  };
  /// Where the blocks begin whose extent is of one class of sizes: all that reach into a place are found near it.
  struct Places {
    struct Row {
      std::vector<Index> blocks;
      std::uintptr_t first;  ///< where the first begins
      std::uintptr_t last;

      bool reaches(std::uintptr_t begin) const { return first <= begin && begin <= last; }
    };
    int size_class;         ///< none of its blocks is longer than 2^size_class
    std::vector<Row> rows;  ///< nearly all, where arrays are gone through in order: each a row of its own
    std::multimap<std::uintptr_t, Index> late;

    void add(std::uintptr_t begin, Index block);
  };

  /// Which block the next node will name in the same place, if they go through memory at equal distances.
  struct Guess {
    Index latest = kNone;
    Index step = 0;
  };

  Index block_of(Arena& arena, Node node, const Access& access) {
    position_ = node == guesses_for_ ? position_ + 1 : 0;
    guesses_for_ = node;
    Guess& guess = guesses_[position_ % guesses_.size()];
    const Index next = guess.latest + guess.step;
    if (next < blocks_.size() && is(next, access)) return guess.latest = next;
    Index found = find(access);
    if (found == kNone) found = add_block(arena, access);
    guess = {found, found - guess.latest};
    return found;
  }
  bool is(Index block, const Access& access) const {
    const Block& one = blocks_[block];
    if (one.begin != access.begin()) return false;
    return access.is_contiguous() ? one.bytes == access.piece() : is_strided(one, access);
  }
  bool is_strided(const Block& block, const Access& access) const;
  Index find(const Access& access);
  Index search(const Access& access, const Places& places) const;
  Index add_block(Arena& arena, const Access& access);
  void find_neighbours(Arena& arena, Index block, const Access& access, const Places& places);
  void make_neighbours(Arena& arena, Index one, const Access& access, Index other);
  void enter(Index block);
  void enter_all();

  Growing<Block> blocks_;
  Growing<Access> strided_;
  Growing<Neighbour> neighbours_;
  Growing<Reader> readers_;
  std::vector<Index> slots_;  // of an open hash table: blocks
  Index entered_ = 0;         // how many blocks it has: the first ones
  std::array<Guess, 8> guesses_;
  Node guesses_for_ = kNone;
  unsigned position_ = 0;  // among the accesses of a node
  Index searches_ = 0;     // since blocks were entered
  std::vector<Places> places_;
};

}  // namespace furrow
