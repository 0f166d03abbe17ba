#include <cblas.h>

#include "benchmarks/peers/formulas.hpp"

// OpenBLAS, which chooses its code for the processor and has threads of its own.

namespace furrow::bench {
namespace {

template <class T>
blasint count(const Arrays<T>& x) {
  return static_cast<blasint>(x.n);
}

void dot(table::Operands& operands, int threads) {
  openblas_set_num_threads(threads);
  with_arrays<true>(operands, [&]<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<T, double>)
      operands.set_result(cblas_ddot(count(x), x.a, 1, x.b, 1));
    else
      operands.set_result(cblas_sdot(count(x), x.a, 1, x.b, 1));
  });
}

void axpy(table::Operands& operands, int threads) {
  openblas_set_num_threads(threads);
  with_arrays<true>(operands, []<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<T, double>)
      cblas_daxpy(count(x), x.s, x.a, 1, x.out, 1);
    else
      cblas_saxpy(count(x), x.s, x.a, 1, x.out, 1);
  });
}

constexpr Peer kPeers[] = {{"dot", dot, true}, {"axpy", axpy, true}};

}  // namespace

std::span<const Peer> openblas() {
  return kPeers;
}

}  // namespace furrow::bench
