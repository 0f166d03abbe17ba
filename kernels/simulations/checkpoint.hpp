#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/kernels/simulations/simulation.hpp"

namespace furrow::sim {

/// What a checkpoint says before its values.
struct Checkpoint {
  std::string simulation;
  std::uint64_t step = 0;
  std::vector<Setting> settings;
  std::vector<std::uint64_t> sizes;  ///< bytes of each part of the state
};

/// Writes a checkpoint to a file beside `path`, flushes it, and renames it; the one before is kept as previous_of(path). Throws
/// Error, and leaves both, if it cannot be written or if what is at `path` is no checkpoint.
///
/// The file: "FURROWCP", the version and the length of what follows in JSON (both in four bytes), that JSON, its and their XXH3
/// hash in eight bytes, the values, and their hash. Numbers are little-endian.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint, std::span<const std::span<std::byte>> state);

/// The checkpoint before that at `path`.
std::string previous_of(const std::string& path);

/// A checkpoint open for reading.
class CheckpointFile {
 public:
  /// Throws Error, with the path and the reason, unless it is a whole file with an undamaged beginning.
  explicit CheckpointFile(const std::string& path);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const Checkpoint& checkpoint() const { return checkpoint_; }

  /// Reads all values, one part after the other. Throws Error if they are damaged; `to` is then undefined.
  void read(std::span<std::byte> to) const;

 private:
  [[noreturn]] void fail_as(const std::string& reason) const;
  void read_at(std::uint64_t from, void* to, std::size_t bytes) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t data_begin_ = 0;
  Checkpoint checkpoint_;
};

}  // namespace furrow::sim
