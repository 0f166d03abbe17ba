#include <parallel/algorithm>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/openmp_shares.hpp"

namespace furrow::bench {
namespace {

struct Compact {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&](const auto& x) {
      operands.set_result(two_passes<std::size_t>(
          x.n, threads, [x](std::size_t begin, std::size_t end) { return count_kept<Kernel>(x.a, begin, end); },
          [x](std::size_t begin, std::size_t end, std::size_t before, std::size_t all) {
            move_kept<Kernel>(x, begin, end, before, all);
          }));
    });
  }
};

void count_if(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
    std::size_t count = 0;
#pragma omp parallel for simd reduction(+ : count) num_threads(threads) firstprivate(x)
    for (std::size_t i = 0; i < x.n; ++i) count += Positive{}(x.a[i]) ? 1 : 0;
    operands.set_result(count);
  });
}

struct Move {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&](const auto& arrays) {
      const auto x = arrays;
#pragma omp parallel for num_threads(threads) firstprivate(x)
      for (std::size_t i = 0; i < x.n; ++i) Kernel::at(x, i);
    });
  }
};

// GCC's parallel mode, which is on OpenMP.
void sort(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    __gnu_parallel::sort(x.out, x.out + x.n, Less{},
                         __gnu_parallel::multiway_mergesort_tag(static_cast<__gnu_parallel::_ThreadIndex>(threads)));
  });
}

void stable_sort(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    __gnu_parallel::stable_sort(x.out, x.out + x.n, ByFallingSquare{},
                                __gnu_parallel::multiway_mergesort_tag(static_cast<__gnu_parallel::_ThreadIndex>(threads)));
  });
}

void argsort(table::Operands& operands, int threads) {
  argsort_by<true>(operands, [threads](auto first, auto last, auto less) {
    __gnu_parallel::stable_sort(first, last, less,
                                __gnu_parallel::multiway_mergesort_tag(static_cast<__gnu_parallel::_ThreadIndex>(threads)));
  });
}

void nth_element(table::Operands& operands, int threads) {
  omp_set_num_threads(threads);
  nth_element_by(operands, [](auto first, auto nth, auto last) { __gnu_parallel::nth_element(first, nth, last); });
}

void all_of(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
    std::size_t all_are = 1;
#pragma omp parallel for simd reduction(& : all_are) num_threads(threads) firstprivate(x)
    for (std::size_t i = 0; i < x.n; ++i) all_are &= NotS{}(x.a[i]) ? 1U : 0U;
    operands.set_result(all_are);
  });
}

void transpose(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
    const std::size_t rows = Transpose::height(x.n);
#pragma omp parallel for num_threads(threads) firstprivate(x)
    for (std::size_t task = 0; task < Transpose::tasks(x.n); ++task) Transpose::run(x, rows, task);
  });
}

/// OpenMP keeps no graph: each run makes its tasks anew.
template <int runs>
void wavefront(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& arrays) {
    const auto x = arrays;
    const Cells cells(x.n);
    const std::size_t length = cells.length;
#pragma omp parallel num_threads(threads)
#pragma omp single
    for (int k = 0; k < runs; ++k)
      for (std::size_t cell = 0; cell < cells.count; ++cell) {
        auto* const here = x.out + cell * length;
        auto* const before = here - (Cells::has_before(cell) ? length : 0);
        auto* const above = here - (Cells::has_above(cell) ? Cells::kWidth * length : 0);
        if (before != here && above != here) {
#pragma omp task depend(in : *before, *above) depend(out : *here) firstprivate(x, length, cell)
          Cells::compute(x, length, cell);
        } else if (before != here || above != here) {
          auto* const other = before != here ? before : above;
#pragma omp task depend(in : *other) depend(out : *here) firstprivate(x, length, cell)
          Cells::compute(x, length, cell);
        } else {
#pragma omp task depend(out : *here) firstprivate(x, length, cell)
          Cells::compute(x, length, cell);
        }
      }
  });
}

constexpr auto kPeers = joined(kCompactions<Compact>, kMoves<Move>,
                               std::array<Peer, 9>{{{"count_if", count_if},
                                                    {"all_of", all_of},
                                                    {"sort", sort},
                                                    {"stable_sort", stable_sort},
                                                    {"argsort", argsort},
                                                    {"nth_element", nth_element},
                                                    {"transpose", transpose},
                                                    {"wavefront", wavefront<1>},
                                                    {"wavefront_16", wavefront<Cells::kRuns>}}});

}  // namespace

template <>
std::span<const Peer> raw_openmp_order<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
