#include "furrow/kernels/sorting.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/streaming.hpp"

// Radix sorting. Elements become unsigned keys whose order is the one wanted. The whole is shared out among buckets that follow
// one another, each small enough for a core's cache, and there sorted by the few bits that tell its keys apart. Every step is
// stable.

namespace furrow::sorting {
namespace {

// What a sort works on: keys alone, or keys that carry four or eight bytes.

template <class U>
struct KeyOnly {
  U key;
};
template <class U>
struct Pair {
  U key;
  U value;
};

/// Integers of any signedness as keys, and back.
template <class U>
struct IntegerOrder {
  explicit IntegerOrder(const Keys& keys)
      : flip(static_cast<U>((keys.kind == Kind::signed_integer ? U{1} << (8 * sizeof(U) - 1) : U{0}) ^
                            (keys.descending ? static_cast<U>(~U{0}) : U{0}))) {}

  U key(U bits) const { return bits ^ flip; }
  U bits(U key) const { return key ^ flip; }

  U flip;
};

/// IEEE numbers as keys, and back: −∞ is 0, and what their total order puts before −∞, the NaNs with a sign, wraps to the end.
template <class U>
struct FloatOrder {
  static constexpr U kSign = U{1} << (8 * sizeof(U) - 1);
  static constexpr U kInfinity = sizeof(U) == 4 ? U{0x7F800000} : static_cast<U>(0x7FF0000000000000);
  static constexpr U kLeast = static_cast<U>(~(kSign | kInfinity));

  explicit FloatOrder(const Keys& keys) : flip(keys.descending ? ~U{0} : U{0}) {}

  U key(U bits) const { return ((bits ^ ((U{0} - (bits >> (8 * sizeof(U) - 1))) | kSign)) - kLeast) ^ flip; }
  U bits(U key) const {
    const U total = (key ^ flip) + kLeast;
    return total ^ (((total >> (8 * sizeof(U) - 1)) - U{1}) | kSign);
  }

  U flip;
};

/// Plain memory from the engine's allocator.
template <class R>
class Buffer {
 public:
  explicit Buffer(std::size_t n) : data_(static_cast<R*>(allocate(array_bytes(n, sizeof(R))))) {}
  R* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(R* memory) const { deallocate(memory); }
  };
  std::unique_ptr<R, Free> data_;
};

/// How many bits it takes to write x.
int bits_of(std::uint64_t x) {
  return static_cast<int>(std::bit_width(x));
}

// Sorting what fits a cache.

constexpr std::size_t kInsertion = 24;  // so few are sorted by insertion
constexpr int kMostDigit = 11;          // bits: counters of 8 KiB
constexpr int kMostPasses = 2;

/// A stable insertion sort.
template <class R>
void insertion_sort(R* x, std::size_t n) {
  for (std::size_t i = 1; i < n; ++i) {
    const R moved = x[i];
    std::size_t hole = i;
    for (; hole > 0 && moved.key < x[hole - 1].key; --hole) x[hole] = x[hole - 1];
    x[hole] = moved;
  }
}

/// Sorts the n records at `from` into `a` or `b`, or leaves them where they are if they are in order, and says where they are then.
/// `b` may be `from`. The records are sorted by as many of their keys' leading bits as should tell most of them apart, from the
/// least of these on; neighbours that agree in them all are looked at again. Cost: 6 reads, 2 writes per record for keys that are
/// spread evenly, at most that for each 22 bits of their range.
template <class R>
const R* sort_in_cache(const R* from, std::size_t n, R* a, R* b) {
  using U = decltype(R::key);
  if (n <= kInsertion) {
    if (from != b) std::copy_n(from, n, b);
    insertion_sort(b, n);
    return b;
  }
  U least = from[0].key;
  U greatest = from[0].key;
  for (std::size_t i = 1; i < n; ++i) {
    least = std::min(least, from[i].key);
    greatest = std::max(greatest, from[i].key);
  }
  if (least == greatest) return from;

  const int width = bits_of(static_cast<U>(greatest - least));
  const int wanted = std::min(width, std::min(bits_of(n) + 4, kMostPasses * kMostDigit));
  const int passes = wanted > 10 ? 2 : 1;
  const int digit = (wanted + passes - 1) / passes;
  const int rest = std::max(0, width - passes * digit);  // low bits left alone
  const std::size_t values = std::size_t{1} << digit;
  const auto mask = static_cast<U>(values - 1);
  std::array<std::array<std::uint32_t, std::size_t{1} << kMostDigit>, kMostPasses> counts;
  for (int pass = 0; pass < passes; ++pass) std::fill_n(counts[static_cast<std::size_t>(pass)].begin(), values, 0U);
  auto& low = counts[0];
  auto& high = counts[1];
  if (passes == 1) {
    for (std::size_t i = 0; i < n; ++i) ++low[static_cast<U>(from[i].key - least) >> rest & mask];
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const auto key = static_cast<U>(static_cast<U>(from[i].key - least) >> rest);
      ++low[key & mask];
      ++high[static_cast<U>(key >> digit) & mask];
    }
  }
  const R* sorted = from;
  R* spare = a;
  for (int pass = 0; pass < passes; ++pass) {
    auto& position = counts[static_cast<std::size_t>(pass)];
    std::uint32_t sum = 0;
    for (std::size_t v = 0; v < values; ++v) sum += std::exchange(position[v], sum);
    R* const to = pass == 0 ? a : b;
    const int shift = rest + pass * digit;
    for (std::size_t i = 0; i < n; ++i) to[position[static_cast<U>(sorted[i].key - least) >> shift & mask]++] = sorted[i];
    sorted = to;
    spare = pass == 0 ? b : a;
  }
  if (rest == 0) return sorted;

  R* const result = const_cast<R*>(sorted);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const auto prefix = [&](std::size_t j) { return static_cast<U>(result[j].key - least) >> rest; };
    if (prefix(i) != prefix(i + 1)) continue;
    const std::size_t begin = i;
    for (++i; i + 1 < n && prefix(i) == prefix(i + 1);) ++i;
    const std::size_t size = i + 1 - begin;
    const R* const run = sort_in_cache(result + begin, size, spare + begin, result + begin);
    if (run != result + begin) std::copy_n(run, size, result + begin);
  }
  return result;
}

// Sharing out what does not.

constexpr std::size_t kCells = 1024;
constexpr std::size_t kMostBuckets = 1024;
constexpr std::size_t kPerBucket = 16;                        // keys of the sample for each bucket
constexpr std::size_t kBucketBytes = std::size_t{128} << 10;  // wanted: two of them, and some more, fit a second-level cache
constexpr std::size_t kGiant = std::size_t{1} << 18;          // so many records are not one thread's work

/// A map from keys to buckets that does not decrease, made from a sample so that buckets get about the same number of keys: the
/// range is cut into equal cells; those with many keys are cut again, those with few share a bucket.
template <class U>
class BucketMap {
 public:
  /// `sample` is sorted. Keys may lie outside [least, greatest].
  BucketMap(const std::vector<KeyOnly<U>>& sample, U least, U greatest, std::size_t buckets)
      : least_(least), span_(static_cast<U>(greatest - least)), cells_(1) {
    constexpr int kCellBits = std::countr_zero(kCells);
    shift_ = std::max(0, bits_of(span_) - kCellBits);
    cells_.resize(static_cast<std::size_t>(span_ >> shift_) + 1);
    const std::size_t share = std::max<std::size_t>(1, sample.size() / buckets);
    std::size_t next = 0;    // in the sample
    std::size_t filled = 0;  // keys of the sample in the bucket that cells are being added to
    std::uint32_t bucket = 0;
    bool open = false;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const std::size_t begin = next;
      while (next < sample.size() && static_cast<std::size_t>(static_cast<U>(sample[next].key - least) >> shift_) == c) ++next;
      const std::size_t keys = next - begin;
      int bits = 0;
      if (keys > share + share / 2) bits = std::min(bits_of((keys - 1) / share), shift_);
      if (open && (bits > 0 || filled + keys > share + share / 2)) {
        ++bucket;
        open = false;
      }
      if (!open) filled = 0;
      const int shift = shift_ - bits;
      cells_[c] = {static_cast<std::uint32_t>(bucket - static_cast<std::uint32_t>(c << bits)), static_cast<std::uint32_t>(shift)};
      filled += keys;
      open = true;
      if (bits > 0 || keys > share + share / 2) {
        bucket += std::uint32_t{1} << bits;
        open = false;
      }
    }
    buckets_ = bucket + (open ? 1 : 0);
  }

  std::size_t buckets() const { return buckets_; }
  std::size_t operator()(U key) const {
    const U distance = std::min(static_cast<U>(std::max(key, least_) - least_), span_);
    const Cell cell = cells_[static_cast<std::size_t>(distance >> shift_)];
    return static_cast<std::uint32_t>(static_cast<std::uint32_t>(distance >> cell.shift) + cell.offset);
  }

 private:
  struct Cell {
    std::uint32_t offset;  // of its first bucket, less what the keys' leading bits are there; wraps
    std::uint32_t shift;
  };

  U least_;
  U span_;
  int shift_ = 0;
  std::vector<Cell> cells_;
  std::size_t buckets_ = 0;
};

/// i ↦ position of the i-th key of a sample of `count` out of n: one in each n/count, nowhere at equal distances.
std::size_t sample_position(std::size_t i, std::size_t count, std::size_t n) {
  const std::size_t stride = n / count;
  return i * stride + static_cast<std::size_t>((i + 1) * 0x9E3779B97F4A7C15U >> 20) % stride;
}

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
  Buffer<R> lines_;
};

/// Chunks of n records: so many that they spread over the threads of any machine, long enough for their own counters to pay.
Chunks cut(std::size_t n, std::size_t bytes) {
  return Chunks(n, bytes, std::max<std::size_t>(4096, std::bit_ceil(n / 256 + 1)));
}

/// Keys of load(0) … load(n - 1), in order; so many that each of `buckets` buckets has some.
template <class U, class Load>
std::vector<KeyOnly<U>> take_sample(std::size_t n, std::size_t buckets, const Load& load) {
  const std::size_t count = std::min(n, kPerBucket * buckets);
  std::vector<KeyOnly<U>> sample(count);
  for (std::size_t i = 0; i < count; ++i) sample[i].key = load(sample_position(i, count, n)).key;
  std::vector<KeyOnly<U>> a(count);
  std::vector<KeyOnly<U>> b(count);
  const KeyOnly<U>* const sorted = sort_in_cache(sample.data(), count, a.data(), b.data());
  return sorted == sample.data() ? sample : sorted == a.data() ? a : b;
}

/// One sort: Emit knows where results go. Buckets lie in `primary` when first shared out; where one has to be shared out again, it
/// goes back and forth between there and `other`, which is made when needed.
template <class R, class Emit>
class Sort {
 public:
  using U = decltype(R::key);

  Sort(Engine& engine, std::size_t n, const Emit& emit, R* other)
      : engine_(engine), emit_(emit), stream_(worth_streaming(2 * n * sizeof(R))), primary_(n), n_(n), other_(other) {}

  template <class Load>
  void run(const Load& load) {
    const std::size_t buckets = wanted_buckets(n_);
    const std::vector<KeyOnly<U>> sample = take_sample<U>(n_, buckets, load);
    share_out(n_, BucketMap<U>(sample, sample.front().key, sample.back().key, buckets), load, primary_.data(), 0);
  }

 private:
  static std::size_t wanted_buckets(std::size_t n) {
    return std::clamp<std::size_t>(n / (kBucketBytes / sizeof(R)), 2, kMostBuckets);
  }

  /// Sorts load(0) … load(n - 1) by way of to[0, n) to the places from `first` on.
  template <class Load>
  void share_out(std::size_t n, const BucketMap<U>& map, const Load& load, R* to, std::size_t first) {
    static constinit Cost counting;
    static constinit Cost moving;
    static constinit Cost sorting;
    const Chunks chunks = cut(n, sizeof(R));
    const std::size_t buckets = map.buckets();
    // How many each chunk has of each bucket, then where the first of them goes.
    std::vector<std::size_t> places(chunks.count() * buckets);
    engine_.over_chunks(chunks, counting, [&](std::size_t from, std::size_t last) {
      const BucketMap<U> local(map);
      std::vector<std::uint32_t> counts(buckets);
      for (; from < last; ++from) {
        std::fill(counts.begin(), counts.end(), 0U);
        const Range part = chunks[from];
        for (std::size_t i = part.begin; i < part.end; ++i) ++counts[local(load(i).key)];
        std::copy(counts.begin(), counts.end(), places.begin() + static_cast<std::ptrdiff_t>(from * buckets));
      }
    });
    std::vector<std::size_t> begins(buckets + 1, n);
    std::size_t sum = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
      begins[b] = sum;
      for (std::size_t k = 0; k < chunks.count(); ++k) sum += std::exchange(places[k * buckets + b], sum);
    }
    engine_.over_chunks(chunks, moving, [&](std::size_t from, std::size_t last) {
      const BucketMap<U> local(map);
      LineWriter<R> writer(to, places.data() + from * buckets, buckets, stream_);
      const Range part = chunks.elements(from, last);
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const R record = load(i);
        writer.write(local(record.key), record);
      }
      writer.finish();
    });
    // A chunk sorts the buckets that begin in it.
    engine_.over_chunks(chunks, sorting, [&](std::size_t from, std::size_t last) {
      const Range part = chunks.elements(from, last);
      const auto begin = static_cast<std::size_t>(std::lower_bound(begins.begin(), begins.end() - 1, part.begin) - begins.begin());
      const auto end = static_cast<std::size_t>(std::lower_bound(begins.begin(), begins.end() - 1, part.end) - begins.begin());
      std::size_t largest = 0;
      for (std::size_t b = begin; b < end; ++b)
        if (const std::size_t size = begins[b + 1] - begins[b]; size <= kGiant) largest = std::max(largest, size);
      const Buffer<R> a(largest);
      const Buffer<R> b2(largest);
      for (std::size_t b = begin; b < end; ++b) {
        const std::size_t size = begins[b + 1] - begins[b];
        if (size == 0 || size > kGiant) continue;
        emit_(first + begins[b], sort_in_cache<R>(to + begins[b], size, a.data(), b2.data()), size, stream_);
      }
    });
    for (std::size_t b = 0; b < buckets; ++b)
      if (const std::size_t size = begins[b + 1] - begins[b]; size > kGiant)
        share_out_again(to + begins[b], size, first + begins[b]);
  }

  /// Sorts a bucket that is too large for one thread.
  void share_out_again(R* from, std::size_t n, std::size_t first) {
    static constinit Cost looking;
    static constinit Cost writing;
    const Chunks chunks = cut(n, sizeof(R));
    std::vector<std::array<U, 2>> ends(chunks.count());
    engine_.over_chunks(chunks, looking, [&](std::size_t k, std::size_t last) {
      for (; k < last; ++k) {
        const Range part = chunks[k];
        U least = from[part.begin].key;
        U greatest = least;
        for (std::size_t i = part.begin; i < part.end; ++i) {
          least = std::min(least, from[i].key);
          greatest = std::max(greatest, from[i].key);
        }
        ends[k] = {least, greatest};
      }
    });
    U least = ends[0][0];
    U greatest = ends[0][1];
    for (const auto& [low, high] : ends) {
      least = std::min(least, low);
      greatest = std::max(greatest, high);
    }
    if (least == greatest) {
      engine_.over_chunks(chunks, writing, [&](std::size_t k, std::size_t last) {
        const Range part = chunks.elements(k, last);
        emit_(first + part.begin, from + part.begin, part.size(), stream_);
      });
      return;
    }
    const auto load = [from](std::size_t i) { return from[i]; };
    const std::size_t buckets = wanted_buckets(n);
    if (other_ == nullptr) {
      spare_ = std::make_unique<Buffer<R>>(n_);
      other_ = spare_->data();
    }
    R* const to = from < primary_.data() + n_ && from >= primary_.data() ? other_ + first : primary_.data() + first;
    share_out(n, BucketMap<U>(take_sample<U>(n, buckets, load), least, greatest, buckets), load, to, first);
  }

  Engine& engine_;
  const Emit& emit_;
  bool stream_;
  Buffer<R> primary_;
  std::size_t n_;
  R* other_;
  std::unique_ptr<Buffer<R>> spare_;
};

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
    const Buffer<R> memory(2 * n);
    sort(memory.data(), memory.data() + n);
  });
}

/// The key that would be the nth of n in order.
template <class R, class Load>
decltype(R::key) find_nth(Engine& engine, std::size_t n, std::size_t nth, const Load& load) {
  using U = decltype(R::key);
  static constinit Cost counting;
  static constinit Cost collecting;
  constexpr std::size_t kBuckets = 256;
  constexpr std::size_t kWhole = 4096;  // so few are sorted without more ado
  const auto nth_of = [&](std::size_t size, std::size_t rank, const auto& key_at) {
    U found{};
    const auto emit = [&](std::size_t first, const R* records, std::size_t count, bool) {
      if (first <= rank && rank < first + count) found = records[rank - first].key;
    };
    run<R>(engine, size, nullptr, key_at, emit);
    return found;
  };
  if (n <= kWhole) return nth_of(n, nth, load);

  const std::vector<KeyOnly<U>> sample = take_sample<U>(n, kBuckets, load);
  const BucketMap<U> map(sample, sample.front().key, sample.back().key, kBuckets);
  const Chunks chunks = cut(n, sizeof(U));
  std::vector<std::size_t> counts(chunks.count() * map.buckets());
  engine.over_chunks(chunks, counting, [&](std::size_t k, std::size_t last) {
    const BucketMap<U> local(map);
    for (; k < last; ++k)
      for (std::size_t i = chunks[k].begin; i < chunks[k].end; ++i) ++counts[k * local.buckets() + local(load(i).key)];
  });
  std::size_t before = 0;
  std::size_t size = 0;
  std::size_t bucket = 0;
  std::vector<std::size_t> places(chunks.count());
  for (;; ++bucket) {
    size = 0;
    for (std::size_t k = 0; k < chunks.count(); ++k) {
      places[k] = size;
      size += counts[k * map.buckets() + bucket];
    }
    if (nth < before + size) break;
    before += size;
  }
  const Buffer<R> candidates(size);
  engine.over_chunks(chunks, collecting, [&](std::size_t k, std::size_t last) {
    const BucketMap<U> local(map);
    std::size_t place = places[k];
    const Range part = chunks.elements(k, last);
    for (std::size_t i = part.begin; i < part.end; ++i)
      if (const R record = load(i); local(record.key) == bucket) candidates.data()[place++] = record;
  });
  return nth_of(size, nth - before, [data = candidates.data()](std::size_t i) { return data[i]; });
}

/// Rearranges data, elements of type U: those with lesser keys, those with this one, those with greater ones; stable.
template <class U, class Order>
void part_at(Engine& engine, void* data, std::size_t n, U key, const Order& order) {
  static constinit Cost counting;
  static constinit Cost moving;
  static constinit Cost returning;
  const Chunks chunks = cut(n, sizeof(U));
  const auto part_of = [&](U bits) -> std::size_t { return order.key(bits) < key ? 0 : order.key(bits) == key ? 1 : 2; };
  std::vector<std::array<std::size_t, 3>> places(chunks.count());
  engine.over_chunks(chunks, counting, [&](std::size_t k, std::size_t last) {
    for (; k < last; ++k) {
      std::array<std::size_t, 3> counts{};
      for (std::size_t i = chunks[k].begin; i < chunks[k].end; ++i) ++counts[part_of(bits_at<U>(data, i))];
      places[k] = counts;
    }
  });
  std::size_t sum = 0;
  for (std::size_t part = 0; part < 3; ++part)
    for (auto& place : places) sum += std::exchange(place[part], sum);
  const Buffer<U> buffer(n);
  engine.over_chunks(chunks, moving, [&](std::size_t k, std::size_t last) {
    std::array<std::size_t, 3> place = places[k];
    const Range part = chunks.elements(k, last);
    for (std::size_t i = part.begin; i < part.end; ++i) {
      const U bits = bits_at<U>(data, i);
      buffer.data()[place[part_of(bits)]++] = bits;
    }
  });
  engine.over_chunks(chunks, returning, [&](std::size_t k, std::size_t last) {
    const Range part = chunks.elements(k, last);
    std::memcpy(static_cast<char*>(data) + part.begin * sizeof(U), buffer.data() + part.begin, part.size() * sizeof(U));
  });
}

/// Keys of one byte are counted and written anew.
void count_and_fill(Engine& engine, const IntegerOrder<std::uint8_t>& order, unsigned char* data, std::size_t n) {
  static constinit Cost counting;
  static constinit Cost filling;
  constexpr std::size_t kValues = 256;
  const Chunks chunks(n, 1, 1U << 16);
  std::array<std::size_t, kValues> counts{};
  engine.over_chunks(chunks, counting, [&](std::size_t first, std::size_t last) {
    std::array<std::array<std::size_t, kValues>, 4> local{};  // four, since equal neighbours would wait for each other
    const Range part = chunks.elements(first, last);
    for (std::size_t i = part.begin; i < part.end; ++i) ++local[i % 4][order.key(data[i])];
    for (std::size_t v = 0; v < kValues; ++v)
      std::atomic_ref(counts[v]).fetch_add(local[0][v] + local[1][v] + local[2][v] + local[3][v], std::memory_order_relaxed);
  });
  engine.over_chunks(chunks, filling, [&](std::size_t first, std::size_t last) {
    const Range part = chunks.elements(first, last);
    std::size_t begin = 0;
    for (std::size_t v = 0; v < kValues; begin += counts[v], ++v) {
      const std::size_t from = std::max(begin, part.begin);
      const std::size_t to = std::min(begin + counts[v], part.end);
      if (from < to) std::memset(data + from, order.bits(static_cast<std::uint8_t>(v)), to - from);
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
      count_and_fill(engine, order, static_cast<unsigned char*>(keys.data), n);
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
    part_at(engine, keys.data, n, find_nth<R>(engine, n, nth, load), order);
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
