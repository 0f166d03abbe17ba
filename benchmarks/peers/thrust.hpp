#pragma once

#include <thrust/copy.h>
#include <thrust/count.h>
#include <thrust/gather.h>
#include <thrust/inner_product.h>
#include <thrust/logical.h>
#include <thrust/partition.h>
#include <thrust/reverse.h>
#include <thrust/scan.h>
#include <thrust/scatter.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>
#include <thrust/unique.h>

#include <memory>

#include "benchmarks/peers/formulas.hpp"

// Thrust's algorithms on raw pointers. System gives a runtime: System::policy(), and System::on_threads(threads, work).

namespace furrow::bench {
namespace {

template <class System>
struct ThrustPeers {
  /// work(policy, arrays) with so many threads.
  template <bool only_fractions = false, class Work>
  static void with_policy(table::Operands& operands, int threads, const Work& work) {
    with_arrays<only_fractions>(operands, [&](const auto& x) { System::on_threads(threads, [&] { work(System::policy(), x); }); });
  }

  struct Each {
    template <class Kernel>
    static void run(table::Operands& operands, int threads) {
      with_policy<Kernel::only_fractions>(operands, threads, []<class T>(const auto& policy, const Arrays<T>& x) {
        const T s = x.s;
        const T* const end = x.a + x.n;
        if constexpr (std::is_same_v<Kernel, Axpy>)
          thrust::transform(policy, x.a, end, x.out, x.out, [s](T a, T out) { return Kernel::at(a, a, out, s); });
        else if constexpr (Kernel::inputs == 0)
          thrust::transform(policy, x.out, x.out + x.n, x.out, [s](T out) { return Kernel::at(out, out, out, s); });
        else if constexpr (Kernel::inputs == 1)
          thrust::transform(policy, x.a, end, x.out, [s](T a) { return Kernel::at(a, a, a, s); });
        else
          thrust::transform(policy, x.a, end, x.b, x.out, [s](T a, T b) { return Kernel::at(a, b, a, s); });
      });
    }
  };

  struct Reduce {
    template <class Kernel>
    static void run(table::Operands& operands, int threads) {
      with_policy(operands, threads, [&]<class T>(const auto& policy, const Arrays<T>& x) {
        using R = typename Kernel::template Result<T>;
        const auto join = [](R left, R right) { return Kernel::join(left, right); };
        const auto term = [](T a, T b) { return Kernel::term(static_cast<R>(a), static_cast<R>(b)); };
        R result = Kernel::template identity<R>();
        if constexpr (Kernel::inputs == 2)
          result = thrust::inner_product(policy, x.a, x.a + x.n, x.b, result, join, term);
        else
          result = thrust::transform_reduce(
              policy, x.a, x.a + x.n, [term](T a) { return term(a, a); }, result, join);
        operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
      });
    }
  };

  template <bool inclusive>
  static void scan(table::Operands& operands, int threads) {
    with_policy(operands, threads, []<class T>(const auto& policy, const Arrays<T>& x) {
      const auto add = [](T left, T right) { return left + right; };
      if constexpr (inclusive)
        thrust::inclusive_scan(policy, x.a, x.a + x.n, x.out, add);
      else
        thrust::exclusive_scan(policy, x.a, x.a + x.n, x.out, x.s, add);
    });
  }

  static void copy_if(table::Operands& operands, int threads) {
    with_policy(operands, threads, [&](const auto& policy, const auto& x) {
      operands.set_result(static_cast<std::size_t>(thrust::copy_if(policy, x.a, x.a + x.n, x.out, Positive{}) - x.out));
    });
  }

  static void partition(table::Operands& operands, int threads) {
    with_policy(operands, threads, [&](const auto& policy, const auto& x) {
      thrust::copy(policy, x.a, x.a + x.n, x.out);
      operands.set_result(static_cast<std::size_t>(thrust::stable_partition(policy, x.out, x.out + x.n, Positive{}) - x.out));
    });
  }

  static void unique(table::Operands& operands, int threads) {
    with_policy(operands, threads, [&](const auto& policy, const auto& x) {
      operands.set_result(static_cast<std::size_t>(thrust::unique_copy(policy, x.a, x.a + x.n, x.out, SameSign{}) - x.out));
    });
  }

  static void count_if(table::Operands& operands, int threads) {
    with_policy(operands, threads, [&](const auto& policy, const auto& x) {
      operands.set_result(static_cast<std::size_t>(thrust::count_if(policy, x.a, x.a + x.n, Positive{})));
    });
  }

  static void sort(table::Operands& operands, int threads) {
    with_policy(operands, threads, [](const auto& policy, const auto& x) {
      thrust::copy(policy, x.a, x.a + x.n, x.out);
      thrust::sort(policy, x.out, x.out + x.n);
    });
  }

  static void stable_sort(table::Operands& operands, int threads) {
    with_policy(operands, threads, [](const auto& policy, const auto& x) {
      thrust::copy(policy, x.a, x.a + x.n, x.out);
      thrust::stable_sort(policy, x.out, x.out + x.n, ByFallingSquare{});
    });
  }

  static void argsort(table::Operands& operands, int threads) {
    with_policy(operands, threads, []<class T>(const auto& policy, const Arrays<T>& x) {
      const auto keys = std::make_unique_for_overwrite<T[]>(x.n);
      thrust::copy(policy, x.a, x.a + x.n, keys.get());
      thrust::sequence(policy, as_indices(x.out), as_indices(x.out) + x.n);
      thrust::stable_sort_by_key(policy, keys.get(), keys.get() + x.n, as_indices(x.out));
    });
  }

  static void all_of(table::Operands& operands, int threads) {
    with_policy(operands, threads, [&](const auto& policy, const auto& x) {
      operands.set_result(std::size_t{thrust::all_of(policy, x.a, x.a + x.n, NotS{})});
    });
  }

  static void reverse(table::Operands& operands, int threads) {
    with_policy(operands, threads, [](const auto& policy, const auto& x) { thrust::reverse_copy(policy, x.a, x.a + x.n, x.out); });
  }

  static void gather(table::Operands& operands, int threads) {
    with_policy(operands, threads, [](const auto& policy, const auto& x) {
      thrust::gather(policy, as_indices(x.b), as_indices(x.b) + x.n, x.a, x.out);
    });
  }
  static void scatter(table::Operands& operands, int threads) {
    with_policy(operands, threads,
                [](const auto& policy, const auto& x) { thrust::scatter(policy, x.a, x.a + x.n, as_indices(x.b), x.out); });
  }

  static constexpr auto peers() {
    return joined(kElementWise<Each>, kFunctions<Each>, kRarerFunctions<Each>, kReductions<Reduce>,
                  std::array<Peer, 13>{{{"inclusive_scan", scan<true>},
                                        {"exclusive_scan", scan<false>},
                                        {"copy_if", copy_if},
                                        {"partition", partition},
                                        {"unique", unique},
                                        {"count_if", count_if},
                                        {"sort", sort},
                                        {"stable_sort", stable_sort},
                                        {"argsort", argsort},
                                        {"all_of", all_of},
                                        {"reverse", reverse},
                                        {"gather", gather},
                                        {"scatter", scatter}}});
  }
};

}  // namespace
}  // namespace furrow::bench
