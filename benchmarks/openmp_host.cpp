#include "benchmarks/scenarios.hpp"

namespace furrow::bench {

void openmp_region() {
  constexpr int kAdditions = 1000;  // about a microsecond of work
  volatile double sink = 0;
  double total = 0;
#pragma omp parallel reduction(+ : total)
  for (int i = 0; i < kAdditions; ++i) total += i;
  sink = total;
  static_cast<void>(sink);
}

}  // namespace furrow::bench
