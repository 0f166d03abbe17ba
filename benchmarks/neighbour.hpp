#pragma once

#include <sys/types.h>

namespace furrow::bench {

/// A second process that keeps one core busy for as long as this lives; it dies with this process too.
class Neighbour {
 public:
  /// Throws Error if the system refuses another process.
  Neighbour();
  ~Neighbour();
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

 private:
  pid_t process_;
};

}  // namespace furrow::bench
