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
  requires(!std::is_same_v<std::remove_cvref_t<Body>, NodeBody> &&
           std::is_invocable_v<std::decay_t<Body>&, std::size_t>) explicit NodeBody(Body&& body) {
    using Held = std::decay_t<Body>;
    if constexpr (fits<Held>) {
      ::new (static_cast<void*>(here_.data())) Held(std::forward<Body>(body));
      call_ = [](void* here, std::size_t task) { (*std::launder(static_cast<Held*>(here)))(task); };
    } else {
      ::new (static_cast<void*>(here_.data())) Held*(new Held(std::forward<Body>(body)));
      call_ = [](void* here, std::size_t task) { (**std::launder(static_cast<Held**>(here)))(task); };
      destroy_ = [](void* here) { delete *std::launder(static_cast<Held**>(here)); };
    }
  }
  ~NodeBody() {
    if (destroy_ != nullptr) destroy_(here_.data());
  }
  NodeBody(NodeBody&& other) noexcept : here_(other.here_), call_(other.call_), destroy_(std::exchange(other.destroy_, nullptr)) {}
  NodeBody& operator=(NodeBody&& other) = delete;

  void operator()(std::size_t task) { call_(here_.data(), task); }

 private:
  static constexpr std::size_t kBytes = 24;
  template <class Held>
  static constexpr bool fits = std::is_trivially_copyable_v<Held>&& std::is_trivially_destructible_v<Held> && sizeof(Held) <= kBytes
                               && alignof(Held) <= alignof(void*);

  alignas(void*) std::array<std::byte, kBytes> here_;  // the callable, or a pointer to it
  void (*call_)(void*, std::size_t);
  void (*destroy_)(void*) = nullptr;
};

}  // namespace furrow
