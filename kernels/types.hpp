#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace furrow {

/// Types in an order.
template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
  template <class U>
  static constexpr bool has = (std::same_as<U, T> || ...);
  /// Where U, which is one of them, stands.
  template <class U>
  static constexpr std::size_t index() {
    std::size_t before = 0;
    static_cast<void>(((std::same_as<U, T> || (++before, false)) || ...));
    return before;
  }
};

/// The element types of named kernels. (FURROW_FOR_EACH_ELEMENT_TYPE names them as well.)
using ElementTypes = TypeList<float, double, std::int32_t, std::int64_t, std::uint8_t>;

template <class T>
concept NamedElement = ElementTypes::has<T>;

/// The same at run time, in that order.
enum class Type { f32, f64, i32, i64, u8 };
/// All of them.
inline constexpr std::array<Type, ElementTypes::size> kTypes{Type::f32, Type::f64, Type::i32, Type::i64, Type::u8};

/// "f32", …
constexpr std::string_view type_code(Type type) {
  constexpr std::array<std::string_view, ElementTypes::size> kCodes{"f32", "f64", "i32", "i64", "u8"};
  return kCodes[static_cast<std::size_t>(type)];
}

/// NumPy's name: "float32", …
constexpr std::string_view type_name(Type type) {
  constexpr std::array<std::string_view, ElementTypes::size> kNames{"float32", "float64", "int32", "int64", "uint8"};
  return kNames[static_cast<std::size_t>(type)];
}

/// That of T.
template <NamedElement T>
inline constexpr Type type_of = Type{static_cast<int>(ElementTypes::index<T>())};

template <class T>
struct TypeTag {
  using type = T;
};

/// f(TypeTag<T>{}) for the C++ type that `type` stands for.
template <class F>
constexpr decltype(auto) with_type(Type type, F&& f) {
  switch (type) {
    case Type::f32:
      return f(TypeTag<float>{});
    case Type::f64:
      return f(TypeTag<double>{});
    case Type::i32:
      return f(TypeTag<std::int32_t>{});
    case Type::i64:
      return f(TypeTag<std::int64_t>{});
    case Type::u8:
      return f(TypeTag<std::uint8_t>{});
  }
  __builtin_unreachable();
}

/// Bytes of an element.
constexpr std::size_t type_bytes(Type type) {
  return with_type(type, []<class T>(TypeTag<T>) { return sizeof(T); });
}

/// Whether it is one of floating-point numbers.
constexpr bool is_fraction(Type type) {
  return type == Type::f32 || type == Type::f64;
}

/// An Of<T> for each element type.
template <template <class> class Of, class List = ElementTypes>
struct PerType;
template <template <class> class Of, class... T>
struct PerType<Of, TypeList<T...>> : Of<T>... {
  /// What make() of each type gives: make.operator()<T>().
  template <class Make>
  static constexpr PerType made_by(const Make& make) {
    return {make.template operator()<T>()...};
  }
  template <class U>
  constexpr const Of<U>& of() const {
    return *this;
  }
};

}  // namespace furrow
