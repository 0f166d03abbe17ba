// Postfix to operations, operations to instructions.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression/functions.hpp"

namespace furrow {

using expression::Code;
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
    if (place == nullptr)
      fail("the expression \"" + expression::shown(source_.text_.substr(0, 60)) + "\" uses no array: there is nothing to go over");
    return program_of(*place);
  }

 private:
  using Place = Program::Place;
  using Value = std::variant<std::int64_t, double, Place>;  ///< a scalar, or where an array's block is

  struct Operation {
    Code code;
    std::size_t operands;
    std::array<Place, expression::kMostOperands> from;
    Place to;  ///< in scratch memory, unless the next operation takes it in registers

    bool in_memory() const { return code.in_memory != nullptr; }
  };

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

  /// What the function makes of scalars: the result of a program over no arrays.
  template <class T>
  T value_of(const Function& function, std::span<const T> scalars) const {
    constexpr Type type = type_of<T>;
    Compiler compiler(source_, {});
    std::array<Place, expression::kMostOperands> from;
    for (std::size_t k = 0; k < scalars.size(); ++k) from[k] = compiler.constant(scalars[k], type);
    const Place to = compiler.operate(function.code[static_cast<std::size_t>(type)], std::span(from).first(scalars.size()), type);
    const Program program = compiler.program_of(to);
    Program::Scratch scratch(program);
    T result{};
    program.run(1, {}, &result, scratch);
    return result;
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
    const auto fraction = value_of<double>(function, std::span(fractions).first(operands.size()));
    if (!whole) return fraction;
    const auto result = value_of<std::int64_t>(function, std::span(wholes).first(operands.size()));
    // What wraps around lands at least 2^64 away, less what the float64 was rounded by.
    if (std::abs(static_cast<double>(result) - fraction) > 0x1p62) wrong("the result of this is beyond 64 bits");
    return result;
  }

  /// The function over arrays: brings the operands to one type, then adds the operation.
  Value apply(const Function& function, std::span<const Value> operands) {
    const Type type = common_type(function, operands);
    std::array<Place, expression::kMostOperands> from;
    for (std::size_t k = 0; k < operands.size(); ++k) from[k] = place_of(operands[k], type);
    return operate(function.code[static_cast<std::size_t>(type)], std::span(from).first(operands.size()), type);
  }

  static Type common_type(const Function& function, std::span<const Value> operands) {
    bool any = false;
    Type type = Type::f64;
    bool scalar_fraction = false;
    for (const Value& operand : operands) {
      if (std::holds_alternative<double>(operand)) scalar_fraction = true;
      const Place* place = std::get_if<Place>(&operand);
      if (place == nullptr) continue;
      if (!any)
        type = place->type;
      else
        type = common_type(type, place->type);
      any = true;
    }
    const bool must = scalar_fraction || function.computes == expression::Computes::fractional;
    return must && !is_fraction(type) ? Type::f64 : type;
  }

  /// The type in which all numbers of both are exact; f64 with i64 is f64.
  static Type common_type(Type a, Type b) {
    if (a == b || b == Type::u8) return a;
    if (a == Type::u8) return b;
    return is_fraction(a) || is_fraction(b) ? Type::f64 : Type::i64;
  }

  Place place_of(const Value& value, Type type) {
    const Place* place = std::get_if<Place>(&value);
    if (place == nullptr) return constant(value, type);
    if (place->type == type) return *place;
    return operate({.in_memory = expression::conversion(place->type, type)}, std::span(place, 1), type);
  }

  /// A block full of the scalar.
  Place constant(const Value& value, Type type) {
    std::array<std::byte, 8> bytes{};
    with_type(type, [&]<class T>(TypeTag<T>) {
      T element{};
      if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        if constexpr (std::is_integral_v<T>) {
          if (!std::in_range<T>(*whole))
            wrong("the whole number " + std::to_string(*whole) + " does not fit the " + std::string(type_name(type)) +
                  " array it meets; write " + std::to_string(*whole) + ".0 to compute in float64");
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

  Place operate(const Code& code, std::span<const Place> from, Type type) {
    Operation operation{.code = code, .operands = from.size(), .from = {}, .to = {Place::scratch, take_block(), type}};
    std::ranges::copy(from, operation.from.begin());
    operations_.push_back(operation);
    // Only now, so that no result is written over an operand of another size. A block given twice (x*x) is free once.
    for (const Place& place : from) release(place);
    return operation.to;
  }

  /// Which operand of `after` comes in registers, where `before` left it; if none does, their number. Each result is used once, so
  /// what is taken so need not be in memory.
  static std::size_t taken(const Operation& before, const Operation& after) {
    if (before.in_memory() || after.in_memory()) return after.operands;
    const auto from = std::span(after.from).first(after.operands);
    return static_cast<std::size_t>(std::ranges::find(from, before.to) - from.begin());
  }

  /// The operations as instructions, and what puts the result into the output.
  Program program_of(const Place& result) {
    program_.result_type_ = result.type;
    for (std::size_t name = 0; name < bindings_.size(); ++name)
      if (const Type* type = std::get_if<Type>(&bindings_[name]))
        instruct(expression::moves(*type).fetch, {{Place::input, name, *type}});
    for (std::size_t k = 0; k < operations_.size(); ++k) {
      const Operation& operation = operations_[k];
      std::vector<Place> memory(operation.from.begin(), operation.from.begin() + static_cast<std::ptrdiff_t>(operation.operands));
      if (operation.in_memory()) {
        memory.push_back(operation.to);
        instruct(operation.code.in_memory, memory);
        continue;
      }
      std::size_t in_registers = k > 0 ? taken(operations_[k - 1], operation) : operation.operands;
      if (in_registers == operation.operands) {
        in_registers = 0;
        instruct(expression::moves(operation.to.type).load, {memory[0]});
      }
      memory.erase(memory.begin() + static_cast<std::ptrdiff_t>(in_registers));
      instruct(operation.code.in_registers[in_registers], memory);
      if (k + 1 < operations_.size() && taken(operation, operations_[k + 1]) == operations_[k + 1].operands)
        instruct(expression::moves(operation.to.type).store, {operation.to});
    }
    if (operations_.empty() || operations_.back().in_memory()) instruct(expression::moves(result.type).load, {result});
    instruct(expression::moves(result.type).store, {{Place::output, 0, result.type}});
    return std::move(program_);
  }

  void instruct(expression::AnyKernel kernel, const std::vector<Place>& memory) {
    Program::Instruction instruction{.kernel = kernel, .operands = memory.size()};
    std::ranges::copy(memory, instruction.memory.begin());
    program_.instructions_.push_back(instruction);
  }
  void instruct(expression::Kernel kernel, const std::vector<Place>& memory) {
    instruct(reinterpret_cast<expression::AnyKernel>(kernel), memory);
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
  std::vector<Operation> operations_;
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
