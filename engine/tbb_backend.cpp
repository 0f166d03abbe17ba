#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/version.h>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/shares.hpp"
#include "furrow/engine/tbb_arena.hpp"

namespace furrow {
namespace {

/// oneTBB loops in arenas of their own.
class TbbBackend final : public Backend {
 public:
  explicit TbbBackend(int concurrency) : Backend(concurrency), arenas_(concurrency) {}
  std::string_view name() const override { return "tbb"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    // The same share to the same thread each time, unless a thread is late.
    const auto one_each = [](std::size_t count, const auto& task) {
      tbb::parallel_for(std::size_t{0}, count, task, tbb::static_partitioner{});
    };
    const auto threads = static_cast<std::size_t>(concurrency());
    const auto loop = [&] {
      // A nested call's tasks are few and small as a rule, and oneTBB hands those out for less.
      if (tasks <= threads || inside_task()) return one_each(tasks, body);
      Shares shares(tasks, concurrency());
      one_each(threads, [&](std::size_t worker) { shares.work(worker, body); });
    };
    arenas_.execute(loop, inside_task(), tasks, body);
  }

  bool nests() const override { return true; }

  TbbArenas arenas_;
};

}  // namespace

std::unique_ptr<Backend> make_tbb_backend(int concurrency) {
  return std::make_unique<TbbBackend>(concurrency);
}

std::string tbb_version() {
  return "oneTBB " + std::to_string(TBB_VERSION_MAJOR) + "." + std::to_string(TBB_VERSION_MINOR) + "." +
         std::to_string(TBB_VERSION_PATCH);
}

}  // namespace furrow
