// for_each, for_each_index and transform: every element once, whatever holds it, and bad input refused before anything is written.
#include "furrow/kernels/loops.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"
#if defined(FURROW_TEST_EIGEN)
#include <Eigen/Core>
#endif

namespace furrow {
namespace {

using support::message_of;

const std::vector<std::size_t> kSizes{0, 1, 2, 127, 128, 129, 511, 512, 513, 1023, 4099, 65'537, 300'007};

class LoopsTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

std::vector<double> numbers(std::size_t n) {
  std::vector<double> x(n);
  std::iota(x.begin(), x.end(), 1.0);
  return x;
}

TEST_P(LoopsTest, EveryIndexIsVisitedOnce) {
  for (const std::size_t n : kSizes) {
    std::vector<std::atomic<int>> visits(n);
    for_each_index(engine_, n, [&](std::size_t i) { ++visits.at(i); });
    for (const auto& count : visits) ASSERT_EQ(count, 1) << n;
  }
}

TEST_P(LoopsTest, EveryIndexOfAShapeIsVisitedOnce) {
  for (const std::size_t ny : {0, 1, 3, 7, 513}) {
    for (const std::size_t nx : {0, 1, 2, 127, 1025}) {
      std::vector<std::atomic<int>> visits(ny * nx);
      for_each_index(engine_, {ny, nx}, [&](std::size_t i, std::size_t j) {
        ASSERT_TRUE(i < ny && j < nx);
        ++visits[i * nx + j];
      });
      for (const auto& count : visits) ASSERT_EQ(count, 1) << ny << " x " << nx;
    }
  }
  for (const auto& [nz, ny, nx] :
       {std::array{2, 3, 5}, {1, 1, 1}, {0, 4, 4}, {4, 0, 4}, {4, 4, 0}, {3, 1, 700}, {700, 3, 1}, {17, 19, 23}}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(nz * ny * nx));
    for_each_index(engine_, {nz, ny, nx}, [&, ny = ny, nx = nx](std::size_t i, std::size_t j, std::size_t k) {
      ++visits.at((i * static_cast<std::size_t>(ny) + j) * static_cast<std::size_t>(nx) + k);
      ASSERT_TRUE(j < static_cast<std::size_t>(ny) && k < static_cast<std::size_t>(nx));
    });
    for (const auto& count : visits) ASSERT_EQ(count, 1) << nz << " x " << ny << " x " << nx;
  }
  std::atomic<int> one_dimensional{0};
  for_each_index(engine_, {1000}, [&](std::size_t) { ++one_dimensional; });
  EXPECT_EQ(one_dimensional, 1000);
}

TEST_P(LoopsTest, ShapesThatAreNoneAreRefused) {
  const auto nothing = [](auto...) { FAIL() << "called"; };
  EXPECT_NE(message_of([&] { for_each_index(engine_, {3, -1}, nothing); }).find("negative"), std::string::npos);
  EXPECT_NE(message_of([&] { for_each_index(engine_, {-1L, 0L, 2L}, nothing); }).find("negative"), std::string::npos);
  const std::size_t large = std::size_t{1} << 33;
  EXPECT_NE(message_of([&] { for_each_index(engine_, {large, large}, nothing); }).find("does not fit"), std::string::npos);
  EXPECT_NE(message_of([&] {
              for_each_index(engine_, {large, large / 4, std::size_t{2}}, nothing);
            }).find("does not fit"),
            std::string::npos);
}

TEST_P(LoopsTest, ForEachChangesEveryElementOnce) {
  for (const std::size_t n : kSizes) {
    std::vector<double> x = numbers(n + 2);
    for_each(engine_, std::span(x).subspan(1, n), [](double& v) { v = -v; });
    ASSERT_EQ(x[0], 1);
    ASSERT_EQ(x[n + 1], static_cast<double>(n + 2)) << "wrote behind the end";
    for (std::size_t i = 1; i <= n; ++i) ASSERT_EQ(x[i], -static_cast<double>(i + 1)) << n;
  }
}

TEST_P(LoopsTest, TransformOfOneAndTwoInputs) {
  for (const std::size_t n : kSizes) {
    const std::vector<double> x = numbers(n);
    std::vector<double> y(n + 1, -1);
    transform(engine_, x, std::span(y).first(n), [](double v) { return v * v + 0.5; });
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(y[i], x[i] * x[i] + 0.5) << n;
    ASSERT_EQ(y[n], -1);
    std::vector<float> z(n);
    transform(engine_, x, std::span(y).first(n), z, [](double a, double b) { return b - a; });
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(z[i], static_cast<float>(y[i] - x[i])) << n;
  }
}

TEST_P(LoopsTest, InPlace) {
  std::vector<double> x = numbers(70'001);
  transform(engine_, x, x, [](double v) { return 2 * v; });
  transform(engine_, x, x, x, [](double a, double b) { return a + b; });
  const std::vector<double> ones(x.size(), 1.0);
  transform(engine_, ones, x, x, [](double one, double v) { return v + one; });
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(x[i], 4.0 * static_cast<double>(i + 1) + 1);
}

TEST_P(LoopsTest, PartialOverlapIsRefusedAndNothingWritten) {
  std::vector<double> memory = numbers(3000);
  const std::vector<double> before = memory;
  const std::span<double> all(memory);
  const auto negate = [](double v) { return -v; };
  for (std::size_t shift = 1; shift < 1000; shift += 37) {
    EXPECT_THROW(transform(engine_, all.first(1000), all.subspan(shift, 1000), negate), Error) << shift;
    EXPECT_THROW(transform(engine_, all.subspan(shift, 1000), all.first(1000), negate), Error) << shift;
    EXPECT_THROW(transform(engine_, all.subspan(2000), all.subspan(shift, 1000), all.first(1000), std::minus<>{}), Error) << shift;
    EXPECT_THROW(transform(engine_, all.subspan(shift, 1000), all.subspan(2000), all.first(1000), std::minus<>{}), Error) << shift;
  }
  EXPECT_EQ(memory, before);
  EXPECT_NE(message_of([&] { transform(engine_, all.first(1000), all.subspan(999, 1000), negate); }).find("overlap"),
            std::string::npos);
  transform(engine_, all.first(1000), all.subspan(1000, 1000), negate);  // side by side is apart
  EXPECT_EQ(memory[1000], -1);
}

TEST_P(LoopsTest, SizesThatDifferNullAndMisalignedPointersAreRefused) {
  std::vector<double> x = numbers(100);
  std::vector<double> y(99, 7.0);
  const std::string message = message_of([&] { transform(engine_, x, y, [](double v) { return v; }); });
  EXPECT_NE(message.find("100"), std::string::npos) << message;
  EXPECT_NE(message.find("99"), std::string::npos) << message;
  EXPECT_THROW(transform(engine_, x, std::span(x).first(0), y, std::plus<>{}), Error);
  EXPECT_EQ(y, std::vector<double>(99, 7.0));
  const auto raise = [](double& v) { ++v; };
  EXPECT_THROW(for_each(engine_, std::span(static_cast<double*>(nullptr), 3), raise), Error);
  for_each(engine_, std::span(static_cast<double*>(nullptr), 0), raise);
  auto* const crooked = reinterpret_cast<double*>(reinterpret_cast<char*>(x.data()) + 4);
  EXPECT_NE(message_of([&] { for_each(engine_, std::span(crooked, 3), raise); }).find("aligned"), std::string::npos);
}

TEST_P(LoopsTest, OtherElementTypes) {
  struct Point {
    double x, y, z;
  };
  std::vector<Point> points(5000, Point{1, 2, 3});
  std::vector<std::int32_t> sums(5000);
  transform(engine_, points, sums, [](const Point& p) { return p.x + p.y + p.z; });
  EXPECT_TRUE(std::ranges::all_of(sums, [](int v) { return v == 6; }));
  std::vector<unsigned char> flags(5000);
  transform(engine_, sums, flags, [](int v) { return v > 5; });
  EXPECT_TRUE(std::ranges::all_of(flags, [](auto v) { return v == 1; }));
  std::vector<std::string> words(300);
  transform(engine_, std::span(flags).first(300), words,
            [](unsigned char v) { return std::string(30, static_cast<char>('a' + v)); });
  EXPECT_TRUE(std::ranges::all_of(words, [](const auto& word) { return word == std::string(30, 'b'); }));
}

TEST_P(LoopsTest, TheFunctorIsCalledOncePerElement) {
  std::vector<int> x(10'000);
  std::atomic<int> calls{0};
  for_each(engine_, x, [&](int&) { ++calls; });
  transform(engine_, x, x, [&](int v) { return ++calls, v; });
  transform(engine_, x, x, x, [&](int a, int) { return ++calls, a; });
  EXPECT_EQ(calls, 30'000);
  Engine serial("serial");
  int own = 0;
  auto counting = [own](int v) mutable { return v + own++; };
  transform(serial, x, x, counting);
  EXPECT_EQ(x[9'999], 9'999) << "a functor that changes was copied";
}

TEST_P(LoopsTest, ViewsOfAnyStrides) {
  std::vector<double> memory = numbers(60 * 80);
  const auto rows = View<const double, 2>::row_major(memory.data(), {60, 80});
  std::vector<double> turned(60 * 80);
  transform(engine_, rows, View<double, 2>::column_major(turned.data(), {60, 80}), [](double v) { return v; });
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t j = 0; j < 80; ++j) ASSERT_EQ(turned[j * 60 + i], memory[i * 80 + j]);
  // Flipped, broadcast, and every other element.
  const View<const double, 2> flipped(memory.data() + 60 * 80 - 1, {60, 80}, {-80, -1});
  const View<const double, 2> first_row(memory.data(), {60, 80}, {0, 1});
  std::vector<double> sparse(2 * 60 * 80, -1.0);
  const View<double, 2> every_other(sparse.data(), {60, 80}, {160, 2});
  transform(engine_, flipped, first_row, every_other, [](double a, double b) { return a + b; });
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t j = 0; j < 80; ++j) ASSERT_EQ(every_other(i, j), flipped(i, j) + first_row(i, j));
  EXPECT_EQ(sparse[1], -1);
  std::atomic<int> visits{0};
  for_each(engine_, View<double, 3>(sparse.data(), {5, 6, 7}, {42, 7, 1}), [&](double&) { ++visits; });
  EXPECT_EQ(visits, 5 * 6 * 7);
  const auto same = View<double, 2>::row_major(memory.data(), {60, 80});
  transform(engine_, same, same, [](double v) { return -v; });
  EXPECT_EQ(memory[4799], -4800);
}

TEST_P(LoopsTest, ViewsThatCannotBeAreRefused) {
  std::vector<double> memory = numbers(100);
  const std::vector<double> before = memory;
  const auto copy = [](double v) { return v; };
  const View<double, 2> in(memory.data(), {3, 4}, {4, 1});
  using Out = View<double, 2>;
  EXPECT_NE(message_of([&] {
              transform(engine_, in, Out(memory.data() + 50, {3, 4}, {0, 1}), copy);
            }).find("stride of 0"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              transform(engine_, in, Out(memory.data() + 50, {4, 3}, {3, 1}), copy);
            }).find("shapes"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              transform(engine_, in, Out(memory.data() + 11, {3, 4}, {4, 1}), copy);
            }).find("overlap"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              transform(engine_, in, Out(memory.data() + 15, {3, 4}, {-4, 1}), copy);
            }).find("overlap"),
            std::string::npos);
  EXPECT_THROW(transform(engine_, in, Out(nullptr, {3, 4}, {4, 1}), copy), Error);
  EXPECT_THROW(transform(engine_, in, in, Out(memory.data() + 4, {3, 4}, {4, 1}), std::plus<>{}), Error);
  EXPECT_EQ(memory, before);
  transform(engine_, Out(nullptr, {0, 4}, {4, 1}), Out(nullptr, {0, 4}, {0, 0}), copy);
}

TEST_P(LoopsTest, StreamedResultsAreThoseOfThePlainLoop) {
  const auto f = [](double v) { return std::sqrt(v) / 3; };
  const std::size_t n = machine().stream_above() / (2 * sizeof(double)) + 5'003;
  const Array<double> x(engine_, n + 3, 2.0);
  Array<double> y(engine_, n + 3, -1.0);
  for (const std::size_t shift : {0, 1, 3}) {
    const std::span<const double> in = std::span(x).subspan(shift, n);
    const std::span<double> out = std::span(y).subspan(shift, n);
    for_each_index(engine_, n, [&](std::size_t i) { const_cast<double&>(in[i]) = static_cast<double>(i); });
    transform(engine_, in, out, f);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], f(in[i])) << i << " of " << n << ", shifted by " << shift;
    ASSERT_TRUE(shift == 3 || y[n + 2] == -1) << "wrote behind the end";
  }
}

TEST_P(LoopsTest, WhateverHasDataAndSizeIsARange) {
  const auto twice = [](double v) { return 2 * v; };
  std::vector<double> x = numbers(4);
  double plain[4] = {};
  std::array<double, 4> fixed{};
  Array<double> array(engine_, 4);
  transform(engine_, x, plain, twice);
  transform(engine_, plain, fixed, twice);
  transform(engine_, fixed, array, twice);
  transform(engine_, std::as_const(array), std::span(x), twice);
  EXPECT_EQ(x, (std::vector<double>{16, 32, 48, 64}));
#if defined(FURROW_TEST_EIGEN)
  Eigen::VectorXd vector = Eigen::VectorXd::Zero(4);
  transform(engine_, x, vector, twice);
  EXPECT_EQ(vector(3), 128);
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(4, 3);  // its columns lie side by side
  transform(engine_, vector, matrix.col(1), twice);
  EXPECT_EQ(matrix(3, 1), 256);
  EXPECT_EQ(matrix(3, 2), 0);
  for_each(engine_, matrix, [](double& v) { v += 1; });
  EXPECT_EQ(matrix(0, 0), 1);
  EXPECT_NE(message_of([&] { for_each(engine_, matrix.row(1), [](double& v) { v = 0; }); }).find("side by side"),
            std::string::npos);
  EXPECT_THROW(for_each(engine_, matrix.block(0, 0, 2, 2), [](double& v) { v = 0; }), Error);
  EXPECT_EQ(matrix(1, 0), 1);
#endif
}

INSTANTIATE_TEST_SUITE_P(All, LoopsTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
