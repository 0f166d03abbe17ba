#include "furrow/engine/machine.hpp"

#include <unistd.h>

#include <fstream>
#include <string_view>

namespace furrow {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

std::size_t cache_bytes(int which) {
  const long bytes = sysconf(which);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool huge_pages_possible() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string choices;
  std::getline(file, choices);
  return file && choices.find("[never]") == std::string::npos;
}

}  // namespace

std::size_t Machine::stream_above() const {
  // A result that fits the cache is better left there for its reader. Half of it: the rest of the machine uses it too.
  constexpr std::size_t kUnknown = std::size_t{16} << 20;
  return l3_bytes > 0 ? l3_bytes / 2 : kUnknown;
}

const Machine& machine() {
  static const Machine here{.cpu = cpu_model(),
                            .l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE),
                            .l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE),
                            .l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE),
                            .huge_pages = huge_pages_possible()};
  return here;
}

}  // namespace furrow
