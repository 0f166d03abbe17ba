#include "furrow/engine/hazards.hpp"

#include <bit>

namespace furrow {

std::size_t Hazards::block_of(const Access& access) {
  const auto [first, last] = by_hash_.equal_range(access.hash());
  for (auto found = first; found != last; ++found)
    if (blocks_[found->second].access.same_bytes(access)) return found->second;
  return add_block(access);
}

std::size_t Hazards::add_block(const Access& access) {
  const auto index = static_cast<std::uint32_t>(blocks_.size());
  Block& block = blocks_.emplace_back(Block{access, {{index, true}}, kNone, {}, 0});
  for (const auto& [size_class, blocks] : by_size_) {
    // None of this class is as long as that.
    const std::uintptr_t longest = std::uintptr_t{1} << size_class;
    const std::uintptr_t from = access.begin() > longest ? access.begin() - longest : 0;
    for (auto near = blocks.lower_bound(from); near != blocks.end() && near->first < access.end(); ++near) {
      Block& other = blocks_[near->second];
      if (!access.overlaps(other.access)) continue;
      block.neighbours.push_back({near->second, access.covers(other.access)});
      other.neighbours.push_back({index, other.access.covers(access)});
    }
  }
  by_hash_.emplace(access.hash(), index);
  auto& alike = by_size_[static_cast<int>(std::bit_width(access.end() - access.begin()))];
  alike.emplace_hint(alike.end(), access.begin(), index);  // as a rule they come in the order of their addresses
  return index;
}

}  // namespace furrow
