#pragma once

#include <string_view>
#include <vector>

#include "benchmarks/peers/peer.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::bench {

/// A runtime or a library that does kernels of the table without furrow.
struct PeerBackend {
  std::string_view name;
  std::string_view runtime;  ///< whose threads it leaves spinning
  /// "usual": in every run unless others are asked for; "fast": the loops with -ffast-math; "libraries".
  std::string_view group;
  std::vector<std::span<const Peer>> peers;
};

/// The peers of this build, in the order in which they are shown; none where the processor runs none of their code.
const std::vector<PeerBackend>& peer_backends();

/// How the peer called `backend` does `kernel`: nothing if it has no such loop; several if the fastest of them stands for it.
std::vector<PeerFunction> find_peer(std::string_view backend, std::string_view kernel, Type type);

}  // namespace furrow::bench
