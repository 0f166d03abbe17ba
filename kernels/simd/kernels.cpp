// SIMD code for several instruction sets in one binary: Highway compiles this file's HWY_NAMESPACE once for each (foreach_target),
// and the choice among them is made here at run time. Our own table rather than Highway's global one, which a host may have set
// otherwise.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/simd/kernels.cpp"
// clang-format off
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/instruction_set.hpp"
#include "furrow/kernels/simd/kernels.hpp"
#include "furrow/kernels/simd/vector_operations.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLine = 64;

using furrow::vectors::HWY_NAMESPACE::product;

// ---- sums ----

/// What is added: x[i], |x[i]|, or x[i]·y[i], widened to what it is added in.
enum class Term { value, magnitude, product };

template <class T, class D>
HWY_INLINE hn::Vec<D> load_wide(D d, const T* x) {
  if constexpr (sizeof(T) == sizeof(hn::TFromD<D>)) {
    return hn::LoadU(d, x);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<T, D>(), x));
  }
}

template <Term kTerm, class T, class D>
HWY_INLINE hn::Vec<D> term(D d, const T* x, const T* y, std::size_t i) {
  const auto a = load_wide(d, x + i);
  if constexpr (kTerm == Term::value) return a;
  if constexpr (kTerm == Term::magnitude) return hn::Abs(a);
  const auto b = load_wide(d, y + i);
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<T, std::int32_t>) {  // whose upper halves are only signs
    const hn::Repartition<std::int32_t, D> halves;
    return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
  }
#endif
  return product(d, a, b);
}

/// Adds the upper half of the first `count` of L lanes to the lower half until one is left; count is a power of two.
template <std::size_t L, class S>
HWY_INLINE S fold(S* lanes, std::size_t count) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  for (; count > 8 && count >= 2 * N; count /= 2)
    for (std::size_t l = 0; l < count / 2; l += N)
      hn::Store(hn::Add(hn::Load(d, lanes + l), hn::Load(d, lanes + count / 2 + l)), d, lanes + l);
  for (; count > 8; count /= 2)
    for (std::size_t l = 0; l < count / 2; ++l) lanes[l] = named::join_sums(lanes[l], lanes[count / 2 + l]);
  const auto at = [lanes, count](std::size_t l) HWY_ATTR { return l < count ? lanes[l] : static_cast<S>(-0.0); };
  const auto plus = [](S a, S b) HWY_ATTR { return named::join_sums(a, b); };
  return plus(plus(plus(at(0), at(4)), plus(at(2), at(6))), plus(plus(at(1), at(5)), plus(at(3), at(7))));
}

/// The sum of one chunk: kLanes running sums, element i going to lane i mod kLanes; rows are added up kRows at a time; at the end
/// the upper half of the lanes is added to the lower half until one is left. The order is part of the definition, whatever the
/// width of the registers. Missing elements are −0, which adds to nothing.
template <Term kTerm, class S, class T>
S sum(const T* x, const T* y, std::size_t n) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t L = kLanes<S>;
  constexpr std::size_t kRegisters = L / N;
  const auto nothing = hn::Set(d, static_cast<S>(-0.0));
  HWY_ALIGN S lanes[L];
  if (n < L) {  // an element a lane, and the lanes that have none need not be added
    const hn::CappedTag<S, 1> one;
    const std::size_t count = std::bit_ceil(n);
    std::size_t i = 0;
    for (; i + N <= n; i += N) hn::Store(term<kTerm>(d, x, y, i), d, lanes + i);
    for (; i < n; ++i) hn::StoreU(term<kTerm>(one, x, y, i), one, lanes + i);
    for (; i < count; ++i) lanes[i] = static_cast<S>(-0.0);
    return fold<L>(lanes, count);
  }
  hn::Vec<decltype(d)> total[kRegisters];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRegisters; ++r) total[r] = nothing;
  std::size_t i = 0;
  for (; i + kRows * L <= n; i += kRows * L) {
    hn::Vec<decltype(d)> part[kRegisters];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRegisters; ++r) part[r] = term<kTerm>(d, x, y, i + r * N);
      // Row by row, as memory is read ahead: unrolled, GCC goes down each register's column, and reads four times over the page.
#pragma GCC unroll 1
    for (std::size_t row = 1; row < kRows; ++row) {
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRegisters; ++r) part[r] = hn::Add(part[r], term<kTerm>(d, x, y, i + row * L + r * N));
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRegisters; ++r) total[r] = hn::Add(total[r], part[r]);
  }
  if (i < n) {
    hn::Vec<decltype(d)> part[kRegisters];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRegisters; ++r) part[r] = nothing;
    for (; i + L <= n; i += L) {
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRegisters; ++r) part[r] = hn::Add(part[r], term<kTerm>(d, x, y, i + r * N));
    }
    for (std::size_t r = 0; r < kRegisters; ++r) hn::Store(part[r], d, lanes + r * N);
    const hn::CappedTag<S, 1> one;
    for (std::size_t l = 0; i < n; ++i, ++l)
      hn::StoreU(hn::Add(hn::LoadU(one, lanes + l), term<kTerm>(one, x, y, i)), one, lanes + l);
    for (std::size_t r = 0; r < kRegisters; ++r) total[r] = hn::Add(total[r], hn::Load(d, lanes + r * N));
  }
  for (std::size_t r = 0; r < kRegisters; ++r) hn::Store(total[r], d, lanes + r * N);
  return fold<L>(lanes, L);
}

/// Of bytes, whose sum is the same in any order: eight of them at a time join a lane of 64 bits.
std::int64_t sum_of_bytes(const std::uint8_t* x, std::size_t n) {
  std::int64_t total = 0;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint8_t> d;
  const hn::RepartitionToWide<hn::RepartitionToWide<hn::RepartitionToWide<decltype(d)>>> sums;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = 4;
  hn::Vec<decltype(sums)> part[kRegisters];
#pragma GCC unroll 4
  for (auto& sum : part) sum = hn::Zero(sums);
  for (; i + kRegisters * N <= n; i += kRegisters * N) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRegisters; ++r) part[r] = hn::Add(part[r], hn::SumsOf8(hn::LoadU(d, x + i + r * N)));
  }
  for (; i + N <= n; i += N) part[0] = hn::Add(part[0], hn::SumsOf8(hn::LoadU(d, x + i)));
  HWY_ALIGN std::uint64_t lanes[hn::MaxLanes(sums)];
  hn::Store(hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3])), sums, lanes);
  for (const std::uint64_t lane : lanes) total += static_cast<std::int64_t>(lane);
#endif
  for (; i < n; ++i) total += x[i];
  return total;
}

/// Σ x[i] · y[i] of bytes, the same in any order: pairs of products of 16 bits join lanes of 32, in blocks that cannot overflow.
std::int64_t dot_of_bytes(const std::uint8_t* x, const std::uint8_t* y, std::size_t n) {
  std::int64_t total = 0;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr std::size_t kBlock = 8192;
  const hn::ScalableTag<std::int32_t> d;
  const hn::Repartition<std::int16_t, decltype(d)> halves;
  const hn::Rebind<std::uint8_t, decltype(halves)> bytes;
  constexpr std::size_t N = hn::MaxLanes(halves);
  const auto load = [&](const std::uint8_t* from) HWY_ATTR { return hn::PromoteTo(halves, hn::LoadU(bytes, from)); };
  while (i + N <= n) {
    const std::size_t end = n - i < kBlock ? n : i + kBlock;
    auto sum = hn::Zero(d);
    auto other = hn::Zero(d);
    for (; i + N <= end; i += N) sum = hn::ReorderWidenMulAccumulate(d, load(x + i), load(y + i), sum, other);
    HWY_ALIGN std::int32_t lanes[hn::MaxLanes(d)];
    hn::Store(hn::Add(sum, other), d, lanes);
    for (const std::int32_t lane : lanes) total += lane;
  }
#endif
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

template <class T>
sum_t<T> plain_sum(const T* x, std::size_t n) {
  if constexpr (sizeof(T) == 1)
    return sum_of_bytes(x, n);
  else
    return sum<Term::value, sum_t<T>>(x, x, n);
}
template <class T>
double sum_of_doubles(const T* x, std::size_t n) {
  return sum<Term::value, double>(x, x, n);
}
template <class T>
T sum_of_magnitudes(const T* x, std::size_t n) {
  return sum<Term::magnitude, T>(x, x, n);
}
template <class T>
sum_t<T> dot(const T* x, const T* y, std::size_t n) {
  if constexpr (sizeof(T) == 1)
    return dot_of_bytes(x, y, n);
  else
    return sum<Term::product, sum_t<T>>(x, y, n);
}

// ---- running sums ----

/// Running sums of kScanned elements at a time, by Sklansky's network: the upper half of each pair, then of each four and eight,
/// gets the last of the lower half added (Sklansky, Conditional-Sum Addition Logic, 1960). Then all of them get what came before.
template <bool kExclusive, class T>
T running_sums(const T* x, T* out, T before, std::size_t n) {
  const hn::CappedTag<T, kScanned> d;
  const hn::RebindToSigned<decltype(d)> di;
  using V = hn::Vec<decltype(d)>;
  using Index = hn::TFromD<decltype(di)>;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = kScanned / N;
  static_assert(kScanned % N == 0 && N <= 8);

  const auto lane = hn::Iota(di, 0);
  const auto last = hn::IndicesFromVec(d, hn::Set(di, static_cast<Index>(N - 1)));
  const auto previous = hn::IndicesFromVec(d, hn::Max(hn::Sub(lane, hn::Set(di, 1)), hn::Zero(di)));
  const auto is_first = hn::RebindMask(d, hn::Eq(lane, hn::Zero(di)));
  const V nothing = hn::Set(d, static_cast<T>(-0.0));
  /// Adds the last lane of each lower half of 2·half lanes to its upper half.
  const auto level = [&](Index half, V v) HWY_ATTR {
    const auto from =
        hn::Or(hn::AndNot(hn::Set(di, static_cast<Index>(2 * half - 1)), lane), hn::Set(di, static_cast<Index>(half - 1)));
    const auto upper = hn::RebindMask(d, hn::Eq(hn::And(lane, hn::Set(di, half)), hn::Set(di, half)));
    return hn::Add(v, hn::IfThenElse(upper, hn::TableLookupLanes(v, hn::IndicesFromVec(d, from)), nothing));
  };
  V carry = hn::Set(d, before);
  const auto scan = [&](const T* from, T* to) HWY_ATTR {
    V sums[kRegisters];
    for (std::size_t r = 0; r < kRegisters; ++r) {
      sums[r] = hn::LoadU(d, from + r * N);
      if constexpr (N > 1) sums[r] = level(1, sums[r]);
      if constexpr (N > 2) sums[r] = level(2, sums[r]);
      if constexpr (N > 4) sums[r] = level(4, sums[r]);
    }
    for (std::size_t half = 1; half < kRegisters; half *= 2)
      for (std::size_t r = 0; r < kRegisters; ++r)
        if ((r & half) != 0) sums[r] = hn::Add(sums[r], hn::TableLookupLanes(sums[(r & ~(2 * half - 1)) + half - 1], last));
    V ahead = carry;
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const V running = hn::Add(carry, sums[r]);
      if constexpr (kExclusive) {
        hn::StoreU(hn::IfThenElse(is_first, ahead, hn::TableLookupLanes(running, previous)), d, to + r * N);
        ahead = hn::TableLookupLanes(running, last);
      } else {
        hn::StoreU(running, d, to + r * N);
      }
    }
    // As the last lane of what was stored, but without waiting for it.
    carry = hn::Add(carry, hn::TableLookupLanes(sums[kRegisters - 1], last));
  };
  std::size_t i = 0;
  for (; i + kScanned <= n; i += kScanned) scan(x + i, out + i);
  if (i < n) {
    HWY_ALIGN T rest[kScanned] = {};
    for (std::size_t l = 0; i + l < n; ++l) rest[l] = x[i + l];
    scan(rest, rest);
    for (std::size_t l = 0; i + l < n; ++l) out[i + l] = rest[l];
  }
  return hn::GetLane(carry);
}

/// Of bytes, the same in any order: sixteen at a time, each of which gets the one before it added, then the two before, the four
/// and the eight.
template <bool kExclusive>
std::uint8_t running_sums_of_bytes(const std::uint8_t* x, std::uint8_t* out, std::uint8_t before, std::size_t n) {
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::CappedTag<std::uint8_t, 16> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  static_assert(N == 16);
  const auto last = hn::Set(d, N - 1);
  auto carry = hn::Set(d, before);
  for (; i + N <= n; i += N) {
    const auto v = hn::LoadU(d, x + i);
    auto sums = hn::Add(v, hn::ShiftLeftBytes<1>(d, v));
    sums = hn::Add(sums, hn::ShiftLeftBytes<2>(d, sums));
    sums = hn::Add(sums, hn::ShiftLeftBytes<4>(d, sums));
    sums = hn::Add(sums, hn::ShiftLeftBytes<8>(d, sums));
    hn::StoreU(hn::Add(carry, kExclusive ? hn::Sub(sums, v) : sums), d, out + i);
    carry = hn::Add(carry, hn::TableLookupBytes(sums, last));
  }
  before = hn::GetLane(carry);
#endif
  for (; i < n; ++i) {
    const auto next = static_cast<std::uint8_t>(before + x[i]);
    out[i] = kExclusive ? before : next;
    before = next;
  }
  return before;
}

// ---- extremes ----

/// The better of two elements: the lesser (or greater), NaN if either is, −0 before +0.
template <bool kLeast, class T>
T better(T a, T b) {
  if constexpr (kLeast)
    return named::lesser(a, b);
  else
    return named::greater(a, b);
}

/// The least (or greatest) of n elements; NaN if any is NaN; −0 is less than +0. The instruction that compares sees neither of the
/// last two. So beside it goes a sum of v·0, which is NaN if any v is NaN or infinite, and the bitwise or (and) of all v: if the
/// least is a zero, no v is negative but −0, so a sign bit in the or says that there was one. Where that sum is NaN, elements are
/// looked at one by one.
template <bool kLeast, class T>
T extreme(const T* x, std::size_t n) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRegisters = 4;
  constexpr bool kFloat = std::is_floating_point_v<T>;
  using V = hn::Vec<decltype(d)>;
  const auto one_by_one = [x, n]() HWY_ATTR {
    T best = x[0];
    for (std::size_t i = 1; i < n; ++i) best = better<kLeast>(best, x[i]);
    return best;
  };
  if (n < N) return one_by_one();
  const auto pick = [](V a, V b) HWY_ATTR { return kLeast ? hn::Min(a, b) : hn::Max(a, b); };
  const auto join = [](V a, V b) HWY_ATTR { return kLeast ? hn::Or(a, b) : hn::And(a, b); };
  V bests[kRegisters];
  V signs[kRegisters];
  V poison[kRegisters];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRegisters; ++r) {
    bests[r] = signs[r] = hn::LoadU(d, x);
    poison[r] = hn::Zero(d);
  }
  const auto look = [&](std::size_t r, V v) HWY_ATTR {
    bests[r] = pick(v, bests[r]);
    if constexpr (kFloat) {
      signs[r] = join(v, signs[r]);
      poison[r] = hn::MulAdd(v, hn::Zero(d), poison[r]);
    }
  };
  std::size_t i = 0;
  for (; i + kRegisters * N <= n; i += kRegisters * N) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRegisters; ++r) look(r, hn::LoadU(d, x + i + r * N));
  }
  for (; i + N <= n; i += N) look(0, hn::LoadU(d, x + i));
  look(1, hn::LoadU(d, x + n - N));  // looking at an element twice does no harm
  HWY_ALIGN T lanes[N];
  hn::Store(pick(pick(bests[0], bests[1]), pick(bests[2], bests[3])), d, lanes);
  T best = lanes[0];
  for (const T lane : lanes) best = (kLeast ? lane < best : lane > best) ? lane : best;
  if constexpr (kFloat) {
    const V poisons = hn::Add(hn::Add(poison[0], poison[1]), hn::Add(poison[2], poison[3]));
    if (!hn::AllFalse(d, hn::IsNaN(poisons))) return one_by_one();
    if (best == 0) {
      hn::Store(join(join(signs[0], signs[1]), join(signs[2], signs[3])), d, lanes);
      bool negative = !kLeast;
      for (const T lane : lanes) negative = kLeast ? negative || std::signbit(lane) : negative && std::signbit(lane);
      return negative ? T{-0.0} : T{0.0};
    }
  }
  return best;
}

template <class T>
constexpr Kernels<T> make() {
  Kernels<T> k{};
  k.sum = plain_sum<T>;
  k.dot = dot<T>;
  if constexpr (std::is_floating_point_v<T>) {
    k.sum_of_doubles = sum_of_doubles<T>;
    k.sum_of_magnitudes = sum_of_magnitudes<T>;
  }
  k.min = extreme<true, T>;
  k.max = extreme<false, T>;
  if constexpr (sizeof(T) == 1) {
    k.inclusive_sums = running_sums_of_bytes<false>;
    k.exclusive_sums = running_sums_of_bytes<true>;
  } else {
    k.inclusive_sums = running_sums<false, T>;
    k.exclusive_sums = running_sums<true, T>;
  }
  return k;
}

}  // namespace

constexpr auto kTables = PerType<Kernels>::made_by([]<class T>() { return make<T>(); });

/// As simd::stream_lines.
void stream_lines(unsigned char* to, const unsigned char* from, std::size_t bytes) {
#if HWY_TARGET == HWY_SCALAR
  std::memcpy(to, from, bytes);
#else
  const hn::ScalableTag<std::uint8_t> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  static_assert(kLine % N == 0);
  for (std::size_t i = 0; i < bytes; i += kLine)
    for (std::size_t k = 0; k < kLine; k += N) hn::Stream(hn::LoadU(d, from + i + k), d, to + i + k);
#endif
}

}  // namespace furrow::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {
namespace simd {
namespace {

struct InstructionSet {
  const char* name;
  std::int64_t target;  // Highway's bit for it; 0: the one every processor of this kind has
  const PerType<Kernels>* tables;
  void (*stream_lines)(unsigned char*, const unsigned char*, std::size_t);
};

#define FURROW_INSTRUCTION_SET(name, target, space) \
  { name, target, &space::kTables, space::stream_lines }

/// Those of this build, best first.
constexpr InstructionSet kBuilt[] = {
#if HWY_TARGETS & HWY_AVX3
    FURROW_INSTRUCTION_SET("avx512", HWY_AVX3, N_AVX3),
#endif
#if HWY_TARGETS & HWY_AVX2
    FURROW_INSTRUCTION_SET("avx2", HWY_AVX2, N_AVX2),
#endif
#if HWY_TARGETS & HWY_SSE4
    FURROW_INSTRUCTION_SET("sse4", HWY_SSE4, N_SSE4),
#endif
#if HWY_TARGETS & HWY_SSSE3
    FURROW_INSTRUCTION_SET("ssse3", HWY_SSSE3, N_SSSE3),
#endif
    FURROW_INSTRUCTION_SET("baseline", 0, HWY_NAMESPACE),
};
#undef FURROW_INSTRUCTION_SET

std::vector<const InstructionSet*> available() {
  const std::int64_t here = hwy::SupportedTargets();
  std::vector<const InstructionSet*> list;
  for (const InstructionSet& set : kBuilt)
    if (set.target == 0 || (here & set.target) != 0) list.push_back(&set);
  return list;
}

const InstructionSet& choose() {
  const std::vector<const InstructionSet*> list = available();
  const char* wanted = std::getenv("FURROW_ISA");
  if (wanted == nullptr || *wanted == '\0') return *list.front();
  std::string names;
  for (const InstructionSet* set : list) {
    if (std::string(set->name) == wanted) return *set;
    names += (names.empty() ? "" : ", ") + std::string(set->name);
  }
  fail("FURROW_ISA=\"" + std::string(wanted) + "\" is not an instruction set of this processor and build; it has: " + names);
}

const InstructionSet& chosen() {
  static const InstructionSet& set = choose();
  return set;
}

}  // namespace

void stream_lines(unsigned char* to, const unsigned char* from, std::size_t bytes) {
  chosen().stream_lines(to, from, bytes);
}

template <NamedElement T>
const Kernels<T>& kernels() {
  return chosen().tables->of<T>();
}
#define FURROW_INSTANTIATE(T) template const Kernels<T>& kernels();
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace simd

std::string instruction_set() {
  return simd::chosen().name;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const simd::InstructionSet* set : simd::available()) names.emplace_back(set->name);
  return names;
}

}  // namespace furrow
#endif  // HWY_ONCE
