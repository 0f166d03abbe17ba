#include "furrow/engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "furrow/engine/background.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/fork_join.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/threads.hpp"
#include "furrow/engine/tuned_kernels.hpp"

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;

float nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<float, std::nano>(Clock::now() - start).count();
}

/// $FURROW_BACKEND, else the measured pick, else the first backend with more than one thread, else "serial".
std::string choose_backend(const Tuning* tuning) {
  if (const char* named = std::getenv("FURROW_BACKEND"); named != nullptr && *named != '\0') return named;
  if (tuning != nullptr) return tuning->backend;
  const std::vector<std::string> all = backends();
  return all.size() > 1 ? all[1] : all[0];
}

}  // namespace

std::string_view to_string(Serial reason) {
  switch (reason) {
    case Serial::no:
      return "";
    case Serial::no_work:
      return "there was nothing to do";
    case Serial::one_task:
      return "the work is one piece";
    case Serial::too_small:
      return "threads would have cost more than they save";
    case Serial::one_thread:
      return "the engine has one thread";
    case Serial::nested:
      return "the caller is already inside a parallel region";
  }
  return "";
}

std::string Cost::name() const {
  if (type_ != nullptr) return std::string(name_) + "/" + type_;
  const std::string_view function(name_);
  return std::string(function.substr(0, function.find('<')));  // GCC adds the arguments of templates
}

float Cost::nanoseconds(std::size_t n) const {
  const std::size_t own = size_class(n);
  if (sizes_[own].is_known()) return sizes_[own].nanoseconds.load(std::memory_order_relaxed);
  for (std::size_t away = 1; away < kSizeClasses; ++away)
    for (const std::size_t other : {own - away, own + away})  // below 0 is above all
      if (other < kSizeClasses && sizes_[other].is_known()) return sizes_[other].nanoseconds.load(std::memory_order_relaxed);
  return 0;
}

void Cost::add_sample(std::size_t n, float nanoseconds) {
  SizeClass& own = sizes_[size_class(n)];
  const float least = own.nanoseconds.load(std::memory_order_relaxed);
  // The least is the cost of a named kernel, the latest that of a functor, which may find other data each time.
  if (least == 0 || nanoseconds < least || !is_named())
    own.nanoseconds.store(std::max(nanoseconds, 1e-6F), std::memory_order_relaxed);
  if (!own.is_known()) own.samples.fetch_add(1, std::memory_order_relaxed);
}

Engine::Engine(const EngineOptions& options) : options_(options) {
  const std::shared_ptr<const Tuning> tuning = Tuning::load();
  start(choose_backend(tuning.get()));
  if (tuning == nullptr) return;
  if (const auto kernels = tuning->kernels.find(backend()); kernels != tuning->kernels.end())
    tuned_ = std::make_shared<const TunedKernels>(kernels->second);
}

Engine::Engine(std::string_view backend, const EngineOptions& options) : options_(options) {
  start(backend);
}

Engine::Engine(const Engine& other, std::stop_token stop)
    : options_(other.options_),
      backend_(other.backend_),
      tuned_(other.tuned_),
      background_(other.background_),
      fork_join_(other.fork_join_),
      is_of_job_(true) {
  options_.stop = std::move(stop);
}

Engine::~Engine() {
  close();
}

Engine::Engine(Engine&& other) noexcept
    : options_(std::move(other.options_)),
      backend_(std::move(other.backend_)),
      tuned_(std::move(other.tuned_)),
      background_(std::move(other.background_)),
      fork_join_(std::move(other.fork_join_)),
      is_of_job_(other.is_of_job_),
      last_(other.last_.load()) {}

Engine& Engine::operator=(Engine&& other) noexcept {
  close();
  options_ = std::move(other.options_);
  backend_ = std::move(other.backend_);
  tuned_ = std::move(other.tuned_);
  background_ = std::move(other.background_);
  fork_join_ = std::move(other.fork_join_);
  is_of_job_ = other.is_of_job_;
  last_ = other.last_.load();
  return *this;
}

void Engine::close() {
  if (background_ != nullptr && !is_of_job_) background_->close();
}

void Engine::start(std::string_view backend) {
  tracing::start_if_asked();
  background_ = std::make_shared<Background>();
  backend_ = make_backend(backend, 1);                                  // an unknown name is told before any thread is started
  if (options_.concurrency != 0) choose_threads(options_.concurrency);  // is it possible?
  if (backend_->name() == "serial") return;
  const int wanted = threads_that_start(choose_threads(options_.concurrency).count);
  if (wanted == 1) return;
  backend_ = make_backend(backend, wanted);
  fork_join_ = std::make_shared<ForkJoin>(*backend_);
  // Runtimes start their threads at the first call, and some end the process if memory is short then: better now than later.
  backend_->bulk(static_cast<std::size_t>(wanted), [](std::size_t) {});
}

LastRun Engine::last_run() const {
  const std::uint64_t packed = last_.load(std::memory_order_relaxed);
  return {.backend = backend(),
          .threads = static_cast<int>(packed >> 8 & 0xFFFF),
          .tasks = static_cast<std::size_t>(packed >> 24),
          .serial = static_cast<Serial>(packed & 0xFF)};
}

void Engine::throw_cancelled() {
  throw Cancelled();
}

void Engine::bulk(std::size_t tasks, TaskRef body) {
  bulk(tasks, body, options_.schedule.value_or(Schedule::stable));
}

void Engine::bulk(std::size_t tasks, TaskRef body, Schedule schedule) {
  if (tracing::on()) [[unlikely]]
    return trace_bulk(tasks, body, schedule);
  record_bulk(tasks, backend_->bulk(tasks, body, schedule, options_.stop));
}

void Engine::trace_bulk(std::size_t tasks, TaskRef body, Schedule schedule) {
  using tracing::Kind;
  const tracing::Span* const outer = tracing::innermost();
  const bool of_graph = outer != nullptr && outer->kind() == Kind::graph;
  const std::string_view name = of_graph || (outer != nullptr && outer->kind() == Kind::kernel) ? outer->name() : "bulk";
  const std::uint64_t call = tracing::new_call();
  tracing::Span span(Kind::bulk, name, {.call = call, .number = tasks, .backend = backend()});
  const auto traced = [=](std::size_t task) {
    const tracing::Span one(of_graph ? Kind::worker : Kind::task, name, {.call = call, .number = task});
    body(task);
  };
  const BulkResult result = backend_->bulk(tasks, traced, schedule, options_.stop);
  span.details().threads = result.threads;
  record_bulk(tasks, result);
}

void Engine::record_bulk(std::size_t tasks, const BulkResult& result) {
  record(result.threads, tasks,
         tasks == 0           ? Serial::no_work
         : tasks == 1         ? Serial::one_task
         : result.inlined     ? Serial::nested
         : concurrency() == 1 ? Serial::one_thread
                              : Serial::no);
}

void Engine::dispatch(const Chunks& chunks, Cost& cost, ChunkBody& body) {
  if (!tracing::on()) [[likely]]
    return share_out(chunks, cost, body);
  const std::string name = cost.name();
  const tracing::Span span(tracing::Kind::kernel, name, {.number = chunks.size(), .bytes_per_number = cost.bytes()});
  if (chunks.count() > 1) return share_out(chunks, cost, body);
  no_more_than_one(chunks, body);
}

void Engine::share_out(const Chunks& chunks, Cost& cost, ChunkBody& body) {
  const auto serially = [&](Serial why) {
    in_order(0, chunks.count(), body);
    record(1, 1, why);
  };
  if (concurrency() == 1) return serially(Serial::one_thread);
  const std::size_t n = chunks.extent();  // of a window that of the whole, which says what an element costs in which cache
  if (n < options_.serial_below && options_.serial_below != kMeasured) return serially(Serial::too_small);
  // Nothing with chunks of full length is too small for threads.
  constexpr std::size_t kMostSmall = 128;
  if (options_.serial_below != kMeasured || n > kMostSmall * chunks.length()) return hand_out(0, chunks, cost, body);
  const auto time_alone = [&] {
    const Clock::time_point start = Clock::now();
    serially(Serial::too_small);
    cost.add_sample(n, nanoseconds_since(start) / static_cast<float>(chunks.size()));
  };
  const double alone = double{cost.nanoseconds(n)} * static_cast<double>(chunks.size());
  if (alone == 0) {
    const KernelTuning* const known = tuned(cost);
    if (known == nullptr || !known->serial_below) return begin_serially(chunks, cost, body);
    return n < *known->serial_below ? time_alone() : time_threads(chunks, cost, body);
  }
  const double least = fork_join_->least();
  // What a functor costs is looked at again; where a call is over in no time, the clock would be felt.
  const bool due = cost.is_due(n, alone <= least ? 64 : 16);
  if (alone <= least) return due ? time_alone() : serially(Serial::too_small);
  const double together = alone / static_cast<double>(std::min(static_cast<std::size_t>(concurrency()), chunks.count()));
  ForkJoin::Calls& calls = fork_join_->calls(&cost, n);
  const double saved = alone - together;
  const ForkJoin::Way way = calls.way(saved, least);
  if (way == ForkJoin::Way::alone) return due ? time_alone() : serially(Serial::too_small);
  if (cost.is_doubted(n)) return begin_serially(chunks, cost, body);
  const bool timed = way == ForkJoin::Way::timed && least > 0;  // not of calls inside a parallel region, which cost nothing
  const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
  due ? time_threads(chunks, cost, body) : hand_out(0, chunks, cost, body);
  if (timed) calls.add(nanoseconds_since(start) - together, saved, least);
}

/// Works on the calling thread, looking at the clock after 1 and after 16 chunks, until all is done or until a fork and join's
/// worth of time has passed and what is left is seen to be worth another; then threads get the rest. Notes what the chunks cost.
void Engine::begin_serially(const Chunks& chunks, Cost& cost, ChunkBody& body) {
  const double fork_join = ForkJoin::kMargin * fork_join_->least();
  const Clock::time_point start = Clock::now();
  for (std::size_t done = 0, until = 1;; until = std::min(until * 16, chunks.count())) {
    in_order(done, until, body);
    done = until;
    const float elapsed = nanoseconds_since(start);
    // Sooner than that, what has passed is mostly the clock's own time.
    const double left = double{elapsed} / static_cast<double>(done) * static_cast<double>(chunks.count() - done);
    const bool worth_it = elapsed > fork_join && left / 2 > fork_join && chunks.count() - done > 1;
    if (done < chunks.count() && !worth_it) continue;
    cost.add_sample(chunks.extent(), elapsed / static_cast<float>(chunks.elements(0, done).size()));
    if (done < chunks.count()) return hand_out(done, chunks, cost, body);
    return record(1, 1, Serial::too_small);
  }
}

/// Hands all chunks out, and notes what they cost: the time that the tasks took, together. The time of the whole call would not do:
/// threads that were asleep would make the cheapest body look dear, and the next call go to them again. Beginning on the calling
/// thread to find out would move elements from one core's cache to another's and back.
void Engine::time_threads(const Chunks& chunks, Cost& cost, ChunkBody& body) {
  std::atomic<float> spent{0};
  hand_out(0, chunks, cost, body, &spent);
  cost.add_sample(chunks.extent(), spent.load(std::memory_order_relaxed) / static_cast<float>(chunks.size()));
}

/// What the tuning file says of a named kernel; nullptr if nothing.
const KernelTuning* Engine::tuned(const Cost& cost) const {
  return tuned_ != nullptr && cost.is_named() ? tuned_->find(cost.key()) : nullptr;
}

/// Hands out the chunks from `first` on. Adds to `spent`, if there is one, the nanoseconds that each task took.
void Engine::hand_out(std::size_t first, const Chunks& chunks, const Cost& cost, ChunkBody& body, std::atomic<float>* spent) {
  // Grain and schedule were tuned together: one of them that is given rules out the other's.
  const KernelTuning* const known = options_.schedule || options_.grain > 0 ? nullptr : tuned(cost);
  const Schedule schedule = (known != nullptr ? known->schedule : options_.schedule).value_or(Schedule::stable);
  const std::size_t grain = known != nullptr ? known->grain.value_or(0) : options_.grain;
  const std::size_t count = chunks.count() - first;
  const auto threads = static_cast<std::size_t>(concurrency());
  const std::size_t wanted = grain > 0 ? (count - 1) / grain + 1 : schedule == Schedule::dynamic ? threads * 16 : threads;
  const std::size_t tasks = std::min(count, wanted);
  body.first_ = first;
  body.share_ = count / tasks;
  body.longer_ = count % tasks;
  body.stops_ = options_.stop.stop_possible() ? this : nullptr;
  if (spent == nullptr) return bulk(tasks, body, schedule);
  const auto timed = [&body, spent](std::size_t task) {
    const Clock::time_point start = Clock::now();
    body(task);
    spent->fetch_add(nanoseconds_since(start), std::memory_order_relaxed);
  };
  bulk(tasks, timed, schedule);
}

void ChunkBody::operator()(std::size_t task) const {
  if (stops_ != nullptr) return stops_->in_order(begin(task), begin(task + 1), *this);
  (*this)(begin(task), begin(task + 1));
}

/// The chunks [first, last) on this thread; in one call, or piecewise where a stop may be requested meanwhile: as many chunks at a
/// time as take long enough for a look at the clock not to matter, and one at a time if that is longer.
void Engine::in_order(std::size_t first, std::size_t last, const ChunkBody& body) const {
  if (!options_.stop.stop_possible()) return body(first, last);
  constexpr auto kLongEnough = std::chrono::microseconds(100);
  constexpr std::size_t kMost = 64;  // chunks that may turn out dearer than those before
  constexpr std::size_t kGrowth = 16;
  std::size_t step = 1;
  for (Clock::time_point before = Clock::now(); first < last;) {
    if (options_.stop.stop_requested()) throw_cancelled();
    const std::size_t next = first + std::min(step, last - first);
    body(first, next);
    first = next;
    if (first == last) return;
    const Clock::time_point now = Clock::now();
    step = now - before > kLongEnough ? std::max<std::size_t>(1, step / 2) : std::min(kMost, step * kGrowth);
    before = now;
  }
}

}  // namespace furrow
