#include "furrow/kernels/comparisons.hpp"

#include <utility>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/elementwise.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow::named {
namespace {

template <class T, std::size_t... c>
constexpr std::array<Cost, sizeof...(c)> make_costs(std::index_sequence<c...>) {
  return {Cost(kComparisonNames[c], type_code(type_of<T>), 2 * sizeof(T) + 1)...};
}
template <class T>
constinit auto costs = make_costs<T>(std::make_index_sequence<kComparisonNames.size()>());

}  // namespace

template <NamedElement T>
void compare(Engine& engine, Comparison comparison, std::span<const T> a, std::span<const T> b, std::span<std::uint8_t> out) {
  const auto index = static_cast<std::size_t>(comparison);
  for (const std::span<const T> in : {a, b}) {
    check::same_size(kComparisonNames[index].data(), in.size(), out.size());
    check::apart(kComparisonNames[index].data(), in, out);
  }
  const auto kernel = elementwise::kernels<T>().compare[index];
  const Chunks chunks(out.size(), sizeof(T), elementwise::kShortest<T>);
  engine.over_chunks(chunks, costs<T>[index],
                     [chunks, kernel, x = a.data(), y = b.data(), to = out.data()](std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(x + part.begin, y + part.begin, to + part.begin, part.size());
                     });
}

template <NamedElement T>
void where(Engine& engine, std::span<const std::uint8_t> condition, std::span<const T> a, std::span<const T> b, std::span<T> out) {
  static constinit Cost cost("where", type_code(type_of<T>), 3 * sizeof(T) + 1);
  check::same_size("where", condition.size(), out.size());
  check::apart("where", condition, out);
  bool in_place = false;
  for (const std::span<const T> in : {a, b}) {
    check::same_size("where", in.size(), out.size());
    check::no_partial_overlap("where", in, out);
    in_place = in_place || in.data() == out.data();
  }
  const bool stream = !in_place && worth_streaming(condition.size_bytes() + 3 * out.size_bytes());
  const auto kernel = elementwise::kernels<T>().where;
  const Chunks chunks(out.size(), sizeof(T), elementwise::kShortest<T>);
  engine.over_chunks(chunks, cost,
                     [chunks, kernel, mask = condition.data(), x = a.data(), y = b.data(), to = out.data(), stream](
                         std::size_t first, std::size_t last) {
                       const Range part = chunks.elements(first, last);
                       kernel(mask + part.begin, x + part.begin, y + part.begin, to + part.begin, part.size(), stream);
                     });
}

#define FURROW_INSTANTIATE(T)                                                                                  \
  template void compare(Engine&, Comparison, std::span<const T>, std::span<const T>, std::span<std::uint8_t>); \
  template void where(Engine&, std::span<const std::uint8_t>, std::span<const T>, std::span<const T>, std::span<T>);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
