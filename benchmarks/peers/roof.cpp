#include <immintrin.h>

#include <cstring>

#include "benchmarks/peers/formulas.hpp"

// Loops by hand, with everything known about this processor family: what the machine allows. Each kernel is here in variants
// (streaming or ordinary stores; one thread or all), because no single one is best at all sizes; the fastest stands for the roof.

namespace furrow::bench {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t kWidth = 64;
void stream_register(void* to, const void* from) {
  _mm512_stream_si512(static_cast<__m512i*>(to), *static_cast<const __m512i*>(from));
}
#elif defined(__AVX2__)
constexpr std::size_t kWidth = 32;
void stream_register(void* to, const void* from) {
  _mm256_stream_si256(static_cast<__m256i*>(to), *static_cast<const __m256i*>(from));
}
#else
constexpr std::size_t kWidth = 16;
void stream_register(void* to, const void* from) {
  _mm_stream_si128(static_cast<__m128i*>(to), *static_cast<const __m128i*>(from));
}
#endif

template <class T, std::size_t bytes = kWidth>
struct RegisterOf {
  typedef T type __attribute__((vector_size(bytes)));
};
template <class T>
using Register = typename RegisterOf<T>::type;
template <class T>
constexpr std::size_t kLanes = kWidth / sizeof(T);

template <class V, class T>
V load(const T* from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
Register<T> broadcast(T value) {
  return Register<T>{} + value;
}

/// Elements come a cache line or two at a time.
constexpr std::size_t kUnroll = 4;

/// The share of thread `me` of [0, n), which begins at a multiple of 4096 elements.
struct Share {
  std::size_t begin, end;
  Share(std::size_t n, int me, int threads) {
    constexpr std::size_t kAlign = 4096;
    const std::size_t whole = n / kAlign;
    const auto at = [&](int t) {
      return t == threads ? n : whole * static_cast<std::size_t>(t) / static_cast<std::size_t>(threads) * kAlign;
    };
    begin = at(me);
    end = at(me + 1);
  }
};

/// work(me) for each of `threads` threads.
template <class Work>
void on_all(int threads, const Work& work) {
#pragma omp parallel for schedule(static, 1) num_threads(threads)
  for (int me = 0; me < threads; ++me) work(me);
}

/// Arrays by value here and below: compilers then know that no store changes a pointer.
template <class Kernel, bool stream, class T>
void sweep(Arrays<T> x, std::size_t i, std::size_t end) {
  using V = Register<T>;
  const V s = broadcast(x.s);
  const auto one = [&](std::size_t at) { x.out[at] = Kernel::at(x.a[at], x.b[at], x.out[at], x.s); };
  for (; i < end && reinterpret_cast<std::uintptr_t>(x.out + i) % 64 != 0; ++i) one(i);
  for (; i + kUnroll * kLanes<T> <= end; i += kUnroll * kLanes<T>) {
    V values[kUnroll];
    for (std::size_t u = 0; u < kUnroll; ++u) {
      const std::size_t at = i + u * kLanes<T>;
      values[u] = Kernel::at(load<V>(x.a + at), load<V>(x.b + at), load<V>(x.out + at), s);
    }
    for (std::size_t u = 0; u < kUnroll; ++u) {
      T* const to = x.out + i + u * kLanes<T>;
      if constexpr (stream) {
        stream_register(to, &values[u]);
      } else {
        std::memcpy(to, &values[u], kWidth);
      }
    }
  }
  for (; i < end; ++i) one(i);
  if constexpr (stream) _mm_sfence();
}

template <class Kernel, bool stream, bool parallel>
void each(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    if constexpr (!parallel) return sweep<Kernel, stream>(x, 0, x.n);
    on_all(threads, [&](int me) {
      const Share share(x.n, me, threads);
      sweep<Kernel, stream>(x, share.begin, share.end);
    });
  });
}

/// As many elements as a register of results holds, as results.
template <class R, class T>
Register<R> load_as(const T* from) {
  if constexpr (std::is_same_v<R, T>) {
    return load<Register<R>>(from);
  } else {
    return __builtin_convertvector(load<typename RegisterOf<T, kWidth / sizeof(R) * sizeof(T)>::type>(from), Register<R>);
  }
}

template <class Kernel, class R, class T>
R partial(Arrays<T> x, std::size_t i, std::size_t end) {
  constexpr std::size_t kAccumulators = 8;  // hides the latency of an addition, 3 to 4 cycles, at two a cycle
  using V = Register<R>;
  V sums[kAccumulators];
  for (V& sum : sums) sum = broadcast(Kernel::template identity<R>());
  constexpr std::size_t kStep = kAccumulators * kLanes<R>;
  for (; i + kStep <= end; i += kStep) {
    for (std::size_t u = 0; u < kAccumulators; ++u) {
      const std::size_t at = i + u * kLanes<R>;
      sums[u] = Kernel::join(sums[u], Kernel::term(load_as<R>(x.a + at), load_as<R>(x.b + at)));
    }
  }
  for (std::size_t half = kAccumulators / 2; half > 0; half /= 2)
    for (std::size_t u = 0; u < half; ++u) sums[u] = Kernel::join(sums[u], sums[u + half]);
  R result = Kernel::template identity<R>();
  for (std::size_t lane = 0; lane < kLanes<R>; ++lane) result = Kernel::join(result, static_cast<R>(sums[0][lane]));
  for (; i < end; ++i) result = Kernel::join(result, Kernel::term(static_cast<R>(x.a[i]), static_cast<R>(x.b[i])));
  return result;
}

template <class Kernel, bool parallel>
void reduce(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    using R = typename Kernel::template Result<T>;
    const auto done = [&](R result) { operands.set_result(Kernel::finish(result, static_cast<R>(x.s))); };
    if constexpr (!parallel) return done(partial<Kernel, R>(x, 0, x.n));
    constexpr int kMost = 1024;
    struct alignas(64) Slot {
      R value;
    };
    static Slot slots[kMost];
    threads = std::min(threads, kMost);
    on_all(threads, [&](int me) {
      const Share share(x.n, me, threads);
      slots[me].value = partial<Kernel, R>(x, share.begin, share.end);
    });
    R result = slots[0].value;
    for (int t = 1; t < threads; ++t) result = Kernel::join(result, slots[t].value);
    done(result);
  });
}

/// Independent chains of multiply-adds, as many as hide their latency: 4 cycles at two a cycle, and a few more where there are
/// registers for them. Values tend to 2.
template <class T>
T multiply_adds() {
  constexpr std::size_t kChains = kWidth == 64 ? 16 : 12;
  const Register<T> half = broadcast(static_cast<T>(0.5));
  const Register<T> one = broadcast(static_cast<T>(1));
  Register<T> values[kChains];
  for (std::size_t u = 0; u < kChains; ++u) values[u] = broadcast(static_cast<T>(u));
  for (std::size_t done = 0; done < kMultiplyAdds; done += kChains * kLanes<T>)
    for (Register<T>& value : values) value = value * half + one;
  T sum = 0;
  for (const Register<T>& value : values)
    for (std::size_t lane = 0; lane < kLanes<T>; ++lane) sum += value[lane];
  return sum;
}

void fma_rate(table::Operands& operands, int threads) {
  with_arrays(operands, [&]<class T>(const Arrays<T>& x) {
    on_all(threads, [&](int me) { x.out[static_cast<std::size_t>(me) % x.n] = multiply_adds<T>(); });
  });
}

struct SqrtByHand {
  template <class V>
  static V at(V a, V, V, V) {
    if constexpr (std::is_arithmetic_v<V>) {
      return static_cast<V>(std::sqrt(a));
    } else {
      using T = std::remove_cvref_t<decltype(a[0])>;
#if defined(__AVX512F__)
      // maskz: the plain forms make GCC 12 warn of uninitialised variables in its own header.
      if constexpr (std::is_same_v<T, double>) return reinterpret_cast<V>(_mm512_maskz_sqrt_pd(0xFF, reinterpret_cast<__m512d>(a)));
      if constexpr (std::is_same_v<T, float>) return reinterpret_cast<V>(_mm512_maskz_sqrt_ps(0xFFFF, reinterpret_cast<__m512>(a)));
#elif defined(__AVX2__)
      if constexpr (std::is_same_v<T, double>) return reinterpret_cast<V>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(a)));
      if constexpr (std::is_same_v<T, float>) return reinterpret_cast<V>(_mm256_sqrt_ps(reinterpret_cast<__m256>(a)));
#else
      if constexpr (std::is_same_v<T, double>) return reinterpret_cast<V>(_mm_sqrt_pd(reinterpret_cast<__m128d>(a)));
      if constexpr (std::is_same_v<T, float>) return reinterpret_cast<V>(_mm_sqrt_ps(reinterpret_cast<__m128>(a)));
#endif
      return a;  // integers have no square root kernel
    }
  }
};

template <class Kernel>
constexpr PeerFunction kOneThread = each<Kernel, false, false>;
template <class Kernel>
constexpr PeerFunction kThreads = each<Kernel, false, true>;
template <class Kernel>
constexpr PeerFunction kStreaming = each<Kernel, true, true>;

constexpr Peer kPeers[] = {
    {"fill", kOneThread<Fill>},
    {"fill", kThreads<Fill>},
    {"fill", kStreaming<Fill>},
    {"copy", kOneThread<Copy>},
    {"copy", kThreads<Copy>},
    {"copy", kStreaming<Copy>},
    {"square", kOneThread<Square>},
    {"square", kThreads<Square>},
    {"square", kStreaming<Square>},
    {"sqrt", kOneThread<SqrtByHand>},
    {"sqrt", kThreads<SqrtByHand>},
    {"sqrt", kStreaming<SqrtByHand>},
    {"add", kOneThread<Add>},
    {"add", kThreads<Add>},
    {"add", kStreaming<Add>},
    {"mul", kOneThread<Mul>},
    {"mul", kThreads<Mul>},
    {"mul", kStreaming<Mul>},
    {"axpy", kOneThread<Axpy>},
    {"axpy", kThreads<Axpy>},
    {"triad", kOneThread<Triad>},
    {"triad", kThreads<Triad>},
    {"triad", kStreaming<Triad>},
    {"sum", reduce<Sum, false>},
    {"sum", reduce<Sum, true>},
    {"dot", reduce<Dot, false>},
    {"dot", reduce<Dot, true>},
    {"min", reduce<Min, false>},
    {"min", reduce<Min, true>},
    {"max", reduce<Max, false>},
    {"max", reduce<Max, true>},
    {"for_each", kOneThread<Scale>},
    {"for_each", kThreads<Scale>},
    {"for_each_index", kOneThread<Add>},
    {"for_each_index", kThreads<Add>},
    {"for_each_index", kStreaming<Add>},
    {"transform", kOneThread<Square>},
    {"transform", kThreads<Square>},
    {"transform", kStreaming<Square>},
    {"transform2", kOneThread<MulAdd>},
    {"transform2", kThreads<MulAdd>},
    {"transform2", kStreaming<MulAdd>},
    {"reduce", reduce<SumFrom, false>},
    {"reduce", reduce<SumFrom, true>},
    {"transform_reduce", reduce<SquaredSums, false>},
    {"transform_reduce", reduce<SquaredSums, true>},
    {"fma_rate", fma_rate},
};

}  // namespace

template <>
std::span<const Peer> roof<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
