#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "benchmarks/cases.hpp"

namespace furrow::bench {

/// What the machine allows, on all threads of the run: the bounds that its cases are held against. 0 where it was not measured.
struct MachineRoofs {
  // Bytes a second to and from memory; write, copy and triad by streaming stores where those are faster.
  double read = 0;
  double write = 0;
  double copy = 0;
  double triad = 0;
  // Floating-point operations a second, by fused multiply-adds in registers where the processor has them.
  double fma_f32 = 0;
  double fma_f64 = 0;
  /// Seconds that handing every thread an empty task and waiting for all takes, by backend and peer.
  std::map<std::string, double> fork_join;
};

/// Measures them by the hand-written loops of the peer "roof", each by its fastest round: what disturbs a roof only lowers it. It
/// takes about two seconds and three arrays of 2^25 doubles, or less where memory is short. Without that peer only fork_join is
/// known. `stop` as in Plan; what it cuts off stays 0.
MachineRoofs measure_roofs(Candidates& candidates, std::uint64_t seed, const std::function<bool()>& stop);

}  // namespace furrow::bench
