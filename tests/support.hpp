#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "furrow/engine/error.hpp"
#include "furrow/engine/warning.hpp"

// What several tests share.

namespace furrow::support {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;  // ten times slower, and a child of fork() may not make threads
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitizer = true;
#else
inline constexpr bool kSanitizer = false;
#endif

/// `many` iterations, fewer where a sanitizer makes each of them slow.
constexpr std::size_t repeats(std::size_t many) {
  return kSanitizer ? (many + 9) / 10 : many;
}

/// The message of the exception of type E that call() throws; says so if it throws none.
template <class E = Error, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

/// Sets an environment variable while it lives; nullptr unsets it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) {
    if (value != nullptr)
      setenv(name_, value, 1);
    else
      unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

/// Collects warnings while it lives.
class Warnings {
 public:
  Warnings()
      : before_(set_warning_handler([](const char* message) {
          (text() += message) += '\n';
          ++number();
        })) {
    text().clear();
    number() = 0;
  }
  ~Warnings() { set_warning_handler(before_); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  static std::string& text() {
    static std::string all;
    return all;
  }
  static int& number() {
    static int count = 0;
    return count;
  }

 private:
  WarningHandler before_;
};

/// A new empty folder, gone with this object.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "furrow-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const char* name) const { return (path_ / name).string(); }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// What in_child() gives for a child that had to be killed.
inline constexpr int kHung = -1000;

/// Waits up to a second until no other thread of this process runs. GCC 12's AddressSanitizer does not prepare its allocator for
/// fork(): a child of a process in which another thread was just allocating waits for that thread's lock for ever.
inline void let_threads_rest() {
#if defined(__SANITIZE_ADDRESS__)
  const auto busy = [] {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      if (task.path().filename() == std::to_string(gettid())) continue;
      std::string line;
      std::getline(std::ifstream(task.path() / "stat"), line);
      const std::size_t name_end = line.rfind(')');
      if (name_end != std::string::npos && line.compare(name_end, 3, ") R") == 0) return true;
    }
    return false;
  };
  for (int tries = 0; tries < 1000 && busy(); ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(1));
#endif
}

/// The result of work() in a fork() of this process; minus the signal that ended it; kHung if it was not done in time.
template <class Work>
int in_child(Work&& work, std::chrono::seconds patience = std::chrono::seconds(20)) {
  std::fflush(nullptr);
  let_threads_rest();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a child that hangs must not outlive a test that is killed
    _exit(work());
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return kHung;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// What a run of one test of this very program, in a process of its own, prints on both streams.
/// `setting` is put before the command ("NAME=value").
/// Such tests are called DISABLED_…, so that they run only this way.
inline std::string run_own_test(const std::string& test, const std::string& setting) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      "env " + setting + " timeout 120 '" + program + "' --gtest_also_run_disabled_tests --gtest_filter=" + test + " 2>&1";
  std::string all;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return all;
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;) all += buffer;
  const int status = pclose(pipe);
  return all + "exit status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1) + "\n";
}

}  // namespace furrow::support
