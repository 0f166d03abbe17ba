#include "furrow/engine/tracing.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/warning.hpp"

namespace furrow::tracing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBuffered = std::size_t{1} << 14;     // events of a thread
constexpr std::size_t kMostWritten = std::size_t{1} << 21;  // events of a file; 200 bytes each
constexpr std::int64_t kFlushEvery = 1'000'000'000;         // ns

std::int64_t clock_nanoseconds() {
  return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}
/// When the library was loaded; 0 before.
const std::int64_t loaded = clock_nanoseconds();

struct Event {
  std::int64_t begin;
  std::int64_t end;
  Details details;
  Kind kind;
  std::array<char, 16> backend;  // ends with 0, as name does
  std::array<char, 48> name;
};

template <std::size_t n>
void copy(std::array<char, n>& to, std::string_view from) {
  const std::size_t length = std::min(from.size(), n - 1);
  from.copy(to.data(), length);  // which may be of no characters at no address, where memcpy may not
  to[length] = 0;
}

/// One thread's events: it alone adds to them, without a lock; whoever holds the file's lock reads those there are.
struct Buffer {
  std::array<Event, kBuffered> events;
  std::atomic<std::size_t> count{0};
  std::size_t written = 0;
  std::int64_t flushed = 0;
  pid_t thread = 0;
  bool in_use = false;
};

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 8> kNames{"kernel", "graph", "bulk", "task", "worker", "node", "release", "submit"};
  return kNames[static_cast<std::size_t>(kind)];
}

void append(std::string& text, std::uint64_t number) {
  std::array<char, 24> digits;
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}
void append(std::string& text, double number) {
  std::array<char, 32> digits;
  text.append(digits.data(),
              std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::general, 6).ptr);
}
/// Nanoseconds as the format's microseconds.
void append_time(std::string& text, std::int64_t nanoseconds) {
  append(text, static_cast<std::uint64_t>(nanoseconds / 1000));
  const std::int64_t rest = nanoseconds % 1000;
  (text += '.') += static_cast<char>('0' + rest / 100);
  (text += static_cast<char>('0' + rest / 10 % 10)) += static_cast<char>('0' + rest % 10);
}
/// A string of JSON, whatever bytes it has.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The file and the buffers. Never destroyed: threads may end after main().
class Trace {
 public:
  static Trace& instance() {
    static auto& only = *new Trace;
    return only;
  }

  void start(const std::string& path, std::int64_t origin);
  void flush();
  void stop();
  /// Before std::terminate() ends the process: another thread may hold the lock for ever.
  void save_what_can_be();

  Buffer* lease();
  void give_back(Buffer& buffer) noexcept;
  void add(Buffer& buffer, const Event& event) noexcept;
  std::int64_t origin() const { return origin_.load(std::memory_order_relaxed); }

 private:
  bool in_child() const { return process() != 0 && process() != getpid(); }
  pid_t process() const { return process_.load(std::memory_order_relaxed); }
  bool running() const { return file_ >= 0; }
  void collect(Buffer& buffer);
  void collect_all();
  void write();
  void format(const Buffer& buffer, const Event& event);

  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::string path_;
  std::string text_;  ///< what is to be written next
  int file_ = -1;
  off_t end_ = 0;  ///< where the file's last event ends
  std::atomic<std::int64_t> origin_{0};
  std::size_t events_ = 0;
  std::size_t dropped_ = 0;
  std::atomic<pid_t> process_{0};  ///< that has started it; 0 before
};

void Trace::start(const std::string& path, std::int64_t origin) {
  if (in_child()) fail("a trace cannot be started in the child of a fork() of a process that has been traced");
  const std::lock_guard lock(mutex_);
  if (running()) fail("a trace is under way, into " + path_ + "; stop it before another is started");
  path_ = path;
  for (std::size_t at = 0; (at = path_.find("%p", at)) != std::string::npos;) path_.replace(at, 2, std::to_string(getpid()));
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail("the trace " + path_ + " cannot be written: " + std::strerror(errno));
  static const bool prepared [[maybe_unused]] = [] {
    std::atexit([] { tracing::stop(); });
    pthread_atfork(nullptr, nullptr, [] { enabled.store(false, std::memory_order_relaxed); });
    static std::terminate_handler next = nullptr;
    next = std::set_terminate([] {
      instance().save_what_can_be();
      next();
    });
    return true;
  }();
  file_ = file;
  process_ = getpid();
  end_ = 0;
  events_ = dropped_ = 0;
  origin_.store(origin, std::memory_order_relaxed);
  text_ = R"({"displayTimeUnit":"ns","otherData":{"producer":"furrow","version":")" FURROW_VERSION R"("},"traceEvents":[)"
          "\n"
          R"({"ph":"M","name":"process_name","ts":0,"dur":0,"pid":)" +
          std::to_string(process()) + R"(,"tid":)" + std::to_string(process()) + R"(,"args":{"name":)" +
          quoted(program_invocation_short_name) + "}}";
  write();
  enabled.store(running(), std::memory_order_relaxed);
  if (!running()) fail("the trace " + path_ + " cannot be written");
}

void Trace::flush() {
  if (in_child()) return;
  const std::lock_guard lock(mutex_);
  collect_all();
}

void Trace::stop() {
  if (in_child()) return;
  const std::lock_guard lock(mutex_);
  enabled.store(false, std::memory_order_relaxed);
  collect_all();
  if (running()) close(std::exchange(file_, -1));
}

void Trace::save_what_can_be() {
  if (in_child()) return;
  constexpr int kTries = 100;
  std::unique_lock lock(mutex_, std::defer_lock);
  for (int i = 0; i < kTries && !lock.try_lock(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (lock.owns_lock()) collect_all();
}

Buffer* Trace::lease() {
  const std::lock_guard lock(mutex_);
  auto free = std::ranges::find(buffers_, false, [](const auto& buffer) { return buffer->in_use; });
  if (free == buffers_.end()) {
    buffers_.push_back(std::make_unique<Buffer>());
    free = buffers_.end() - 1;
  }
  Buffer& buffer = **free;
  buffer.in_use = true;
  buffer.thread = gettid();
  buffer.flushed = clock_nanoseconds();
  if (!running()) return &buffer;
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  text_ += ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"ts\":0,\"dur\":0,\"pid\":" + std::to_string(process()) +
           ",\"tid\":" + std::to_string(buffer.thread) + ",\"args\":{\"name\":" + quoted(name.data()) + "}}";
  return &buffer;
}

void Trace::give_back(Buffer& buffer) noexcept {
  if (in_child()) return;
  const std::lock_guard lock(mutex_);
  collect(buffer);
  buffer.in_use = false;
}

void Trace::add(Buffer& buffer, const Event& event) noexcept {
  const std::size_t at = buffer.count.load(std::memory_order_relaxed);
  buffer.events[at] = event;
  buffer.count.store(at + 1, std::memory_order_release);
  if (at + 1 < kBuffered && event.end - buffer.flushed < kFlushEvery) return;
  const std::lock_guard lock(mutex_);
  collect(buffer);
  write();
}

/// Makes text of the events that have not been written.
void Trace::collect(Buffer& buffer) {
  const std::size_t count = buffer.count.load(std::memory_order_acquire);
  for (; running() && buffer.written < count; ++buffer.written) {
    const Event& event = buffer.events[buffer.written];
    if (event.begin < origin()) continue;  // of an earlier trace
    try {
      if (events_ < kMostWritten) format(buffer, event);
      ++(events_ < kMostWritten ? events_ : dropped_);
    } catch (const std::bad_alloc&) {
      ++dropped_;
    }
  }
  buffer.written = count;
  if (buffer.thread != gettid()) return;
  // Nobody adds meanwhile.
  buffer.count.store(0, std::memory_order_relaxed);
  buffer.written = 0;
  buffer.flushed = clock_nanoseconds();
}

void Trace::collect_all() {
  for (const auto& buffer : buffers_) collect(*buffer);
  write();
}

/// Appends text_ to the file, and the end that makes it whole, over which the next text will be written.
void Trace::write() {
  if (!running()) return;
  const std::size_t size = text_.size();
  text_ += ",\n{\"ph\":\"X\",\"name\":\"process\",\"cat\":\"process\",\"ts\":0.000,\"dur\":";
  append_time(text_, clock_nanoseconds() - origin());
  text_ += ",\"pid\":" + std::to_string(process()) + ",\"tid\":" + std::to_string(process()) + ",\"args\":{\"dropped\":";
  append(text_, std::uint64_t{dropped_});
  text_ += "}}\n]}\n";
  for (std::size_t done = 0; done < text_.size();) {
    const ssize_t wrote = pwrite(file_, text_.data() + done, text_.size() - done, end_ + static_cast<off_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      warn_once("the trace " + path_ + " ends here, it cannot be written: " + std::strerror(errno));
      enabled.store(false, std::memory_order_relaxed);
      close(std::exchange(file_, -1));
      break;
    }
    done += static_cast<std::size_t>(wrote);
  }
  end_ += static_cast<off_t>(size);
  text_.clear();
}

void Trace::format(const Buffer& buffer, const Event& event) {
  const Details& details = event.details;
  (text_ += ",\n{\"ph\":\"X\",\"name\":") += quoted(event.name.data());
  ((text_ += ",\"cat\":\"") += name_of(event.kind)) += "\",\"ts\":";
  append_time(text_, event.begin - origin());
  text_ += ",\"dur\":";
  append_time(text_, event.end - event.begin);
  text_ += ",\"pid\":";
  append(text_, static_cast<std::uint64_t>(process()));
  text_ += ",\"tid\":";
  append(text_, static_cast<std::uint64_t>(buffer.thread));
  text_ += ",\"args\":{";
  bool first = true;
  const auto say = [&](std::string_view key, auto value) {
    if (!std::exchange(first, false)) text_ += ',';
    ((text_ += '"') += key) += "\":";
    append(text_, value);
  };
  switch (event.kind) {
    case Kind::kernel:
      say("elements", details.number);
      if (const std::uint64_t bytes = details.bytes_per_number * details.number; bytes > 0) {
        say("bytes", bytes);
        say("GB/s", static_cast<double>(bytes) / static_cast<double>(std::max<std::int64_t>(event.end - event.begin, 1)));
      }
      break;
    case Kind::bulk:
      say("call", details.call);
      say("threads", static_cast<std::uint64_t>(details.threads));
      say("tasks", details.number);
      (text_ += ",\"backend\":") += quoted(event.backend.data());
      break;
    case Kind::task:
    case Kind::worker:
      say("call", details.call);
      say("task", details.number);
      break;
    case Kind::node:
      say("node", details.node);
      say("task", details.number);
      break;
    case Kind::release:
      say("node", details.node);
      say("after", details.number);
      break;
    case Kind::graph:
    case Kind::submit:
      break;
  }
  text_ += "}}";
}

/// A thread's buffer, given back when it ends.
class Lease {
 public:
  ~Lease() {
    if (buffer_ != nullptr) Trace::instance().give_back(*buffer_);
    ended() = true;
  }
  /// Null once the thread is about to end: what static objects do at the end of main() is not traced.
  static Buffer* buffer() noexcept {
    if (ended()) return nullptr;
    thread_local Lease lease;
    try {
      if (lease.buffer_ == nullptr) lease.buffer_ = Trace::instance().lease();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    return lease.buffer_;
  }

 private:
  static bool& ended() {
    static thread_local bool value = false;
    return value;
  }
  Buffer* buffer_ = nullptr;
};

thread_local const Span* here = nullptr;

}  // namespace

void start(const std::string& path) {
  Trace::instance().start(path, clock_nanoseconds());
}

void flush() {
  Trace::instance().flush();
}

void stop() {
  Trace::instance().stop();
}

void start_if_asked() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* path = std::getenv("FURROW_TRACE");
    if (path == nullptr || *path == '\0') return;
    Trace::instance().start(path, loaded != 0 ? loaded : clock_nanoseconds());
  });
}

const Span* innermost() {
  return here;
}

std::uint64_t new_call() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void Span::begin(Kind kind, std::string_view name, const Details& details) {
  kind_ = kind;
  name_ = name;
  details_ = details;
  outer_ = std::exchange(here, this);
  begin_ = clock_nanoseconds();
}

void Span::end() noexcept {
  const std::int64_t now = clock_nanoseconds();
  here = outer_;
  if (!on()) return;
  Buffer* const buffer = Lease::buffer();
  if (buffer == nullptr) return;
  Event event{.begin = begin_, .end = now, .details = details_, .kind = kind_, .backend = {}, .name = {}};
  copy(event.backend, details_.backend);
  copy(event.name, name_);
  event.details.backend = {};
  Trace::instance().add(*buffer, event);
}

}  // namespace furrow::tracing
