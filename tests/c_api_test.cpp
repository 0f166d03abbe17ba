// furrow/furrow.h from C++: the kernels of the table through it, and each code that a call can come to.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/furrow.h"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table.hpp"
#include "tests/outcome.hpp"
#include "tests/support.hpp"

namespace {
std::atomic<bool> no_memory{false};
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* memory = no_memory ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace furrow {
namespace {

struct Destroy {
  void operator()(furrow_engine* engine) const { furrow_engine_destroy(engine); }
};
using EnginePtr = std::unique_ptr<furrow_engine, Destroy>;

EnginePtr make_engine(const char* backend, int concurrency) {
  furrow_engine* engine = nullptr;
  EXPECT_EQ(furrow_engine_create(backend, concurrency, &engine), FURROW_OK) << furrow_last_error();
  return EnginePtr(engine);
}

/// Runs the kernel of a row of the table through C; FURROW_UNKNOWN_NAME if C does not have it.
furrow_status run(furrow_engine* engine, const table::Kernel& kernel, table::Operands& x) {
  const auto type = static_cast<furrow_type>(x.type());
  const std::size_t n = x.size();
  const std::string name(kernel.name);
  return with_type(x.type(), [&]<class T>(TypeTag<T>) {
    const T s = table::Operands::scalar<T>();
    const void* const a = x.a<T>().data();
    const void* const b = x.b<T>().data();
    void* const out = x.out<T>().data();
    constexpr std::uint64_t kSeed = 0x0123456789ABCDEF;
    constexpr std::uint64_t kStream = 0xFEDCBA9876543210;
    constexpr std::uint64_t kOffset = (std::uint64_t{1} << 34) - 5;
    const auto reduced = [&](auto result, const auto& call) {
      const furrow_status status = call(&result, sizeof result);
      if (status == FURROW_OK) x.set_result(result);
      return status;
    };
    if (name == "fill") return furrow_fill(engine, type, n, &s, out);
    if (name == "axpy") return furrow_axpy(engine, type, n, &s, a, out);
    if (name == "triad") return furrow_triad(engine, type, n, a, b, &s, out);
    if (name == "inclusive_scan") return furrow_inclusive_scan(engine, type, n, a, out);
    if (name == "exclusive_scan") return furrow_exclusive_scan(engine, type, n, a, &s, out);
    if (name == "uniform") return furrow_uniform(engine, type, n, kSeed, kStream, kOffset, 0, 1, out);
    if (name == "normal") return furrow_normal(engine, type, n, kSeed, kStream, kOffset, 3, 1, out);
    if (name == "dot")
      return reduced(sum_t<T>(), [&](void* to, std::size_t bytes) { return furrow_dot(engine, type, n, a, b, to, bytes); });
    if (name == "sort") {
      const furrow_status copied = furrow_unary(engine, "copy", type, n, a, out);
      return copied != FURROW_OK ? copied : furrow_sort(engine, type, n, out);
    }
    if (kernel.family == "reductions") {
      const auto call = [&](void* to, std::size_t bytes) { return furrow_reduce(engine, name.c_str(), type, n, a, to, bytes); };
      if (name == "sum") return reduced(sum_t<T>(), call);
      if (n == 0) return FURROW_OK;  // the table leaves the result alone
      if (name == "mean" || name == "variance") return reduced(double(), call);
      if (name == "argmin" || name == "argmax") return reduced(std::size_t(), call);
      return reduced(T(), call);
    }
    if (kernel.family != "element-wise" && kernel.family != "functions") return FURROW_UNKNOWN_NAME;
    return kernel.reads == 1 ? furrow_unary(engine, name.c_str(), type, n, a, out)
                             : furrow_binary(engine, name.c_str(), type, n, a, b, out);
  });
}

TEST(CApi, HasTheKernelsOfTheTableWithTheirBits) {
  std::vector<EnginePtr> engines;
  for (std::size_t k = 0; furrow_backend(k) != nullptr; ++k)
    for (const int concurrency : {1, 2, 3, 7})
      if (k > 0 || concurrency == 1) engines.push_back(make_engine(furrow_backend(k), concurrency));
  Engine serial("serial");
  std::set<std::string_view> covered;
  for (const table::Kernel& kernel : table::kernels()) {
    for (const Type type : kernel.types) {
      for (const std::size_t n : {1, 0, 2, 1025, 8193, 30'011}) {
        table::Operands expected(serial, type, n, 1);
        kernel.make_inputs(expected);
        table::Operands before(serial, type, n, 1);
        kernel.make_inputs(before);
        if (n == 1 && run(engines[0].get(), kernel, before) == FURROW_UNKNOWN_NAME) break;
        kernel.run(serial, expected);
        for (const EnginePtr& engine : engines) {
          table::Operands x(serial, type, n, 1);
          kernel.make_inputs(x);
          covered.insert(kernel.name);
          ASSERT_EQ(run(engine.get(), kernel, x), FURROW_OK) << kernel.name << ": " << furrow_last_error();
          ASSERT_TRUE(outcome(x) == outcome(expected))
              << kernel.name << "/" << type_code(type) << " of " << n << " on " << furrow_engine_backend(engine.get());
          ASSERT_TRUE(x.guards_intact()) << kernel.name;
        }
      }
    }
  }
  for (const std::string_view name : named::kOpNames) EXPECT_TRUE(covered.contains(name)) << name;
  for (const std::string_view name : named::kUnaryNames) EXPECT_TRUE(covered.contains(name)) << name;
  for (const std::string_view name : named::kBinaryNames) EXPECT_TRUE(covered.contains(name)) << name;
  for (const std::string_view name : {"sum", "dot", "min", "max", "argmin", "argmax", "norm1", "norm2", "norm_inf", "mean",
                                      "variance", "inclusive_scan", "exclusive_scan", "sort", "uniform", "normal"})
    EXPECT_TRUE(covered.contains(name)) << name;
}

class CApiTest : public testing::TestWithParam<std::string> {
 protected:
  EnginePtr engine_ = make_engine(GetParam().c_str(), 3);
};

TEST_P(CApiTest, TellsWhatItIs) {
  EXPECT_STREQ(furrow_engine_backend(engine_.get()), GetParam().c_str());
  EXPECT_EQ(furrow_engine_concurrency(engine_.get()), GetParam() == "serial" ? 1 : 3);
  EXPECT_EQ(furrow_engine_last_threads(engine_.get()), 0);
  EXPECT_EQ(std::string(furrow_version()).find(FURROW_VERSION), 0U);
}

TEST_P(CApiTest, ForCoversEachIndexOnce) {
  for (const std::size_t n : {0, 1, 2, 127, 128, 129, 10'007}) {
    for (const std::size_t grain : {std::size_t{0}, std::size_t{1}, std::size_t{64}, n + 1, std::size_t(-1)}) {
      std::vector<std::atomic<int>> runs(n);
      struct Context {
        std::vector<std::atomic<int>>& runs;
        std::atomic<std::size_t> longest{0};
      } context{runs};
      const auto body = [](std::size_t first, std::size_t last, void* pointer) {
        auto& own = *static_cast<Context*>(pointer);
        std::size_t longest = own.longest;
        while (longest < last - first && !own.longest.compare_exchange_weak(longest, last - first)) {
        }
        for (; first < last; ++first) ++own.runs[first];
      };
      ASSERT_EQ(furrow_for(engine_.get(), n, grain, body, &context), FURROW_OK) << furrow_last_error();
      for (const auto& one : runs) ASSERT_EQ(one, 1) << n << " by " << grain;
      EXPECT_LE(context.longest, grain > 0 ? grain : n);
    }
  }
}

TEST_P(CApiTest, ForUsesItsThreads) {
  if (GetParam() == "serial") GTEST_SKIP() << "it has one";
  std::atomic<int> arrived{0};
  const auto body = [](std::size_t, std::size_t, void* pointer) {  // the tasks wait for each other, but not for ever
    auto& all = *static_cast<std::atomic<int>*>(pointer);
    ++all;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (all < 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  };
  ASSERT_EQ(furrow_for(engine_.get(), 6, 1, body, &arrived), FURROW_OK);
  EXPECT_GT(furrow_engine_last_threads(engine_.get()), 1);
}

TEST_P(CApiTest, AnExceptionOfTheBodyIsACode) {
  const auto body = [](std::size_t first, std::size_t, void*) {
    if (first == 3) throw std::runtime_error("no third one");
    if (first > 3) throw 42;
  };
  for (const std::size_t n : {4, 1000}) {
    EXPECT_EQ(furrow_for(engine_.get(), n, 1, body, nullptr), FURROW_BODY_THREW);
    EXPECT_STREQ(furrow_last_error(), "furrow_for: the body threw: no third one");
  }
  EXPECT_EQ(furrow_for(
                engine_.get(), 100, 0, [](std::size_t, std::size_t, void*) { throw 42; }, nullptr),
            FURROW_BODY_THREW);
  EXPECT_STREQ(furrow_last_error(), "furrow_for: the body threw: an unknown exception");
  EXPECT_EQ(furrow_for(
                engine_.get(), 100, 0, [](std::size_t, std::size_t, void*) {}, nullptr),
            FURROW_OK);
}

TEST_P(CApiTest, WithoutMemoryACallSaysSo) {
  furrow_engine* none = engine_.get();
  no_memory = true;
  const furrow_status status = furrow_engine_create(GetParam().c_str(), 3, &none);
  no_memory = false;
  EXPECT_EQ(status, FURROW_OUT_OF_MEMORY);
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(std::string(furrow_last_error()).find("out of memory"), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, CApiTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

/// That the call comes to `status`, and its message holds `words`.
#define EXPECT_FAILS(status, words, call) \
  EXPECT_EQ(call, status);                \
  EXPECT_NE(std::string(furrow_last_error()).find(words), std::string::npos) << furrow_last_error()

TEST(CApi, InvalidArgumentsAreTold) {
  const EnginePtr engine = make_engine("serial", 1);
  furrow_engine* const e = engine.get();
  std::vector<double> x(16, 3.0);
  std::vector<double> y(16, 5.0);
  const double one = 1;
  double sum = 7;
  float narrow = 0;
  void* const odd = reinterpret_cast<char*>(y.data()) + 1;
  const auto invalid = FURROW_INVALID_ARGUMENT;
  EXPECT_FAILS(invalid, "engine is NULL", furrow_unary(nullptr, "exp", FURROW_F64, 8, x.data(), y.data()));
  EXPECT_FAILS(invalid, "name is NULL", furrow_unary(e, nullptr, FURROW_F64, 8, x.data(), y.data()));
  EXPECT_FAILS(invalid, "no type 5", furrow_unary(e, "exp", static_cast<furrow_type>(5), 8, x.data(), y.data()));
  EXPECT_FAILS(invalid, "no type", furrow_sort(e, static_cast<furrow_type>(7), 8, x.data()));
  EXPECT_FAILS(invalid, "null", furrow_unary(e, "exp", FURROW_F64, 8, nullptr, y.data()));
  EXPECT_FAILS(invalid, "null", furrow_binary(e, "add", FURROW_F64, 8, x.data(), nullptr, y.data()));
  EXPECT_FAILS(invalid, "null", furrow_binary(e, "pow", FURROW_F64, 8, x.data(), y.data(), nullptr));
  EXPECT_FAILS(invalid, "null", furrow_sort(e, FURROW_I64, 8, nullptr));
  EXPECT_FAILS(invalid, "aligned", furrow_unary(e, "exp", FURROW_F64, 8, x.data(), odd));
  EXPECT_FAILS(invalid, "overlaps", furrow_unary(e, "exp", FURROW_F64, 8, x.data(), x.data() + 1));
  EXPECT_FAILS(invalid, "overlaps", furrow_inclusive_scan(e, FURROW_F64, 8, x.data(), x.data() + 7));
  EXPECT_FAILS(invalid, "room", furrow_unary(e, "exp", FURROW_F64, std::size_t(-1), x.data(), y.data()));
  EXPECT_FAILS(invalid, "room", furrow_sort(e, FURROW_F64, (std::size_t{1} << 61) + 1, x.data()));
  EXPECT_FAILS(invalid, "single value", furrow_fill(e, FURROW_F64, 8, nullptr, y.data()));
  EXPECT_FAILS(invalid, "single value", furrow_axpy(e, FURROW_F64, 8, nullptr, x.data(), y.data()));
  EXPECT_FAILS(invalid, "single value", furrow_triad(e, FURROW_F64, 8, x.data(), x.data(), nullptr, y.data()));
  EXPECT_FAILS(invalid, "single value", furrow_exclusive_scan(e, FURROW_F64, 8, x.data(), nullptr, y.data()));
  EXPECT_FAILS(invalid, "result is NULL", furrow_reduce(e, "sum", FURROW_F64, 8, x.data(), nullptr, sizeof(double)));
  EXPECT_FAILS(invalid, "8 bytes", furrow_reduce(e, "sum", FURROW_I32, 8, x.data(), &narrow, sizeof narrow));
  EXPECT_FAILS(invalid, "4 bytes", furrow_dot(e, FURROW_F32, 8, x.data(), x.data(), &sum, sizeof sum));
  EXPECT_FAILS(invalid, "empty", furrow_reduce(e, "min", FURROW_F64, 0, nullptr, &sum, sizeof sum));
  EXPECT_FAILS(invalid, "uniform", furrow_uniform(e, FURROW_F64, 8, 1, 0, 0, 2, 1, y.data()));
  EXPECT_FAILS(invalid, "normal", furrow_normal(e, FURROW_F32, 8, 1, 0, 0, 0, -1, y.data()));
  EXPECT_FAILS(invalid, "body is NULL", furrow_for(e, 8, 0, nullptr, nullptr));
  furrow_engine* made = e;
  EXPECT_FAILS(invalid, "-3", furrow_engine_create("serial", -3, &made));
  EXPECT_EQ(made, nullptr);
  EXPECT_FAILS(invalid, "pointer to the engine", furrow_engine_create("serial", 1, nullptr));
  const support::Variable threads("FURROW_NUM_THREADS", "many");
  if (furrow_backend(1) != nullptr) {
    EXPECT_FAILS(invalid, "FURROW_NUM_THREADS=\"many\"", furrow_engine_create(furrow_backend(1), 0, &made));
  }

  EXPECT_EQ(y, std::vector<double>(16, 5.0));
  EXPECT_EQ(sum, 7);
  // Nothing to do is fine, and no call minds where there is nothing.
  EXPECT_EQ(furrow_unary(e, "exp", FURROW_F64, 0, nullptr, nullptr), FURROW_OK);
  EXPECT_EQ(furrow_axpy(e, FURROW_F64, 0, &one, nullptr, nullptr), FURROW_OK);
  EXPECT_EQ(furrow_reduce(e, "sum", FURROW_F64, 0, nullptr, &sum, sizeof sum), FURROW_OK);
  EXPECT_EQ(sum, 0);
  furrow_engine_destroy(nullptr);
  EXPECT_STREQ(furrow_engine_backend(nullptr), "");
  EXPECT_EQ(furrow_engine_concurrency(nullptr), 0);
  EXPECT_EQ(furrow_engine_last_threads(nullptr), 0);
}

TEST(CApi, UnknownNamesAreAnsweredWithTheKnownOnes) {
  const EnginePtr engine = make_engine("serial", 1);
  furrow_engine* const e = engine.get();
  std::vector<std::int64_t> x(8, 3);
  std::int64_t result = 7;
  const auto unknown = FURROW_UNKNOWN_NAME;
  furrow_engine* made = e;
  EXPECT_FAILS(unknown, "serial", furrow_engine_create("opnmp", 2, &made));
  EXPECT_EQ(made, nullptr);
  EXPECT_FAILS(unknown, "copy, abs, neg, square, sqrt, floor", furrow_unary(e, "ex", FURROW_F64, 8, x.data(), x.data()));
  EXPECT_FAILS(unknown, "over f64", furrow_unary(e, "add", FURROW_F64, 8, x.data(), x.data()));
  EXPECT_FAILS(unknown, "copy, abs, neg, square", furrow_unary(e, "sqrt", FURROW_I64, 8, x.data(), x.data()));
  EXPECT_FAILS(unknown, "over i64", furrow_unary(e, "exp", FURROW_I64, 8, x.data(), x.data()));
  EXPECT_FAILS(unknown, "minimum, maximum, pow", furrow_binary(e, "axpy", FURROW_F32, 8, x.data(), x.data(), x.data()));
  EXPECT_FAILS(unknown, "maximum", furrow_binary(e, "hypot", FURROW_U8, 8, x.data(), x.data(), x.data()));
  EXPECT_FAILS(unknown, "norm1", furrow_reduce(e, "total", FURROW_F64, 8, x.data(), &result, 8));
  EXPECT_FAILS(unknown, "sum, min, max", furrow_reduce(e, "norm2", FURROW_I64, 8, x.data(), &result, 8));
  EXPECT_FAILS(unknown, "FURROW_F64", furrow_uniform(e, FURROW_I64, 8, 1, 0, 0, 0, 1, x.data()));
  EXPECT_EQ(result, 7);
  EXPECT_EQ(x, std::vector<std::int64_t>(8, 3));
}

TEST(CApi, WhatNoOneExpectedIsACodeToo) {
  register_backend("throws", [](int) -> std::unique_ptr<Backend> { throw std::runtime_error("out of order"); });
  register_backend("throws-numbers", [](int) -> std::unique_ptr<Backend> { throw 42; });
  furrow_engine* made = nullptr;
  EXPECT_FAILS(FURROW_INTERNAL_ERROR, "out of order", furrow_engine_create("throws", 2, &made));
  EXPECT_FAILS(FURROW_INTERNAL_ERROR, "unknown", furrow_engine_create("throws-numbers", 2, &made));
}

TEST(CApi, EachThreadHasItsOwnLastErrorAndLongOnesAreCutOff) {
  furrow_engine* made = nullptr;
  EXPECT_EQ(furrow_engine_create(std::string(5000, 'x').c_str(), 1, &made), FURROW_UNKNOWN_NAME);
  EXPECT_EQ(std::string(furrow_last_error()).size(), 1023U);
  std::thread([] { EXPECT_STREQ(furrow_last_error(), ""); }).join();
  const EnginePtr engine = make_engine(nullptr, 0);
  EXPECT_EQ(std::string(furrow_last_error()).size(), 1023U) << "a call that succeeds leaves it alone";
  EXPECT_GE(furrow_engine_concurrency(engine.get()), 1);
}

}  // namespace
}  // namespace furrow
