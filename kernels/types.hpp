#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace furrow {

/// The element types of named kernels.
enum class Type { f32, f64, i32, i64 };

/// "f32", …
constexpr std::string_view type_code(Type type) {
  switch (type) {
    case Type::f32:
      return "f32";
    case Type::f64:
      return "f64";
    case Type::i32:
      return "i32";
    case Type::i64:
      return "i64";
  }
  return "";
}

template <class T>
inline constexpr Type type_of = std::is_floating_point_v<T> ? (sizeof(T) == 4 ? Type::f32 : Type::f64)
                                                            : (sizeof(T) == 4 ? Type::i32 : Type::i64);

template <class T>
struct TypeTag {
  using type = T;
};

/// f(TypeTag<T>{}) for the C++ type that `type` stands for.
template <class F>
decltype(auto) with_type(Type type, F&& f) {
  switch (type) {
    case Type::f32:
      return f(TypeTag<float>{});
    case Type::f64:
      return f(TypeTag<double>{});
    case Type::i32:
      return f(TypeTag<std::int32_t>{});
    case Type::i64:
      return f(TypeTag<std::int64_t>{});
  }
  __builtin_unreachable();
}

constexpr std::size_t type_bytes(Type type) {
  return type == Type::f32 || type == Type::i32 ? 4 : 8;
}

}  // namespace furrow
