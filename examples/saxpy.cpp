// y = a·x + y over 2^24 floats on every backend of this build: the times differ, the bits do not.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <furrow/furrow.hpp>
#include <string>

namespace {

constexpr std::size_t n = std::size_t{1} << 24;
constexpr float a = 2.1F;

float x_at(std::size_t i) {
  return 1.0F / static_cast<float>(i + 1);
}
float y_at(std::size_t i) {
  return static_cast<float>(i % 1000) / 7.0F;
}

/// FNV-1a over the bits of all elements, in order.
unsigned long long hash(const furrow::Array<float>& values) {
  unsigned long long h = 0xCBF29CE484222325U;
  for (const float v : values) h = (h ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001B3U;
  return h;
}

}  // namespace

int main() {
  unsigned long long first_hash = 0;
  for (const std::string& backend : furrow::backends()) {
    furrow::Engine engine(backend);
    furrow::Array<float> x(engine, n);
    furrow::Array<float> y(engine, n);
    furrow::for_each_index(engine, n, [&](std::size_t i) { x[i] = x_at(i); });

    double best = 1e9;
    for (int repetition = 0; repetition < 5; ++repetition) {
      furrow::for_each_index(engine, n, [&](std::size_t i) { y[i] = y_at(i); });
      const auto start = std::chrono::steady_clock::now();
      furrow::axpy(engine, a, x, y);
      best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    const unsigned long long bits = hash(y);
    std::printf("%-8s %2d thread(s)  %7.2f ms  %016llx\n", backend.c_str(), engine.last_run().threads, best, bits);
    if (backend == "serial") {  // always the first
      first_hash = bits;
      for (std::size_t i = 0; i < n; ++i) {
        // volatile: a compiler may else fuse product and sum into one rounding; axpy rounds twice, on every machine.
        const volatile float product = a * x_at(i);
        if (y[i] != product + y_at(i)) return std::printf("wrong at %zu\n", i), 1;
      }
    }
    if (bits != first_hash) return std::printf("%s differs from serial\n", backend.c_str()), 1;
  }
  return 0;
}
