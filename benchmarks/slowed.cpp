#include "benchmarks/slowed.hpp"

#include <chrono>
#include <cstdlib>
#include <string>

namespace furrow::bench {

std::string_view planted_slowness() {
  return FURROW_SLOWED;
}

std::function<void(table::Operands&)> as_slow_as_planted(std::string_view kernel, std::function<void(table::Operands&)> run) {
  const std::string planted(planted_slowness());
  const std::size_t colon = planted.find(':');
  if (colon == std::string::npos || kernel != planted.substr(0, colon)) return run;
  const double share = std::strtod(planted.c_str() + colon + 1, nullptr) / 100;
  return [run = std::move(run), share](table::Operands& operands) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    run(operands);
    const Clock::time_point end = Clock::now();
    const Clock::time_point until = end + std::chrono::duration_cast<Clock::duration>(share * (end - start));
    while (Clock::now() < until) {
    }
  };
}

}  // namespace furrow::bench
