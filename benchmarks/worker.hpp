#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// Another process that does kernels, on arrays of its own, and obeys by lines on its standard input and output: see
/// peers/python_peers.py, which describes the lines. It ends with this object. Once something has gone wrong it is not asked again.
class Worker {
 public:
  /// Starts `command`, found on the path. Never throws for what the process does; trouble() says it.
  explicit Worker(const std::vector<std::string>& command);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Whether its peer of this name has the kernel; nothing once there is trouble.
  bool has(std::string_view peer, std::string_view kernel) const;
  /// Why peers are missing.
  const std::vector<std::string>& notes() const { return notes_; }
  /// What went wrong for good: the process ended, or does not make sense. Nothing if all is well.
  const std::optional<std::string>& trouble() const { return trouble_; }

  /// CPU time that it has used; 0 once it has ended.
  double cpu_seconds() const;

  /// Gives it arrays equal to these.
  void load(table::Operands& operands);
  /// So many calls of the kernel.
  void run(std::string_view peer, std::string_view kernel, std::size_t calls);
  /// Fetches its output and result.
  void store(table::Operands& operands);
  /// What went wrong since load(): the kernel's own complaint, or trouble().
  std::optional<std::string> fault() const { return trouble_ ? trouble_ : complaint_; }

 private:
  void give_up(const std::string& what);
  void send(const void* data, std::size_t bytes);
  void receive(void* data, std::size_t bytes);
  void say(const std::string& line);
  std::string line();
  void expect_ok();

  int socket_ = -1;
  pid_t process_ = -1;
  std::vector<std::string> kernels_;  ///< "numpy/add"
  std::vector<std::string> notes_;
  std::optional<std::string> trouble_;
  std::optional<std::string> complaint_;
};

}  // namespace furrow::bench
