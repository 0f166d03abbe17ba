#pragma once

#include <cstddef>

namespace furrow {

/// Whether a call that touches `bytes` bytes in all should stream its output past the cache: reading a line only to overwrite it
/// would waste memory bandwidth where the result does not fit the cache anyway.
bool worth_streaming(std::size_t bytes);

/// Copies `bytes` bytes from `source`, which is in cache, to `target`, past the cache. No overlap; any alignment. stream_fence()
/// must follow on the same thread before another thread may read the target.
void stream_copy(void* target, const void* source, std::size_t bytes);

/// Makes streamed stores visible in order with later ones; once at the end of a task.
void stream_fence();

/// Writes elements past the cache one after the other, by way of a buffer and in whole lines, wherever `target` begins.
///
///     StreamWriter<T> writer(target);
///     while (…) { n = at most kMost; …write n elements to writer.next()…; writer.take(n); }
///     writer.finish();
///
/// The buffer is short. Stores to a longer one wait behind those that were streamed out before, and while they wait, inputs at the
/// same offset in a page are taken by the processor for what is being stored (two inputs of double, 4 KiB: half the speed).
template <class T>
class StreamWriter {
  static constexpr std::size_t kBytes = 512;
  static constexpr std::size_t kLine = 64;

 public:
  static constexpr std::size_t kMost = kBytes / sizeof(T);
  /// Whether elements of T can go through it: whole ones fill a line.
  static constexpr bool takes = kLine % sizeof(T) == 0 && kLine % alignof(T) == 0;

  explicit StreamWriter(T* target)
      : head_(reinterpret_cast<std::size_t>(target) % kLine),
        filled_(head_),
        line_(reinterpret_cast<unsigned char*>(target) - head_) {}

  T* next() { return reinterpret_cast<T*>(buffer_ + filled_); }

  void take(std::size_t n) {
    filled_ += n * sizeof(T);
    const std::size_t whole = filled_ / kLine * kLine;
    if (whole == 0) return;
    std::size_t first = 0;
    if (head_ != 0) {  // the first line belongs to others up to here
      __builtin_memcpy(line_ + head_, buffer_ + head_, kLine - head_);
      head_ = 0;
      first = kLine;
    }
    stream_copy(line_ + first, buffer_ + first, whole - first);
    line_ += whole;
    filled_ -= whole;
    __builtin_memcpy(buffer_, buffer_ + whole, kLine);
  }

  void finish() {
    __builtin_memcpy(line_ + head_, buffer_ + head_, filled_ - head_);
    stream_fence();
  }

 private:
  alignas(kLine) unsigned char buffer_[kLine + kBytes + kLine];  // what is left of a line, what comes next, and room to copy a line
  std::size_t head_;
  std::size_t filled_;
  unsigned char* line_;
};

/// The same by way of the cache.
template <class T>
class CopyWriter {
 public:
  static constexpr std::size_t kMost = StreamWriter<T>::kMost;

  explicit CopyWriter(T* target) : target_(target) {}

  T* next() { return buffer_; }
  void take(std::size_t n) {
    __builtin_memcpy(target_, buffer_, n * sizeof(T));
    target_ += n;
  }
  void finish() {}

 private:
  alignas(64) T buffer_[kMost];
  T* target_;
};

/// Writes the elements [begin, end) of `out` past the cache: write(i, size, to) puts `size` of them, from the i-th on, at `to`.
template <class T, class Write>
void stream_in_parts(T* out, std::size_t begin, std::size_t end, const Write& write) {
  StreamWriter<T> writer(out + begin);
  while (begin < end) {
    const std::size_t size = end - begin < writer.kMost ? end - begin : writer.kMost;
    write(begin, size, writer.next());
    writer.take(size);
    begin += size;
  }
  writer.finish();
}

}  // namespace furrow
