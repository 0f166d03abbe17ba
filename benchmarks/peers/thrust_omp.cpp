#include <omp.h>
#include <thrust/system/omp/execution_policy.h>

#include "benchmarks/peers/thrust.hpp"

namespace furrow::bench {
namespace {

struct OmpSystem {
  static const auto& policy() { return thrust::omp::par; }
  static void on_threads(int threads, const auto& work) {
    omp_set_num_threads(threads);
    work();
  }
};

constexpr auto kPeers = ThrustPeers<OmpSystem>::peers();

}  // namespace

template <>
std::span<const Peer> thrust_omp<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
