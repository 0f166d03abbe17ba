#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/kernels/operations.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow {
namespace scans {

/// A chunk is scanned as eight runs side by side, since in a single one each step would wait for the one before.
inline constexpr std::size_t kRuns = 8;
/// Elements of each run that are written at a time.
inline constexpr std::size_t kTile = 64;

/// How a chunk is divided: runs of equal length, the last takes the rest; a short chunk is one run. A function of its size alone.
struct Runs {
  explicit Runs(std::size_t size) : count(size < kRuns * kTile ? 1 : kRuns), length(size / count), rest(size - count * length) {}

  std::size_t count;
  std::size_t length;
  std::size_t rest;
};

/// One value for each run of a chunk.
template <class T>
using PerRun = std::array<std::optional<T>, kRuns>;

/// What the elements of each run add up to.
template <class T, class In, class Op>
void add_up(const In* x, const Runs& runs, PerRun<T>& totals, Op& op) {
  for (std::size_t r = 0; r < runs.count; ++r) totals[r] = static_cast<T>(x[r * runs.length]);
  if (runs.count == kRuns) {
    std::array<T, kRuns> all{*totals[0], *totals[1], *totals[2], *totals[3], *totals[4], *totals[5], *totals[6], *totals[7]};
    for (std::size_t i = 1; i < runs.length; ++i) {
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRuns; ++r) all[r] = op(all[r], static_cast<T>(x[r * runs.length + i]));
    }
    for (std::size_t r = 0; r < kRuns; ++r) totals[r] = all[r];
  } else {
    for (std::size_t i = 1; i < runs.length; ++i) totals[0] = op(*totals[0], static_cast<T>(x[i]));
  }
  std::optional<T>& last = totals[runs.count - 1];
  for (std::size_t i = 0; i < runs.rest; ++i) last = op(*last, static_cast<T>(x[runs.count * runs.length + i]));
}

/// Replaces the total of each run by what comes before it, nothing if it is the very first; returns what comes before the next
/// chunk.
template <class T, class Op>
std::optional<T> carry(std::optional<T> before, const Runs& runs, PerRun<T>& totals, Op& op) {
  for (std::size_t r = 0; r < runs.count; ++r) {
    const T own = *totals[r];
    totals[r] = before;
    before = before ? op(*before, own) : own;
  }
  return before;
}

/// Writes the scan of one chunk, given what comes before each run.
template <bool kStream, class T, class In, class Out, class Op>
void write(const In* x, Out* out, const Runs& runs, const PerRun<T>& before, Op& op) {
  const auto first = [&](std::size_t r) {
    const T own = static_cast<T>(x[r * runs.length]);
    return before[r] ? static_cast<T>(op(*before[r], own)) : own;
  };
  const auto finish = [&](T all, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      all = op(all, static_cast<T>(x[i]));
      out[i] = all;
    }
  };
  if (runs.count == 1) {
    const T start = first(0);
    out[0] = start;  // which may be x[0]
    return finish(start, 1, runs.length);
  }
  std::array<T, kRuns> all{first(0), first(1), first(2), first(3), first(4), first(5), first(6), first(7)};
  for (std::size_t tile = 0; tile < runs.length; tile += kTile) {
    const std::size_t size = runs.length - tile < kTile ? runs.length - tile : kTile;
    const auto fill = [&](Out* to, std::size_t stride) {
      std::size_t i = 0;
      if (tile == 0) {
        for (std::size_t r = 0; r < kRuns; ++r) to[r * stride] = all[r];
        i = 1;
      }
      for (; i < size; ++i) {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRuns; ++r) {
          all[r] = op(all[r], static_cast<T>(x[r * runs.length + tile + i]));
          to[r * stride + i] = all[r];
        }
      }
    };
    if constexpr (kStream) {
      alignas(64) Out buffer[kRuns * kTile];
      fill(buffer, kTile);
      for (std::size_t r = 0; r < kRuns; ++r) stream_copy(out + r * runs.length + tile, buffer + r * kTile, size * sizeof(Out));
    } else {
      fill(out + tile, runs.length);
    }
  }
  finish(all[kRuns - 1], kRuns * runs.length, kRuns * runs.length + runs.rest);
  if constexpr (kStream) stream_fence();
}

}  // namespace scans

/// out[i] = in[0] op … op in[i], for any associative op, which need not commute, in the type of `out`'s elements. Where op is not
/// exactly associative (floating-point addition), the order of combining depends on the size alone. `out` may be `in`, otherwise
/// they must not overlap. op is called from several threads at once.
///
/// Throws Error if the sizes differ or the ranges overlap partly. Cost: two applications of op per element; one read and one write
/// of memory, since the second look at the input finds it in the cache (Zhang, Wang, Ross: Parallel Prefix Sum with SIMD, ADMS
/// 2020).
template <ContiguousRange In, ContiguousRange Out, class Op>
requires std::invocable<Op&, value_t<Out>, value_t<Out>>
void inclusive_scan(Engine& engine, In&& in, Out&& out, Op&& op) {
  using T = value_t<Out>;
  static constinit Cost adding;
  static constinit Cost writing;
  const auto source = as_span(in);
  const auto target = as_span(out);
  check::same_size("inclusive_scan", source.size(), target.size());
  check::no_partial_overlap("inclusive_scan", source, target);
  constexpr bool kMayStream = std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T> && sizeof(T) <= 16;
  const bool stream =
      kMayStream && !check::same_memory(source, target) && worth_streaming(source.size_bytes() + target.size_bytes());

  // A chunk costs two visits, so it should be a page long; groups of them stay in the threads' caches from the first to the second.
  constexpr std::size_t kShortest = sizeof(T) < 4096 ? std::bit_floor(4096 / sizeof(T)) : 1;
  const Chunks chunks(source.size(), sizeof(T), kShortest);
  const std::size_t per_thread = 1 + machine().l2_bytes / 2 / (chunks.length() * sizeof(T));
  const std::size_t all_threads = per_thread * static_cast<std::size_t>(engine.concurrency());
  const std::size_t group = chunks.count() < all_threads ? chunks.count() : all_threads;
  std::vector<scans::PerRun<T>> totals(group);
  std::optional<T> before;
  for (std::size_t start = 0; start < chunks.count(); start += group) {
    const Chunks window = chunks.window(start, group);
    const auto* const x = source.data() + window.offset();
    auto* const y = target.data() + window.offset();
    engine.over_chunks(window, adding, [&](std::size_t first, std::size_t last) {
      for (; first < last; ++first) scans::add_up(x + window[first].begin, scans::Runs(window[first].size()), totals[first], op);
    });
    for (std::size_t k = 0; k < window.count(); ++k) before = scans::carry(before, scans::Runs(window[k].size()), totals[k], op);
    engine.over_chunks(window, writing, [&](std::size_t first, std::size_t last) {
      for (; first < last; ++first) {
        const Range part = window[first];
        if constexpr (kMayStream) {
          if (stream) {
            scans::write<true>(x + part.begin, y + part.begin, scans::Runs(part.size()), totals[first], op);
            continue;
          }
        }
        scans::write<false>(x + part.begin, y + part.begin, scans::Runs(part.size()), totals[first], op);
      }
    });
  }
}

/// The running sum.
template <ContiguousRange In, ContiguousRange Out>
void inclusive_scan(Engine& engine, In&& in, Out&& out) {
  inclusive_scan(engine, in, out, std::plus<>{});
}

}  // namespace furrow
