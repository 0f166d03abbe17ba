#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/sorting/radix_keys.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow::sorting {

/// Writes records to many places in turn: lines are gathered in cache and leave whole, past the cache if they are streamed.
template <class R>
class LineWriter {
 public:
  LineWriter(R* to, const std::size_t* begins, std::size_t places, bool stream)
      : shift_(reinterpret_cast<std::uintptr_t>(to) / sizeof(R) % kPerLine),
        to_(to - shift_),
        stream_(stream),
        next_(begins, begins + places),
        begin_(next_),
        lines_(places * kPerLine) {
    for (std::size_t& place : next_) place += shift_;
    for (std::size_t& place : begin_) place += shift_;
  }
  void write(std::size_t place, const R& record) {
    const std::size_t at = next_[place]++;
    const std::size_t slot = at % kPerLine;
    R* const line = lines_.data() + place * kPerLine;
    line[slot] = record;
    if (slot == kPerLine - 1) flush(place, line, at + 1 - kPerLine);
  }
  void finish() {
    for (std::size_t place = 0; place < next_.size(); ++place) {
      const std::size_t start = next_[place] / kPerLine * kPerLine;
      const std::size_t from = std::max(start, begin_[place]);
      std::copy(lines_.data() + place * kPerLine + (from - start), lines_.data() + place * kPerLine + (next_[place] - start),
                to_ + from);
    }
    if (stream_) stream_fence();
  }

 private:
  static constexpr std::size_t kPerLine = 64 / sizeof(R);

  void flush(std::size_t place, const R* line, std::size_t start) {
    if (start < begin_[place]) {  // what comes before belongs to another
      std::copy(line + (begin_[place] - start), line + kPerLine, to_ + begin_[place]);
      return;
    }
#if defined(__SSE2__)
    if (stream_) {
      const auto* const from = reinterpret_cast<const __m128i*>(line);
      auto* const to = reinterpret_cast<__m128i*>(to_ + start);
      for (int i = 0; i < 4; ++i) _mm_stream_si128(to + i, _mm_load_si128(from + i));
      return;
    }
#endif
    std::copy_n(line, kPerLine, to_ + start);
  }

  std::size_t shift_;
  R* to_;
  bool stream_;
  std::vector<std::size_t> next_;
  std::vector<std::size_t> begin_;
  Scratch<R> lines_;
};

}  // namespace furrow::sorting
