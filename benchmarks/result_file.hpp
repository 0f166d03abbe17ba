#pragma once

#include <string>
#include <string_view>

namespace furrow::bench {

/// A file that is written whole at the end of a run, but of which it is known at the beginning that it can be. Until then, and if
/// the run is broken off, whatever has that name stays as it is.
class ResultFile {
 public:
  /// Throws Error, with the system's reason, if `path` cannot be written; an empty path means no file.
  explicit ResultFile(const std::string& path);

  bool wanted() const { return !path_.empty(); }
  /// Replaces the file at once or, with an Error, not at all. A pipe or a device is written as it is.
  void write(std::string_view text) const;

 private:
  std::string path_;
  std::string target_;     // where links lead
  std::string temporary_;  // beside the target; empty: the target is no ordinary file
};

}  // namespace furrow::bench
