#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// Does what a kernel of the table does, on the same operands and element type.
using PeerFunction = void (*)(table::Operands&, int threads);

/// A kernel's work, written straight on a runtime. Rows that are no kernel measure the machine: "fork_join" gives every thread an
/// empty task, "fma" makes every thread do kMultiplyAdds multiply-adds of the element type, in registers.
struct Peer {
  std::string_view kernel;
  PeerFunction run;
};

constexpr std::size_t kMultiplyAdds = std::size_t{1} << 22;

// Each file of this folder is compiled for three instruction sets, with FURROW_PEER_ISA naming one of these, and holds what would
// otherwise be merged between the three in anonymous namespaces.
enum class Isa { v2, v3, v4 };

template <Isa>
std::span<const Peer> serial_loop();
template <Isa>
std::span<const Peer> raw_openmp();
template <Isa>
std::span<const Peer> raw_tbb();
template <Isa>
std::span<const Peer> raw_stdpar();
template <Isa>
std::span<const Peer> roof();

}  // namespace furrow::bench
