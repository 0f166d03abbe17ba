#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/bits.hpp"
#include "benchmarks/measure.hpp"
#include "benchmarks/roofs.hpp"
#include "benchmarks/verdict.hpp"

namespace furrow::bench {

/// A run of the suite as its JSON file tells it: enough to judge it, to compare it with another, and to draw it.
struct SavedRun {
  struct Case {
    std::string backend;
    std::vector<double> real;  ///< seconds per call, a round each; rounds of equal index in a group are paired
    std::vector<double> cpu;   ///< of all threads together
    std::string fault = {};    ///< what its answer was wrong in; it was not timed then
    Bits bits = Bits::unknown;
    std::vector<std::size_t> visits = {};  ///< rounds in each visit, one after the other
    bool timed() const { return !real.empty(); }
  };
  struct Group {
    std::string kernel;
    std::string type;
    std::size_t n = 0;
    int threads = 0;   ///< 0: those of the whole run
    double bytes = 0;  ///< per element
    std::vector<Case> cases = {};

    const Case* find(std::string_view backend) const;
    std::string key() const { return kernel + "/" + type + "/" + std::to_string(n); }  ///< without the threads
  };

  std::string name;                            ///< of the file
  std::map<std::string, std::string> context;  ///< what is said about machine, build and run; numbers as text
  std::vector<std::string> backends;           ///< furrow's, from simple to less so
  std::vector<std::string> peers;
  std::vector<Group> groups;        ///< on the run's threads
  std::vector<Group> scaling = {};  ///< on so many threads
  MachineRoofs roofs = {};

  /// What the context says; empty if it does not.
  const std::string& about(const std::string& key) const;
  bool partial() const { return about("furrow_partial") == "true"; }
  bool is_peer(std::string_view backend) const;
  /// The fastest of furrow's backends; null if none was timed.
  const Case* fastest(const Group& group) const;
  std::size_t faults() const;
};

/// Reads what write_json wrote. Throws Error, with `name` in it, if it is anything else.
SavedRun read_run(std::istream& in, const std::string& name);
SavedRun read_run(const std::string& path);

/// The family of a kernel, "other" if this build has none of that name.
std::string family_of(std::string_view kernel);

/// What the verdict is made from, as decide() wants it.
std::vector<Evidence> evidence_of(const SavedRun& run);

/// The median of a case and its interval.
Ratio middle(const SavedRun::Case& one);

/// The time of one case over that of another of its group.
Ratio compare(const SavedRun::Case& first, const SavedRun::Case& second);

}  // namespace furrow::bench
