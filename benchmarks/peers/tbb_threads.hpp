#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

#include <map>

namespace furrow::bench {
namespace {

/// work() on as many of oneTBB's threads as asked for: plainly where that is the default, as most programs do, else in an arena.
template <class Work>
void on_threads(int threads, const Work& work) {
  static const int usual = tbb::info::default_concurrency();
  if (threads == usual) return work();
  // The least of all such limits holds, so that it has to be enough for any number to come.
  static const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, 4096);
  static std::map<int, tbb::task_arena> arenas;
  arenas.try_emplace(threads, threads).first->second.execute(work);
}

}  // namespace
}  // namespace furrow::bench
