#include <execution>

#include "benchmarks/peers/formulas.hpp"
#include "benchmarks/peers/tbb_threads.hpp"

namespace furrow::bench {
namespace {

constexpr auto kPolicy = std::execution::par_unseq;

void copy_if(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      operands.set_result(static_cast<std::size_t>(std::copy_if(kPolicy, x.a, x.a + x.n, x.out, Positive{}) - x.out));
    });
  });
}

void unique(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] {
      operands.set_result(static_cast<std::size_t>(std::unique_copy(kPolicy, x.a, x.a + x.n, x.out, SameSign{}) - x.out));
    });
  });
}

void count_if(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] { operands.set_result(static_cast<std::size_t>(std::count_if(kPolicy, x.a, x.a + x.n, Positive{}))); });
  });
}

/// Not std::sort, which leaks some 300 KiB in every parallel call of this library.
template <class Before>
void stable_sort(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    on_threads(threads, [&] { std::stable_sort(kPolicy, x.out, x.out + x.n, Before{}); });
  });
}

void argsort(table::Operands& operands, int threads) {
  on_threads(threads, [&] {
    argsort_by<true>(operands, [](auto first, auto last, auto less) { std::stable_sort(kPolicy, first, last, less); });
  });
}

void nth_element(table::Operands& operands, int threads) {
  on_threads(threads, [&] {
    nth_element_by(operands, [](auto first, auto nth, auto last) { std::nth_element(kPolicy, first, nth, last); });
  });
}

void partition(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    on_threads(threads, [&] {
      operands.set_result(static_cast<std::size_t>(std::stable_partition(kPolicy, x.out, x.out + x.n, Positive{}) - x.out));
    });
  });
}

void all_of(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) {
    on_threads(threads, [&] { operands.set_result(std::size_t{std::all_of(kPolicy, x.a, x.a + x.n, NotS{})}); });
  });
}

void gather(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_threads(threads,
               [&] { std::transform(kPolicy, x.b, x.b + x.n, x.out, [a = x.a](const T& index) { return a[index_of(&index)]; }); });
  });
}

void reverse(table::Operands& operands, int threads) {
  with_arrays(operands, [&](const auto& x) { on_threads(threads, [&] { std::reverse_copy(kPolicy, x.a, x.a + x.n, x.out); }); });
}

constexpr Peer kPeers[] = {
    {"copy_if", copy_if},
    {"unique", unique},
    {"count_if", count_if},
    {"sort", stable_sort<Less>},
    {"stable_sort", stable_sort<ByFallingSquare>},
    {"argsort", argsort},
    {"nth_element", nth_element},
    {"partition", partition},
    {"all_of", all_of},
    {"gather", gather},
    {"reverse", reverse},
};

}  // namespace

template <>
std::span<const Peer> raw_stdpar_order<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
