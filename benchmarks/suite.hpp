#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/cases.hpp"
#include "benchmarks/measure.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {

struct Progress {
  std::size_t done = 0;
  std::size_t total = 0;
  double seconds_left = 0;
  std::string now;  ///< what is being measured
};

struct SuiteOptions {
  std::string kernels;                                ///< regular expression, searched for in kernel names; empty: those that pick
  std::vector<std::string> backends;                  ///< furrow's and peers; empty: all
  std::vector<std::size_t> sizes;                     ///< elements; empty: from 2^10 to 2^25
  std::vector<std::string> types;                     ///< type codes; empty: all
  bool quick = false;                                 ///< doubles and three sizes only
  int threads = 0;                                    ///< 0: as an engine chooses
  double seconds = 0;                                 ///< for everything; 0: 540, or 70 if quick
  std::function<bool()> stop = [] { return false; };  ///< asked after each sample
  std::function<void(const Progress&)> progress = [](const Progress&) {};
};

/// What one candidate did.
struct Case {
  std::string backend;
  Kind kind = Kind::backend;
  Timings timings;
  std::optional<std::string> fault;  ///< what its answer was wrong in; it is not timed then
  bool timed() const { return !timings.real.empty(); }
};

/// A kernel, type and size, with all candidates: their rounds are paired.
struct Group {
  const table::Kernel* kernel = nullptr;
  Type type = Type::f64;
  std::size_t n = 0;
  std::vector<Case> cases;

  std::string name(const Case& of) const { return case_name(*kernel, of.backend, type, n); }
  const Case* find(std::string_view backend) const;
};

/// For each backend and kernel ("triad/f64"): calls over fewer elements are faster on the calling thread.
using Thresholds = std::map<std::string, std::map<std::string, std::size_t, std::less<>>, std::less<>>;

struct Measurements {
  int threads = 1;
  std::vector<std::string> backends;
  std::vector<std::string> peers;
  std::vector<Group> groups;  ///< in the order of the kernel table, then types and sizes
  Thresholds thresholds;
  std::size_t planned = 0;  ///< groups that were to be measured
  bool interrupted = false;
  std::vector<std::string> notes;  ///< what was left out, and why
  double seconds = 0;              ///< it took

  std::size_t faults() const;
};

/// Throws Error if the options name something that is not there or select nothing.
Measurements run_suite(const SuiteOptions& options);

/// The kernels, types and sizes that the options select, by which kinds matter most: what the time does not suffice for is at the
/// end.
struct Selection {
  const table::Kernel* kernel;
  Type type;
  std::size_t n;
};
std::vector<Selection> select(const SuiteOptions& options);

}  // namespace furrow::bench
