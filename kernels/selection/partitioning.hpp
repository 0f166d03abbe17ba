#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/selection/compacting.hpp"
#include "furrow/kernels/selection/packing.hpp"
#include "furrow/kernels/sorting/merging.hpp"
#include "furrow/kernels/streaming.hpp"

// Moving the chosen elements before the others: how stable_partition does it.

namespace furrow::selection {

/// flags[i] = 1 if pred(x[i]), else 0, for i in [0, n); returns how many are 1.
template <class T, class Pred>
std::size_t flag(const T* x, std::size_t n, unsigned char* flags, const Pred& pred) {
  choose(0, n, flags, [pred, x](std::size_t i) { return static_cast<bool>(pred(x[i])); });
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += flags[i];
  return count;
}

/// Copies those x[i] whose flags[i] is 1 to `yes`, and the others to `no`.
template <class T>
void copy_apart(const T* x, const unsigned char* flags, std::size_t n, T* yes, T* no, bool stream) {
  if constexpr (kPacked<T>) {
    using Word = PackedWord<T>;
    part(reinterpret_cast<const Word*>(x), flags, n, reinterpret_cast<Word*>(yes), reinterpret_cast<Word*>(no), stream);
  } else {
    for (std::size_t i = 0; i < n; ++i) *(flags[i] != 0 ? yes++ : no++) = x[i];
  }
}

/// Replaces the counts of what is chosen in each chunk by how many stand before it; returns how many there are.
inline std::size_t add_up(std::vector<std::size_t>& counts) {
  std::size_t total = 0;
  for (std::size_t& count : counts) total += std::exchange(count, total);
  return total;
}

/// Of elements that are bytes: first each chunk on its own, in a buffer, so that the predicate may throw while x is as it was.
template <class T, class Pred>
std::size_t partition_copies(Engine& engine, std::span<T> x, const Pred& pred) {
  static constinit Cost leaving;
  static constinit Cost returning;
  const std::size_t n = x.size();
  const Chunks chunks = cut<T>(n);
  const Scratch<T> buffer(n);
  const bool stream = worth_streaming(2 * x.size_bytes());
  std::vector<std::size_t> counts(chunks.count());
  engine.over_chunks(chunks, leaving, [&, pred](std::size_t first, std::size_t last) {
    std::vector<unsigned char> flags(chunks.length());
    for (; first < last; ++first) {
      const Range part = chunks[first];
      T* const to = buffer.data() + part.begin;
      counts[first] = flag(x.data() + part.begin, part.size(), flags.data(), pred);
      copy_apart(x.data() + part.begin, flags.data(), part.size(), to, to + counts[first], stream);
    }
  });
  const std::size_t total = add_up(counts);
  merging::over_all_chunks(engine, chunks, returning, [&](std::size_t k) {
    const Range part = chunks[k];
    const std::size_t yes = (k + 1 < counts.size() ? counts[k + 1] : total) - counts[k];
    const auto copy = [stream](T* to, const T* from, std::size_t size) {
      if (!stream) return merging::copy_bytes(to, from, size);
      stream_copy(to, from, size * sizeof(T));
    };
    const T* const from = buffer.data() + part.begin;
    copy(x.data() + counts[k], from, yes);
    copy(x.data() + total + part.begin - counts[k], from + yes, part.size() - yes);
    if (stream) stream_fence();
  });
  return total;
}

/// Of elements of any type, which are moved to a buffer and back once all are chosen.
template <class T, class Pred>
std::size_t partition_moved(Engine& engine, std::span<T> x, const Pred& pred) {
  static constinit Cost choosing;
  static constinit Cost leaving;
  static constinit Cost returning;
  const std::size_t n = x.size();
  const Chunks chunks = cut<T>(n);
  const Scratch<unsigned char> flags(n);
  std::vector<std::size_t> counts(chunks.count());
  engine.over_chunks(chunks, choosing, [&, pred](std::size_t first, std::size_t last) {
    for (; first < last; ++first) {
      const Range part = chunks[first];
      counts[first] = flag(x.data() + part.begin, part.size(), flags.data() + part.begin, pred);
    }
  });
  const std::size_t total = add_up(counts);
  const Scratch<T> buffer(n);
  merging::over_all_chunks(engine, chunks, leaving, [&](std::size_t k) {
    const Range part = chunks[k];
    T* yes = buffer.data() + counts[k];
    T* no = buffer.data() + total + part.begin - counts[k];
    for (std::size_t i = part.begin; i < part.end; ++i)
      ::new (static_cast<void*>(flags.data()[i] != 0 ? yes++ : no++)) T(std::move(x[i]));
  });
  merging::over_all_chunks(engine, chunks, returning, [&](std::size_t k) {
    for (std::size_t i = chunks[k].begin; i < chunks[k].end; ++i) {
      x[i] = std::move(buffer.data()[i]);
      buffer.data()[i].~T();
    }
  });
  return total;
}

}  // namespace furrow::selection
