#include "benchmarks/peers/formulas.hpp"

namespace furrow::bench {
namespace {

template <class Kernel>
void each(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    for (std::size_t i = 0; i < x.n; ++i) x.out[i] = Kernel::at(x.a[i], x.b[i], x.out[i], x.s);
  });
}

template <class Kernel, bool of_out = false>
void reduce(table::Operands& operands, int) {
  with_arrays(operands, [&]<class T>(const Arrays<T> arrays) {
    using R = typename Kernel::template Result<T>;
    const Arrays<T> x = of_out ? arrays.reading_out() : arrays;
    R result = Kernel::template identity<R>();
    for (std::size_t i = 0; i < x.n; ++i)
      result = Kernel::join(result, Kernel::term(static_cast<R>(x.a[i]), static_cast<R>(x.b[i])));
    operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
  });
}

void scan(table::Operands& operands, int) {
  with_arrays(operands, []<class T>(const Arrays<T> x) {
    T total = 0;
    for (std::size_t i = 0; i < x.n; ++i) x.out[i] = total = total + x.a[i];
  });
}

void fractal(table::Operands& operands, int) {
  std::int32_t* const out = operands.out<std::int32_t>().data();
  for (std::size_t i = 0; i < operands.size(); ++i) out[i] = escape_steps(i, operands.size());
}

void each_small(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    small_calls(x.n, [x](std::size_t begin, std::size_t end) {
      const auto y = x;
      for (std::size_t i = begin; i < end; ++i) y.out[i] = y.a[i] * y.b[i];
    });
  });
}

void nested_calls(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    for (std::size_t part = 0; part < kParts; ++part)
      for (std::size_t i = part_begin(part, x.n); i < part_begin(part + 1, x.n); ++i) nested_element(x, i);
  });
}

void write_then_read(table::Operands& operands, int threads) {
  each<Mul>(operands, threads);
  reduce<Sum, true>(operands, threads);
}

constexpr Peer kPeers[] = {
    {"fill", each<Fill>},
    {"copy", each<Copy>},
    {"square", each<Square>},
    {"sqrt", each<Sqrt>},
    {"add", each<Add>},
    {"mul", each<Mul>},
    {"axpy", each<Axpy>},
    {"triad", each<Triad>},
    {"sum", reduce<Sum>},
    {"dot", reduce<Dot>},
    {"min", reduce<Min>},
    {"max", reduce<Max>},
    {"for_each", each<Scale>},
    {"for_each_index", each<Add>},
    {"transform", each<Square>},
    {"transform2", each<MulAdd>},
    {"reduce", reduce<SumFrom>},
    {"transform_reduce", reduce<SquaredSums>},
    {"inclusive_scan", scan},
    {"fractal", fractal},
    {"small_calls", each_small},
    {"nested_calls", nested_calls},
    {"write_then_read", write_then_read},
};

}  // namespace

template <>
std::span<const Peer> serial_loop<Isa::FURROW_PEER_ISA>() {
  return kPeers;
}

}  // namespace furrow::bench
