#include "tests/fuzz/naive_expression.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/math.hpp"

namespace furrow::fuzz {
namespace {

struct Wrong {};

__extension__ using Wide = __int128;

/// Arithmetic that wraps in integers.
template <class T>
T wrapped(Wide value) {
  return static_cast<T>(static_cast<std::make_unsigned_t<T>>(value));
}

template <class T>
T lesser(T a, T b) {
  if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
  if (a == b && std::is_floating_point_v<T>) return std::signbit(static_cast<double>(a)) ? a : b;
  return b < a ? b : a;
}
template <class T>
T greater(T a, T b) {
  if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
  if (a == b && std::is_floating_point_v<T>) return std::signbit(static_cast<double>(a)) ? b : a;
  return a < b ? b : a;
}

struct Operation {
  std::string_view name;
  std::size_t operands;
  bool fractional = false;  ///< of whole numbers in double
};

/// All but the mathematical functions; "neg" is the minus sign of one operand, too.
constexpr Operation kOperations[] = {{"+", 2},     {"-", 2},   {"*", 2},      {"/", 2, true},   {"<", 2},
                                     {"<=", 2},    {">", 2},   {">=", 2},     {"==", 2},        {"!=", 2},
                                     {"neg", 1},   {"abs", 1}, {"square", 1}, {"minimum", 2},   {"maximum", 2},
                                     {"clamp", 3}, {"fma", 3}, {"where", 3},  {"sqrt", 1, true}};

std::optional<Operation> find(std::string_view name) {
  for (const Operation& operation : kOperations)
    if (operation.name == name) return operation;
  for (const std::string_view known : named::kUnaryNames)
    if (known == name) return Operation{known, 1, true};
  for (const std::string_view known : named::kBinaryNames)
    if (known == name) return Operation{known, 2, true};
  return std::nullopt;
}

/// The operation on integers, exactly.
Wide whole(std::string_view name, Wide a, Wide b, Wide c) {
  if (name == "+") return a + b;
  if (name == "-") return a - b;
  if (name == "*") return a * b;
  if (name == "<") return a < b ? 1 : 0;
  if (name == "<=") return a <= b ? 1 : 0;
  if (name == ">") return a > b ? 1 : 0;
  if (name == ">=") return a >= b ? 1 : 0;
  if (name == "==") return a == b ? 1 : 0;
  if (name == "!=") return a != b ? 1 : 0;
  if (name == "neg") return -a;
  if (name == "abs") return a < 0 ? -a : a;
  if (name == "square") return a * a;
  if (name == "minimum") return std::min(a, b);
  if (name == "maximum") return std::max(a, b);
  if (name == "clamp") return std::min(std::max(a, b), c);
  if (name == "fma") return a * b + c;
  if (name == "where") return a != 0 ? b : c;
  throw Wrong{};
}

template <class T>
T fraction(std::string_view name, T a, T b, T c) {
  if (name == "+") return a + b;
  if (name == "-") return a - b;
  if (name == "*") return a * b;
  if (name == "/") return a / b;
  if (name == "<") return a < b ? T{1} : T{0};
  if (name == "<=") return a <= b ? T{1} : T{0};
  if (name == ">") return a > b ? T{1} : T{0};
  if (name == ">=") return a >= b ? T{1} : T{0};
  if (name == "==") return a == b ? T{1} : T{0};
  if (name == "!=") return a != b ? T{1} : T{0};
  if (name == "neg") return -a;
  if (name == "abs") return std::abs(a);
  if (name == "square") return a * a;
  if (name == "sqrt") return std::sqrt(a);
  if (name == "minimum") return lesser(a, b);
  if (name == "maximum") return greater(a, b);
  if (name == "clamp") return lesser(greater(a, b), c);
  if (name == "fma") return std::fma(a, b, c);
  if (name == "where") return a != 0 ? b : c;
  static Engine engine("serial");
  T result{};
  for (std::size_t f = 0; f < named::kUnaryNames.size(); ++f)
    if (named::kUnaryNames[f] == name)
      named::evaluate<T>(engine, named::Unary{static_cast<int>(f)}, std::span<const T>(&a, 1), std::span(&result, 1));
  for (std::size_t f = 0; f < named::kBinaryNames.size(); ++f)
    if (named::kBinaryNames[f] == name)
      named::evaluate<T>(engine, named::Binary{static_cast<int>(f)}, std::span<const T>(&a, 1), std::span<const T>(&b, 1),
                         std::span(&result, 1));
  return result;
}

double as_double(const Element& element) {
  return std::visit([](auto v) { return static_cast<double>(v); }, element);
}
bool is_fraction(const Element& element) {
  return std::holds_alternative<float>(element) || std::holds_alternative<double>(element);
}

/// The element type in which the operation takes place, as an element of it.
Element common(const Operation& operation, const std::vector<Value>& operands) {
  std::vector<Element> arrays;
  for (const Value& operand : operands)
    if (!operand.scalar) arrays.push_back(operand.element);
  // Bytes fit into whatever they meet.
  const auto is_byte = [](const Element& e) { return std::holds_alternative<std::uint8_t>(e); };
  if (!std::ranges::all_of(arrays, is_byte)) std::erase_if(arrays, is_byte);
  const bool alike = std::ranges::all_of(arrays, [&](const Element& e) { return e.index() == arrays[0].index(); });
  const bool fractions = std::ranges::any_of(arrays, is_fraction);
  const bool scalar_fraction = std::ranges::any_of(operands, [](const Value& v) { return v.scalar && is_fraction(v.element); });
  if (alike && fractions) return arrays[0];
  if (fractions || scalar_fraction || operation.fractional) return double{};
  return alike ? arrays[0] : Element(std::int64_t{});
}

template <class T>
T converted(const Value& value) {
  const T result = std::visit(
      [&](auto v) {
        if constexpr (std::is_integral_v<T>) {  // then all operands are integers
          const auto number = static_cast<std::int64_t>(v);
          if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max()) throw Wrong{};
          return static_cast<T>(number);
        } else {
          return static_cast<T>(v);
        }
      },
      value.element);
  if constexpr (std::is_same_v<T, float>)
    if (value.scalar && std::isinf(result) && !std::isinf(as_double(value.element))) throw Wrong{};
  return result;
}

Value apply(const Operation& operation, std::vector<Value> operands) {
  const std::size_t count = operands.size();
  if (count != operation.operands) throw Wrong{};
  operands.resize(3, {std::int64_t{0}, true});
  const auto given = [&] { return std::vector<Value>(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(count)); };
  if (std::ranges::all_of(given(), &Value::scalar)) {
    if (operation.name == "/" && as_double(operands[1].element) == 0) throw Wrong{};
    if (operation.fractional || std::ranges::any_of(given(), [](const Value& v) { return is_fraction(v.element); }))
      return {
          fraction(operation.name, as_double(operands[0].element), as_double(operands[1].element), as_double(operands[2].element)),
          true};
    const auto at = [&](std::size_t k) { return Wide{std::get<std::int64_t>(operands[k].element)}; };
    const Wide result = whole(operation.name, at(0), at(1), at(2));
    if (result < std::numeric_limits<std::int64_t>::min() || result > std::numeric_limits<std::int64_t>::max()) throw Wrong{};
    return {static_cast<std::int64_t>(result), true};
  }
  return std::visit(
      [&](auto zero) -> Value {
        using T = decltype(zero);
        const T a = converted<T>(operands[0]);
        const T b = converted<T>(operands[1]);
        const T c = converted<T>(operands[2]);
        if constexpr (std::is_integral_v<T>)
          return {wrapped<T>(whole(operation.name, a, b, c))};
        else
          return {fraction(operation.name, a, b, c)};
      },
      common(operation, given()));
}

class Reader {
 public:
  Reader(std::string_view text, const std::function<Value(std::string_view)>& value_of) : rest_(text), value_of_(value_of) {}

  Value all() {
    const Value value = comparison();
    if (next() != '\0') throw Wrong{};
    return value;
  }

 private:
  static constexpr int kDeepest = 100;
  static constexpr int kMostParts = 1000;

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

  /// The character here, behind spaces; NUL at the end, and anything else for a NUL in the text.
  char next() {
    while (!rest_.empty() && std::string_view(" \t\n").find(rest_[0]) != std::string_view::npos) rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_[0] == '\0' ? '?' : rest_[0];
  }
  bool takes(std::string_view sign) {
    (void)next();
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }
  std::string_view take_while(bool (*belongs)(char)) {
    const auto end = std::ranges::find_if_not(rest_, belongs);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  Value part(Value value) {
    if (++parts_ > kMostParts) throw Wrong{};
    return value;
  }
  Value applied(std::string_view name, std::vector<Value> operands) {
    const auto operation = find(name);
    if (!operation) throw Wrong{};
    return part(apply(*operation, std::move(operands)));
  }

  Value comparison() {
    const Value left = sum();
    for (const std::string_view sign : {"<=", ">=", "==", "!=", "<", ">"})
      if (takes(sign)) return applied(sign, {left, sum()});
    return left;
  }
  Value sum() {
    Value value = product();
    while (next() == '+' || next() == '-') {
      const std::string_view sign = rest_.substr(0, 1);
      rest_.remove_prefix(1);
      const Value right = product();
      value = applied(sign, {value, right});
    }
    return value;
  }
  Value product() {
    Value value = factor();
    while (next() == '*' || next() == '/') {
      const std::string_view sign = rest_.substr(0, 1);
      rest_.remove_prefix(1);
      const Value right = factor();
      value = applied(sign, {value, right});
    }
    return value;
  }
  Value factor() {
    if (++depth_ > kDeepest) throw Wrong{};
    const Value value = bare_factor();
    --depth_;
    return value;
  }
  Value bare_factor() {
    if (takes("+")) return factor();
    if (takes("-")) return applied("neg", {factor()});
    if (takes("(")) {
      const Value value = comparison();
      if (!takes(")")) throw Wrong{};
      return value;
    }
    if (is_digit(next()) || next() == '.') return part(number());
    if (!is_letter(next())) throw Wrong{};
    const std::string_view name = take_while([](char c) { return is_letter(c) || is_digit(c); });
    if (!takes("(")) {
      if (find(name)) throw Wrong{};
      return part(value_of_(name));
    }
    std::vector<Value> operands{comparison()};
    while (takes(",")) operands.push_back(comparison());
    if (!takes(")")) throw Wrong{};
    return applied(name, operands);
  }

  Value number() {
    std::string digits(take_while([](char c) { return is_digit(c) || c == '.'; }));
    const bool is_whole = std::ranges::all_of(digits, is_digit) && !rest_.starts_with('e') && !rest_.starts_with('E');
    if (std::ranges::count(digits, '.') > 1 || digits == ".") throw Wrong{};
    if (rest_.starts_with('e') || rest_.starts_with('E')) {
      digits += 'e';
      rest_.remove_prefix(1);
      if (rest_.starts_with('+') || rest_.starts_with('-')) {
        digits += rest_[0];
        rest_.remove_prefix(1);
      }
      const std::string_view exponent = take_while(is_digit);
      if (exponent.empty()) throw Wrong{};
      digits += exponent;
    }
    if (!rest_.empty() && (is_letter(rest_[0]) || rest_[0] == '.')) throw Wrong{};
    errno = 0;
    if (is_whole) {
      const std::int64_t value = std::strtoll(digits.c_str(), nullptr, 10);
      if (errno == ERANGE) throw Wrong{};
      return {value, true};
    }
    const double value = std::strtod(digits.c_str(), nullptr);
    if (std::isinf(value) || (value == 0 && errno == ERANGE)) throw Wrong{};
    return {value, true};
  }

  std::string_view rest_;
  const std::function<Value(std::string_view)>& value_of_;
  int depth_ = 0;
  int parts_ = 0;
};

}  // namespace

std::optional<Element> interpret(std::string_view text, const std::function<Value(std::string_view name)>& value_of) {
  constexpr std::size_t kLongest = 10'000;
  if (text.size() > kLongest) return std::nullopt;
  try {
    const Value value = Reader(text, value_of).all();
    if (value.scalar) return std::nullopt;
    return value.element;
  } catch (const Wrong&) {
    return std::nullopt;
  }
}

}  // namespace furrow::fuzz
