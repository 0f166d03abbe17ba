#pragma once

#include <string>

#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// A run as one page that needs nothing else: no network, no script, no font. The verdict first, then how the backends compare on
/// each kernel, speed over size with 95 % bands, a roofline, all numbers, the machine and the flags.
std::string html_page(const SavedRun& run);

}  // namespace furrow::bench
