#pragma once

#include <iosfwd>
#include <string>

#include "benchmarks/suite.hpp"
#include "benchmarks/verdict.hpp"

namespace furrow::bench {

/// A table for each family of kernels, a legend, and whatever went wrong.
std::string tables(const Measurements& measurements);

/// The verdict in plain words.
std::string in_words(const Measurements& measurements, const Verdict& verdict);

/// All rounds and their medians in Google Benchmark's own format, which its compare.py reads.
void write_json(const Measurements& measurements, const Verdict& verdict, std::ostream& out);

}  // namespace furrow::bench
