#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace furrow::tools {

/// The number that all of `text` spells; nothing if it spells none, or one that T cannot hold.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

}  // namespace furrow::tools
