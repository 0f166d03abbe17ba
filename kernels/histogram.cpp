#include "furrow/kernels/histogram.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <string>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/byte_counts.hpp"
#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/reductions.hpp"

namespace furrow::named {
namespace {

constexpr std::size_t kShortestChunk = 1024;

/// The counts that one task makes, in several tables if they are small: elements in a row go to one after the other, so that equal
/// ones need not wait until the count before is stored.
class Tables {
 public:
  Tables(std::size_t bins, std::size_t elements)
      : bins_(bins), tables_(bins <= kSmall && elements / kTables >= bins ? kTables : 1), counts_(bins_ * tables_) {}

  /// Counts bin(0) … bin(n - 1), which are less than the number of bins.
  template <class Bin>
  void count(std::size_t n, const Bin& bin) {
    std::uint32_t* const counts = counts_.data();
    std::size_t i = 0;
    if (tables_ == kTables) {
      const std::size_t bins = bins_;
      for (; i + kTables <= n; i += kTables) {
#pragma GCC unroll 8
        for (std::size_t t = 0; t < kTables; ++t) ++counts[t * bins + bin(i + t)];
      }
    }
    for (; i < n; ++i) ++counts[bin(i)];
  }

  std::size_t operator[](std::size_t bin) const {
    std::size_t all = 0;
    for (std::size_t t = 0; t < tables_; ++t) all += counts_[t * bins_ + bin];
    return all;
  }

 private:
  static constexpr std::size_t kTables = 8;
  static constexpr std::size_t kSmall = 1024;  // bins whose tables fit the first-level cache

  std::size_t bins_;
  std::size_t tables_;
  std::vector<std::uint32_t> counts_;
};

/// counts[k] = how often what for_each(part, use) makes of all parts of [0, n) is k. It calls use(m, bin) for some elements of a
/// part at a time, whose bins are bin(0) … bin(m - 1); those from counts.size() to `bins` (not included) are forgotten. Counts are
/// whole numbers, so their order does not matter.
template <class T, class ForEach>
void count(Engine& engine, Cost& cost, std::size_t n, std::span<std::size_t> counts, std::size_t bins, const ForEach& for_each) {
  constexpr std::size_t kMost = std::size_t{1} << 31;  // elements until a count of 32 bits could be full
  std::ranges::fill(counts, std::size_t{0});
  const Chunks chunks(n, sizeof(T), kShortestChunk);
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range all = chunks.elements(first, last);
    const auto add = [counts](std::size_t bin, std::size_t more) {
      std::atomic_ref(counts[bin]).fetch_add(more, std::memory_order_relaxed);
    };
    // A table of its own would cost a short part more than it saves.
    if (all.size() < counts.size())
      return for_each(all, [&](std::size_t m, const auto& bin) {
        for (std::size_t i = 0; i < m; ++i)
          if (const std::size_t k = bin(i); k < counts.size()) add(k, 1);
      });
    for (std::size_t begin = all.begin; begin < all.end; begin += kMost) {
      const Range part{begin, std::min(all.end, begin + kMost)};
      Tables own(bins, part.size());
      for_each(part, [&](std::size_t m, const auto& bin) { own.count(m, bin); });
      for (std::size_t bin = 0; bin < counts.size(); ++bin)
        if (const std::size_t more = own[bin]; more > 0) add(bin, more);
    }
  });
}

/// The bins of a histogram.
struct Bins {
  Bins(std::size_t count, double from, double to) : bins(count), low(from), high(to) {
    if (bins == 0) fail("histogram: there are no bins; give it room for one count at least");
    scale = static_cast<double>(bins) / (high - low);
    if (!(low < high) || !std::isfinite(high - low) || !std::isfinite(scale))
      fail("histogram: " + std::to_string(bins) + " bins from " + std::to_string(low) + " to " + std::to_string(high) +
           " are not possible; the interval must be finite and not empty");
    width = (high - low) / static_cast<double>(bins);
  }

  double begin(std::size_t bin) const { return low + static_cast<double>(bin) * width; }

  /// Whether roundings are small beside a bin: those of an edge, of the size of the ends, and of a number's place among the bins.
  bool are_wide() const {
    constexpr double kRounding = 0x1p-50;  // of a few operations
    const double edges = kRounding * std::max(std::abs(low), std::abs(high)) / width;
    return std::max(edges, kRounding * static_cast<double>(bins)) < simd::kCloseToEdge / 2 && bins < std::size_t{1} << 31;
  }

  /// That of v; `bins` if it lies in none.
  std::size_t of(double v) const {
    if (!(v >= low && v <= high)) return bins;
    // Right but for rounding, which the edges then decide.
    std::size_t bin = std::min(bins - 1, static_cast<std::size_t>((v - low) * scale));
    while (v < begin(bin)) --bin;
    while (bin + 1 < bins && v >= begin(bin + 1)) ++bin;
    return bin;
  }

  std::size_t bins;
  double low;
  double high;
  double scale;
  double width;
};

[[noreturn]] void not_countable(std::size_t i, std::int64_t value, std::size_t bins) {
  fail("bincount: element " + std::to_string(i) + " is " + std::to_string(value) + ", and there are counts for 0 to " +
       std::to_string(bins) + " (not included)");
}

template <class T>
constexpr bool is_byte = std::same_as<T, std::uint8_t>;

}  // namespace

std::array<std::size_t, 256> byte_counts(Engine& engine, Cost& cost, std::span<const std::uint8_t> x) {
  std::array<std::size_t, 256> counts;
  count<std::uint8_t>(engine, cost, x.size(), counts, counts.size(), [x](Range part, const auto& use) {
    use(part.size(), [at = x.data() + part.begin](std::size_t i) { return std::size_t{at[i]}; });
  });
  return counts;
}

template <NamedElement T>
void histogram(Engine& engine, std::span<const T> x, std::span<std::size_t> counts, double low, double high) {
  static constinit Cost cost("histogram", type_code(type_of<T>));
  check::apart("histogram", x, counts);
  const Bins bins(counts.size(), low, high);
  if constexpr (is_byte<T>) {
    const auto values = byte_counts(engine, cost, x);
    std::ranges::fill(counts, std::size_t{0});
    for (std::size_t v = 0; v < values.size(); ++v)
      if (const std::size_t bin = bins.of(static_cast<double>(v)); bin < counts.size()) counts[bin] += values[v];
  } else {
    const bool by_product = bins.are_wide();
    count<T>(engine, cost, x.size(), counts, bins.bins + 1, [&, x](Range part, const auto& use) {
      if (!by_product)
        return use(part.size(), [&, at = x.data() + part.begin](std::size_t i) { return bins.of(static_cast<double>(at[i])); });
      constexpr std::size_t kBlock = 1024;
      const simd::EqualBins equal{bins.low, bins.high, bins.width, bins.scale, static_cast<std::uint32_t>(bins.bins)};
      const auto find_bins = simd::reductions<T>().find_bins;
      alignas(64) std::array<std::uint32_t, kBlock> found;
      for (std::size_t i = part.begin; i < part.end; i += kBlock) {
        const std::size_t size = std::min(part.end - i, kBlock);
        find_bins(x.data() + i, size, equal, found.data());
        use(size, [&found](std::size_t k) { return std::size_t{found[k]}; });
      }
    });
  }
}

template <std::integral T>
void bincount(Engine& engine, std::span<const T> x, std::span<std::size_t> counts) {
  static constinit Cost cost("bincount", type_code(type_of<T>));
  check::apart("bincount", x, counts);
  const std::size_t bins = counts.size();
  if constexpr (is_byte<T>) {
    const auto values = byte_counts(engine, cost, x);
    for (std::size_t v = 0; v < values.size(); ++v) {
      if (v < bins)
        counts[v] = values[v];
      else if (values[v] > 0) {
        const auto first = std::ranges::find_if(x, [bins](T w) { return w >= bins; });
        not_countable(static_cast<std::size_t>(first - x.begin()), *first, bins);
      }
    }
    if (bins > values.size()) std::ranges::fill(counts.subspan(values.size()), std::size_t{0});
  } else {
    count<T>(engine, cost, x.size(), counts, bins, [x, bins](Range part, const auto& use) {
      use(part.size(), [at = x.data() + part.begin, bins, part](std::size_t i) {
        const auto bin = static_cast<std::uint64_t>(at[i]);  // of a negative number a very large one
        if (bin >= bins) not_countable(part.begin + i, at[i], bins);
        return static_cast<std::size_t>(bin);
      });
    });
  }
}

template <std::integral T>
std::size_t bins_of(Engine& engine, std::span<const T> x) {
  if (x.empty()) return 0;
  const Extremes<T> ends = furrow::minmax(engine, x);
  if (ends.min < T{0}) fail("bincount: " + std::to_string(ends.min) + " is negative; only integers from 0 on can be counted");
  return static_cast<std::size_t>(ends.max) + 1;
}

#define FURROW_INSTANTIATE(T) template void histogram(Engine&, std::span<const T>, std::span<std::size_t>, double, double);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                                                  \
  template void bincount(Engine&, std::span<const T>, std::span<std::size_t>); \
  template std::size_t bins_of(Engine&, std::span<const T>);
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
FURROW_INSTANTIATE(std::uint8_t)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
