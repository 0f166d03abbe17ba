#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "furrow/engine/duration.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/progress.hpp"

namespace furrow {

/// What may be said of submitted work.
struct SubmitOptions {
  /// Called with the part done, from 0 to 1, on the thread that does the work, when the work reports it; see Progress.
  Progress::Callback progress = nullptr;
  /// The time that passes at least between two such calls.
  Duration progress_interval = Duration(0.1);
  /// What a trace calls the work.
  std::string name = "submit";
};

/// A piece of submitted work, without its type: what a Future shares with the thread that does the work.
class Job {
 public:
  /// `after`: the job whose result this one takes, if any; it does not begin before that is done.
  Job(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after);
  virtual ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Hands it to the background thread of its engine, at once or when the job before it is done.
  static void submit(const std::shared_ptr<Job>& job);
  /// Does it on this thread, unless somebody has begun it.
  void run();

  bool ready() const;
  /// Throws Error in the child of a fork() if it was submitted before that and is not done.
  void wait();
  bool wait_for(Duration time);
  void cancel();

  const Engine& engine() const;
  double progress() const;

 protected:
  /// Calls what was submitted and keeps what it returns; may throw.
  virtual void execute(Engine& engine, const std::stop_token& stop, Progress& progress) = 0;
  /// Destroys what was submitted: before the job is done, so that nobody finds anything of it in use after that.
  virtual void drop() noexcept = 0;
  /// Throws what ended it, if anything did.
  void rethrow() const;

 private:
  struct State;

  void finish(bool expected);
  bool lost_in_fork() const;
  void check_fork() const;
  std::shared_ptr<Job> before();

  const std::unique_ptr<State> state_;
};

}  // namespace furrow
