#include <hwy/contrib/sort/vqsort.h>

#include "benchmarks/peers/formulas.hpp"

// Highway's quicksort, on one thread. Of floating-point numbers it sorts finite ones only, which is what the table's inputs are.

namespace furrow::bench {
namespace {

void sort(table::Operands& operands, int) {
  with_arrays(operands, [](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    const hwy::Sorter sorter;
    sorter(x.out, x.n, hwy::SortAscending());
  });
}

constexpr Peer kPeers[] = {{"sort", sort}};

}  // namespace

std::span<const Peer> vqsort() {
  return kPeers;
}

}  // namespace furrow::bench
