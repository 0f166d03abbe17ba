#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// Does what a kernel of the table does, on the same operands and element type.
using PeerFunction = void (*)(table::Operands&, int threads);

/// A kernel's work, written straight on a runtime or by means of a library. Rows that are no kernel measure the machine:
/// "fork_join" gives every thread an empty task, "fma_rate" makes every thread do kMultiplyAdds multiply-adds of the element type,
/// in registers.
struct Peer {
  std::string_view kernel;
  PeerFunction run;
  bool only_fractions = false;  ///< float and double; else all types of the kernel but bytes
  bool only_bytes = false;      ///< std::uint8_t
};

constexpr std::size_t kMultiplyAdds = std::size_t{1} << 22;

// The files of this folder are compiled several times: for levels of x86-64, some with -ffast-math as well. FURROW_PEER_BUILD names
// one of these, and what would otherwise be merged between the builds is in anonymous namespaces.
enum class Build { v3, v4, v3_fast };

template <Build>
std::span<const Peer> serial_loop();
template <Build>
std::span<const Peer> raw_openmp();
template <Build>
std::span<const Peer> raw_openmp_simulations();
template <Build>
std::span<const Peer> raw_tbb();
template <Build>
std::span<const Peer> raw_stdpar();
// What orders and moves has files of its own: no instruction set makes it faster, and templates of sorts take long to compile.
template <Build>
std::span<const Peer> raw_openmp_order();
template <Build>
std::span<const Peer> raw_tbb_order();
template <Build>
std::span<const Peer> raw_stdpar_order();
template <Build>
std::span<const Peer> roof();
template <Build>
std::span<const Peer> eigen();
template <Build>
std::span<const Peer> thrust_omp();
template <Build>
std::span<const Peer> thrust_tbb();
template <Build>
std::span<const Peer> xtensor();
template <Build>
std::span<const Peer> armadillo();
// These choose their code at run time themselves.
std::span<const Peer> openblas();
std::span<const Peer> vqsort();

}  // namespace furrow::bench
