#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "benchmarks/saved_run.hpp"
#include "benchmarks/verdict.hpp"

namespace furrow::bench {

// Parts of the report's page, as HTML and SVG. Colours and sizes of text are the style sheet's; here are shapes and places.

/// What HTML gives a meaning, as text.
std::string escaped(std::string_view text);

/// "2^16" with a raised exponent, else "1.5k".
std::string size_html(std::size_t n);

/// Three digits: "0.0123", "1.23", "12.3", "1234".
std::string short_number(double value);

/// Whether a kernel's speed is told in elements rather than bytes.
bool counts_elements(std::string_view kernel);
std::string_view speed_unit(std::string_view kernel);
/// Of a case's median and interval, in that unit.
Ratio speed_of(const SavedRun::Group& group, const SavedRun::Case& one);

/// A line and a marker as the figures draw them for `backend`, with its name.
std::string legend_entry(const SavedRun& run, std::string_view backend);

/// Speed over size, a line with its 95 % band for each backend and peer. Empty if nothing was timed.
std::string size_curves(const SavedRun& run, std::string_view kernel, std::string_view type);

/// Arithmetic rate over arithmetic per byte, under the bandwidths measured. Empty if no kernel of `type` counts its arithmetic.
std::string roofline(const SavedRun& run, std::string_view type);

/// Time of each backend over that of the pick.
std::string verdict_figure(const SavedRun& run, const Verdict& verdict);

}  // namespace furrow::bench
