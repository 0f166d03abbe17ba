// Compiled once for each instruction set, as simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simd/elementwise.cpp"
// clang-format off
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "furrow/kernels/simd/elementwise.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/simd/vector_operations.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::elementwise::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace vectors = furrow::vectors::HWY_NAMESPACE;
using named::Comparison;
using named::Op;

constexpr std::size_t kLine = 64;

/// out[i…] = at(d, i), the vector of results from element i on, for d of whatever width.
template <class T, class At>
HWY_INLINE void produce(T* out, std::size_t n, bool stream, const At& at) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  constexpr std::size_t N = hn::MaxLanes(d);
  std::size_t i = 0;
  if (stream) {
    for (; i < n && reinterpret_cast<std::uintptr_t>(out + i) % kLine != 0; ++i) hn::StoreU(at(one, i), one, out + i);
    // Whole lines, several at a time: memory likes its writes in runs.
    constexpr std::size_t kRun = 4 * kLine / sizeof(T);
    for (; i + kRun <= n; i += kRun) {
      for (std::size_t k = 0; k < kRun; k += N) hn::Stream(at(d, i + k), d, out + i + k);
    }
    hwy::FlushStream();
  }
  for (; i + 4 * N <= n; i += 4 * N) {
    const auto r0 = at(d, i);
    const auto r1 = at(d, i + N);
    const auto r2 = at(d, i + 2 * N);
    const auto r3 = at(d, i + 3 * N);
    hn::StoreU(r0, d, out + i);
    hn::StoreU(r1, d, out + i + N);
    hn::StoreU(r2, d, out + i + 2 * N);
    hn::StoreU(r3, d, out + i + 3 * N);
  }
  for (; i + N <= n; i += N) hn::StoreU(at(d, i), d, out + i);
  constexpr std::size_t kPart = 16;
  if constexpr (N > kPart) {
    const hn::CappedTag<T, kPart> part;
    for (; i + kPart <= n; i += kPart) hn::StoreU(at(part, i), part, out + i);
  }
  for (; i < n; ++i) hn::StoreU(at(one, i), one, out + i);
}

template <Op op, class D, class V = hn::Vec<D>>
HWY_INLINE V apply([[maybe_unused]] D d, V a, V b, V s) {
  if constexpr (op == Op::fill) return s;
  if constexpr (op == Op::copy) return a;
  if constexpr (op == Op::abs) return vectors::Abs::apply(d, a);
  if constexpr (op == Op::neg) return vectors::Negate::apply(d, a);
  if constexpr (op == Op::square) return vectors::Square::apply(d, a);
  if constexpr (op == Op::sqrt) return vectors::Sqrt::apply(d, a);
  if constexpr (op == Op::add) return vectors::Add::apply(d, a, b);
  if constexpr (op == Op::sub) return vectors::Subtract::apply(d, a, b);
  if constexpr (op == Op::mul) return vectors::Multiply::apply(d, a, b);
  if constexpr (op == Op::div) return vectors::Divide::apply(d, a, b);
  if constexpr (op == Op::minimum) return vectors::Minimum::apply(d, a, b);
  if constexpr (op == Op::maximum) return vectors::Maximum::apply(d, a, b);
  if constexpr (op == Op::axpy) return hn::Add(vectors::product(d, s, a), b);
  if constexpr (op == Op::triad) return hn::Add(a, vectors::product(d, s, b));
}

template <Op op, class T>
void map(const T* a, const T* b, T* out, T s, std::size_t n, bool stream) {
  produce(out, n, stream, [a, b, s](auto d, std::size_t i) HWY_ATTR {
    const auto scalar = hn::Set(d, s);
    const auto x = named::reads_a(op) ? hn::LoadU(d, a + i) : scalar;
    const auto y = named::reads_b(op) ? hn::LoadU(d, b + i) : scalar;
    return apply<op>(d, x, y, scalar);
  });
}

template <class T>
void clamp(const T* a, T low, T high, T* out, std::size_t n, bool stream) {
  produce(out, n, stream, [a, low, high](auto d, std::size_t i) HWY_ATTR {
    return vectors::Clamp::apply(d, hn::LoadU(d, a + i), hn::Set(d, low), hn::Set(d, high));
  });
}

template <class T>
void fma(const T* a, const T* b, const T* c, T* out, std::size_t n, bool stream) {
  produce(out, n, stream, [a, b, c](auto d, std::size_t i) HWY_ATTR {
    return vectors::FusedMultiplyAdd::apply(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i));
  });
}

/// Bytes as elements of the size of D's.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> widened([[maybe_unused]] D d, const std::uint8_t* bytes) {
  const hn::RebindToSigned<D> whole;
  const auto v = hn::LoadU(hn::Rebind<std::uint8_t, D>(), bytes);
  if constexpr (sizeof(hn::TFromD<D>) == 1)
    return hn::BitCast(whole, v);
  else if constexpr (sizeof(hn::TFromD<D>) == 4)
    return hn::PromoteTo(whole, v);
  else
    return hn::PromoteTo(whole, hn::PromoteTo(hn::Rebind<std::int32_t, D>(), v));
}

template <class T>
void where(const std::uint8_t* condition, const T* a, const T* b, T* out, std::size_t n, bool stream) {
  produce(out, n, stream, [condition, a, b](auto d, std::size_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> whole;
    const auto none = hn::RebindMask(d, hn::Eq(widened(d, condition + i), hn::Zero(whole)));
    return hn::IfThenElse(none, hn::LoadU(d, b + i), hn::LoadU(d, a + i));
  });
}

template <class Comparison, class D, class T>
HWY_INLINE void compare_at(D d, const T* a, const T* b, std::uint8_t* out, std::size_t i) {
  const hn::RebindToUnsigned<D> whole;
  const hn::Rebind<std::uint8_t, D> bytes;
  const auto mask = hn::RebindMask(whole, Comparison::holds(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
  const auto ones = hn::IfThenElseZero(mask, hn::Set(whole, 1));
  if constexpr (sizeof(T) == 1)
    hn::StoreU(ones, bytes, out + i);
  else
    hn::StoreU(hn::TruncateTo(bytes, ones), bytes, out + i);
}

template <class Comparison, class T>
void compare(const T* a, const T* b, std::uint8_t* out, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  constexpr std::size_t N = hn::MaxLanes(d);
  std::size_t i = 0;
  for (; i + N <= n; i += N) compare_at<Comparison>(d, a, b, out, i);
  for (; i < n; ++i) compare_at<Comparison>(one, a, b, out, i);
}

template <class T>
constexpr Kernels<T> make() {
  Kernels<T> k{};
  const auto set = [&k](Op op, typename Kernels<T>::Map map) { k.map[static_cast<std::size_t>(op)] = map; };
  set(Op::fill, map<Op::fill, T>);
  set(Op::copy, map<Op::copy, T>);
  set(Op::abs, map<Op::abs, T>);
  set(Op::neg, map<Op::neg, T>);
  set(Op::square, map<Op::square, T>);
  if constexpr (std::is_floating_point_v<T>) set(Op::sqrt, map<Op::sqrt, T>);
  set(Op::add, map<Op::add, T>);
  set(Op::sub, map<Op::sub, T>);
  set(Op::mul, map<Op::mul, T>);
  set(Op::div, map<Op::div, T>);
  set(Op::minimum, map<Op::minimum, T>);
  set(Op::maximum, map<Op::maximum, T>);
  set(Op::axpy, map<Op::axpy, T>);
  set(Op::triad, map<Op::triad, T>);
  const auto set_comparison = [&k](Comparison c, typename Kernels<T>::Compare f) { k.compare[static_cast<std::size_t>(c)] = f; };
  set_comparison(Comparison::equal, compare<vectors::Equal, T>);
  set_comparison(Comparison::not_equal, compare<vectors::NotEqual, T>);
  set_comparison(Comparison::less, compare<vectors::Less, T>);
  set_comparison(Comparison::less_equal, compare<vectors::LessEqual, T>);
  set_comparison(Comparison::greater, compare<vectors::Greater, T>);
  set_comparison(Comparison::greater_equal, compare<vectors::GreaterEqual, T>);
  k.clamp = clamp<T>;
  if constexpr (std::is_floating_point_v<T>) k.fma = fma<T>;
  k.where = where<T>;
  return k;
}

constexpr Tables kTables = Tables::made_by([]<class T>() { return make<T>(); });

}  // namespace
}  // namespace furrow::elementwise::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::elementwise {
namespace {

constexpr Built<Tables> kBuilt[] = {FURROW_TABLES(kTables)};

const Tables& chosen() {
  static const Tables& tables = chosen_of<Tables>(kBuilt);
  return tables;
}

}  // namespace

template <NamedElement T>
const Kernels<T>& kernels() {
  return chosen().of<T>();
}
#define FURROW_INSTANTIATE(T) template const Kernels<T>& kernels();
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace furrow::elementwise
#endif  // HWY_ONCE
