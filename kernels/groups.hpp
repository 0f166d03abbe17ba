#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/machine.hpp"

namespace furrow {

/// For what has to look at its input twice. Visits each chunk twice, in groups that stay in the threads' second-level caches from
/// the first to the second visit: look(elements, found) notes in `found` what the second visit needs; after that carry(elements,
/// found), chunk by chunk on the calling thread, turns it into what depends on all chunks before; then write(elements, found,
/// next). The task that writes a chunk looks at one of the next group, `next` (empty if there is none), so that memory is read and
/// written at the same time. `chunk_bytes` is what a chunk takes in the cache; a Found is used for one chunk after another.
template <class Found, class Look, class Carry, class Write>
void in_groups(Engine& engine, Cost& looking, Cost& writing, const Chunks& chunks, std::size_t chunk_bytes, const Look& look,
               Carry&& carry, const Write& write) {
  const std::size_t per_thread = 1 + machine().l2_bytes / 2 / chunk_bytes;
  const std::size_t all_threads = per_thread * static_cast<std::size_t>(engine.concurrency());
  const std::size_t group = chunks.count() < all_threads ? chunks.count() : all_threads;
  std::vector<Found> found(group);
  std::vector<Found> found_next(group);
  engine.over_chunks(chunks.window(0, group), looking, [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) look(chunks[first], found_next[first]);
  });
  for (std::size_t start = 0; start < chunks.count(); start += group) {
    found.swap(found_next);
    const Chunks window = chunks.window(start, group);
    for (std::size_t k = 0; k < window.count(); ++k) carry(chunks[start + k], found[k]);
    engine.over_chunks(window, writing, [&](std::size_t first, std::size_t last) {
      for (; first < last; ++first) {
        const std::size_t next = start + group + first;
        const bool any = next < chunks.count();
        write(chunks[start + first], found[first], any ? chunks[next] : Range{});
        if (any) look(chunks[next], found_next[first]);
      }
    });
  }
}

}  // namespace furrow
