#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"

// Stable merge sort by a comparison, the part of sorting that depends on the caller's types. Whatever the comparison answers or
// throws, no element is lost or doubled and nothing outside the range is touched.

namespace furrow::merging {

/// Whether elements are merged themselves; others are merged as pointers.
template <class T>
inline constexpr bool kMergesCopies = (std::is_trivially_copyable_v<T> && std::is_copy_constructible_v<T> &&
                                       std::is_copy_assignable_v<T> && sizeof(T) <= 32);

template <class T>
void copy_bytes(T* to, const T* from, std::size_t n) {
  std::memmove(static_cast<void*>(to), static_cast<const void*>(from), n * sizeof(T));
}

template <class T, class Less>
void insertion_sort(T* x, std::size_t n, Less& less) {
  for (std::size_t i = 1; i < n; ++i) {
    std::size_t place = i;
    while (place > 0 && less(x[i], x[place - 1])) --place;
    if (place == i) continue;
    const T moved = x[i];  // from here on nothing is asked, so nothing can be thrown
    copy_bytes(x + place + 1, x + place, i - place);
    x[place] = moved;
  }
}

/// Merges a[0, na) and b[0, nb) into `out`; of equal elements those of a come first. From both ends at once, since each step waits
/// for the comparison before, and without branches on its answer.
template <class T, class Less>
void merge_runs(const T* a, std::size_t na, const T* b, std::size_t nb, T* out, Less& less) {
  if (na == 0 || nb == 0 || !less(b[0], a[na - 1])) {
    copy_bytes(out, a, na);
    return copy_bytes(out + na, b, nb);
  }
  constexpr std::size_t kFew = 4;
  while (na > kFew && nb > kFew) {
    // Either end takes at most so many of either run: they cannot meet.
    const std::size_t steps = (na < nb ? na : nb) / 2;
    const T* a_end = a + na;
    const T* b_end = b + nb;
    T* out_end = out + na + nb;
    for (std::size_t i = 0; i < steps; ++i) {
      const bool second = less(*b, *a);
      const T* const least = second ? b : a;
      const bool first = less(b_end[-1], a_end[-1]);
      const T* const greatest = (first ? a_end : b_end) - 1;
      *out++ = *least;
      *--out_end = *greatest;
      b += second;
      a += !second;
      a_end -= first;
      b_end -= !first;
    }
    na = static_cast<std::size_t>(a_end - a);
    nb = static_cast<std::size_t>(b_end - b);
  }
  while (na > 0 && nb > 0) {
    const bool second = less(*b, *a);
    *out++ = second ? *b : *a;
    b += second;
    nb -= second;
    a += !second;
    na -= !second;
  }
  copy_bytes(out, a, na);
  copy_bytes(out + na, b, nb);
}

/// How many of the first `count` elements of the merged runs come from a.
template <class T, class Less>
std::size_t split(const T* a, std::size_t na, const T* b, std::size_t nb, std::size_t count, Less& less) {
  std::size_t low = count < nb ? 0 : count - nb;
  std::size_t high = count < na ? count : na;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (less(b[count - 1 - middle], a[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// Sorts x[0, n) on this thread, with room for n elements at `buffer`.
template <class T, class Less>
void sort_chunk(T* x, std::size_t n, T* buffer, Less& less) {
  // Runs of 8 or 16 to begin with: what makes the number of merges even, after which the elements are in x.
  std::size_t run = 16;
  if (std::bit_width((n - 1) / run) % 2 != 0) run = 8;
  for (std::size_t begin = 0; begin < n; begin += run) insertion_sort(x + begin, n - begin < run ? n - begin : run, less);
  T* from = x;
  T* to = buffer;
  try {
    for (std::size_t width = run; width < n; width *= 2) {
      for (std::size_t begin = 0; begin < n; begin += 2 * width) {
        const std::size_t na = n - begin < width ? n - begin : width;
        const std::size_t nb = n - begin - na < width ? n - begin - na : width;
        merge_runs(from + begin, na, from + begin + na, nb, to + begin, less);
      }
      std::swap(from, to);
    }
  } catch (...) {
    if (from != x) copy_bytes(x, from, n);
    throw;
  }
}

/// Merges the sorted runs of `width` elements of from[0, n), two and two, into `to`.
template <class T, class Less>
void merge_level(Engine& engine, const Chunks& chunks, std::size_t width, const T* from, T* to, Less& less) {
  static constinit Cost splitting;
  static constinit Cost merging;
  const std::size_t n = chunks.extent();
  struct Pair {
    std::size_t begin;
    std::size_t na;
    std::size_t nb;
  };
  const auto pair_of = [&](std::size_t i) {
    const std::size_t begin = i / width / 2 * 2 * width;
    const std::size_t na = n - begin < width ? n - begin : width;
    return Pair{begin, na, n - begin - na < width ? n - begin - na : width};
  };
  std::vector<std::size_t> splits(chunks.count());
  engine.over_chunks(chunks, splitting, [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) {
      const std::size_t i = chunks[first].begin;
      const Pair pair = pair_of(i);
      splits[first] = split(from + pair.begin, pair.na, from + pair.begin + pair.na, pair.nb, i - pair.begin, less);
    }
  });
  // What is no order may split a pair at places that contradict each other.
  for (std::size_t k = 1; k < chunks.count(); ++k) {
    if (chunks[k].begin == pair_of(chunks[k].begin).begin) continue;
    const std::size_t before = splits[k - 1];
    if (splits[k] < before) splits[k] = before;
    if (splits[k] > before + chunks.length()) splits[k] = before + chunks.length();
  }
  engine.over_chunks(chunks, merging, [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) {
      const Range part = chunks[first];
      const Pair pair = pair_of(part.begin);
      const std::size_t end = part.end - pair.begin;
      const std::size_t a = splits[first];
      const std::size_t b = part.begin - pair.begin - a;
      const std::size_t a_end = end == pair.na + pair.nb ? pair.na : splits[first + 1];
      const T* const base = from + pair.begin;
      merge_runs(base + a, a_end - a, base + pair.na + b, end - a_end - b, to + part.begin, less);
    }
  });
}

/// Sorts plain elements.
template <class T, class Less>
void sort_copies(Engine& engine, std::span<T> x, Less& less) {
  static constinit Cost sorting;
  static constinit Cost copying;
  const std::size_t n = x.size();
  if (n < 2) return engine.over_chunks(Chunks(n, sizeof(T)), sorting, [](std::size_t, std::size_t) {});
  // Chunks as large as two of them fit a second-level cache; smaller ones if that keeps more threads busy.
  constexpr std::size_t kLongest = (std::size_t{256} << 10) / std::bit_ceil(sizeof(T));
  constexpr std::size_t kShortest = 1024;
  const std::size_t wanted = std::bit_ceil(n / 64 + 1);
  const Chunks chunks(n, sizeof(T), wanted < kShortest ? kShortest : wanted < kLongest ? wanted : kLongest);
  const Scratch<T> buffer(n);
  T* from = x.data();
  T* to = buffer.data();
  engine.over_chunks(chunks, sorting, [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) sort_chunk(from + chunks[first].begin, chunks[first].size(), to + chunks[first].begin, less);
  });
  try {
    for (std::size_t width = chunks.length(); width < n; width *= 2) {
      merge_level(engine, chunks, width, from, to, less);
      std::swap(from, to);
    }
    if (from == x.data()) return;
    engine.over_chunks(chunks, copying, [&](std::size_t first, std::size_t last) {
      const Range part = chunks.elements(first, last);
      copy_bytes(to + part.begin, from + part.begin, part.size());
    });
  } catch (...) {
    if (from != x.data()) copy_bytes(x.data(), from, n);
    throw;
  }
}

/// body(k) for every chunk, also when the engine is asked to stop meanwhile: half done, it would leave elements nowhere.
template <class Body>
void over_all_chunks(Engine& engine, const Chunks& chunks, Cost& cost, const Body& body) {
  std::vector<unsigned char> done(chunks.count());
  try {
    engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
      for (; first < last; ++first) {
        body(first);
        done[first] = 1;
      }
    });
  } catch (...) {
    for (std::size_t k = 0; k < chunks.count(); ++k)
      if (done[k] == 0) body(k);
  }
}

/// x[i] = what *source(i), an element of x, was before; each is the source of one.
template <class T, class Source>
void rearrange(Engine& engine, std::span<T> x, const Source& source) {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "elements must move without throwing, or some would be lost");
  static constinit Cost leaving;
  static constinit Cost returning;
  const Chunks chunks(x.size(), sizeof(T));
  const Scratch<T> buffer(x.size());
  T* const memory = buffer.data();
  over_all_chunks(engine, chunks, leaving, [&](std::size_t k) {
    for (std::size_t i = chunks[k].begin; i < chunks[k].end; ++i) ::new (static_cast<void*>(memory + i)) T(std::move(*source(i)));
  });
  over_all_chunks(engine, chunks, returning, [&](std::size_t k) {
    for (std::size_t i = chunks[k].begin; i < chunks[k].end; ++i) {
      x[i] = std::move(memory[i]);
      memory[i].~T();
    }
  });
}

/// Sorts elements of any type.
template <class T, class Less>
void sort(Engine& engine, std::span<T> x, Less& less) {
  if constexpr (kMergesCopies<T>) {
    sort_copies(engine, x, less);
  } else {
    static_assert(alignof(T) <= 64, "a buffer is aligned to 64 bytes");
    static constinit Cost pointing;
    std::vector<T*> pointers(x.size());
    const Chunks chunks(x.size(), sizeof(T*));
    engine.over_chunks(chunks, pointing, [&](std::size_t first, std::size_t last) {
      const Range part = chunks.elements(first, last);
      for (std::size_t i = part.begin; i < part.end; ++i) pointers[i] = x.data() + i;
    });
    auto less_there = [&less](const T* a, const T* b) { return static_cast<bool>(less(*a, *b)); };
    sort_copies(engine, std::span<T*>(pointers), less_there);
    rearrange(engine, x, [&](std::size_t i) { return pointers[i]; });
  }
}

}  // namespace furrow::merging
