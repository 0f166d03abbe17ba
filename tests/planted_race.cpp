// A race that ThreadSanitizer must find: two tasks of one call write one variable. The backend may be named on the command line.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/registry.hpp"

int main(int argc, char** argv) {
  furrow::Engine engine(argc > 1 ? argv[1] : furrow::backends().at(1), {.concurrency = 2});
  long shared = 0;
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> begun{0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    engine.bulk(2, [&](std::size_t) {
      // Both at once, and without the atomic putting them in an order.
      begun.fetch_add(1, std::memory_order_relaxed);
      while (begun.load(std::memory_order_relaxed) < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      ++shared;
    });
  }
  std::printf("not found on %s: %ld\n", std::string(engine.backend()).c_str(), shared);
}
