#include <omp.h>

#include "benchmarks/peers/formulas.hpp"

namespace furrow::bench {
namespace {

template <class Kernel>
void each(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;  // in each thread a copy of its own, below: no store can change it, as with a plain loop's variables
#pragma omp parallel for num_threads(threads) firstprivate(x)
    for (std::size_t i = 0; i < x.n; ++i) x.out[i] = Kernel::at(x.a[i], x.b[i], x.out[i], x.s);
  });
}

template <class Kernel, bool of_out = false>
void reduce(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
    using R = typename Kernel::template Result<T>;
    const Arrays<T> x = of_out ? arrays.reading_out() : arrays;
    R result = Kernel::template identity<R>();
    if constexpr (std::is_same_v<Kernel, Min>) {
#pragma omp parallel for simd reduction(min : result) num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < x.n; ++i) result = std::min(result, x.a[i]);
    } else if constexpr (std::is_same_v<Kernel, Max>) {
#pragma omp parallel for simd reduction(max : result) num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < x.n; ++i) result = std::max(result, x.a[i]);
    } else {
#pragma omp parallel for simd reduction(+ : result) num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < x.n; ++i) result += Kernel::term(static_cast<R>(x.a[i]), static_cast<R>(x.b[i]));
    }
    operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
  });
}

/// Two passes: each thread adds up its share, then scans it from where the shares before it end.
void scan(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
    const Arrays<T> x = arrays;
    static constexpr int kMost = 4096;
    static T totals[kMost];
#pragma omp parallel num_threads(std::min(threads, kMost)) firstprivate(x)
    {
      const auto me = static_cast<std::size_t>(omp_get_thread_num());
      const auto team = static_cast<std::size_t>(omp_get_num_threads());
      const std::size_t begin = x.n / team * me + std::min(me, x.n % team);
      const std::size_t end = x.n / team * (me + 1) + std::min(me + 1, x.n % team);
      T share = 0;
#pragma omp simd reduction(+ : share)
      for (std::size_t i = begin; i < end; ++i) share += x.a[i];
      totals[me] = share;
#pragma omp barrier
      T total = 0;
      for (std::size_t before = 0; before < me; ++before) total += totals[before];
      for (std::size_t i = begin; i < end; ++i) x.out[i] = total = total + x.a[i];
    }
  });
}

void fractal(table::Operands& operands, int threads) {
  std::int32_t* const out = operands.out<std::int32_t>().data();
  const std::size_t n = operands.size();
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::size_t row = 0; row < (n + kRow - 1) / kRow; ++row)
    for (std::size_t i = row * kRow; i < std::min(n, (row + 1) * kRow); ++i) out[i] = escape_steps(i, n);
}

void each_small(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
    small_calls(x.n, [&](std::size_t begin, std::size_t end) {
#pragma omp parallel for num_threads(threads) firstprivate(x)
      for (std::size_t i = begin; i < end; ++i) x.out[i] = x.a[i] * x.b[i];
    });
  });
}

void fork_join(table::Operands&, int threads) {
#pragma omp parallel num_threads(threads)
  empty_task();
}

/// OpenMP runs the inner regions on one thread unless it is told otherwise.
void nested_calls(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
#pragma omp parallel for num_threads(threads) firstprivate(x)
    for (std::size_t part = 0; part < kParts; ++part) {
#pragma omp parallel for num_threads(threads) firstprivate(x)
      for (std::size_t i = part_begin(part, x.n); i < part_begin(part + 1, x.n); ++i) nested_element(x, i);
    }
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
    {"fork_join", fork_join},
};

}  // namespace

template <>
std::span<const Peer> raw_openmp<Isa::FURROW_PEER_ISA>() {
  return kPeers;
}

}  // namespace furrow::bench
