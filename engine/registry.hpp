#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/backend.hpp"

namespace furrow {

/// Makes a backend that uses at most `concurrency` threads.
using BackendFactory = std::function<std::unique_ptr<Backend>(int concurrency)>;

/// The names of all backends of this process: those of this build, "serial" first, then those registered.
std::vector<std::string> backends();

/// Adds a backend under `name`, for all engines made from now on. Throws Error if the name is empty, taken or not a plain word.
void register_backend(std::string_view name, BackendFactory factory);

/// Makes the backend called `name`. Throws Error, listing the known names, if there is none.
std::unique_ptr<Backend> make_backend(std::string_view name, int concurrency);

/// What stands behind the backend called `name`, for people ("oneTBB 2021.8"); empty where nothing is known.
std::string backend_version(std::string_view name);

}  // namespace furrow
