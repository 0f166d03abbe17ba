#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "furrow/engine/job.hpp"

namespace furrow {

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
