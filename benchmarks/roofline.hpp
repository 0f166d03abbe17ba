#pragma once

#include <string>
#include <string_view>

#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// Arithmetic rate over arithmetic per byte, as SVG, under the bandwidths and the peak measured. Empty if no kernel of `type`
/// counts its arithmetic.
std::string roofline(const SavedRun& run, std::string_view type);

}  // namespace furrow::bench
