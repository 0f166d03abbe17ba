#pragma once

#include <cstddef>

namespace furrow {

class Engine;

/// The body of a kernel call, body(first, last) doing the chunks [first, last), and which chunks each task of it has. All that a
/// task needs lies side by side in whole lines of the cache: other threads have to fetch them from the caller's core.
class alignas(128) ChunkBody {
 public:
  void operator()(std::size_t first, std::size_t last) const { call_(*this, first, last); }

  /// As the task of a bulk call.
  void operator()(std::size_t task) const;

 protected:
  using Call = void (*)(const ChunkBody&, std::size_t, std::size_t);
  explicit ChunkBody(Call call) : call_(call) {}

 private:
  friend class Engine;

  std::size_t begin(std::size_t task) const { return first_ + task * share_ + (task < longer_ ? task : longer_); }

  Call call_;
  std::size_t first_ = 0;          ///< chunk of the first task
  std::size_t share_ = 0;          ///< chunks of a task
  std::size_t longer_ = 0;         ///< the first so many tasks have one more
  const Engine* stops_ = nullptr;  ///< null if no stop can be requested
};

/// The same around a callable of any type, a copy of which it holds.
template <class Body>
class HeldChunkBody final : public ChunkBody {
 public:
  explicit HeldChunkBody(const Body& body)
      : ChunkBody([](const ChunkBody& self, std::size_t first, std::size_t last) {
          static_cast<const HeldChunkBody&>(self).body_(first, last);
        }),
        body_(body) {}

 private:
  Body body_;
};

}  // namespace furrow
