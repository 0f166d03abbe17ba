#include "furrow/kernels/expression.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/kernels/math.hpp"

namespace furrow {
namespace {

/// What the expression gives over arrays of one element each; `values` in the order of its names.
template <class Result, class... Values>
Result value_of(const std::string& text, Values... values) {
  const Program program = Expression::parse(text).bind(std::vector<Binding>{Binding(type_of<Values>)...});
  EXPECT_EQ(program.result_type(), type_of<Result>) << text;
  Program::Scratch scratch(program);
  const std::vector<const void*> inputs{&values...};
  Result result{};
  program.run(1, inputs, &result, scratch);
  return result;
}
std::string parse_error(const std::string& text) {
  try {
    (void)Expression::parse(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string bind_error(const std::string& text, const std::vector<Binding>& bindings) {
  try {
    (void)Expression::parse(text).bind(bindings);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Type result_type(const std::string& text, const std::vector<Binding>& bindings) {
  return Expression::parse(text).bind(bindings).result_type();
}

TEST(Expression, HasPythonsPrecedence) {
  const double x = 3.5;
  EXPECT_EQ(value_of<double>("x", x), x);
  EXPECT_EQ(value_of<double>("+x", x), x);
  EXPECT_EQ(value_of<double>("1 + 2 * x", x), 1 + 2 * x);
  EXPECT_EQ(value_of<double>("(1 + 2) * x", x), (1 + 2) * x);
  EXPECT_EQ(value_of<double>("10 - x - 2", x), 10 - x - 2);
  EXPECT_EQ(value_of<double>("10 / x / 2", x), 10 / x / 2);
  EXPECT_EQ(value_of<double>("10 - (x - 2)", x), 10 - (x - 2));
  EXPECT_EQ(value_of<double>("-x*-x", x), x * x);
  EXPECT_EQ(value_of<double>("2--x", x), 2 + x);
  EXPECT_EQ(value_of<double>(" sqrt ( abs( -x ) )\t", x), std::sqrt(x));
  EXPECT_EQ(value_of<double>("minimum(x, 2) + maximum(x, 2)", x), 5.5);
  EXPECT_EQ(value_of<double>("x*.5 + 5. - 1e-1 + 2E+1", x), x * .5 + 5. - 1e-1 + 2e+1);
  EXPECT_EQ(value_of<double>("a_1 - _B2", 7.0, 2.0), 5);
  EXPECT_EQ(value_of<double>("y*x - y", 7.0, 2.0), 7);
}

TEST(Expression, ListsItsNamesOnce) {
  EXPECT_EQ(Expression::parse("b*a + sqrt(b) - c").names(), (std::vector<std::string>{"b", "a", "c"}));
}

TEST(Expression, PromotesAsNumPyDoes) {
  const Type all[] = {Type::f32, Type::f64, Type::i32, Type::i64, Type::u8};
  const Type f4 = Type::f32, f8 = Type::f64, i4 = Type::i32, i8 = Type::i64, u1 = Type::u8;
  const Type sums[5][5] = {
      {f4, f8, f8, f8, f4}, {f8, f8, f8, f8, f8}, {f8, f8, i4, i8, i4}, {f8, f8, i8, i8, i8}, {f4, f8, i4, i8, u1}};
  const Type quotients[5][5] = {
      {f4, f8, f8, f8, f4}, {f8, f8, f8, f8, f8}, {f8, f8, f8, f8, f8}, {f8, f8, f8, f8, f8}, {f4, f8, f8, f8, f8}};
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b < 5; ++b) {
      for (const char* text : {"x+y", "x-y", "x*y", "minimum(x,y)", "maximum(x,y)"})
        EXPECT_EQ(result_type(text, {all[a], all[b]}), sums[a][b]) << text;
      EXPECT_EQ(result_type("x/y", {all[a], all[b]}), quotients[a][b]);
    }
    const bool whole = !is_fraction(all[a]);
    for (const char* text : {"-x", "+x", "abs(x)", "square(x)", "x+1", "1-x", "x*3", "minimum(2,x)"})
      EXPECT_EQ(result_type(text, {all[a]}), all[a]) << text;
    for (const char* text : {"x+1.5", "2.0*x", "x/2", "2/x", "sqrt(x)", "x*(1/2)", "x+sqrt(4)"})
      EXPECT_EQ(result_type(text, {all[a]}), whole ? f8 : all[a]) << text;
    EXPECT_EQ(result_type("a*x", {Binding(2.5), all[a]}), whole ? f8 : all[a]);
    EXPECT_EQ(result_type("a*x", {Binding(std::int64_t{2}), all[a]}), all[a]);
  }
}

TEST(Expression, ComputesInTheCommonType) {
  EXPECT_EQ(value_of<std::int64_t>("x+y", std::int32_t{2'000'000'000}, std::int64_t{2'000'000'000}), 4'000'000'000);
  EXPECT_EQ(value_of<double>("x*y", 0.1F, 3.0), double{0.1F} * 3.0);
  EXPECT_EQ(value_of<double>("x+y", std::int32_t{16'777'217}, 0.5F), 16'777'217.5);
  EXPECT_EQ(value_of<float>("x*0.1", 3.0F), 3.0F * 0.1F);
  EXPECT_EQ(value_of<float>("x*16777217", 1.0F), 16'777'216.0F);
  EXPECT_EQ(value_of<double>("x/y", std::int32_t{1}, std::int32_t{3}), 1.0 / 3.0);
  EXPECT_EQ(value_of<double>("x/0", std::int32_t{-1}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(value_of<double>("sqrt(x)", std::int64_t{2}), std::sqrt(2.0));
  EXPECT_EQ(value_of<double>("sqrt(x)", std::uint8_t{2}), std::sqrt(2.0)) << "there are no numbers of 16 bits";
  EXPECT_EQ(value_of<double>("x/y", std::uint8_t{200}, std::uint8_t{3}), 200.0 / 3.0);
  EXPECT_EQ(value_of<std::int32_t>("x*y", std::uint8_t{200}, std::int32_t{-3}), -600);
  EXPECT_EQ(value_of<float>("x*y", std::uint8_t{200}, 0.5F), 100.0F);
  EXPECT_EQ(value_of<double>("x+0.0", std::int64_t{(1L << 62) + 255}), static_cast<double>((1L << 62) + 255));
}

TEST(Expression, IntegersWrap) {
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(value_of<std::int32_t>("abs(x)", kLeast), kLeast);
  EXPECT_EQ(value_of<std::int32_t>("-x", kLeast), kLeast);
  EXPECT_EQ(value_of<std::int32_t>("x-1", kLeast), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(value_of<std::int32_t>("square(x)", std::int32_t{65'536}), 0);
  EXPECT_EQ(value_of<std::uint8_t>("x+y", std::uint8_t{200}, std::uint8_t{100}), 44);
  EXPECT_EQ(value_of<std::uint8_t>("x*x", std::uint8_t{255}), 1);
  EXPECT_EQ(value_of<std::uint8_t>("x-y", std::uint8_t{0}, std::uint8_t{1}), 255);
  EXPECT_EQ(value_of<std::uint8_t>("-x", std::uint8_t{1}), 255);
  EXPECT_EQ(value_of<std::uint8_t>("abs(x)", std::uint8_t{255}), 255);
  EXPECT_EQ(value_of<std::uint8_t>("x > 127", std::uint8_t{128}), 1) << "they have no sign";
  EXPECT_EQ(value_of<std::uint8_t>("maximum(x, 127)", std::uint8_t{128}), 128);
  EXPECT_EQ(value_of<std::int64_t>("x+1", kMost), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value_of<std::int64_t>("x*x", kMost), 1);
}

TEST(Expression, ExtremesPropagateNaNAndOrderZeros) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* text : {"minimum(x,y)", "maximum(x,y)"}) {
    EXPECT_TRUE(std::isnan(value_of<double>(text, nan, 1.0)));
    EXPECT_TRUE(std::isnan(value_of<double>(text, 1.0, nan)));
    EXPECT_TRUE(std::isnan(value_of<float>(text, 1.0F, static_cast<float>(nan))));
  }
  EXPECT_TRUE(std::signbit(value_of<double>("minimum(x,y)", 0.0, -0.0)));
  EXPECT_TRUE(std::signbit(value_of<double>("minimum(x,y)", -0.0, 0.0)));
  EXPECT_FALSE(std::signbit(value_of<double>("maximum(x,y)", 0.0, -0.0)));
  EXPECT_FALSE(std::signbit(value_of<double>("maximum(x,y)", -0.0, 0.0)));
  EXPECT_EQ(value_of<std::int64_t>("minimum(x,y)-maximum(x,y)", std::int64_t{-5}, std::int64_t{3}), -8);
}

TEST(Expression, ComparisonsAreOneOrZero) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [x, y] : {std::pair{1.0, 2.0}, {2.0, 1.0}, {1.0, 1.0}, {-0.0, 0.0}, {nan, 1.0}, {1.0, nan}, {nan, nan}}) {
    EXPECT_EQ(value_of<double>("x < y", x, y), x < y ? 1 : 0);
    EXPECT_EQ(value_of<double>("x <= y", x, y), x <= y ? 1 : 0);
    EXPECT_EQ(value_of<double>("x > y", x, y), x > y ? 1 : 0);
    EXPECT_EQ(value_of<double>("x >= y", x, y), x >= y ? 1 : 0);
    EXPECT_EQ(value_of<double>("x == y", x, y), x == y ? 1 : 0);
    EXPECT_EQ(value_of<double>("x != y", x, y), x != y ? 1 : 0);
  }
  EXPECT_EQ(value_of<std::int32_t>("x+1 < 2*x", std::int32_t{2}), 1) << "sums bind closer";
  EXPECT_EQ(value_of<std::int64_t>("(x < 3) + (x<=2)*10", std::int64_t{2}), 11);
  EXPECT_EQ(value_of<double>("x < 2.5", std::int32_t{2}), 1) << "compared as float64";
}

TEST(Expression, ChoosesClampsAndFuses) {
  EXPECT_EQ(value_of<double>("where(x > 0, x, -2*x)", 3.0), 3);
  EXPECT_EQ(value_of<double>("where(x > 0, x, -2*x)", -3.0), 6);
  EXPECT_EQ(value_of<double>("where(x, 1, 2)", std::numeric_limits<double>::quiet_NaN()), 1) << "NaN is not zero";
  EXPECT_EQ(value_of<float>("where(x, 1, 2)", -0.0F), 2);
  EXPECT_EQ(value_of<std::int32_t>("clamp(x, -5, 5)", std::int32_t{7}), 5);
  EXPECT_EQ(value_of<std::int32_t>("clamp(x, -5, 5)", std::int32_t{-7}), -5);
  EXPECT_TRUE(std::isnan(value_of<double>("clamp(x, -5, 5)", std::numeric_limits<double>::quiet_NaN())));
  EXPECT_EQ(value_of<double>("fma(x, y, -1)", 1 + 0x1p-52, 1 - 0x1p-52), -0x1p-104) << "rounded once";
  EXPECT_EQ(value_of<std::int64_t>("fma(x, x, 1)", std::numeric_limits<std::int64_t>::max()), 2);
}

TEST(Expression, MathematicalFunctionsAreTheNamedKernels) {
  Engine engine("serial");
  const auto expect = [&]<class T>(const std::string& text, auto f, T x, auto... y) {
    T expected{};
    named::evaluate<T>(engine, f, std::span<const T>(&x, 1), std::span<const T>(&y, 1)..., std::span(&expected, 1));
    EXPECT_EQ(value_of<T>(text, x, y...), expected) << text;
  };
  for (std::size_t f = 0; f < named::kUnaryNames.size(); ++f) {
    expect(std::string(named::kUnaryNames[f]) + "(x)", named::Unary{static_cast<int>(f)}, 0.7);
    expect(std::string(named::kUnaryNames[f]) + "(x)", named::Unary{static_cast<int>(f)}, 0.7F);
  }
  for (std::size_t f = 0; f < named::kBinaryNames.size(); ++f)
    expect(std::string(named::kBinaryNames[f]) + "(x, y)", named::Binary{static_cast<int>(f)}, 0.7, 1.3);
  EXPECT_EQ(value_of<double>("exp(x)", std::int32_t{0}), 1) << "of whole numbers in float64";
}

TEST(Expression, FoldsScalarsAsPythonDoes) {
  EXPECT_EQ(value_of<double>("x*(1/2)", 3.0), 1.5);
  EXPECT_EQ(value_of<std::int32_t>("x*(2*3-1)", std::int32_t{7}), 35);
  EXPECT_EQ(value_of<std::int32_t>("x + (3000000000 - 2999999999)", std::int32_t{7}), 8);
  EXPECT_EQ(value_of<std::int64_t>("x + abs(-square(-3))", std::int64_t{1}), 10);
  EXPECT_EQ(value_of<double>("x + minimum(1, 2.5)", std::int64_t{1}), 2);
  EXPECT_EQ(value_of<double>("x * sqrt(2)", 1.0), std::sqrt(2.0));
  EXPECT_NE(bind_error("x + 1/0", {Type::f64}).find("division by zero"), std::string::npos);
  EXPECT_NE(bind_error("x + a/(2-2.0)", {Type::f64, Binding(1.0)}).find("division by zero"), std::string::npos);
  EXPECT_NE(bind_error("x + 9223372036854775807*2", {Type::f64}).find("beyond 64 bits"), std::string::npos);
  EXPECT_NE(bind_error("x + (9223372036854775807+1)", {Type::i64}).find("beyond 64 bits"), std::string::npos);
}

TEST(Expression, SaysWhatCannotBeBound) {
  EXPECT_NE(bind_error("x + 3000000000", {Type::i32}).find("does not fit the int32 array"), std::string::npos);
  for (const char* text : {"x + 256", "x * (1-2)"})
    EXPECT_NE(bind_error(text, {Type::u8}).find("does not fit the uint8 array"), std::string::npos) << text;
  EXPECT_NE(bind_error("x * 1e300", {Type::f32}).find("beyond the range of the float32"), std::string::npos);
  EXPECT_EQ(result_type("x + a", {Type::f32, Binding(std::numeric_limits<double>::infinity())}), Type::f32);
  EXPECT_NE(bind_error("1 + 2", {}).find("uses no array"), std::string::npos);
  EXPECT_NE(bind_error("1\t+\n2", {}).find("\"1 + 2\" uses no array"), std::string::npos) << "on one line";
  EXPECT_NE(bind_error("a + b", {Binding(1.0), Binding(2.0)}).find("uses no array"), std::string::npos);
  EXPECT_NE(bind_error("x", {}).find("1 names"), std::string::npos);
}

TEST(Expression, PointsAtWhatIsWrong) {
  EXPECT_EQ(parse_error("x + * y"),
            "in the expression, at character 5: a number, a name or '(' is missing here\n  x + * y\n      ^");
  struct Case {
    const char* text;
    const char* message;
    int character;
  };
  for (const Case& c : {Case{"", "missing at the end", 1},
                        Case{"   ", "missing at the end", 4},
                        Case{"x +", "missing at the end", 4},
                        Case{"(x", "no ')'", 1},
                        Case{"x)", "no '('", 2},
                        Case{"x y", "operator is missing", 3},
                        Case{"2x", "write '*'", 2},
                        Case{"x**2", "no power operator", 3},
                        Case{"x//2", "no whole-number division", 3},
                        Case{"x%2", "operator is missing", 2},
                        Case{"foo(x)", "no such function; there are sqrt, abs", 1},
                        Case{"sqrt + 1", "this is a function", 1},
                        Case{"sqrt()", "takes 1 value, not 0", 1},
                        Case{"minimum(x)", "takes 2 values, not 1", 1},
                        Case{"abs(x, y)", "takes 1 value, not 2", 1},
                        Case{"abs(x,)", "missing here", 7},
                        Case{"()", "missing here", 2},
                        Case{".", "digit", 2},
                        Case{"1.2.3", "operator is missing", 4},
                        Case{"1e", "exponent", 3},
                        Case{"1e+x", "exponent", 4},
                        Case{"1e999", "beyond the range", 1},
                        Case{"1e-999", "beyond the range", 1},
                        Case{"99999999999999999999", "beyond 64 bits", 1},
                        Case{"x, y", "operator is missing", 2},
                        Case{"x = 2", "write ==", 3},
                        Case{"x ! 2", "no '!'", 3},
                        Case{"x < y < 2", "cannot be chained", 7},
                        Case{"x <", "missing at the end", 4},
                        Case{"x =< y", "write ==", 3},
                        Case{"clamp(x, 1)", "takes 3 values, not 2", 1},
                        Case{"x[0]", "operator is missing", 2},
                        Case{"\xC3\xA4", "missing here", 1},
                        Case{"__import__('os')", "no such function", 1}}) {
    const std::string message = parse_error(c.text);
    EXPECT_NE(message.find(c.message), std::string::npos) << c.text << ": " << message;
    EXPECT_NE(message.find("at character " + std::to_string(c.character) + ":"), std::string::npos) << c.text << ": " << message;
  }
  // A zero byte ends nothing.
  EXPECT_NE(parse_error(std::string("x\0y", 3)), "");
  // Only the surroundings of the place are shown, the caret under it.
  const std::string longer = std::string(200, ' ') + "?" + std::string(200, ' ');
  const std::string message = parse_error(longer);
  const std::size_t first = message.find('\n');
  const std::size_t second = message.find('\n', first + 1);
  EXPECT_LT(message.size(), 250U);
  EXPECT_EQ(message.find('?') - first, message.find('^') - second);
}

TEST(Expression, EndsHostileTextWithAnError) {
  const auto times = [](int n, const std::string& part) {
    std::string all;
    for (int i = 0; i < n; ++i) all += part;
    return all;
  };
  for (const int n : {200, 3000, 100'000}) {
    for (const char* part : {"(", "-", "+", "sqrt(", "x*(", "minimum(x,", ")", "x ", "1", "x+", ",", "\xFF", "\n", " "})
      EXPECT_NE(parse_error(times(n, part)), "") << n << part;
    EXPECT_NE(parse_error(times(n, "(") + "x" + times(n, ")")), "");
  }
  EXPECT_EQ(parse_error(times(99, "(") + "x" + times(99, ")")), "");
  EXPECT_EQ(parse_error(times(99, "-") + "x"), "");
  EXPECT_NE(parse_error(times(1000, "x+") + "x"), "");
  // What is accepted at its widest must also run.
  std::string wide = "x";
  for (int i = 0; i < 90; ++i) wide = std::to_string(i) + "-(" + wide + "-0." + std::to_string(i + 1) + ")";
  EXPECT_TRUE(std::isfinite(value_of<double>(wide, 1.0)));
  double expected = 1;
  for (int i = 0; i < 400; ++i) expected += 1;
  EXPECT_EQ(value_of<double>(times(400, "1+") + "x", 1.0), 401);
  EXPECT_EQ(value_of<double>("x" + times(400, "+x"), 1.0), expected);
}

/// A value of a random expression, computed by plain recursion beside its text.
struct Random {
  std::mt19937_64 bits{7};
  double x = 0;
  double y = 0;

  std::pair<std::string, double> expression(int depth) {
    switch (depth == 0 ? bits() % 3 : 3 + bits() % 9) {
      case 0:
        return {"x", x};
      case 1:
        return {"y", y};
      case 2:
        return {"0.375", 0.375};
      case 3:
        return unary("-", depth, [](double a) { return -a; });
      case 4:
        return unary("abs", depth, [](double a) { return std::abs(a); });
      case 5:
        return unary("sqrt", depth, [](double a) { return std::sqrt(a); });
      case 6:
        return unary("square", depth, [](double a) { return a * a; });
      case 7:
        return binary("+", depth, [](double a, double b) { return a + b; });
      case 8:
        return binary("-", depth, [](double a, double b) { return a - b; });
      case 9:
        return binary("*", depth, [](double a, double b) { return a * b; });
      case 10:
        return binary("/", depth, [](double a, double b) { return a / b; });
      default: {
        auto [a, left] = expression(depth - 1);
        auto [b, right] = expression(depth - 1);
        return {"minimum(" + a + "," + b + ")", std::isnan(left) || std::isnan(right) ? std::nan("")
                                                : left == right && std::signbit(left) ? left
                                                : right < left || left == right       ? right
                                                                                      : left};
      }
    }
  }
  template <class F>
  std::pair<std::string, double> unary(const std::string& name, int depth, F f) {
    auto [a, value] = expression(depth - 1);
    return {name + "(" + a + ")", f(value)};
  }
  template <class F>
  std::pair<std::string, double> binary(const std::string& sign, int depth, F f) {
    auto [a, left] = expression(depth - 1);
    auto [b, right] = expression(depth - 1);
    return {"(" + a + ")" + sign + "(" + b + ")", f(left, right)};
  }
};

TEST(Expression, AgreesWithANaiveEvaluator) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    random.x = static_cast<double>(random.bits() % 2000) / 16 - 60;
    random.y = static_cast<double>(random.bits() % 2000) / 16 - 60;
    auto [text, expected] = random.expression(1 + i % 5);
    // Scalars alone fold as in Python, which refuses to divide by zero: only in arrays is it an infinity.
    const std::string error = bind_error(text, std::vector<Binding>(Expression::parse(text).names().size(), Type::f64));
    if (!error.empty()) {
      EXPECT_TRUE(error.find("uses no array") != std::string::npos || error.find("division by zero") != std::string::npos) << error;
      continue;
    }
    const auto names = Expression::parse(text).names();
    const double first = names[0] == "x" ? random.x : random.y;
    const double second = names[0] == "x" ? random.y : random.x;
    const double result = names.size() == 1 ? value_of<double>(text, first) : value_of<double>(text, first, second);
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(result)) << text;
    else
      EXPECT_EQ(std::bit_cast<std::uint64_t>(result), std::bit_cast<std::uint64_t>(expected)) << text;
  }
}

/// Over arrays of awkward sizes, beginning anywhere, cut anyhow.
TEST(Expression, DoesNotDependOnHowArraysAreCut) {
  const Program program =
      Expression::parse("i/j + f*d - minimum(j, i)*2.5").bind(std::vector<Binding>{Type::i32, Type::i64, Type::f32, Type::f64});
  ASSERT_EQ(program.result_type(), Type::f64);
  std::mt19937_64 bits(1);
  for (const std::size_t n : {0UL, 1UL, 7UL, 511UL, 512UL, 513UL, 1024UL, 4099UL}) {
    std::vector<std::int32_t> i(n + 1);
    std::vector<std::int64_t> j(n + 1);
    std::vector<float> f(n + 1);
    std::vector<double> d(n + 1);
    std::vector<double> expected(n + 1, -7);
    for (std::size_t k = 1; k <= n; ++k) {
      i[k] = static_cast<std::int32_t>(bits());
      j[k] = static_cast<std::int64_t>(bits());
      f[k] = static_cast<float>(bits() % 1000) / 7;
      d[k] = static_cast<double>(bits() % 1000) / 7;
      expected[k] = static_cast<double>(i[k]) / static_cast<double>(j[k]) + static_cast<double>(f[k]) * d[k] -
                    static_cast<double>(std::min<std::int64_t>(j[k], i[k])) * 2.5;
    }
    for (const std::size_t cut : {n + 1, std::size_t{512}, std::size_t{100}, std::size_t{1}}) {
      std::vector<double> out(n + 2, -7);
      Program::Scratch scratch(program);
      for (std::size_t begin = 1; begin <= n; begin += cut) {
        const std::vector<const void*> inputs{&i[begin], &j[begin], &f[begin], &d[begin]};
        program.run(std::min(cut, n + 1 - begin), inputs, &out[begin], scratch);
      }
      EXPECT_EQ(out.back(), -7);
      out.pop_back();
      EXPECT_EQ(out, expected) << n << " cut at " << cut;
    }
  }
}

TEST(Expression, ConvertsWholeNumbersExactlyRounded) {
  const Program program = Expression::parse("x*1.0").bind(std::vector<Binding>{Type::i64});
  Program::Scratch scratch(program);
  std::mt19937_64 bits(3);
  std::vector<std::int64_t> x(3001);
  for (std::int64_t& v : x) v = static_cast<std::int64_t>(bits()) >> (bits() % 64);
  x[0] = std::numeric_limits<std::int64_t>::min();
  x[1] = std::numeric_limits<std::int64_t>::max();
  std::vector<double> out(x.size());
  const std::vector<const void*> inputs{x.data()};
  program.run(x.size(), inputs, out.data(), scratch);
  for (std::size_t k = 0; k < x.size(); ++k) EXPECT_EQ(out[k], static_cast<double>(x[k])) << x[k];
}

}  // namespace
}  // namespace furrow
