#include "furrow/kernels/streaming.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "furrow/engine/machine.hpp"
#include "furrow/kernels/simd/kernels.hpp"

namespace furrow {

namespace {

/// $FURROW_STREAMING=off is for measuring what streaming is worth.
std::size_t limit_of_process() {
  const char* const streaming = std::getenv("FURROW_STREAMING");
  if (streaming != nullptr && std::string_view(streaming) == "off") return std::numeric_limits<std::size_t>::max();
  return machine().stream_above();
}

}  // namespace

bool worth_streaming(std::size_t bytes) {
  static const std::size_t limit = limit_of_process();
  return bytes > limit;
}

void stream_copy(void* target, const void* source, std::size_t bytes) {
  auto* to = static_cast<unsigned char*>(target);
  const auto* from = static_cast<const unsigned char*>(source);
  // Whole lines only: a line streamed in parts goes to memory in parts.
  constexpr std::size_t kLine = 64;
  const std::size_t head = std::min(bytes, (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine);
  const std::size_t lines = (bytes - head) / kLine * kLine;
  const std::size_t rest = bytes - head - lines;
  if (head != 0) std::memcpy(to, from, head);
  simd::stream_lines(to + head, from + head, lines);
  if (rest != 0) std::memcpy(to + head + lines, from + head + lines, rest);
}

void stream_fence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace furrow
