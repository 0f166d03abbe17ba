// A oneTBB program whose tasks call furrow: frames go through parallel_for, and each takes its median from furrow, which on the
// backend tbb works on oneTBB's own threads and adds none.
#include <oneapi/tbb/parallel_for.h>

#include <cstdio>
#include <furrow/furrow.hpp>
#include <vector>

int main() {
  constexpr std::size_t kFrames = 24;
  constexpr std::size_t kPixels = 40'001;
  furrow::Engine engine("tbb");

  std::vector<std::vector<float>> frames(kFrames, std::vector<float>(kPixels));
  std::vector<float> medians(kFrames);
  tbb::parallel_for(std::size_t{0}, kFrames, [&](std::size_t f) {
    furrow::normal(engine, frames[f], {2024, f}, static_cast<float>(f));  // stream f: the same numbers whoever draws them
    furrow::sort(engine, frames[f]);
    medians[f] = frames[f][kPixels / 2];
  });

  // The same one after the other on one thread, to see that it is the same.
  furrow::Engine serial("serial");
  for (std::size_t f = 0; f < kFrames; ++f) {
    std::vector<float> frame(kPixels);
    furrow::normal(serial, frame, {2024, f}, static_cast<float>(f));
    furrow::sort(serial, frame);
    if (frame != frames[f]) return 1;
  }
  std::printf("medians %.3f %.3f ... %.3f\n", medians[0], medians[1], medians[kFrames - 1]);
  return 0;
}
