#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include "benchmarks/peers/peer.hpp"

// What the kernels compute for one element; each peer puts its own loop around it. In an anonymous namespace, because each file is
// compiled for several instruction sets.

namespace furrow::bench {
namespace {

template <class T>
struct Arrays {
  const T* a;
  const T* b;
  T* out;
  T s;
  std::size_t n;

  /// The output in the place of the first input.
  Arrays reading_out() const { return {out, b, out, s, n}; }
};

// What integers do is the same with -ffast-math as without it.
#if defined(__FAST_MATH__)
constexpr bool kOnlyFractions = true;
#else
constexpr bool kOnlyFractions = false;
#endif

/// work(Arrays<T>) with the operands' element type; nothing for bytes, and with only_fractions nothing for integers.
template <bool only_fractions = kOnlyFractions, class Work>
void with_arrays(table::Operands& operands, const Work& work) {
  with_type(operands.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T> || (sizeof(T) > 1 && !(only_fractions || kOnlyFractions))) {
      work(Arrays<T>{operands.a<T>().data(), operands.b<T>().data(), operands.out<T>().data(), table::Operands::scalar<T>(),
                     operands.size()});
    }
  });
}

/// Nothing, in such a way that no compiler leaves out the region around it.
inline void empty_task() {
  asm volatile("");
}

// Element-wise: out[i] = at(a[i], b[i], out[i], s), of elements, SIMD registers, or the expressions of a library, whose functions
// are found beside its types. `inputs` are those of a, b that it reads.
struct Fill {
  static constexpr int inputs = 0;
  static constexpr bool only_fractions = false;
  static auto at(const auto&, const auto&, const auto&, const auto& s) { return s; }
};
struct Copy {
  static constexpr int inputs = 1;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto&, const auto&, const auto&) { return a; }
};
struct Square {
  static constexpr int inputs = 1;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto&, const auto&, const auto&) { return a * a; }
};
struct Add {
  static constexpr int inputs = 2;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto& b, const auto&, const auto&) { return a + b; }
};
struct Mul {
  static constexpr int inputs = 2;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto& b, const auto&, const auto&) { return a * b; }
};
struct Axpy {  // in place
  static constexpr int inputs = 1;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto&, const auto& out, const auto& s) { return s * a + out; }
};
struct Triad {
  static constexpr int inputs = 2;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto& b, const auto&, const auto& s) { return a + s * b; }
};
struct Scale {  // in place
  static constexpr int inputs = 0;
  static constexpr bool only_fractions = false;
  static auto at(const auto&, const auto&, const auto& out, const auto& s) { return s * out; }
};
struct MulAdd {
  static constexpr int inputs = 2;
  static constexpr bool only_fractions = false;
  static auto at(const auto& a, const auto& b, const auto&, const auto&) { return a * b + a; }
};

/// A mathematical function of one or two inputs.
template <int inputs_, auto f>
struct Function {
  static constexpr int inputs = inputs_;
  static constexpr bool only_fractions = true;
  static auto at(const auto& a, const auto& b, const auto&, const auto&) {
    if constexpr (inputs == 1)
      return f(a);
    else
      return f(a, b);
  }
};
using Sqrt = Function<1, [](const auto& v) {
  using std::sqrt;
  return sqrt(v);
}>;
/// Several operations in one pass, or as many as the library's expressions allow.
struct Fused {
  static constexpr int inputs = 1;
  static constexpr bool only_fractions = true;
  static auto at(const auto& a, const auto&, const auto&, const auto& s) {
    using std::abs;
    using std::sqrt;
    return s * a + s * sqrt(abs(a)) + s;
  }
};
using Floor = Function<1, [](const auto& v) {
  using std::floor;
  return floor(v);
}>;
using Cbrt = Function<1, [](const auto& v) {
  using std::cbrt;
  return cbrt(v);
}>;
using Exp = Function<1, [](const auto& v) {
  using std::exp;
  return exp(v);
}>;
using Log = Function<1, [](const auto& v) {
  using std::log;
  return log(v);
}>;
using Sin = Function<1, [](const auto& v) {
  using std::sin;
  return sin(v);
}>;
using Cos = Function<1, [](const auto& v) {
  using std::cos;
  return cos(v);
}>;
using Tan = Function<1, [](const auto& v) {
  using std::tan;
  return tan(v);
}>;
using Atan = Function<1, [](const auto& v) {
  using std::atan;
  return atan(v);
}>;
using Tanh = Function<1, [](const auto& v) {
  using std::tanh;
  return tanh(v);
}>;
using Erf = Function<1, [](const auto& v) {
  using std::erf;
  return erf(v);
}>;
using Pow = Function<2, [](const auto& v, const auto& w) {
  using std::pow;
  return pow(v, w);
}>;
using Hypot = Function<2, [](const auto& v, const auto& w) {
  using std::hypot;
  return hypot(v, w);
}>;

// Reductions: finish(join of term(a[i], b[i]) for all i, s), which starts from identity().
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, std::int32_t>, std::int64_t, T>;

struct Sum {
  static constexpr int inputs = 1;
  template <class T>
  using Result = Wide<T>;
  template <class R>
  static constexpr R identity() {
    return 0;
  }
  static auto term(const auto& a, const auto&) { return a; }
  template <class V>
  static V join(V x, V y) {
    return x + y;
  }
  template <class R>
  static R finish(R total, R) {
    return total;
  }
};
struct Dot : Sum {
  static constexpr int inputs = 2;
  static auto term(const auto& a, const auto& b) { return a * b; }
};
struct SumFrom : Sum {
  template <class T>
  using Result = T;
  template <class R>
  static R finish(R total, R s) {
    return s + total;
  }
};
struct SquaredSums : SumFrom {
  static constexpr int inputs = 2;
  static auto term(const auto& a, const auto& b) { return (a + b) * (a + b); }
};
struct Min {
  static constexpr int inputs = 1;
  template <class T>
  using Result = T;
  template <class R>
  static constexpr R identity() {
    return std::numeric_limits<R>::has_infinity ? std::numeric_limits<R>::infinity() : std::numeric_limits<R>::max();
  }
  static auto term(const auto& a, const auto&) { return a; }
  template <class V>
  static V join(V x, V y) {
    return y < x ? y : x;
  }
  template <class R>
  static R finish(R least, R) {
    return least;
  }
};
struct Max : Min {
  template <class R>
  static constexpr R identity() {
    return std::numeric_limits<R>::has_infinity ? -std::numeric_limits<R>::infinity() : std::numeric_limits<R>::lowest();
  }
  template <class V>
  static V join(V x, V y) {
    return x < y ? y : x;
  }
};

/// Running sums of the elements [begin, end), of which those before come to `total`; returns what those before the next part do.
template <bool inclusive, class T>
T scan_part(Arrays<T> x, std::size_t begin, std::size_t end, T total) {
  for (std::size_t i = begin; i < end; ++i) {
    if constexpr (!inclusive) x.out[i] = x.s + total;
    total = total + x.a[i];
    if constexpr (inclusive) x.out[i] = total;
  }
  return total;
}

/// What indices are taken from and written as: unsigned integers of the element type's size.
template <class T>
using Index = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
auto as_indices(T* x) {
  return reinterpret_cast<std::conditional_t<std::is_const_v<T>, const Index<T>, Index<T>>*>(x);
}

// Order: predicates and comparisons of `stable_sort`, `copy_if`, `unique` and the like.
struct NotS {
  bool operator()(auto v) const { return v != table::Operands::scalar<decltype(v)>(); }
};
struct Positive {
  bool operator()(auto v) const { return v > 0; }
};
struct SameSign {
  bool operator()(auto v, auto w) const { return Positive{}(v) == Positive{}(w); }
};
struct Less {
  bool operator()(auto v, auto w) const { return v < w; }
};
struct ByFallingSquare {
  bool operator()(auto v, auto w) const { return v * v > w * w; }
};

/// Indices by the elements of a that they name; equal ones by themselves where a sort is not stable.
template <class T, bool breaks_ties>
struct ByElement {
  const T* a;
  bool operator()(auto i, auto j) const {
    if constexpr (breaks_ties) return a[i] < a[j] || (!(a[j] < a[i]) && i < j);
    return a[i] < a[j];
  }
};

/// sort(first, last, less) of the indices 0 … n - 1, written to `out`.
template <bool stable, class Sort>
void argsort_by(table::Operands& operands, const Sort& sort) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    Index<T>* const indices = as_indices(x.out);
    std::iota(indices, indices + x.n, Index<T>{0});
    sort(indices, indices + x.n, ByElement<T, !stable>{x.a});
  });
}

/// select(first, nth, last) on a copy of a.
template <class Select>
void nth_element_by(table::Operands& operands, const Select& select) {
  with_arrays(operands, [&](const auto& x) {
    std::copy_n(x.a, x.n, x.out);
    if (x.n != 0) select(x.out, x.out + x.n / 2, x.out + x.n);
  });
}

// Which elements go to the front of `out`, in order; `others`: whether the rest follows them.
struct CopyIf {
  static constexpr bool others = false;
  static bool keeps(const auto* a, std::size_t i) { return Positive{}(a[i]); }
};
struct Partition : CopyIf {
  static constexpr bool others = true;
};
struct Unique {
  static constexpr bool others = false;
  static bool keeps(const auto* a, std::size_t i) { return i == 0 || !SameSign{}(a[i - 1], a[i]); }
};

template <class Kernel, class T>
std::size_t count_kept(const T* a, std::size_t begin, std::size_t end) {
  std::size_t kept = 0;
  for (std::size_t i = begin; i < end; ++i) kept += Kernel::keeps(a, i) ? 1 : 0;
  return kept;
}

/// Moves the elements [begin, end), before which `kept` are kept, of `all_kept`; returns how many are kept before the next part.
template <class Kernel, class T>
std::size_t move_kept(Arrays<T> x, std::size_t begin, std::size_t end, std::size_t kept, [[maybe_unused]] std::size_t all_kept) {
  for (std::size_t i = begin; i < end; ++i) {
    if (Kernel::keeps(x.a, i))
      x.out[kept++] = x.a[i];
    else if constexpr (Kernel::others)
      x.out[all_kept + i - kept] = x.a[i];
  }
  return kept;
}

// Moves of single elements: at(x, i) writes one.
template <class T>
std::size_t index_of(const T* element) {
  Index<T> index;
  std::memcpy(&index, element, sizeof index);
  return index;
}
struct Gather {
  static void at(const auto& x, std::size_t i) { x.out[i] = x.a[index_of(x.b + i)]; }
};
struct Scatter {
  static void at(const auto& x, std::size_t i) { x.out[index_of(x.b + i)] = x.a[i]; }
};
struct Reverse {
  static void at(const auto& x, std::size_t i) { x.out[i] = x.a[x.n - 1 - i]; }
};

// Tasks: `tasks` of them for n elements; run(operands, task) does one.

/// A matrix as square as n allows, in tiles that fit the first cache.
struct Transpose {
  static constexpr std::size_t kTile = 32;
  static std::size_t height(std::size_t n) {
    auto rows = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
    while (rows > 1 && n % rows != 0) --rows;
    return std::max<std::size_t>(rows, 1);
  }
  static std::size_t across(std::size_t extent) { return (extent + kTile - 1) / kTile; }
  static std::size_t tasks(std::size_t n) { return across(height(n)) * across(n / height(n)); }
  template <class T>
  static void run(const Arrays<T>& x, std::size_t rows, std::size_t task) {
    const std::size_t columns = x.n / rows;
    const std::size_t top = task / across(columns) * kTile;
    const std::size_t left = task % across(columns) * kTile;
    for (std::size_t j = left; j < std::min(left + kTile, columns); ++j)
      for (std::size_t i = top; i < std::min(top + kTile, rows); ++i) x.out[j * rows + i] = x.a[i * columns + j];
  }
};

/// Steps of pixel i of `fractal`. Without contraction, because the number of steps hangs on every bit.
[[maybe_unused, gnu::optimize("fp-contract=off")]] std::int32_t escape_steps(std::size_t i, std::size_t n) {
  constexpr std::size_t kWidth = 256;
  constexpr int kMost = 256;
  const double height = static_cast<double>(n / kWidth + 1);
  const double re = -1.5 + 2.0 * static_cast<double>(i % kWidth) / kWidth;
  const double im = 1.2 * static_cast<double>(i / kWidth) / height;
  double x = 0;
  double y = 0;
  int steps = 0;
  for (; steps < kMost && x * x + y * y <= 4; ++steps) {
    const double next = x * x - y * y + re;
    y = 2 * x * y + im;
    x = next;
  }
  return steps;
}
constexpr std::size_t kRow = 256;  // pixels

/// Outer task k of `nested_calls` does the elements [part_begin(k, n), part_begin(k + 1, n)).
constexpr std::size_t kParts = 16;
constexpr std::size_t part_begin(std::size_t k, std::size_t n) {
  constexpr std::size_t kAll = kParts * (kParts + 1) / 2;
  return k == kParts ? n : n / kAll * (k * (k + 1) / 2);
}
template <class T>
void nested_element(const Arrays<T>& x, std::size_t i) {
  x.out[i] = x.a[i] * static_cast<T>(std::sqrt(std::abs(x.b[i])));
}

/// The cells of `wavefront`, 256 to a row, of one element each up to 65,536 elements.
struct Cells {
  static constexpr std::size_t kWidth = 256;
  static constexpr int kRuns = 16;  // of `wavefront_16`

  std::size_t length;
  std::size_t count;
  explicit Cells(std::size_t n) : length(n / 65537 + 1), count((n + length - 1) / length) {}

  static bool has_before(std::size_t cell) { return cell % kWidth > 0; }
  static bool has_above(std::size_t cell) { return cell >= kWidth; }
  template <class T>
  static void compute(const Arrays<T>& x, std::size_t length, std::size_t cell) {
    for (std::size_t i = cell * length; i < std::min(x.n, (cell + 1) * length); ++i) {
      const T before = has_before(cell) ? x.out[i - length] : T{0};
      const T above = has_above(cell) ? x.out[i - kWidth * length] : T{0};
      x.out[i] = x.a[i] + (before + above) / 2;
    }
  }
};

/// The calls of `small_calls`: each does the elements [begin, end).
template <class Call>
void small_calls(std::size_t n, const Call& call) {
  constexpr std::size_t kCall = 4096;
  for (std::size_t begin = 0; begin < n; begin += kCall) call(begin, std::min(begin + kCall, n));
}
template <class T>
T over_length(T a, T b) {
  return a / static_cast<T>(std::sqrt(1 + b * b));
}

/// The tables of a peer's parts as one.
template <std::size_t... n>
constexpr auto joined(const std::array<Peer, n>&... parts) {
  std::array<Peer, (0 + ... + n)> all{};
  std::size_t at = 0;
  const auto append = [&](const auto& part) {
    for (Peer peer : part) {
      peer.only_fractions |= kOnlyFractions;
      all[at++] = peer;
    }
  };
  (append(parts), ...);
  return all;
}

/// The same, for float and double alone.
template <std::size_t n>
constexpr std::array<Peer, n> fractions_only(std::array<Peer, n> peers) {
  for (Peer& peer : peers) peer.only_fractions = true;
  return peers;
}

// The tables of a peer, from its loops: a class whose run<Kernel> is a PeerFunction.

template <class Loop, class Kernel>
constexpr Peer named(std::string_view kernel) {
  return {kernel, Loop::template run<Kernel>};
}
template <class Loop>
constexpr std::array kElementWise{
    named<Loop, Fill>("fill"),        named<Loop, Copy>("copy"),         named<Loop, Square>("square"),
    named<Loop, Sqrt>("sqrt"),        named<Loop, Add>("add"),           named<Loop, Mul>("mul"),
    named<Loop, Axpy>("axpy"),        named<Loop, Triad>("triad"),       named<Loop, Scale>("for_each"),
    named<Loop, Square>("transform"), named<Loop, MulAdd>("transform2"), named<Loop, Add>("for_each_index"),
    named<Loop, Fused>("fused"),
};
template <class Loop>
constexpr std::array kReductions{
    named<Loop, Sum>("sum"), named<Loop, Dot>("dot"),        named<Loop, Min>("min"),
    named<Loop, Max>("max"), named<Loop, SumFrom>("reduce"), named<Loop, SquaredSums>("transform_reduce"),
};
/// The functions that every array library has.
template <class Loop>
constexpr std::array kFunctions{
    named<Loop, Floor>("floor"), named<Loop, Exp>("exp"), named<Loop, Log>("log"),   named<Loop, Sin>("sin"),
    named<Loop, Cos>("cos"),     named<Loop, Tan>("tan"), named<Loop, Atan>("atan"), named<Loop, Tanh>("tanh"),
};
/// Those that some do not have.
template <class Loop>
constexpr std::array kRarerFunctions{
    named<Loop, Cbrt>("cbrt"),
    named<Loop, Erf>("erf"),
    named<Loop, Pow>("pow"),
    named<Loop, Hypot>("hypot"),
};
template <class Loop>
constexpr std::array kCompactions{
    named<Loop, CopyIf>("copy_if"),
    named<Loop, Partition>("partition"),
    named<Loop, Unique>("unique"),
};
template <class Loop>
constexpr std::array kMoves{
    named<Loop, Gather>("gather"),
    named<Loop, Scatter>("scatter"),
    named<Loop, Reverse>("reverse"),
};

}  // namespace
}  // namespace furrow::bench
