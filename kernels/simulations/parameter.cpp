#include "furrow/kernels/simulations/parameter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <type_traits>

#include "furrow/engine/error.hpp"

namespace furrow::sim {
namespace {

template <class T>
std::string number_text(T value) {
  std::array<char, 32> buffer{};
  const auto [end, problem] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

template <class T>
bool read_number(std::string_view text, T& value) {
  T read{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (problem != std::errc() || end != text.data() + text.size()) return false;
  value = read;
  return true;
}

/// "4096x2048" into as many numbers as there are places; one number for all of them.
bool read_shape(std::string_view text, std::span<std::size_t> shape) {
  std::vector<std::size_t> read;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("x,", begin), text.size());
    if (!read_number(text.substr(begin, end - begin), read.emplace_back())) return false;
    begin = end + 1;
  }
  if (read.size() == 1) read.resize(shape.size(), read[0]);
  if (read.size() != shape.size()) return false;
  std::ranges::copy(read, shape.begin());
  return true;
}

}  // namespace

std::string Parameter::text() const {
  return std::visit(
      [](const auto& at) -> std::string {
        using At = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<At, std::string*>) {
          return *at;
        } else if constexpr (std::is_same_v<At, std::span<std::size_t>>) {
          std::string all;
          for (const std::size_t extent : at) all += (all.empty() ? "" : "x") + std::to_string(extent);
          return all;
        } else {
          return number_text(*at);
        }
      },
      value);
}

void Parameter::set(std::string_view text) const {
  const auto expect = [&](bool read, const std::string& what) {
    if (!read) fail(std::string(name) + " is " + what + ", not \"" + std::string(text) + "\"");
  };
  std::visit(
      [&](const auto& at) {
        using At = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<At, std::string*>)
          *at = text;
        else if constexpr (std::is_same_v<At, std::span<std::size_t>>)
          expect(read_shape(text, at), std::to_string(at.size()) + " whole numbers, as in 64" + (at.size() > 1 ? "x64" : "") +
                                           (at.size() > 2 ? "x64" : ""));
        else if constexpr (std::is_same_v<At, double*>)
          expect(read_number(text, *at) && std::isfinite(*at), "a number");
        else
          expect(read_number(text, *at), "a whole number, zero or more");
      },
      value);
}

void apply(const std::vector<Parameter>& parameters, std::span<const Setting> settings) {
  for (const Setting& setting : settings) {
    const auto found = std::ranges::find(parameters, setting.name, &Parameter::name);
    if (found == parameters.end()) {
      std::string known;
      for (const Parameter& parameter : parameters) known += (known.empty() ? "" : ", ") + std::string(parameter.name);
      fail("there is no parameter \"" + setting.name + "\"; there are " + known);
    }
    found->set(setting.text);
  }
}

}  // namespace furrow::sim
