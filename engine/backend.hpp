#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>
#include <type_traits>

namespace furrow {

/// How tasks are handed to threads. A hint for speed, never for results.
enum class Schedule {
  stable,   ///< the same task goes to the same thread each time as far as bodies cost the same: data stay near their core
  dynamic,  ///< for bodies of uneven cost: a thread that is free takes the next task, and kernels make more and smaller tasks
};

/// A non-owning reference to something callable as body(task); two words, valid while the callable lives.
class TaskRef {
 public:
  /// Refers to `body`, which is not copied.
  template <class Body>
  TaskRef(Body&& body)  // NOLINT(google-explicit-constructor): a parameter type
      requires(!std::is_same_v<std::remove_cvref_t<Body>, TaskRef> && std::is_invocable_v<Body&, std::size_t>)
      : context_(const_cast<void*>(static_cast<const void*>(std::addressof(body)))),
        call_([](void* context, std::size_t task) { (*static_cast<std::remove_reference_t<Body>*>(context))(task); }) {}

  /// Calls body(task).
  void operator()(std::size_t task) const { call_(context_, task); }

  /// Its parts, for runtimes that hand words to their threads by value and anything larger by address: function(context, task).
  using Function = void (*)(void*, std::size_t);
  /// The callable.
  void* context() const { return context_; }
  /// What calls it.
  Function function() const { return call_; }

 private:
  void* context_;
  Function call_;
};

/// What a bulk call did.
struct BulkResult {
  int threads = 0;       ///< distinct threads that ran at least one task
  bool inlined = false;  ///< ran on the caller because the caller already stands inside a parallel region
};

/// A threading runtime, reduced to one verb. To add one, derive, write name() and run(), and register a factory.
///
/// The base class says the hard things once: 0 and 1 tasks, exceptions, cancellation, the floating-point environment, nested calls.
class Backend {
 public:
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// What engines know it by; valid as long as the backend.
  virtual std::string_view name() const = 0;

  /// The most threads that one call may use, the caller's among them; at least 1.
  int concurrency() const { return concurrency_; }

  /// Calls body(i) exactly once for every i in [0, tasks), in any order, possibly at once, and returns when all have finished.
  ///
  /// The caller's rounding mode and FTZ/DAZ hold in every task. If bodies throw, the exception of the lowest task that threw is
  /// rethrown here, and tasks above it may be left out. When `stop` is requested, tasks not yet begun are left out and Cancelled is
  /// thrown. A call made from inside a task runs on the calling thread, unless the runtime nests without adding threads.
  BulkResult bulk(std::size_t tasks, TaskRef body, Schedule schedule = Schedule::stable, const std::stop_token& stop = {});

  /// Whether the calling thread is in the middle of a task of any furrow backend.
  static bool inside_task();

 protected:
  /// Of so many threads, the caller's among them; at least 1 is taken.
  explicit Backend(int concurrency) : concurrency_(concurrency < 1 ? 1 : concurrency) {}

  /// As bulk(), with less to think of: tasks >= 2, concurrency() >= 2, and the body never throws.
  virtual void run(std::size_t tasks, TaskRef body, Schedule schedule) = 0;

  /// The same for a runtime that can tell how many distinct threads ran tasks; returns that, or 0 if it did nothing. Tried before
  /// run(), under which threads are counted: that costs each of them a write to memory that all share, some 100 ns of a call.
  virtual int run_and_count(std::size_t tasks, TaskRef body, Schedule schedule);

  /// Whether the calling thread already stands inside a parallel region of this runtime that furrow did not open.
  virtual bool inside_region() const { return false; }

  /// Whether run() may be called from inside a task of this very object: it must then add no threads and start no unrelated task.
  virtual bool nests() const { return false; }

 private:
  int concurrency_;
};

}  // namespace furrow
