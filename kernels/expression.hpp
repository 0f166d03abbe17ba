#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/types.hpp"

// Arithmetic given as text, "a*x + sqrt(abs(y))", evaluated element by element over arrays in one pass: the text becomes a few
// operations on blocks of elements, whose intermediate results stay in the first-level cache. Internal: not installed.

namespace furrow {
namespace expression {

inline constexpr std::size_t kMostOperands = 3;

/// The most elements that any instruction set evaluates at a time: eight vectors of doubles.
inline constexpr std::size_t kMostBlock = 64;

/// Where a value is: of element i at base + i · step.
struct Operand {
  std::byte* base = nullptr;
  std::size_t step = 0;  ///< bytes; 0 for a block that serves all elements in turn
};

struct Cell;
/// Does what a cell says to a block of elements, from element i on, and as its last act, a jump, calls the kernel of the next cell.
using Kernel = void (*)(const Cell* cell, std::size_t i);
/// The same of any type. There are kernels that leave a value in SIMD registers and kernels that take one, as further parameters;
/// the former stand before the latter and nowhere else.
using AnyKernel = void (*)();

/// A step of a program whose arrays are known.
struct Cell {
  AnyKernel kernel = nullptr;
  std::array<Operand, kMostOperands> memory;

  template <class T>
  T* at(std::size_t k, std::size_t i) const {
    return reinterpret_cast<T*>(memory[k].base + i * memory[k].step);
  }
  /// Calls its kernel, one that takes no value in registers.
  void run(std::size_t i) const { return reinterpret_cast<Kernel>(kernel)(this, i); }
};

/// How an instruction set moves values of one type. Each has one operand in memory.
struct Moves {
  Kernel fetch;      ///< asks for what some later block will load
  Kernel load;       ///< leaves the operand in registers
  AnyKernel store;   ///< takes a value in registers, leaves none
  AnyKernel stream;  ///< the same, past the cache; the place must begin at a multiple of 64 bytes
};

/// The code of a function for one type.
struct Code {
  /// [k] takes the k-th operand in registers, the others, in order, from memory, and leaves the result in registers. Null for
  /// functions that work in memory.
  std::array<AnyKernel, kMostOperands> in_registers{};
  Kernel in_memory = nullptr;  ///< the operands' places, then the result's
};

/// The type in which a function computes, which is also that of its result.
enum class Computes {
  as_given,    ///< the type that the operands' types have in common
  fractional,  ///< the same, but f64 for whole numbers
};

/// One row of the table of functions; operators are functions with a sign for a name.
struct Function {
  std::string_view name;
  std::size_t operands;
  Computes computes;
  std::array<Code, ElementTypes::size> code;  ///< by Type
};

/// The names of all functions that are no operators, for help texts.
std::vector<std::string_view> function_names();

}  // namespace expression

/// What a name in an expression stands for: an array of a type, or a scalar. Scalars are weak, as Python's are in NumPy 2: beside
/// an array they take its type; only a fraction beside whole numbers makes them f64.
using Binding = std::variant<Type, std::int64_t, double>;

/// An expression compiled for given types of its arrays.
class Program {
 public:
  /// The memory one thread needs to run a program.
  class Scratch {
   public:
    explicit Scratch(const Program& program);

   private:
    friend Program;
    struct Free {
      void operator()(std::byte* memory) const { deallocate(memory); }
    };
    std::unique_ptr<std::byte, Free> memory_;
    std::vector<expression::Cell> cells_;
    std::vector<const void*> parts_;  ///< by name: the block for a part of a block
  };

  Type result_type() const { return result_type_; }

  /// Evaluates n elements. inputs[k] belongs to the k-th of the expression's names (not looked at if that is a scalar), `output` is
  /// for elements of result_type(); all aligned for their elements. The output may be one of the inputs, else it lies apart from
  /// them; with `past_cache` it is streamed, and lies apart. Every result depends on its own elements alone, so it does not matter
  /// how a larger array is cut into calls; the same bits with every instruction set, but for one thing, as in NumPy: of two NaN
  /// with different bits, either may come out of + and *. Allocates nothing.
  void run(std::size_t n, std::span<const void* const> inputs, void* output, Scratch& scratch, bool past_cache = false) const;

 private:
  friend class Expression;

  /// Where a block of elements is.
  struct Place {
    enum Kind : std::uint8_t { input, scratch, output } kind = scratch;
    std::size_t index = 0;  ///< of the input or of the block in scratch memory
    Type type = Type::f64;
    bool operator==(const Place&) const = default;
  };
  /// What becomes a cell when arrays are given.
  struct Instruction {
    expression::AnyKernel kernel = nullptr;
    std::size_t operands = 0;  ///< in memory, the result among them
    std::array<Place, expression::kMostOperands> memory{};
  };
  /// A block of scratch memory that holds one value in all elements.
  struct Constant {
    Place place;
    std::array<std::byte, 8> value;
  };

  struct Arrays;
  void run_blocks(std::size_t begin, std::size_t end, const Arrays& arrays, Scratch& scratch) const;
  void run_part(std::size_t begin, std::size_t end, const Arrays& arrays, Scratch& scratch) const;

  std::vector<Instruction> instructions_;
  std::vector<Constant> constants_;
  std::size_t blocks_ = 0;  ///< of scratch memory, for intermediate results and constants
  std::size_t names_ = 0;   ///< of the expression
  Type result_type_ = Type::f64;
};

/// A parsed expression: numbers, names, + - * /, comparisons (1 where they hold, else 0, in the type of what they compare),
/// parentheses, and functions of expression::function_names(). Precedence is Python's.
class Expression {
 public:
  /// A number, the index of a name, or a function, which takes the values before it.
  using Part = std::variant<std::int64_t, double, std::size_t, const expression::Function*>;

  /// The expression of these parts in postfix order, over `names` arrays and scalars that have no names.
  static Expression of(std::span<const Part> parts, std::size_t names);

  /// Throws Error, with the text and a caret under the place, if it is not an expression, or too long or too deep.
  static Expression parse(std::string_view text);

  /// The names it uses, each once, in order of appearance.
  const std::vector<std::string>& names() const { return names_; }

  /// Compiles it; bindings[k] says what names()[k] is. Types come out as in NumPy 2 (whole numbers wrap, / and sqrt of them give
  /// f64, i32 or i64 with f32 gives f64, u8 takes the type of what it meets), but that functions of u8 give f64, where NumPy has
  /// numbers of 16 bits; parts made of scalars alone are computed beforehand, in i64 or f64. Throws Error if no
  /// array is used, if a whole number does not fit the type of the arrays it meets, or on a division of scalars by zero.
  Program bind(std::span<const Binding> bindings) const;

 private:
  class Parser;
  class Compiler;

  /// The expression in postfix order, so that nothing has to descend into it.
  struct Step {
    Part what;
    std::size_t position;  ///< in the text
  };

  std::string text_;
  std::vector<std::string> names_;
  std::vector<Step> steps_;
};

}  // namespace furrow
