#include "furrow/kernels/selection.hpp"

#include <string>

#include "furrow/engine/error.hpp"

namespace furrow::selection {

void too_small(const char* call, std::size_t size) {
  fail(std::string(call) + ": more elements are kept than the " + std::to_string(size) +
       " that the output has room for; give one as large as the input. What it holds now is unspecified");
}

void bad_index(const char* call, std::uint64_t index, std::size_t position, std::size_t size) {
  const auto shown =
      static_cast<std::int64_t>(index) < 0 ? std::to_string(static_cast<std::int64_t>(index)) : std::to_string(index);
  fail(std::string(call) + ": index " + shown + " at position " + std::to_string(position) + " is not below the size, " +
       std::to_string(size));
}

}  // namespace furrow::selection
