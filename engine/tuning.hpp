#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "furrow/engine/backend.hpp"

namespace furrow {

/// How one kernel runs fastest on one backend. What is not set, the engine decides.
struct KernelTuning {
  /// Calls over fewer elements are faster on the calling thread. Serves until a program has timed a few calls of its own.
  std::optional<std::size_t> serial_below = std::nullopt;
  std::optional<std::size_t> grain = std::nullopt;  ///< chunks that travel in one task; at least 1
  std::optional<Schedule> schedule = std::nullopt;  ///< how tasks are handed to threads

  /// Whether both say the same.
  friend bool operator==(const KernelTuning&, const KernelTuning&) = default;
};

/// What the benchmark suite found out about one kind of machine: which backend to use, and for its kernels from which size on
/// threads pay and how work is best handed to them. Kept in a JSON file with one entry per kind of machine, since a home directory
/// may be shared by unlike ones. It decides times, never results.
class Tuning {
 public:
  using Kernels = std::map<std::string, KernelTuning, std::less<>>;  ///< by kernel and type: "triad/f64"
  using ByBackend = std::map<std::string, Kernels, std::less<>>;     ///< by the backend's name

  std::string backend;   ///< the pick
  std::string reason;    ///< why, in one sentence
  std::string measured;  ///< when, as YYYY-MM-DD
  ByBackend kernels;     ///< what is tuned

  /// Where the file is: $FURROW_TUNING, else furrow/tuning.json in $XDG_CONFIG_HOME, else in ~/.config. Empty if $FURROW_TUNING is
  /// "none" or nothing says where home is.
  static std::string path();

  /// What makes machines alike: CPU model, caches, and how many CPUs this process may use.
  static std::string machine_key();

  /// This machine's entry; null if there is none. A file that is unreadable, broken or of another format version, or an entry that
  /// names a backend this build lacks or holds a value that makes no sense, gives null and one warning. Keys that this version does
  /// not know are passed over.
  static std::shared_ptr<const Tuning> load();

  /// Writes this machine's entry to path(), leaving those of other machines alone; the file is replaced at once or not at all. A
  /// broken file is kept beside the new one as *.broken. Throws Error with the system's reason if it cannot be written.
  void save() const;
};

}  // namespace furrow
