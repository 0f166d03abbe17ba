#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace furrow::tools {

/// What a trace of furrow's comes to. Times are in seconds.
struct TraceSummary {
  /// Calls of one name that do not stand inside another call.
  struct Kernel {
    std::string name;
    std::size_t calls = 0;
    double seconds = 0;
    double bytes = 0;       ///< 0: not known
    double parallel = 0;    ///< seconds of it with more than one thread
    double serial_sum = 0;  ///< seconds that the work of the parallel parts took on all threads together
  };
  struct Thread {
    std::int64_t id = 0;
    std::string name;
    double working = 0;  ///< in tasks, nodes, serial kernels and submitted work
    double waiting = 0;  ///< in calls, for other threads
    double outside = 0;  ///< of a thread that makes calls its own work, of others idleness
  };
  /// Parallel calls of one kernel and size that took no less time than their work would have on one thread.
  struct Loss {
    std::string name;
    std::uint64_t elements = 0;  ///< or tasks, of a bulk()
    std::size_t calls = 0;
    std::size_t of = 0;     ///< parallel calls of that name and size
    double seconds = 0;     ///< of the losing calls
    double serial_sum = 0;  ///< and of their work
  };

  double wall = 0;
  std::size_t events = 0;
  std::size_t dropped = 0;
  std::vector<Kernel> kernels;  ///< the longest first
  std::size_t nested_calls = 0;
  double outside = 0;  ///< no thread was in a call
  double overlap = 0;  ///< counted more than once in `kernels`, because calls ran at the same time
  std::vector<Thread> threads;
  int cores = 1;  ///< the most threads that took part in one call
  // The least time that the run would take on any number of cores, cut as it is: its parts.
  double path_outside = 0;  ///< between calls
  double path_serial = 0;   ///< in calls, on one thread
  double path_tasks = 0;    ///< the longest task of each parallel part, the longest chain of nodes of each graph
  std::vector<Loss> losses;

  double total() const;  ///< of kernels and what is outside: the wall time
  double critical_path() const { return path_outside + path_serial + path_tasks; }
};

/// Reads the trace called `name` in messages. Throws Error if it is no JSON, is cut short, or is no trace of furrow's.
TraceSummary summarize_trace(std::istream& file, const std::string& name);

}  // namespace furrow::tools
