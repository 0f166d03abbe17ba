#include "furrow/engine/runtimes.hpp"

#include <strings.h>

#include <atomic>
#include <cstdlib>

#include "furrow/engine/warning.hpp"

namespace furrow {
namespace {

constexpr unsigned kBoth = 3;
constexpr unsigned kAllowed = 4;
constinit std::atomic<unsigned> started{0};

}  // namespace

void allow_both_runtimes() {
  started.fetch_or(kAllowed, std::memory_order_relaxed);
}

void note_start(Runtime runtime) {
  const unsigned own = 1U << static_cast<unsigned>(runtime);
  if ((started.fetch_or(own, std::memory_order_relaxed) | own) != kBoth) return;
  const char* const policy = std::getenv("OMP_WAIT_POLICY");
  if (policy != nullptr && strcasecmp(policy, "passive") == 0) return;
  warn_once(
      "this process uses furrow on both OpenMP and oneTBB; going from one to the other costs up to 4 ms each time, because "
      "OpenMP's idle threads keep the cores busy: stay with one backend or set OMP_WAIT_POLICY=passive");
}

}  // namespace furrow
