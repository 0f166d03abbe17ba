#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/selection/compacting.hpp"
#include "furrow/kernels/selection/partitioning.hpp"
#include "furrow/kernels/selection/transposing.hpp"
#include "furrow/kernels/sorting/merging.hpp"
#include "furrow/kernels/streaming.hpp"

// Choosing and moving elements. Predicates are called from several threads at once.

namespace furrow {
namespace selection {

[[noreturn]] void bad_index(const char* call, std::uint64_t index, std::size_t position, std::size_t size);

/// How a predicate is held in a body: see loops::Held.
template <class F, class... Args>
using Holder = loops::Holder<std::remove_reference_t<F>, Args...>;

/// Whether found(begin, end) for a part of [0, n), of which it is called for some until one is found.
template <class Found>
bool search(Engine& engine, Cost& cost, std::size_t n, std::size_t element_bytes, const Found& found) {
  constexpr std::size_t kStep = 1024;
  const Chunks chunks(n, element_bytes);
  std::atomic<bool> yes{false};
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    for (std::size_t begin = part.begin; begin < part.end && !yes.load(std::memory_order_relaxed); begin += kStep)
      if (found(begin, part.end - begin < kStep ? part.end : begin + kStep)) yes.store(true, std::memory_order_relaxed);
  });
  return yes;
}

/// How many of x[begin, end) satisfy `pred`.
template <class T, class Pred>
std::size_t count(const T* x, std::size_t begin, std::size_t end, Pred& pred) {
  std::size_t all = 0;
  if constexpr (sizeof(T) == 1) {
    constexpr std::size_t kGroup = 128;  // whose count is a byte as well: compilers would widen each element else
    for (; end - begin >= kGroup; begin += kGroup) {
      std::uint8_t some = 0;
      for (std::size_t i = 0; i < kGroup; ++i) some = static_cast<std::uint8_t>(some + (pred(x[begin + i]) ? 1 : 0));
      all += some;
    }
  }
  for (; begin < end; ++begin) all += pred(x[begin]) ? 1 : 0;
  return all;
}

/// Whether elements are transposed as words of their size.
template <class T, class U>
inline constexpr bool kTurnsWords = (std::same_as<std::remove_cv_t<T>, U> && kPlain<U> && sizeof(U) == alignof(U) &&
                                     sizeof(U) <= 8 && std::has_single_bit(sizeof(U)));

/// out(j, i) = in(i, j), where rows of either lie side by side.
template <class T, class U>
void transpose_words(Engine& engine, Cost& cost, const View<T, 2>& in, const View<U, 2>& out) {
  using Word = std::conditional_t<sizeof(U) <= 2, std::conditional_t<sizeof(U) == 1, std::uint8_t, std::uint16_t>,
                                  std::conditional_t<sizeof(U) == 4, std::uint32_t, std::uint64_t>>;
  transpose(engine, cost,
            Turn<Word>{reinterpret_cast<const Word*>(in.data_handle()), in.stride(0), in.extent(0), in.extent(1),
                       reinterpret_cast<Word*>(out.data_handle()), out.stride(0)});
}

}  // namespace selection

/// How many elements satisfy `pred`. Cost: one read per element.
template <ContiguousRange X, ElementPredicate<X> Pred>
std::size_t count_if(Engine& engine, X&& x, Pred&& pred) {
  static constinit Cost cost;
  const auto elements = as_span(x);
  const selection::Holder<Pred, const value_t<X>&> held{pred};
  const Chunks chunks(elements.size(), sizeof(value_t<X>));
  std::atomic<std::size_t> total{0};
  engine.over_chunks(chunks, cost, [&, held](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    total.fetch_add(selection::count<value_t<X>>(elements.data(), part.begin, part.end, held.f), std::memory_order_relaxed);
  });
  return total;
}

/// Whether any element satisfies `pred`; false if empty. `pred` is not called for all elements once one is found.
template <ContiguousRange X, ElementPredicate<X> Pred>
bool any_of(Engine& engine, X&& x, Pred&& pred) {
  static constinit Cost cost;
  const auto elements = as_span(x);
  const selection::Holder<Pred, const value_t<X>&> held{pred};
  return selection::search(engine, cost, elements.size(), sizeof(value_t<X>),
                           [held, data = elements.data()](std::size_t begin, std::size_t end) {
                             // Compilers vectorise counting, but not this with a bool.
                             return selection::count<value_t<X>>(data, begin, end, held.f) > 0;
                           });
}

/// Whether all elements satisfy `pred`; true if empty. Otherwise as any_of.
template <ContiguousRange X, ElementPredicate<X> Pred>
bool all_of(Engine& engine, X&& x, Pred&& pred) {
  return !any_of(engine, x, [&pred](const value_t<X>& v) { return !pred(v); });
}

/// Whether no element satisfies `pred`; true if empty. Otherwise as any_of.
template <ContiguousRange X, ElementPredicate<X> Pred>
bool none_of(Engine& engine, X&& x, Pred&& pred) {
  return !any_of(engine, x, pred);
}

/// Writes the elements that satisfy `pred`, in their order, to the front of `out`, and returns how many. `out` may be smaller than
/// x, and may be x; otherwise they must not overlap. Calls `pred` once per element.
///
/// Throws Error if they overlap partly, and if `out` is too small, whose elements then are unspecified; nothing is written behind
/// it. If `pred` throws while `out` is x, the elements of x are unspecified. Cost: one read per element, one write per element
/// kept, which are gathered in cache until it is known where they go; results larger than the cache are streamed past it.
template <ContiguousRange X, RangeOf<value_t<X>> Out, ElementPredicate<X> Pred>
std::size_t copy_if(Engine& engine, X&& x, Out&& out, Pred&& pred) {
  static constinit Cost choosing;
  static constinit Cost writing;
  const auto source = as_span(x);
  const auto target = as_span(out);
  check::no_partial_overlap("copy_if", source, target);
  const selection::Holder<Pred, const value_t<X>&> held{pred};
  return selection::compact("copy_if", engine, choosing, writing, source, target,
                            [held](const value_t<X>& v, const value_t<X>*) { return static_cast<bool>(held.f(v)); });
}

/// Writes x without those elements that equal the one before them to the front of `out`, and returns how many are left. Equality
/// is ==, so NaNs all stay and of −0 and +0 the first does; or `equal`, an equivalence. Otherwise as copy_if.
template <ContiguousRange X, RangeOf<value_t<X>> Out, ElementPredicate<X, X> Equal>
std::size_t unique(Engine& engine, X&& x, Out&& out, Equal&& equal) {
  static constinit Cost choosing;
  static constinit Cost writing;
  const auto source = as_span(x);
  const auto target = as_span(out);
  check::no_partial_overlap("unique", source, target);
  const selection::Holder<Equal, const value_t<X>&, const value_t<X>&> held{equal};
  return selection::compact(
      "unique", engine, choosing, writing, source, target,
      [held](const value_t<X>& v, const value_t<X>* before) { return before == nullptr || !held.f(*before, v); });
}
/// The same with ==.
template <ContiguousRange X, RangeOf<value_t<X>> Out>
std::size_t unique(Engine& engine, X&& x, Out&& out) {
  return unique(engine, x, out, [](const value_t<X>& a, const value_t<X>& b) { return a == b; });
}
/// In place: the elements behind those that are left are unspecified.
template <ContiguousRange X>
std::size_t unique(Engine& engine, X&& x) {
  return unique(engine, x, x);
}

/// Moves the elements that satisfy `pred` before those that do not, and returns how many there are; both keep their order. For
/// elements that move without throwing. Calls `pred` once per element, and before anything is moved: if it throws, x is as it was.
/// Cost: 2 reads and 2 writes per element, and a buffer of x's size; a byte per element more if they are no plain data.
template <ContiguousRange X, ElementPredicate<X> Pred>
std::size_t stable_partition(Engine& engine, X&& x, Pred&& pred) {
  using T = value_t<X>;
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "elements must move without throwing, or some would be lost");
  const selection::Holder<Pred, const T&> held{pred};
  const auto holds = [held](const T& element) { return static_cast<bool>(held.f(element)); };
  if constexpr (selection::kPlain<T>)
    return selection::partition_copies(engine, as_span(x), holds);
  else
    return selection::partition_moved(engine, as_span(x), holds);
}

/// As stable_partition.
template <ContiguousRange X, ElementPredicate<X> Pred>
std::size_t partition(Engine& engine, X&& x, Pred&& pred) {
  return stable_partition(engine, x, pred);
}

/// out[i] = in[indices[i]]. `indices` are integers of any type; they and `out`, but not `in`, may be the same memory. Throws Error
/// if the sizes of `indices` and `out` differ, the ranges overlap otherwise, or an index is not one of `in`'s, when part of `out`
/// is written. Cost: 1 read of `indices`, 1 write and a read at random per element.
template <ContiguousRange In, ContiguousRange Indices, ContiguousRange Out>
requires std::integral<value_t<Indices>>
void gather(Engine& engine, In&& in, Indices&& indices, Out&& out) {
  static constinit Cost cost;
  const auto source = as_span(in);
  const auto places = as_span(indices);
  const auto target = as_span(out);
  check::same_size("gather", places.size(), target.size());
  check::apart("gather", source, target);
  check::no_partial_overlap("gather", places, target);
  const std::size_t bytes = check::same_memory(places, target) ? 0 : places.size_bytes() + target.size_bytes();
  loops::produce(engine, cost, target, bytes,
                 [x = source.data(), size = source.size(), at = places.data()](std::size_t i) -> value_t<Out> {
                   const auto index = static_cast<std::uint64_t>(at[i]);  // a negative one becomes a very large one
                   if (index >= size) selection::bad_index("gather", index, i, size);
                   return static_cast<value_t<Out>>(x[index]);
                 });
}

/// out[indices[i]] = in[i], as if for i = 0, 1, … in turn: where an index stands several times, the last of them counts. What no
/// index names stays as it is. Throws Error if the sizes of `in` and `indices` differ, `out` overlaps either, or an index is not
/// one of `out`'s; nothing is written then.
///
/// Method: each thread writes a part of `out` of its own, up to eight of them, and looks for it through all indices; so whatever
/// repeats meets one thread, in order. Where `out` fits a core's cache, one thread writes all of it. Cost: a read of `indices`, and
/// another for each part; a read of `in` and a write at random per element.
template <ContiguousRange In, ContiguousRange Indices, ContiguousRange Out>
requires std::integral<value_t<Indices>>
void scatter(Engine& engine, In&& in, Indices&& indices, Out&& out) {
  static constinit Cost checking;
  static constinit Cost writing;
  const auto source = as_span(in);
  const auto places = as_span(indices);
  const auto target = as_span(out);
  check::same_size("scatter", source.size(), places.size());
  check::apart("scatter", source, target);
  check::apart("scatter", places, target);
  const std::size_t n = source.size();
  const std::size_t size = target.size();
  const auto place = [at = places.data()](std::size_t i) { return static_cast<std::size_t>(at[i]); };
  const auto put = [=, x = source.data(), to = target.data()](std::size_t i) { to[place(i)] = static_cast<value_t<Out>>(x[i]); };
  const Chunks chunks(n, sizeof(value_t<Indices>));
  engine.over_chunks(chunks, checking, [=](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    bool all_are_there = true;
    for (std::size_t i = part.begin; i < part.end; ++i) all_are_there &= place(i) < size;
    for (std::size_t i = part.begin; !all_are_there && i < part.end; ++i)
      if (place(i) >= size) selection::bad_index("scatter", place(i), i, size);
  });

  constexpr std::size_t kMostParts = 8;
  const auto threads = static_cast<std::size_t>(engine.concurrency());
  const std::size_t parts = size * sizeof(value_t<Out>) <= machine().l2_bytes ? 1 : threads < kMostParts ? threads : kMostParts;
  if (parts == 1) {
    return engine.over_chunks(Chunks(n, 1, std::bit_ceil(n)), writing, [=](std::size_t, std::size_t) {
      for (std::size_t i = 0; i < n; ++i) put(i);
    });
  }
  engine.bulk(parts, [=](std::size_t part) {
    constexpr std::size_t kBlock = 1024;
    const std::size_t first = size / parts * part;
    const std::size_t length = part + 1 == parts ? size - first : size / parts;
    std::array<std::uint32_t, kBlock> mine;
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
      const std::size_t end = n - begin < kBlock ? n - begin : kBlock;
      std::size_t count = 0;
      for (std::size_t i = 0; i < end; ++i) {  // no branch: nobody could predict it
        mine[count] = static_cast<std::uint32_t>(i);
        count += place(begin + i) - first < length ? 1 : 0;
      }
      for (std::size_t k = 0; k < count; ++k) put(begin + mine[k]);
    }
  });
}

/// out[i] = in[n - 1 - i]. `out` must not overlap `in`. Throws Error if it does or the sizes differ. 1 read, 1 write.
template <ContiguousRange In, ContiguousRange Out>
void reverse(Engine& engine, In&& in, Out&& out) {
  static constinit Cost cost;
  using T = value_t<Out>;
  const auto source = as_span(in);
  const auto target = as_span(out);
  check::same_size("reverse", source.size(), target.size());
  check::apart("reverse", source, target);
  const std::size_t bytes = source.size_bytes() + target.size_bytes();
  const auto* const end = source.data() + source.size();
  const auto at = [end](std::size_t i) { return static_cast<T>(end[-static_cast<std::ptrdiff_t>(i + 1)]); };
  if (worth_streaming(bytes)) return loops::produce(engine, cost, target, bytes, at);
  const Chunks chunks = loops::cut(target.size(), sizeof(T));
  engine.over_chunks(chunks, cost, [at, chunks, out = target.data()](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    for (std::size_t i = part.begin; i < part.end; ++i) out[i] = at(i);
  });
}

/// The same in place. 1 read, 1 write.
template <ContiguousRange X>
void reverse(Engine& engine, X&& x) {
  static constinit Cost cost;
  const auto elements = as_span(x);
  const std::size_t n = elements.size();
  const Chunks chunks(n / 2, 2 * sizeof(value_t<X>));
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    value_t<X>* const data = elements.data();
    using std::swap;
    for (std::size_t i = part.begin; i < part.end; ++i) swap(data[i], data[n - 1 - i]);
  });
}

/// out(j, i) = in(i, j), for views of any strides. They must not overlap. Throws Error if they do, if the extents of one are not
/// those of the other the other way round, or if two indices of `out` are one element. 1 read, 1 write; streamed if the result
/// exceeds the cache and its rows lie side by side. Plain elements of 1, 2, 4 or 8 bytes whose rows lie side by side in both views,
/// or whose columns do, go by SIMD code; others in square tiles that both have room for in the first-level cache.
template <class T, class U>
void transpose(Engine& engine, const View<T, 2>& in, const View<U, 2>& out) {
  static constinit Cost cost;
  constexpr std::size_t kTile = sizeof(U) <= 1 ? 128 : sizeof(U) <= 4 ? 64 : 32;
  const View<T, 2> turned(in.data_handle(), {in.extent(1), in.extent(0)}, {in.stride(1), in.stride(0)});
  check::views("transpose", turned, out);
  if (out.empty()) return engine.over_chunks(Chunks(), cost, [](std::size_t, std::size_t) {});
  if (static_cast<const void*>(in.data_handle()) == static_cast<const void*>(out.data_handle())) check::overlap("transpose");
  const std::size_t rows = out.extent(0);
  const std::size_t columns = out.extent(1);
  if constexpr (selection::kTurnsWords<T, U>) {
    if (in.stride(1) == 1 && out.stride(1) == 1) return selection::transpose_words(engine, cost, in, out);
    if (in.stride(0) == 1 && out.stride(0) == 1) {
      return selection::transpose_words(engine, cost, turned,
                                        View<U, 2>(out.data_handle(), {columns, rows}, {out.stride(1), out.stride(0)}));
    }
  }
  const bool buffered = selection::kPlain<U> && out.stride(1) == 1;
  const bool stream = buffered && worth_streaming(rows * columns * (sizeof(T) + sizeof(U)));
  const std::size_t across = (columns + kTile - 1) / kTile;
  const Chunks tiles((rows + kTile - 1) / kTile * across, kTile * kTile * sizeof(U));
  engine.over_chunks(tiles, cost, [&](std::size_t first, std::size_t last) {
    const Range part = tiles.elements(first, last);
    for (std::size_t t = part.begin; t < part.end; ++t) {
      const std::size_t top = t / across * kTile;
      const std::size_t left = t % across * kTile;
      const std::size_t bottom = rows - top < kTile ? rows : top + kTile;
      const std::size_t right = columns - left < kTile ? columns : left + kTile;
      if constexpr (selection::kPlain<U>) {
        if (buffered) {
          alignas(64) U tile[kTile][kTile];
          for (std::size_t j = left; j < right; ++j)
            for (std::size_t i = top; i < bottom; ++i) tile[i - top][j - left] = static_cast<U>(in(j, i));
          for (std::size_t i = top; i < bottom; ++i) {
            if (stream)
              stream_copy(&out(i, left), tile[i - top], (right - left) * sizeof(U));
            else
              merging::copy_bytes(&out(i, left), tile[i - top], right - left);
          }
          continue;
        }
      }
      for (std::size_t i = top; i < bottom; ++i)
        for (std::size_t j = left; j < right; ++j) out(i, j) = static_cast<U>(in(j, i));
    }
    if (stream) stream_fence();
  });
}

}  // namespace furrow
