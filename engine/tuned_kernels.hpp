#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "furrow/engine/tuning.hpp"

namespace furrow {

/// What was tuned for the kernels of one backend, found by a kernel's key in a few instructions: every call of a kernel asks. Does
/// not change once made, so that threads may ask at once.
class TunedKernels {
 public:
  explicit TunedKernels(const Tuning::Kernels& kernels);

  /// What was tuned for the kernel with this key (Cost::key()); nullptr if nothing was.
  const KernelTuning* find(std::uint64_t key) const {
    for (std::size_t at = key & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key) return &slot.tuning;
      if (slot.key == kNone) return nullptr;
    }
  }

 private:
  static constexpr std::uint64_t kNone = 0;
  struct Slot {
    std::uint64_t key = kNone;
    KernelTuning tuning;
  };

  std::vector<Slot> slots_;  ///< a power of two of them, at most half in use
  std::size_t mask_ = 0;
};

}  // namespace furrow
