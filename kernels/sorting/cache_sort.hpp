#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "furrow/kernels/sorting/radix_keys.hpp"

namespace furrow::sorting {

// Sorting what fits a cache.

inline constexpr std::size_t kInsertion = 24;  // so few are sorted by insertion
inline constexpr int kMostDigit = 11;          // bits: counters of 8 KiB
inline constexpr int kMostPasses = 2;

/// A stable insertion sort.
template <class R>
void insertion_sort(R* x, std::size_t n) {
  for (std::size_t i = 1; i < n; ++i) {
    const R moved = x[i];
    std::size_t hole = i;
    for (; hole > 0 && moved.key < x[hole - 1].key; --hole) x[hole] = x[hole - 1];
    x[hole] = moved;
  }
}

/// Sorts the n records at `from` into `a` or `b`, or leaves them where they are if they are in order, and says where they are then.
/// `b` may be `from`. The records are sorted by as many of their keys' leading bits as should tell most of them apart, from the
/// least of these on; neighbours that agree in them all are looked at again. Cost: 6 reads, 2 writes per record for keys that are
/// spread evenly, at most that for each 22 bits of their range.
template <class R>
const R* sort_in_cache(const R* from, std::size_t n, R* a, R* b) {
  using U = decltype(R::key);
  if (n <= kInsertion) {
    if (from != b) std::copy_n(from, n, b);
    insertion_sort(b, n);
    return b;
  }
  U least = from[0].key;
  U greatest = from[0].key;
  for (std::size_t i = 1; i < n; ++i) {
    least = std::min(least, from[i].key);
    greatest = std::max(greatest, from[i].key);
  }
  if (least == greatest) return from;

  const int width = bits_of(static_cast<U>(greatest - least));
  const int wanted = std::min(width, std::min(bits_of(n) + 4, kMostPasses * kMostDigit));
  const int passes = wanted > 10 ? 2 : 1;
  const int digit = (wanted + passes - 1) / passes;
  const int rest = std::max(0, width - passes * digit);  // low bits left alone
  const std::size_t values = std::size_t{1} << digit;
  const auto mask = static_cast<U>(values - 1);
  std::array<std::array<std::uint32_t, std::size_t{1} << kMostDigit>, kMostPasses> counts;
  for (int pass = 0; pass < passes; ++pass) std::fill_n(counts[static_cast<std::size_t>(pass)].begin(), values, 0U);
  auto& low = counts[0];
  auto& high = counts[1];
  if (passes == 1) {
    for (std::size_t i = 0; i < n; ++i) ++low[static_cast<U>(from[i].key - least) >> rest & mask];
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const auto key = static_cast<U>(static_cast<U>(from[i].key - least) >> rest);
      ++low[key & mask];
      ++high[static_cast<U>(key >> digit) & mask];
    }
  }
  const R* sorted = from;
  R* spare = a;
  for (int pass = 0; pass < passes; ++pass) {
    auto& position = counts[static_cast<std::size_t>(pass)];
    std::uint32_t sum = 0;
    for (std::size_t v = 0; v < values; ++v) sum += std::exchange(position[v], sum);
    R* const to = pass == 0 ? a : b;
    const int shift = rest + pass * digit;
    for (std::size_t i = 0; i < n; ++i) to[position[static_cast<U>(sorted[i].key - least) >> shift & mask]++] = sorted[i];
    sorted = to;
    spare = pass == 0 ? b : a;
  }
  if (rest == 0) return sorted;

  R* const result = const_cast<R*>(sorted);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const auto prefix = [&](std::size_t j) { return static_cast<U>(result[j].key - least) >> rest; };
    if (prefix(i) != prefix(i + 1)) continue;
    const std::size_t begin = i;
    for (++i; i + 1 < n && prefix(i) == prefix(i + 1);) ++i;
    const std::size_t size = i + 1 - begin;
    const R* const run = sort_in_cache(result + begin, size, spare + begin, result + begin);
    if (run != result + begin) std::copy_n(run, size, result + begin);
  }
  return result;
}

}  // namespace furrow::sorting
