// Flows: kernels kept for later and run tile by tile, with the bits of the same calls one after the other.
#include "furrow/kernels/flow.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/sorting.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

constexpr std::size_t kChunk = 8192;  // no tile is shorter, if there are so many elements

// Reductions as statements, given to either.
#define FURROW_STATEMENT(name)                          \
  template <class X, class R>                           \
  void name##_into(Engine& engine, const X& x, R& to) { \
    to = name(engine, x);                               \
  }                                                     \
  template <class X, class R>                           \
  void name##_into(Flow& flow, const X& x, R& to) {     \
    name(flow, x, to);                                  \
  }
FURROW_STATEMENT(sum)
FURROW_STATEMENT(min)
FURROW_STATEMENT(max)
FURROW_STATEMENT(minmax)
FURROW_STATEMENT(argmin)
FURROW_STATEMENT(argmax)
FURROW_STATEMENT(norm1)
FURROW_STATEMENT(norm2)
FURROW_STATEMENT(norm_inf)
FURROW_STATEMENT(mean)
FURROW_STATEMENT(variance)
FURROW_STATEMENT(moments)
#undef FURROW_STATEMENT
template <class X, class R>
void dot_into(Engine& engine, const X& x, const X& y, R& to) {
  to = dot(engine, x, y);
}
template <class X, class R>
void dot_into(Flow& flow, const X& x, const X& y, R& to) {
  dot(flow, x, y, to);
}

/// What a program works on, and all that comes of it.
template <class T>
struct Data {
  explicit Data(std::size_t n) : a(n), b(n), c(n), mask(n), bytes(n) {
    std::mt19937_64 random(n);
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = draw(random);
      b[i] = draw(random);
    }
  }
  static T draw(std::mt19937_64& random) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(random());
    else
      return static_cast<T>(static_cast<std::int64_t>(random())) * static_cast<T>(0x1p-62);  // in [-2, 2)
  }

  std::vector<T> a, b, c;
  std::vector<std::uint8_t> mask, bytes;
  sum_t<T> total = 7, product = 7;
  T low = 7, high = 7, one = 7, two = 7, most = 7;
  Extremes<T> both{7, 7};
  std::size_t lowest = 7, highest = 7;
  double average = 7, spread = 7;
  Moments all{7, 7, 7, 7, 7, 7, 7};

  template <class V>
  static bool same(const V& x, const V& y) {
    return std::memcmp(&x, &y, sizeof(V)) == 0;
  }
  static bool same(const std::vector<T>& x, const std::vector<T>& y) {
    return x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
  }
  bool operator==(const Data& o) const {
    return same(a, o.a) && same(b, o.b) && same(c, o.c) && mask == o.mask && bytes == o.bytes && same(total, o.total) &&
           same(product, o.product) && same(low, o.low) && same(high, o.high) && same(one, o.one) && same(two, o.two) &&
           same(most, o.most) && same(both, o.both) && lowest == o.lowest && highest == o.highest && same(average, o.average) &&
           same(spread, o.spread) && same(all, o.all);
  }
};

/// Every kernel once, for an engine or for a flow.
template <class T, class R>
void all_kernels(R& run, Data<T>& x) {
  add(run, x.a, x.b, x.c);
  sub(run, x.c, x.a, x.c);
  mul(run, x.c, x.c, x.c);
  axpy(run, T{3}, x.a, x.c);
  triad(run, x.c, x.b, T{5}, x.c);
  minimum(run, x.c, x.a, x.b);
  maximum(run, x.c, x.b, x.b);
  clamp(run, x.b, T{-100}, T{100}, x.b);
  abs(run, x.b, x.a);
  neg(run, x.a, x.a);
  square(run, x.a, x.a);
  div(run, x.a, x.c, x.a);
  less(run, x.a, x.b, x.mask);
  where(run, x.mask, x.a, x.b, x.c);
  convert(run, x.c, x.bytes);
  transform(run, x.c, x.b, [](T v) { return static_cast<T>(v / 3); });
  transform(run, x.b, x.c, x.c, [](T v, T w) { return static_cast<T>(v / 2 - w / 2); });
  for_each(run, x.b, [](T& v) { v = static_cast<T>(v / 2); });
  assign(run, x.a, in(x.b) * in(x.b) + T{2} * in(x.a));
  if constexpr (std::is_floating_point_v<T>) {
    abs(run, x.a, x.a);  // there are to be no NaN, whose bits nobody promises
    sqrt(run, x.a, x.a);
    fma(run, x.a, x.b, x.c, x.c);
    clamp(run, x.c, T{-3}, T{3}, x.c);
    exp(run, x.c, x.a);
    tanh(run, x.a, x.b);
    pow(run, x.a, x.b, x.c);
    norm1_into(run, x.a, x.one);
    norm2_into(run, x.a, x.two);
    norm_inf_into(run, x.c, x.most);
  }
  sum_into(run, x.a, x.total);
  dot_into(run, x.a, x.b, x.product);
  if (!x.a.empty()) {
    min_into(run, x.a, x.low);
    max_into(run, x.c, x.high);
    minmax_into(run, x.b, x.both);
    argmin_into(run, x.b, x.lowest);
    argmax_into(run, x.c, x.highest);
    mean_into(run, x.c, x.average);
    variance_into(run, x.b, x.spread);
    moments_into(run, x.b, x.all);
  }
  copy(run, x.a, x.b);
  fill(run, x.a, T{9});
}

class FlowTest : public testing::TestWithParam<std::string> {
 protected:
  std::vector<Engine> engines() const {
    std::vector<Engine> all;
    for (const int threads : {1, 2, 3, 7}) all.emplace_back(GetParam(), EngineOptions{.concurrency = threads});
    return all;
  }
};

const std::vector<std::size_t> kEverySize{0, 1, 2, 127, 1000, 8191, 8192, 8193, 16384, 16385, 100003, (1U << 20) + 3};

template <class T>
void check_all_kernels(std::vector<Engine> engines, const std::vector<std::size_t>& sizes = kEverySize) {
  Engine serial("serial");
  for (const std::size_t n : sizes) {
    if (support::kSanitizer && n > 200000) continue;
    Data<T> expected(n);
    all_kernels(serial, expected);
    for (Engine& engine : engines) {
      Data<T> data(n);
      Flow flow;
      all_kernels(flow, data);
      flow.run(engine);
      EXPECT_TRUE(data == expected) << n << " elements with " << engine.concurrency() << " threads";
    }
  }
}

TEST_P(FlowTest, EveryKernelOverDoubles) {
  check_all_kernels<double>(engines());
}
/// Where calls stream their results past the cache, and flows do not.
TEST_P(FlowTest, EveryKernelOverMoreThanTheCacheHolds) {
  if (support::kSanitizer) GTEST_SKIP() << "so many elements take minutes";
  constexpr std::size_t kBytes = 3 * sizeof(double) + 2;  // of an element of all arrays
  check_all_kernels<double>(engines(), {machine().stream_above() / kBytes + 13});
}
TEST_P(FlowTest, EveryKernelOverFloats) {
  check_all_kernels<float>(engines());
}
TEST_P(FlowTest, EveryKernelOverIntegers) {
  check_all_kernels<std::int32_t>(engines());
  check_all_kernels<std::int64_t>(engines());
}

/// One statement of a random program over parts of one array.
struct Statement {
  int kind;
  std::size_t out, a, b, n;
  std::size_t result;
};

std::vector<Statement> draw(std::mt19937_64& random, std::size_t count, std::size_t size) {
  std::vector<Statement> all;
  const std::size_t longest = size / 4;
  while (all.size() < count) {
    Statement one{static_cast<int>(random() % 9), 0, 0, 0, 0, random() % 4};
    constexpr std::size_t kLengths[] = {1, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk};
    one.n = random() % 3 == 0 ? kLengths[random() % 5] : longest;
    // Mostly one of four arrays, often a few elements on.
    const auto place = [&] { return std::min(random() % 4 * longest + (random() % 4 == 0 ? random() % 5 : 0), size - one.n); };
    one.out = place(), one.a = place(), one.b = place();
    const auto partly = [&](std::size_t in) { return in != one.out && in < one.out + one.n && one.out < in + one.n; };
    if (!partly(one.a) && !partly(one.b)) all.push_back(one);
  }
  return all;
}

template <class R>
void run_statement(R& run, const Statement& one, std::vector<double>& memory, std::vector<double>& results) {
  const std::span all(memory);
  const auto out = all.subspan(one.out, one.n);
  const auto a = all.subspan(one.a, one.n);
  const auto b = all.subspan(one.b, one.n);
  switch (one.kind) {
    case 0:
      return add(run, a, b, out);
    case 1:
      return transform(run, a, b, out, [](double v, double w) { return v / 3 - w / 7; });
    case 2:
      return axpy(run, 0.5, a, out);
    case 3:
      return assign(run, out, in(a)-0.25 * in(b));
    case 4:
      return copy(run, a, out);
    case 5:
      return sum_into(run, a, results[one.result]);
    case 6:
      return dot_into(run, a, b, results[one.result]);
    case 7:  // what a kernel has found out, read by another
      return fill(run, std::span(results).subspan(one.result, 1), 0.125),
             mul(run, std::span(results).subspan(one.result, 1), a.first(1), std::span(results).subspan(one.result, 1));
    default:
      break;
  }
  // A node of the caller's own, or a whole kernel.
  if constexpr (std::is_same_v<R, Flow>) {
    if (one.result == 0) return run.then([out](Engine& engine) { inclusive_scan(engine, out, out, std::plus<>()); });
    run.add("own", {read(a), write(out)}, 1, [a, out](std::size_t) { out[0] = a[a.size() - 1] / 2; });
  } else {
    if (one.result == 0) return inclusive_scan(run, out, out, std::plus<>());
    out[0] = a[a.size() - 1] / 2;
  }
}

TEST_P(FlowTest, RandomProgramsOverShiftedRangesGiveWhatTheCallsGive) {
  std::mt19937_64 random(std::hash<std::string>()(GetParam()));
  std::vector<Engine> all = engines();
  Engine serial("serial");
  for (std::size_t round = 0; round < support::repeats(40); ++round) {
    const std::vector<Statement> program = draw(random, 1 + random() % 40, 4 * (kChunk * (1 + random() % 4) + random() % 3));
    std::size_t size = 0;
    for (const Statement& one : program) size = std::max({size, one.out + one.n, one.a + one.n, one.b + one.n});
    std::vector<double> start(size);
    for (double& v : start) v = Data<double>::draw(random);
    std::vector<double> expected = start;
    std::vector<double> expected_results(4, 1.0);
    for (const Statement& one : program) run_statement(serial, one, expected, expected_results);
    std::vector<double> memory(size);
    std::vector<double> results(4);
    Flow flow;
    for (const Statement& one : program) run_statement(flow, one, memory, results);
    for (Engine& engine : all) {
      memory = start;
      results.assign(4, 1.0);
      flow.run(engine);
      ASSERT_EQ(std::memcmp(memory.data(), expected.data(), size * sizeof(double)), 0) << "round " << round;
      ASSERT_EQ(std::memcmp(results.data(), expected_results.data(), 4 * sizeof(double)), 0) << "round " << round;
    }
  }
}

TEST_P(FlowTest, ReallyUsesItsThreads) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  if (engine.concurrency() < 2) GTEST_SKIP() << "one thread";
  std::vector<double> x(20 * kChunk);
  std::atomic<int> here{0};
  Flow flow;
  for_each(flow, x, [&](double& v) {
    if (&v != &x[0] && &v != &x.back()) return;  // of two tiles
    ++here;
    while (here < 2) std::this_thread::yield();
  });
  flow.run(engine);
  EXPECT_EQ(here, 2);
}

TEST_P(FlowTest, TheEarliestTileThatThrewIsTold) {
  for (const int threads : {1, 2, 7}) {
    Engine engine(GetParam(), {.concurrency = threads});
    std::vector<double> x(40 * kChunk, 1.0);
    Flow flow;
    for_each(flow, x, [&](double& v) {
      const auto chunk = static_cast<std::size_t>(&v - x.data()) / kChunk;
      if (chunk >= 17) throw std::runtime_error(std::to_string(chunk));
      v = 2;
    });
    for (int again = 0; again < 2; ++again) EXPECT_EQ(message_of<std::runtime_error>([&] { flow.run(engine); }), "17");
    EXPECT_TRUE(std::all_of(x.begin(), x.begin() + 17 * kChunk, [](double v) { return v == 2; }));
  }
}

TEST_P(FlowTest, AStopIsObeyed) {
  std::stop_source source;
  Engine engine(GetParam(), {.concurrency = 2, .stop = source.get_token()});
  std::vector<double> x(100 * kChunk);
  Flow flow;
  for_each(flow, x, [&](double& v) {
    v = 1;
    source.request_stop();
  });
  EXPECT_THROW(flow.run(engine), Cancelled);
}

TEST_P(FlowTest, OneTileIsNotHandedToThreads) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 0});
  std::vector<double> x(kChunk, 3.0);
  double total = 0;
  Flow flow;
  square(flow, x, x);
  sum(flow, x, total);
  flow.run(engine);
  EXPECT_EQ(total, 9.0 * kChunk);
  EXPECT_EQ(engine.last_run().serial, Serial::one_task);
  std::vector<double> longer(2 * kChunk, 3.0);
  square(flow, longer, longer);
  flow.run(engine);
  EXPECT_EQ(longer, std::vector<double>(2 * kChunk, 9.0));
  EXPECT_EQ(engine.last_run().serial, engine.concurrency() > 1 ? Serial::no : Serial::one_task);
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, FlowTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<std::string>& named) { return named.param; });

TEST(Flow, KernelsThatShareByElementGoTogether) {
  Engine engine("serial");
  std::vector<double> x(100 * kChunk, 0.5);
  std::vector<double> y(x.size());
  double total = 0;
  Flow one;
  exp(one, x, y);
  one.run(engine);
  Flow many;
  exp(many, x, y);
  mul(many, y, x, y);
  add(many, y, y, x);
  tanh(many, x, x);
  many.run(engine);
  EXPECT_EQ(many.nodes(), one.nodes());
  sum(many, y, total);
  many.run(engine);
  EXPECT_EQ(many.nodes(), one.nodes() + 1);  // one that combines
  copy(many, std::span(x).first(x.size() - 1), std::span(y).last(x.size() - 1));
  many.run(engine);
  EXPECT_EQ(many.nodes(), 2 * one.nodes() + 1);
  // What has nothing to do with a kernel does not keep the next from going with those before.
  std::vector<double> z(10);
  Flow mixed;
  exp(mixed, x, y);
  fill(mixed, z, 1.0);
  exp(mixed, y, y);
  mixed.run(engine);
  EXPECT_EQ(mixed.nodes(), one.nodes() + 1);
}

TEST(Flow, MayGrowAfterARunAndMove) {
  Engine engine("serial");
  std::vector<double> x(3 * kChunk, 2.0);
  double total = 0;
  Flow flow;
  flow.run(engine);
  square(flow, x, x);
  flow.run(engine);
  sum(flow, x, total);
  Flow moved = std::move(flow);
  moved.run(engine);
  EXPECT_EQ(total, 16.0 * static_cast<double>(x.size()));
  moved.then([&](Engine& one) { fill(one, x, 1.0); });
  sum(moved, x, total);
  moved.run(engine);
  EXPECT_EQ(total, static_cast<double>(x.size()));
}

TEST(Flow, KeepsFunctions) {
  Engine engine("serial");
  std::vector<int> x(10, 1);
  Flow flow;
  {
    const std::vector<int> table{5, 6, 7};
    transform(flow, x, x, [table](int v) { return table[static_cast<std::size_t>(v)]; });
  }
  flow.run(engine);
  EXPECT_EQ(x, std::vector<int>(10, 6));
}

TEST(Flow, WrongCallsAreToldAtOnce) {
  std::vector<double> x(10);
  std::vector<double> y(11);
  const std::span all(y);
  std::vector<double> none;
  double result = 0;
  std::size_t index = 0;
  Flow flow;
  EXPECT_NE(message_of([&] { exp(flow, x, y); }).find("exp: the ranges have different sizes, 10 and 11"), std::string::npos);
  EXPECT_NE(message_of([&] { dot(flow, x, y, result); }).find("dot: the ranges have different sizes"), std::string::npos);
  EXPECT_NE(message_of([&] { assign(flow, x, in(y) + 1.0); }).find("assign: the ranges have different sizes"), std::string::npos);
  EXPECT_NE(message_of([&] { add(flow, all.first(10), x, all.last(10)); }).find("overlaps an input partly"), std::string::npos);
  EXPECT_NE(message_of([&] { transform(flow, all.first(10), all.last(10), [](double v) { return v; }); }).find("partly"),
            std::string::npos);
  EXPECT_NE(message_of([&] { assign(flow, all.first(10), in(all.last(10)) + 1.0); }).find("partly"), std::string::npos);
  EXPECT_NE(message_of([&] { clamp(flow, x, 2.0, 1.0, x); }).find("clamp: the lower bound"), std::string::npos);
  EXPECT_NE(message_of([&] { min(flow, none, result); }).find("min: an empty range has none"), std::string::npos);
  EXPECT_NE(message_of([&] { argmax(flow, none, index); }).find("argmax: an empty range has none"), std::string::npos);
  EXPECT_NE(message_of([&] { mean(flow, none, result); }).find("mean: an empty range has none"), std::string::npos);
  EXPECT_NE(message_of([&] { variance(flow, none, result); }).find("variance: an empty range has none"), std::string::npos);
}

}  // namespace
}  // namespace furrow
