#include "furrow/kernels/sorting.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/byte_counts.hpp"
#include "furrow/kernels/sorting/bucket_sort.hpp"
#include "furrow/kernels/sorting/cache_sort.hpp"
#include "furrow/kernels/sorting/parting.hpp"
#include "furrow/kernels/sorting/radix_keys.hpp"
#include "furrow/kernels/streaming.hpp"

// Radix sorting. Elements become unsigned keys whose order is the one wanted. The whole is shared out among buckets that follow
// one another, each small enough for a core's cache, and there sorted by the few bits that tell its keys apart. Every step is
// stable.

namespace furrow::sorting {
namespace {

/// Calls use(order) with the order of the keys, over the unsigned type of their size.
template <class Use>
void with_order(const Keys& keys, const Use& use) {
  const bool floating = keys.kind == Kind::floating;
  switch (keys.bytes) {
    case 1:
      return use(IntegerOrder<std::uint8_t>(keys), std::uint8_t{});
    case 2:
      return use(IntegerOrder<std::uint16_t>(keys), std::uint16_t{});
    case 4:
      return floating ? use(FloatOrder<std::uint32_t>(keys), std::uint32_t{})
                      : use(IntegerOrder<std::uint32_t>(keys), std::uint32_t{});
    default:
      return floating ? use(FloatOrder<std::uint64_t>(keys), std::uint64_t{})
                      : use(IntegerOrder<std::uint64_t>(keys), std::uint64_t{});
  }
}

/// The i-th element of type U, whatever type it was written as.
template <class U>
U bits_at(const void* data, std::size_t i) {
  U bits;
  std::memcpy(&bits, static_cast<const char*>(data) + i * sizeof(U), sizeof(U));
  return bits;
}

/// to[first + i] = value(i) for i in [0, n), streamed or not.
template <class V, class Value>
void put(void* to, std::size_t first, std::size_t n, bool stream, const Value& value) {
  constexpr std::size_t kBlockBytes = 4096;
  constexpr std::size_t kPerBlock = kBlockBytes / sizeof(V);
  alignas(64) std::array<V, kPerBlock> block;
  for (std::size_t begin = 0; begin < n; begin += kPerBlock) {
    const std::size_t size = std::min(kPerBlock, n - begin);
    for (std::size_t i = 0; i < size; ++i) block[i] = value(begin + i);
    void* const target = static_cast<char*>(to) + (first + begin) * sizeof(V);
    if (stream)
      stream_copy(target, block.data(), size * sizeof(V));
    else
      std::memcpy(target, block.data(), size * sizeof(V));
  }
  if (stream) stream_fence();
}

/// Whether load(0).key <= load(1).key <= …
template <class Load>
bool is_sorted(Engine& engine, std::size_t n, std::size_t bytes, const Load& load) {
  static constinit Cost cost;
  const Chunks chunks = cut(n, bytes);
  std::atomic<bool> sorted{true};
  engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) {
    constexpr std::size_t kStep = 256;
    const Range part = chunks.elements(first, last);
    const std::size_t end = std::min(part.end + 1, n);  // the neighbour behind, too
    for (std::size_t begin = part.begin; begin + 1 < end && sorted.load(std::memory_order_relaxed); begin += kStep) {
      bool descends = false;
      for (std::size_t i = begin; i < std::min(begin + kStep, end - 1); ++i) descends |= load(i + 1).key < load(i).key;
      if (descends) sorted.store(false, std::memory_order_relaxed);
    }
  });
  return sorted;
}

/// Sorts load(0) … load(n - 1); emit(first, records, count, stream) is given every part of the result once.
template <class R, class Load, class Emit>
void run(Engine& engine, std::size_t n, R* other, const Load& load, const Emit& emit) {
  if (n > 2 * kBucketBytes / sizeof(R)) return Sort<R, Emit>(engine, n, emit, other).run(load);
  static constinit Cost cost;
  // One thread's work.
  const Chunks one(n, sizeof(R), std::bit_ceil(n));
  engine.over_chunks(one, cost, [&](std::size_t, std::size_t) {
    constexpr std::size_t kSmall = 256;
    const auto sort = [&](R* x, R* spare) {
      for (std::size_t i = 0; i < n; ++i) x[i] = load(i);
      emit(std::size_t{0}, sort_in_cache<R>(x, n, spare, x), n, false);
    };
    if (n <= kSmall) {
      std::array<R, 2 * kSmall> memory{};
      return sort(memory.data(), memory.data() + kSmall);
    }
    const Scratch<R> memory(2 * n);
    sort(memory.data(), memory.data() + n);
  });
}

/// The key that would be the nth in order, and of each chunk how many keys are below it and how many equal to it.
template <class U>
struct Nth {
  U key;
  std::vector<Parted> chunks;
};

/// The keys from `least` to `greatest`.
template <class U>
struct Keyspan {
  U least;
  U greatest;
};

/// A key in the span that stands in the sample more than `often` times; nothing if there is none.
template <class U>
std::optional<Keyspan<U>> frequent_key(const std::vector<KeyOnly<U>>& sample, const Keyspan<U>& span, std::size_t often) {
  std::size_t times = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const U key = sample[i].key;
    times = i > 0 && sample[i - 1].key == key ? times + 1 : 1;
    if (times > often && key >= span.least && key <= span.greatest) return Keyspan<U>{key, key};
  }
  return std::nullopt;
}

/// Between which keys the nth should be, by a sample.
template <class U>
struct Guess {
  Keyspan<U> likely{0, std::numeric_limits<U>::max()};
  std::vector<KeyOnly<U>> sample;
  std::size_t margin = 0;  // ranks in the sample
};

template <class U, class Order>
Guess<U> guess_nth(const U* data, std::size_t n, std::size_t nth, const Order& order) {
  constexpr std::size_t kWhole = 4096;  // so few are sorted without more ado
  constexpr std::size_t kPerKey = 64;   // of the sample
  constexpr std::size_t kMostSampled = 16'384;
  Guess<U> guess;
  if (n <= kWhole) return guess;
  const auto load = [&](std::size_t i) { return KeyOnly<U>{order.key(data[i])}; };
  guess.sample = take_sample<U>(n, std::min(n / kPerKey, kMostSampled) / kPerBucket, load);
  const auto size = static_cast<double>(guess.sample.size());
  const auto rank = static_cast<std::size_t>(static_cast<double>(nth) / static_cast<double>(n) * size);
  guess.margin = static_cast<std::size_t>(2.5 * std::sqrt(size)) + 1;  // five deviations of the rank of a median
  if (rank >= guess.margin) guess.likely.least = guess.sample[rank - guess.margin].key;
  if (rank + guess.margin < guess.sample.size()) guess.likely.greatest = guess.sample[rank + guess.margin].key;
  return guess;
}

/// How many keys of each chunk, and of all, are below a span and within it; and those within, unless it is a single key.
template <class U>
struct Sweep {
  explicit Sweep(std::size_t count) : chunks(count), within(count) {}

  std::vector<Parted> chunks;
  std::vector<std::vector<U>> within;
  Parted all;
};

template <class U>
Sweep<U> sweep(Engine& engine, const U* data, const Chunks& chunks, const KeyRule<U>& rule, const Keyspan<U>& span) {
  static constinit Cost cost;
  Sweep<U> swept(chunks.count());
  engine.over_chunks(chunks, cost, [&](std::size_t k, std::size_t last) {
    std::array<U, 512> block;
    U* const within = span.least < span.greatest ? block.data() : nullptr;
    for (; k < last; ++k) {
      Parted sum;
      const Range part = chunks[k];
      for (std::size_t begin = part.begin; begin < part.end; begin += block.size()) {
        const std::size_t size = std::min(block.size(), part.end - begin);
        const Parted found = part_by_keys(data + begin, size, rule, span.least, span.greatest, {nullptr, within, nullptr});
        sum.below += found.below;
        sum.within += found.within;
        if (within != nullptr) swept.within[k].insert(swept.within[k].end(), within, within + found.within);
      }
      swept.chunks[k] = sum;
    }
  });
  for (const Parted& chunk : swept.chunks) {
    swept.all.below += chunk.below;
    swept.all.within += chunk.within;
  }
  return swept;
}

/// Of all data the nth, which was swept up: those are sorted.
template <class U, class Order>
Nth<U> nth_of_swept(Engine& engine, Sweep<U> swept, std::size_t nth, const Order& order) {
  using R = KeyOnly<U>;
  std::vector<U> joined;
  joined.reserve(swept.all.within);
  for (const std::vector<U>& some : swept.within) joined.insert(joined.end(), some.begin(), some.end());
  const std::size_t rank = nth - swept.all.below;
  U key{};
  run<R>(
      engine, joined.size(), nullptr, [&](std::size_t i) { return R{order.key(joined[i])}; },
      [&](std::size_t first, const R* records, std::size_t count, bool) {
        if (first <= rank && rank < first + count) key = records[rank - first].key;
      });
  for (std::size_t k = 0; k < swept.chunks.size(); ++k) {
    Parted& chunk = swept.chunks[k];
    chunk.within = 0;
    for (const U bits : swept.within[k]) {
      chunk.below += order.key(bits) < key ? 1 : 0;
      chunk.within += order.key(bits) == key ? 1 : 0;
    }
  }
  return {key, std::move(swept.chunks)};
}

template <class U, class Order>
Nth<U> find_nth(Engine& engine, const U* data, const Chunks& chunks, std::size_t nth, const Order& order) {
  const KeyRule<U> rule(order);
  // The key is known to be in `all`, and believed to be in `likely`.
  auto [likely, sample, margin] = guess_nth(data, chunks.extent(), nth, order);
  Keyspan<U> all{0, std::numeric_limits<U>::max()};
  for (;;) {
    // A key that many have is looked at alone: there is nothing to collect of it.
    const auto [least, greatest] = frequent_key(sample, likely, margin / 2).value_or(likely);
    Sweep<U> swept = sweep(engine, data, chunks, rule, {least, greatest});
    if (nth < swept.all.below) {
      all.greatest = static_cast<U>(least - 1);
      likely = least > likely.least ? Keyspan<U>{likely.least, all.greatest} : all;
    } else if (nth >= swept.all.below + swept.all.within) {
      all.least = static_cast<U>(greatest + 1);
      likely = greatest < likely.greatest ? Keyspan<U>{all.least, likely.greatest} : all;
    } else if (least == greatest) {
      return {least, std::move(swept.chunks)};
    } else {
      return nth_of_swept(engine, std::move(swept), nth, order);
    }
  }
}

/// Writes those of x[0, n) whose keys are less than `key` to `below_key`, and those whose keys are greater to `above_key`.
template <class Writer, class U>
void part_through(const U* x, std::size_t n, const KeyRule<U>& rule, U key, U* below_key, U* above_key) {
  Writer below(below_key);
  Writer above(above_key);
  for (std::size_t begin = 0; begin < n; begin += Writer::kMost) {
    const std::size_t size = std::min(Writer::kMost, n - begin);
    const Parted found = part_by_keys(x + begin, size, rule, key, key, {below.next(), nullptr, above.next()});
    below.take(found.below);
    above.take(size - found.below - found.within);
  }
  below.finish();
  above.finish();
}

/// Rearranges data: elements with lesser keys than the nth, those with the same, those with greater ones; stable.
template <class U, class Order>
void part_at(Engine& engine, U* data, const Chunks& chunks, const Nth<U>& nth, const Order& order) {
  static constinit Cost moving;
  static constinit Cost returning;
  const std::size_t n = chunks.extent();
  const bool stream = worth_streaming(2 * n * sizeof(U));
  const KeyRule<U> rule(order);
  std::vector<std::array<std::size_t, 3>> places(chunks.count());  // where what is below, equal and above goes
  std::array<std::size_t, 3> totals{};
  for (std::size_t k = 0; k < chunks.count(); ++k) {
    const auto& [below, equal] = nth.chunks[k];
    places[k] = totals;
    totals[0] += below;
    totals[1] += equal;
    totals[2] += chunks[k].size() - below - equal;
  }
  const Scratch<U> buffer(n);
  engine.over_chunks(chunks, moving, [&](std::size_t k, std::size_t last) {
    const Range part = chunks.elements(k, last);
    const auto& [before_below, before_equal, before_above] = places[k];
    U* const below = buffer.data() + before_below;
    U* const above = buffer.data() + totals[0] + totals[1] + before_above;
    if (stream)
      part_through<StreamWriter<U>>(data + part.begin, part.size(), rule, nth.key, below, above);
    else
      part_through<CopyWriter<U>>(data + part.begin, part.size(), rule, nth.key, below, above);
    const std::size_t equal_end = last < chunks.count() ? places[last][1] : totals[1];
    std::fill(buffer.data() + totals[0] + before_equal, buffer.data() + totals[0] + equal_end, order.bits(nth.key));
  });
  engine.over_chunks(chunks, returning, [&](std::size_t k, std::size_t last) {
    const Range part = chunks.elements(k, last);
    if (!stream) return void(std::memcpy(data + part.begin, buffer.data() + part.begin, part.size() * sizeof(U)));
    stream_copy(data + part.begin, buffer.data() + part.begin, part.size() * sizeof(U));
    stream_fence();
  });
}

/// Keys of one byte are counted and written anew.
void count_and_fill(Engine& engine, const IntegerOrder<std::uint8_t>& order, std::uint8_t* data, std::size_t n) {
  static constinit Cost counting;
  static constinit Cost filling;
  const auto counts = named::byte_counts(engine, counting, {data, n});
  const Chunks chunks(n, 1, 1U << 16);
  engine.over_chunks(chunks, filling, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    std::size_t begin = 0;
    for (std::size_t key = 0; key < counts.size() && begin < part.end; ++key) {
      const std::uint8_t bits = order.bits(static_cast<std::uint8_t>(key));
      const std::size_t end = begin + counts[bits];
      if (end > part.begin)
        std::memset(data + std::max(begin, part.begin), bits, std::min(end, part.end) - std::max(begin, part.begin));
      begin = end;
    }
  });
}

/// Pairs of a key and what it carries, in eight bytes where they fit.
template <class Value, class Use>
void with_pairs(const Keys& keys, std::size_t n, bool narrow_values, const Value& value, const Use& use) {
  with_order(keys, [&](auto order, auto word) {
    using U = decltype(word);
    const auto as = [&](auto wide) {
      using W = decltype(wide);
      const auto load = [order, value, data = keys.data](std::size_t i) {
        return Pair<W>{static_cast<W>(order.key(bits_at<U>(data, i))), static_cast<W>(value(i))};
      };
      if (n > 1) use(load, order);
    };
    if constexpr (sizeof(U) <= 4) {
      if (narrow_values) return as(std::uint32_t{});
    }
    as(std::uint64_t{});
  });
}

}  // namespace

void sort(Engine& engine, const Keys& keys, std::size_t n) {
  with_order(keys, [&](auto order, auto word) {
    using U = decltype(word);
    if constexpr (sizeof(U) == 1) {
      count_and_fill(engine, order, static_cast<std::uint8_t*>(keys.data), n);
    } else {
      using R = KeyOnly<U>;
      const auto load = [order, data = keys.data](std::size_t i) { return R{order.key(bits_at<U>(data, i))}; };
      if (is_sorted(engine, n, sizeof(U), load)) return;
      const auto emit = [order, data = keys.data](std::size_t first, const R* records, std::size_t count, bool stream) {
        put<U>(data, first, count, stream, [&](std::size_t i) { return order.bits(records[i].key); });
      };
      run<R>(engine, n, static_cast<R*>(keys.data), load, emit);
    }
  });
}

void argsort(Engine& engine, const Keys& keys, std::size_t n, void* indices, std::size_t index_bytes) {
  const bool narrow = n - 1 <= std::numeric_limits<std::uint32_t>::max();
  if (n == 1) std::memset(indices, 0, index_bytes);
  with_pairs(
      keys, n, narrow, [](std::size_t i) { return i; },
      [&](const auto& load, const auto&) {
        using R = decltype(load(0));
        const auto emit = [=](std::size_t first, const R* records, std::size_t count, bool stream) {
          if (index_bytes == 4)
            put<std::uint32_t>(indices, first, count, stream,
                               [&](std::size_t i) { return static_cast<std::uint32_t>(records[i].value); });
          else
            put<std::uint64_t>(indices, first, count, stream, [&](std::size_t i) { return std::uint64_t{records[i].value}; });
        };
        run<R>(engine, n, nullptr, load, emit);
      });
}

void sort_by_key(Engine& engine, const Keys& keys, std::size_t n, void* values, std::size_t value_bytes) {
  const auto value = [=](std::size_t i) {
    return value_bytes == 4 ? std::uint64_t{bits_at<std::uint32_t>(values, i)} : bits_at<std::uint64_t>(values, i);
  };
  with_pairs(keys, n, value_bytes == 4, value, [&](const auto& load, const auto& order) {
    using R = decltype(load(0));
    if (is_sorted(engine, n, sizeof(R), load)) return;
    const auto emit = [=, data = keys.data](std::size_t first, const R* records, std::size_t count, bool stream) {
      using U = decltype(order.flip);
      put<std::remove_const_t<U>>(data, first, count, stream,
                                  [&](std::size_t i) { return order.bits(static_cast<std::remove_const_t<U>>(records[i].key)); });
      if (value_bytes == 4)
        put<std::uint32_t>(values, first, count, stream,
                           [&](std::size_t i) { return static_cast<std::uint32_t>(records[i].value); });
      else
        put<std::uint64_t>(values, first, count, stream, [&](std::size_t i) { return std::uint64_t{records[i].value}; });
    };
    run<R>(engine, n, nullptr, load, emit);
  });
}

void nth_element(Engine& engine, const Keys& keys, std::size_t n, std::size_t nth) {
  with_order(keys, [&](auto order, auto word) {
    using U = decltype(word);
    using R = KeyOnly<U>;
    const auto load = [order, data = keys.data](std::size_t i) { return R{order.key(bits_at<U>(data, i))}; };
    if (is_sorted(engine, n, sizeof(U), load)) return;
    U* const bits = static_cast<U*>(keys.data);
    const Chunks chunks = cut(n, sizeof(U));
    part_at(engine, bits, chunks, find_nth(engine, bits, chunks, nth, order), order);
  });
}

void indices_too_narrow(std::size_t n) {
  fail("argsort: " + std::to_string(n) + " elements need wider indices; give a range of 64-bit integers");
}

void no_such_element(std::size_t nth, std::size_t n) {
  fail("nth_element: there is no element " + std::to_string(nth) + " among " + std::to_string(n) +
       "; give an index below the size");
}

}  // namespace furrow::sorting
