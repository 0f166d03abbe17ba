#include "furrow/kernels/histogram.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::named {
namespace {

constexpr std::size_t kShortestChunk = 1024;

/// Adds up count(bin) for whatever for_each(part, count) calls it with, over all parts of [0, n). Counts are whole numbers, so
/// their order does not matter.
template <class T, class ForEach>
void count(Engine& engine, Cost& cost, std::size_t n, std::span<std::size_t> counts, const ForEach& for_each) {
  std::ranges::fill(counts, std::size_t{0});
  const Chunks chunks(n, sizeof(T), kShortestChunk);
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    const auto add = [counts](std::size_t bin, std::size_t more) {
      std::atomic_ref(counts[bin]).fetch_add(more, std::memory_order_relaxed);
    };
    // A table of its own would cost a short part more than it saves.
    if (part.size() < counts.size()) return for_each(part, [&](std::size_t bin) { add(bin, 1); });
    std::vector<std::size_t> own(counts.size());
    for_each(part, [&](std::size_t bin) { ++own[bin]; });
    for (std::size_t bin = 0; bin < own.size(); ++bin)
      if (own[bin] > 0) add(bin, own[bin]);
  });
}

}  // namespace

template <NamedElement T>
void histogram(Engine& engine, std::span<const T> x, std::span<std::size_t> counts, double low, double high) {
  static constinit Cost cost("histogram", type_code(type_of<T>));
  check::apart("histogram", x, counts);
  if (counts.empty()) fail("histogram: there are no bins; give it room for one count at least");
  const std::size_t bins = counts.size();
  const double scale = static_cast<double>(bins) / (high - low);
  if (!(low < high) || !std::isfinite(high - low) || !std::isfinite(scale))
    fail("histogram: " + std::to_string(bins) + " bins from " + std::to_string(low) + " to " + std::to_string(high) +
         " are not possible; the interval must be finite and not empty");
  const double width = (high - low) / static_cast<double>(bins);
  std::vector<double> edges(bins + 1);
  for (std::size_t k = 0; k < bins; ++k) edges[k] = low + static_cast<double>(k) * width;
  edges[bins] = high;
  count<T>(engine, cost, x.size(), counts, [&, edge = edges.data()](Range part, const auto& add) {
    for (std::size_t i = part.begin; i < part.end; ++i) {
      const auto v = static_cast<double>(x[i]);
      if (!(v >= low && v <= high)) continue;
      // Right but for rounding, which the edges then decide.
      std::size_t bin = std::min(bins - 1, static_cast<std::size_t>((v - low) * scale));
      while (v < edge[bin]) --bin;
      while (bin + 1 < bins && v >= edge[bin + 1]) ++bin;
      add(bin);
    }
  });
}

template <std::signed_integral T>
void bincount(Engine& engine, std::span<const T> x, std::span<std::size_t> counts) {
  static constinit Cost cost("bincount", type_code(type_of<T>));
  check::apart("bincount", x, counts);
  count<T>(engine, cost, x.size(), counts, [&](Range part, const auto& add) {
    for (std::size_t i = part.begin; i < part.end; ++i) {
      const auto bin = static_cast<std::uint64_t>(x[i]);  // of a negative number a very large one
      if (bin >= counts.size())
        fail("bincount: element " + std::to_string(i) + " is " + std::to_string(x[i]) + ", and there are counts for 0 to " +
             std::to_string(counts.size()) + " (not included)");
      add(bin);
    }
  });
}

template <std::signed_integral T>
std::size_t bins_of(Engine& engine, std::span<const T> x) {
  if (x.empty()) return 0;
  const Extremes<T> ends = furrow::minmax(engine, x);
  if (ends.min < 0) fail("bincount: " + std::to_string(ends.min) + " is negative; only integers from 0 on can be counted");
  return static_cast<std::size_t>(ends.max) + 1;
}

#define FURROW_INSTANTIATE(T) template void histogram(Engine&, std::span<const T>, std::span<std::size_t>, double, double);
FURROW_INSTANTIATE(float)
FURROW_INSTANTIATE(double)
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
#undef FURROW_INSTANTIATE
#define FURROW_INSTANTIATE(T)                                                  \
  template void bincount(Engine&, std::span<const T>, std::span<std::size_t>); \
  template std::size_t bins_of(Engine&, std::span<const T>);
FURROW_INSTANTIATE(std::int32_t)
FURROW_INSTANTIATE(std::int64_t)
#undef FURROW_INSTANTIATE

}  // namespace furrow::named
