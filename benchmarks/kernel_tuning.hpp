#pragma once

#include <vector>

#include "benchmarks/sample.hpp"
#include "benchmarks/suite.hpp"

namespace furrow::bench {

/// A named kernel of which it is to be found out when threads pay, and in which portions they are best given the work.
struct TuningTask {
  const table::Kernel* kernel;
  Type type;
};

/// The named kernels among what was selected, each type once; nothing unless furrow's serial backend and a parallel one were
/// chosen.
std::vector<TuningTask> tuning_tasks(const std::vector<Selection>& selected, const Candidates& candidates);

/// Times the kernel on the calling thread and forced onto each backend's threads at sizes from 2^10 to 2^19, and adds where they
/// cross; then with other grains and schedules at 2^17 and 2^20 elements, and adds those that are faster by 5 % or more beyond
/// noise on the whole and slower at neither.
void measure_tuning(const TuningTask& task, const Candidates& candidates, const Plan& plan, Tuning::ByBackend& tuned);

}  // namespace furrow::bench
