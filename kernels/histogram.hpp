#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "furrow/kernels/reductions.hpp"

namespace furrow {

/// Ranges that counts are written to.
template <class R>
concept CountRange = ContiguousRange<R> && std::same_as<element_t<R>, std::size_t>;

/// Ranges of integers that are counted by their value.
template <class R>
concept CountedRange = NamedRange<R> && std::integral<value_t<R>>;

namespace named {

template <NamedElement T>
void histogram(Engine& engine, std::span<const T> x, std::span<std::size_t> counts, double low, double high);
template <std::integral T>
void bincount(Engine& engine, std::span<const T> x, std::span<std::size_t> counts);
template <std::integral T>
std::size_t bins_of(Engine& engine, std::span<const T> x);

}  // namespace named

/// counts[k] = how many elements lie in bin k. The bins are as wide as each other and cover [low, high]: bin k begins at
/// low + k · ((high − low) / counts.size()), rounded at each operation, and holds what is not less than that and less than where
/// the next begins; the last holds `high` too. (So it is in NumPy.) NaN and what lies outside is not counted; 64-bit integers count
/// as the double nearest to them.
///
/// Throws Error if there are no bins, low is not less than high, their distance is not finite or too small for so many bins, or
/// `counts` overlaps `in`. Cost: 1 read, and a table of counts for each task.
template <NamedRange In, CountRange Counts>
void histogram(Engine& engine, In&& in, Counts&& counts, double low, double high) {
  named::histogram<value_t<In>>(engine, named::in(in), as_span(counts), low, high);
}

/// The same for so many bins, as a vector.
template <NamedRange In>
std::vector<std::size_t> histogram(Engine& engine, In&& in, std::size_t bins, double low, double high) {
  std::vector<std::size_t> counts(bins);
  histogram(engine, in, counts, low, high);
  return counts;
}

/// counts[v] = how often the integer v stands in `in`. Throws Error if an element is negative or not less than counts.size(), which
/// leaves the counts unspecified, or if `counts` overlaps `in`. Cost as of histogram.
template <CountedRange In, CountRange Counts>
void bincount(Engine& engine, In&& in, Counts&& counts) {
  named::bincount<value_t<In>>(engine, named::in(in), as_span(counts));
}

/// The same as a vector that has a count for each integer from 0 to the greatest element; empty if `in` is. Throws Error if an
/// element is negative.
template <CountedRange In>
std::vector<std::size_t> bincount(Engine& engine, In&& in) {
  std::vector<std::size_t> counts(named::bins_of<value_t<In>>(engine, named::in(in)));
  bincount(engine, in, counts);
  return counts;
}

}  // namespace furrow
