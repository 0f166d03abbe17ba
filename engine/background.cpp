#include "furrow/engine/background.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/fork.hpp"
#include "furrow/engine/fp_environment.hpp"
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

struct Job::State {
  enum class Phase : unsigned char { waiting, queued, running, done };
  struct RequestStop {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };

  State(const Engine& given, SubmitOptions&& options, std::shared_ptr<Job> before)
      : engine(given, stop.get_token()),
        stop_with_engine(given.options().stop, RequestStop{stop}),
        name(std::move(options.name)),
        progress(std::move(options.progress), options.progress_interval),
        after(std::move(before)) {}

  bool move_on(Phase from, Phase to) { return phase.compare_exchange_strong(from, to, std::memory_order_acq_rel); }

  std::stop_source stop;
  Engine engine;  ///< the threads of the engine it was submitted to, and calls that stop when this job is cancelled
  std::stop_callback<RequestStop> stop_with_engine;
  const FpEnvironment environment = FpEnvironment::current();
  const unsigned generation = fork_generation();
  const std::string name;
  Progress progress;
  std::atomic<Phase> phase{Phase::waiting};
  std::exception_ptr error;

  std::mutex mutex;
  std::condition_variable done;
  std::shared_ptr<Job> after;              ///< null once this one is done
  std::vector<std::shared_ptr<Job>> next;  ///< those that wait for this one
};

Job::Job(const Engine& engine, SubmitOptions&& options, std::shared_ptr<Job> after)
    : state_(new State(engine, std::move(options), std::move(after))) {}

Job::~Job() = default;

void Job::submit(const std::shared_ptr<Job>& job) {
  State& state = *job->state_;
  if (const std::shared_ptr<Job>& first = state.after; first != nullptr) {
    first->check_fork();
    const std::lock_guard lock(first->state_->mutex);
    if (!first->ready()) return first->state_->next.push_back(job);
  }
  Background& background = *state.engine.background_;
  background.expect();
  state.phase.store(State::Phase::queued, std::memory_order_release);
  try {
    background.take(job);
  } catch (...) {  // out of memory: nobody has heard of it
    background.finished();
    throw;
  }
}

void Job::run() {
  if (!state_->move_on(State::Phase::queued, State::Phase::running)) return;
  const Inside scope(state_->engine.background_.get());
  try {
    if (state_->stop.stop_requested()) throw Cancelled();
    const FpScope arithmetic(state_->environment);
    const tracing::Span span(tracing::Kind::submit, state_->name);
    execute(state_->engine, state_->stop.get_token(), state_->progress);
  } catch (...) {
    state_->error = std::current_exception();
  }
  finish(true);
}

void Job::finish(bool expected) {
  const std::shared_ptr<Background> background = state_->engine.background_;
  const Inside scope(background.get());
  drop();
  std::shared_ptr<Job> after;
  std::vector<std::shared_ptr<Job>> next;
  {
    const std::lock_guard lock(state_->mutex);
    after.swap(state_->after);
    // Those that waited are queued before this one is seen to be done: who waits for both may then do them itself.
    next.swap(state_->next);
    for (std::shared_ptr<Job>& one : next) {
      background->expect();
      if (one->state_->move_on(State::Phase::waiting, State::Phase::queued)) continue;
      background->finished();
      one = nullptr;
    }
    state_->phase.store(State::Phase::done, std::memory_order_release);
  }
  state_->done.notify_all();
  for (const std::shared_ptr<Job>& one : next) {
    try {
      if (one != nullptr) background->take(one);
    } catch (...) {  // out of memory
      one->run();
    }
  }
  if (expected) background->finished();
}

bool Job::ready() const {
  return state_->phase.load(std::memory_order_acquire) == State::Phase::done;
}

void Job::wait() {
  if (ready()) return;
  check_fork();
  if (inside != nullptr || Backend::inside_task()) {
    // The background thread may be waiting for this very thread.
    if (const std::shared_ptr<Job> first = before()) first->wait();
    run();
  }
  std::unique_lock lock(state_->mutex);
  state_->done.wait(lock, [this] { return ready(); });
}

bool Job::wait_for(Duration time) {
  if (ready()) return true;
  check_fork();
  constexpr double kLongest = 1e9;  // s; beyond ten times that, nanoseconds overflow
  const std::chrono::duration<double> seconds(std::clamp(time.seconds(), 0.0, kLongest));
  std::unique_lock lock(state_->mutex);
  return state_->done.wait_for(lock, std::chrono::ceil<std::chrono::nanoseconds>(seconds), [this] { return ready(); });
}

void Job::cancel() {
  if (ready() || lost_in_fork()) return;
  if (const std::shared_ptr<Job> first = before()) first->cancel();
  state_->stop.request_stop();
  const bool waiting = state_->move_on(State::Phase::waiting, State::Phase::running);
  if (!waiting && !state_->move_on(State::Phase::queued, State::Phase::running)) return;
  state_->error = std::make_exception_ptr(Cancelled());
  finish(!waiting);
}

const Engine& Job::engine() const {
  return state_->engine;
}

double Job::progress() const {
  return state_->progress.done();
}

void Job::rethrow() const {
  if (state_->error) std::rethrow_exception(state_->error);
}

bool Job::lost_in_fork() const {
  return !ready() && fork_generation() != state_->generation;
}

void Job::check_fork() const {
  if (lost_in_fork())
    fail("this work was submitted before a fork() and is done in the parent process only; submit it again in the child");
}

std::shared_ptr<Job> Job::before() {
  const std::lock_guard lock(state_->mutex);
  return state_->after;
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
