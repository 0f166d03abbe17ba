#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace furrow {

/// What the benchmark suite found out about one kind of machine: which backend to use, and from which size on threads pay. Kept in
/// a JSON file with one entry per kind of machine, since a home directory may be shared by unlike ones. It decides times, never
/// results.
class Tuning {
 public:
  std::string backend;   ///< the pick
  std::string reason;    ///< why, in one sentence
  std::string measured;  ///< when, as YYYY-MM-DD
  /// For each backend and kernel ("triad/f64"): calls over fewer elements are faster on the calling thread.
  std::map<std::string, std::map<std::string, std::size_t, std::less<>>, std::less<>> thresholds;

  std::optional<std::size_t> serial_below(std::string_view backend_name, std::string_view kernel, std::string_view type) const;

  /// Where the file is: $FURROW_TUNING, else furrow/tuning.json in $XDG_CONFIG_HOME, else in ~/.config. Empty if $FURROW_TUNING is
  /// "none" or nothing says where home is.
  static std::string path();

  /// What makes machines alike: CPU model, caches, and how many CPUs this process may use.
  static std::string machine_key();

  /// This machine's entry; null if there is none. A file that is unreadable, broken or of another format version, or an entry that
  /// names a backend this build lacks, gives null and one warning.
  static std::shared_ptr<const Tuning> load();

  /// Writes this machine's entry to path(), leaving those of other machines alone; the file is replaced at once or not at all. A
  /// broken file is kept beside the new one as *.broken. Throws Error with the system's reason if it cannot be written.
  void save() const;
};

}  // namespace furrow
