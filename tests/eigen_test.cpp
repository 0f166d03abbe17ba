// Eigen's expressions: assigned with the same bits wherever they lie and whatever runs them, refused where they read what is
// written, and reduced to the bits of the evaluated array.
#include "furrow/eigen.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "furrow/eigen_sparse.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using Eigen::Index;
using support::message_of;

const std::vector<Index> kSizes{0, 1, 2, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1023, 4099, 8193, 40'009};

class EigenTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

template <class A>
A numbers(Index rows, Index columns, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-4, 4);
  A all(rows, columns);
  for (Index i = 0; i < all.size(); ++i) all.data()[i] = static_cast<typename A::Scalar>(uniform(random));
  return all;
}
template <class T = double>
Eigen::Array<T, Eigen::Dynamic, 1> vector(Index n, unsigned seed = 1) {
  return numbers<Eigen::Array<T, Eigen::Dynamic, 1>>(n, 1, seed);
}

template <class A, class B>
bool equal(const A& a, const B& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a.array() == b.array()).all();
}

TEST_P(EigenTest, AssignsWhatEigenAssigns) {
  for (const Index n : kSizes) {
    const Eigen::ArrayXd x = vector(n, 1);
    const Eigen::ArrayXd y = vector(n, 2);
    Eigen::ArrayXd z;
    assign(engine_, z, 3.0 * x + y * x.abs() - 1);
    EXPECT_TRUE(equal(z, (3.0 * x + y * x.abs() - 1).eval())) << n;
    assign(engine_, z, (x > y).select(x, -y));
    EXPECT_TRUE(equal(z, (x > y).select(x, -y).eval())) << n;
    assign(engine_, z, x.reverse());
    EXPECT_TRUE(equal(z, x.reverse().eval())) << n;
    assign(engine_, z, Eigen::ArrayXd::LinSpaced(n, 0, 1));
    EXPECT_EQ(z.size(), n);
    Eigen::Array<bool, Eigen::Dynamic, 1> mask;
    assign(engine_, mask, x > y);
    EXPECT_TRUE(equal(mask, (x > y).eval())) << n;
    Eigen::ArrayXf f;
    assign(engine_, f, x.cast<float>());
    EXPECT_TRUE(equal(f, x.cast<float>().eval())) << n;
    Eigen::ArrayXi i;
    assign(engine_, i, (10 * x).cast<int>() + 1);
    EXPECT_TRUE(equal(i, ((10 * x).cast<int>() + 1).eval())) << n;
    Eigen::ArrayXcd c;
    assign(engine_, c, x);
    EXPECT_TRUE(equal(c.real(), x)) << n;
    std::vector<double> v(static_cast<std::size_t>(n));
    assign(engine_, v, 2 * x.matrix().transpose());
    EXPECT_TRUE(equal(Eigen::Map<Eigen::ArrayXd>(v.data(), n), (2 * x).eval())) << n;
  }
}

template <int kOut, int kIn>
void assign_matrices(Engine& engine, Index rows, Index columns) {
  using Out = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, kOut>;
  using In = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, kIn>;
  const In a = numbers<In>(rows, columns, 1);
  const In b = numbers<In>(columns, rows, 2);
  const Out expected = a * 2 - b.transpose();
  Out whole;
  assign(engine, whole, a * 2 - b.transpose());
  EXPECT_TRUE(equal(whole, expected)) << rows << " × " << columns;

  Out around = Out::Constant(rows + 3, columns + 5, -1);
  Out by_eigen = around;
  by_eigen.block(1, 2, rows, columns) = expected;
  assign(engine, around.block(1, 2, rows, columns), a * 2 - b.transpose());
  EXPECT_TRUE(equal(around, by_eigen)) << rows << " × " << columns;

  // Every second row and every third column, of a destination and of an operand.
  using Gaps = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const Gaps gaps(2 * (kOut == Eigen::RowMajor ? columns : rows) * 3 + 1, 3);
  std::vector<double> memory(static_cast<std::size_t>(gaps.outer() * (kOut == Eigen::RowMajor ? rows : columns) + 9), -7);
  Eigen::Map<Out, 0, Gaps> map(memory.data() + 1, rows, columns, gaps);
  assign(engine, map, a + 1);
  EXPECT_TRUE(equal(map, (a + 1).eval())) << rows << " × " << columns;
  EXPECT_EQ(std::count(memory.begin(), memory.end(), -7), static_cast<std::ptrdiff_t>(memory.size()) - rows * columns);
  assign(engine, whole, map * 2);
  EXPECT_TRUE(equal(whole, (map * 2).eval())) << rows << " × " << columns;

  const Eigen::VectorXd column = vector(rows).matrix();
  assign(engine, whole, (a.matrix().colwise() - column).array());
  EXPECT_TRUE(equal(whole, (a.matrix().colwise() - column).array().eval())) << rows << " × " << columns;
}

TEST_P(EigenTest, AssignsMatricesInAnyOrderWithAnyStrides) {
  for (const auto& [rows, columns] :
       std::vector<std::pair<Index, Index>>{{0, 3}, {1, 1}, {3, 1000}, {1000, 3}, {67, 131}, {2, 20'000}, {16'385, 2}}) {
    assign_matrices<Eigen::ColMajor, Eigen::ColMajor>(engine_, rows, columns);
    assign_matrices<Eigen::RowMajor, Eigen::ColMajor>(engine_, rows, columns);
  }
}

TEST_P(EigenTest, TakesFixedSizesVectorsAndWhatWasEvaluated) {
  Eigen::Matrix3d fixed;
  const Eigen::Matrix3d a = numbers<Eigen::MatrixXd>(3, 3);
  assign(engine_, fixed, 2 * a.transpose());
  EXPECT_EQ(fixed, 2 * a.transpose());
  Eigen::RowVectorXd row;
  const Eigen::VectorXd x = vector(1000).matrix();
  assign(engine_, row, 2 * x);
  EXPECT_EQ(row, 2 * x.transpose());
  Eigen::MatrixXd m = numbers<Eigen::MatrixXd>(100, 1000);
  assign(engine_, m.row(7), x);
  EXPECT_TRUE(equal(m.row(7).transpose(), x));
  assign(engine_, m.col(3).segment(5, 10), x.head(10));
  EXPECT_TRUE(equal(m.col(3).segment(5, 10), x.head(10)));
  Eigen::VectorXd y;
  assign(engine_, y, (m * x).eval() + Eigen::VectorXd::Ones(100));
  EXPECT_TRUE(equal(y, m * x + Eigen::VectorXd::Ones(100)));
}

/// exp and the like of elements that lie `shift` elements further, written as far from the beginning of a page.
Eigen::ArrayXd shifted(Engine& engine, const Eigen::ArrayXd& values, Index shift) {
  const Index n = values.size();
  Eigen::ArrayXd from(n + 8);
  Eigen::ArrayXd to = Eigen::ArrayXd::Constant(n + 8, -7);
  from.segment(shift, n) = values;
  const auto x = from.segment(shift, n);
  assign(engine, to.segment(7 - shift, n), x.exp() + x.abs().sqrt() * x.tanh() - (x.abs() * 0.3 + 0.1).log());
  EXPECT_TRUE((to.head(7 - shift) == -7).all() && (to.tail(shift + 1) == -7).all()) << "written beside the destination";
  return to.segment(7 - shift, n);
}

TEST(Eigen, BitsDependOnNothingButShapeAndType) {
  for (const Index n : kSizes) {
    const Eigen::ArrayXd x = vector(n);
    Engine serial("serial");
    const Eigen::ArrayXd expected = shifted(serial, x, 0);
    Eigen::ArrayXd in_place = x;
    assign(serial, in_place, in_place.exp() + in_place.abs().sqrt() * in_place.tanh() - (in_place.abs() * 0.3 + 0.1).log());
    EXPECT_TRUE(equal(in_place, expected)) << n;
    for (const std::string& backend : backends()) {
      for (const int concurrency : {1, 2, 3, 7}) {
        Engine engine(backend, {.concurrency = concurrency, .serial_below = 0});
        for (const Index shift : {0, 1, 3, 6}) EXPECT_TRUE(equal(shifted(engine, x, shift), expected)) << backend << " " << n;
      }
    }
  }
}

TEST(Eigen, EveryElementGoesThroughPackets) {
  // So an element does not depend on its index: the exponential of a part is the part of the exponentials.
  Engine engine("serial");
  const Eigen::ArrayXd x = vector(5000);
  Eigen::ArrayXd whole;
  Eigen::ArrayXd part;
  assign(engine, whole, x.exp());
  for (const Index n : {64, 65, 127, 1000, 4099}) {
    assign(engine, part, x.segment(17, n).exp());
    EXPECT_TRUE(equal(part, whole.segment(17, n))) << n;
  }
}

TEST(Eigen, StreamedResultsAreTheSame) {
  const auto n = static_cast<Index>(std::min(machine().stream_above() / sizeof(double), std::size_t{1} << 23)) + 3;
  Engine engine(backends().back(), {.concurrency = 2});
  const Eigen::ArrayXd x = Eigen::ArrayXd::LinSpaced(n, -1, 1);
  Eigen::ArrayXd streamed(n + 1);
  assign(engine, streamed.tail(n), 3.0 * x + x.square() * x.abs());
  Eigen::ArrayXd in_place = x;
  assign(engine, in_place, 3.0 * in_place + in_place.square() * in_place.abs());
  EXPECT_TRUE(equal(streamed.tail(n), in_place));
}

TEST_P(EigenTest, TheDestinationMayBeAnOperandInItsPlaceAlone) {
  Eigen::ArrayXd x = vector(10'000);
  const Eigen::ArrayXd expected = 2 * x + x.square();
  assign(engine_, x, 2 * x + x.square());
  EXPECT_TRUE(equal(x, expected));
  Eigen::MatrixXd m = numbers<Eigen::MatrixXd>(60, 60);
  const Eigen::MatrixXd before = m;
  assign(engine_, m.transpose(), 2 * m.transpose());
  EXPECT_EQ(m, 2 * before);

  const auto refused = [&](const auto& call) {
    const Eigen::MatrixXd matrix = m;
    const Eigen::ArrayXd array = x;
    EXPECT_NE(message_of(call).find("temporary"), std::string::npos);
    EXPECT_EQ(m, matrix);
    EXPECT_TRUE(equal(x, array));
  };
  refused([&] { assign(engine_, m, m.transpose()); });
  refused([&] { assign(engine_, m, m.rowwise().reverse() + Eigen::MatrixXd::Ones(60, 60)); });
  refused([&] { assign(engine_, x.head(5000), 2 * x.segment(1, 5000)); });
  refused([&] { assign(engine_, x.segment(1, 5000), x.head(5000).exp()); });
  refused([&] { assign(engine_, x, x.head(100)); });
  refused([&] { assign(engine_, m.topRows(30), m.middleRows(15, 30)); });
  refused([&] { assign(engine_, m.row(0), m.col(0)); });
  refused([&] { assign(engine_, m, m.colwise() + m.col(3)); });
  refused([&] { assign(engine_, x, Eigen::Map<Eigen::ArrayXd, 0, Eigen::InnerStride<2>>(x.data(), 5000).replicate(2, 1)); });

  // Among each other, but apart.
  Eigen::MatrixXd expected_rows = m;
  expected_rows.row(3) = 2 * m.row(4);
  expected_rows.block(10, 10, 20, 20) = m.block(30, 30, 20, 20);
  expected_rows.block(5, 40, 3, 20) = m.block(8, 40, 3, 20);
  assign(engine_, m.row(3), 2 * m.row(4));
  assign(engine_, m.block(10, 10, 20, 20), m.block(30, 30, 20, 20));
  assign(engine_, m.block(5, 40, 3, 20), m.block(8, 40, 3, 20));
  EXPECT_EQ(m, expected_rows);
  Eigen::Map<Eigen::ArrayXd, 0, Eigen::InnerStride<2>> even(x.data(), 5000);
  Eigen::Map<Eigen::ArrayXd, 0, Eigen::InnerStride<2>> odd(x.data() + 1, 5000);
  const Eigen::ArrayXd sum = even + odd;
  assign(engine_, even, even + odd);
  EXPECT_TRUE(equal(even, sum));
}

TEST_P(EigenTest, ShapesThatDoNotFitAreRefused) {
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(4, 4);
  Eigen::Matrix2d fixed = Eigen::Matrix2d::Zero();
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  std::vector<double> v(4);
  EXPECT_NE(message_of([&] { assign(engine_, m.block(0, 0, 2, 2), Eigen::MatrixXd::Ones(3, 2)); }).find("2 × 2"),
            std::string::npos);
  EXPECT_NE(message_of([&] { assign(engine_, fixed, m); }).find("4 × 4"), std::string::npos);
  EXPECT_NE(message_of([&] { assign(engine_, x, m); }).find("4 × 4"), std::string::npos);
  EXPECT_NE(message_of([&] { assign(engine_, v, x); }).find("3 × 1"), std::string::npos);
  EXPECT_EQ(m, Eigen::MatrixXd::Zero(4, 4));
  EXPECT_NE(message_of([&] { static_cast<void>(dot(engine_, x.array() + 1, m.array() + 1)); }).find("sizes"), std::string::npos);
  EXPECT_NE(message_of([&] { static_cast<void>(min(engine_, x.head(0) * 2)); }).find("empty"), std::string::npos);
}

bool same(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

/// All reductions of the expression against those of the array that it becomes.
template <class E>
void reduce_all(Engine& engine, const E& expression, const std::string& what) {
  using T = typename E::Scalar;
  using Array = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, E::IsRowMajor ? Eigen::RowMajor : Eigen::ColMajor>;
  Array array;
  assign(engine, array, expression);
  const std::span<const T> x(array.data(), static_cast<std::size_t>(array.size()));
  const auto agree = [&](const char* name, auto a, auto b) {
    EXPECT_TRUE(same(static_cast<double>(a), static_cast<double>(b))) << name << " of " << what << ": " << a << ", not " << b;
  };
  agree("sum", sum(engine, expression), sum(engine, x));
  agree("dot", dot(engine, expression, expression + T{1}),
        dot(engine, x, std::span<const T>(Array(array + T{1}).data(), x.size())));
  if constexpr (std::floating_point<T>) {
    agree("norm1", norm1(engine, expression), norm1(engine, x));
    agree("norm2", norm2(engine, expression), norm2(engine, x));
    agree("norm_inf", norm_inf(engine, expression), norm_inf(engine, x));
  }
  if (x.empty()) return;
  agree("min", min(engine, expression), min(engine, x));
  agree("max", max(engine, expression), max(engine, x));
  agree("minmax", minmax(engine, expression).min, minmax(engine, x).min);
  agree("minmax", minmax(engine, expression).max, minmax(engine, x).max);
  agree("argmin", argmin(engine, expression), argmin(engine, x));
  agree("argmax", argmax(engine, expression), argmax(engine, x));
  agree("mean", mean(engine, expression), mean(engine, x));
  agree("variance", variance(engine, expression), variance(engine, x));
}

TEST_P(EigenTest, ReductionsHaveTheBitsOfTheEvaluatedArray) {
  for (const Index n : kSizes) {
    const std::string size = std::to_string(n);
    reduce_all(engine_, vector(n, 1) * vector(n, 2) - 0.25, "double " + size);
    reduce_all(engine_, vector<float>(n, 1) * vector<float>(n, 2), "float " + size);
    reduce_all(engine_, vector<std::int32_t>(n, 1) * 1'000'000'007 + 5, "int32 " + size);
    reduce_all(engine_, vector<std::int64_t>(n, 1) * std::int64_t{7'000'000'000'000'000'007} - 3, "int64 " + size);
  }
  using Rows = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const auto& [rows, columns] : std::vector<std::pair<Index, Index>>{{1, 1}, {3, 5000}, {5000, 3}, {130, 90}}) {
    const Eigen::ArrayXXd a = numbers<Eigen::ArrayXXd>(rows + 2, columns + 1, 1);
    const Rows b = numbers<Rows>(rows, columns, 2);
    reduce_all(engine_, a.block(1, 1, rows, columns).exp() + 1, "a block");
    EXPECT_EQ(argmin(engine_, b * 2), argmin(engine_, std::span(b.data(), static_cast<std::size_t>(b.size()))));
    reduce_all(engine_, a.block(1, 1, rows, columns) - b, "both orders");
    const Eigen::ArrayXXd block = a.block(1, 1, rows, columns);
    EXPECT_TRUE(same(sum(engine_, a.block(1, 1, rows, columns)), sum(engine_, block)));
    EXPECT_EQ(argmax(engine_, a.block(1, 1, rows, columns)), argmax(engine_, block));
    EXPECT_TRUE(same(norm2(engine_, a.row(0)), norm2(engine_, Eigen::ArrayXd(a.row(0)))));
    EXPECT_TRUE(same(dot(engine_, a.row(0), a.row(1)), dot(engine_, Eigen::ArrayXd(a.row(0)), Eigen::ArrayXd(a.row(1)))));
  }
}

TEST_P(EigenTest, ReductionsKnowNaNZerosAndOverflow) {
  Eigen::ArrayXd x = vector(20'000);
  x(15'000) = x(17'000) = std::numeric_limits<double>::quiet_NaN();
  const auto reduce_special = [&](const Eigen::ArrayXd& special, const std::string& what) {
    const Eigen::ArrayXd ones = Eigen::ArrayXd::Ones(special.size());
    reduce_all(engine_, special * ones - 0.0, what);
  };
  reduce_special(x, "NaN");
  Eigen::ArrayXd zeros = Eigen::ArrayXd::Zero(9'000);
  zeros(8'500) = -0.0;
  reduce_special(zeros, "zeros");
  reduce_special(Eigen::ArrayXd::Constant(9'000, -0.0), "negative zeros");
  reduce_special(vector(9'000) * 1e300, "overflow");
  reduce_special(vector(9'000) * 1e-300, "underflow");
  reduce_special(vector(9'000) * std::numeric_limits<double>::infinity(), "infinities");
}

TEST(Eigen, ReductionsHaveTheSameBitsEverywhere) {
  const Eigen::ArrayXd values = vector(50'001);
  Engine serial("serial");
  const auto results = [&](Engine& engine, Index shift) {
    Eigen::ArrayXd from(values.size() + 8);
    from.segment(shift, values.size()) = values;
    const auto x = from.segment(shift, values.size());
    return std::vector<double>{sum(engine, x * x - 0.3),    sum(engine, x.exp()),    norm2(engine, x.tanh() + x),
                               dot(engine, x - 1, x.exp()), variance(engine, x * 3), mean(engine, x.exp())};
  };
  const std::vector<double> expected = results(serial, 0);
  for (const std::string& backend : backends())
    for (const int concurrency : {1, 2, 3, 7})
      for (const Index shift : {0, 1, 5}) {
        Engine engine(backend, {.concurrency = concurrency, .serial_below = 0});
        EXPECT_EQ(results(engine, shift), expected) << backend << " " << concurrency;
      }
}

/// Sums and extremes of rows and columns of the expression against those of each row and column of the array.
template <class E>
void reduce_lines(Engine& engine, const E& expression) {
  using T = typename E::Scalar;
  using Array = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, E::IsRowMajor ? Eigen::RowMajor : Eigen::ColMajor>;
  Array array;
  assign(engine, array, expression);
  for (const std::size_t axis : {0U, 1U}) {
    const Index count = axis == 0 ? array.cols() : array.rows();
    std::vector<sum_t<T>> sums(static_cast<std::size_t>(count));
    std::vector<double> means(sums.size());
    std::vector<T> least(sums.size());
    Eigen::Array<T, Eigen::Dynamic, 1> greatest(count);
    sum(engine, expression, Axis{axis}, sums);
    mean(engine, expression, Axis{axis}, means);
    min(engine, expression, Axis{axis}, least);
    max(engine, expression, Axis{axis}, greatest);
    for (Index i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Eigen::Array<T, Eigen::Dynamic, 1> line =
          axis == 0 ? Eigen::Array<T, Eigen::Dynamic, 1>(array.col(i)) : Eigen::Array<T, Eigen::Dynamic, 1>(array.row(i));
      ASSERT_EQ(sums[at], sum(engine, line)) << axis << " " << i;
      ASSERT_EQ(means[at], mean(engine, line)) << axis << " " << i;
      ASSERT_EQ(least[at], min(engine, line)) << axis << " " << i;
      ASSERT_EQ(greatest(i), max(engine, line)) << axis << " " << i;
    }
  }
}

TEST_P(EigenTest, ReducesRowsAndColumns) {
  using Rows = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const auto& [rows, columns] : std::vector<std::pair<Index, Index>>{{1, 1}, {3, 20'000}, {20'000, 3}, {301, 203}}) {
    const Eigen::ArrayXXd a = numbers<Eigen::ArrayXXd>(rows, columns, 1);
    const Rows b = numbers<Rows>(rows, columns, 2);
    reduce_lines(engine_, a.exp() + 1);
    reduce_lines(engine_, a - b);
    reduce_lines(engine_, a);
    reduce_lines(engine_, (100 * b).cast<std::int32_t>());
  }
  Eigen::ArrayXXd a = numbers<Eigen::ArrayXXd>(30, 20);
  std::vector<double> few(7);
  EXPECT_NE(message_of([&] { sum(engine_, a + 1, Axis{0}, few); }).find("20"), std::string::npos);
  EXPECT_NE(message_of([&] { sum(engine_, a + 1, Axis{2}, few); }).find("axis 2"), std::string::npos);
  EXPECT_NE(message_of([&] { sum(engine_, a + 1, Axis{1}, a.col(3)); }).find("memory"), std::string::npos);
  norm2(engine_, a + 1, Axis{1}, Eigen::ArrayXd(30));
}

TEST_P(EigenTest, CountsAndAsksForTruth) {
  for (const Index n : kSizes) {
    const Eigen::ArrayXd x = vector(n);
    EXPECT_EQ(count(engine_, x > 0.5), static_cast<std::size_t>((x > 0.5).count())) << n;
    const Eigen::Array<bool, Eigen::Dynamic, 1> mask = x > 0.5;
    EXPECT_EQ(count(engine_, mask), static_cast<std::size_t>(mask.count())) << n;
    EXPECT_FALSE(any(engine_, x > 5)) << n;
    EXPECT_TRUE(none(engine_, x > 5)) << n;
    EXPECT_TRUE(all(engine_, x < 5)) << n;
    for (const Index i : {Index{0}, n / 2, n - 1}) {
      if (n == 0) continue;
      Eigen::ArrayXd one = Eigen::ArrayXd::Zero(n);
      one(i) = 1;
      EXPECT_TRUE(any(engine_, one == 1)) << n;
      EXPECT_FALSE(all(engine_, one == 0)) << n;
      EXPECT_EQ(count(engine_, one != 0), 1U) << n;
    }
  }
}

/// A matrix with rows of all lengths, and the product by the written order.
template <class T, class I>
void multiply_sparse(Engine& engine, bool compressed) {
  const Index rows = 3001;
  const Index columns = 977;
  Eigen::SparseMatrix<T, Eigen::RowMajor, I> a(rows, columns);
  std::mt19937 random(5);
  for (Index i = 0; i < rows; ++i) {
    if (!compressed) a.reserve(Eigen::VectorXi::Constant(rows, 3));
    const auto length = static_cast<Index>(i == 100 ? columns : i % 9);
    for (Index j = 0; j < length; ++j)
      a.coeffRef(i, (i * 31 + j * (i == 100 ? 1 : 53)) % columns) = static_cast<T>(random() % 1000) / 7;
    if (!compressed) break;
  }
  if (!compressed)
    for (Index i = 1; i < rows; ++i) a.coeffRef(i, i % columns) = 2;
  if (compressed) a.makeCompressed();
  ASSERT_EQ(a.isCompressed(), compressed);
  const Eigen::Matrix<T, Eigen::Dynamic, 1> x = vector<T>(columns).matrix();
  Eigen::Matrix<T, Eigen::Dynamic, 1> y = Eigen::Matrix<T, Eigen::Dynamic, 1>::Constant(rows, -1);
  multiply(engine, a, x, y);
  for (Index i = 0; i < rows; ++i) {
    T lanes[4]{T{-0.0}, T{-0.0}, T{-0.0}, T{-0.0}};
    Index k = 0;
    for (typename Eigen::SparseMatrix<T, Eigen::RowMajor, I>::InnerIterator it(a, i); it; ++it, ++k) {
      const volatile T product = it.value() * x(it.col());
      lanes[k % 4] += product;
    }
    const T expected = k == 0 ? T{0} : (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    ASSERT_EQ(y(i), expected) << "row " << i;
  }
}

TEST_P(EigenTest, MultipliesSparseMatrices) {
  multiply_sparse<double, std::int32_t>(engine_, true);
  multiply_sparse<double, std::int32_t>(engine_, false);
  multiply_sparse<float, std::int64_t>(engine_, true);
  Eigen::SparseMatrix<double, Eigen::RowMajor> none(5, 4);
  Eigen::VectorXd x = Eigen::VectorXd::Ones(4);
  Eigen::VectorXd y = Eigen::VectorXd::Ones(5);
  multiply(engine_, none, x, y);
  EXPECT_EQ(y, Eigen::VectorXd::Zero(5));
  EXPECT_NE(message_of([&] { multiply(engine_, none, y, y); }).find("sizes"), std::string::npos);
  Eigen::SparseMatrix<double, Eigen::RowMajor> square(4, 4);
  EXPECT_NE(message_of([&] { multiply(engine_, square, x, x); }).find("memory"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(AllBackends, EigenTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
