#include <execution>
#include <numeric>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/rarer_reductions.hpp"
#include "benchmarks/peers/tbb_threads.hpp"

namespace furrow::bench {
namespace {

constexpr auto kPolicy = std::execution::par_unseq;

// Lambdas and functors of this file throughout, never std::plus: what is instantiated from the standard library's types alone would
// be merged between the instruction sets.

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int threads) {
    with_arrays<Kernel::only_fractions>(operands, [&]<class T>(const Arrays<T>& x) {
      on_threads(threads, [&] {
        const T s = x.s;
        const T* const end = x.a + x.n;
        if constexpr (std::is_same_v<Kernel, Axpy>) {
          std::transform(kPolicy, x.a, end, x.out, x.out, [s](T a, T out) { return Kernel::at(a, a, out, s); });
        } else if constexpr (Kernel::inputs == 0) {
          std::for_each(kPolicy, x.out, x.out + x.n, [s](T& out) { out = Kernel::at(out, out, out, s); });
        } else if constexpr (Kernel::inputs == 1) {
          std::transform(kPolicy, x.a, end, x.out, [s](T a) { return Kernel::at(a, a, a, s); });
        } else {
          std::transform(kPolicy, x.a, end, x.b, x.out, [s](T a, T b) { return Kernel::at(a, b, a, s); });
        }
      });
    });
  }
};

struct Reduce {
  template <class Kernel, bool of_out = false>
  static void run(table::Operands& operands, int threads) {
    with_arrays(operands, [&]<class T>(const Arrays<T>& arrays) {
      using R = typename Kernel::template Result<T>;
      const Arrays<T> x = of_out ? arrays.reading_out() : arrays;
      const auto join = [](R left, R right) { return Kernel::join(left, right); };
      on_threads(threads, [&] {
        R result = Kernel::template identity<R>();
        if constexpr (Kernel::inputs == 2) {
          const auto term = [](T a, T b) { return Kernel::term(static_cast<R>(a), static_cast<R>(b)); };
          result = std::transform_reduce(kPolicy, x.a, x.a + x.n, x.b, result, join, term);
        } else {
          result = std::transform_reduce(kPolicy, x.a, x.a + x.n, result, join, [](T a) { return static_cast<R>(a); });
        }
        operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
      });
    });
  }
};

template <bool inclusive>
void scan(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    const auto add = [](T left, T right) { return left + right; };
    on_threads(threads, [&] {
      if constexpr (inclusive)
        std::inclusive_scan(kPolicy, x.a, x.a + x.n, x.out, add);
      else
        std::exclusive_scan(kPolicy, x.a, x.a + x.n, x.out, x.s, add);
    });
  });
}

void fractal(table::Operands& operands, int threads) {
  std::int32_t* const out = operands.out<std::int32_t>().data();
  const std::size_t n = operands.size();
  on_threads(threads, [&] {
    std::for_each(kPolicy, out, out + n,
                  [=](std::int32_t& pixel) { pixel = escape_steps(static_cast<std::size_t>(&pixel - out), n); });
  });
}

void each_small(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_threads(threads, [&] {
      small_calls(x.n, [x](std::size_t begin, std::size_t end) {
        std::transform(kPolicy, x.a + begin, x.a + end, x.b + begin, x.out + begin, [](T a, T b) { return over_length(a, b); });
      });
    });
  });
}

void fork_join(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      std::for_each(kPolicy, x.out, x.out + std::min(x.n, static_cast<std::size_t>(threads)), [](auto&) { empty_task(); });
    });
  });
}

void nested_calls(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_threads(threads, [&] {
      std::size_t parts[kParts];
      for (std::size_t k = 0; k < kParts; ++k) parts[k] = k;
      // `par`: a call inside a body of `par_unseq` would be undefined.
      std::for_each(std::execution::par, parts, parts + kParts, [x](std::size_t part) {
        T* const begin = x.out + part_begin(part, x.n);
        T* const end = x.out + part_begin(part + 1, x.n);
        std::for_each(kPolicy, begin, end, [x](T& out) { nested_element(x, static_cast<std::size_t>(&out - x.out)); });
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
      const T* const least = std::min_element(kPolicy, x.a, x.a + x.n, [](const T& a, const T& b) { return a < b; });
      operands.set_result(static_cast<std::size_t>(least - x.a));
    });
  });
}

void all_bytes(table::Operands& operands, int threads) {
  const auto x = operands.a<std::uint8_t>();
  on_threads(threads, [&] {
    const bool yes = std::all_of(kPolicy, x.data(), x.data() + x.size(), [](std::uint8_t v) { return v != 0; });
    operands.set_result(std::size_t{yes});
  });
}

constexpr auto kPeers = joined(kElementWise<Each>, kFunctions<Each>, kRarerFunctions<Each>, kReductions<Reduce>,
                               std::array<Peer, 2>{{{"argmin", argmin}, {"all", all_bytes, false, true}}},
                               std::array<Peer, 7>{{{"inclusive_scan", scan<true>},
                                                    {"exclusive_scan", scan<false>},
                                                    {"fractal", fractal},
                                                    {"small_calls", each_small},
                                                    {"nested_calls", nested_calls},
                                                    {"write_then_read", write_then_read},
                                                    {"fork_join", fork_join}}});

}  // namespace

template <>
std::span<const Peer> raw_stdpar<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
