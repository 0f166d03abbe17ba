#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace furrow {
class Engine;
}

namespace furrow::console {

/// To be called first in main(): keeps a closed standard stream from becoming the number of the next file opened, and turns SIGPIPE
/// into an error that print() understands, and SIGXFSZ into one of writing.
void prepare();

/// Writes `text` to standard output, all of it. Throws Closed if nobody reads it any more, Error if it cannot be written.
void print(std::string_view text);
struct Closed {};

/// "furrow: error: …" on standard error.
void print_error(std::string_view message);
/// "furrow: …" on standard error.
void print_note(std::string_view message);

/// From now on the first SIGINT or SIGTERM only leaves a note, and the second ends the process at once. The token is triggered by
/// the next call of poll_signals(), which whoever works has to make now and then.
std::stop_token stop_on_signals();
/// Triggers the token if a signal came. Cheap; from any thread.
void poll_signals();
/// As above, and throws Cancelled if one came.
void throw_if_stopped();
/// The signal that came; 0 if none did.
int signal_received();

/// The file that a second signal removes before it ends the process; empty: none. One at a time.
void remove_if_killed(const std::string& path);

/// A bar on standard error with rate and time left: only on a terminal, only once the work takes longer than half a second, at most
/// ten times a second; it is wiped away at the end.
class Progress {
 public:
  /// What the bar says of so many units a second.
  using Rate = std::function<std::string(double)>;

  /// Of work in bytes, unless `rate` tells it in something else.
  Progress(std::string label, std::uint64_t total, bool quiet, Rate rate = bytes_rate);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// So many more are done. From any thread.
  void add(std::uint64_t units);

 private:
  using Clock = std::chrono::steady_clock;
  static std::string bytes_rate(double per_second);
  void draw(std::uint64_t done, double seconds);

  const std::string label_;
  const std::uint64_t total_;
  const bool enabled_;
  const Rate rate_;
  const Clock::time_point start_ = Clock::now();
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_draw_;  // nanoseconds since start_
  std::atomic<bool> drawn_{false};
};

/// For CLI::Option::transform(): whole numbers from `least` to `most` as people write them, "65536" or "1e7". By itself CLI11 takes
/// -1 for 2^64 - 1, 010 for 8, and what is too large for the greatest there is.
CLI::Validator whole_number(std::uint64_t least = 0, std::uint64_t most = UINT64_MAX);

/// The options that all commands that compute share.
struct CommonOptions {
  std::string backend;
  int threads = 0;
  bool json = false;
  bool quiet = false;

  void add_to(CLI::App& command);
  /// The engine they ask for, which stops on signals.
  Engine engine() const;
  /// The same, which stops on `stop` alone.
  Engine engine(std::stop_token stop) const;
};

}  // namespace furrow::console
