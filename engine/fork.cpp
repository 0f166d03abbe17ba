#include "furrow/engine/fork.hpp"

#include <pthread.h>

#include <atomic>

namespace furrow {
namespace {
std::atomic<unsigned> generation{0};
}

unsigned fork_generation() {
  static const int installed = pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(installed);  // without the handler the generation stays 0: as if no fork() had happened
  return generation.load(std::memory_order_relaxed);
}

}  // namespace furrow
