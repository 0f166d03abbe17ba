#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

namespace furrow::fuzz {

/// A number of one of the element types, in the order of furrow::Type.
using Element = std::variant<float, double, std::int32_t, std::int64_t, std::uint8_t>;

/// What a part of an expression comes to at one place of the arrays. Scalars are int64 or double.
struct Value {
  Element element;
  bool scalar = false;
};

/// What an expression of furrow::Expression comes to at one place, by a plain recursive reading of the text that shares no code
/// with the library's parser and compiler; `value_of` says what a name stands for. None if there is anything wrong with it.
std::optional<Element> interpret(std::string_view text, const std::function<Value(std::string_view name)>& value_of);

}  // namespace furrow::fuzz
