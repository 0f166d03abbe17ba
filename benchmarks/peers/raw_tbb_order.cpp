#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/parallel_scan.h>
#include <oneapi/tbb/parallel_sort.h>

#include <deque>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/tbb_threads.hpp"

namespace furrow::bench {
namespace {

using Indices = tbb::blocked_range<std::size_t>;

template <class Kernel>
std::size_t count(const auto& x) {
  return tbb::parallel_reduce(
      Indices(0, x.n), std::size_t{0},
      [x](const Indices& range, std::size_t kept) { return kept + count_kept<Kernel>(x.a, range.begin(), range.end()); },
      [](std::size_t left, std::size_t right) { return left + right; });
}

struct Compact {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&](const auto& x) {
      on_threads(threads, [&] {
        const std::size_t all = Kernel::others ? count<Kernel>(x) : 0;
        operands.set_result(tbb::parallel_scan(
            Indices(0, x.n), std::size_t{0},
            [x, all](const Indices& range, std::size_t kept, bool is_final) {
              return is_final ? move_kept<Kernel>(x, range.begin(), range.end(), kept, all)
                              : kept + count_kept<Kernel>(x.a, range.begin(), range.end());
            },
            [](std::size_t left, std::size_t right) { return left + right; }));
      });
    });
  }
};

void count_if(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) { on_threads(threads, [&] { operands.set_result(count<CopyIf>(x)); }); });
}

struct Move {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&](const auto& x) {
      on_threads(threads, [&] {
        tbb::parallel_for(Indices(0, x.n), [x](const Indices& range) {
          const auto y = x;
          for (std::size_t i = range.begin(); i < range.end(); ++i) Kernel::at(y, i);
        });
      });
    });
  }
};

void sort(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    on_threads(threads, [&] { tbb::parallel_sort(x.out, x.out + x.n, Less{}); });
  });
}

void argsort(table::Operands& operands, int threads) {
  on_threads(threads,
             [&] { argsort_by<false>(operands, [](auto first, auto last, auto less) { tbb::parallel_sort(first, last, less); }); });
}

void all_of(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      operands.set_result(tbb::parallel_reduce(
          Indices(0, x.n), std::size_t{1},
          [x](const Indices& range, std::size_t all_are) {
            for (std::size_t i = range.begin(); i < range.end(); ++i) all_are &= NotS{}(x.a[i]) ? 1U : 0U;
            return all_are;
          },
          [](std::size_t left, std::size_t right) { return left & right; }));
    });
  });
}

void transpose(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    const std::size_t rows = Transpose::height(x.n);
    on_threads(threads, [&] {
      tbb::parallel_for(std::size_t{0}, Transpose::tasks(x.n), [=](std::size_t task) { Transpose::run(x, rows, task); });
    });
  });
}

template <int runs>
void wavefront(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;
      const Cells cells(x.n);
      tbb::flow::graph graph;
      std::deque<Node> nodes;
      for (std::size_t cell = 0; cell < cells.count; ++cell) {
        nodes.emplace_back(graph, [x, length = cells.length, cell](const tbb::flow::continue_msg&) {
          Cells::compute(x, length, cell);
          return tbb::flow::continue_msg();
        });
        if (Cells::has_before(cell)) tbb::flow::make_edge(nodes[cell - 1], nodes[cell]);
        if (Cells::has_above(cell)) tbb::flow::make_edge(nodes[cell - Cells::kWidth], nodes[cell]);
      }
      for (int k = 0; k < runs && cells.count > 0; ++k) {
        nodes[0].try_put(tbb::flow::continue_msg());
        graph.wait_for_all();
      }
    });
  });
}

// oneTBB has no stable sort.
constexpr auto kPeers = joined(kCompactions<Compact>, kMoves<Move>,
                               std::array<Peer, 7>{{{"count_if", count_if},
                                                    {"all_of", all_of},
                                                    {"sort", sort},
                                                    {"argsort", argsort},
                                                    {"transpose", transpose},
                                                    {"wavefront", wavefront<1>},
                                                    {"wavefront_16", wavefront<Cells::kRuns>}}});

}  // namespace

template <>
std::span<const Peer> raw_tbb_order<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
