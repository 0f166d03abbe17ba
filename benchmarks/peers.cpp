#include "benchmarks/peers.hpp"

namespace furrow::bench {
namespace {

#if defined(FURROW_HAS_PEERS)
template <Build build>
void add_loops(std::vector<PeerBackend>& all) {
#if defined(FURROW_HAS_OPENMP)
  all.push_back(
      {"raw_openmp", "openmp", "usual", {raw_openmp<build>(), raw_openmp_simulations<build>(), raw_openmp_order<Build::v3>()}});
#endif
#if defined(FURROW_HAS_TBB)
  all.push_back({"raw_tbb", "tbb", "usual", {raw_tbb<build>(), raw_tbb_order<Build::v3>()}});
#endif
#if defined(FURROW_HAS_STDPAR)
  all.push_back({"raw_stdpar", "tbb", "usual", {raw_stdpar<build>(), raw_stdpar_order<Build::v3>()}});
#endif
  all.push_back({"serial_loop", "none", "usual", {serial_loop<build>()}});
#if defined(FURROW_HAS_OPENMP)
  all.push_back({"roof", "openmp", "usual", {roof<build>()}});
#endif
}

void add_fast_loops([[maybe_unused]] std::vector<PeerBackend>& all) {
#if defined(FURROW_HAS_OPENMP)
  all.push_back({"raw_openmp_fast", "openmp", "fast", {raw_openmp<Build::v3_fast>()}});
#endif
#if defined(FURROW_HAS_TBB)
  all.push_back({"raw_tbb_fast", "tbb", "fast", {raw_tbb<Build::v3_fast>()}});
#endif
#if defined(FURROW_HAS_STDPAR)
  all.push_back({"raw_stdpar_fast", "tbb", "fast", {raw_stdpar<Build::v3_fast>()}});
#endif
}

template <Build build>
void add_libraries([[maybe_unused]] std::vector<PeerBackend>& all) {
#if defined(FURROW_HAS_EIGEN)
  all.push_back({"eigen", "none", "libraries", {eigen<build>()}});
#endif
#if defined(FURROW_HAS_THRUST_OMP)
  all.push_back({"thrust_omp", "openmp", "libraries", {thrust_omp<Build::v3>()}});
#endif
#if defined(FURROW_HAS_THRUST_TBB)
  all.push_back({"thrust_tbb", "tbb", "libraries", {thrust_tbb<Build::v3>()}});
#endif
#if defined(FURROW_HAS_XTENSOR)
  all.push_back({"xtensor", "tbb", "libraries", {xtensor<build>()}});
#endif
#if defined(FURROW_HAS_ARMADILLO)
  all.push_back({"armadillo", "openmp", "libraries", {armadillo<Build::v3>()}});
#endif
#if defined(FURROW_HAS_OPENBLAS)
  all.push_back({"openblas", "openblas", "libraries", {openblas()}});
#endif
#if defined(FURROW_HAS_VQSORT)
  all.push_back({"vqsort", "none", "libraries", {vqsort()}});
#endif
}

std::vector<PeerBackend> best() {
  std::vector<PeerBackend> all;
  if (!__builtin_cpu_supports("x86-64-v3")) return all;
  if (__builtin_cpu_supports("x86-64-v4")) {
    add_loops<Build::v4>(all);
    add_libraries<Build::v4>(all);
  } else {
    add_loops<Build::v3>(all);
    add_libraries<Build::v3>(all);
  }
  add_fast_loops(all);
  return all;
}
#else
std::vector<PeerBackend> best() {
  return {};
}
#endif

}  // namespace

const std::vector<PeerBackend>& peer_backends() {
  static const std::vector<PeerBackend> peers = best();
  return peers;
}

std::vector<PeerFunction> find_peer(std::string_view backend, std::string_view kernel, Type type) {
  std::vector<PeerFunction> found;
  const auto has_type = [type](const Peer& peer) {
    if (peer.only_fractions) return is_fraction(type);
    return peer.only_bytes == (type == Type::u8);
  };
  for (const PeerBackend& candidate : peer_backends()) {
    if (candidate.name != backend) continue;
    for (const std::span<const Peer> part : candidate.peers)
      for (const Peer& peer : part)
        if (peer.kernel == kernel && has_type(peer)) found.push_back(peer.run);
  }
  return found;
}

}  // namespace furrow::bench
