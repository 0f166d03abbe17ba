#include "tools/console.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <climits>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/write_all.hpp"
#include "tools/number_in.hpp"

namespace furrow::console {
namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");
std::stop_source stop_source;

// Written while no file is to be removed, read by the handler.
char doomed[PATH_MAX];
std::atomic<bool> has_doomed{false};

extern "C" void on_signal(int number) {
  int none = 0;
  if (received.compare_exchange_strong(none, number)) return;
  if (has_doomed.load()) unlink(doomed);
  _exit(128 + number);
}

int write_text(int descriptor, std::string_view text) {
  return write_all(descriptor, text.data(), text.size());
}

bool terminal_on_stderr() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

/// With an exponent up to 2^53, beyond which not every number is one of double.
std::optional<std::uint64_t> whole_number_in(const std::string& text) {
  if (text.find_first_of("eE") == std::string::npos) return tools::number_in<std::uint64_t>(text);
  const std::optional<double> value = tools::number_in<double>(text);
  if (!value || !(*value >= 0 && *value <= 0x1p53) || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

void prepare() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Opened the wrong way round, so that using it is still an error.
    if (fcntl(descriptor, F_GETFD) < 0) (void)open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void print(std::string_view text) {
  const int error = write_text(STDOUT_FILENO, text);
  if (error == EPIPE) throw Closed();
  if (error != 0) fail(std::string("cannot write to standard output: ") + std::strerror(error));
}

void print_error(std::string_view message) {
  (void)write_text(STDERR_FILENO, fmt::format("furrow: error: {}\n", message));
}

void print_note(std::string_view message) {
  (void)write_text(STDERR_FILENO, fmt::format("furrow: {}\n", message));
}

std::stop_token stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    // What is ignored from the start (nohup, background jobs of a script) stays ignored.
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  return stop_source.get_token();
}

void poll_signals() {
  if (received.load(std::memory_order_relaxed) != 0) stop_source.request_stop();
}

void throw_if_stopped() {
  poll_signals();
  if (stop_source.stop_requested()) throw Cancelled();
}

int signal_received() {
  return received.load();
}

void remove_if_killed(const std::string& path) {
  has_doomed.store(false);
  if (path.empty() || path.size() >= sizeof(doomed)) return;
  std::memcpy(doomed, path.c_str(), path.size() + 1);
  has_doomed.store(true);
}

Progress::Progress(std::string label, std::uint64_t total, bool quiet, Rate rate)
    : label_(std::move(label)),
      total_(total),
      enabled_(!quiet && terminal_on_stderr()),
      rate_(std::move(rate)),
      next_draw_(500'000'000) {}

Progress::~Progress() {
  if (drawn_.load()) (void)write_text(STDERR_FILENO, "\r\033[K");
}

std::string Progress::bytes_rate(double per_second) {
  return fmt::format("{:.2f} GB/s", per_second * 1e-9);
}

void Progress::add(std::uint64_t units) {
  if (!enabled_) return;
  const std::uint64_t done = done_.fetch_add(units, std::memory_order_relaxed) + units;
  const std::int64_t now = std::chrono::nanoseconds(Clock::now() - start_).count();
  std::int64_t due = next_draw_.load(std::memory_order_relaxed);
  // Whoever moves the time of the next drawing draws this one.
  if (now >= due && next_draw_.compare_exchange_strong(due, now + 100'000'000)) draw(done, static_cast<double>(now) * 1e-9);
}

void Progress::draw(std::uint64_t done, double seconds) {
  constexpr int kWidth = 30;
  const double share = total_ == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total_);
  const int full = static_cast<int>(share * kWidth);
  const double left = share > 0 ? seconds / share - seconds : 0;
  const std::string line = fmt::format(
      "\r\033[K{} [{}{}] {:3.0f} %  {}  {:.0f} s left", label_, std::string(static_cast<std::size_t>(full), '#'),
      std::string(static_cast<std::size_t>(kWidth - full), '.'), share * 100, rate_(static_cast<double>(done) / seconds), left);
  drawn_.store(true);
  (void)write_text(STDERR_FILENO, line);
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        const std::optional<std::uint64_t> number = whole_number_in(text);
        if (!number || *number < least || *number > most)
          return fmt::format("a whole number {} is expected, not \"{}\"",
                             most == UINT64_MAX ? fmt::format("of at least {}", least) : fmt::format("from {} to {}", least, most),
                             text);
        text = std::to_string(*number);
        return std::string();
      },
      "");
}

void CommonOptions::add_to(CLI::App& command) {
  command.add_option("--backend", backend, "The threading runtime; by default the one `furrow bench` picked");
  command.add_option("--threads", threads, "The most threads to use; by default all allowed")->transform(whole_number(1, 4096));
  command.add_flag("--json", json, "Print what was done as JSON");
  command.add_flag("-q,--quiet", quiet, "No progress bar");
}

Engine CommonOptions::engine() const {
  return engine(stop_on_signals());
}

Engine CommonOptions::engine(std::stop_token stop) const {
  const EngineOptions options{.concurrency = threads, .stop = std::move(stop)};
  return backend.empty() ? Engine(options) : Engine(backend, options);
}

}  // namespace furrow::console
