#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/operations.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/sorting/merging.hpp"

// Sorting. All sorts are stable, and there is but one stable order: results are the same bits with every backend and number of
// threads.
//
// The default order of numbers is total: −∞ … −0, +0 … +∞, then NaNs, those without a sign first, by payload as in the total order
// of IEEE 754. Elements are permuted bit for bit: signs of zeros and payloads of NaNs survive.

namespace furrow {

/// What has a default order and is sorted by radix: every integer type, float and double.
template <class T>
concept SortKey = (std::integral<T> && sizeof(T) <= 8) || std::same_as<T, float> || std::same_as<T, double>;
/// A range of them.
template <class R>
concept KeyRange = ContiguousRange<R> && SortKey<value_t<R>>;

namespace sorting {

enum class Kind : std::uint8_t { unsigned_integer, signed_integer, floating };

/// Keys of any type.
struct Keys {
  void* data;
  std::size_t bytes;  ///< of each
  Kind kind;
  bool descending = false;
};

template <SortKey T>
Keys keys(const T* data, bool descending = false) {
  return {const_cast<T*>(data), sizeof(T),
          std::floating_point<T>    ? Kind::floating
          : std::signed_integral<T> ? Kind::signed_integer
                                    : Kind::unsigned_integer,
          descending};
}

void sort(Engine& engine, const Keys& keys, std::size_t n);
void argsort(Engine& engine, const Keys& keys, std::size_t n, void* indices, std::size_t index_bytes);
void sort_by_key(Engine& engine, const Keys& keys, std::size_t n, void* values, std::size_t value_bytes);
void nth_element(Engine& engine, const Keys& keys, std::size_t n, std::size_t nth);
[[noreturn]] void indices_too_narrow(std::size_t n);
[[noreturn]] void no_such_element(std::size_t nth, std::size_t n);

/// Whether Less is one of the standard's orders of T: less (+1), greater (−1), or neither (0).
template <class Less, class T>
inline constexpr int standard_order = 0;
template <class T>
inline constexpr int standard_order<std::less<>, T> = 1;
template <class T>
inline constexpr int standard_order<std::less<T>, T> = 1;
template <class T>
inline constexpr int standard_order<std::greater<>, T> = -1;
template <class T>
inline constexpr int standard_order<std::greater<T>, T> = -1;

}  // namespace sorting

/// Sorts x in the default order. Takes a buffer of x's size, and as much again in the threads' caches. x is left incomplete if
/// memory runs out or the call is cancelled.
///
/// Method: one pass to count and one to share out among buckets chosen by a sample, then each bucket in cache by its leading bits,
/// from the least of them on (samplesort: Frazer, McKellar, J. ACM 17, 1970; digits: Knuth, TAOCP 3, 5.2.5; lines gathered before
/// they are written: Satish et al., SIGMOD 2010). Cost: 3 reads and 2 writes of memory per element; none but one read if x is in
/// order. One-byte keys are counted: 1 read, 1 write.
template <KeyRange X>
void sort(Engine& engine, X&& x) {
  const auto elements = as_span(x);
  sorting::sort(engine, sorting::keys(elements.data()), elements.size());
}

/// Sorts x so that no element is less than one before it; equal ones keep their order. For elements of any type that moves without
/// throwing. `less` is called from several threads at once; for arithmetic types, std::less stands for the default order and
/// std::greater for its reverse, NaNs first.
///
/// An exception of `less` reaches the caller; x then holds its elements in some order (in the old one, if they are not trivially
/// copyable or larger than 32 bytes). So it does when `less` is not an order at all.
///
/// Method: merge sort; merges are cut by the place of their output (Odeh, Green, Mwassi, Shmueli, Birk: Merge Path, IPDPSW 2012).
/// Cost: n · log2 n comparisons, a buffer of x's size; other than small trivially copyable elements are sorted by their addresses
/// and moved twice.
template <ContiguousRange X, ElementPredicate<X, X> Less>
void stable_sort(Engine& engine, X&& x, Less&& less) {
  const auto elements = as_span(x);
  merging::sort(engine, elements, less);
}
/// The same as sort(), which is stable.
template <KeyRange X>
void stable_sort(Engine& engine, X&& x) {
  sort(engine, x);
}

/// As stable_sort; where the order is the default one or its reverse, by radix.
template <ContiguousRange X, ElementPredicate<X, X> Less>
void sort(Engine& engine, X&& x, Less&& less) {
  using T = value_t<X>;
  constexpr int kOrder = SortKey<T> ? sorting::standard_order<std::remove_cvref_t<Less>, T> : 0;
  if constexpr (kOrder != 0) {
    const auto elements = as_span(x);
    sorting::sort(engine, sorting::keys(elements.data(), kOrder < 0), elements.size());
  } else {
    stable_sort(engine, x, less);
  }
}

namespace sorting {

/// Throws Error if n indices do not fit the type.
template <std::integral Index>
void check_indices(std::size_t n) {
  using Unsigned = std::make_unsigned_t<Index>;
  constexpr std::uint64_t kLargest = static_cast<Unsigned>(~Unsigned{0}) >> (std::signed_integral<Index> ? 1 : 0);
  if (n > 0 && n - 1 > kLargest) indices_too_narrow(n);
}

}  // namespace sorting

/// What argsort writes indices to: integers of 4 or 8 bytes.
template <class R>
concept IndexRange = ContiguousRange<R> && std::integral<value_t<R>> && sizeof(value_t<R>) >= 4 && sizeof(value_t<R>) <= 8;

/// Writes to `indices` where the sorted elements stand in `keys`: keys[indices[0]] <= keys[indices[1]] <= …, in the default order;
/// of equal ones the first comes first. Throws Error if the sizes differ, the ranges overlap, or n does not fit the indices' type.
/// Method: as sort, of pairs. Takes a buffer of n pairs, 8 bytes each for keys of up to 4 bytes while n is at most 2^32, else 16;
/// where many keys are equal, two.
template <KeyRange K, IndexRange I>
void argsort(Engine& engine, K&& keys, I&& indices) {
  const auto source = as_span(keys);
  const auto target = as_span(indices);
  check::same_size("argsort", source.size(), target.size());
  check::apart("argsort", source, target);
  sorting::check_indices<value_t<I>>(source.size());
  sorting::argsort(engine, sorting::keys(source.data()), source.size(), target.data(), sizeof(value_t<I>));
}

/// The same for keys of any type, in the order of `less`, by merging; of exceptions see stable_sort: `indices` then holds all
/// indices in some order.
template <ContiguousRange K, IndexRange I, ElementPredicate<K, K> Less>
void argsort(Engine& engine, K&& keys, I&& indices, Less&& less) {
  static constinit Cost counting;
  const auto source = as_span(keys);
  const auto target = as_span(indices);
  check::same_size("argsort", source.size(), target.size());
  check::apart("argsort", source, target);
  using Index = value_t<I>;
  sorting::check_indices<Index>(source.size());
  const Chunks chunks(target.size(), sizeof(Index));
  engine.over_chunks(chunks, counting, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    for (std::size_t i = part.begin; i < part.end; ++i) target[i] = static_cast<Index>(i);
  });
  auto less_there = [&less, x = source.data()](Index a, Index b) {
    return static_cast<bool>(less(x[static_cast<std::size_t>(a)], x[static_cast<std::size_t>(b)]));
  };
  merging::sort(engine, target, less_there);
}

/// Sorts `keys` in the default order and moves values[i] with keys[i]; values of equal keys keep their order. Values may be of any
/// type that moves without throwing. Throws Error if the sizes differ or the ranges overlap. Method, memory: as argsort; values
/// that are not plain data of 4 or 8 bytes are moved afterwards, by way of a buffer of their size.
template <KeyRange K, ContiguousRange V>
void sort_by_key(Engine& engine, K&& keys, V&& values) {
  using Value = value_t<V>;
  const auto order = as_span(keys);
  const auto moved = as_span(values);
  check::same_size("sort_by_key", order.size(), moved.size());
  check::apart("sort_by_key", order, moved);
  if constexpr (std::is_trivially_copyable_v<Value> && (sizeof(Value) == 4 || sizeof(Value) == 8)) {
    sorting::sort_by_key(engine, sorting::keys(order.data()), order.size(), moved.data(), sizeof(Value));
  } else {
    const Scratch<std::size_t> indices(order.size());
    sorting::argsort(engine, sorting::keys(order.data()), order.size(), indices.data(), sizeof(std::size_t));
    sorting::sort(engine, sorting::keys(order.data()), order.size());
    merging::rearrange(engine, moved, [from = indices.data(), x = moved.data()](std::size_t i) { return x + from[i]; });
  }
}

/// Rearranges x so that x[nth] is the element that a sort in the default order would put there, with none greater before it and
/// none less behind. Those before and behind keep their order among themselves. Throws Error if there is no element `nth`.
/// Method: a sample says between which keys the element should be; those are collected and sorted, the others counted (Floyd,
/// Rivest, CACM 18, 1975), then the whole is parted in three. Takes a buffer of x's size. Cost: 3 reads, 2 writes per element, and
/// the sort of a few hundredths of them; one read if x is in order.
template <KeyRange X>
void nth_element(Engine& engine, X&& x, std::size_t nth) {
  const auto elements = as_span(x);
  if (nth >= elements.size()) sorting::no_such_element(nth, elements.size());
  sorting::nth_element(engine, sorting::keys(elements.data()), elements.size(), nth);
}

}  // namespace furrow
