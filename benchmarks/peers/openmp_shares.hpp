#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace furrow::bench {
namespace {

/// Two passes over a share of [0, n) for each thread: count(begin, end) of all shares, then use(begin, end, before, all) with the
/// counts of the shares before it and of all of them.
template <class Count, class Counting, class Using>
Count two_passes(std::size_t n, int threads, const Counting& count, const Using& use) {
  std::vector<Count> counts(static_cast<std::size_t>(threads));
  Count all{};
#pragma omp parallel num_threads(threads)
  {
    const auto me = static_cast<std::size_t>(omp_get_thread_num());
    const auto team = static_cast<std::size_t>(omp_get_num_threads());
    const std::size_t begin = n / team * me + std::min(me, n % team);
    const std::size_t end = n / team * (me + 1) + std::min(me + 1, n % team);
    counts[me] = count(begin, end);
#pragma omp barrier
#pragma omp single
    for (std::size_t t = 0; t < team; ++t) {
      const Count before = all;
      all = all + counts[t];
      counts[t] = before;
    }
    use(begin, end, counts[me], all);
  }
  return all;
}

}  // namespace
}  // namespace furrow::bench
