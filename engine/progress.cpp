#include "furrow/engine/progress.hpp"

#include <chrono>
#include <limits>

namespace furrow {
namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Progress::call(double part) {
  constexpr double kCalling = std::numeric_limits<double>::infinity();
  double due = due_.load(std::memory_order_relaxed);
  if (seconds() < due || !due_.compare_exchange_strong(due, kCalling, std::memory_order_acquire)) return;
  struct Return {  // also when it throws
    Progress& self;
    ~Return() { self.due_.store(seconds() + self.interval_.seconds(), std::memory_order_release); }
  };
  const Return at_the_end{*this};
  callback_(part);
}

}  // namespace furrow
