#include <xtensor/xadapt.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/tbb_threads.hpp"

// xtensor's expressions, assigned in SIMD code by xsimd and shared out by oneTBB. Its reductions use one thread.

namespace furrow::bench {
namespace {

/// work(a, b, out, s) on the operands' own memory.
template <class Work>
void with_tensors(table::Operands& operands, int threads, const Work& work) {
  with_arrays<true>(operands, [&](const auto& x) {
    const std::array<std::size_t, 1> shape{x.n};
    const auto a = xt::adapt(x.a, x.n, xt::no_ownership(), shape);
    const auto b = xt::adapt(x.b, x.n, xt::no_ownership(), shape);
    auto out = xt::adapt(x.out, x.n, xt::no_ownership(), shape);
    on_threads(threads, [&] { work(a, b, out, x.s); });
  });
}

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_tensors(operands, threads, [](const auto& a, const auto& b, auto& out, const auto& s) {
      if constexpr (std::is_same_v<Kernel, Fill>)
        out.fill(s);
      else if constexpr (std::is_same_v<Kernel, Copy>)
        xt::noalias(out) = a;
      else
        xt::noalias(out) = Kernel::at(a, b, out, s);
    });
  }
};

struct Reduce {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_tensors(operands, threads, [&]<class T>(const auto& a, const auto& b, auto&, const T& s) {
      using R = typename Kernel::template Result<T>;
      R result;
      if constexpr (std::is_same_v<Kernel, Min>)
        result = xt::amin(a, xt::evaluation_strategy::immediate)();
      else if constexpr (std::is_same_v<Kernel, Max>)
        result = xt::amax(a, xt::evaluation_strategy::immediate)();
      else if constexpr (std::is_same_v<Kernel, Sum> || std::is_same_v<Kernel, SumFrom>)
        result = xt::sum<R>(a, xt::evaluation_strategy::immediate)();
      else
        result = xt::sum<R>(Kernel::term(xt::cast<R>(a), xt::cast<R>(b)), xt::evaluation_strategy::immediate)();
      operands.set_result(Kernel::finish(result, static_cast<R>(s)));
    });
  }
};

void reverse(table::Operands& operands, int threads) {
  with_tensors(operands, threads, [](const auto& a, const auto&, auto& out, const auto&) { xt::noalias(out) = xt::flip(a, 0); });
}

void transpose(table::Operands& operands, int threads) {
  with_arrays<true>(operands, [&](const auto& x) {
    const std::size_t rows = Transpose::height(x.n);
    const std::size_t columns = x.n / rows;
    const auto a = xt::adapt(x.a, x.n, xt::no_ownership(), std::array{rows, columns});
    auto out = xt::adapt(x.out, x.n, xt::no_ownership(), std::array{columns, rows});
    on_threads(threads, [&] { xt::noalias(out) = xt::transpose(a); });
  });
}

// Not pow, which xsimd gets wrong by more than four units in the last place.
constexpr auto kPeers = fractions_only(joined(kElementWise<Each>, kFunctions<Each>, kReductions<Reduce>,
                                              std::array<Peer, 5>{{named<Each, Cbrt>("cbrt"),
                                                                   named<Each, Erf>("erf"),
                                                                   named<Each, Hypot>("hypot"),
                                                                   {"reverse", reverse},
                                                                   {"transpose", transpose}}}));

}  // namespace

template <>
std::span<const Peer> xtensor<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
