#include "furrow/kernels/axis_reductions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/simd/axis_reductions.hpp"
#include "furrow/kernels/simd/kernels.hpp"
#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

/// Lines of fewer elements are reduced several at a time even where their elements lie side by side.
constexpr std::size_t kLongLine = 16;
/// What the totals of columns that are reduced at once take, in all lanes: they stay in the first-level cache.
constexpr std::size_t kTotalBytes = 32768;
constexpr std::size_t kMostColumns = 1024;
constexpr std::size_t kFewestColumns = 16;
/// Lines that are copied side by side to be reduced as columns, and about as many elements of them.
constexpr std::size_t kCopiedLines = 32;
constexpr std::size_t kCopiedElements = 4096;

/// One of the lines.
template <class T>
struct Line {
  const T* data;
  std::size_t length;
  std::ptrdiff_t stride;
};

/// Lines and their results, numbered through: the second axis is the inner one.
template <class T, class R>
class Work {
 public:
  Work(const Lines<T>& lines, const LineResults<R>& results) : lines_(lines), results_(results) {
    auto& [outer, inner] = lines_.counts;
    const auto distance = [&](std::size_t d) { return std::abs(lines_.strides[d]); };
    if (inner == 1 || (outer > 1 && distance(0) < distance(1))) {
      std::swap(outer, inner);
      std::swap(lines_.strides[0], lines_.strides[1]);
      std::swap(results_.strides[0], results_.strides[1]);
    }
    const auto step = static_cast<std::ptrdiff_t>(inner);
    if (lines_.strides[0] == step * lines_.strides[1] && results_.strides[0] == step * results_.strides[1])
      inner *= std::exchange(outer, 1);
  }

  std::size_t length() const { return lines_.length; }
  std::ptrdiff_t stride() const { return lines_.stride; }
  std::size_t outer() const { return lines_.counts[0]; }
  std::size_t inner() const { return lines_.counts[1]; }
  std::ptrdiff_t inner_stride() const { return lines_.strides[1]; }
  std::size_t count() const { return outer() * inner(); }

  /// visit(first element, where its result goes, how many) for each of the runs of equal distances that make up `count` lines from
  /// the first-th on.
  template <class Visit>
  void for_runs(std::size_t first, std::size_t count, const Visit& visit) const {
    while (count > 0) {
      const auto o = static_cast<std::ptrdiff_t>(first / inner());
      const auto i = static_cast<std::ptrdiff_t>(first % inner());
      const std::size_t run = std::min(count, inner() - first % inner());
      visit(lines_.data + o * lines_.strides[0] + i * lines_.strides[1],
            results_.data + o * results_.strides[0] + i * results_.strides[1], run);
      first += run;
      count -= run;
    }
  }

  /// out = finish(total, line, out) for `count` lines from the first-th on.
  template <class S, class Finish>
  void finish(std::size_t first, std::size_t count, const S* totals, const Finish& finish) const {
    for_runs(first, count, [&](const T* data, R* out, std::size_t run) {
      const auto one = [&](std::size_t l, R& result) {
        const T* const line = data + static_cast<std::ptrdiff_t>(l) * lines_.strides[1];
        result = finish(totals[l], Line<T>{line, lines_.length, lines_.stride}, result);
      };
      if (results_.strides[1] == 1)  // which compilers make vectors of
        for (std::size_t l = 0; l < run; ++l) one(l, out[l]);
      else
        for (std::size_t l = 0; l < run; ++l) one(l, out[static_cast<std::ptrdiff_t>(l) * results_.strides[1]]);
      totals += run;
    });
  }

 private:
  Lines<T> lines_;
  LineResults<R> results_;
};

/// How the elements of lines are come by.
enum class Way {
  lines,    ///< each line on its own: its elements lie side by side
  columns,  ///< inner lines side by side: their first elements lie side by side, then their second ones, …
  copied,   ///< some lines at a time, copied so that they are columns
};

/// The cut of the work into cells: some lines next to each other, and of each the elements of one chunk of the named reductions.
struct Cells {
  Way way;
  std::size_t width;   ///< lines of a cell, or fewer where the inner axis (of columns) or all lines end
  std::size_t blocks;  ///< of so many lines
  std::size_t chunks;  ///< of a line
  std::size_t lanes;
  std::size_t rows;  ///< elements of a line that are reduced at once

  std::size_t count() const { return blocks * chunks; }
};

template <class T, class S, class R>
Cells cut(const Work<T, R>& work, bool ordered, std::size_t threads) {
  constexpr std::size_t kLanes = simd::kLanes<S>;
  const std::size_t length = std::min(work.length(), kReductionChunk);
  Cells cells{};
  cells.chunks = (work.length() - 1) / kReductionChunk + 1;
  cells.lanes = std::min(kLanes, std::bit_ceil(length));
  const std::size_t columns = std::min(kTotalBytes / (cells.lanes * sizeof(S)), kMostColumns);
  const bool side_by_side = work.stride() == static_cast<std::ptrdiff_t>(work.inner()) && work.inner() <= columns;
  cells.rows = simd::kRows * kLanes;
  const auto divided = [](std::size_t n, std::size_t by) { return (n - 1) / by + 1; };
  if (work.stride() == 1 && work.length() >= kLongLine) {
    cells.way = Way::lines;
    cells.width = std::max<std::size_t>(kReductionChunk / length, 1);
    cells.blocks = divided(work.count(), cells.width);
  } else if (work.inner_stride() == 1 &&
             (work.inner() >= kFewestColumns || (side_by_side && length * work.inner() >= kReductionChunk / kFewestColumns))) {
    cells.way = Way::columns;
    cells.width = std::min(work.inner(), columns);
    const auto blocks = [&] { return work.outer() * divided(work.inner(), cells.width); };
    while (cells.width >= 2 * kFewestColumns && blocks() * cells.chunks < 4 * threads) cells.width /= 2;
    cells.blocks = blocks();
    if (!ordered && cells.width >= kFewestColumns) cells.lanes = 1;
  } else {
    cells.way = Way::copied;
    cells.width = std::min(work.count(), std::clamp(kCopiedElements / length, kCopiedLines, kCopiedElements / 8));
    cells.blocks = divided(work.count(), cells.width);
  }
  return cells;
}

/// Copies elements of `count` lines from the first-th on so that they are rows, side by side.
template <class T, class R>
void copy_columns(const Work<T, R>& work, std::size_t first, std::size_t count, Range part, T* to) {
  const std::ptrdiff_t stride = work.stride();
  const std::ptrdiff_t between = work.inner_stride();
  work.for_runs(first, count, [&](const T* data, R*, std::size_t run) {
    data += static_cast<std::ptrdiff_t>(part.begin) * stride;
    for (std::size_t row = 0; row < part.size(); ++row, data += stride)
      for (std::size_t l = 0; l < run; ++l) to[row * count + l] = data[static_cast<std::ptrdiff_t>(l) * between];
    to += run;
  });
}

/// out = finish(total, line, out) for each line: `columns` reduces several at once, whole(x, n) n <= kReductionChunk elements that
/// lie side by side.
template <class T, class S, class R, class Whole, class Finish>
void reduce(Engine& engine, Cost& cost, const Lines<T>& lines, const LineResults<R>& out,
            const simd::ColumnReduction<T, S>& columns, const Whole& whole, const Finish& finish) {
  const Work<T, R> work(lines, out);
  const Cells cells = cut<T, S>(work, columns.ordered, static_cast<std::size_t>(engine.concurrency()));
  const std::size_t per_outer = cells.way == Way::columns ? cells.blocks / work.outer() : cells.blocks;
  const std::size_t all = cells.way == Way::columns ? work.inner() : work.count();
  const std::unique_ptr<S[]> partials(cells.chunks > 1 ? new S[cells.chunks * work.count()] : nullptr);

  // A cell counts as so many elements, a power of two, that chunks begin with one.
  const std::size_t elements = std::min(work.length(), kReductionChunk) * cells.width;
  const auto shift = static_cast<unsigned>(std::bit_width(elements) - 1);
  const Chunks chunks(cells.count() << shift, sizeof(T), std::size_t{1} << shift);
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    const std::size_t room = cells.lanes * cells.width;
    const auto totals = std::make_unique_for_overwrite<S[]>(2 * room);
    S* const parts = totals.get() + room;
    const std::size_t copied = cells.way == Way::copied ? cells.width : 0;
    const auto copy = std::make_unique_for_overwrite<T[]>(std::min(cells.rows, work.length()) * copied);

    for (std::size_t cell = part.begin >> shift; cell < part.end >> shift; ++cell) {
      const std::size_t chunk = cell % cells.chunks;
      const std::size_t block = cell / cells.chunks;
      const std::size_t within = block % per_outer * cells.width;
      const std::size_t begin = block / per_outer * all + within;
      const std::size_t width = std::min(cells.width, all - within);
      const Range rows{chunk * kReductionChunk, std::min((chunk + 1) * kReductionChunk, work.length())};
      S* total = totals.get();
      if (cells.way == Way::lines) {
        work.for_runs(begin, width, [&](const T* data, R*, std::size_t run) {
          for (data += rows.begin; run > 0; --run, data += work.inner_stride()) *total++ = whole(data, rows.size());
        });
      } else {
        std::fill_n(total, cells.lanes * width, columns.nothing);
        const T* columns_begin = nullptr;
        work.for_runs(begin, 1, [&](const T* data, R*, std::size_t) { columns_begin = data; });
        for (std::size_t row = rows.begin; row < rows.end; row += cells.rows) {
          const Range some{row, std::min(row + cells.rows, rows.end)};
          if (cells.way == Way::copied) {
            copy_columns(work, begin, width, some, copy.get());
            columns.add(copy.get(), static_cast<std::ptrdiff_t>(width), some.size(), 0, width, cells.lanes, parts, total);
          } else {
            columns.add(columns_begin + static_cast<std::ptrdiff_t>(row) * work.stride(), work.stride(), some.size(),
                        rows.end - some.end, width, cells.lanes, parts, total);
          }
        }
        for (std::size_t half = cells.lanes / 2; half > 0; half /= 2) columns.join(total, total + half * width, half * width);
      }
      total = totals.get();
      if (partials)
        std::copy_n(total, width, partials.get() + chunk * work.count() + begin);
      else
        work.finish(begin, width, total, finish);
    }
  });
  if (!partials) return;
  // The tree of reductions::combine, all lines at once.
  const auto of_chunk = [&](std::size_t chunk) { return partials.get() + chunk * work.count(); };
  for (std::size_t width = 1; width < cells.chunks; width *= 2)
    for (std::size_t i = 0; i + width < cells.chunks; i += 2 * width) columns.join(of_chunk(i), of_chunk(i + width), work.count());
  work.finish(0, work.count(), partials.get(), finish);
}

/// The results of lines without elements.
template <class T, class R>
void fill(const Lines<T>& lines, const LineResults<R>& out, R value) {
  for (std::size_t o = 0; o < lines.counts[0]; ++o)
    for (std::size_t i = 0; i < lines.counts[1]; ++i)
      out.data[static_cast<std::ptrdiff_t>(o) * out.strides[0] + static_cast<std::ptrdiff_t>(i) * out.strides[1]] = value;
}

constexpr auto as_it_is = [](auto total, const auto&, const auto&) { return total; };

std::string shape(std::span<const std::size_t> extents) {
  std::string text;
  for (const std::size_t extent : extents) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text;
}

}  // namespace

void no_axis(const char* call, std::size_t index, std::size_t dimensions) {
  fail(std::string(call) + ": there is no axis " + std::to_string(index) + "; a view of " + std::to_string(dimensions) +
       " dimensions has the axes 0 to " + std::to_string(dimensions - 1));
}

void wrong_results(const char* call, std::size_t axis, std::span<const std::size_t> wanted, std::span<const std::size_t> given) {
  fail(std::string(call) + ": along axis " + std::to_string(axis) + " there are " + shape(wanted) +
       " results, and the output has room for " + shape(given) + "; give one of that shape");
}

void empty_lines(const char* call, std::size_t axis) {
  fail(std::string(call) + ": there are no elements along axis " + std::to_string(axis) +
       ", and an empty line has none; check the extent first");
}

template <LineElement T>
void sum(Engine& engine, const Lines<T>& lines, const LineResults<sum_t<T>>& out) {
  static constinit Cost cost;
  if (lines.length == 0) return fill(lines, out, sum_t<T>{0});
  reduce(engine, cost, lines, out, simd::column_reductions<T>().sum, simd::kernels<T>().sum, as_it_is);
}

template <LineElement T>
void min(Engine& engine, const Lines<T>& lines, const LineResults<T>& out) {
  static constinit Cost cost;
  reduce(engine, cost, lines, out, simd::column_reductions<T>().min, simd::kernels<T>().min, as_it_is);
}

template <LineElement T>
void max(Engine& engine, const Lines<T>& lines, const LineResults<T>& out) {
  static constinit Cost cost;
  reduce(engine, cost, lines, out, simd::column_reductions<T>().max, simd::kernels<T>().max, as_it_is);
}

template <LineElement T>
void mean(Engine& engine, const Lines<T>& lines, const LineResults<double>& out) {
  static constinit Cost cost;
  const auto n = static_cast<double>(lines.length);
  const auto divide = [n](auto total, const auto&, double) { return static_cast<double>(total) / n; };
  const simd::ColumnReductions<T>& columns = simd::column_reductions<T>();
  if constexpr (std::is_floating_point_v<T>) {
    reduce(engine, cost, lines, out, columns.sum_of_doubles, simd::kernels<T>().sum_of_doubles, divide);
  } else if constexpr (sizeof(T) == 4) {
    reduce(engine, cost, lines, out, columns.sum, simd::kernels<T>().sum, divide);
  } else {
    if (lines.length >> 32 != 0) fail("mean: lines of 2^32 and more 64-bit integers are not possible; take the mean of parts");
    const auto half = simd::block_reductions().half_sums;
    // Sums of the upper halves wait where the results go.
    reduce(
        engine, cost, lines, out, columns.sum_of_high_halves, [half](const T* x, std::size_t size) { return half(x, size)[0]; },
        [](std::int64_t high, const auto&, double) { return std::bit_cast<double>(high); });
    reduce(
        engine, cost, lines, out, columns.sum_of_low_halves, [half](const T* x, std::size_t size) { return half(x, size)[1]; },
        [n](std::int64_t low, const auto&, double high) {
          return static_cast<double>(Wide{std::bit_cast<std::int64_t>(high)} * (Wide{1} << 32) + static_cast<std::uint64_t>(low)) /
                 n;
        });
  }
}

template <std::floating_point T>
void norm1(Engine& engine, const Lines<T>& lines, const LineResults<T>& out) {
  static constinit Cost cost;
  if (lines.length == 0) return fill(lines, out, T{0});
  reduce(engine, cost, lines, out, simd::column_reductions<T>().sum_of_magnitudes, simd::kernels<T>().sum_of_magnitudes, as_it_is);
}

template <std::floating_point T>
void norm_inf(Engine& engine, const Lines<T>& lines, const LineResults<T>& out) {
  static constinit Cost cost;
  if (lines.length == 0) return fill(lines, out, T{0});
  reduce(engine, cost, lines, out, simd::column_reductions<T>().max_magnitude, simd::reductions<T>().max_magnitude, as_it_is);
}

template <std::floating_point T>
void norm2(Engine& engine, const Lines<T>& lines, const LineResults<T>& out) {
  static constinit Cost cost;
  if (lines.length == 0) return fill(lines, out, T{0});
  const auto dot = simd::kernels<T>().dot;
  reduce(
      engine, cost, lines, out, simd::column_reductions<T>().sum_of_squares,
      [dot](const T* x, std::size_t n) { return dot(x, x, n); },
      [](T squares, const Line<T>& line, T) {
        if (squares_are_safe(squares, line.length)) return std::sqrt(squares);
        std::vector<T> copy(line.length);
        for (std::size_t i = 0; i < line.length; ++i) copy[i] = line.data[static_cast<std::ptrdiff_t>(i) * line.stride];
        Engine serial("serial");
        return norm2<T>(serial, std::span<const T>(copy));
      });
}

#define FURROW_INSTANTIATE(T)                                                \
  template void sum(Engine&, const Lines<T>&, const LineResults<sum_t<T>>&); \
  template void mean(Engine&, const Lines<T>&, const LineResults<double>&);  \
  template void min(Engine&, const Lines<T>&, const LineResults<T>&);        \
  template void max(Engine&, const Lines<T>&, const LineResults<T>&);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                                           \
  template void norm1(Engine&, const Lines<T>&, const LineResults<T>&); \
  template void norm2(Engine&, const Lines<T>&, const LineResults<T>&); \
  template void norm_inf(Engine&, const Lines<T>&, const LineResults<T>&);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
