#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "furrow/engine/access.hpp"

namespace furrow {

/// Finds which earlier nodes a node has to wait for: reads wait for the latest write of the same bytes, writes for it and for the
/// reads since.
///
/// Method: memory is known as the blocks that accesses name; whatever is accessed again is found by a hash, and which blocks share
/// bytes is worked out once, when a block is first seen. Then an access costs as many steps as its block has neighbours, whatever
/// its size. What accesses of a neighbour that lies within the block did is forgotten when the block is written.
class Hazards {
 public:
  using Node = std::uint32_t;

  /// Calls before(earlier) for each node that `node` has to wait for, some of them perhaps several times. Nodes come in the order
  /// in which they were added; all accesses of one come in a row, and do not count against each other.
  template <class Before>
  void add(Node node, const Access& access, const Before& before) {
    if (access.empty()) return;
    const std::uint32_t index = block_of(access);
    Block& block = blocks_[index];
    const auto wait = [&](const Block& other, std::uint32_t seen) {
      if (other.writer != kNone && other.writer != node) before(other.writer);
      if (!access.writes()) return;
      // For those seen earlier the latest writer of this block has waited.
      std::uint32_t left = other.reads - seen;
      for (std::uint32_t r = other.latest_reader; r != kNone && left > 0; r = readers_[r].before, --left)
        if (readers_[r].node != node) before(readers_[r].node);
    };
    wait(block, 0);
    for (std::uint32_t n = block.first_neighbour; n != kNone; n = neighbours_[n].next) {
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
      readers_.push_back({node, block.latest_reader});
      block.latest_reader = static_cast<std::uint32_t>(readers_.size() - 1);
      ++block.reads;
    }
  }

 private:
  static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);

  struct Block {
    std::uint32_t first_neighbour = kNone;
    std::uint32_t writer = kNone;         ///< the latest; none if a block that covers this one was written since
    std::uint32_t latest_reader = kNone;  ///< since then
    std::uint32_t reads = 0;              ///< ever

    void forget() { writer = latest_reader = kNone; }
  };
  /// Another block that shares bytes with one.
  struct Neighbour {
    std::uint32_t block;
    std::uint32_t next;
    std::uint32_t seen;  ///< reads of it that writers of the one have waited for
    bool covered;        ///< it lies within the one
  };
  struct Reader {
    Node node;
    std::uint32_t before;  ///< the reader before it
  };

  std::uint32_t block_of(const Access& access);
  std::uint32_t add_block(const Access& access);
  void make_neighbours(std::uint32_t one, std::uint32_t other);
  void grow_slots();

  std::vector<Block> blocks_;
  std::vector<Access> accesses_;  // by block
  std::vector<Neighbour> neighbours_;
  std::vector<Reader> readers_;
  std::vector<std::uint32_t> slots_;  // of an open hash table: blocks
  /// Where the blocks begin whose extent is of one class of sizes: all that reach into a place are found near it.
  struct Places {
    struct Place {
      std::uintptr_t begin;
      std::uint32_t block;
    };
    std::vector<Place> sorted;                          // nearly all, where they come in order
    std::multimap<std::uintptr_t, std::uint32_t> late;  // those that came later than others behind them
  };
  std::map<int, Places> by_size_;
};

}  // namespace furrow
