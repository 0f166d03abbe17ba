#include "furrow/engine/array.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "furrow/engine/registry.hpp"

namespace furrow {
namespace {

/// Around a page, a large array (4 MiB) and a chunk.
const std::vector<std::size_t> kSizes{1, 2, 511, 512, 513, 4097, 100'003, (1 << 19) - 1, 1 << 19, (1 << 19) + 1};

class ArrayTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3}};
};

std::uintptr_t address(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

TEST_P(ArrayTest, IsZeroedEvenWhereTheMemoryWasUsedBefore) {
  for (const std::size_t n : kSizes) {
    { Array<double> dirty(engine_, n, -1.0); }
    const Array<double> x(engine_, n);
    ASSERT_EQ(x.size(), n);
    ASSERT_EQ(address(x.data()) % 64, 0U);
    for (const double v : x) ASSERT_EQ(v, 0.0) << n;
  }
}

TEST_P(ArrayTest, IsFilledWithAValueOfAnyPlainType) {
  for (const std::size_t n : kSizes) {
    Array<std::complex<float>> x(engine_, n, {1, -2});
    ASSERT_TRUE(std::ranges::all_of(x, [](auto v) { return v == std::complex<float>(1, -2); })) << n;
    ASSERT_EQ(address(x.data()) % 64, 0U);
    x[n - 1] = {3, 4};
    ASSERT_EQ(x.end()[-1], (std::complex<float>{3, 4}));
  }
  struct Big {
    double values[9];
  };
  const Array<Big> big(engine_, 1000, Big{{1, 2, 3, 4, 5, 6, 7, 8, 9}});
  EXPECT_EQ(big[999].values[8], 9);
}

TEST_P(ArrayTest, LargeOnesAreFilledByTheEnginesThreads) {
  const Array<double> x(engine_, 1 << 22);
  EXPECT_EQ(engine_.last_run().serial, GetParam() == "serial" ? Serial::one_thread : Serial::no);
}

INSTANTIATE_TEST_SUITE_P(All, ArrayTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

TEST(Array, EmptyOnesAreFine) {
  Engine engine("serial");
  const Array<double> none;
  const Array<double> zero(engine, 0);
  const Array<double> zero_of_one(engine, 0, 1.0);
  for (const Array<double>* x : {&none, &zero, &zero_of_one}) {
    EXPECT_TRUE(x->empty());
    EXPECT_EQ(x->data(), nullptr);
    EXPECT_EQ(x->begin(), x->end());
  }
}

TEST(Array, SizesThatOverflowOrDoNotFitAreBadAlloc) {
  Engine engine("serial");
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  // The second wraps round to 8 bytes. None may be taken for an array of a few bytes.
  for (const std::size_t n : {kMost, (std::size_t{1} << 61) + 1, kMost / 8, kMost / 16 + 1, std::size_t{1} << 60}) {
    EXPECT_THROW(Array<double>(engine, n), std::bad_alloc) << n;
    EXPECT_THROW(Array<double>(engine, n, 1.0), std::bad_alloc) << n;
  }
}

TEST(Array, MovesWithoutCopying) {
  static_assert(!std::is_copy_constructible_v<Array<double>> && std::is_nothrow_move_constructible_v<Array<double>>);
  Engine engine("serial");
  Array<int> x(engine, 1000, 7);
  const int* data = x.data();
  Array<int> y(std::move(x));
  EXPECT_EQ(y.data(), data);
  EXPECT_EQ(y.size(), 1000U);
  Array<int> z(engine, 5);
  z = std::move(y);
  EXPECT_EQ(z.data(), data);
  EXPECT_EQ(std::accumulate(z.begin(), z.end(), 0), 7000);
}

TEST(Array, IsEmptyAfterItWasMovedFrom) {
  Engine engine("serial");
  Array<int> x(engine, 1000, 7);
  const Array<int> y(std::move(x));
  EXPECT_EQ(x.data(), nullptr);  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(x.size(), 0U) << "a size without memory behind it";
  EXPECT_TRUE(x.empty());
}

TEST(Array, ConvertsToSpans) {
  Engine engine("serial");
  Array<double> x(engine, 10, 2.0);
  const std::span<double> writable = x;
  const std::span<const double> readable = std::as_const(x);
  writable[3] = 5;
  EXPECT_EQ(readable[3], 5);
  EXPECT_EQ(readable.size(), 10U);
}

TEST(Array, LargeOnesBeginAtDifferentPlacesOfAPage) {
  Engine engine("serial");
  for (const std::size_t n : {std::size_t{1000}, std::size_t{1} << 20}) {
    std::vector<Array<double>> arrays;
    std::set<std::uintptr_t> starts;
    for (int i = 0; i < 4; ++i) {
      arrays.emplace_back(engine, n);
      starts.insert(address(arrays.back().data()) % 4096);
    }
    EXPECT_EQ(starts.size(), 4U) << "arrays of " << n << " alias each other modulo a page";
  }
}

}  // namespace
}  // namespace furrow
