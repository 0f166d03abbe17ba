#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/operations.hpp"
#include "furrow/kernels/ranges.hpp"

namespace furrow {
namespace differences {

template <class T, class Holder>
void in_place(Engine& engine, Cost& cost, std::span<T> x, const Holder& held) {
  const Chunks chunks = loops::cut(x.size(), sizeof(T));
  // What stands before each chunk, before another thread changes it.
  std::vector<T> before;
  before.reserve(chunks.count());
  for (std::size_t chunk = 0; chunk < chunks.count(); ++chunk)
    before.push_back(x[chunk == 0 ? 0 : chunks.elements(chunk, chunk + 1).begin - 1]);
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) {
      const Range part = chunks.elements(first, first + 1);
      T previous = before[first];
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const T current = x[i];
        if (i > 0) x[i] = static_cast<T>(held.f(current, previous));
        previous = current;
      }
    }
  });
}

}  // namespace differences

/// out[0] = in[0] and out[i] = op(in[i], in[i-1]), as std::adjacent_difference; by std::minus the inverse of inclusive_scan. `op`
/// is called from several threads at once. `out` may be `in` if the types are the same, otherwise they must not overlap.
///
/// Throws Error if sizes differ or ranges overlap partly; if `op` throws in place, some elements are differences and some are not
/// yet. Cost: 1 read, 1 write.
template <ContiguousRange In, ContiguousRange Out, ElementFunction<In, In> Op>
void adjacent_difference(Engine& engine, In&& in, Out&& out, Op&& op) {
  using T = value_t<In>;
  const std::span<const T> x = as_span(in);
  const std::span<value_t<Out>> target = as_span(out);
  check::same_size("adjacent_difference", x.size(), target.size());
  check::no_partial_overlap("adjacent_difference", x, target);
  if (x.empty()) return;
  const loops::Holder<std::remove_reference_t<Op>, const T&, const T&> held{op};
  if constexpr (std::same_as<T, value_t<Out>>) {
    if (check::same_memory(x, target)) {
      static constinit Cost cost;
      return differences::in_place(engine, cost, target, held);
    }
  } else {
    check::apart("adjacent_difference", x, target);
  }
  static constinit Cost cost;
  target[0] = static_cast<value_t<Out>>(x[0]);
  loops::produce(engine, cost, target.subspan(1), x.size_bytes() + target.size_bytes(),
                 [held, from = x.data()](std::size_t i) { return static_cast<value_t<Out>>(held.f(from[i + 1], from[i])); });
}

/// The differences of neighbours.
template <ContiguousRange In, ContiguousRange Out>
void adjacent_difference(Engine& engine, In&& in, Out&& out) {
  adjacent_difference(engine, in, out, std::minus<>{});
}

}  // namespace furrow
