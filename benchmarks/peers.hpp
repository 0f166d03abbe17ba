#pragma once

#include <string_view>
#include <vector>

#include "benchmarks/peers/peer.hpp"

namespace furrow::bench {

/// The names of the peers of this build, in the order in which they are shown; none where the processor runs none of their code.
std::vector<std::string_view> peer_backends();

/// How the peer called `backend` does `kernel`: nothing if it has no such loop; several if the fastest of them stands for it.
std::vector<PeerFunction> find_peer(std::string_view backend, std::string_view kernel);

}  // namespace furrow::bench
