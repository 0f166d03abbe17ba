#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

// What a run has, in the order in which the report's page shows it.

std::vector<std::string> families(const SavedRun& run);
/// Those of a family.
std::vector<std::string> kernels(const SavedRun& run, const std::string& family);
/// In which a kernel was measured, doubles first.
std::vector<std::string> types(const SavedRun& run, std::string_view kernel);
/// Furrow's backends, then the peers; not furrow with something turned off.
std::vector<std::string> everyone(const SavedRun& run);

}  // namespace furrow::bench
