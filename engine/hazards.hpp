#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "furrow/engine/access.hpp"

namespace furrow {

/// Finds which earlier nodes a node has to wait for: reads wait for the latest write of the same bytes, writes for it and for the
/// reads since.
///
/// Method: memory is known as the blocks that accesses name; whatever is accessed again is found by a hash, and which blocks share
/// bytes is worked out once, when a block is first seen. Then an access costs as many steps as its block has neighbours, whatever
/// its size. What an access of a neighbour that lies within the block did is forgotten when the block is written.
class Hazards {
 public:
  using Node = std::uint32_t;

  /// Calls before(earlier) for each node that `node` has to wait for, some of them perhaps several times. Nodes come in the order
  /// in which they were added; all accesses of one come in a row, and do not count against each other.
  template <class Before>
  void add(Node node, const Access& access, const Before& before) {
    if (access.empty()) return;
    const std::size_t index = block_of(access);
    const auto wait = [&](Node earlier) {
      if (earlier != node) before(earlier);
    };
    for (std::size_t k = 0; k < blocks_[index].neighbours.size(); ++k) {
      Neighbour& neighbour = blocks_[index].neighbours[k];
      Block& other = blocks_[neighbour.block];
      if (other.writer != kNone) wait(other.writer);
      if (!access.writes()) continue;
      // For earlier ones the latest writer of this block has waited.
      for (std::size_t r = std::max(neighbour.seen, other.forgotten); r < other.forgotten + other.readers.size(); ++r)
        wait(other.readers[r - other.forgotten]);
      neighbour.seen = other.forgotten + other.readers.size();
      if (!neighbour.covered) continue;
      other.writer = kNone;
      other.forgotten += other.readers.size();
      other.readers.clear();
    }
    Block& block = blocks_[index];
    if (access.writes())
      block.writer = node;
    else if (block.readers.empty() || block.readers.back() != node)
      block.readers.push_back(node);
  }

 private:
  static constexpr Node kNone = static_cast<Node>(-1);

  /// A block that shares bytes with this one, itself among them.
  struct Neighbour {
    std::uint32_t block;
    bool covered;          ///< it lies within this one
    std::size_t seen = 0;  ///< readers of it that writers of this block have waited for, those forgotten among them
  };
  struct Block {
    Access access;
    std::vector<Neighbour> neighbours;
    Node writer = kNone;        ///< the latest; none if a block that covers this one was written since
    std::vector<Node> readers;  ///< since then
    std::size_t forgotten = 0;  ///< readers before these
  };

  std::size_t block_of(const Access& access);
  std::size_t add_block(const Access& access);

  std::vector<Block> blocks_;
  std::unordered_multimap<std::size_t, std::uint32_t> by_hash_;
  /// By the size class of what they span, then by where they begin: blocks of a class are all found near.
  std::map<int, std::multimap<std::uintptr_t, std::uint32_t>> by_size_;
};

}  // namespace furrow
