#include "furrow/engine/fork.hpp"

#include <pthread.h>

#include <atomic>

namespace furrow {
namespace {

std::atomic<unsigned> generation{0};
// Read at every call, so not through a function call as thread-local data of a shared library are by default.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool survivor = false;

/// Installed when the library is loaded: the host may fork before it first calls. Without the handler the generation stays 0, as if
/// no fork() had happened.
[[maybe_unused]] const int installed = pthread_atfork(nullptr, nullptr, [] {
  generation.fetch_add(1, std::memory_order_relaxed);
  survivor = true;
});

}  // namespace

unsigned fork_generation() {
  return generation.load(std::memory_order_relaxed);
}

bool survived_fork() {
  return survivor;
}

}  // namespace furrow
