// Text to postfix.
#include <algorithm>
#include <charconv>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression/functions.hpp"

namespace furrow {
namespace expression {
namespace {

// Limits on what is accepted from outside: nothing that a person writes comes near them.
constexpr std::size_t kLongestText = 10'000;
constexpr std::size_t kDeepest = 100;
constexpr std::size_t kMostSteps = 1'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string list_of_functions() {
  std::string list;
  for (const std::string_view name : function_names()) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

}  // namespace
}  // namespace expression

using expression::fail_at;
using expression::Function;

class Expression::Parser {
 public:
  explicit Parser(Expression& result) : result_(result), text_(result.text_) {}

  void parse() {
    comparison();
    if (at_ < text_.size()) wrong(text_[at_] == ')' ? "this ')' has no '('" : "an operator is missing before this");
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const { fail_at(text_, at_, what); }

  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  template <class What>
  void emit(What what, std::size_t position) {
    if (result_.steps_.size() == expression::kMostSteps)
      fail_at(text_, position, "the expression has more than " + std::to_string(expression::kMostSteps) + " parts; split it");
    result_.steps_.push_back({what, position});
  }

  /// Operands by `operand`, joined from left to right by the signs in `signs`.
  void chain(std::string_view signs, void (Parser::*operand)()) {
    (this->*operand)();
    for (char sign = next(); sign != '\0' && signs.find(sign) != std::string_view::npos; sign = next()) {
      const std::size_t position = at_++;
      if (sign == '*' && at_ < text_.size() && text_[at_] == '*')
        wrong("there is no power operator; write pow(x, y), square(x) or x*x*x");
      if (sign == '/' && at_ < text_.size() && text_[at_] == '/')
        wrong("there is no whole-number division; / gives fractions, and floor cuts them off");
      (this->*operand)();
      emit(expression::find_function({&sign, 1}, 2), position);
    }
  }
  /// A sum, or a comparison of two.
  void comparison() {
    sum();
    const std::size_t position = at_;
    if (const std::string_view sign = comparison_sign(); !sign.empty()) {
      sum();
      emit(expression::find_function(sign, 2), position);
      if (!comparison_sign().empty()) fail_at(text_, at_ - 1, "comparisons cannot be chained; multiply them: (a < b) * (b < c)");
    }
  }
  /// The sign of comparison here, which it steps over; empty if there is none.
  std::string_view comparison_sign() {
    const char c = next();
    if (c == '\0' || std::string_view("<>=!").find(c) == std::string_view::npos) return {};
    const bool longer = at_ + 1 < text_.size() && text_[at_ + 1] == '=';
    if (!longer && c == '=') wrong("to compare, write ==");
    if (!longer && c == '!') wrong("there is no '!'; write != to compare, or == 0");
    const std::string_view sign = std::string_view(text_).substr(at_, longer ? 2 : 1);
    at_ += sign.size();
    return sign;
  }
  void sum() { chain("+-", &Parser::product); }
  void product() { chain("*/", &Parser::factor); }

  void factor() {
    if (++depth_ > expression::kDeepest)
      wrong("the expression is nested more than " + std::to_string(expression::kDeepest) + " deep; split it");
    const char c = next();
    const std::size_t position = at_;
    if (c == '-' || c == '+') {
      ++at_;
      factor();
      if (c == '-') emit(expression::find_function("-", 1), position);
    } else if (c == '(') {
      ++at_;
      comparison();
      close(position);
    } else if (expression::is_digit(c) || c == '.') {
      number();
    } else if (expression::begins_name(c)) {
      name();
    } else {
      wrong(c == '\0' ? "a number, a name or '(' is missing at the end" : "a number, a name or '(' is missing here");
    }
    --depth_;
  }

  void close(std::size_t opened) {
    if (next() == ')') {
      ++at_;
      return;
    }
    if (at_ < text_.size()) wrong("an operator or ')' is missing here");
    fail_at(text_, opened, "this '(' has no ')'");
  }

  void number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      while (at_ < text_.size() && expression::is_digit(text_[at_])) ++at_;
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      digits();
    }
    if (at_ - begin == 1 && text_[begin] == '.') wrong("a digit is missing here");
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (at_ == text_.size() || !expression::is_digit(text_[at_])) wrong("the exponent of this number is missing");
      digits();
    }
    if (at_ < text_.size() && (expression::begins_name(text_[at_]) || text_[at_] == '.'))
      wrong("an operator is missing before this; write '*' to multiply");
    const std::string_view token(text_.data() + begin, at_ - begin);
    const char* const end = token.data() + token.size();
    if (token.find_first_not_of("0123456789") == std::string_view::npos) {
      std::int64_t value = 0;
      if (std::from_chars(token.data(), end, value).ec != std::errc())
        fail_at(text_, begin,
                "this whole number is beyond 64 bits; with a decimal point it is a fraction: " + std::string(token.substr(0, 40)) +
                    ".0");
      emit(value, begin);
    } else {
      double value = 0;
      if (std::from_chars(token.data(), end, value).ec != std::errc())
        fail_at(text_, begin, "this number is beyond the range of float64");
      emit(value, begin);
    }
  }

  void name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (expression::begins_name(text_[at_]) || expression::is_digit(text_[at_]))) ++at_;
    const std::string word = text_.substr(begin, at_ - begin);
    const Function* function = expression::find_function(word);
    if (next() == '(') {
      if (function == nullptr) fail_at(text_, begin, "there is no such function; there are " + expression::list_of_functions());
      return call(*function, begin);
    }
    if (function != nullptr) fail_at(text_, begin, "this is a function: write " + word + "(…)");
    const auto known = std::ranges::find(result_.names_, word);
    const auto index = static_cast<std::size_t>(known - result_.names_.begin());
    if (known == result_.names_.end()) result_.names_.push_back(word);
    emit(index, begin);
  }

  void call(const Function& function, std::size_t begin) {
    const std::size_t opened = at_++;
    std::size_t given = 0;
    if (next() != ')') {
      do comparison(), ++given;
      while (next() == ',' && (++at_, true));
    }
    close(opened);
    if (given != function.operands)
      fail_at(text_, begin,
              std::string(function.name) + " takes " + std::to_string(function.operands) +
                  (function.operands == 1 ? " value" : " values") + ", not " + std::to_string(given));
    emit(&function, begin);
  }

  Expression& result_;
  const std::string& text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

Expression Expression::parse(std::string_view text) {
  if (text.size() > expression::kLongestText)
    fail("the expression has " + std::to_string(text.size()) + " characters; at most " + std::to_string(expression::kLongestText) +
         " are taken");
  Expression result;
  result.text_ = text;
  Parser(result).parse();
  return result;
}

}  // namespace furrow
