#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

// Tables of the report's page, as HTML.

/// Between the colours of the heat map.
inline constexpr std::array kHeatSteps{0.8, 0.95, 1.05, 1.2, 1.5, 2.0, 4.0};

/// Kernel × backend: time over that of furrow's fastest, the geometric mean over types and sizes, or over types at size `n`.
std::string heat_table(const SavedRun& run, const std::string& caption, std::optional<std::size_t> n);

/// Kernel × backend: whether the answers are the reference's, bit for bit. Empty if the run does not say.
std::string bits_table(const SavedRun& run);

/// What furrow takes longer by with one of its means turned off, in each case. Empty if the run has no such cases.
std::string ablation_table(const SavedRun& run);

/// Bandwidths, peak rates and fork–join latencies of the machine. Empty if they were not measured.
std::string roofs_table(const SavedRun& run);

/// Every median and interval of a family.
std::string numbers_table(const SavedRun& run, const std::string& family);

}  // namespace furrow::bench
