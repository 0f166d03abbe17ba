#include "furrow/kernels/elementwise.hpp"

#include <utility>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/elementwise.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow::named {
namespace {

template <class T, std::size_t... op>
constexpr std::array<Cost, sizeof...(op)> make_costs(std::index_sequence<op...>) {
  constexpr auto arrays = [](Op one) { return std::size_t{1} + reads_a(one) + reads_b(one); };
  return {Cost(kOpNames[op], type_code(type_of<T>), arrays(static_cast<Op>(op)) * sizeof(T))...};
}

/// What each kernel costs, learnt call by call.
template <class T>
constinit std::array<Cost, kOpNames.size()> costs = make_costs<T>(std::make_index_sequence<kOpNames.size()>());

template <class T>
void check_input(std::string_view name, std::span<const T> in, std::span<T> out) {
  check::same_size(name.data(), in.size(), out.size());
  check::no_partial_overlap(name.data(), in, out);
}

}  // namespace

template <NamedElement T>
void map(Engine& engine, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out) {
  const auto index = static_cast<std::size_t>(op);
  if (reads_a(op)) check_input<T>(kOpNames[index], a, out);
  if (reads_b(op)) check_input<T>(kOpNames[index], b, out);
  // In place nothing is to be gained: the line is in the cache already when it is written.
  const bool in_place = a.data() == out.data() || b.data() == out.data();
  const bool stream = !in_place && worth_streaming(a.size_bytes() + b.size_bytes() + out.size_bytes());
  const auto kernel = elementwise::kernels<T>().map[index];
  const Chunks chunks(out.size(), sizeof(T), elementwise::kShortest<T>);
  // By value: what came in registers stays there, and other threads find it all in one place. Small calls feel it.
  engine.over_chunks(chunks, costs<T>[index],
                     [chunks, kernel, x = a.data(), y = b.data(), to = out.data(), s, stream](std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(x + part.begin, y + part.begin, to + part.begin, s, part.size(), stream);
                     });
}

template <NamedElement T>
void clamp(Engine& engine, std::span<const T> a, T low, T high, std::span<T> out) {
  static constinit Cost cost("clamp", type_code(type_of<T>), 2 * sizeof(T));
  check::ordered("clamp", low <= high);
  check_input<T>("clamp", a, out);
  const bool stream = a.data() != out.data() && worth_streaming(a.size_bytes() + out.size_bytes());
  const auto kernel = elementwise::kernels<T>().clamp;
  const Chunks chunks(out.size(), sizeof(T), elementwise::kShortest<T>);
  engine.over_chunks(chunks, cost,
                     [chunks, kernel, x = a.data(), low, high, to = out.data(), stream](std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(x + part.begin, low, high, to + part.begin, part.size(), stream);
                     });
}

template <std::floating_point T>
void fma(Engine& engine, std::span<const T> a, std::span<const T> b, std::span<const T> c, std::span<T> out) {
  static constinit Cost cost("fma", type_code(type_of<T>), 4 * sizeof(T));
  bool in_place = false;
  for (const std::span<const T> in : {a, b, c}) {
    check_input<T>("fma", in, out);
    in_place = in_place || in.data() == out.data();
  }
  const bool stream = !in_place && worth_streaming(4 * out.size_bytes());
  const auto kernel = elementwise::kernels<T>().fma;
  const Chunks chunks(out.size(), sizeof(T), elementwise::kShortest<T>);
  engine.over_chunks(
      chunks, cost,
      [chunks, kernel, x = a.data(), y = b.data(), z = c.data(), to = out.data(), stream](std::size_t first, std::size_t last) {
        const Range part = chunks.elements(first, last);
        kernel(x + part.begin, y + part.begin, z + part.begin, to + part.begin, part.size(), stream);
      });
}

#define FURROW_INSTANTIATE(T)                                                              \
  template void map(Engine&, Op, std::span<const T>, std::span<const T>, T, std::span<T>); \
  template void clamp(Engine&, std::span<const T>, T, T, std::span<T>);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

template void fma(Engine&, std::span<const float>, std::span<const float>, std::span<const float>, std::span<float>);
template void fma(Engine&, std::span<const double>, std::span<const double>, std::span<const double>, std::span<double>);

}  // namespace furrow::named
