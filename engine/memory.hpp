#pragma once

#include <cstddef>
#include <utility>

namespace furrow {

/// Memory for arrays: `bytes` bytes, aligned to 64, in huge pages when large; not touched yet. Throws std::bad_alloc. 0 bytes give
/// a null pointer. Large arrays begin at different places within their first page: the same element of two arrays at equal
/// distances from a 4 KiB boundary would make processors take a store for a dependency of the next load.
void* allocate(std::size_t bytes);

/// Gives back what allocate() returned.
void deallocate(void* memory) noexcept;

/// Memory for the length of a call, aligned to 64 bytes, in huge pages when large. Unlike an array's, what was given back is used
/// again: new pages cost more than a pass over what they hold. Of large blocks a few are kept for that, together no more than an
/// eighth of the machine's memory, and the system takes their pages whenever it needs them. Throws std::bad_alloc. 0 bytes give a
/// null pointer.
void* allocate_scratch(std::size_t bytes);

/// Gives back the so many bytes that allocate_scratch() returned.
void deallocate_scratch(void* memory, std::size_t bytes) noexcept;

/// elements * size, or throws std::bad_alloc if that overflows.
std::size_t array_bytes(std::size_t elements, std::size_t size);

/// Such memory for n objects, which the user constructs and destroys; given back at the end of a scope.
template <class T>
class Scratch {
 public:
  /// None.
  Scratch() = default;
  /// Throws std::bad_alloc if there is not so much memory.
  explicit Scratch(std::size_t n) : bytes_(array_bytes(n, sizeof(T))), data_(static_cast<T*>(allocate_scratch(bytes_))) {}
  /// Takes over the memory of the other one, which has none then.
  Scratch(Scratch&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  /// Exchanges memory with the other one.
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Scratch() { deallocate_scratch(data_, bytes_); }

  /// The first object; null if made without a size.
  T* data() const { return data_; }
  /// How many bytes they take.
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
  T* data_ = nullptr;
};

}  // namespace furrow
