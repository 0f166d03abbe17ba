#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "furrow/kernels/simulations/simulation.hpp"
#include "tools/field_picture.hpp"

namespace furrow::tools {

/// What a run stores of its states, and where.
struct FramePlan {
  std::string path;                 ///< its ending decides the format
  std::uint64_t every = 0;          ///< steps between frames, counted from step 0; 0: only the last state
  std::uint64_t first = 0;          ///< the step at which the run starts
  std::uint64_t last = 0;           ///< and ends
  bool resumed = false;             ///< a file of frames is gone on with
  std::string field;                ///< for formats of one field; empty: the first
  std::optional<ValueRange> range;  ///< of the colours

  /// Whether the state at `step` is stored: multiples of `every`, that at which it starts unless an earlier run has stored it, or
  /// the last.
  bool wants(std::uint64_t step) const;
  /// The next step after `step` that is, or `last`.
  std::uint64_t next(std::uint64_t step) const;
  /// How many frames all in all.
  std::uint64_t count() const;
};

/// Stores states in one format. Every file is written under another name and renamed when it is whole.
class Frames {
 public:
  virtual ~Frames() = default;
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  /// Stores the state now. Throws Error with the path and the reason.
  virtual void write(const sim::Simulation& simulation) = 0;
  /// To be called after the last frame, also of a run that was broken off.
  virtual void finish() {}
  /// Files that are there, in order.
  const std::vector<std::string>& written() const { return written_; }

 protected:
  explicit Frames(FramePlan plan) : plan_(std::move(plan)) {}
  const FramePlan plan_;
  std::vector<std::string> written_;
};

/// Makes what stores in the format of plan.path, a multiple-file one as in frame_000100.png if plan.every is set; null for an empty
/// path. Throws Error, before anything is computed, if the format is not known (listing those that are), if no file can be written
/// there, or if the disk has no room for all of them.
std::unique_ptr<Frames> make_frames(FramePlan plan, const sim::Simulation& simulation);

/// "out/frame.png" and 100 to "out/frame_000100.png".
std::string frame_path(const std::string& path, std::uint64_t step);

/// Throws Error, with the system's reason, if a file of so many bytes could not be put at `path` now, or if the disk has no room
/// for `count` of them. Leaves nothing behind.
void expect_room(const std::string& path, std::uint64_t bytes, std::uint64_t count = 1);

// In hdf5_frames.cpp, or in its place where this build has no HDF5.
std::unique_ptr<Frames> make_hdf5_frames(FramePlan plan, const sim::Simulation& simulation);

}  // namespace furrow::tools
