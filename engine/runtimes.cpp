#include "furrow/engine/runtimes.hpp"

#include <strings.h>

#include <atomic>
#include <cstdlib>

#include "furrow/engine/warning.hpp"

namespace furrow {

void note_start(Runtime runtime) {
  static std::atomic<unsigned> started{0};
  const unsigned own = 1U << static_cast<unsigned>(runtime);
  if ((started.fetch_or(own, std::memory_order_relaxed) | own) != 3) return;
  const char* const policy = std::getenv("OMP_WAIT_POLICY");
  if (policy != nullptr && strcasecmp(policy, "passive") == 0) return;
  warn_once(
      "this process uses furrow on both OpenMP and oneTBB; going from one to the other costs up to 4 ms each time, because "
      "OpenMP's "
      "idle threads keep the cores busy: stay with one backend or set OMP_WAIT_POLICY=passive");
}

}  // namespace furrow
