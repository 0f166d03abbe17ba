#include "furrow/engine/warning.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <set>

#include "furrow/engine/error.hpp"

namespace furrow {
namespace {

void print(const char* message) {
  std::fprintf(stderr, "furrow: warning: %s\n", message);
}

std::atomic<WarningHandler> current{&print};

}  // namespace

WarningHandler set_warning_handler(WarningHandler handler) {
  return current.exchange(handler);
}

void warn_once(const std::string& message) {
  static std::mutex mutex;
  static auto& said = *new std::set<std::string>;  // never destroyed: warnings may come from static destructors
  const std::lock_guard lock(mutex);
  if (!said.insert(message).second) return;
  if (const WarningHandler handler = current.load()) handler(message.c_str());
}

void fail(const std::string& message) {
  throw Error(message);
}

}  // namespace furrow
