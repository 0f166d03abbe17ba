#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/sorting/bucket_map.hpp"
#include "furrow/kernels/sorting/cache_sort.hpp"
#include "furrow/kernels/sorting/line_writer.hpp"

namespace furrow::sorting {

/// i ↦ position of the i-th key of a sample of `count` out of n: one in each n/count, nowhere at equal distances.
inline std::size_t sample_position(std::size_t i, std::size_t count, std::size_t n) {
  const std::size_t stride = n / count;
  return i * stride + static_cast<std::size_t>((i + 1) * 0x9E3779B97F4A7C15U >> 20) % stride;
}

/// Chunks of n records: so many that they spread over the threads of any machine, long enough for their own counters to pay.
inline Chunks cut(std::size_t n, std::size_t bytes) {
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
      const BucketMap<U> local(map);  // NOLINT(performance-unnecessary-copy-initialization): no store to `to` can change a copy
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
      const Scratch<R> a(largest);
      const Scratch<R> b2(largest);
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
      spare_ = Scratch<R>(n_);
      other_ = spare_.data();
    }
    R* const to = from < primary_.data() + n_ && from >= primary_.data() ? other_ + first : primary_.data() + first;
    share_out(n, BucketMap<U>(take_sample<U>(n, buckets, load), least, greatest, buckets), load, to, first);
  }

  Engine& engine_;
  const Emit& emit_;
  bool stream_;
  Scratch<R> primary_;
  std::size_t n_;
  R* other_;
  Scratch<R> spare_;
};

}  // namespace furrow::sorting
