#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "furrow/engine/chunks.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"

// What the kernels are defined to compute, by plain loops on one thread, written apart from the code they check: no SIMD, no
// interleaving, no sharing of work. Read these to know in which order sums are added.

namespace furrow::reference {

/// Arithmetic that wraps where plain int arithmetic would be undefined.
template <class T>
T add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return a + b;
}
template <class T>
T mul(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else
    return a * b;
}

/// Neighbours, then neighbouring pairs, and so on, until one is left.
template <class T, class Op>
T tree(std::vector<T> values, Op op) {
  while (values.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i < values.size(); i += 2)
      next.push_back(i + 1 < values.size() ? op(values[i], values[i + 1]) : values[i]);
    values = next;
  }
  return values[0];
}

/// The named sum of the terms term(0) … term(n - 1) of type S, n >= 1.
template <class S, class Term>
S named_sum(std::size_t n, Term term) {
  constexpr std::size_t kLanes = 256 / sizeof(S);
  constexpr std::size_t kBlockOfLanes = 16 * kLanes;
  constexpr S kNothing = static_cast<S>(-0.0);
  std::vector<S> partials;
  for (std::size_t chunk = 0; chunk < n; chunk += named::kReductionChunk) {
    const std::size_t end = std::min(n, chunk + named::kReductionChunk);
    std::vector<S> total(kLanes, kNothing);
    for (std::size_t block = chunk; block < end; block += kBlockOfLanes) {
      std::vector<S> part(kLanes, kNothing);
      for (std::size_t i = block; i < std::min(end, block + kBlockOfLanes); ++i)
        part[(i - block) % kLanes] = add(part[(i - block) % kLanes], term(i));
      for (std::size_t lane = 0; lane < kLanes; ++lane) total[lane] = add(total[lane], part[lane]);
    }
    for (std::size_t width = kLanes / 2; width > 0; width /= 2)
      for (std::size_t lane = 0; lane < width; ++lane) total[lane] = add(total[lane], total[lane + width]);
    partials.push_back(total[0]);
  }
  return tree(partials, add<S>);
}

/// The least element (or greatest), NaN if any is, −0 before +0; n >= 1.
template <class T>
T extreme(std::span<const T> x, bool least) {
  T best = x[0];
  for (const T v : x) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(v)) return std::numeric_limits<T>::quiet_NaN();
      if (v == best && std::signbit(v) != std::signbit(best)) {
        best = least ? T{-0.0} : T{0.0};
        continue;
      }
    }
    if (least ? v < best : v > best) best = v;
  }
  return best;
}

/// The first index of the least element (or greatest), where NaN comes before all and −0 before +0; n >= 1.
template <class T>
std::size_t locate(std::span<const T> x, bool least) {
  const T best = extreme(x, least);
  for (std::size_t i = 0;; ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(best) ? std::isnan(x[i]) : x[i] == best && std::signbit(x[i]) == std::signbit(best)) return i;
    } else {
      if (x[i] == best) return i;
    }
  }
}

/// The mean of n >= 1 elements.
template <class T>
double mean(std::span<const T> x) {
  const auto n = static_cast<double>(x.size());
  if constexpr (std::is_floating_point_v<T>) {
    return named_sum<double>(x.size(), [x](std::size_t i) { return static_cast<double>(x[i]); }) / n;
  } else {
    __extension__ __int128 total = 0;
    for (const T v : x) total += v;
    return static_cast<double>(total) / n;
  }
}

/// Powers of what the elements of a block differ from their mean by, added up: in eight lanes about the block's rounded mean, whose
/// rounding is then put right.
template <class T>
named::CentralSums central_sums(std::span<const T> block) {
  const auto at = [block](std::size_t i) { return static_cast<double>(block[i]); };
  const auto n = static_cast<double>(block.size());
  const double centre = named_sum<double>(block.size(), at) / n;
  const auto power = [&](int k) {
    std::array<double, 8> lanes{};
    for (std::size_t i = 0; i < block.size(); ++i) {
      const double e = at(i) - centre;
      const double square = e * e;
      lanes[i % 8] += k == 1 ? e : k == 2 ? square : k == 3 ? square * e : square * square;
    }
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  };
  const auto low = static_cast<double>(extreme(block, true));
  const auto high = static_cast<double>(extreme(block, false));
  if (low == high && low != 0) return {n, low, 0, 0, 0, 0, low, high};
  const double off = power(1) / n;
  return {n,
          centre,
          off,
          std::max(power(2) - off * power(1), 0.0),
          power(3) - off * (3 * power(2) - off * (2 * power(1))),
          std::max(power(4) - off * (4 * power(3) - off * (6 * power(2) - off * (3 * power(1)))), 0.0),
          low,
          high};
}

/// The moments of n >= 1 finite elements: blocks of 2048, joined in the tree.
template <class T>
Moments moments(std::span<const T> x) {
  std::vector<named::CentralSums> blocks;
  for (std::size_t begin = 0; begin < x.size(); begin += named::kMomentBlock)
    blocks.push_back(central_sums(x.subspan(begin, std::min(named::kMomentBlock, x.size() - begin))));
  return named::moments(tree(blocks, named::join_central));
}

/// Σ terms, rounded once: parts that do not overlap, the least first, whose sum is exact (Shewchuk, Adaptive Precision
/// Floating-Point Arithmetic, 1997; as Python's math.fsum). For finite terms whose partial sums do not overflow.
template <class T>
T exact_sum(const std::vector<double>& terms) {
  std::vector<double> parts;
  for (double term : terms) {
    std::size_t kept = 0;
    for (double part : parts) {
      if (std::abs(term) < std::abs(part)) std::swap(term, part);
      const double high = term + part;
      const double low = part - (high - term);
      if (low != 0) parts[kept++] = low;
      term = high;
    }
    parts.resize(kept);
    if (term != 0) parts.push_back(term);
  }
  double high = 0;
  double low = 0;
  std::size_t left = parts.size();
  while (left > 0 && low == 0) {
    const double before = high;
    const double part = parts[--left];
    high = before + part;
    low = part - (high - before);
  }
  if constexpr (std::is_same_v<T, double>) {  // half way to the next, unless what is left says on which side
    const double further = high + 2 * low;
    if (left > 0 && (low < 0) == (parts[left - 1] < 0) && further - high == 2 * low) high = further;
    return high;
  } else {  // rounded to odd, so that it can be rounded again
    if (low != 0 && (std::bit_cast<std::uint64_t>(high) & 1) == 0) high = std::nextafter(high, low > 0 ? HUGE_VAL : -HUGE_VAL);
    return static_cast<T>(high);
  }
}

/// Σ x[i] · y[i], rounded once; for products of moderate size.
template <class T>
T exact_dot(std::span<const T> x, std::span<const T> y) {
  std::vector<double> terms;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i];
    const double b = y[i];
    terms.push_back(a * b);
    terms.push_back(std::fma(a, b, -(a * b)));
  }
  return exact_sum<T>(terms);
}

/// Where a range of `size` elements is divided into eight runs (the last takes the rest); a short one is a single run.
inline std::vector<Range> runs(Range part, std::size_t shortest) {
  if (part.size() < shortest) return {part};
  const std::size_t length = part.size() / 8;
  std::vector<Range> list;
  for (std::size_t r = 0; r < 8; ++r) list.push_back({part.begin + r * length, r == 7 ? part.end : part.begin + (r + 1) * length});
  return list;
}

template <class T, class At, class Op>
T left_to_right(Range part, At at, Op op) {
  T total = at(part.begin);
  for (std::size_t i = part.begin + 1; i < part.end; ++i) total = op(total, at(i));
  return total;
}

/// furrow::reduce of at(0) … at(n - 1) by an op that need not commute.
template <class T, class At, class Op>
T reduce_in_order(std::size_t n, T init, Op op, At at) {
  if (n == 0) return init;
  const Chunks chunks(n, sizeof(T));
  std::vector<T> partials;
  for (std::size_t k = 0; k < chunks.count(); ++k) {
    std::vector<T> totals;
    for (const Range run : runs(chunks[k], 64)) totals.push_back(left_to_right<T>(run, at, op));
    partials.push_back(tree(totals, op));
  }
  return op(init, tree(partials, op));
}

/// furrow::reduce by an op that is known to commute: every 256-bytes'-worth-th element makes a lane.
template <class T, class At, class Op>
T reduce_in_lanes(std::size_t n, T init, Op op, At at) {
  constexpr std::size_t kLanes = 256 / sizeof(T);
  const Chunks chunks(n, sizeof(T));
  if (chunks.length() < kLanes) return reduce_in_order(n, init, op, at);
  std::vector<T> partials;
  for (std::size_t k = 0; k < chunks.count(); ++k) {
    const Range chunk = chunks[k];
    if (chunk.size() < kLanes) {  // the last one
      std::vector<T> totals;
      for (const Range run : runs(chunk, 64)) totals.push_back(left_to_right<T>(run, at, op));
      partials.push_back(tree(totals, op));
      continue;
    }
    std::vector<T> lanes;
    for (std::size_t l = chunk.begin; l < chunk.begin + kLanes; ++l) {
      T total = at(l);
      for (std::size_t i = l + kLanes; i < chunk.end; i += kLanes) total = op(total, at(i));
      lanes.push_back(total);
    }
    for (; lanes.size() > 1; lanes.resize(lanes.size() / 2))
      for (std::size_t l = 0; l < lanes.size() / 2; ++l) lanes[l] = op(lanes[l], lanes[l + lanes.size() / 2]);
    partials.push_back(lanes[0]);
  }
  return op(init, tree(partials, op));
}

/// furrow::inclusive_scan or exclusive_scan of x into out by addition, from `before` on: by Sklansky's network in each eight, and
/// from each chunk to the next by its sum as the named sum has it.
template <class T>
void running_sums(std::span<const T> x, std::span<T> out, T before, bool inclusive) {
  const std::vector<T> in(x.begin(), x.end());  // `out` may be `x`
  const Chunks chunks(in.size(), 8, 2048);
  for (std::size_t k = 0; k < chunks.count(); ++k) {
    T carry = before;
    for (std::size_t begin = chunks[k].begin; begin < chunks[k].end; begin += 8) {
      std::array<T, 8> sums{};
      for (std::size_t l = 0; l < 8 && begin + l < in.size(); ++l) sums[l] = in[begin + l];
      for (std::size_t half = 1; half < 8; half *= 2)
        for (std::size_t l = 0; l < 8; ++l)
          if ((l & half) != 0) sums[l] = add(sums[l], sums[l / (2 * half) * 2 * half + half - 1]);
      for (std::size_t l = 0; l < 8 && begin + l < in.size(); ++l)
        out[begin + l] = inclusive ? add(carry, sums[l]) : l == 0 ? carry : add(carry, sums[l - 1]);
      carry = add(carry, sums[7]);
    }
    using S = sum_t<T>;
    const auto term = [&, at = chunks[k].begin](std::size_t i) { return static_cast<S>(in[at + i]); };
    before = add(before, static_cast<T>(named_sum<S>(chunks[k].size(), term)));
  }
}

}  // namespace furrow::reference
