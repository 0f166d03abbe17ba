#include "furrow/engine/tuned_kernels.hpp"

#include <bit>

#include "furrow/engine/engine.hpp"

namespace furrow {

TunedKernels::TunedKernels(const Tuning::Kernels& kernels)
    : slots_(std::bit_ceil(2 * kernels.size() + 1)), mask_(slots_.size() - 1) {
  for (const auto& [name, tuning] : kernels) {
    const std::uint64_t key = Cost::key_of(name);
    std::size_t at = key & mask_;
    while (slots_[at].key != kNone) at = (at + 1) & mask_;
    slots_[at] = {key, tuning};
  }
}

}  // namespace furrow
