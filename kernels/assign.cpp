#include "furrow/kernels/assign.hpp"

#include <algorithm>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression.hpp"
#include "furrow/kernels/expression_functions.hpp"
#include "furrow/kernels/streaming.hpp"
#include "furrow/kernels/types.hpp"

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

/// The elements [begin, end) of `out` past the cache, as stream_in_parts() but in longer parts: each costs setting the program up.
template <class T, class Evaluate>
void stream(T* out, std::size_t begin, std::size_t end, const Evaluate& evaluate) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kPart = 512;
  const std::size_t ahead = (kLine - reinterpret_cast<std::uintptr_t>(out + begin) % kLine) % kLine / sizeof(T);
  const std::size_t aligned = begin + std::min(ahead, end - begin);
  if (aligned > begin) evaluate(begin, aligned - begin, out + begin);
  alignas(kLine) T buffer[kPart];
  std::size_t i = aligned;
  for (; end - i >= kPart; i += kPart) {
    evaluate(i, kPart, buffer);
    stream_copy(out + i, buffer, sizeof(buffer));
  }
  stream_fence();
  if (i < end) evaluate(i, end - i, out + i);
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
    const auto evaluate = [&](std::size_t begin, std::size_t size, T* target) {
      for (std::size_t k = 0; k < arrays.size(); ++k) inputs[k] = arrays[k] + begin;
      program.run(size, inputs, target, scratch);
    };
    if (past_cache)
      stream(to, part.begin, part.end, evaluate);
    else
      evaluate(part.begin, part.size(), to + part.begin);
  });
}

template void run(Engine&, Cost&, std::span<const Step<float>>, std::span<float>);
template void run(Engine&, Cost&, std::span<const Step<double>>, std::span<double>);
template void run(Engine&, Cost&, std::span<const Step<std::int32_t>>, std::span<std::int32_t>);
template void run(Engine&, Cost&, std::span<const Step<std::int64_t>>, std::span<std::int64_t>);

}  // namespace furrow::fused
