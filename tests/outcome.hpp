#pragma once

#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow {

/// What a kernel of the table left, as bytes.
struct Outcome {
  std::vector<unsigned char> out;
  table::Operands::Result result;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline Outcome outcome(const table::Operands& x) {
  return {{x.out_bytes().begin(), x.out_bytes().end()}, x.result()};
}

}  // namespace furrow
