#include <random>

#include "benchmarks/peers/flows.hpp"
#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/openmp_shares.hpp"
#include "benchmarks/peers/rarer_reductions.hpp"

namespace furrow::bench {
namespace {

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays<Kernel::only_fractions>(operands, [&](const auto& arrays) {
      const auto x = arrays;  // in each thread a copy of its own, below: no store can change it, as with a plain loop's variables
#pragma omp parallel for num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < x.n; ++i) x.out[i] = Kernel::at(x.a[i], x.b[i], x.out[i], x.s);
    });
  }
};

struct Reduce {
  template <class Kernel, bool of_out = false>
  static void run(table::Operands& operands, int threads) {
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
};

template <bool inclusive>
void scan(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    const auto sum = [x](std::size_t begin, std::size_t end) {
      const Arrays<T> y = x;
      T share = 0;
#pragma omp simd reduction(+ : share)
      for (std::size_t i = begin; i < end; ++i) share += y.a[i];
      return share;
    };
    two_passes<T>(x.n, threads, sum,
                  [x](std::size_t begin, std::size_t end, T before, T) { scan_part<inclusive>(x, begin, end, before); });
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
      for (std::size_t i = begin; i < end; ++i) x.out[i] = over_length(x.a[i], x.b[i]);
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

/// A generator for each thread, as programs have it that use the standard library: other numbers of the same distribution.
template <class T, class Distribution>
void draw(const Arrays<T>& arrays, int threads, const Distribution& distribution) {
  const auto x = arrays;
#pragma omp parallel num_threads(threads) firstprivate(x)
  {
    std::mt19937_64 random(static_cast<std::uint64_t>(omp_get_thread_num()));
    Distribution own = distribution;
#pragma omp for schedule(static)
    for (std::size_t i = 0; i < x.n; ++i) x.out[i] = own(random);
  }
}

template <template <class> class Distribution>
void draw_fractions(table::Operands& operands, int threads) {
  with_arrays<true>(operands, [&]<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<Distribution<T>, std::normal_distribution<T>>)
      draw(x, threads, Distribution<T>(x.s, 1));
    else if constexpr (std::is_same_v<Distribution<T>, std::exponential_distribution<T>>)
      draw(x, threads, Distribution<T>(x.s));
    else
      draw(x, threads, Distribution<T>(0, 1));
  });
}

void write_then_read(table::Operands& operands, int threads) {
  Each::run<Mul>(operands, threads);
  Reduce::run<Sum, true>(operands, threads);
}

void argmin(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
    Least<T> least;
    const auto x = arrays;
#pragma omp parallel num_threads(threads) firstprivate(x)
    {
      Least<T> own;
#pragma omp for schedule(static) nowait
      for (std::size_t i = 0; i < x.n; ++i)
        if (x.a[i] < own.value) own = {x.a[i], i};
#pragma omp critical
      least = Least<T>::of_both(least, own);
    }
    operands.set_result(least.index);
  });
}

/// Two passes: the mean, then powers about it.
void moments(table::Operands& operands, int threads) {
  with_arrays<true>(operands, [&](const auto& arrays) {
    const auto x = arrays;
    double sum = 0;
#pragma omp parallel for simd reduction(+ : sum) num_threads(threads) firstprivate(x)
    for (std::size_t i = 0; i < x.n; ++i) sum += static_cast<double>(x.a[i]);
    const double mean = sum / static_cast<double>(x.n);
    Powers all;
    double squares = 0;
    double cubes = 0;
    double fourths = 0;
    double low = all.low;
    double high = all.high;
#pragma omp parallel for simd reduction(+ : squares, cubes, fourths) reduction(min : low) reduction(max : high) \
    num_threads(threads) firstprivate(x)
    for (std::size_t i = 0; i < x.n; ++i) {
      const auto v = static_cast<double>(x.a[i]);
      const double e = v - mean;
      squares += e * e;
      cubes += e * e * e;
      fourths += (e * e) * (e * e);
      low = std::min(low, v);
      high = std::max(high, v);
    }
    all = {{squares, cubes, fourths}, low, high};
    operands.set_result(all.moments(x.n, mean));
  });
}

template <class T>
void count_all(table::Operands& operands, const T* x, int threads) {
  const std::size_t n = operands.size();
  BinCounts counts{};
#pragma omp parallel num_threads(threads)
  {
    BinCounts own{};
#pragma omp for schedule(static) nowait
    for (std::size_t i = 0; i < n; ++i) ++own[bin_of(x[i])];
#pragma omp critical
    for (std::size_t k = 0; k < counts.size(); ++k) counts[k] += own[k];
  }
  operands.set_result(digest(counts));
}
void count_elements(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) { count_all(operands, x.a, threads); });
}
void count_bytes(table::Operands& operands, int threads) {
  count_all(operands, operands.a<std::uint8_t>().data(), threads);
}

void all_bytes(table::Operands& operands, int threads) {
  const std::uint8_t* const x = operands.a<std::uint8_t>().data();
  const std::size_t n = operands.size();
  unsigned zeros = 0;
#pragma omp parallel for simd reduction(| : zeros) num_threads(threads)
  for (std::size_t i = 0; i < n; ++i) zeros |= x[i] == 0 ? 1U : 0U;
  operands.set_result(std::size_t{zeros == 0});
}

template <class T>
void set_sum(table::Operands& operands, const T* lines, std::size_t count) {
  T all = 0;
  for (std::size_t i = 0; i < count; ++i) all += lines[i];
  operands.set_result(all);
}

/// Each thread some columns, row by row.
void sum_columns(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
    const auto x = arrays;
    const MatrixShape shape(x.n);
    constexpr std::size_t kBlock = 512;
#pragma omp parallel for num_threads(threads) firstprivate(x)
    for (std::size_t block = 0; block < shape.width; block += kBlock) {
      const std::size_t end = std::min(block + kBlock, shape.width);
      std::fill(x.out + block, x.out + end, T{0});
      for (std::size_t row = 0; row < shape.height; ++row) {
        const T* const from = x.a + row * shape.width;
#pragma omp simd
        for (std::size_t column = block; column < end; ++column) x.out[column] += from[column];
      }
    }
    set_sum(operands, x.out, shape.width);
  });
}

void sum_rows(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
    const auto x = arrays;
    const MatrixShape shape(x.n);
#pragma omp parallel for num_threads(threads) firstprivate(x)
    for (std::size_t row = 0; row < shape.height; ++row) {
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::size_t column = 0; column < shape.width; ++column) sum += x.a[row * shape.width + column];
      x.out[row] = sum;
    }
    set_sum(operands, x.out, shape.height);
  });
}

void heat_steps(table::Operands& operands, int threads) {
  heat(operands, [threads](std::size_t height, const auto& row) {
#pragma omp parallel for num_threads(threads)
    for (std::size_t i = 1; i < height - 1; ++i) row(i);
  });
}

constexpr auto kPeers = joined(kElementWise<Each>, kFunctions<Each>, kRarerFunctions<Each>, kReductions<Reduce>,
                               std::array<Peer, 8>{{{"argmin", argmin},
                                                    {"moments", moments, true},
                                                    {"histogram", count_elements, true},
                                                    {"bincount", count_elements},
                                                    {"bincount", count_bytes, false, true},
                                                    {"all", all_bytes, false, true},
                                                    {"sum_axis0", sum_columns},
                                                    {"sum_axis1", sum_rows}}},
                               std::array<Peer, 12>{{{"inclusive_scan", scan<true>},
                                                     {"exclusive_scan", scan<false>},
                                                     {"uniform", draw_fractions<std::uniform_real_distribution>, true},
                                                     {"normal", draw_fractions<std::normal_distribution>, true},
                                                     {"exponential", draw_fractions<std::exponential_distribution>, true},
                                                     {"fractal", fractal},
                                                     {"small_calls", each_small},
                                                     {"nested_calls", nested_calls},
                                                     {"write_then_read", write_then_read},
                                                     {"chain", chain<Each, Reduce>},
                                                     {"heat", heat_steps},
                                                     {"fork_join", fork_join}}});

}  // namespace

template <>
std::span<const Peer> raw_openmp<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
