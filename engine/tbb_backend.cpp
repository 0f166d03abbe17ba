#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/version.h>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/tbb_arena.hpp"

namespace furrow {
namespace {

/// oneTBB loops in arenas of their own.
class TbbBackend final : public Backend {
 public:
  explicit TbbBackend(int concurrency) : Backend(concurrency), arenas_(concurrency) {}
  std::string_view name() const override { return "tbb"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule schedule) override {
    const auto loop = [&](const auto& partitioner) {
      arenas_.execute([&] { tbb::parallel_for(std::size_t{0}, tasks, body, partitioner); }, inside_task(), tasks, body);
    };
    if (schedule == Schedule::dynamic) {
      loop(tbb::simple_partitioner{});
    } else {
      loop(tbb::static_partitioner{});  // the same share to the same thread each time, unless a thread is late
    }
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
