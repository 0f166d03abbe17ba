#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace furrow {

template <class Signature>
class Function;

/// A callable R(Args…) or none, as std::function, but copies share it, so that it need not be copyable. (All of `<functional>`
/// would be a fifth of what furrow's headers cost to compile.)
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  /// Holds nothing, and must not be called.
  Function() = default;
  /// The same.
  Function(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): a parameter type
  /// Holds `f`; nothing if that is a null pointer or an empty std::function.
  template <class F>
  Function(F f) requires(std::is_invocable_r_v<R, F&, Args...>) {  // NOLINT(google-explicit-constructor): a parameter type
    if constexpr (requires { f == nullptr; })
      if (f == nullptr) return;
    held_ = std::make_shared<F>(std::move(f));
    call_ = [](void* held, Args... args) -> R { return static_cast<R>((*static_cast<F*>(held))(std::forward<Args>(args)...)); };
  }

  /// Whether it holds anything.
  explicit operator bool() const { return held_ != nullptr; }
  /// Calls it.
  R operator()(Args... args) const { return call_(held_.get(), std::forward<Args>(args)...); }

 private:
  std::shared_ptr<void> held_;
  R (*call_)(void*, Args...) = nullptr;
};

}  // namespace furrow
