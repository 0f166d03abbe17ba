#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/groups.hpp"
#include "furrow/kernels/operations.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/streaming.hpp"

// Scans (prefix sums): of what stands before each element, with it (inclusive) or without it (exclusive). `out` may be the input,
// otherwise they must not overlap; the operation need not commute. Where it is not exactly associative (floating-point addition),
// the order of combining depends on the size alone; across a chunk's edge the sums of positive numbers may then fall by a rounding.
//
// All throw Error if sizes differ or ranges overlap partly; operations are called from several threads at once. Cost: two
// applications of the operation per element; one read and one write of memory, since the second look at the input finds it in the
// cache (Zhang, Wang, Ross: Parallel Prefix Sum with SIMD, ADMS 2020).

namespace furrow {
namespace scans {

enum class Kind { inclusive, exclusive };

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
template <class T, class At, class Op>
PerRun<T> add_up(const At& at, const Runs& runs, Op& op) {
  PerRun<T> totals;
  for (std::size_t r = 0; r < runs.count; ++r) totals[r] = at(r * runs.length);
  if (runs.count == kRuns) {
    std::array<T, kRuns> all{*totals[0], *totals[1], *totals[2], *totals[3], *totals[4], *totals[5], *totals[6], *totals[7]};
    for (std::size_t i = 1; i < runs.length; ++i) {
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRuns; ++r) all[r] = op(all[r], at(r * runs.length + i));
    }
    for (std::size_t r = 0; r < kRuns; ++r) totals[r] = all[r];
  } else {
    for (std::size_t i = 1; i < runs.length; ++i) totals[0] = op(*totals[0], at(i));
  }
  std::optional<T>& last = totals[runs.count - 1];
  for (std::size_t i = 0; i < runs.rest; ++i) last = op(*last, at(runs.count * runs.length + i));
  return totals;
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
template <Kind kind, bool kStream, class T, class At, class Out, class Op>
void write(const At& at, Out* out, const Runs& runs, const PerRun<T>& before, Op& op) {
  // Of each run: all up to and with the latest element (inclusive), or without it (exclusive).
  const auto first = [&](std::size_t r) {
    if constexpr (kind == Kind::exclusive) {
      return *before[r];
    } else {
      const T own = at(r * runs.length);
      return before[r] ? static_cast<T>(op(*before[r], own)) : own;
    }
  };
  // The element is read before the result is written, which may take its place.
  const auto step = [&](T& all, std::size_t i, Out& to) {
    if constexpr (kind == Kind::exclusive) {
      const T own = at(i);
      to = all;
      all = op(all, own);
    } else {
      to = all = op(all, at(i));
    }
  };
  constexpr std::size_t kBegin = kind == Kind::exclusive ? 0 : 1;
  const auto finish = [&](T all, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) step(all, i, out[i]);
  };
  if (runs.count == 1) {
    const T start = first(0);
    if constexpr (kBegin == 1) out[0] = start;
    return finish(start, kBegin, runs.length);
  }
  std::array<T, kRuns> all{first(0), first(1), first(2), first(3), first(4), first(5), first(6), first(7)};
  for (std::size_t tile = 0; tile < runs.length; tile += kTile) {
    const std::size_t size = runs.length - tile < kTile ? runs.length - tile : kTile;
    const auto fill = [&](Out* to, std::size_t stride) {
      std::size_t i = 0;
      if (kBegin == 1 && tile == 0) {
        for (std::size_t r = 0; r < kRuns; ++r) to[r * stride] = all[r];
        i = 1;
      }
      for (; i < size; ++i) {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRuns; ++r) step(all[r], r * runs.length + tile + i, to[r * stride + i]);
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

/// The scan of at(i) for i in [0, out.size()), after `before` if there is such. `in_place`: at(i) reads out[i].
template <Kind kind, class T, class At, class Op>
void scan(Engine& engine, Cost& adding, Cost& writing, const At& at, std::size_t in_bytes, std::span<T> out, bool in_place,
          std::optional<T> before, Op& op) {
  constexpr bool kMayStream = std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T> && sizeof(T) <= 16;
  const bool stream = kMayStream && !in_place && worth_streaming(in_bytes + out.size_bytes());
  // A chunk costs two visits, so it should be a page long.
  constexpr std::size_t kShortest = sizeof(T) < 4096 ? std::bit_floor(4096 / sizeof(T)) : 1;
  const Chunks chunks(out.size(), sizeof(T), kShortest);
  const auto from = [&at](std::size_t begin) { return [&at, begin](std::size_t i) -> T { return at(begin + i); }; };
  in_groups<PerRun<T>>(
      engine, adding, writing, chunks, chunks.length() * sizeof(T),
      [&](Range part, PerRun<T>& totals) { totals = add_up<T>(from(part.begin), Runs(part.size()), op); },
      [&](Range part, PerRun<T>& totals) { before = carry(before, Runs(part.size()), totals, op); },
      [&](Range part, const PerRun<T>& totals, Range) {
        if constexpr (kMayStream)
          if (stream) return write<kind, true>(from(part.begin), out.data() + part.begin, Runs(part.size()), totals, op);
        write<kind, false>(from(part.begin), out.data() + part.begin, Runs(part.size()), totals, op);
      });
}

/// Whether the two are the same memory; throws Error if they are not of one size or overlap partly.
template <ContiguousRange In, ContiguousRange Out>
bool in_place(const char* call, In&& in, Out&& out) {
  check::same_size(call, in.size(), out.size());
  check::no_partial_overlap(call, in, out);
  return check::same_memory(in, out);
}

/// Whether op is the addition for which there is SIMD code.
template <class In, class T, class Op>
inline constexpr bool named = (NamedElement<T> && std::is_same_v<In, T> && reductions::adds<std::remove_cvref_t<Op>, T>);

/// Running sums by SIMD code chosen at run time; `before` is −0 if there is none.
template <NamedElement T>
void sums(Engine& engine, std::span<const T> x, std::span<T> out, T before, Kind kind);

}  // namespace scans

/// out[i] = in[0] op … op in[i], in the type of `out`'s elements. Sums of named types by std::plus are SIMD code; integers wrap.
template <ContiguousRange In, ContiguousRange Out, BinaryOperation<value_t<Out>> Op>
void inclusive_scan(Engine& engine, In&& in, Out&& out, Op&& op) {
  using T = value_t<Out>;
  const auto source = as_span(in);
  const auto target = as_span(out);
  const bool in_place = scans::in_place("inclusive_scan", source, target);
  if constexpr (scans::named<value_t<In>, T, Op>) {
    scans::sums<T>(engine, source, target, static_cast<T>(-0.0), scans::Kind::inclusive);
  } else {
    static constinit Cost adding;
    static constinit Cost writing;
    scans::scan<scans::Kind::inclusive, T>(
        engine, adding, writing, [x = source.data()](std::size_t i) { return static_cast<T>(x[i]); }, source.size_bytes(), target,
        in_place, {}, op);
  }
}

/// The running sum.
template <ContiguousRange In, ContiguousRange Out>
void inclusive_scan(Engine& engine, In&& in, Out&& out) {
  inclusive_scan(engine, in, out, std::plus<>{});
}

/// out[i] = f(in[0]) op … op f(in[i]); f is called twice per element.
template <ContiguousRange In, ContiguousRange Out, BinaryOperation<value_t<Out>> Op, ElementFunction<In> F>
void transform_inclusive_scan(Engine& engine, In&& in, Out&& out, Op&& op, F&& f) {
  using T = value_t<Out>;
  static constinit Cost adding;
  static constinit Cost writing;
  const auto source = as_span(in);
  const auto target = as_span(out);
  const bool in_place = scans::in_place("transform_inclusive_scan", source, target);
  scans::scan<scans::Kind::inclusive, T>(
      engine, adding, writing, [&f, x = source.data()](std::size_t i) { return static_cast<T>(f(x[i])); }, source.size_bytes(),
      target, in_place, {}, op);
}

/// out[i] = init op in[0] op … op in[i-1], in the type of `out`'s elements; out[0] is init.
template <ContiguousRange In, ContiguousRange Out, BinaryOperation<value_t<Out>> Op>
void exclusive_scan(Engine& engine, In&& in, Out&& out, std::type_identity_t<value_t<Out>> init, Op&& op) {
  using T = value_t<Out>;
  const auto source = as_span(in);
  const auto target = as_span(out);
  const bool in_place = scans::in_place("exclusive_scan", source, target);
  if constexpr (scans::named<value_t<In>, T, Op>) {
    scans::sums<T>(engine, source, target, init, scans::Kind::exclusive);
  } else {
    static constinit Cost adding;
    static constinit Cost writing;
    scans::scan<scans::Kind::exclusive, T>(
        engine, adding, writing, [x = source.data()](std::size_t i) { return static_cast<T>(x[i]); }, source.size_bytes(), target,
        in_place, std::move(init), op);
  }
}

/// The running sum of what stands before each element, from init on.
template <ContiguousRange In, ContiguousRange Out>
void exclusive_scan(Engine& engine, In&& in, Out&& out, std::type_identity_t<value_t<Out>> init) {
  exclusive_scan(engine, in, out, std::move(init), std::plus<>{});
}

/// out[i] = init op f(in[0]) op … op f(in[i-1]); f is called twice per element.
template <ContiguousRange In, ContiguousRange Out, BinaryOperation<value_t<Out>> Op, ElementFunction<In> F>
void transform_exclusive_scan(Engine& engine, In&& in, Out&& out, std::type_identity_t<value_t<Out>> init, Op&& op, F&& f) {
  using T = value_t<Out>;
  static constinit Cost adding;
  static constinit Cost writing;
  const auto source = as_span(in);
  const auto target = as_span(out);
  const bool in_place = scans::in_place("transform_exclusive_scan", source, target);
  scans::scan<scans::Kind::exclusive, T>(
      engine, adding, writing, [&f, x = source.data()](std::size_t i) { return static_cast<T>(f(x[i])); }, source.size_bytes(),
      target, in_place, std::move(init), op);
}

}  // namespace furrow
