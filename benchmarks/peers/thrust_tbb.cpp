#include <thrust/system/tbb/execution_policy.h>

#include "benchmarks/peers/tbb_threads.hpp"
#include "benchmarks/peers/thrust.hpp"

namespace furrow::bench {
namespace {

struct TbbSystem {
  static const auto& policy() { return thrust::tbb::par; }
  static void on_threads(int threads, const auto& work) { bench::on_threads(threads, work); }
};

constexpr auto kPeers = ThrustPeers<TbbSystem>::peers();

}  // namespace

template <>
std::span<const Peer> thrust_tbb<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
