#pragma once

#include <cerrno>
#include <cstddef>

#include <sys/types.h>
#include <unistd.h>

namespace furrow {

/// Writes so many bytes to a descriptor, whatever signals come. Returns 0, or the errno that it failed with.
inline int write_all(int descriptor, const void* data, std::size_t bytes) {
  const auto* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t wrote = ::write(descriptor, next, bytes);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    next += wrote;
    bytes -= static_cast<std::size_t>(wrote);
  }
  return 0;
}

}  // namespace furrow
