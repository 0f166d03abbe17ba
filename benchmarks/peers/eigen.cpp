#include <Eigen/Core>

#include "benchmarks/peers/formulas.hpp"

// Eigen's array expressions. They run on one thread: Eigen shares out nothing but products of matrices.

namespace furrow::bench {
namespace {

template <class T>
using Map = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstMap = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

/// work(a, b, out, s) on the operands' own memory.
template <bool only_fractions = false, class Work>
void with_maps(table::Operands& operands, const Work& work) {
  with_arrays<only_fractions>(operands, [&]<class T>(const Arrays<T>& x) {
    const auto n = static_cast<Eigen::Index>(x.n);
    Map<T> out(x.out, n);
    work(ConstMap<T>(x.a, n), ConstMap<T>(x.b, n), out, x.s);
  });
}

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int) {
    with_maps<Kernel::only_fractions>(
        operands, [](const auto& a, const auto& b, auto& out, const auto& s) { out = Kernel::at(a, b, out, s); });
  }
};

struct Reduce {
  template <class Kernel>
  static void run(table::Operands& operands, int) {
    with_maps(operands, [&]<class T>(const auto& a, const auto& b, auto&, const T& s) {
      using R = typename Kernel::template Result<T>;
      const auto reduced = [&] {
        if constexpr (std::is_same_v<Kernel, Min>)
          return a.minCoeff();
        else if constexpr (std::is_same_v<Kernel, Max>)
          return a.maxCoeff();
        else
          return Kernel::term(a.template cast<R>(), b.template cast<R>()).sum();
      };
      operands.set_result(Kernel::finish(static_cast<R>(reduced()), static_cast<R>(s)));
    });
  }
};

void count_if(table::Operands& operands, int) {
  with_maps(operands, [&]<class T>(const auto& a, const auto&, auto&, const T&) {
    operands.set_result(static_cast<std::size_t>((a > T{0}).count()));
  });
}

void all_of(table::Operands& operands, int) {
  with_maps(operands,
            [&]<class T>(const auto& a, const auto&, auto&, const T& s) { operands.set_result(std::size_t{(a != s).all()}); });
}

void reverse(table::Operands& operands, int) {
  with_maps(operands, [](const auto& a, const auto&, auto& out, const auto&) { out = a.reverse(); });
}

template <class T>
using Integers = ConstMap<std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;
template <class T>
Integers<T> as_integers(const ConstMap<T>& b) {
  return {reinterpret_cast<const typename Integers<T>::Scalar*>(b.data()), b.size()};
}

void gather(table::Operands& operands, int) {
  with_maps(operands, []<class T>(const auto& a, const ConstMap<T>& b, auto& out, const T&) { out = a(as_integers(b)); });
}

void scatter(table::Operands& operands, int) {
  with_maps(operands, []<class T>(const auto& a, const ConstMap<T>& b, auto& out, const T&) { out(as_integers(b)) = a; });
}

void transpose(table::Operands& operands, int) {
  with_arrays(operands, []<class T>(const Arrays<T>& x) {
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto rows = static_cast<Eigen::Index>(Transpose::height(x.n));
    const auto columns = static_cast<Eigen::Index>(x.n) / rows;
    Eigen::Map<Matrix>(x.out, columns, rows) = Eigen::Map<const Matrix>(x.a, rows, columns).transpose();
  });
}

constexpr auto kPeers = joined(kElementWise<Each>, kFunctions<Each>, kReductions<Reduce>,
                               std::array<Peer, 7>{{named<Each, Pow>("pow"),
                                                    {"count_if", count_if},
                                                    {"all_of", all_of},
                                                    {"reverse", reverse},
                                                    {"gather", gather},
                                                    {"scatter", scatter},
                                                    {"transpose", transpose}}});

}  // namespace

template <>
std::span<const Peer> eigen<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
