#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/view.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow {
namespace loops {

/// Elements that chunks are gone through at a time.
inline constexpr std::size_t kGroup = 16;

/// How the elements of a call of f are cut: fewer than 128 one by one, so that an expensive f spreads over all cores; more of them
/// in groups, which compilers turn into SIMD code.
inline Chunks cut(std::size_t n, std::size_t element_bytes) {
  return {n, element_bytes, n < 128 ? 1 : kGroup};
}

/// step(i) for i in [begin, end), which are elements of chunks of `length`. Iterations must be independent of each other.
///
/// In groups of constant length, which compilers vectorise even at -O2, and what is left one by one. Chunks begin at multiples of
/// their length, so every element is computed by the same instructions however the chunks were shared out or joined.
template <class Step>
inline void run(std::size_t begin, std::size_t end, std::size_t length, const Step& step) {
  if (length >= kGroup) {
    for (; end - begin >= kGroup; begin += kGroup) {
#pragma GCC ivdep
      for (std::size_t i = 0; i < kGroup; ++i) step(begin + i);
    }
  }
  for (; begin < end; ++begin) {
    step(begin);
    asm volatile("" ::: "memory");  // not to be vectorised: where a vector begins would depend on where `begin` is
  }
}

/// How a callable is held inside the bodies of kernels: by value where a copy cannot be told from the original, because only of a
/// local object do compilers know that storing a result does not change it; else by reference.
template <class F>
using Held = std::conditional_t<std::is_trivially_copyable_v<F> && sizeof(F) <= 256, const F, F&>;
template <class F, class... Args>
using held_t = std::conditional_t<std::is_invocable_v<const F&, Args...>, Held<F>, F&>;
/// The same as a member, for lambdas: they would capture what a reference refers to, by value.
template <class F, class... Args>
struct Holder {
  held_t<F, Args...> f;
};

/// What `transform` makes of the i-th elements.
template <class T, class F, class... In>
struct Transformed;
template <class T, class F, class In>
struct Transformed<T, F, In> {
  Holder<F, const In&> held;
  const In* x;
  T operator()(std::size_t i) const { return static_cast<T>(held.f(x[i])); }
};
template <class T, class F, class A, class B>
struct Transformed<T, F, A, B> {
  Holder<F, const A&, const B&> held;
  const A* x;
  const B* y;
  T operator()(std::size_t i) const { return static_cast<T>(held.f(x[i], y[i])); }
};

/// to[i - part.begin] = value(i) for i in `part`, elements of chunks of `length`. Never inlined, so that a functor has one compiled
/// loop in the program, whether results are streamed or not.
template <class T, class Value>
[[gnu::noinline]] void evaluate(T* to, Range part, std::size_t length, const Value& value) {
  const Value local(value);
  T* const origin = to - part.begin;
  run(part.begin, part.end, length, [&](std::size_t i) { origin[i] = local(i); });
}

/// Writes out[i] = value(i) for all i; `streamed_bytes` is what the call reads and writes in all, or 0 if streaming cannot pay.
template <class T, class Value>
void produce(Engine& engine, Cost& cost, std::span<T> out, std::size_t streamed_bytes, const Value& value) {
  // A type that needs construction does not go through a buffer.
  constexpr bool kMayStream = std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T> &&
                              StreamWriter<T>::takes && StreamWriter<T>::kMost % kGroup == 0;
  const bool stream = kMayStream && worth_streaming(streamed_bytes);
  const Chunks chunks = cut(out.size(), sizeof(T));
  // By value here and below: other threads then find all that a call needs in one place.
  engine.over_chunks(chunks, cost, [chunks, stream, to = out.data(), value](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    if constexpr (kMayStream) {
      if (stream) {
        StreamWriter<T> writer(to + part.begin);
        for (std::size_t begin = part.begin, end = begin; begin < part.end; begin = end) {
          end = part.end - begin < writer.kMost ? part.end : begin + writer.kMost;
          evaluate(writer.next(), {begin, end}, chunks.length(), value);
          writer.take(end - begin);
        }
        return writer.finish();
      }
    }
    evaluate(to + part.begin, part, chunks.length(), value);
  });
}

/// f(index…) for every index of a shape, last index fastest.
template <std::size_t D, class F>
void over_shape(Engine& engine, Cost& cost, const std::array<std::size_t, D>& shape, F& f) {
  static_assert(D >= 1 && D <= 3, "shapes have one to three dimensions");
  std::size_t n = 1;
  for (const std::size_t extent : shape) n = check::product(n, extent);
  const std::size_t row = shape[D - 1];
  const Chunks chunks = cut(n, sizeof(double));
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    std::size_t begin = first * chunks.length();
    std::size_t line = begin / row;
    std::size_t column = begin % row;
    // Chunk by chunk: one may begin inside a row, and where it does must not depend on what was joined.
    for (; first < last; ++first) {
      const std::size_t chunk_end = chunks[first].end;
      while (begin < chunk_end) {
        const std::size_t end = column + (row - column < chunk_end - begin ? row - column : chunk_end - begin);
        run(column, end, chunks.length(), [&](std::size_t j) {
          if constexpr (D == 1) f(j);
          if constexpr (D == 2) f(line, j);
          if constexpr (D == 3) f(line / shape[1], line % shape[1], j);
        });
        begin += end - column;
        column = end == row ? 0 : end;
        line += end == row;
      }
    }
  });
}

}  // namespace loops

/// Calls f(i) for every i in [0, n), each once, in any order, possibly at once.
template <class F>
requires std::invocable<F&, std::size_t>
void for_each_index(Engine& engine, std::size_t n, F&& f) {
  static constinit Cost cost;
  const Chunks chunks = loops::cut(n, sizeof(double));
  const loops::Holder<std::remove_reference_t<F>, std::size_t> holder{f};
  engine.over_chunks(chunks, cost, [chunks, holder](std::size_t first, std::size_t last) {
    loops::held_t<std::remove_reference_t<F>, std::size_t> held = holder.f;
    const Range part = chunks.elements(first, last);
    loops::run(part.begin, part.end, chunks.length(), [&](std::size_t i) { held(i); });
  });
}

/// Calls f(i, j, …) for every index of a shape of one to three dimensions, {ny, nx} or {nz, ny, nx}, each once, in any order,
/// possibly at once; the last index runs fastest, so that rows vectorise. Throws Error if an extent is negative or their product
/// overflows.
template <std::integral Index, std::size_t D, class F>
void for_each_index(Engine& engine, const Index (&shape)[D], F&& f) {
  static constinit Cost cost;
  std::array<std::size_t, D> extents{};
  for (std::size_t d = 0; d < D; ++d) extents[d] = check::extent(shape[d]);
  loops::over_shape(engine, cost, extents, f);
}

/// Calls f(v) for every element v, which f may change; each once, in any order, possibly at once.
template <ContiguousRange R, ElementVisitor<R> F>
void for_each(Engine& engine, R&& range, F&& f) {
  static constinit Cost cost(2 * sizeof(element_t<R>));
  const auto elements = as_span(range);
  const Chunks chunks = loops::cut(elements.size(), sizeof(element_t<R>));
  const loops::Holder<std::remove_reference_t<F>, element_t<R>&> holder{f};
  engine.over_chunks(chunks, cost, [chunks, holder, data = elements.data()](std::size_t first, std::size_t last) {
    loops::held_t<std::remove_reference_t<F>, element_t<R>&> held = holder.f;
    const Range part = chunks.elements(first, last);
    loops::run(part.begin, part.end, chunks.length(), [&](std::size_t i) { held(data[i]); });
  });
}

/// As above, over a view of one to three dimensions.
template <class T, std::size_t D, class F>
requires std::invocable<F&, T&>
void for_each(Engine& engine, const View<T, D>& view, F&& f) {
  static constinit Cost cost(2 * sizeof(T));
  auto at = [&](auto... index) { f(view(index...)); };
  loops::over_shape(engine, cost, view.extents(), at);
}

/// out[i] = f(in[i]). `out` may be `in`, otherwise they must not overlap. Calls f once per element, in any order, possibly at once.
/// Throws Error if the sizes differ or the ranges overlap partly. Cost: one read and one write per element; results larger than the
/// cache are streamed past it.
template <ContiguousRange In, ContiguousRange Out, ElementFunction<In> F>
void transform(Engine& engine, In&& in, Out&& out, F&& f) {
  static constinit Cost cost(sizeof(value_t<In>) + sizeof(value_t<Out>));
  const auto source = as_span(in);
  const auto target = as_span(out);
  check::same_size("transform", source.size(), target.size());
  check::no_partial_overlap("transform", source, target);
  const bool in_place = check::same_memory(source, target);
  loops::produce(engine, cost, target, in_place ? 0 : source.size_bytes() + target.size_bytes(),
                 loops::Transformed<value_t<Out>, std::remove_reference_t<F>, value_t<In>>{{f}, source.data()});
}

/// out[i] = f(a[i], b[i]); otherwise as above. `out` may be `a`, `b` or both.
template <ContiguousRange A, ContiguousRange B, ContiguousRange Out, ElementFunction<A, B> F>
void transform(Engine& engine, A&& a, B&& b, Out&& out, F&& f) {
  static constinit Cost cost(sizeof(value_t<A>) + sizeof(value_t<B>) + sizeof(value_t<Out>));
  const auto first = as_span(a);
  const auto second = as_span(b);
  const auto target = as_span(out);
  check::same_size("transform", first.size(), second.size());
  check::same_size("transform", first.size(), target.size());
  check::no_partial_overlap("transform", first, target);
  check::no_partial_overlap("transform", second, target);
  const bool in_place = check::same_memory(first, target) || check::same_memory(second, target);
  using Value = loops::Transformed<value_t<Out>, std::remove_reference_t<F>, value_t<A>, value_t<B>>;
  loops::produce(engine, cost, target, in_place ? 0 : first.size_bytes() + second.size_bytes() + target.size_bytes(),
                 Value{{f}, first.data(), second.data()});
}

/// out(i, j, …) = f(in(i, j, …)) over views of one shape, of one to three dimensions and any strides. `out` may be `in`; otherwise
/// the memory from its first to its last element must not touch that of `in`. Throws Error if not, if the shapes differ, or if two
/// indices of `out` are the same element (a stride of 0).
template <class T, class U, std::size_t D, class F>
requires std::invocable<F&, const T&>
void transform(Engine& engine, const View<T, D>& in, const View<U, D>& out, F&& f) {
  static constinit Cost cost(sizeof(T) + sizeof(U));
  check::views("transform", in, out);
  auto at = [&](auto... index) { out(index...) = static_cast<U>(f(in(index...))); };
  loops::over_shape(engine, cost, out.extents(), at);
}

/// out(i, j, …) = f(a(i, j, …), b(i, j, …)); otherwise as above.
template <class T, class S, class U, std::size_t D, class F>
requires std::invocable<F&, const T&, const S&>
void transform(Engine& engine, const View<T, D>& a, const View<S, D>& b, const View<U, D>& out, F&& f) {
  static constinit Cost cost(sizeof(T) + sizeof(S) + sizeof(U));
  check::views("transform", a, out);
  check::views("transform", b, out);
  auto at = [&](auto... index) { out(index...) = static_cast<U>(f(a(index...), b(index...))); };
  loops::over_shape(engine, cost, out.extents(), at);
}

}  // namespace furrow
