#include <omp.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/fork.hpp"
#include "furrow/engine/runtimes.hpp"
#include "furrow/engine/shares.hpp"

namespace furrow {
namespace {

/// OpenMP parallel regions, with a task for each thread or with shares of more. Called from inside a parallel region of the user's,
/// it runs on the calling thread.
class OpenmpBackend final : public Backend {
 public:
  explicit OpenmpBackend(int concurrency) : Backend(concurrency) {
    if (concurrency > 1) note_start(Runtime::openmp);
  }
  std::string_view name() const override { return "openmp"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    Shares shares(tasks, concurrency());
    where_teams_form(tasks, body, [=, this, &shares] {
#pragma omp parallel num_threads(concurrency())
      shares.work(static_cast<std::size_t>(omp_get_thread_num()), body);
    });
  }

  int run_and_count(std::size_t tasks, TaskRef body, Schedule) override {
    if (std::cmp_greater(tasks, concurrency())) return 0;
    int threads = 1;  // unless a team comes together, the caller's
    where_teams_form(tasks, body, [=, this, &threads] { threads = one_each(tasks, body); });
    return threads;
  }

  /// Returns how many threads had tasks.
  int one_each(std::size_t tasks, TaskRef body) const {
    // Words, which the compiler hands to the other threads by value: each line of this thread's memory that they have to look at
    // costs them some 100 ns. What is written meanwhile stands apart.
    void* const context = body.context();
    const TaskRef::Function function = body.function();
    alignas(64) int team = 1;
    int* const team_found = &team;
#pragma omp parallel for num_threads(concurrency()) schedule(static) firstprivate(tasks, context, function, team_found)
    for (std::size_t task = 0; task < tasks; ++task) {
      if (task == 0) *team_found = omp_get_num_threads();  // on the caller's thread, which has the first share
      function(context, task);
    }
    return std::cmp_less(team, tasks) ? team : static_cast<int>(tasks);
  }

  /// Calls loop() on a thread that can have a team, or else all tasks here.
  template <class Loop>
  static void where_teams_form(std::size_t tasks, TaskRef body, const Loop& loop) {
    if (!survived_fork()) return loop();
    // The thread that came through a fork() has libgomp's bookkeeping of its team but none of the team's threads: a region opened
    // here would wait for them for ever. A new thread has no team yet and makes its own.
    try {
      std::thread(loop).join();
    } catch (const std::system_error&) {
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

std::vector<int> openmp_bound_cpus() {
  std::vector<int> cpus;
  if (omp_get_proc_bind() == omp_proc_bind_false) return cpus;
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> of_place(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, of_place.data());
    cpus.insert(cpus.end(), of_place.begin(), of_place.end());
  }
  std::ranges::sort(cpus);
  cpus.erase(std::ranges::unique(cpus).begin(), cpus.end());  // places may overlap
  return cpus;
}

std::string openmp_version() {
  return "OpenMP " + std::to_string(_OPENMP / 100) + "-" + (_OPENMP % 100 < 10 ? "0" : "") + std::to_string(_OPENMP % 100);
}

}  // namespace furrow
