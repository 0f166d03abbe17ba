#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
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

/// work(Arrays<T>) with the operands' element type.
template <class Work>
void with_arrays(table::Operands& operands, const Work& work) {
  with_type(operands.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    work(Arrays<T>{operands.a<T>().data(), operands.b<T>().data(), operands.out<T>().data(), table::Operands::scalar<T>(),
                   operands.size()});
  });
}

/// Nothing, in such a way that no compiler leaves out the region around it.
inline void empty_task() {
  asm volatile("");
}

// Element-wise: out[i] = at(a[i], b[i], out[i], s). V is an element or a SIMD register of them; `inputs` are those of a, b that it
// reads.
struct Fill {
  static constexpr int inputs = 0;
  template <class V>
  static V at(V, V, V, V s) {
    return s;
  }
};
struct Copy {
  static constexpr int inputs = 1;
  template <class V>
  static V at(V a, V, V, V) {
    return a;
  }
};
struct Square {
  static constexpr int inputs = 1;
  template <class V>
  static V at(V a, V, V, V) {
    return a * a;
  }
};
struct Sqrt {
  static constexpr int inputs = 1;
  template <class V>
  static V at(V a, V, V, V) {
    return static_cast<V>(std::sqrt(a));
  }
};
struct Add {
  static constexpr int inputs = 2;
  template <class V>
  static V at(V a, V b, V, V) {
    return a + b;
  }
};
struct Mul {
  static constexpr int inputs = 2;
  template <class V>
  static V at(V a, V b, V, V) {
    return a * b;
  }
};
struct Axpy {  // in place
  static constexpr int inputs = 1;
  template <class V>
  static V at(V a, V, V out, V s) {
    return s * a + out;
  }
};
struct Triad {
  static constexpr int inputs = 2;
  template <class V>
  static V at(V a, V b, V, V s) {
    return a + s * b;
  }
};

struct Scale {  // in place
  static constexpr int inputs = 0;
  template <class V>
  static V at(V, V, V out, V s) {
    return s * out;
  }
};
struct MulAdd {
  static constexpr int inputs = 2;
  template <class V>
  static V at(V a, V b, V, V) {
    return a * b + a;
  }
};

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
  template <class V>
  static V term(V a, V) {
    return a;
  }
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
  template <class V>
  static V term(V a, V b) {
    return a * b;
  }
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
  template <class V>
  static V term(V a, V b) {
    return (a + b) * (a + b);
  }
};
struct Min {
  static constexpr int inputs = 1;
  template <class T>
  using Result = T;
  template <class R>
  static constexpr R identity() {
    return std::numeric_limits<R>::has_infinity ? std::numeric_limits<R>::infinity() : std::numeric_limits<R>::max();
  }
  template <class V>
  static V term(V a, V) {
    return a;
  }
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

/// The calls of `small_calls`: each does the elements [begin, end).
template <class Call>
void small_calls(std::size_t n, const Call& call) {
  constexpr std::size_t kCall = 1024;
  for (std::size_t begin = 0; begin < n; begin += kCall) call(begin, std::min(begin + kCall, n));
}

}  // namespace
}  // namespace furrow::bench
