#include <omp.h>

#include <system_error>
#include <thread>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/fork.hpp"

namespace furrow {
namespace {

/// OpenMP worksharing loops. Called from inside a parallel region of the user's, it runs on the calling thread.
class OpenmpBackend final : public Backend {
 public:
  explicit OpenmpBackend(int concurrency) : Backend(concurrency) {}
  std::string_view name() const override { return "openmp"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule schedule) override {
    if (!survived_fork()) return loop(tasks, body, schedule);
    // The thread that came through a fork() has libgomp's bookkeeping of its team but none of the team's threads: a region opened
    // here would wait for them for ever. A new thread has no team yet and makes its own.
    try {
      std::thread([&] { loop(tasks, body, schedule); }).join();
    } catch (const std::system_error&) {
      for (std::size_t task = 0; task < tasks; ++task) body(task);
    }
  }

  void loop(std::size_t tasks, TaskRef body, Schedule schedule) const {
    if (schedule == Schedule::dynamic) {
#pragma omp parallel for num_threads(concurrency()) schedule(dynamic, 1)
      for (std::size_t task = 0; task < tasks; ++task) body(task);
    } else {
#pragma omp parallel for num_threads(concurrency()) schedule(static)
      for (std::size_t task = 0; task < tasks; ++task) body(task);
    }
  }

  bool inside_region() const override {
    return omp_in_parallel() != 0;
  }
};

}  // namespace

std::unique_ptr<Backend> make_openmp_backend(int concurrency) {
  return std::make_unique<OpenmpBackend>(concurrency);
}

std::string openmp_version() {
  return "OpenMP " + std::to_string(_OPENMP / 100) + "-" + (_OPENMP % 100 < 10 ? "0" : "") + std::to_string(_OPENMP % 100);
}

}  // namespace furrow
