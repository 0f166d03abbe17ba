#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "furrow/kernels/assign.hpp"
#include "furrow/kernels/comparisons.hpp"
#include "furrow/kernels/conversions.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/flow.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"

// What kernels do with a Flow in the place of an engine: they keep for a tile what they would do at once with the whole.

namespace furrow {
namespace named {

template <NamedElement T>
void map(Flow& flow, Op op, std::span<const T> a, std::span<const T> b, T s, std::span<T> out) {
  const std::string_view name = kOpNames[static_cast<std::size_t>(op)];
  const auto call = [op, a, b, s, out](Engine& engine, const flow::Tile& tile) {
    map<T>(engine, op, flow::part(a, tile), flow::part(b, tile), s, flow::part(out, tile));
  };
  if (reads_b(op)) return flow.each(name, call, out, a, b);
  if (reads_a(op)) return flow.each(name, call, out, a);
  flow.each(name, call, out);
}

template <NamedElement T>
void clamp(Flow& flow, std::span<const T> a, T low, T high, std::span<T> out) {
  check::ordered("clamp", low <= high);
  const auto call = [a, low, high, out](Engine& engine, const flow::Tile& tile) {
    clamp<T>(engine, flow::part(a, tile), low, high, flow::part(out, tile));
  };
  flow.each("clamp", call, out, a);
}

template <std::floating_point T>
void fma(Flow& flow, std::span<const T> a, std::span<const T> b, std::span<const T> c, std::span<T> out) {
  const auto call = [a, b, c, out](Engine& engine, const flow::Tile& tile) {
    fma<T>(engine, flow::part(a, tile), flow::part(b, tile), flow::part(c, tile), flow::part(out, tile));
  };
  flow.each("fma", call, out, a, b, c);
}

template <std::floating_point T>
void evaluate(Flow& flow, Unary f, std::span<const T> in, std::span<T> out) {
  const auto call = [f, in, out](Engine& engine, const flow::Tile& tile) {
    evaluate<T>(engine, f, flow::part(in, tile), flow::part(out, tile));
  };
  flow.each(kUnaryNames[static_cast<std::size_t>(f)], call, out, in);
}

template <std::floating_point T>
void evaluate(Flow& flow, Binary f, std::span<const T> a, std::span<const T> b, std::span<T> out) {
  const auto call = [f, a, b, out](Engine& engine, const flow::Tile& tile) {
    evaluate<T>(engine, f, flow::part(a, tile), flow::part(b, tile), flow::part(out, tile));
  };
  flow.each(kBinaryNames[static_cast<std::size_t>(f)], call, out, a, b);
}

template <NamedElement T>
void compare(Flow& flow, Comparison comparison, std::span<const T> a, std::span<const T> b, std::span<std::uint8_t> out) {
  const auto call = [comparison, a, b, out](Engine& engine, const flow::Tile& tile) {
    compare<T>(engine, comparison, flow::part(a, tile), flow::part(b, tile), flow::part(out, tile));
  };
  flow.each(kComparisonNames[static_cast<std::size_t>(comparison)], call, out, a, b);
}

template <NamedElement T>
void where(Flow& flow, std::span<const std::uint8_t> condition, std::span<const T> a, std::span<const T> b, std::span<T> out) {
  const auto call = [condition, a, b, out](Engine& engine, const flow::Tile& tile) {
    where<T>(engine, flow::part(condition, tile), flow::part(a, tile), flow::part(b, tile), flow::part(out, tile));
  };
  flow.each("where", call, out, condition, a, b);
}

template <NamedElement From, NamedElement To>
void convert(Flow& flow, std::span<const From> in, std::span<To> out) {
  if constexpr (!std::is_same_v<From, To>) check::apart("convert", in, out);
  const auto call = [in, out](Engine& engine, const flow::Tile& tile) {
    convert<From, To>(engine, flow::part(in, tile), flow::part(out, tile));
  };
  flow.each("convert", call, out, in);
}

}  // namespace named

namespace fused {

template <NamedElement T>
void run(Flow& flow, Cost& cost, std::span<const Step<T>> steps, std::span<T> out) {
  std::vector<flow::Operand> operands{flow::operand(out)};
  for (const Step<T>& step : steps) {
    if (step.kind != Step<T>::is_range) continue;
    check::same_size("assign", step.range.size(), out.size());
    check::no_partial_overlap("assign", step.range, out);
    operands.push_back(flow::operand(step.range));
  }
  const auto call = [&cost, out, steps = std::vector<Step<T>>(steps.begin(), steps.end())](Engine& engine, const flow::Tile& tile) {
    std::vector<Step<T>> here = steps;
    for (Step<T>& step : here)
      if (step.kind == Step<T>::is_range) step.range = flow::part(step.range, tile);
    run<T>(engine, cost, here, flow::part(out, tile));
  };
  flow.record("assign", out.size(), operands, flow::element_wise(call), {});
}

}  // namespace fused

/// As transform(engine, in, out, f), of a copy of f.
template <ContiguousRange In, ContiguousRange Out, ElementFunction<In> F>
void transform(Flow& flow, In&& in, Out&& out, F f) {
  using Value = loops::Transformed<value_t<Out>, F, value_t<In>>;
  const std::span<const value_t<In>> x = as_span(in);
  const auto target = as_span(out);
  flow.each(
      "transform",
      [f, x, target, length = loops::cut(target.size(), sizeof(value_t<Out>)).length()](Engine&, const flow::Tile& tile) mutable {
        loops::evaluate(target.data() + tile.elements.begin, tile.elements, length, Value{{f}, x.data()});
      },
      target, x);
}

/// As transform(engine, a, b, out, f), of a copy of f.
template <ContiguousRange A, ContiguousRange B, ContiguousRange Out, ElementFunction<A, B> F>
void transform(Flow& flow, A&& a, B&& b, Out&& out, F f) {
  using Value = loops::Transformed<value_t<Out>, F, value_t<A>, value_t<B>>;
  const std::span<const value_t<A>> x = as_span(a);
  const std::span<const value_t<B>> y = as_span(b);
  const auto target = as_span(out);
  flow.each(
      "transform",
      [f, x, y, target, length = loops::cut(target.size(), sizeof(value_t<Out>)).length()](Engine&,
                                                                                           const flow::Tile& tile) mutable {
        loops::evaluate(target.data() + tile.elements.begin, tile.elements, length, Value{{f}, x.data(), y.data()});
      },
      target, x, y);
}

/// As for_each(engine, range, f), of a copy of f.
template <ContiguousRange R, ElementVisitor<R> F>
void for_each(Flow& flow, R&& range, F f) {
  const auto x = as_span(range);
  flow.each(
      "for_each",
      [f, x, length = loops::cut(x.size(), sizeof(element_t<R>)).length()](Engine&, const flow::Tile& tile) mutable {
        loops::held_t<F, element_t<R>&> held = f;
        loops::run(tile.elements.begin, tile.elements.end, length, [&](std::size_t i) { held(x[i]); });
      },
      x);
}

namespace flow {

/// One partial result of a tile, joined in a tree.
template <class P, class R, class Partial, class Join, class Finish>
class Reduction final : public Step {
 public:
  Reduction(R& result, Partial partial, Join join, Finish finish)
      : result_(result), partial_(partial), join_(join), finish_(finish) {}

  void prepare(std::size_t tiles) override { partials_.resize(tiles); }
  void work(Engine& serial, const Tile& tile) override { partials_[tile.index] = partial_(serial, tile); }
  void finish(Engine& serial) override {
    if (!partials_.empty()) reductions::combine(std::span(partials_), join_);
    result_ = finish_(serial, partials_.empty() ? P{} : partials_[0]);
  }

 private:
  R& result_;
  Partial partial_;
  Join join_;
  Finish finish_;
  std::vector<P> partials_;
};

/// result = finish(engine, partial(engine, first tile) join … partial(engine, last tile)), or finish(engine, P{}) if there are
/// none.
template <class P, class R, class Partial, class Join, class Finish, class... In>
void reduce(Flow& flow, const char* name, R& result, Partial partial, Join join, Finish finish, std::span<const In>... in) {
  const std::array operands{operand(in)...};
  const std::array sizes{in.size()...};
  for (const std::size_t size : sizes) check::same_size(name, sizes[0], size);
  const std::array results{write(std::span(&result, 1))};
  flow.record(name, sizes[0], operands,
              std::unique_ptr<Step>(new Reduction<P, R, Partial, Join, Finish>(result, partial, join, finish)), results);
}

inline constexpr auto itself = [](Engine&, auto partial) { return partial; };

/// Of a kernel for one range, whose result is that of its parts joined.
template <class R, class T, class Kernel, class Join>
void reduce(Flow& flow, const char* name, R& result, std::span<const T> x, Kernel kernel, Join join) {
  const auto partial = [kernel, x](Engine& engine, const flow::Tile& tile) { return kernel(engine, part(x, tile)); };
  reduce<R>(flow, name, result, partial, join, itself, x);
}

/// Where the least element (or greatest) is.
template <bool kLeast, class T, class Locate>
void locate(Flow& flow, const char* name, std::size_t& result, std::span<const T> x, Locate locate) {
  check::not_empty(name, x.size());
  const auto partial = [locate, x](Engine& engine, const flow::Tile& tile) {
    const Located<T> found = locate(engine, part(x, tile));
    return Located<T>{found.value, tile.elements.begin + found.index};
  };
  const auto index = [](Engine&, Located<T> found) { return found.index; };
  reduce<Located<T>>(flow, name, result, partial, named::join_located<kLeast, T>, index, x);
}

}  // namespace flow

// Reductions: `result` is set when the flow runs, to what the function of the same name returns for an engine.

/// Sets `result`, when the flow runs, to the sum.
template <NamedRange In>
void sum(Flow& flow, In&& in, sum_t<value_t<In>>& result) {
  using T = value_t<In>;
  flow::reduce(
      flow, "sum", result, named::in(in), [](Engine& engine, std::span<const T> tile) { return named::sum<T>(engine, tile); },
      named::join_sums<sum_t<T>>);
}

/// Sets `result`, when the flow runs, to the dot product.
template <NamedRange X, RangeOf<value_t<X>> Y>
void dot(Flow& flow, X&& x, Y&& y, sum_t<value_t<X>>& result) {
  using T = value_t<X>;
  const std::span<const T> a = named::in(x);
  const std::span<const T> b = named::in(y);
  const auto partial = [a, b](Engine& engine, const flow::Tile& tile) {
    return named::dot<T>(engine, flow::part(a, tile), flow::part(b, tile));
  };
  flow::reduce<sum_t<T>>(flow, "dot", result, partial, named::join_sums<sum_t<T>>, flow::itself, a, b);
}

/// Sets `result`, when the flow runs, to the least element.
template <NamedRange In>
void min(Flow& flow, In&& in, value_t<In>& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("min", x.size());
  flow::reduce(
      flow, "min", result, x, [](Engine& engine, std::span<const T> tile) { return named::min<T>(engine, tile); },
      named::lesser<T>);
}

/// Sets `result`, when the flow runs, to the greatest element.
template <NamedRange In>
void max(Flow& flow, In&& in, value_t<In>& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("max", x.size());
  flow::reduce(
      flow, "max", result, x, [](Engine& engine, std::span<const T> tile) { return named::max<T>(engine, tile); },
      named::greater<T>);
}

/// Sets `result`, when the flow runs, to both of them.
template <NamedRange In>
void minmax(Flow& flow, In&& in, Extremes<value_t<In>>& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("minmax", x.size());
  flow::reduce(
      flow, "minmax", result, x, [](Engine& engine, std::span<const T> tile) { return named::minmax<T>(engine, tile); },
      named::join_extremes<T>);
}

/// Sets `result`, when the flow runs, to the index of the first least element.
template <NamedRange In>
void argmin(Flow& flow, In&& in, std::size_t& result) {
  using T = value_t<In>;
  flow::locate<true, T>(flow, "argmin", result, named::in(in), named::locate_min<T>);
}

/// Sets `result`, when the flow runs, to the index of the first greatest element.
template <NamedRange In>
void argmax(Flow& flow, In&& in, std::size_t& result) {
  using T = value_t<In>;
  flow::locate<false, T>(flow, "argmax", result, named::in(in), named::locate_max<T>);
}

/// Sets `result`, when the flow runs, to the sum of magnitudes.
template <FloatingRange In>
void norm1(Flow& flow, In&& in, value_t<In>& result) {
  using T = value_t<In>;
  flow::reduce(
      flow, "norm1", result, named::in(in), [](Engine& engine, std::span<const T> tile) { return named::norm1<T>(engine, tile); },
      named::join_sums<T>);
}

/// Sets `result`, when the flow runs, to the Euclidean norm.
template <FloatingRange In>
void norm2(Flow& flow, In&& in, value_t<In>& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  const auto squares = [x](Engine& engine, const flow::Tile& tile) {
    return named::dot<T>(engine, flow::part(x, tile), flow::part(x, tile));
  };
  const auto root = [x](Engine& engine, T sum) { return named::norm_of_squares<T>(engine, sum, x); };
  flow::reduce<T>(flow, "norm2", result, squares, named::join_sums<T>, root, x);
}

/// Sets `result`, when the flow runs, to the greatest magnitude.
template <FloatingRange In>
void norm_inf(Flow& flow, In&& in, value_t<In>& result) {
  using T = value_t<In>;
  flow::reduce(
      flow, "norm_inf", result, named::in(in),
      [](Engine& engine, std::span<const T> tile) { return named::norm_inf<T>(engine, tile); }, named::greater<T>);
}

/// Sets `result`, when the flow runs, to the mean.
template <NamedRange In>
void mean(Flow& flow, In&& in, double& result) {
  using T = value_t<In>;
  using S = named::mean_sum_t<T>;
  const std::span<const T> x = named::in(in);
  check::not_empty("mean", x.size());
  const auto partial = [x](Engine& engine, const flow::Tile& tile) { return named::mean_sum<T>(engine, flow::part(x, tile)); };
  const auto plus = [](S a, S b) { return a + b; };  // 64-bit sums of 32-bit integers do not overflow
  const auto divided = [n = static_cast<double>(x.size())](Engine&, S sum) { return static_cast<double>(sum) / n; };
  flow::reduce<S>(flow, "mean", result, partial, plus, divided, x);
}

/// Sets `result`, when the flow runs, to the variance.
template <NamedRange In>
void variance(Flow& flow, In&& in, double& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("variance", x.size());
  const auto partial = [x](Engine& engine, const flow::Tile& tile) { return named::square_sums<T>(engine, flow::part(x, tile)); };
  const auto divided = [](Engine&, const named::CentralSums& sums) { return sums.m2 / sums.count; };
  flow::reduce<named::CentralSums>(flow, "variance", result, partial, named::join_central, divided, x);
}

/// Sets `result`, when the flow runs, to the moments.
template <NamedRange In>
void moments(Flow& flow, In&& in, Moments& result) {
  using T = value_t<In>;
  const std::span<const T> x = named::in(in);
  check::not_empty("moments", x.size());
  const auto partial = [x](Engine& engine, const flow::Tile& tile) { return named::power_sums<T>(engine, flow::part(x, tile)); };
  const auto divided = [](Engine&, const named::CentralSums& sums) { return named::moments(sums); };
  flow::reduce<named::CentralSums>(flow, "moments", result, partial, named::join_central, divided, x);
}

}  // namespace furrow
