// The kernels are compiled once for each instruction set, as those of simd.cpp are; all of them are exact operations of IEEE 754 or
// of wrapping integers, so the instruction set cannot change a bit.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/expression.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression.hpp"
#include "furrow/kernels/instruction_set.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::expression::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// ---- what the functions do to vectors ----

struct Add {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Add(a, b);
  }
};
struct Subtract {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Sub(a, b);
  }
};
struct Multiply {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Mul(a, b);
  }
};
struct Divide {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Div(a, b);
  }
};
struct Negate {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a) {
    return hn::Neg(a);
  }
};
struct Abs {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a) {
    return hn::Abs(a);
  }
};
struct Square {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a) {
    return hn::Mul(a, a);
  }
};
struct Sqrt {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a) {
    return hn::Sqrt(a);
  }
};

/// The lesser or the greater; NaN if either is NaN, the first one's if both are; −0 is less than +0.
template <bool kLesser>
struct Extreme {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    if constexpr (std::is_floating_point_v<hn::TFromD<D>>) {
      const auto a_wins = kLesser ? hn::Lt(a, b) : hn::Gt(a, b);  // not if b is NaN: then b is taken
      const V apart = hn::IfThenElse(a_wins, a, b);
      // Equal numbers differ in the sign of zero at most.
      const V equal = kLesser ? hn::Or(a, b) : hn::And(a, b);
      return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::Eq(a, b), equal, apart));
    } else {
      return kLesser ? hn::Min(a, b) : hn::Max(a, b);
    }
  }
};

// ---- loops over them ----

template <class Op, class T, class D>
HWY_INLINE void at(D d, const void* const* operands, T* out, std::size_t i) {
  const auto a = hn::LoadU(d, static_cast<const T*>(operands[0]) + i);
  if constexpr (requires { Op::apply(d, a, a); }) {
    hn::StoreU(Op::apply(d, a, hn::LoadU(d, static_cast<const T*>(operands[1]) + i)), d, out + i);
  } else {
    hn::StoreU(Op::apply(d, a), d, out + i);
  }
}

template <class Op, class T>
void run(const void* const* operands, void* out, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const std::size_t N = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + N <= n; i += N) at<Op>(d, operands, static_cast<T*>(out), i);
  for (; i < n; ++i) at<Op>(one, operands, static_cast<T*>(out), i);
}

template <class From, class To, class D>
HWY_INLINE void convert_at(D d, const From* from, To* to, std::size_t i) {
  const auto v = hn::LoadU(hn::Rebind<From, D>(), from + i);
  if constexpr (std::is_same_v<From, To>) {
    hn::StoreU(v, d, to + i);
  } else if constexpr (sizeof(From) < sizeof(To)) {
    hn::StoreU(hn::PromoteTo(d, v), d, to + i);
  } else {
    hn::StoreU(hn::ConvertTo(d, v), d, to + i);
  }
}

template <class From, class To>
void convert(const void* const* operands, void* out, std::size_t n) {
  const hn::ScalableTag<To> d;
  const hn::CappedTag<To, 1> one;
  const std::size_t N = hn::Lanes(d);
  const From* from = static_cast<const From*>(operands[0]);
  To* to = static_cast<To*>(out);
  std::size_t i = 0;
  for (; i + N <= n; i += N) convert_at(d, from, to, i);
  for (; i < n; ++i) convert_at(one, from, to, i);
}

// ---- the tables ----

template <class Op>
constexpr std::array<Kernel, 4> all = {run<Op, float>, run<Op, double>, run<Op, std::int32_t>, run<Op, std::int64_t>};
template <class Op>
constexpr std::array<Kernel, 4> fractions = {run<Op, float>, run<Op, double>, nullptr, nullptr};

using F = float;
using G = double;
using I = std::int32_t;
using L = std::int64_t;

}  // namespace

// To add a function, write what it does to vectors, above, and its row here.
constexpr Function kFunctions[] = {
    {"+", 2, Computes::as_given, all<Add>},
    {"-", 2, Computes::as_given, all<Subtract>},
    {"*", 2, Computes::as_given, all<Multiply>},
    {"/", 2, Computes::fractional, fractions<Divide>},
    {"-", 1, Computes::as_given, all<Negate>},
    {"sqrt", 1, Computes::fractional, fractions<Sqrt>},
    {"abs", 1, Computes::as_given, all<Abs>},
    {"square", 1, Computes::as_given, all<Square>},
    {"minimum", 2, Computes::as_given, all<Extreme<true>>},
    {"maximum", 2, Computes::as_given, all<Extreme<false>>},
};

/// By the types from and to; those that promotion needs.
constexpr Kernel kConversions[4][4] = {
    {convert<F, F>, convert<F, G>, nullptr, nullptr},
    {nullptr, convert<G, G>, nullptr, nullptr},
    {nullptr, convert<I, G>, convert<I, I>, convert<I, L>},
    {nullptr, convert<L, G>, nullptr, convert<L, L>},
};

}  // namespace furrow::expression::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {
namespace expression {
namespace {

/// The code for one instruction set.
struct Code {
  std::string_view instruction_set;
  std::span<const Function> functions;
  const Kernel (*conversions)[4];
};

constexpr Code kBuilt[] = {
#if HWY_TARGETS & HWY_AVX3
    {"avx512", N_AVX3::kFunctions, N_AVX3::kConversions},
#endif
#if HWY_TARGETS & HWY_AVX2
    {"avx2", N_AVX2::kFunctions, N_AVX2::kConversions},
#endif
#if HWY_TARGETS & HWY_SSE4
    {"sse4", N_SSE4::kFunctions, N_SSE4::kConversions},
#endif
#if HWY_TARGETS & HWY_SSSE3
    {"ssse3", N_SSSE3::kFunctions, N_SSSE3::kConversions},
#endif
    {"baseline", HWY_NAMESPACE::kFunctions, HWY_NAMESPACE::kConversions},
};

/// The code for the instruction set that all named kernels use.
const Code& code() {
  static const Code& chosen = []() -> const Code& {
    const auto found = std::ranges::find(kBuilt, std::string_view(instruction_set()), &Code::instruction_set);
    return found != std::end(kBuilt) ? *found : std::end(kBuilt)[-1];
  }();
  return chosen;
}

const Function* find_function(std::string_view name, std::size_t operands) {
  for (const Function& function : code().functions)
    if (function.name == name && function.operands == operands) return &function;
  return nullptr;
}

const Function* find_function(std::string_view name) {
  const auto found = std::ranges::find(code().functions, name, &Function::name);
  return found != code().functions.end() ? &*found : nullptr;
}

// Limits on what is accepted from outside: nothing that a person writes comes near them.
constexpr std::size_t kLongestText = 10'000;
constexpr std::size_t kDeepest = 100;
constexpr std::size_t kMostSteps = 1'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Throws Error with the text around `position` and a caret under it.
[[noreturn]] void fail_at(std::string_view text, std::size_t position, const std::string& what) {
  constexpr std::size_t kEitherSide = 36;
  const std::size_t begin = position > kEitherSide ? position - kEitherSide : 0;
  const std::size_t end = std::min(text.size(), position + kEitherSide);
  std::string line = begin > 0 ? "..." : "";
  const std::string caret(line.size() + position - begin, ' ');
  for (const char c : text.substr(begin, end - begin)) line += c >= 0x20 && c < 0x7F ? c : c == '\t' || c == '\n' ? ' ' : '?';
  if (end < text.size()) line += "...";
  fail("in the expression, at character " + std::to_string(position + 1) + ": " + what + "\n  " + line + "\n  " + caret + "^");
}

}  // namespace

std::vector<std::string_view> function_names() {
  // Asked for by help texts, which must not fail on an instruction set that cannot be had: every row is in all tables.
  std::vector<std::string_view> names;
  for (const Function& function : std::end(kBuilt)[-1].functions)
    if (begins_name(function.name[0])) names.push_back(function.name);
  return names;
}

namespace {

std::string list_of_functions() {
  std::string list;
  for (const std::string_view name : function_names()) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

}  // namespace
}  // namespace expression

using expression::fail_at;
using expression::Function;

// ---- text to postfix ----

class Expression::Parser {
 public:
  explicit Parser(Expression& result) : result_(result), text_(result.text_) {}

  void parse() {
    sum();
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
      if (sign == '*' && at_ < text_.size() && text_[at_] == '*') wrong("there is no power operator; write square(x) or x*x*x");
      if (sign == '/' && at_ < text_.size() && text_[at_] == '/') wrong("there is no whole-number division; / gives fractions");
      (this->*operand)();
      emit(expression::find_function({&sign, 1}, 2), position);
    }
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
      sum();
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
      do sum(), ++given;
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

// ---- postfix to instructions ----

class Expression::Compiler {
 public:
  Compiler(const Expression& source, std::span<const Binding> bindings) : source_(source), bindings_(bindings) {}

  Program compile() {
    for (const Step& step : source_.steps_) {
      position_ = step.position;
      std::visit([this](const auto& what) { push(what); }, step.what);
    }
    const Place* place = std::get_if<Place>(&stack_.back());
    if (place == nullptr) fail("the expression \"" + source_.text_.substr(0, 60) + "\" uses no array: there is nothing to go over");
    program_.result_type_ = place->type;
    if (place->kind == Place::input) instruct(conversion(place->type, place->type), std::span(place, 1), place->type);
    program_.instructions_.back().to.kind = Place::output;
    return std::move(program_);
  }

 private:
  using Place = Program::Place;
  using Value = std::variant<std::int64_t, double, Place>;  ///< a scalar, or where an array's block is

  static expression::Kernel conversion(Type from, Type to) {
    return expression::code().conversions[static_cast<int>(from)][static_cast<int>(to)];
  }

  [[noreturn]] void wrong(const std::string& what) const { fail_at(source_.text_, position_, what); }

  void push(std::int64_t number) { stack_.emplace_back(number); }
  void push(double number) { stack_.emplace_back(number); }
  void push(std::size_t name) {
    const Binding& binding = bindings_[name];
    if (const Type* type = std::get_if<Type>(&binding)) stack_.emplace_back(Place{Place::input, name, *type});
    if (const auto* whole = std::get_if<std::int64_t>(&binding)) stack_.emplace_back(*whole);
    if (const auto* fraction = std::get_if<double>(&binding)) stack_.emplace_back(*fraction);
  }

  void push(const Function* function) {
    const std::span<Value> operands = std::span(stack_).last(function->operands);
    const bool scalars = std::ranges::none_of(operands, [](const Value& v) { return std::holds_alternative<Place>(v); });
    const Value result = scalars ? fold(*function, operands) : apply(*function, operands);
    stack_.resize(stack_.size() - operands.size());
    stack_.push_back(result);
  }

  /// The function of scalars, as Python would compute it.
  Value fold(const Function& function, std::span<const Value> operands) const {
    std::array<double, expression::kMostOperands> fractions{};
    std::array<std::int64_t, expression::kMostOperands> wholes{};
    std::array<const void*, expression::kMostOperands> pointers{};
    bool whole = function.computes == expression::Computes::as_given;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (const auto* value = std::get_if<std::int64_t>(&operands[k])) {
        wholes[k] = *value;
        fractions[k] = static_cast<double>(*value);
      } else {
        fractions[k] = std::get<double>(operands[k]);
        whole = false;
      }
      pointers[k] = &fractions[k];
    }
    if (function.name == "/" && fractions[1] == 0) wrong("a division by zero");
    double fraction = 0;
    function.kernels[static_cast<int>(Type::f64)](pointers.data(), &fraction, 1);
    if (!whole) return fraction;
    std::int64_t result = 0;
    for (std::size_t k = 0; k < operands.size(); ++k) pointers[k] = &wholes[k];
    function.kernels[static_cast<int>(Type::i64)](pointers.data(), &result, 1);
    // What wraps around lands at least 2^64 away, less what the float64 was rounded by.
    if (std::abs(static_cast<double>(result) - fraction) > 0x1p62) wrong("the result of this is beyond 64 bits");
    return result;
  }

  /// The function over arrays: brings the operands to one type, then adds the instruction.
  Value apply(const Function& function, std::span<const Value> operands) {
    const Type type = common_type(function, operands);
    std::array<Place, expression::kMostOperands> from;
    for (std::size_t k = 0; k < operands.size(); ++k) from[k] = place_of(operands[k], type);
    return instruct(function.kernels[static_cast<int>(type)], std::span(from).first(operands.size()), type);
  }

  static Type common_type(const Function& function, std::span<const Value> operands) {
    const auto fractional = [](Type type) { return type == Type::f32 || type == Type::f64; };
    bool any = false;
    Type type = Type::f64;
    bool scalar_fraction = false;
    for (const Value& operand : operands) {
      if (std::holds_alternative<double>(operand)) scalar_fraction = true;
      const Place* place = std::get_if<Place>(&operand);
      if (place == nullptr) continue;
      if (!any)
        type = place->type;
      else if (place->type != type)
        type = fractional(type) || fractional(place->type) ? Type::f64 : Type::i64;
      any = true;
    }
    const bool must = scalar_fraction || function.computes == expression::Computes::fractional;
    return must && !fractional(type) ? Type::f64 : type;
  }

  Place place_of(const Value& value, Type type) {
    const Place* place = std::get_if<Place>(&value);
    if (place == nullptr) return constant(value, type);
    if (place->type == type) return *place;
    return instruct(conversion(place->type, type), std::span(place, 1), type);
  }

  /// A block full of the scalar.
  Place constant(const Value& value, Type type) {
    std::array<std::byte, 8> bytes{};
    with_type(type, [&]<class T>(TypeTag<T>) {
      T element{};
      if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        if constexpr (std::is_integral_v<T>) {
          if (!std::in_range<T>(*whole))
            wrong("the whole number " + std::to_string(*whole) + " does not fit the int32 array it meets; write " +
                  std::to_string(*whole) + ".0 to compute in float64");
        }
        element = static_cast<T>(*whole);
      } else {
        const double fraction = std::get<double>(value);
        element = static_cast<T>(fraction);
        if (std::isfinite(fraction) && !std::isfinite(static_cast<double>(element)))
          wrong("a number here is beyond the range of the float32 array it meets");
      }
      std::memcpy(bytes.data(), &element, sizeof(T));
    });
    for (const Program::Constant& known : program_.constants_)
      if (known.place.type == type && known.value == bytes) return known.place;
    program_.constants_.push_back({{Place::scratch, program_.blocks_++, type}, bytes});
    return program_.constants_.back().place;
  }

  Place instruct(expression::Kernel kernel, std::span<const Place> from, Type type) {
    Program::Instruction instruction{
        .kernel = kernel, .operands = from.size(), .from = {}, .to = {Place::scratch, take_block(), type}};
    std::ranges::copy(from, instruction.from.begin());
    program_.instructions_.push_back(instruction);
    // Only now, so that no result is written over an operand of another size. A block given twice (x*x) is free once.
    for (const Place& place : from) release(place);
    return instruction.to;
  }

  std::size_t take_block() {
    if (free_.empty()) return program_.blocks_++;
    const std::size_t block = free_.back();
    free_.pop_back();
    return block;
  }

  void release(const Place& place) {
    if (place.kind != Place::scratch) return;
    const auto same = [&](const Program::Constant& constant) { return constant.place.index == place.index; };
    if (std::ranges::any_of(program_.constants_, same)) return;
    if (std::ranges::find(free_, place.index) == free_.end()) free_.push_back(place.index);
  }

  const Expression& source_;
  std::span<const Binding> bindings_;
  Program program_;
  std::vector<Value> stack_;
  std::vector<std::size_t> free_;
  std::size_t position_ = 0;
};

Program Expression::bind(std::span<const Binding> bindings) const {
  if (bindings.size() != names_.size())
    fail("the expression has " + std::to_string(names_.size()) + " names, but " + std::to_string(bindings.size()) + " were bound");
  return Compiler(*this, bindings).compile();
}

// ---- instructions to results ----

namespace {

// Blocks begin at different distances from a 4 KiB boundary: otherwise processors take a store to one for a dependency of the next
// load from another.
constexpr std::size_t kBlockStride = Program::kBlock * 8 + 192;

}  // namespace

Program::Scratch::Scratch(const Program& program)
    : memory_(static_cast<std::byte*>(allocate(array_bytes(program.blocks_, kBlockStride)))) {
  for (const Constant& constant : program.constants_) {
    const std::size_t size = type_bytes(constant.place.type);
    std::byte* block = memory_.get() + constant.place.index * kBlockStride;
    for (std::size_t i = 0; i < kBlock; ++i) std::memcpy(block + i * size, constant.value.data(), size);
  }
}

void Program::run(std::size_t n, std::span<const void* const> inputs, void* output, Scratch& scratch) const {
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const auto address = [&](const Place& place) -> std::byte* {
      if (place.kind == Place::scratch) return scratch.memory_.get() + place.index * kBlockStride;
      void* whole = place.kind == Place::output ? output : const_cast<void*>(inputs[place.index]);
      return static_cast<std::byte*>(whole) + begin * type_bytes(place.type);
    };
    for (const Instruction& instruction : instructions_) {
      std::array<const void*, expression::kMostOperands> operands{};
      for (std::size_t k = 0; k < instruction.operands; ++k) operands[k] = address(instruction.from[k]);
      instruction.kernel(operands.data(), address(instruction.to), std::min(kBlock, n - begin));
    }
  }
}

}  // namespace furrow
#endif  // HWY_ONCE
