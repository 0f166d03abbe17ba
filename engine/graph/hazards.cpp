#include "furrow/engine/graph/hazards.hpp"

#include <algorithm>
#include <bit>

namespace furrow {

Access Hazards::block(Index index) const {
  const Block& one = blocks_[index];
  if (one.bytes & kStrided) return strided_[static_cast<Index>(one.bytes & ~kStrided)];
  return {Access::Mode::read, reinterpret_cast<const void*>(one.begin), one.bytes};
}

bool Hazards::is_strided(const Block& block, const Access& access) const {
  return (block.bytes & kStrided) && strided_[static_cast<Index>(block.bytes & ~kStrided)].same_bytes(access);
}

/// The block that is the same bytes, cut alike, or none.
Hazards::Index Hazards::find(const Access& access) {
  const auto alike = std::ranges::find(places_, access.size_class(), &Places::size_class);
  if (alike == places_.end()) return kNone;
  if (alike->late.empty() && std::ranges::none_of(alike->rows, [&](const Places::Row& row) { return row.reaches(access.begin()); }))
    return kNone;
  // To enter all there are costs as much as some searches in rows.
  constexpr Index kSearch = 16;
  if (alike->late.empty() && ++searches_ < (blocks_.size() - entered_) / kSearch) return search(access, *alike);
  enter_all();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = access.hash() & mask; slots_[slot] != kNone; slot = (slot + 1) & mask)
    if (is(slots_[slot], access)) return slots_[slot];
  return kNone;
}

Hazards::Index Hazards::search(const Access& access, const Places& places) const {
  const auto begin_of = [&](Index other) { return blocks_[other].begin; };
  for (const Places::Row& row : places.rows) {
    if (!row.reaches(access.begin())) continue;
    auto near = std::ranges::lower_bound(row.blocks, access.begin(), {}, begin_of);
    for (; near != row.blocks.end() && begin_of(*near) == access.begin(); ++near)
      if (is(*near, access)) return *near;
  }
  return kNone;
}

void Hazards::enter(Index one) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = block(one).hash() & mask;
  while (slots_[slot] != kNone) slot = (slot + 1) & mask;
  slots_[slot] = one;
}

/// Enters the blocks that came since it was last called. Many at once, because their places are far apart in memory.
void Hazards::enter_all() {
  if (2 * std::size_t{blocks_.size()} > slots_.size()) {
    slots_.assign(std::bit_ceil(std::max<std::size_t>(64, 4 * std::size_t{blocks_.size()})), kNone);
    entered_ = 0;
  }
  for (; entered_ < blocks_.size(); ++entered_) enter(entered_);
  searches_ = 0;
}

void Hazards::make_neighbours(Arena& arena, Index one, const Access& access, Index other) {
  const Access others = block(other);
  if (!access.overlaps(others)) return;
  blocks_[one].first_neighbour = neighbours_.add(arena, other, blocks_[one].first_neighbour, 0U, access.covers(others));
  blocks_[other].first_neighbour = neighbours_.add(arena, one, blocks_[other].first_neighbour, 0U, others.covers(access));
}

void Hazards::find_neighbours(Arena& arena, Index one, const Access& access, const Places& places) {
  const std::uintptr_t begin = access.begin();
  const std::uintptr_t end = access.end();
  const std::uintptr_t longest = std::uintptr_t{1} << places.size_class;
  const std::uintptr_t from = begin >= longest ? begin - longest + 1 : 0;
  const auto begin_of = [&](Index other) { return blocks_[other].begin; };
  for (const Places::Row& row : places.rows) {
    if (row.last < from || row.first >= end) continue;
    auto near = std::ranges::lower_bound(row.blocks, from, {}, begin_of);
    for (; near != row.blocks.end() && begin_of(*near) < end; ++near) make_neighbours(arena, one, access, *near);
  }
  if (places.late.empty()) return;
  for (auto late = places.late.lower_bound(from); late != places.late.end() && late->first < end; ++late)
    make_neighbours(arena, one, access, late->second);
}

void Hazards::Places::add(std::uintptr_t begin, Index block) {
  constexpr std::size_t kRows = 8;
  Row* nearest = nullptr;  // the one that ends the least before it
  for (Row& row : rows)
    if (row.last <= begin && (nearest == nullptr || nearest->last < row.last)) nearest = &row;
  if (nearest == nullptr && rows.size() < kRows) nearest = &rows.emplace_back(Row{{}, begin, begin});
  if (nearest == nullptr) {
    late.emplace(begin, block);
  } else {
    nearest->blocks.push_back(block);
    nearest->last = begin;
  }
}

Hazards::Index Hazards::add_block(Arena& arena, const Access& access) {
  const std::size_t bytes = access.is_contiguous() ? access.piece() : kStrided | strided_.add(arena, access);
  const Index one = blocks_.add(arena, access.begin(), bytes);
  for (const Places& places : places_) find_neighbours(arena, one, access, places);
  auto alike = std::ranges::find(places_, access.size_class(), &Places::size_class);
  if (alike == places_.end()) alike = places_.insert(alike, Places{access.size_class(), {}, {}});
  alike->add(access.begin(), one);
  return one;
}

void Hazards::clear() {
  blocks_.clear();
  strided_.clear();
  neighbours_.clear();
  readers_.clear();
  std::ranges::fill(slots_, kNone);
  entered_ = searches_ = 0;
  guesses_ = {};
  guesses_for_ = kNone;
  places_.clear();
}

}  // namespace furrow
