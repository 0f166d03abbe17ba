#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

namespace furrow::bench {
namespace {

/// work() on as many of oneTBB's threads as asked for: plainly where that is the default, as most programs do, else in an arena.
template <class Work>
void on_threads(int threads, const Work& work) {
  static const int usual = tbb::info::default_concurrency();
  if (threads == usual) return work();
  static const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                         static_cast<std::size_t>(threads > usual ? threads : usual));
  static tbb::task_arena arena(threads);
  arena.execute(work);
}

}  // namespace
}  // namespace furrow::bench
