#pragma once

#include <optional>
#include <string>

#include "benchmarks/suite.hpp"
#include "benchmarks/verdict.hpp"
#include "furrow/engine/tuning.hpp"

namespace furrow::bench {

/// Which of furrow's backends the measurements speak for.
Verdict verdict_of(const Measurements& measurements);

/// Whether the run was interrupted, or had time for less than half of what it was to measure.
bool is_partial(const Measurements& measurements);

/// Why these measurements must not decide for every program on this machine; nothing if they may.
std::optional<std::string> too_little_to_save(const Measurements& measurements);

/// What is to be remembered: the verdict, and how kernels were tuned now, along with what `before` has of other kernels.
Tuning tuning_entry(const Measurements& measurements, const Verdict& verdict, const Tuning* before);

}  // namespace furrow::bench
