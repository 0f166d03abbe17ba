#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/worker.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// The candidate that follows the tuning file, as programs do: Engine{}.
inline constexpr std::string_view kAutomatic = "auto";
/// What the name of a backend ends with that uses its threads however small the call is.
inline constexpr std::string_view kForced = "_forced";

/// What somebody who can do a kernel is to the verdict: one of furrow's backends, another's way of doing it, the machine's limit,
/// or furrow without one of the things that make it fast.
enum class Kind { backend, peer, roof, ablation };

/// Somebody who can do a kernel.
struct Candidate {
  std::string backend;
  Kind kind = Kind::backend;
  std::string runtime;  ///< those of one runtime do not disturb each other
  /// Ways of doing it so many times, of which the fastest counts; furrow's have one.
  std::vector<std::function<void(table::Operands&, std::size_t calls)>> variants;
  /// Of one that works on arrays of its own, where the operands are to be loaded before and stored after; else null.
  Worker* worker = nullptr;
};

/// The candidates that a run chose from all there are, with an engine for each of furrow's backends.
class Candidates {
 public:
  /// `wanted`: names of backends and peers, and of groups of them: "usual" (all backends and the peers of every run), "libraries",
  /// "fast", "python", "ablations"; empty means the usual. Throws Error, listing what there is, if one is unknown.
  Candidates(const std::vector<std::string>& wanted, int threads);

  int threads() const { return threads_; }
  const std::vector<std::string>& backends() const { return backends_; }  ///< furrow's
  const std::vector<std::string>& peers() const { return peers_; }
  /// Why peers that were asked for are missing.
  std::vector<std::string> notes() const;

  /// CPU time that the peers with processes of their own have used.
  double worker_seconds() const;

  /// Adds what the backends are compared with to judge the automatic choice: that choice itself, and the parallel backends forced
  /// to use threads. Throws Error if there is no tuning file for this machine.
  void add_automatic();

  /// Those that can do `kernel` on elements of `type`, furrow's first.
  std::vector<Candidate> of(const table::Kernel& kernel, Type type);

  /// Makes arrays: their pages are then spread over the threads as they are for a program that uses furrow.
  Engine& placing_engine() { return engines_.at(placing_); }

 private:
  int threads_ = 1;
  std::vector<std::string> backends_;
  std::vector<std::string> peers_;
  std::map<std::string, Engine> engines_;                                ///< all backends
  std::map<std::string, Engine> choices_;                                ///< the automatic choice and forced ones
  std::map<std::string, std::shared_ptr<Worker>, std::less<>> workers_;  ///< of the peers that have processes of their own
  std::string placing_;
};

/// Which runtime's threads a backend or peer leaves spinning.
std::string runtime_of(std::string_view backend);

/// "triad/tbb/f64/1024"
std::string case_name(const table::Kernel& kernel, std::string_view backend, Type type, std::size_t n);

}  // namespace furrow::bench
