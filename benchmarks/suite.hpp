#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/bits.hpp"
#include "benchmarks/cases.hpp"
#include "benchmarks/measure.hpp"
#include "benchmarks/mix.hpp"
#include "benchmarks/roofs.hpp"
#include "furrow/engine/tuning.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {

struct Progress {
  std::size_t done = 0;
  std::size_t total = 0;
  double seconds_left = 0;
  std::string now;  ///< what is being measured
};

struct SuiteOptions {
  std::string kernels;                                ///< regular expression, searched for in kernel names; empty: all
  Mix mix;                                            ///< if there is one, what it names is measured instead, and weighed so
  std::vector<std::string> backends;                  ///< furrow's and peers; empty: all
  std::vector<std::size_t> sizes;                     ///< elements; empty: from 2^10 to 2^25
  std::vector<std::string> types;                     ///< type codes; empty: all
  bool automatic = false;                             ///< measure the automatic choice too, and backends forced to use threads
  bool quick = false;                                 ///< doubles and three sizes only
  bool all = false;                                   ///< everything selected, for as long as it takes, instead of a sample
  bool sweep = false;                                 ///< sizes 2^8, 2^9, … up to what memory holds
  bool scaling = false;                               ///< also at 1, 2, 4, … threads, and at twice as many as the run has
  bool neighbour = false;                             ///< beside a process that keeps a core busy
  int threads = 0;                                    ///< 0: as an engine chooses
  double seconds = 0;                                 ///< for everything; 0: 540, or 70 if quick, or no limit if all
  std::function<bool()> stop = [] { return false; };  ///< asked after each sample
  std::function<void(const Progress&)> progress = [](const Progress&) {};
};

/// What one candidate did.
struct Case {
  std::string backend;
  Kind kind = Kind::backend;
  Timings timings;
  std::optional<std::string> fault;  ///< what its answer was wrong in; it is not timed then
  Bits bits = Bits::unknown;
  bool timed() const { return !timings.real.empty(); }
};

/// A kernel, type and size, with all candidates: their rounds are paired.
struct Group {
  const table::Kernel* kernel = nullptr;
  Type type = Type::f64;
  std::size_t n = 0;
  std::vector<Case> cases;
  int threads = 0;  ///< where it was not the run's own number: it then counts for scaling only
  Conditions conditions = {};

  /// "triad/tbb/f64/1024", and "/threads:4" where that is not the run's number
  std::string name(const Case& of) const;
  const Case* find(std::string_view backend) const;
  std::string key() const;  ///< "triad/f64/1024"
  bool visited_once() const;
};

struct Measurements {
  int threads = 1;
  std::vector<std::string> backends;
  std::vector<std::string> peers;
  MachineRoofs roofs;
  std::vector<Group> groups;  ///< in the order of suite_kernels(), then types and sizes
  Tuning::ByBackend tuned;    ///< how the named kernels run fastest
  Mix mix;                    ///< that the verdict is weighed by
  std::size_t planned = 0;    ///< groups that were to be measured
  bool interrupted = false;
  std::vector<std::string> notes;     ///< what was left out, and why
  std::vector<std::string> warnings;  ///< what makes the verdict less sure
  Conditions conditions;              ///< of all groups together
  bool neighbour = false;             ///< there was a busy process, as asked for
  bool busy = false;                  ///< others used the CPUs so much that the verdict is one beside them, as a warning says
  double seconds = 0;                 ///< it took

  std::size_t faults() const;
};

/// Throws Error if the options name something that is not there or select nothing.
Measurements run_suite(const SuiteOptions& options);

}  // namespace furrow::bench
