// The expressions of `furrow map`: any text ends in an Error with a sentence or in a program, and then in the very numbers that a
// naive reading of the text gives, however the arrays are cut.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/expression.hpp"
#include "tests/fuzz/naive_expression.hpp"
#include "tests/fuzz/target.hpp"

namespace furrow::fuzz {
namespace {

std::size_t taken = 0;

std::uint64_t mixed(std::uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15U;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9U;
  return i ^ (i >> 31);
}

template <class T>
T element(std::uint64_t i) {
  using Limits = std::numeric_limits<T>;
  const std::uint64_t bits = mixed(i);
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kTelling[] = {0,
                              T{-0.0},
                              1,
                              -1,
                              Limits::infinity(),
                              -Limits::infinity(),
                              Limits::quiet_NaN(),
                              Limits::max(),
                              Limits::denorm_min(),
                              -Limits::min() / 4};
    if (bits % 4 == 0) return kTelling[bits / 4 % std::size(kTelling)];
    return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-60);
  } else {
    constexpr T kTelling[] = {0, 1, static_cast<T>(-1), Limits::max(), Limits::min(), Limits::max() - 1};
    if (bits % 4 == 0) return kTelling[bits / 4 % std::size(kTelling)];
    return static_cast<T>(bits % 8 == 1 ? static_cast<T>(bits) : static_cast<T>(bits / 8 % 201) - 100);
  }
}

/// What a name stands for follows from its letters: an array of one of the types, or a scalar.
std::uint64_t seed_of(std::string_view name) {
  std::uint64_t seed = 0;
  for (const char c : name) seed = mixed(seed ^ static_cast<unsigned char>(c));
  return seed;
}
Binding binding_of(std::string_view name) {
  const auto kind = static_cast<std::size_t>(name[0]) % (kTypes.size() + 2);
  if (kind < kTypes.size()) return kTypes[kind];
  if (kind == kTypes.size()) return element<std::int64_t>(seed_of(name));
  return element<double>(seed_of(name));
}

/// The array of a name, in memory of exactly its size, so that AddressSanitizer sees what is beyond.
struct Input {
  Type type = Type::f64;
  std::unique_ptr<std::byte[]> memory;

  Input(std::string_view name, Type of, std::size_t n) : type(of), memory(new std::byte[n * type_bytes(of)]) {
    with_type(type, [&]<class T>(TypeTag<T>) {
      for (std::size_t i = 0; i < n; ++i) {
        const T value = element<T>(seed_of(name) + i);
        std::memcpy(memory.get() + i * sizeof(T), &value, sizeof(T));
      }
    });
  }
};

Element at(Type type, const std::byte* memory, std::size_t i) {
  return with_type(type, [&]<class T>(TypeTag<T>) -> Element {
    T value{};
    std::memcpy(&value, memory + i * sizeof(T), sizeof(T));
    return value;
  });
}

/// Bit for bit, but for NaN, of which any is as good as another.
bool same(const Element& a, const Element& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](auto v) {
        const auto w = std::get<decltype(v)>(b);
        return std::memcmp(&v, &w, sizeof v) == 0 || (v != v && w != w);
      },
      a);
}

std::string shown(const Element& element) {
  char text[64];
  std::visit([&](auto v) { std::snprintf(text, sizeof text, "%.17g (type %zu)", static_cast<double>(v), element.index()); },
             element);
  return text;
}

/// The program's results over n elements of the named arrays, cut after `cut` of them.
std::unique_ptr<std::byte[]> results(const Program& program, const std::vector<std::string>& names, std::size_t n,
                                     std::size_t cut) {
  std::vector<Input> inputs;
  std::vector<const std::byte*> arrays(names.size(), nullptr);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Binding binding = binding_of(names[k]);
    const Type* type = std::get_if<Type>(&binding);
    if (type != nullptr) arrays[k] = inputs.emplace_back(names[k], *type, n).memory.get();
  }
  std::unique_ptr<std::byte[]> out(new std::byte[n * type_bytes(program.result_type())]);
  Program::Scratch scratch(program);
  for (std::size_t begin = 0; begin < n; begin += begin == 0 ? cut : n) {
    std::vector<const void*> parts;
    for (std::size_t k = 0; k < names.size(); ++k) {
      const Binding binding = binding_of(names[k]);
      const Type* type = std::get_if<Type>(&binding);
      parts.push_back(type == nullptr ? nullptr : arrays[k] + begin * type_bytes(*type));
    }
    program.run(begin == 0 ? cut : n - begin, parts, out.get() + begin * type_bytes(program.result_type()), scratch);
  }
  return out;
}

/// None if there is an Error, whose message is looked at.
std::optional<Program> compile(std::string_view text, std::vector<std::string>& names) {
  try {
    const Expression expression = Expression::parse(text);
    names = expression.names();
    std::vector<Binding> bindings;
    for (const std::string& name : names) bindings.push_back(binding_of(name));
    return expression.bind(bindings);
  } catch (const Error& error) {
    check_message(error.what());
    return std::nullopt;
  }
}

void check(std::string_view text) {
  std::vector<std::string> names;
  const std::optional<Program> program = compile(text, names);
  const std::size_t n = 1 + seed_of(text) % 70;
  std::unique_ptr<std::byte[]> out;
  if (program) out = results(*program, names, n, n);
  for (const std::size_t i : {std::size_t{0}, n / 2, n - 1}) {
    const auto expected = interpret(text, [i](std::string_view name) -> Value {
      const Binding binding = binding_of(name);
      if (const auto* whole = std::get_if<std::int64_t>(&binding)) return {*whole, true};
      if (const auto* fraction = std::get_if<double>(&binding)) return {*fraction, true};
      return with_type(std::get<Type>(binding), [&]<class T>(TypeTag<T>) { return Value{element<T>(seed_of(name) + i), false}; });
    });
    if (program.has_value() != expected.has_value()) found(program ? "wrongly accepted" : "wrongly refused");
    if (!program) return;
    const Element result = at(program->result_type(), out.get(), i);
    if (!same(result, *expected)) found(shown(result) + " where " + shown(*expected) + " is right, at " + std::to_string(i));
  }
  ++taken;
  const std::size_t cut = 1 + seed_of(text) / 70 % n;
  const auto again = results(*program, names, n, cut);
  for (std::size_t i = 0; i < n; ++i)
    if (!same(at(program->result_type(), out.get(), i), at(program->result_type(), again.get(), i)))
      found("other results when cut after " + std::to_string(cut));
}

/// A random expression that is meant well.
std::string expression(Random& random, int depth) {
  constexpr std::string_view kOperands[] = {"x",  "y",    "z",   "a",     "b",   "c",          "f",
                                            "d",  "e",    "x1",  "y_2",   "0",   "1",          "2.5",
                                            ".5", "3e-2", "1E4", "1e308", "7.0", "2147483648", "4294967296.0"};
  constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="};
  static const std::vector<std::string_view> functions = expression::function_names();
  constexpr std::string_view kThree[] = {"clamp", "fma", "where"};
  constexpr std::string_view kTwo[] = {"minimum", "maximum", "pow", "atan2", "hypot"};
  const auto one_of = [&](const auto& list) { return std::string(list[below(random, std::size(list))]); };
  const auto part = [&] { return expression(random, depth - 1); };
  if (depth == 0) return one_of(kOperands);
  switch (below(random, 8)) {
    case 0:
      return "-" + part();
    case 1:
      return "(" + part() + ")";
    case 2: {
      const std::string name = one_of(functions);
      if (std::ranges::find(kThree, name) != std::end(kThree)) return name + "(" + part() + "," + part() + ", " + part() + ")";
      if (std::ranges::find(kTwo, name) != std::end(kTwo)) return name + "(" + part() + "," + part() + ")";
      return name + "(" + part() + ")";
    }
    case 3:
      return "(" + part() + one_of(kSigns) + part() + ")";
    default:
      return part() + " " + std::string(kSigns[below(random, 4)]) + part();
  }
}

}  // namespace

std::string sample(Random& random) {
  return expression(random, static_cast<int>(below(random, 6)));
}

std::span<const std::string_view> pieces() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> list = expression::function_names();
    for (const std::string_view more : {"x",
                                        "y",
                                        "z",
                                        "a",
                                        "d",
                                        "e",
                                        "(",
                                        ")",
                                        ",",
                                        "+",
                                        "-",
                                        "*",
                                        "/",
                                        "**",
                                        "//",
                                        "<",
                                        "<=",
                                        ">",
                                        ">=",
                                        "==",
                                        "!=",
                                        "=",
                                        "!",
                                        "0",
                                        "1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "e5",
                                        "1e308",
                                        "1e309",
                                        "1e-308",
                                        "1e-320",
                                        "1e-400",
                                        "4.9e-324",
                                        "2147483647",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "0.1",
                                        "where(",
                                        "minimum(x,",
                                        "1/0",
                                        " ",
                                        "\t",
                                        "\n",
                                        "\r",
                                        "_",
                                        "nan",
                                        "inf"})
      list.push_back(more);
    return list;
  }();
  return all;
}

std::size_t accepted() {
  return taken;
}

}  // namespace furrow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  furrow::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
