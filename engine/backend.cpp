// Compiled without -fsanitize=thread, like the backends: the race detector does not know the runtimes' own synchronisation, so the
// two annotations around each task say it. They must come before any instrumented code of the task, hence the whole file.
#include "furrow/engine/backend.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fp_environment.hpp"

// Present in a program built with ThreadSanitizer only; null otherwise.
extern "C" void __tsan_acquire(void*) __attribute__((weak));
extern "C" void __tsan_release(void*) __attribute__((weak));

namespace furrow {
namespace {

void acquire(void* token) {
  if (__tsan_acquire != nullptr) __tsan_acquire(token);
}
void release(void* token) {
  if (__tsan_release != nullptr) __tsan_release(token);
}

/// What this thread is doing: inside a task of which backend, and the last call it took part in.
struct ThreadState {
  const Backend* inside = nullptr;
  std::uint64_t call = 0;
  std::uint64_t next_id = 0;  ///< of the next call that this thread makes; 0 before its first
};
// Read several times a task, so not through a function call as thread-local data of a shared library are by default.
[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadState here;

/// A number that no other call has. Each thread counts in a range of its own, so that making one is not an atomic operation.
std::uint64_t new_id() {
  constexpr int kRange = 40;  // 2^24 threads, 2^40 calls of each; beyond that a thread may be counted once too few
  static std::atomic<std::uint64_t> ranges{0};
  if (here.next_id == 0) here.next_id = (ranges.fetch_add(1, std::memory_order_relaxed) << kRange) + 1;
  return here.next_id++;
}

/// One parallel bulk call: the guard around every task, and what it found.
class alignas(64) Call {
 public:
  Call(const Backend& backend, TaskRef body, const std::stop_token& stop)
      : backend_(backend), body_(body), stop_(stop), id_(new_id()), may_stop_(stop.stop_possible()) {
    release(&fork_token_);
  }

  /// Whoever runs the tasks does not say how many threads it takes.
  void count_threads() { counts_ = true; }

  void operator()(std::size_t task) noexcept {
    acquire(&fork_token_);
    guarded(task);
    release(&join_token_);
  }

  /// To be called once all tasks have finished. Returns how many threads took part, if that was to be counted.
  int finish() {
    acquire(&join_token_);
    if (error_) std::rethrow_exception(error_);
    if (stopped_.load(std::memory_order_relaxed)) throw Cancelled();
    if (!counts_) return 0;
    // A thread that left for another call and came back was counted twice.
    const int threads = threads_.load(std::memory_order_relaxed) + (first_task_ran_ ? 1 : 0);
    return threads < backend_.concurrency() ? threads : backend_.concurrency();
  }

 private:
  void guarded(std::size_t task) noexcept {
    // Only tasks above the lowest failure are left out, so which exception is reported does not depend on timing.
    if (task > lowest_failed_.load(std::memory_order_relaxed)) return;
    if (may_stop_ && stop_.stop_requested()) {
      stopped_.store(true, std::memory_order_relaxed);
      return;
    }
    const Backend* const outer = here.inside;
    const std::uint64_t outer_call = here.call;
    if (counts_ && outer_call != id_) {
      if (task == 0) {
        first_task_ran_ = true;  // the caller's, as a rule: counted without touching a line that all threads write
      } else {
        threads_.fetch_add(1, std::memory_order_relaxed);
      }
    }
    here.inside = &backend_;
    here.call = id_;
    try {
      const FpScope scope(environment_);  // on the caller's thread too: oneTBB sets its own there
      body_(task);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (task < lowest_failed_.load(std::memory_order_relaxed)) {
        lowest_failed_.store(task, std::memory_order_relaxed);
        error_ = std::current_exception();
      }
    }
    // Inside a nested call the thread returns to its outer one; at top level it keeps the id, so as to be counted once.
    here.inside = outer;
    if (outer != nullptr) here.call = outer_call;
  }

  // What every task reads stands in one line of the cache: other threads have to fetch it from the caller's core.
  const Backend& backend_;
  TaskRef body_;
  const std::stop_token& stop_;
  const FpEnvironment environment_ = FpEnvironment::current();
  const std::uint64_t id_;
  std::atomic<std::size_t> lowest_failed_{std::numeric_limits<std::size_t>::max()};
  const bool may_stop_;  ///< the token's own state is another line
  bool counts_ = false;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::atomic<bool> stopped_{false};
  bool first_task_ran_ = false;  ///< and is not counted in threads_
  char fork_token_ = 0;
  char join_token_ = 0;
  alignas(64) std::atomic<int> threads_{0};  // apart from what every task reads
};

}  // namespace

bool Backend::inside_task() {
  return here.inside != nullptr;
}

BulkResult Backend::bulk(std::size_t tasks, TaskRef body, Schedule schedule, const std::stop_token& stop) {
  const bool nested = here.inside != nullptr ? !(here.inside == this && nests()) : concurrency_ > 1 && inside_region();
  if (tasks < 2 || concurrency_ < 2 || nested) {
    for (std::size_t task = 0; task < tasks; ++task) {
      if (stop.stop_requested()) throw Cancelled();
      body(task);
    }
    return {.threads = tasks > 0 ? 1 : 0, .inlined = nested && tasks > 1};
  }
  Call call(*this, body, stop);
  int threads = run_and_count(tasks, call, schedule);
  if (threads == 0) {
    call.count_threads();
    run(tasks, call, schedule);
    threads = call.finish();
  } else {
    call.finish();
  }
  return {.threads = threads, .inlined = false};
}

int Backend::run_and_count(std::size_t, TaskRef, Schedule) {
  return 0;
}

}  // namespace furrow
