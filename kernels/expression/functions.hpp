#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "furrow/kernels/expression.hpp"

// The table of functions that expressions are made of, for the instruction set that all named kernels use.

namespace furrow::expression {

/// Elements evaluated at a time.
std::size_t block_size();

const Moves& moves(Type type);

/// The function of this name and number of operands; nullptr if there is none.
const Function* find_function(std::string_view name, std::size_t operands);
/// The first of this name, whatever it takes.
const Function* find_function(std::string_view name);

/// Elements of one type as another, from memory to memory.
Kernel conversion(Type from, Type to);

bool begins_name(char c);

/// Text of an expression on one line, fit for a message.
std::string shown(std::string_view text);

/// Throws Error with the text around `position` and a caret under it.
[[noreturn]] void fail_at(std::string_view text, std::size_t position, const std::string& what);

}  // namespace furrow::expression
