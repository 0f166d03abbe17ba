#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {

/// The buffers that all candidates of a kernel, type and size work on, and the right answer to hold theirs against.
class Workspace {
 public:
  /// `engine` places the arrays and must outlive this.
  Workspace(Engine& engine, Type type, std::size_t n);

  /// Puts this kernel's inputs in place.
  void place_inputs(const table::Kernel& kernel);

  /// The same, and works out the kernel's answer by the naive reference, for fault() and same_bits().
  void prepare(const table::Kernel& kernel);

  /// Restores what the output and the result held before, so that whoever writes nothing is found out.
  void reset();

  /// What is wrong with what the latest run left, or nothing. `exact`: bit for bit; otherwise floating-point numbers may be off by
  /// what reordered and contracted operations can do to them.
  std::optional<std::string> fault(bool exact);

  /// Whether the latest run left the reference's answer, bit for bit.
  bool same_bits();

  table::Operands& operands() { return operands_; }
  /// Which prepare() was given.
  const table::Kernel& kernel() const { return *kernel_; }

  /// Bytes of memory that a workspace takes.
  static std::size_t bytes(Type type, std::size_t n) { return 5 * type_bytes(type) * n; }

 private:
  // Checking is shared out: the largest arrays take longer to compare than to compute.
  std::size_t pieces() const;
  Range elements(std::size_t piece) const;

  template <class T>
  double sum_of_sizes();
  template <class T>
  double tolerance_of_result(T expected) const;
  template <class T>
  double tolerance_of_sums();
  template <class T>
  bool of_another_law();
  template <class T>
  bool parted_as_expected();
  template <class T>
  std::optional<std::string> fault_in(bool exact);

  Engine& engine_;
  table::Operands operands_;
  const table::Kernel* kernel_ = nullptr;
  void (*inputs_)(table::Operands&) = nullptr;  ///< what made the inputs that are there
  std::vector<unsigned char> initial_out_;
  std::vector<unsigned char> expected_out_;  ///< empty for reductions
  double sizes_ = 0;                         ///< bounds the sum of the sizes of what any reduction adds up
  table::Operands::Result initial_result_{};
  table::Operands::Result expected_result_{};
};

}  // namespace furrow::bench
