#include "benchmarks/worker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace furrow::bench {

Worker::Worker(const std::vector<std::string>& command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    give_up(std::strerror(errno));
    return;
  }
  socket_ = ends[0];
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int failed = posix_spawnp(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    process_ = -1;
    give_up(fmt::format("{} cannot be started: {}", command[0], std::strerror(failed)));
  }
  while (!trouble_) {
    const std::string said = line();
    std::istringstream words(said);
    std::string what, rest;
    words >> what;
    std::getline(words >> std::ws, rest);
    if (what == "ready") return;
    if (what == "kernel")
      kernels_.push_back(rest);
    else if (what == "note")
      notes_.push_back(rest);
    else
      give_up(fmt::format("{} said \"{}\"", command[0], said));
  }
}

Worker::~Worker() {
  if (socket_ >= 0) close(socket_);  // it ends when its input does
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

bool Worker::has(std::string_view peer, std::string_view kernel) const {
  return !trouble_ && std::ranges::find(kernels_, fmt::format("{}/{}", peer, kernel)) != kernels_.end();
}

double Worker::cpu_seconds() const {
  clockid_t clock{};
  timespec used{};
  if (process_ <= 0 || clock_getcpuclockid(process_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

void Worker::load(table::Operands& operands) {
  complaint_.reset();
  say(fmt::format("load {} {}", type_code(operands.type()), operands.size()));
  with_type(operands.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (const std::span<const T> array : {operands.a<T>(), operands.b<T>(), operands.out<T>()})
      send(array.data(), array.size_bytes());
  });
  send(operands.result().data(), operands.result().size());
  expect_ok();
}

void Worker::run(std::string_view peer, std::string_view kernel, std::size_t calls) {
  say(fmt::format("run {}/{} {}", peer, kernel, calls));
  expect_ok();
}

void Worker::store(table::Operands& operands) {
  say("store");
  auto result = operands.result();
  with_type(operands.type(), [&](auto tag) {
    const auto out = operands.out<typename decltype(tag)::type>();
    receive(out.data(), out.size_bytes());
  });
  receive(result.data(), result.size());
  if (!trouble_) operands.set_result(result);
}

void Worker::give_up(const std::string& what) {
  if (!trouble_) trouble_ = what;
}

void Worker::send(const void* data, std::size_t bytes) {
  for (const auto* at = static_cast<const char*>(data); bytes > 0 && !trouble_;) {
    const ssize_t sent = ::send(socket_, at, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return give_up("the process has ended");
    at += sent, bytes -= static_cast<std::size_t>(sent);
  }
}

void Worker::receive(void* data, std::size_t bytes) {
  for (auto* at = static_cast<char*>(data); bytes > 0 && !trouble_;) {
    const ssize_t got = read(socket_, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return give_up("the process has ended");
    at += got, bytes -= static_cast<std::size_t>(got);
  }
}

void Worker::say(const std::string& text) {
  send((text + "\n").data(), text.size() + 1);
}

std::string Worker::line() {
  std::string text;
  for (char c = 0; !trouble_;) {
    receive(&c, 1);
    if (c == '\n') break;
    text += c;
  }
  return text;
}

void Worker::expect_ok() {
  if (trouble_) return;
  if (const std::string answer = line(); answer != "ok") complaint_ = answer;
}

}  // namespace furrow::bench
