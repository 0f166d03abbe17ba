// A write behind the end of an array that AddressSanitizer must find.
#include <cstdio>

#include "furrow/engine/array.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/loops.hpp"

int main() {
  furrow::Engine engine(furrow::backends().at(1), {.concurrency = 2});
  furrow::Array<double> x(engine, 1000);
  const volatile std::size_t n = 1001;  // out of the compiler's sight
  furrow::for_each_index(engine, n, [data = x.data()](std::size_t i) { data[i] = 1; });
  std::printf("not found: %g\n", x[999]);
}
