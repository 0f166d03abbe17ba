#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/fp_environment.hpp"
#include "furrow/engine/progress.hpp"

namespace furrow {

/// What may be said of submitted work.
struct SubmitOptions {
  /// Called with the part done, from 0 to 1, on the thread that does the work, when the work reports it; see Progress.
  Progress::Callback progress = nullptr;
  /// The time that passes at least between two such calls.
  std::chrono::nanoseconds progress_interval = std::chrono::milliseconds(100);
  /// What a trace calls the work.
  std::string name = "submit";
};

/// A piece of submitted work, without its type: what a Future shares with the thread that does the work.
class Job : public std::enable_shared_from_this<Job> {
 public:
  /// `after`: the job whose result this one takes, if any; it does not begin before that is done.
  Job(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after);
  virtual ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Hands it to the background thread of its engine, at once or when the job before it is done.
  void submit();
  /// Does it on this thread, unless somebody has begun it.
  void run();

  bool ready() const { return state_.load(std::memory_order_acquire) == State::done; }
  /// Throws Error in the child of a fork() if it was submitted before that and is not done.
  void wait();
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  void cancel();

  const Engine& engine() const { return engine_; }
  double progress() const { return progress_.done(); }

 protected:
  /// Calls what was submitted and keeps what it returns; may throw.
  virtual void execute(Engine& engine, const std::stop_token& stop, Progress& progress) = 0;
  /// Destroys what was submitted: before the job is done, so that nobody finds anything of it in use after that.
  virtual void drop() noexcept = 0;
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  enum class State : unsigned char { waiting, queued, running, done };
  struct RequestStop {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };

  bool move_on(State from, State to) { return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel); }
  void finish(bool expected);
  bool lost_in_fork() const;
  void check_fork() const;
  std::shared_ptr<Job> before();

  std::stop_source stop_;
  Engine engine_;  ///< the threads of the engine it was submitted to, and calls that stop when this job is cancelled
  std::stop_callback<RequestStop> stop_with_engine_;
  const FpEnvironment environment_ = FpEnvironment::current();
  const unsigned generation_;  ///< of fork()s
  const std::string name_;
  Progress progress_;
  std::atomic<State> state_{State::waiting};
  std::exception_ptr error_;

  std::mutex mutex_;
  std::condition_variable done_;
  std::shared_ptr<Job> after_;              ///< null once this one is done
  std::vector<std::shared_ptr<Job>> next_;  ///< those that wait for this one
};

/// The thread behind Engine::submit(), one for each engine, started by its first job. It takes them in the order of submission.
class Background : public std::enable_shared_from_this<Background> {
 public:
  Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Counts a job that is going to be queued: close() waits for it from now on.
  void expect();
  /// Queues a job that was expected. It is done here and now where there is no thread for it: in the child of a fork(), after
  /// close(), and if the system has none left. Throws std::bad_alloc, and has not queued it, if memory runs out.
  void take(std::shared_ptr<Job> job);
  /// A job that was expected is done.
  void finished();

  /// Returns when all jobs are done, those too that they submit, and the thread has ended. From inside one of them it does not
  /// wait.
  void close();

 private:
  bool lost_in_fork() const;
  bool has_thread();
  void work();

  const unsigned generation_;  ///< of fork()s
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
  bool running_ = false;
  std::thread thread_;
};

}  // namespace furrow
