#include "furrow/engine/machine.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

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

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

/// The data cache of a level as the kernel knows it, else as the C library does. The kernel first: in a virtual machine the library
/// multiplies a share of the third level by the cores of a processor that the machine does not have.
std::size_t cache_bytes(int level, int library) {
  for (int index = 0;; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const std::string found = first_word(folder + "level");
    if (found.empty()) break;
    if (found != std::to_string(level) || first_word(folder + "type") == "Instruction") continue;
    const std::string size = first_word(folder + "size");  // "32768K"
    char* unit = nullptr;
    const unsigned long long bytes = std::strtoull(size.c_str(), &unit, 10);
    if (bytes > 0) return static_cast<std::size_t>(bytes) << (*unit == 'K' ? 10 : *unit == 'M' ? 20 : 0);
  }
  const long bytes = sysconf(library);
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
  // What fits the cache is better left there for its reader: streaming it takes up to twice as long.
  constexpr std::size_t kUnknown = std::size_t{16} << 20;
  return l3_bytes > 0 ? l3_bytes : kUnknown;
}

const Machine& machine() {
  static const Machine here{.cpu = cpu_model(),
                            .l1_bytes = cache_bytes(1, _SC_LEVEL1_DCACHE_SIZE),
                            .l2_bytes = cache_bytes(2, _SC_LEVEL2_CACHE_SIZE),
                            .l3_bytes = cache_bytes(3, _SC_LEVEL3_CACHE_SIZE),
                            .huge_pages = huge_pages_possible()};
  return here;
}

}  // namespace furrow
