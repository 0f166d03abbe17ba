#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "furrow/engine/duration.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/job.hpp"
#include "furrow/engine/progress.hpp"

namespace furrow {
namespace background {

/// f(given…), with those of the three that it takes behind, in this order.
template <class F, class... Given>
decltype(auto) call(F& f, Engine& engine, const std::stop_token& stop, Progress& progress, Given&&... given) {
  using Stop = std::stop_token;
  if constexpr (std::is_invocable_v<F&, Given..., Engine&, Stop, Progress&>)
    return f(std::forward<Given>(given)..., engine, stop, progress);
  else if constexpr (std::is_invocable_v<F&, Given..., Engine&, Stop>)
    return f(std::forward<Given>(given)..., engine, stop);
  else if constexpr (std::is_invocable_v<F&, Given..., Engine&, Progress&>)
    return f(std::forward<Given>(given)..., engine, progress);
  else if constexpr (std::is_invocable_v<F&, Given..., Stop, Progress&>)
    return f(std::forward<Given>(given)..., stop, progress);
  else if constexpr (std::is_invocable_v<F&, Given..., Engine&>)
    return f(std::forward<Given>(given)..., engine);
  else if constexpr (std::is_invocable_v<F&, Given..., Stop>)
    return f(std::forward<Given>(given)..., stop);
  else if constexpr (std::is_invocable_v<F&, Given..., Progress&>)
    return f(std::forward<Given>(given)..., progress);
  else
    return f(std::forward<Given>(given)...);
}

/// A job that has a result.
template <class T>
class Result : public Job {
 public:
  static_assert(std::is_void_v<T> || std::is_object_v<T>, "submitted work returns a value or nothing, not a reference");
  using Job::Job;

  /// What it returned, or the exception that ended it. To be called once, when it is done.
  T take() {
    rethrow();
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 protected:
  struct Nothing {};
  std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> value_;
};

template <class T, class F>
class Submitted final : public Result<T> {
 public:
  template <class G>
  Submitted(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after, G&& f)
      : Result<T>(engine, std::move(options), std::move(after)), f_(std::forward<G>(f)) {}

 private:
  void execute(Engine& engine, const std::stop_token& stop, Progress& progress) override {
    if constexpr (std::is_void_v<T>)
      call(*f_, engine, stop, progress);
    else
      this->value_.emplace(call(*f_, engine, stop, progress));
  }
  void drop() noexcept override { f_.reset(); }

  std::optional<F> f_;
};

}  // namespace background

/// The result of work that Engine::submit() was given. May outlive the engine; dropping it neither stops the work nor waits for it.
/// One thread at a time may use it, except that cancel() and ready() may be called from any.
template <class T>
class Future {
 public:
  /// Of no work; all but valid() and assignment throw Error.
  Future() = default;

  /// Whether it is of any work.
  bool valid() const { return job_ != nullptr; }

  /// Whether get() would return, or throw, at once.
  bool ready() const { return job().ready(); }

  /// Returns when the work is done. Inside a task of an engine or other submitted work it does that work itself if nobody has begun
  /// it, so that no two wait for each other. In the child of a fork() it throws Error if the work was submitted before and is not
  /// done: its thread is in the parent.
  void wait() const { job().wait(); }

  /// As above, but never does the work itself, and returns whether it is done after that time at the latest.
  bool wait_for(Duration time) const { return job().wait_for(time); }

  /// Waits, then returns what the work returned, or throws what it threw; Cancelled if it was cancelled before it began. The future
  /// is of no work after that.
  T get() {
    job().wait();
    return std::exchange(job_, nullptr)->take();
  }

  /// The part of the work that is done, from 0 to 1, as far as it reported that.
  double progress() const { return job().progress(); }

  /// Requests a stop, and of the work whose result this one takes too. Work that has not begun is never begun; work that runs sees
  /// it in its std::stop_token, and kernels called through the Engine that it was given throw Cancelled between two chunks. Returns
  /// at once; wait() says when it has ended. Work that ends all the same has its result.
  void cancel() const { job().cancel(); }

  /// More work, for the same thread, that takes the result: f(value), of Future<void> f(), with the same further arguments as
  /// submit(). It begins when this one is done; if that fails, f is not called and the exception is that of the future returned.
  /// This future is of no work after that. If the engine is gone and the result is there, f is called here and now.
  template <class F>
  auto then(F&& f, SubmitOptions options = {});

 private:
  friend class Engine;
  template <class U>
  friend class Future;
  using Result = background::Result<T>;

  explicit Future(std::shared_ptr<Result> job) : job_(std::move(job)) { Job::submit(job_); }

  template <class F>
  static Future start(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after, F&& f) {
    return Future(std::make_shared<background::Submitted<T, std::decay_t<F>>>(engine, std::move(options), std::move(after),
                                                                              std::forward<F>(f)));
  }

  Result& job() const {
    if (job_ == nullptr) fail("this Future is of no work: it was made without, or get() or then() has taken the result");
    return *job_;
  }

  std::shared_ptr<Result> job_;
};

template <class T>
template <class F>
auto Future<T>::then(F&& f, SubmitOptions options) {
  job();
  const std::shared_ptr<Result> first = std::exchange(job_, nullptr);
  auto work = [first, g = std::forward<F>(f)](Engine& engine, std::stop_token stop, Progress& progress) mutable -> decltype(auto) {
    if constexpr (std::is_void_v<T>) {
      first->take();
      return background::call(g, engine, stop, progress);
    } else {
      return background::call(g, engine, stop, progress, first->take());
    }
  };
  using U = std::invoke_result_t<decltype(work)&, Engine&, std::stop_token, Progress&>;
  return Future<U>::start(first->engine(), std::move(options), first, std::move(work));
}

template <class F>
auto Engine::submit(F&& f, SubmitOptions options) {
  using T = decltype(background::call(std::declval<std::decay_t<F>&>(), std::declval<Engine&>(), std::stop_token(),
                                      std::declval<Progress&>()));
  return Future<T>::start(*this, std::move(options), nullptr, std::forward<F>(f));
}

template <class F>
auto Engine::submit(F&& f) {
  return submit(std::forward<F>(f), SubmitOptions{});
}

}  // namespace furrow
