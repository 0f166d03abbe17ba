#include "furrow/kernels/assign.hpp"

#include <algorithm>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression.hpp"
#include "furrow/kernels/expression/functions.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow::fused {
namespace {

/// Fewer than this are hardly worth a second thread.
constexpr std::size_t kShortest = 1024;

/// The ranges of an expression, each once.
template <class T>
using Arrays = std::vector<const T*>;

template <class T>
std::vector<Expression::Part> parts_of(std::span<const Step<T>> steps, std::span<T> out, Arrays<T>& arrays) {
  std::vector<Expression::Part> parts;
  for (const Step<T>& step : steps) {
    if (step.kind == Step<T>::is_function) {
      parts.emplace_back(expression::find_function(step.function, step.operands));
    } else if (step.kind == Step<T>::is_number) {
      if constexpr (std::is_floating_point_v<T>)
        parts.emplace_back(double{step.number});
      else
        parts.emplace_back(std::int64_t{step.number});
    } else {
      check::same_size("assign", step.range.size(), out.size());
      check::no_partial_overlap("assign", step.range, out);
      const auto known = std::ranges::find(arrays, step.range.data());
      parts.emplace_back(static_cast<std::size_t>(known - arrays.begin()));
      if (known == arrays.end()) arrays.push_back(step.range.data());
    }
  }
  return parts;
}

}  // namespace

template <NamedElement T>
void run(Engine& engine, Cost& cost, std::span<const Step<T>> steps, std::span<T> out) {
  Arrays<T> arrays;
  const std::vector<Expression::Part> parts = parts_of(steps, out, arrays);
  const Program program = Expression::of(parts, arrays.size()).bind(std::vector<Binding>(arrays.size(), type_of<T>));
  const bool in_place = std::ranges::find(arrays, out.data()) != arrays.end();
  const bool past_cache = !in_place && worth_streaming((arrays.size() + 1) * out.size_bytes());
  const Chunks chunks(out.size(), sizeof(T), kShortest);
  engine.over_chunks(chunks, cost, [&, to = out.data()](std::size_t first, std::size_t last) {
    const furrow::Range part = chunks.elements(first, last);
    Program::Scratch scratch(program);
    std::vector<const void*> inputs(arrays.size());
    for (std::size_t k = 0; k < arrays.size(); ++k) inputs[k] = arrays[k] + part.begin;
    program.run(part.size(), inputs, to + part.begin, scratch, past_cache);
  });
}

#define FURROW_INSTANTIATE(T) template void run(Engine&, Cost&, std::span<const Step<T>>, std::span<T>);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace furrow::fused
