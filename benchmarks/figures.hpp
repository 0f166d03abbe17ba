#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "benchmarks/saved_run.hpp"
#include "benchmarks/verdict.hpp"

namespace furrow::bench {

// Figures of the report's page, as SVG, and how speed is told in them.

/// Whether a kernel's speed is told in elements rather than bytes.
bool counts_elements(std::string_view kernel);
std::string_view speed_unit(std::string_view kernel);
/// Of a case's median and interval, in that unit.
Ratio speed_of(const SavedRun::Group& group, const SavedRun::Case& one);

/// A line and a marker as the figures draw them for `backend`, with its name.
std::string legend_entry(const SavedRun& run, std::string_view backend);

/// Speed over size, a line with its 95 % band for each backend and peer. Empty if nothing was timed.
std::string size_curves(const SavedRun& run, std::string_view kernel, std::string_view type);

/// Speed over the number of threads, and the line of perfect scaling from the fastest on the fewest. Empty if nothing was timed.
std::string scaling_curves(const SavedRun& run, std::string_view kernel, std::string_view type, std::size_t n);

/// Time of each backend over that of the pick.
std::string verdict_figure(const SavedRun& run, const Verdict& verdict);

}  // namespace furrow::bench
