#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

#include <memory>
#include <mutex>
#include <set>

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
      limit_ = all_.empty() ? nullptr
                            : std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                                    static_cast<std::size_t>(*all_.rbegin()));
    }

    std::mutex mutex_;
    std::multiset<int> all_;
    std::unique_ptr<tbb::global_control> limit_;
  };
  static Shared& shared() {
    static auto& only = *new Shared;  // never destroyed: engines may be static objects
    return only;
  }

  bool raises() const { return wanted_ > cores_; }

  int wanted_;
  int cores_ = tbb::info::default_concurrency();
};

/// An arena of exactly so many threads, more than there are cores too; what the two backends that stand on oneTBB share.
class TbbArena {
 public:
  explicit TbbArena(int concurrency) : limit_(concurrency), arena_(concurrency) { arena_.initialize(); }

  /// Runs work() in the arena: a thread that waits there starts no task of the program around it. `nested`: the caller is one of the
  /// arena's threads in the middle of a task; isolated then, so that while it waits it does not start a second task on top of the
  /// first, which may hold a lock.
  template <class Work>
  void execute(const Work& work, bool nested) {
    if (nested) {
      tbb::this_task_arena::isolate(work);
    } else {
      arena_.execute(work);
    }
  }

 private:
  TbbThreadLimit limit_;
  tbb::task_arena arena_;
};

}  // namespace furrow
