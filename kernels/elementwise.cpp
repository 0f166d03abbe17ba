#include "furrow/kernels/elementwise.hpp"

#include <utility>

#include "furrow/kernels/simd.hpp"
#include "furrow/kernels/streaming.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::named {
namespace {

/// So cheap per element that fewer than this are never worth a second thread.
constexpr std::size_t kShortest = 1024;

template <class T, std::size_t... op>
constexpr std::array<Cost, sizeof...(op)> make_costs(std::index_sequence<op...>) {
  return {Cost(kOpNames[op], type_code(type_of<T>))...};
}

constexpr bool reads_a(Op op) {
  return op != Op::fill;
}
constexpr bool reads_b(Op op) {
  return op == Op::add || op == Op::mul || op == Op::axpy || op == Op::triad;
}

/// What each kernel costs, learnt call by call.
template <class T>
constinit std::array<Cost, kOpNames.size()> costs = make_costs<T>(std::make_index_sequence<kOpNames.size()>());

}  // namespace

template <NamedElement T>
void map(Engine& engine, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out) {
  const auto index = static_cast<std::size_t>(op);
  const auto check_input = [name = kOpNames[index].data(), out](std::span<const T> in) {
    check::same_size(name, in.size(), out.size());
    check::no_partial_overlap(name, in, out);
  };
  if (reads_a(op)) check_input(a);
  if (reads_b(op)) check_input(b);
  // In place nothing is to be gained: the line is in the cache already when it is written.
  const bool in_place = a.data() == out.data() || b.data() == out.data();
  const bool stream = !in_place && worth_streaming(a.size_bytes() + b.size_bytes() + out.size_bytes());
  const auto kernel = simd::kernels<T>().map[index];
  const Chunks chunks(out.size(), sizeof(T), kShortest);
  // By value: what came in registers stays there, and other threads find it all in one place. Small calls feel it.
  engine.over_chunks(chunks, costs<T>[index],
                     [chunks, kernel, x = a.data(), y = b.data(), to = out.data(), s, stream](std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(x + part.begin, y + part.begin, to + part.begin, s, part.size(), stream);
                     });
}

template void map(Engine&, Op, std::span<const float>, std::span<const float>, float, std::span<float>);
template void map(Engine&, Op, std::span<const double>, std::span<const double>, double, std::span<double>);
template void map(Engine&, Op, std::span<const std::int32_t>, std::span<const std::int32_t>, std::int32_t, std::span<std::int32_t>);
template void map(Engine&, Op, std::span<const std::int64_t>, std::span<const std::int64_t>, std::int64_t, std::span<std::int64_t>);

}  // namespace furrow::named
