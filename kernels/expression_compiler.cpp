// Postfix to instructions.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression_functions.hpp"

namespace furrow {

using expression::fail_at;
using expression::Function;

class Expression::Compiler {
 public:
  Compiler(const Expression& source, std::span<const Binding> bindings) : source_(source), bindings_(bindings) {}

  Program compile() {
    program_.names_ = bindings_.size();
    for (const Step& step : source_.steps_) {
      position_ = step.position;
      std::visit([this](const auto& what) { push(what); }, step.what);
    }
    const Place* place = std::get_if<Place>(&stack_.back());
    if (place == nullptr) fail("the expression \"" + source_.text_.substr(0, 60) + "\" uses no array: there is nothing to go over");
    program_.result_type_ = place->type;
    if (place->kind == Place::input) instruct(expression::conversion(place->type, place->type), std::span(place, 1), place->type);
    program_.instructions_.back().to.kind = Place::output;
    return std::move(program_);
  }

 private:
  using Place = Program::Place;
  using Value = std::variant<std::int64_t, double, Place>;  ///< a scalar, or where an array's block is

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

  /// What the kernel makes of elements that are all alike.
  template <class T>
  static T value_of(expression::Kernel kernel, std::span<const T> operands) {
    std::array<std::array<T, expression::kBlock>, expression::kMostOperands + 1> blocks{};
    expression::Cell cell;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      blocks[k].fill(operands[k]);
      cell.from[k].base = reinterpret_cast<std::byte*>(blocks[k].data());
    }
    cell.to.base = reinterpret_cast<std::byte*>(blocks.back().data());
    kernel(cell, 0);
    return blocks.back()[0];
  }

  /// The function of scalars, as Python would compute it.
  Value fold(const Function& function, std::span<const Value> operands) const {
    std::array<double, expression::kMostOperands> fractions{};
    std::array<std::int64_t, expression::kMostOperands> wholes{};
    bool whole = function.computes == expression::Computes::as_given;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (const auto* value = std::get_if<std::int64_t>(&operands[k])) {
        wholes[k] = *value;
        fractions[k] = static_cast<double>(*value);
      } else {
        fractions[k] = std::get<double>(operands[k]);
        whole = false;
      }
    }
    if (function.name == "/" && fractions[1] == 0) wrong("a division by zero");
    const auto fraction =
        value_of<double>(function.kernels[static_cast<int>(Type::f64)], std::span(fractions).first(operands.size()));
    if (!whole) return fraction;
    const auto result =
        value_of<std::int64_t>(function.kernels[static_cast<int>(Type::i64)], std::span(wholes).first(operands.size()));
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
    return instruct(expression::conversion(place->type, type), std::span(place, 1), type);
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

Expression Expression::of(std::span<const Part> parts, std::size_t names) {
  Expression result;
  result.names_.resize(names);
  for (const Part& part : parts) result.steps_.push_back({part, 0});
  return result;
}

Program Expression::bind(std::span<const Binding> bindings) const {
  if (bindings.size() != names_.size())
    fail("the expression has " + std::to_string(names_.size()) + " names, but " + std::to_string(bindings.size()) + " were bound");
  return Compiler(*this, bindings).compile();
}

}  // namespace furrow
