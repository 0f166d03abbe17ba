#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What ran when, on which thread: written as JSON in the Trace Event Format, which https://ui.perfetto.dev shows and `furrow
/// trace` sums up. FURROW_TRACE=FILE traces a program from the moment it loads furrow.
///
/// Each thread notes its events in 2 MiB of its own, which go to the file when they are full, once a second, and at the end; the
/// file is whole JSON after each time. After 2^21 events the rest are only counted. Off, it costs one load and one jump a call.
namespace furrow::tracing {

/// Begins to trace into the file `path`, in which "%p" stands for the number of the process; what it held is gone. It ends with
/// stop(), with exit() or with std::terminate(). Throws Error if the file cannot be written, or a trace is under way. A fork()'s
/// child is not traced.
void start(const std::string& path);

/// Writes what has been noted so far. Does nothing where no trace is under way, as stop() does.
void flush();
/// Ends the trace: writes what is left and closes the file.
void stop();

/// Does what FURROW_TRACE asks, once. Throws Error as start() does.
void start_if_asked();

/// What on() reads.
inline std::atomic<bool> enabled{false};
/// Whether a trace is under way.
inline bool on() {
  return enabled.load(std::memory_order_relaxed);
}

/// What an event is; its "cat" in the file.
enum class Kind : std::uint8_t {
  kernel,  ///< a call of a kernel or loop: "elements", and "bytes" and "GB/s" if its traffic is known
  graph,   ///< a run of a graph
  bulk,  ///< the part of these in which threads may be at work, or a bulk() of the caller's: "call", "backend", "threads", "tasks"
  task,  ///< a task of a bulk: the "call" it belongs to, and its number, "task"
  worker,   ///< a task of a graph's bulk, which does nodes until none are left
  node,     ///< a task of a graph's node: the number of the "node" and "task"
  release,  ///< no time: "node" is ready to run, since "after", the last that it waited for, has finished
  submit,   ///< submitted work
};

/// What an event says besides; what is 0 is not said.
struct Details {
  std::uint64_t call = 0;
  std::uint64_t number = 0;  ///< of the task; of a kernel its elements; of a bulk its tasks
  std::uint64_t node = 0;    ///< of a graph
  std::uint64_t bytes_per_number = 0;
  int threads = 0;
  std::string_view backend = {};
};

/// An event from here to the end of its scope, if a trace is under way. `name` is copied, the first 47 bytes of it.
class Span {
 public:
  Span(Kind kind, std::string_view name, const Details& details = {}) {
    if (on()) [[unlikely]]
      begin(kind, name, details);
  }
  ~Span() {
    if (begin_ != kNone) [[unlikely]]
      end();
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  Details& details() { return details_; }
  Kind kind() const { return kind_; }
  std::string_view name() const { return name_; }

 private:
  static constexpr std::int64_t kNone = -1;
  void begin(Kind kind, std::string_view name, const Details& details);
  void end() noexcept;

  std::int64_t begin_ = kNone;
  Kind kind_{};
  std::string_view name_;
  Details details_;
  const Span* outer_ = nullptr;
};

/// The innermost span of this thread; null if there is none.
const Span* innermost();

/// A number for a bulk call that no other of this process has.
std::uint64_t new_call();

}  // namespace furrow::tracing
