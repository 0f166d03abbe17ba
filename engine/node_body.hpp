#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace furrow {

/// Owns something callable as body(task). Small plain ones, such as lambdas over a few pointers, need no memory of their own.
class NodeBody {
 public:
  template <class Body>
  explicit NodeBody(Body&& body) requires(!std::is_same_v<std::remove_cvref_t<Body>, NodeBody> &&
                                          std::is_invocable_v<std::decay_t<Body>&, std::size_t>) {
    using Held = std::decay_t<Body>;
    if constexpr (fits<Held>) {
      ::new (static_cast<void*>(here_.data())) Held(std::forward<Body>(body));
      does_ = &kInside<Held>;
    } else {
      ::new (static_cast<void*>(here_.data())) Held*(new Held(std::forward<Body>(body)));
      does_ = &kOutside<Held>;
    }
  }
  ~NodeBody() {
    if (owns_memory()) does_->destroy(here_.data());
  }
  NodeBody(NodeBody&& other) noexcept : does_(std::exchange(other.does_, &kNothing)), here_(other.here_) {}
  NodeBody& operator=(NodeBody&& other) = delete;

  void operator()(std::size_t task) { does_->call(here_.data(), task); }

  /// Whether the destructor has anything to do.
  bool owns_memory() const { return does_->destroy != nullptr; }
  /// The same for all callables of one type.
  const void* type() const { return does_; }

 private:
  static constexpr std::size_t kBytes = 32;
  template <class Held>
  static constexpr bool fits = (std::is_trivially_copyable_v<Held> && std::is_trivially_destructible_v<Held> &&
                                sizeof(Held) <= kBytes && alignof(Held) <= alignof(void*));

  struct Does {
    void (*call)(void*, std::size_t);
    void (*destroy)(void*);
  };
  template <class Held>
  static constexpr Does kInside{[](void* here, std::size_t task) { (*std::launder(static_cast<Held*>(here)))(task); }, nullptr};
  template <class Held>
  static constexpr Does kOutside{[](void* here, std::size_t task) { (**std::launder(static_cast<Held**>(here)))(task); },
                                 [](void* here) { delete *std::launder(static_cast<Held**>(here)); }};
  static constexpr Does kNothing{nullptr, nullptr};

  const Does* does_;
  alignas(void*) std::array<std::byte, kBytes> here_;  // the callable, or a pointer to it
};

}  // namespace furrow
