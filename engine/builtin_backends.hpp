#pragma once

#include <memory>
#include <string>
#include <vector>

#include "furrow/engine/backend.hpp"

namespace furrow {

// One factory per backend file, and the version of the runtime behind it. Which of them exist is the build's choice; registry.cpp
// lists them.
std::unique_ptr<Backend> make_serial_backend(int concurrency);
std::unique_ptr<Backend> make_openmp_backend(int concurrency);
std::unique_ptr<Backend> make_tbb_backend(int concurrency);
std::unique_ptr<Backend> make_stdpar_backend(int concurrency);

std::string openmp_version();
std::string tbb_version();
std::string stdpar_version();

/// The CPUs that OpenMP binds its threads to; empty if it does not, or is none of this build. It binds the process's first thread
/// when the process starts, whose mask then says nothing about what the process may use.
std::vector<int> bound_cpus();
std::vector<int> openmp_bound_cpus();

}  // namespace furrow
