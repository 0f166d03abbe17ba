#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/parallel_scan.h>

#include "benchmarks/peers/flows.hpp"
#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/rarer_reductions.hpp"
#include "benchmarks/peers/tbb_threads.hpp"

namespace furrow::bench {
namespace {

using Indices = tbb::blocked_range<std::size_t>;

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays<Kernel::only_fractions>(operands, [&](const auto& x) {
      on_threads(threads, [&] {
        tbb::parallel_for(Indices(0, x.n), [x](const Indices& range) {
          const auto y = x;  // on the stack, where no store can change it, as with a plain loop's variables
          const std::size_t end = range.end();
          for (std::size_t i = range.begin(); i < end; ++i) y.out[i] = Kernel::at(y.a[i], y.b[i], y.out[i], y.s);
        });
      });
    });
  }
};

/// The reduction of a part; `omp simd` allows the compiler to reorder it.
template <class Kernel, class T, class R>
R reduce_part(Arrays<T> x, const Indices& range, R result) {
  const std::size_t end = range.end();
  if constexpr (std::is_same_v<Kernel, Min>) {
#pragma omp simd reduction(min : result)
    for (std::size_t i = range.begin(); i < end; ++i) result = std::min(result, x.a[i]);
  } else if constexpr (std::is_same_v<Kernel, Max>) {
#pragma omp simd reduction(max : result)
    for (std::size_t i = range.begin(); i < end; ++i) result = std::max(result, x.a[i]);
  } else {
#pragma omp simd reduction(+ : result)
    for (std::size_t i = range.begin(); i < end; ++i) result += Kernel::term(static_cast<R>(x.a[i]), static_cast<R>(x.b[i]));
  }
  return result;
}

struct Reduce {
  template <class Kernel, bool of_out = false>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
      using R = typename Kernel::template Result<T>;
      const Arrays<T> x = of_out ? arrays.reading_out() : arrays;
      on_threads(threads, [&] {
        const R result = tbb::parallel_reduce(
            Indices(0, x.n), Kernel::template identity<R>(),
            [x](const Indices& range, R total) { return reduce_part<Kernel>(x, range, total); },
            [](R left, R right) { return Kernel::join(left, right); });
        operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
      });
    });
  }
};

template <bool inclusive>
void scan(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_threads(threads, [&] {
      tbb::parallel_scan(
          Indices(0, x.n), T{0},
          [x](const Indices& range, T total, bool is_final) {
            return is_final ? scan_part<inclusive>(x, range.begin(), range.end(), total) : reduce_part<Sum>(x, range, total);
          },
          [](T left, T right) { return left + right; });
    });
  });
}

void fractal(table::Operands& operands, int threads) {
  std::int32_t* const out = operands.out<std::int32_t>().data();
  const std::size_t n = operands.size();
  on_threads(threads, [&] {
    tbb::parallel_for(std::size_t{0}, (n + kRow - 1) / kRow, [=](std::size_t row) {
      for (std::size_t i = row * kRow; i < std::min(n, (row + 1) * kRow); ++i) out[i] = escape_steps(i, n);
    });
  });
}

void each_small(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      small_calls(x.n, [x](std::size_t begin, std::size_t end) {
        tbb::parallel_for(Indices(begin, end), [x](const Indices& range) {
          const auto y = x;
          const std::size_t stop = range.end();
          for (std::size_t i = range.begin(); i < stop; ++i) y.out[i] = over_length(y.a[i], y.b[i]);
        });
      });
    });
  });
}

void fork_join(table::Operands&, int threads) {
  on_threads(threads, [&] { tbb::parallel_for(0, threads, [](int) { empty_task(); }); });
}

void nested_calls(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      tbb::parallel_for(std::size_t{0}, kParts, [x](std::size_t part) {
        tbb::parallel_for(Indices(part_begin(part, x.n), part_begin(part + 1, x.n)), [x](const Indices& range) {
          const auto y = x;
          const std::size_t end = range.end();
          for (std::size_t i = range.begin(); i < end; ++i) nested_element(y, i);
        });
      });
    });
  });
}

void write_then_read(table::Operands& operands, int threads) {
  Each::run<Mul>(operands, threads);
  Reduce::run<Sum, true>(operands, threads);
}

void argmin(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_threads(threads, [&] {
      const Least<T> least = tbb::parallel_reduce(
          Indices(0, x.n), Least<T>(),
          [x](const Indices& range, const Least<T>& before) {
            return Least<T>::of_both(before, Least<T>::of(x.a, range.begin(), range.end()));
          },
          [](const Least<T>& left, const Least<T>& right) { return Least<T>::of_both(left, right); });
      operands.set_result(least.index);
    });
  });
}

template <class T>
void count_all(table::Operands& operands, const T* x, int threads) {
  on_threads(threads, [&] {
    const BinCounts counts = tbb::parallel_reduce(
        Indices(0, operands.size(), 65536), BinCounts{},
        [x](const Indices& range, BinCounts own) {
          count_bins(x, range.begin(), range.end(), own);
          return own;
        },
        [](BinCounts left, const BinCounts& right) {
          for (std::size_t k = 0; k < left.size(); ++k) left[k] += right[k];
          return left;
        });
    operands.set_result(digest(counts));
  });
}
void count_elements(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) { count_all(operands, x.a, threads); });
}
void count_bytes(table::Operands& operands, int threads) {
  count_all(operands, operands.a<std::uint8_t>().data(), threads);
}

void heat_steps(table::Operands& operands, int threads) {
  on_threads(threads, [&] {
    heat(operands, [](std::size_t height, const auto& row) {
      tbb::parallel_for(Indices(1, height - 1), [&row](const Indices& range) {
        for (std::size_t i = range.begin(); i < range.end(); ++i) row(i);
      });
    });
  });
}

constexpr auto kPeers = joined(kElementWise<Each>, kFunctions<Each>, kRarerFunctions<Each>, kReductions<Reduce>,
                               std::array<Peer, 4>{{{"argmin", argmin},
                                                    {"histogram", count_elements, true},
                                                    {"bincount", count_elements},
                                                    {"bincount", count_bytes, false, true}}},
                               std::array<Peer, 9>{{{"inclusive_scan", scan<true>},
                                                    {"exclusive_scan", scan<false>},
                                                    {"fractal", fractal},
                                                    {"small_calls", each_small},
                                                    {"nested_calls", nested_calls},
                                                    {"write_then_read", write_then_read},
                                                    {"chain", chain<Each, Reduce>},
                                                    {"heat", heat_steps},
                                                    {"fork_join", fork_join}}});

}  // namespace

template <>
std::span<const Peer> raw_tbb<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
