#include "furrow/engine/hazards.hpp"

#include <bit>

namespace furrow {

std::uint32_t Hazards::block_of(const Access& access) {
  if (2 * blocks_.size() >= slots_.size()) grow_slots();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = access.hash() & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t block = slots_[slot];
    if (block == kNone) return slots_[slot] = add_block(access);
    if (accesses_[block].same_bytes(access)) return block;
  }
}

void Hazards::grow_slots() {
  slots_.assign(std::max<std::size_t>(64, 4 * slots_.size()), kNone);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
    std::size_t slot = accesses_[block].hash() & mask;
    while (slots_[slot] != kNone) slot = (slot + 1) & mask;
    slots_[slot] = block;
  }
}

void Hazards::make_neighbours(std::uint32_t one, std::uint32_t other) {
  if (!accesses_[one].overlaps(accesses_[other])) return;
  for (const auto& [of, its] : {std::pair(one, other), std::pair(other, one)}) {
    neighbours_.push_back({its, blocks_[of].first_neighbour, 0, accesses_[of].covers(accesses_[its])});
    blocks_[of].first_neighbour = static_cast<std::uint32_t>(neighbours_.size() - 1);
  }
}

std::uint32_t Hazards::add_block(const Access& access) {
  const auto block = static_cast<std::uint32_t>(blocks_.size());
  const std::uintptr_t begin = access.begin();
  const std::uintptr_t end = access.end();
  blocks_.emplace_back();
  accesses_.push_back(access);
  for (auto& [size_class, places] : by_size_) {
    // None of this class is longer than that.
    const std::uintptr_t longest = std::uintptr_t{1} << size_class;
    const std::uintptr_t from = begin >= longest ? begin - longest + 1 : 0;
    const std::vector<Places::Place>& sorted = places.sorted;
    auto near = sorted.empty() || sorted.back().begin < from ? sorted.end()
                                                             : std::ranges::lower_bound(sorted, from, {}, &Places::Place::begin);
    for (; near != sorted.end() && near->begin < end; ++near) make_neighbours(block, near->block);
    for (auto late = places.late.lower_bound(from); late != places.late.end() && late->first < end; ++late)
      make_neighbours(block, late->second);
  }
  Places& alike = by_size_[static_cast<int>(std::bit_width(end - begin - 1))];
  if (alike.sorted.empty() || alike.sorted.back().begin <= begin)
    alike.sorted.push_back({begin, block});
  else
    alike.late.emplace(begin, block);
  return block;
}

}  // namespace furrow
