#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "furrow/engine/backend.hpp"

namespace furrow {

/// More tasks than threads, dealt out to workers in equal shares of neighbouring tasks. A worker that has done its share takes over
/// half of what another has left: bodies of uneven cost are evened out, and with even ones a task comes to the same worker each
/// time. Claiming costs an exchange on a line of the cache that is mostly the worker's own, for a sixteenth of what is left of the
/// share at a time. (Stealing by halves: Hendler, Shavit 2002.)
class Shares {
 public:
  Shares(std::size_t tasks, int workers);

  /// Calls body(task) for tasks of this worker's share, then of others', until there is none left to begin. Tasks of workers that
  /// never come are done by those that do.
  void work(std::size_t worker, TaskRef body);

 private:
  /// What is left of a share, in units.
  struct Part {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t size() const { return end - begin; }
  };
  struct alignas(64) Share {
    std::atomic<std::uint64_t> left{0};  ///< a Part, packed: its units are taken once each, so that no value comes back
  };

  static std::uint64_t pack(Part part) { return std::uint64_t{part.begin} << 32 | part.end; }
  static Part unpack(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
  }

  Part claim(std::size_t worker);
  bool take_over(std::size_t worker);

  std::size_t tasks_;
  std::size_t workers_;
  std::size_t unit_;  ///< tasks of a unit: one, unless there are more than 32 bits can count
  std::unique_ptr<Share[]> shares_;
};

}  // namespace furrow
