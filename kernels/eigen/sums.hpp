#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/computed.hpp"
#include "furrow/kernels/eigen/expressions.hpp"
#include "furrow/kernels/reductions.hpp"

// Sums over expressions, in the order of the named sum (docs/reproducibility.md), whose bits they have.

namespace furrow::eigen {

/// Lanes of 256 bytes, sixteen rows of which make a block.
template <std::floating_point T>
class Lanes {
  static constexpr Index kRows = 16;

 public:
  static constexpr Index kLanes = 256 / sizeof(T);
  static constexpr Index kBlock = kLanes * kRows;

  Lanes() { std::fill_n(totals_, kLanes, T{-0.0}); }

  /// Adds a block, or as many whole rows of one; terms_at(i) gives a packet of terms from the i-th on.
  template <class Terms>
  void add(Index size, const Terms& terms_at) {
    using namespace Eigen::internal;
    using Packet = typename packet_traits<T>::type;
    constexpr Index kWidth = packet_traits<T>::size;
    static_assert(kLanes % (4 * kWidth) == 0);
    for (Index column = 0; column < kLanes; column += 4 * kWidth) {
      const auto nothing = pset1<Packet>(T{-0.0});
      Packet a = nothing;
      Packet b = nothing;
      Packet c = nothing;
      Packet d = nothing;
      for (Index at = column; at < size; at += kLanes) {
        a = padd(a, terms_at(at));
        b = padd(b, terms_at(at + kWidth));
        c = padd(c, terms_at(at + 2 * kWidth));
        d = padd(d, terms_at(at + 3 * kWidth));
      }
      T* const totals = totals_ + column;
      pstoreu(totals, padd(ploadu<Packet>(totals), a));
      pstoreu(totals + kWidth, padd(ploadu<Packet>(totals + kWidth), b));
      pstoreu(totals + 2 * kWidth, padd(ploadu<Packet>(totals + 2 * kWidth), c));
      pstoreu(totals + 3 * kWidth, padd(ploadu<Packet>(totals + 3 * kWidth), d));
    }
  }

  T sum() {
    std::plus<T> plus;
    reductions::halve<kLanes>(totals_, plus);
    return totals_[0];
  }

 private:
  T totals_[kLanes];
};

/// What is summed up: an element, or a pair of them, as packets. Each is rounded before it is added, whatever the compiler's rules
/// for contraction.
template <class Packet>
Packet rounded(Packet packet) {
  EIGEN_OPTIMIZATION_BARRIER(packet)
  return packet;
}
inline constexpr auto itself = [](auto x) { return x; };
inline constexpr auto magnitude = [](auto x) { return Eigen::internal::pabs(x); };
inline constexpr auto square = [](auto x) { return rounded(Eigen::internal::pmul(x, x)); };
inline constexpr auto product = [](auto x, auto y) { return rounded(Eigen::internal::pmul(x, y)); };

/// Whether packets of the expression may be added as they are computed: the code of dear ones would become too long.
template <class E>
inline constexpr bool is_fused =
    int(Eigen::internal::evaluator<E>::CoeffReadCost) < 20 && Elements<Order::linear, typename E::Scalar, E>::kPackets&& bool(
                                                                  int(Eigen::internal::evaluator<E>::Flags) &
                                                                  int(Eigen::LinearAccessBit));

/// The sum of the terms of elements [begin, end), which belong to one chunk.
template <class Term, class... E, class T = std::common_type_t<typename E::Scalar...>>
[[gnu::noinline]] T chunk_sum(Index begin, Index end, const Term& term, const E&... expressions) {
  using Packet = typename Eigen::internal::packet_traits<T>::type;
  constexpr Index kBlock = Lanes<T>::kBlock;
  constexpr Index kLanes = Lanes<T>::kLanes;
  Lanes<T> lanes;
  if constexpr ((is_fused<E> && ...)) {
    const std::tuple<const Eigen::internal::evaluator<E>...> sources(expressions...);
    std::apply(
        [&](const auto&... source) {
          for (; begin + kBlock <= end; begin += kBlock)
            lanes.add(kBlock,
                      [&](Index i) { return term(rounded(source.template packet<Eigen::Unaligned, Packet>(begin + i))...); });
        },
        sources);
  }
  alignas(64) T buffers[sizeof...(E)][kBlock];
  for (; begin < end; begin += kBlock) {
    const Index size = std::min(kBlock, end - begin);
    const Index rows = (size + kLanes - 1) / kLanes * kLanes;
    Index k = 0;
    (write(expressions, begin, size, buffers[k++]), ...);
    for (k = 0; k < static_cast<Index>(sizeof...(E)); ++k)  // terms, or products of them, that add nothing
      std::fill(buffers[k] + size, buffers[k] + rows, k == 0 ? T{-0.0} : T{0.0});
    lanes.add(size, [&](Index i) {
      if constexpr (sizeof...(E) == 1)
        return term(Eigen::internal::ploadu<Packet>(buffers[0] + i));
      else
        return term(Eigen::internal::ploadu<Packet>(buffers[0] + i), Eigen::internal::ploadu<Packet>(buffers[1] + i));
    });
  }
  return lanes.sum();
}

/// The sum of term(element…) of expressions of one size, 0 if that is 0; the order is that of the named sum.
template <class Term, class... E, class T = std::common_type_t<typename E::Scalar...>>
T sum_of_terms(Engine& engine, Cost& cost, const Term& term, const E&... expressions) {
  (require_elements(expressions), ...);
  const auto operands = std::tie(term, expressions...);
  using State = decltype(operands);
  const auto chunk = [](const void* state, std::size_t begin, std::size_t end) {
    const auto sum = [=](const auto&... all) { return chunk_sum(static_cast<Index>(begin), static_cast<Index>(end), all...); };
    return std::apply(sum, *static_cast<State*>(state));
  };
  const auto size = static_cast<std::size_t>(std::get<1>(operands).size());
  return named::sum<T>(engine, cost, {size, &operands, chunk});
}

}  // namespace furrow::eigen
