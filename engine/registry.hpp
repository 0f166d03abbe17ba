#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/backend.hpp"
#include "furrow/engine/function.hpp"

namespace furrow {

/// The names of all backends of this process: those of this build, "serial" first, then those registered.
std::vector<std::string> backends();

/// A callable std::unique_ptr<Backend>(int concurrency).
using BackendFactory = Function<std::unique_ptr<Backend>(int)>;

/// Adds a backend under `name`, made by factory(concurrency), for all engines made from now on. Throws Error if the name is empty,
/// taken or not a plain word.
void register_backend(std::string_view name, BackendFactory factory);

/// Makes the backend called `name`. Throws Error, listing the known names, if there is none.
std::unique_ptr<Backend> make_backend(std::string_view name, int concurrency);

/// What stands behind the backend called `name`, for people ("oneTBB 2021.8"); empty where nothing is known.
std::string backend_version(std::string_view name);

}  // namespace furrow
