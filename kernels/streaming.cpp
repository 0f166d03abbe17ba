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

#if defined(__SSE2__)

void stream_copy(void* target, const void* source, std::size_t bytes) {
  auto* to = static_cast<char*>(target);
  const auto* from = static_cast<const char*>(source);
  // Whole lines only: a line streamed in parts goes to memory in parts.
  constexpr std::size_t kLine = 64;
  const std::size_t head = std::min(bytes, (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, head);
  to += head, from += head, bytes -= head;
  for (; bytes >= kLine; to += kLine, from += kLine, bytes -= kLine) {
    // Four 16-byte stores fill the line before it leaves, as well as one of 64 bytes would; every x86-64 has them.
    const auto* lanes = reinterpret_cast<const __m128i*>(from);
    auto* out = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(lanes);
    const __m128i b = _mm_loadu_si128(lanes + 1);
    const __m128i c = _mm_loadu_si128(lanes + 2);
    const __m128i d = _mm_loadu_si128(lanes + 3);
    _mm_stream_si128(out, a);
    _mm_stream_si128(out + 1, b);
    _mm_stream_si128(out + 2, c);
    _mm_stream_si128(out + 3, d);
  }
  std::memcpy(to, from, bytes);
}

void stream_fence() {
  _mm_sfence();
}

#else

void stream_copy(void* target, const void* source, std::size_t bytes) {
  std::memcpy(target, source, bytes);
}
void stream_fence() {}

#endif

}  // namespace furrow
