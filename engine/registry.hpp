#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "furrow/engine/backend.hpp"

namespace furrow {

/// The names of all backends of this process: those of this build, "serial" first, then those registered.
std::vector<std::string> backends();

/// A callable std::unique_ptr<Backend>(int concurrency), shared by all copies. (std::function would be this and 10,000 lines more.)
class BackendFactory {
 public:
  /// Holds nothing, and must not be called.
  BackendFactory() = default;
  /// Holds `factory`, which is moved here
  /// and then shared by copies of this.
  template <class F>
  requires std::is_invocable_r_v<std::unique_ptr<Backend>, F&, int> BackendFactory(
      F factory)  // NOLINT(google-explicit-constructor): a parameter type
      : held_(std::make_shared<F>(std::move(factory))),
        call_([](void* held, int concurrency) -> std::unique_ptr<Backend> { return (*static_cast<F*>(held))(concurrency); }) {}

  /// Whether it holds anything.
  explicit operator bool() const { return held_ != nullptr; }
  /// Makes a backend of so many threads.
  std::unique_ptr<Backend> operator()(int concurrency) const { return call_(held_.get(), concurrency); }

 private:
  std::shared_ptr<void> held_;
  std::unique_ptr<Backend> (*call_)(void*, int) = nullptr;
};

/// Adds a backend under `name`, made by factory(concurrency), for all engines made from now on. Throws Error if the name is empty,
/// taken or not a plain word.
void register_backend(std::string_view name, BackendFactory factory);

/// Makes the backend called `name`. Throws Error, listing the known names, if there is none.
std::unique_ptr<Backend> make_backend(std::string_view name, int concurrency);

/// What stands behind the backend called `name`, for people ("oneTBB 2021.8"); empty where nothing is known.
std::string backend_version(std::string_view name);

}  // namespace furrow
