#pragma once

#include <functional>
#include <string_view>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// The fault planted to see whether `furrow bench --compare` finds it: a build configured with -DFURROW_SLOWED=sum:15 takes 15 %
/// longer for the kernel `sum` on furrow's backends, which spin for that share of each call's own time (of calls under a
/// microsecond for some more, as the clock takes its own 50 ns). Other kernels, and all in an ordinary build, come back as they
/// are.
std::function<void(table::Operands&)> as_slow_as_planted(std::string_view kernel, std::function<void(table::Operands&)> run);

/// What is planted, "sum:15"; empty in an ordinary build.
std::string_view planted_slowness();

}  // namespace furrow::bench
