#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "furrow/engine/backend.hpp"
#include "furrow/engine/chunk_body.hpp"
#include "furrow/engine/chunks.hpp"
#include "furrow/engine/tracing.hpp"

namespace furrow {

class Background;
class ForkJoin;
class Job;
struct KernelTuning;
struct SubmitOptions;
class TunedKernels;

/// `serial_below` left to the engine, which measures what threads cost here and what the call costs.
inline constexpr std::size_t kMeasured = static_cast<std::size_t>(-1);

/// How an engine runs what it is given. What is not set is chosen by measurement.
struct EngineOptions {
  /// The most threads a call may use, the caller's among them. 0: $FURROW_NUM_THREADS, else $OMP_NUM_THREADS, else the cores this
  /// process may use (affinity mask and cgroup quota).
  int concurrency = 0;
  /// How tasks are handed to threads; `dynamic` for bodies of uneven cost. Not set: `stable`, unless the tuning file knows better
  /// for a named kernel.
  std::optional<Schedule> schedule = std::nullopt;
  /// Chunks that travel in one task; 0: one task per thread (stable) or sixteen (dynamic), unless the tuning file knows better for
  /// a named kernel. It is not asked for what to do if this or `schedule` is set.
  std::size_t grain = 0;
  /// Kernel calls over fewer elements run on the calling thread. 0: none but those of one chunk do. bulk() is never held back.
  std::size_t serial_below = kMeasured;
  /// When a stop is requested, a call throws Cancelled instead of starting more of its work.
  std::stop_token stop = {};
};

/// Why a call ran on the calling thread alone.
enum class Serial : std::uint8_t {
  no,          ///< it did not: it was handed to the backend's threads
  no_work,     ///< nothing to do
  one_task,    ///< there is only one piece of work
  too_small,   ///< threads would have cost more than they save
  one_thread,  ///< this engine has a concurrency of 1
  nested,      ///< the caller is already inside a parallel region
};

/// In words, for people; empty for Serial::no.
std::string_view to_string(Serial reason);

/// What an engine's latest call did.
struct LastRun {
  std::string_view backend;         ///< valid as long as the engine
  int threads = 0;                  ///< distinct threads that took part
  std::size_t tasks = 0;            ///< tasks the work was handed out in
  Serial serial = Serial::no_work;  ///< why it stayed on the calling thread, if it did
  /// The reason in words; empty if threads took part.
  std::string_view why_serial() const { return to_string(serial); }
};

/// What a kernel or functor costs per element on one thread here, learnt from the calls that were made; one static object per
/// kernel and type. It decides whether a call goes parallel, never what it computes.
class Cost {
 public:
  /// Of the function in which it stands; so many bytes pass between processor and memory for each element, which traces tell.
  constexpr explicit Cost(std::size_t bytes = 0, const char* function = __builtin_FUNCTION()) : bytes_(bytes), name_(function) {}
  /// A named kernel and its type ("triad", "f64"), both string literals, for which the tuning file may hold values; its cost does
  /// not depend on the data.
  constexpr Cost(std::string_view kernel, std::string_view type, std::size_t bytes = 0)
      : key_(key_of(type, key_of("/", key_of(kernel)))), bytes_(bytes), name_(kernel.data()), type_(type.data()) {}

  /// Whether it is of a named kernel.
  bool is_named() const { return key_ != 0; }
  /// "triad/f64"; of a functor's, the function it was given to, "transform".
  std::string name() const;
  /// Bytes per element; 0: not known.
  std::size_t bytes() const { return bytes_; }
  /// What the tuned values of a named kernel are found by.
  std::uint64_t key() const { return key_; }
  /// The key of a kernel and type, "triad/f64", or of its continuation from `begun` on. (FNV-1a; Fowler, Noll, Vo 1991.)
  static constexpr std::uint64_t key_of(std::string_view name, std::uint64_t begun = 0xCBF29CE484222325U) {
    for (const char c : name) begun = (begun ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return begun;
  }

  /// Nanoseconds per element in a call over n of them; what is known of calls of other sizes while too few of about this one were
  /// timed, 0 if nothing is.
  float nanoseconds(std::size_t n) const;
  /// Whether a call over n elements should be timed: each while the cost is not known; of a functor's, one of `every` after that,
  /// because it may have other data to work on.
  bool is_due(std::size_t n, unsigned every) {
    SizeClass& own = sizes_[size_class(n)];
    if (!own.is_known()) return true;
    if (is_named()) return false;
    const unsigned calls = own.calls.load(std::memory_order_relaxed) + 1;
    own.calls.store(calls, std::memory_order_relaxed);  // those of several threads may be lost count of
    return calls % every == 0;
  }
  /// Whether a call over n elements that would go to threads should begin on the calling thread for once, to see what it costs
  /// there: one of many, or a cost that was measured wrong would be believed for good.
  bool is_doubted(std::size_t n) {
    constexpr unsigned kEvery = 256;
    std::atomic<unsigned>& calls = sizes_[size_class(n)].on_threads;
    const unsigned count = calls.load(std::memory_order_relaxed) + 1;
    calls.store(count, std::memory_order_relaxed);
    return count % kEvery == 0;
  }
  /// Notes what a call over n elements took for each of them.
  void add_sample(std::size_t n, float nanoseconds);

 private:
  /// Calls of about one size: what an element costs depends on the cache that all of them fit.
  struct SizeClass {
    std::atomic<float> nanoseconds{0};
    std::atomic<unsigned> samples{0};
    std::atomic<unsigned> calls{0};
    std::atomic<unsigned> on_threads{0};

    bool is_known() const {
      constexpr unsigned kSamples = 3;  // the first calls find cold caches
      return samples.load(std::memory_order_relaxed) >= kSamples;
    }
  };
  static constexpr std::size_t kSizeClasses = 13;
  /// Of calls over about n elements: up to four times as many are of one class.
  static constexpr std::size_t size_class(std::size_t n) {
    const auto own = static_cast<std::size_t>(std::bit_width(n)) / 2;
    return own < kSizeClasses ? own : kSizeClasses - 1;
  }

  std::uint64_t key_ = 0;
  std::array<SizeClass, kSizeClasses> sizes_{};
  std::size_t bytes_ = 0;
  const char* name_ = "";
  const char* type_ = nullptr;
};

/// Runs kernels on one backend with one number of threads. Cheap to keep, and may be used from several threads at once; making one
/// starts the backend's threads. Moving an engine that is in use is not allowed.
class Engine {
 public:
  /// The backend that $FURROW_BACKEND names, else the one that this machine's tuning file picked, else the first parallel one of
  /// this build. Throws Error if $FURROW_BACKEND or $FURROW_NUM_THREADS cannot be obeyed; a broken tuning file costs a warning.
  explicit Engine(const EngineOptions& options = {});

  /// The backend called `backend`; reads no file. Throws Error, listing the known names, if there is none of that name, and if
  /// options.concurrency is negative or absurd.
  explicit Engine(std::string_view backend, const EngineOptions& options = {});

  /// An engine on the threads of `other`, whose calls end, with Cancelled, when `stop` is requested rather than the other's own
  /// stop. It may outlive the other one, except for submitting.
  Engine(const Engine& other, std::stop_token stop);

  /// Waits for all work that was submitted, and for what that work submits; cancel it first where that would take too long.
  ~Engine();
  /// Takes over threads and submitted work of the other one, which may only be destroyed or assigned to then.
  Engine(Engine&&) noexcept;
  /// The same; waits for this one's submitted work first.
  Engine& operator=(Engine&&) noexcept;

  /// The name of its backend; valid as long as the engine.
  std::string_view backend() const { return backend_->name(); }
  /// The most threads that a call may use, the caller's among them.
  int concurrency() const { return backend_->concurrency(); }
  /// What it was made with.
  const EngineOptions& options() const { return options_; }

  /// The latest call of any thread; a call of one task or chunk counts too.
  LastRun last_run() const;

  /// Calls body(task) exactly once for every task in [0, tasks), in any order, possibly at once, and returns when all have
  /// finished. Rethrows the exception of the lowest task that threw; throws Cancelled if a stop was requested before all tasks had
  /// begun.
  void bulk(std::size_t tasks, TaskRef body);
  /// As above, with another schedule than the engine's own.
  void bulk(std::size_t tasks, TaskRef body, Schedule schedule);

  /// Has f called by the engine's background thread, after all that was submitted before, and returns a Future of what it returns
  /// or throws. From any thread, also from inside tasks and submitted work. f takes, in this order, those it wants of
  ///
  /// - `Engine&`: an engine on the threads of this one, whose calls also end, with Cancelled, when the future is cancelled;
  /// - `std::stop_token`: of Future::cancel() and of the stop of this engine's options;
  /// - `Progress&`: to report() how far it has come.
  ///
  /// It may call this engine too, and any other. The caller's rounding mode and FTZ/DAZ hold in it. What f captured is destroyed
  /// before the future is ready. In the child of a fork() an engine of the parent calls f here and now. Needs
  /// `<furrow/engine/future.hpp>`.
  template <class F>
  auto submit(F&& f);
  /// The same with what SubmitOptions say.
  template <class F>
  auto submit(F&& f, SubmitOptions options);

  /// For kernels: covers all chunks by calls body(first, last), each chunk exactly once; on the calling thread where threads would
  /// not pay, judged by `cost`. The body must give the same result however the chunks are divided among the calls.
  template <class Body>
  void over_chunks(const Chunks& chunks, Cost& cost, const Body& body) {
    if (chunks.count() > 1 || tracing::on()) {
      HeldChunkBody<Body> held(body);
      return dispatch(chunks, cost, held);
    }
    no_more_than_one(chunks, body);
  }

 private:
  friend class ChunkBody;
  friend class Graph;
  friend class Job;

  void start(std::string_view backend);
  void close();

  template <class Body>
  void no_more_than_one(const Chunks& chunks, const Body& body) {
    if (options_.stop.stop_requested()) throw_cancelled();
    record(1, chunks.count(), chunks.count() == 0 ? Serial::no_work : Serial::one_task);
    if (chunks.count() == 1) body(std::size_t{0}, std::size_t{1});
  }
  void dispatch(const Chunks& chunks, Cost& cost, ChunkBody& body);
  void share_out(const Chunks& chunks, Cost& cost, ChunkBody& body);
  void trace_bulk(std::size_t tasks, TaskRef body, Schedule schedule);
  void record_bulk(std::size_t tasks, const BulkResult& result);
  void begin_serially(const Chunks& chunks, Cost& cost, ChunkBody& body);
  void time_threads(const Chunks& chunks, Cost& cost, ChunkBody& body);
  void hand_out(std::size_t first, const Chunks& chunks, const Cost& cost, ChunkBody& body, std::atomic<float>* spent = nullptr);
  const KernelTuning* tuned(const Cost& cost) const;
  void in_order(std::size_t first, std::size_t last, const ChunkBody& body) const;
  [[noreturn]] static void throw_cancelled();

  void record(int threads, std::size_t tasks, Serial serial) {
    // One word, so that a reader on another thread never sees half of one call and half of the next.
    last_.store(
        static_cast<std::uint64_t>(tasks) << 24 | static_cast<std::uint64_t>(threads) << 8 | static_cast<std::uint64_t>(serial),
        std::memory_order_relaxed);
  }

  EngineOptions options_;
  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const TunedKernels> tuned_;  ///< null if nothing is tuned for this backend
  std::shared_ptr<Background> background_;
  std::shared_ptr<ForkJoin> fork_join_;
  bool is_of_job_ = false;
  std::atomic<std::uint64_t> last_{static_cast<std::uint64_t>(Serial::no_work)};
};

}  // namespace furrow
