#pragma once

#include <string>
#include <vector>

namespace furrow {

/// The instruction set that named kernels use: the best that the processor and this build have, or the one that $FURROW_ISA names.
/// Decided once per process. Throws Error, listing those that can be had, if $FURROW_ISA names none of them.
std::string instruction_set();

/// All that this build and this processor have, best first.
std::vector<std::string> instruction_sets();

}  // namespace furrow
