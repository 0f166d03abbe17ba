// This file's HWY_NAMESPACE is compiled once for each instruction set, as that of simd.cpp is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "furrow/kernels/selection/transposing.cpp"
// clang-format off
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <utility>

#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/kernels/selection/transposing.hpp"
#include "furrow/kernels/simd/instruction_set_tables.hpp"
#include "furrow/kernels/streaming.hpp"

#ifndef FURROW_KERNELS_TRANSPOSING_ONCE
#define FURROW_KERNELS_TRANSPOSING_ONCE
namespace furrow::selection {

struct Turning {
  void (*of_8_bits)(const Turn<std::uint8_t>&, bool);
  void (*of_16_bits)(const Turn<std::uint16_t>&, bool);
  void (*of_32_bits)(const Turn<std::uint32_t>&, bool);
  void (*of_64_bits)(const Turn<std::uint64_t>&, bool);
};

}  // namespace furrow::selection
#endif

HWY_BEFORE_NAMESPACE();
namespace furrow::selection::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class Word>
HWY_INLINE void turn_element_by_element(const Turn<Word>& part, std::size_t top, std::size_t bottom, std::size_t left,
                                        std::size_t right) {
  for (std::size_t j = left; j < right; ++j)
    for (std::size_t i = top; i < bottom; ++i)
      part.out[static_cast<std::ptrdiff_t>(j) * part.out_stride + static_cast<std::ptrdiff_t>(i)] =
          part.in[static_cast<std::ptrdiff_t>(i) * part.in_stride + static_cast<std::ptrdiff_t>(j)];
}

#if HWY_TARGET != HWY_SCALAR
/// Swaps what stands on either side of the diagonals of the squares of 16 bytes that the rows consist of.
template <class D, class V>
HWY_INLINE void turn_blocks(D d, V* rows) {
  constexpr std::size_t kRows = 16 / sizeof(hn::TFromD<D>);
#pragma GCC unroll 4
  for (std::size_t step = 1; step < kRows; step *= 2) {  // each row meets the one half the square away
    V next[kRows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + kRows / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + kRows / 2]);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) rows[i] = next[i];
  }
}

/// A square of as many rows as a register has elements.
template <class D>
HWY_INLINE void turn_square(D d, const hn::TFromD<D>* in, std::ptrdiff_t in_stride, hn::TFromD<D>* out, std::ptrdiff_t out_stride,
                            bool stream) {
  using V = hn::Vec<D>;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kRows = 16 / sizeof(hn::TFromD<D>);
  V rows[N];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < N; ++i) rows[i] = hn::LoadU(d, in + static_cast<std::ptrdiff_t>(i) * in_stride);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; i += kRows) turn_blocks(d, rows + i);
  if constexpr (N == 4 * kRows) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N; ++i) {
      if ((i & kRows) != 0) continue;
      const V a = rows[i];
      const V b = rows[i + kRows];
      rows[i] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a);
      rows[i + kRows] = hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a));
    }
  }
  if constexpr (N >= 2 * kRows) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N / 2; ++i) {
      const V a = rows[i];
      const V b = rows[i + N / 2];
      rows[i] = hn::ConcatLowerLower(d, b, a);
      rows[i + N / 2] = hn::ConcatUpperUpper(d, b, a);
    }
  }
  if (stream) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N; ++i) hn::Stream(rows[i], d, out + static_cast<std::ptrdiff_t>(i) * out_stride);
  } else {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N; ++i) hn::StoreU(rows[i], d, out + static_cast<std::ptrdiff_t>(i) * out_stride);
  }
}
#endif

/// Squares of a line of the cache: each line is read once and written at once, so that strides which put all of them in one set of
/// the cache do no harm.
template <class Word>
void turn_words(const Turn<Word>& part, [[maybe_unused]] bool stream) {
  std::size_t bottom = 0;
  std::size_t right = 0;
#if HWY_TARGET != HWY_SCALAR
  // No more rows than there are registers for.
  const hn::CappedTag<Word, (sizeof(Word) <= 2 ? 16 / sizeof(Word) : 64 / sizeof(Word))> d;
  constexpr std::size_t N = hn::MaxLanes(d);
  constexpr std::size_t kLine = 64 / sizeof(Word);
  bottom = part.rows / kLine * kLine;
  right = part.columns / kLine * kLine;
  for (std::size_t left = 0; left < right; left += kLine)
    for (std::size_t top = 0; top < bottom; top += kLine)
      for (std::size_t j = left; j < left + kLine; j += N)  // so that few lines are begun before they are whole
        for (std::size_t i = top; i < top + kLine; i += N)
          turn_square(d, part.in + static_cast<std::ptrdiff_t>(i) * part.in_stride + j, part.in_stride,
                      part.out + static_cast<std::ptrdiff_t>(j) * part.out_stride + i, part.out_stride, stream);
#endif
  turn_element_by_element(part, bottom, part.rows, 0, right);
  turn_element_by_element(part, 0, part.rows, right, part.columns);
}

constexpr Turning kTurning{turn_words<std::uint8_t>, turn_words<std::uint16_t>, turn_words<std::uint32_t>,
                           turn_words<std::uint64_t>};

}  // namespace
}  // namespace furrow::selection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow::selection {
namespace {

constexpr Built<Turning> kBuilt[] = {FURROW_TABLES(kTurning)};

const Turning& chosen_turning() {
  static const Turning& turning = chosen_of<Turning>(kBuilt);
  return turning;
}

/// In bands of rows that become two lines of each row of the output: they are read side by side, to the end, as memory is read
/// ahead. Longer pieces of the output's rows would mean more rows to read at once than are read ahead for.
template <class Word>
void transpose(Engine& engine, Cost& cost, const Turn<Word>& whole, void (*turn)(const Turn<Word>&, bool)) {
  constexpr std::size_t kLine = 64 / sizeof(Word);
  constexpr std::size_t kBand = 2 * kLine;
  constexpr std::size_t kAcross = 128;
  constexpr std::size_t kInBuffer = 8 * kLine;  // rows
  const bool stream = worth_streaming(2 * whole.rows * whole.columns * sizeof(Word));
  const bool whole_lines = whole.out_stride % static_cast<std::ptrdiff_t>(kLine) == 0;
  const std::size_t band = stream && !whole_lines ? kInBuffer : kBand;
  const std::size_t across = (whole.columns + kAcross - 1) / kAcross;
  // What of the first lines belongs to others goes with the first band.
  const std::size_t lead = (64 - reinterpret_cast<std::uintptr_t>(whole.out) % 64) % 64 / sizeof(Word);
  const Chunks tiles((whole.rows + band - 1) / band * across, band * kAcross * sizeof(Word));
  const auto part_of = [&](std::size_t top, std::size_t rows, std::size_t left, std::size_t columns) {
    return Turn<Word>{whole.in + static_cast<std::ptrdiff_t>(top) * whole.in_stride + left,   whole.in_stride, rows, columns,
                      whole.out + static_cast<std::ptrdiff_t>(left) * whole.out_stride + top, whole.out_stride};
  };
  engine.over_chunks(tiles, cost, [&](std::size_t first, std::size_t last) {
    const Range range = tiles.elements(first, last);
    for (std::size_t t = range.begin; t < range.end; ++t) {
      const std::size_t left = t % across * kAcross;
      const std::size_t columns = std::min(kAcross, whole.columns - left);
      const std::size_t begin = t / across * band;
      if (stream && !whole_lines) {
        alignas(64) Word buffer[kAcross * kInBuffer];
        Turn<Word> part = part_of(begin, std::min(band, whole.rows - begin), left, columns);
        Word* const out = std::exchange(part.out, buffer);
        part.out_stride = kInBuffer;
        turn(part, false);
        for (std::size_t j = 0; j < columns; ++j)
          stream_copy(out + static_cast<std::ptrdiff_t>(j) * whole.out_stride, buffer + j * kInBuffer, part.rows * sizeof(Word));
        continue;
      }
      const std::size_t top = std::min(begin + lead, whole.rows);
      const std::size_t bottom = std::min(begin + band + lead, whole.rows);
      if (begin == 0) turn(part_of(0, top, left, columns), false);
      turn(part_of(top, bottom - top, left, columns), stream);
    }
    if (stream) stream_fence();
  });
}

}  // namespace

void transpose(Engine& engine, Cost& cost, const Turn<std::uint8_t>& whole) {
  transpose(engine, cost, whole, chosen_turning().of_8_bits);
}
void transpose(Engine& engine, Cost& cost, const Turn<std::uint16_t>& whole) {
  transpose(engine, cost, whole, chosen_turning().of_16_bits);
}
void transpose(Engine& engine, Cost& cost, const Turn<std::uint32_t>& whole) {
  transpose(engine, cost, whole, chosen_turning().of_32_bits);
}
void transpose(Engine& engine, Cost& cost, const Turn<std::uint64_t>& whole) {
  transpose(engine, cost, whole, chosen_turning().of_64_bits);
}

}  // namespace furrow::selection
#endif  // HWY_ONCE
