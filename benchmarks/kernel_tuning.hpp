#pragma once

#include <vector>

#include "benchmarks/suite.hpp"

namespace furrow::bench {

/// A named kernel of which it is to be found out when threads pay.
struct ThresholdTask {
  const table::Kernel* kernel;
  Type type;
};

/// The named kernels among what was selected, each type once; nothing unless furrow's serial backend and a parallel one were
/// chosen.
std::vector<ThresholdTask> thresholds_to_measure(const std::vector<Selection>& selected, const Candidates& candidates);

/// Times the kernel on the calling thread and forced onto each backend's threads at sizes from 2^10 to 2^19, and adds where they
/// cross.
void measure_threshold(const ThresholdTask& task, const Candidates& candidates, const Plan& plan, Thresholds& thresholds);

}  // namespace furrow::bench
