#include "benchmarks/memory.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace furrow::bench {

std::size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    std::size_t kibibytes = 0;
    if (!(file >> kibibytes)) file.clear();
    if (key == "MemAvailable:") return kibibytes << 10;
    std::getline(file, unit);
  }
  return std::numeric_limits<std::size_t>::max();
}

}  // namespace furrow::bench
