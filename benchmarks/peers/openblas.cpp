#include <cblas.h>
#include <dlfcn.h>

#include <string>

#include "benchmarks/peers/formulas.hpp"
#include "furrow/engine/error.hpp"

// OpenBLAS, which chooses its code for the processor and has threads of its own. It starts them, and allocates memory for each,
// when it is loaded, so that the command does not link it: only a run that measures it loads it.

namespace furrow::bench {
namespace {

void* library() {
  static void* const loaded = [] {
    void* const handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) fail("OpenBLAS cannot be loaded: " + std::string(dlerror()) + "; leave it out of --backends");
    return handle;
  }();
  return loaded;
}

/// The function that <cblas.h> declares as `declared` and the library calls `name`.
template <class Function>
Function* function(Function& declared, const char* name) {
  void* const found = dlsym(library(), name);
  if (found == nullptr) fail("this OpenBLAS has no " + std::string(name) + "; leave it out of --backends");
  return reinterpret_cast<decltype(&declared)>(found);
}
#define FURROW_BLAS(name) function(name, #name)

template <class T>
blasint count(const Arrays<T>& x) {
  return static_cast<blasint>(x.n);
}

void use_threads(int threads) {
  static auto* const set = FURROW_BLAS(openblas_set_num_threads);
  set(threads);
}

void dot(table::Operands& operands, int threads) {
  use_threads(threads);
  static auto* const of_doubles = FURROW_BLAS(cblas_ddot);
  static auto* const of_floats = FURROW_BLAS(cblas_sdot);
  with_arrays<true>(operands, [&]<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<T, double>)
      operands.set_result(of_doubles(count(x), x.a, 1, x.b, 1));
    else
      operands.set_result(of_floats(count(x), x.a, 1, x.b, 1));
  });
}

void axpy(table::Operands& operands, int threads) {
  use_threads(threads);
  static auto* const of_doubles = FURROW_BLAS(cblas_daxpy);
  static auto* const of_floats = FURROW_BLAS(cblas_saxpy);
  with_arrays<true>(operands, []<class T>(const Arrays<T>& x) {
    if constexpr (std::is_same_v<T, double>)
      of_doubles(count(x), x.s, x.a, 1, x.out, 1);
    else
      of_floats(count(x), x.s, x.a, 1, x.out, 1);
  });
}
#undef FURROW_BLAS

constexpr Peer kPeers[] = {{"dot", dot, true}, {"axpy", axpy, true}};

}  // namespace

std::span<const Peer> openblas() {
  return kPeers;
}

}  // namespace furrow::bench
