#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>
#include <sched.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "furrow/engine/backend.hpp"
#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/fork.hpp"
#include "furrow/engine/runtimes.hpp"
#include "furrow/engine/warning.hpp"

namespace furrow {

/// Raises oneTBB's limit on its threads while this object lives, if `concurrency` is above the number of cores; otherwise nothing.
/// oneTBB obeys the lowest of all limits set, so the objects share one, which is that of the largest.
class TbbThreadLimit {
 public:
  explicit TbbThreadLimit(int concurrency) : wanted_(concurrency) {
    if (raises()) shared().add(wanted_);
  }
  ~TbbThreadLimit() {
    if (raises()) shared().remove(wanted_);
  }
  TbbThreadLimit(const TbbThreadLimit&) = delete;
  TbbThreadLimit& operator=(const TbbThreadLimit&) = delete;

 private:
  class Shared {
   public:
    void add(int wanted) {
      const std::lock_guard lock(mutex_);
      all_.insert(wanted);
      set();
    }
    void remove(int wanted) {
      const std::lock_guard lock(mutex_);
      all_.erase(all_.find(wanted));
      set();
    }

   private:
    void set() {
      limit_.reset();
      if (!all_.empty()) limit_.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(*all_.rbegin()));
    }

    std::mutex mutex_;
    std::multiset<int> all_;
    std::optional<tbb::global_control> limit_;  // in place: an engine has to end where memory has run out too
  };
  static Shared& shared() {
    static auto& only = *new Shared;  // never destroyed: engines may be static objects
    return only;
  }

  bool raises() const { return wanted_ > cores_; }

  int wanted_;
  int cores_ = tbb::info::default_concurrency();
};

/// An arena whose threads may run on all CPUs that this process may use. Where OpenMP has bound the first thread to one of them
/// ($OMP_PROC_BIND), oneTBB takes that thread's mask for the process's and puts all of its threads there.
class TbbArena : public tbb::task_arena {
 public:
  explicit TbbArena(int concurrency) : tbb::task_arena(concurrency) {
    initialize();
    if (const std::vector<int> cpus = bound_cpus(); !cpus.empty()) unbinder_ = std::make_unique<Unbinder>(*this, cpus);
  }

 private:
  class Unbinder : public tbb::task_scheduler_observer {
   public:
    Unbinder(tbb::task_arena& arena, const std::vector<int>& cpus) : tbb::task_scheduler_observer(arena) {
      CPU_ZERO(&cpus_);
      for (const int cpu : cpus)
        if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus_);
      observe(true);
    }
    ~Unbinder() override { observe(false); }
    void on_scheduler_entry(bool is_worker) override {
      if (is_worker) sched_setaffinity(0, sizeof cpus_, &cpus_);  // the callers' threads are theirs to bind
    }

   private:
    cpu_set_t cpus_;
  };
  std::unique_ptr<Unbinder> unbinder_;
};

/// Arenas of exactly so many threads, more than there are cores too; what the two backends that stand on oneTBB share.
///
/// Calls that run at once have an arena each: a thread that waits at the end of a call takes up any task of the arena it is in, and
/// on top of its own may not start one of another call, for it may hold a lock that this one wants. Isolating the work instead is
/// not enough: a caller who finds an arena full waits for it outside the isolation. The threads behind the arenas are the same.
///
/// In the child of a fork() oneTBB's threads are gone, and whatever locks they held at that moment stay held. So there, if the
/// parent had started it, oneTBB is not touched again, not even to take an arena down: tasks run on the calling thread.
class TbbArenas {
 public:
  explicit TbbArenas(int concurrency) : concurrency_(concurrency) {
    if (concurrency < 2 || lost_in_fork()) return;
    note_start(Runtime::tbb);
    limit_ = std::make_unique<TbbThreadLimit>(concurrency);
    first_ = make().release();
  }
  ~TbbArenas() {
    std::unique_ptr<TbbArena> first(first_.exchange(nullptr));
    if (limit_ == nullptr || !lost_in_fork()) return;
    static_cast<void>(first.release());
    for (std::unique_ptr<TbbArena>& spare : spares_) static_cast<void>(spare.release());
    static_cast<void>(limit_.release());
  }
  TbbArenas(const TbbArenas&) = delete;
  TbbArenas& operator=(const TbbArenas&) = delete;

  /// Runs parallel() in an arena, or body(0) … body(tasks - 1) where there is none. `nested`: the caller is one of this object's
  /// threads in the middle of a task; it stays in its arena and, while it waits, works on nothing but this call.
  template <class Parallel>
  void execute(const Parallel& parallel, bool nested, std::size_t tasks, TaskRef body) {
    if (limit_ == nullptr || lost_in_fork()) {
      warn_once(
          "this process is a fork() of one that had started oneTBB, whose threads do not survive that: calls run on one thread");
      for (std::size_t task = 0; task < tasks; ++task) body(task);
    } else if (nested) {
      tbb::this_task_arena::isolate(parallel);
    } else {
      Lease lease(*this);
      lease.arena->execute(parallel);
    }
  }

 private:
  /// An arena that no other call is in.
  struct Lease {
    explicit Lease(TbbArenas& all) : owner(all), arena(all.take()) {}
    ~Lease() { owner.give_back(std::move(arena)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    TbbArenas& owner;
    std::unique_ptr<TbbArena> arena;
  };

  std::unique_ptr<TbbArena> take() {
    // One exchange where calls come one after the other.
    if (TbbArena* first = first_.exchange(nullptr)) return std::unique_ptr<TbbArena>(first);
    const std::lock_guard lock(mutex_);
    if (spares_.empty()) {
      spares_.reserve(++made_);  // so that giving back cannot fail
      return make();
    }
    std::unique_ptr<TbbArena> spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }

  void give_back(std::unique_ptr<TbbArena> arena) {
    TbbArena* none = nullptr;
    if (first_.compare_exchange_strong(none, arena.get())) {
      static_cast<void>(arena.release());
      return;
    }
    const std::lock_guard lock(mutex_);
    spares_.push_back(std::move(arena));
  }

  std::unique_ptr<TbbArena> make() const { return std::make_unique<TbbArena>(concurrency_); }

  /// Whether there was a fork() since this was first asked, which is when the first arena was made.
  static bool lost_in_fork() {
    static const unsigned born = fork_generation();
    return fork_generation() != born;
  }

  int concurrency_;
  std::unique_ptr<TbbThreadLimit> limit_;  // null if oneTBB was not started; outlives the arenas
  std::atomic<TbbArena*> first_{nullptr};
  std::mutex mutex_;
  std::vector<std::unique_ptr<TbbArena>> spares_;
  std::size_t made_ = 1;
};

}  // namespace furrow
