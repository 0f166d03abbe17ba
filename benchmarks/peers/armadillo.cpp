#include <armadillo>

#include "benchmarks/peers/formulas.hpp"

// Armadillo's vector expressions. It shares out mathematical functions by OpenMP, nothing else. Its expressions refer to their
// parts, so that they are written here where they are assigned, not returned from the common formulas.

namespace furrow::bench {
namespace {

/// A kernel, from work(a, b, out, s) on vectors that are the operands' own memory.
template <auto work>
void on_vectors(table::Operands& operands, int) {
  with_arrays<true>(operands, []<class T>(const Arrays<T>& x) {
    const auto vector = [&](const T* memory) { return arma::Col<T>(const_cast<T*>(memory), x.n, false, true); };
    const arma::Col<T> a = vector(x.a);
    const arma::Col<T> b = vector(x.b);
    arma::Col<T> out = vector(x.out);
    work(a, b, out, x.s);
  });
}

template <auto reduced>
void to_number(table::Operands& operands, int) {
  with_arrays<true>(operands, [&]<class T>(const Arrays<T>& x) {
    const arma::Col<T> a(const_cast<T*>(x.a), x.n, false, true);
    const arma::Col<T> b(const_cast<T*>(x.b), x.n, false, true);
    operands.set_result(reduced(a, b, x.s));
  });
}

constexpr auto square = [](const auto& a, const auto&, auto& out, auto) { out = arma::square(a); };
constexpr auto add = [](const auto& a, const auto& b, auto& out, auto) { out = a + b; };
constexpr auto sum = [](const auto& a, const auto&, auto) { return arma::accu(a); };

constexpr Peer kPeers[] = {
    {"fill", on_vectors<[](const auto&, const auto&, auto& out, auto s) { out.fill(s); }>, true},
    {"copy", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = a; }>, true},
    {"square", on_vectors<square>, true},
    {"sqrt", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::sqrt(a); }>, true},
    {"add", on_vectors<add>, true},
    {"mul", on_vectors<[](const auto& a, const auto& b, auto& out, auto) { out = a % b; }>, true},
    {"axpy", on_vectors<[](const auto& a, const auto&, auto& out, auto s) { out += s * a; }>, true},
    {"triad", on_vectors<[](const auto& a, const auto& b, auto& out, auto s) { out = a + s * b; }>, true},
    {"for_each", on_vectors<[](const auto&, const auto&, auto& out, auto s) { out *= s; }>, true},
    {"for_each_index", on_vectors<add>, true},
    {"transform", on_vectors<square>, true},
    {"transform2", on_vectors<[](const auto& a, const auto& b, auto& out, auto) { out = a % b + a; }>, true},
    {"floor", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::floor(a); }>, true},
    {"exp", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::exp(a); }>, true},
    {"log", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::log(a); }>, true},
    {"sin", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::sin(a); }>, true},
    {"cos", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::cos(a); }>, true},
    {"tan", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::tan(a); }>, true},
    {"atan", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::atan(a); }>, true},
    {"tanh", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::tanh(a); }>, true},
    {"erf", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::erf(a); }>, true},
    {"hypot", on_vectors<[](const auto& a, const auto& b, auto& out, auto) { out = arma::hypot(a, b); }>, true},
    {"sum", to_number<sum>, true},
    {"dot", to_number<[](const auto& a, const auto& b, auto) { return arma::dot(a, b); }>, true},
    {"min", to_number<[](const auto& a, const auto&, auto) { return a.min(); }>, true},
    {"max", to_number<[](const auto& a, const auto&, auto) { return a.max(); }>, true},
    {"reduce", to_number<[](const auto& a, const auto&, auto s) { return s + arma::accu(a); }>, true},
    {"transform_reduce", to_number<[](const auto& a, const auto& b, auto s) { return s + arma::accu(arma::square(a + b)); }>, true},
    {"inclusive_scan", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::cumsum(a); }>, true},
    {"sort", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::sort(a); }>, true},
    {"reverse", on_vectors<[](const auto& a, const auto&, auto& out, auto) { out = arma::reverse(a); }>, true},
};

}  // namespace

template <>
std::span<const Peer> armadillo<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
