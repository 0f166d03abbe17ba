#include "benchmarks/peers.hpp"

namespace furrow::bench {
namespace {

struct PeerBackend {
  std::string_view name;
  std::span<const Peer> peers;
};

#if defined(FURROW_HAS_PEERS)
template <Isa isa>
std::vector<PeerBackend> compiled_for() {
  return {
#if defined(FURROW_HAS_OPENMP)
    {"raw_openmp", raw_openmp<isa>()},
#endif
#if defined(FURROW_HAS_TBB)
        {"raw_tbb", raw_tbb<isa>()},
#endif
#if defined(FURROW_HAS_STDPAR)
        {"raw_stdpar", raw_stdpar<isa>()},
#endif
        {"serial_loop", serial_loop<isa>()},
#if defined(FURROW_HAS_OPENMP)
        {"roof", roof<isa>()},
#endif
  };
}

std::vector<PeerBackend> best() {
  if (__builtin_cpu_supports("x86-64-v4")) return compiled_for<Isa::v4>();
  if (__builtin_cpu_supports("x86-64-v3")) return compiled_for<Isa::v3>();
  if (__builtin_cpu_supports("x86-64-v2")) return compiled_for<Isa::v2>();
  return {};
}
#else
std::vector<PeerBackend> best() {
  return {};
}
#endif

const std::vector<PeerBackend>& all() {
  static const std::vector<PeerBackend> peers = best();
  return peers;
}

}  // namespace

std::vector<std::string_view> peer_backends() {
  std::vector<std::string_view> names;
  for (const PeerBackend& backend : all()) names.push_back(backend.name);
  return names;
}

std::vector<PeerFunction> find_peer(std::string_view backend, std::string_view kernel) {
  std::vector<PeerFunction> found;
  for (const PeerBackend& candidate : all()) {
    if (candidate.name != backend) continue;
    for (const Peer& peer : candidate.peers)
      if (peer.kernel == kernel) found.push_back(peer.run);
  }
  return found;
}

}  // namespace furrow::bench
