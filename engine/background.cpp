#include "furrow/engine/background.hpp"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fork.hpp"
#include "furrow/engine/tracing.hpp"
#include "furrow/engine/warning.hpp"

namespace furrow {
namespace {

/// Whose job this thread is in the middle of; null: nobody's.
thread_local const Background* inside = nullptr;

class Inside {
 public:
  explicit Inside(const Background* now) : before_(std::exchange(inside, now)) {}
  ~Inside() { inside = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const Background* before_;
};

}  // namespace

Job::Job(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after)
    : engine_(engine, stop_.get_token()),
      stop_with_engine_(engine.options().stop, RequestStop{stop_}),
      generation_(fork_generation()),
      name_(std::move(options.name)),
      progress_(std::move(options.progress), options.progress_interval),
      after_(std::move(after)) {}

Job::~Job() = default;

void Job::submit() {
  if (after_ != nullptr) {
    after_->check_fork();
    const std::lock_guard lock(after_->mutex_);
    if (!after_->ready()) return after_->next_.push_back(shared_from_this());
  }
  engine_.background_->expect();
  state_.store(State::queued, std::memory_order_release);
  try {
    engine_.background_->take(shared_from_this());
  } catch (...) {  // out of memory: nobody has heard of it
    engine_.background_->finished();
    throw;
  }
}

void Job::run() {
  if (!move_on(State::queued, State::running)) return;
  const Inside scope(engine_.background_.get());
  try {
    if (stop_.stop_requested()) throw Cancelled();
    const FpScope arithmetic(environment_);
    const tracing::Span span(tracing::Kind::submit, name_);
    execute(engine_, stop_.get_token(), progress_);
  } catch (...) {
    error_ = std::current_exception();
  }
  finish(true);
}

void Job::finish(bool expected) {
  const std::shared_ptr<Background> background = engine_.background_;
  const Inside scope(background.get());
  drop();
  std::shared_ptr<Job> after;
  std::vector<std::shared_ptr<Job>> next;
  {
    const std::lock_guard lock(mutex_);
    after.swap(after_);
    // Those that waited are queued before this one is seen to be done: who waits for both may then do them itself.
    next.swap(next_);
    for (std::shared_ptr<Job>& one : next) {
      background->expect();
      if (one->move_on(State::waiting, State::queued)) continue;
      background->finished();
      one = nullptr;
    }
    state_.store(State::done, std::memory_order_release);
  }
  done_.notify_all();
  for (const std::shared_ptr<Job>& one : next) {
    try {
      if (one != nullptr) background->take(one);
    } catch (...) {  // out of memory
      one->run();
    }
  }
  if (expected) background->finished();
}

void Job::wait() {
  if (ready()) return;
  check_fork();
  if (inside != nullptr || Backend::inside_task()) {
    // The background thread may be waiting for this very thread.
    if (const std::shared_ptr<Job> first = before()) first->wait();
    run();
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return ready(); });
}

bool Job::wait_until(std::chrono::steady_clock::time_point deadline) {
  if (ready()) return true;
  check_fork();
  std::unique_lock lock(mutex_);
  return done_.wait_until(lock, deadline, [this] { return ready(); });
}

void Job::cancel() {
  if (ready() || lost_in_fork()) return;
  if (const std::shared_ptr<Job> first = before()) first->cancel();
  stop_.request_stop();
  const bool waiting = move_on(State::waiting, State::running);
  if (!waiting && !move_on(State::queued, State::running)) return;
  error_ = std::make_exception_ptr(Cancelled());
  finish(!waiting);
}

bool Job::lost_in_fork() const {
  return !ready() && fork_generation() != generation_;
}

void Job::check_fork() const {
  if (lost_in_fork())
    fail("this work was submitted before a fork() and is done in the parent process only; submit it again in the child");
}

std::shared_ptr<Job> Job::before() {
  const std::lock_guard lock(mutex_);
  return after_;
}

Background::Background() : generation_(fork_generation()) {}

bool Background::lost_in_fork() const {
  return fork_generation() != generation_;
}

void Background::expect() {
  if (lost_in_fork()) return;  // a thread that is not there may hold the mutex
  const std::lock_guard lock(mutex_);
  ++unfinished_;
}

void Background::take(std::shared_ptr<Job> job) {
  if (!lost_in_fork()) {
    const std::lock_guard lock(mutex_);
    if (has_thread()) {
      queue_.push_back(std::move(job));
      changed_.notify_all();
      return;
    }
  }
  job->run();
}

void Background::finished() {
  if (lost_in_fork()) return;
  const std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) changed_.notify_all();
}

bool Background::has_thread() {
  if (running_ || closed_) return running_;
  try {
    thread_ = std::thread([self = shared_from_this()] { self->work(); });
    running_ = true;
  } catch (const std::system_error&) {
    warn_once("the system has no thread left for submitted work: it is done where it is submitted");
  }
  return running_;
}

void Background::work() {
  pthread_setname_np(pthread_self(), "furrow submit");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !queue_.empty() || (closed_ && unfinished_ == 0); });
    if (queue_.empty()) break;
    std::shared_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job->run();
    job.reset();
    lock.lock();
  }
  running_ = false;
}

void Background::close() {
  if (lost_in_fork()) {
    std::construct_at(&thread_);  // forgotten: there is nothing to join
    return;
  }
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    if (inside == this) {
      if (thread_.joinable()) thread_.detach();
      return;
    }
    changed_.wait(lock, [this] { return unfinished_ == 0; });
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace furrow
