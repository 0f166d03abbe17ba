#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// The candidate that follows the tuning file, as programs do: Engine{}.
inline constexpr std::string_view kAutomatic = "auto";
/// What the name of a backend ends with that uses its threads however small the call is.
inline constexpr std::string_view kForced = "_forced";

/// Somebody who can do a kernel: one of furrow's backends, or a peer.
struct Candidate {
  std::string backend;
  bool peer = false;
  std::string runtime;  ///< those of one runtime do not disturb each other
  /// Ways of doing it, of which the fastest counts; furrow's have one.
  std::vector<std::function<void(table::Operands&)>> variants;
};

/// The candidates that a run chose from all there are, with an engine for each of furrow's backends.
class Candidates {
 public:
  /// `wanted`: names of backends and peers; empty means all. Throws Error, listing what there is, if one is unknown.
  Candidates(const std::vector<std::string>& wanted, int threads);

  int threads() const { return threads_; }
  const std::vector<std::string>& backends() const { return backends_; }  ///< furrow's
  const std::vector<std::string>& peers() const { return peers_; }

  /// Adds what the backends are compared with to judge the automatic choice: that choice itself, and the parallel backends forced
  /// to use threads. Throws Error if there is no tuning file for this machine.
  void add_automatic();

  /// Those that can do `kernel`, furrow's first.
  std::vector<Candidate> of(const table::Kernel& kernel);

  /// Makes arrays: their pages are then spread over the threads as they are for a program that uses furrow.
  Engine& placing_engine() { return engines_.at(placing_); }

 private:
  int threads_ = 1;
  std::vector<std::string> backends_;
  std::vector<std::string> peers_;
  std::map<std::string, Engine> engines_;  ///< all backends
  std::map<std::string, Engine> choices_;  ///< the automatic choice and forced ones
  std::string placing_;
};

/// Which runtime's threads a backend or peer leaves spinning.
std::string runtime_of(std::string_view backend);

/// Whether it is furrow itself with one of its means turned off, "ablate_streaming": neither a choice nor a peer to be compared
/// with.
bool is_ablation(std::string_view backend);

/// "triad/tbb/f64/1024"
std::string case_name(const table::Kernel& kernel, std::string_view backend, Type type, std::size_t n);

}  // namespace furrow::bench
