#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/groups.hpp"
#include "furrow/kernels/ranges.hpp"
#include "furrow/kernels/selection/packing.hpp"
#include "furrow/kernels/sorting/merging.hpp"
#include "furrow/kernels/streaming.hpp"

// Keeping some elements, in order: how copy_if and unique do it.

namespace furrow::selection {

[[noreturn]] void too_small(const char* call, std::size_t size);

/// Elements that are gathered in cache and copied on as bytes.
template <class T>
inline constexpr bool kPlain = (std::is_trivially_copyable_v<T> && std::is_copy_assignable_v<T> &&
                                std::is_trivially_default_constructible_v<T> && sizeof(T) <= 64);

/// Those of them that are chosen by SIMD code, as words of their size.
template <class T>
inline constexpr bool kPacked = (kPlain<T> && (sizeof(T) == 1 || sizeof(T) == 4 || sizeof(T) == 8) && alignof(T) == sizeof(T));
template <class T>
using PackedWord =
    std::conditional_t<sizeof(T) == 1, std::uint8_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;

/// Chunks of elements to be chosen from: long enough for what each costs besides.
template <class T>
Chunks cut(std::size_t n) {
  return {n, sizeof(T), sizeof(T) < 4096 ? std::bit_floor(4096 / sizeof(T)) : 1};
}

/// chosen[i] = 1 if keep(begin + i), else 0, for i in [0, size).
template <class Keep>
void choose(std::size_t begin, std::size_t size, unsigned char* chosen, const Keep& keep) {
  constexpr std::size_t kGroup = 16;  // a constant number, which compilers make vectors of
  const Keep own = keep;              // of which compilers know that no store to `chosen` changes it
  std::size_t i = 0;
  for (; i + kGroup <= size; i += kGroup) {
    std::array<unsigned char, kGroup> group;  // of which they know that it is not what `keep` reads
    for (std::size_t k = 0; k < kGroup; ++k) group[k] = static_cast<unsigned char>(own(begin + i + k));
    std::memcpy(chosen + i, group.data(), kGroup);
  }
  for (; i < size; ++i) chosen[i] = static_cast<unsigned char>(own(begin + i));
}

/// Asks for the bytes that will be read some way behind those at `from`. Choosing and packing by turns looks like no stream to
/// processors, which then fetch nothing by themselves.
inline void fetch_ahead(const void* from, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kAhead = 8192;  // further than memory is away at twice its speed
  const auto address = reinterpret_cast<std::uintptr_t>(from) + kAhead;
  for (std::size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(reinterpret_cast<const void*>(address + i), 0, 2);
}

/// What is kept of a chunk, until it is known where it goes.
template <class T, bool = kPlain<T>>
class Kept {
 public:
  std::size_t place = 0;  ///< where it goes

  /// Those elements of x[part] for whose index keep(i) is true; a chunk has at most `most`.
  template <class Keep>
  void take(const T* x, Range part, std::size_t most, const Keep& keep) {
    if (memory_.data() == nullptr) memory_ = Scratch<T>(most);
    T* const to = memory_.data();
    std::size_t count = 0;
    if constexpr (kPacked<T>) {
      using Word = PackedWord<T>;
      constexpr std::size_t kBlock = 1024 / sizeof(T);
      alignas(64) std::array<unsigned char, kBlock> chosen;
      for (std::size_t begin = part.begin; begin < part.end; begin += kBlock) {
        const std::size_t size = part.end - begin < kBlock ? part.end - begin : kBlock;
        fetch_ahead(x + begin, size * sizeof(T));
        choose(begin, size, chosen.data(), keep);
        count += pack(reinterpret_cast<const Word*>(x + begin), chosen.data(), size, reinterpret_cast<Word*>(to + count));
      }
    } else {
      for (std::size_t i = part.begin; i < part.end; ++i) {  // no branch: half kept would mean half mispredicted
        const bool kept = keep(i);
        to[count] = x[i];
        count += kept;
      }
    }
    count_ = count;
  }
  std::size_t count() const { return count_; }
  void give(T* to, bool stream) {
    if (!stream) return merging::copy_bytes(to, memory_.data(), count_);
    stream_copy(to, memory_.data(), count_ * sizeof(T));
    stream_fence();
  }

 private:
  Scratch<T> memory_;
  std::size_t count_ = 0;
};

template <class T>
class Kept<T, false> {
 public:
  std::size_t place = 0;

  template <class Keep>
  void take(const T* x, Range part, std::size_t, const Keep& keep) {
    kept_.clear();
    for (std::size_t i = part.begin; i < part.end; ++i)
      if (keep(i)) kept_.push_back(x[i]);
  }
  std::size_t count() const { return kept_.size(); }
  void give(T* to, bool) {
    for (T& element : kept_) *to++ = std::move(element);
  }

 private:
  std::vector<T> kept_;
};

/// Writes those x[i] for which keep(i, before) to the front of `out`, which may be x; `before` is the element before x[i], as it
/// was, nullptr if there is none.
template <class T, class U, class Keep>
std::size_t compact(const char* call, Engine& engine, Cost& choosing, Cost& writing, std::span<T> in, std::span<U> out,
                    const Keep& keep) {
  const bool stream = !check::same_memory(in, out) && worth_streaming(in.size_bytes() + in.size_bytes() / 2);
  const T* const x = in.data();
  const Chunks chunks = cut<U>(in.size());
  const auto take = [&, keep, x](Range part, Kept<U>& kept) {
    kept.take(x, part, chunks.length(), [keep, x](std::size_t i) { return keep(x[i], i == 0 ? nullptr : x + i - 1); });
  };
  std::size_t total = 0;
  const auto carry = [&](Range, Kept<U>& kept) {
    kept.place = total;
    total += kept.count();
    if (total > out.size()) too_small(call, out.size());
  };
  const auto give = [&](Range part, Kept<U>& kept, Range) {
    U* const to = out.data() + kept.place;
    // Where all are kept in their places, others may be looking at the last of them.
    if (to == x + part.begin && kept.count() == part.size()) return;
    kept.give(to, stream);
  };
  in_groups<Kept<U>>(engine, choosing, writing, chunks, chunks.length() * sizeof(U), take, carry, give);
  return total;
}

}  // namespace furrow::selection
