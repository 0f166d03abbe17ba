#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/memory.hpp"

namespace furrow {

/// A contiguous array of n elements whose pages are first touched by the engine's threads, in the shares in which kernels later use
/// them, so that on NUMA machines data stand next to their core. 64-byte aligned; huge pages when large. Moves, does not copy.
/// Throws std::bad_alloc if there is not so much memory, or if n elements have more bytes than fit a size.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>, "furrow::Array holds plain data");

 public:
  /// The type of an element.
  using value_type = T;

  /// No elements.
  Array() = default;
  /// Takes over the memory of the other one, which is empty then.
  Array(Array&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  /// The same; what this one held is given back.
  Array& operator=(Array&& other) noexcept {
    deallocate(std::exchange(data_, std::exchange(other.data_, nullptr)));
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Array() { deallocate(data_); }

  /// n zeros (all bytes 0).
  Array(Engine& engine, std::size_t n) : Array(n) {
    fill(engine, [this](Range part) { std::memset(static_cast<void*>(data() + part.begin), 0, part.size() * sizeof(T)); });
  }

  /// n copies of `value`.
  Array(Engine& engine, std::size_t n, const T& value) : Array(n) {
    fill(engine, [this, &value](Range part) { std::uninitialized_fill_n(data() + part.begin, part.size(), value); });
  }

  /// The first element; aligned to 64 bytes. Null if there are none.
  T* data() { return data_; }
  /// The same, to read.
  const T* data() const { return data_; }
  /// The number of elements.
  std::size_t size() const { return size_; }
  /// Whether there are none.
  bool empty() const { return size_ == 0; }

  /// Element i; not checked.
  T& operator[](std::size_t i) { return data()[i]; }
  /// The same, to read.
  const T& operator[](std::size_t i) const { return data()[i]; }

  /// The first element.
  T* begin() { return data(); }
  /// Behind the last element.
  T* end() { return data() + size_; }
  /// The first element, to read.
  const T* begin() const { return data(); }
  /// Behind the last element, to read.
  const T* end() const { return data() + size_; }

 private:
  explicit Array(std::size_t n) : data_(static_cast<T*>(allocate(array_bytes(n, sizeof(T))))), size_(n) {}

  template <class Write>
  void fill(Engine& engine, const Write& write) {
    static Cost cost;
    const Chunks chunks(size_, sizeof(T));
    engine.over_chunks(chunks, cost, [&](std::size_t first, std::size_t last) { write(chunks.elements(first, last)); });
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace furrow
