#pragma once

#include <cstddef>
#include <string>

namespace furrow {

/// The machine as far as speed depends on it; asked from the system once.
struct Machine {
  std::string cpu;           ///< model name
  std::size_t l1_bytes = 0;  ///< data cache of a core; 0 where the system does not say, as below
  std::size_t l2_bytes = 0;  ///< of a core
  std::size_t l3_bytes = 0;  ///< shared
  bool huge_pages = false;   ///< transparent huge pages are on, or to be had by madvise

  /// Outputs of calls that touch more bytes than this are streamed past the cache.
  std::size_t stream_above() const;
};
/// This machine, as it was when first asked for.
const Machine& machine();

}  // namespace furrow
