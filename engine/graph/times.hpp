#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace furrow {

/// What runs of graphs of one kind took on one thread and on all, so that small graphs, and those of nodes that are cheaper than
/// handing them over, come to run on the calling thread. Graphs cannot be judged before: nodes say what they touch, not how long
/// they take, and to begin with one alone would make two long ones wait for each other. It decides how a graph runs, never what it
/// computes.
class GraphTimes {
 public:
  /// Of graphs with this key. There are as many places as many programs need; one that meets another key there begins anew.
  static GraphTimes& of(std::uint64_t key);

  /// How many nanoseconds the next run, else on so many threads, may take on the calling thread before the others take over: some
  /// where that was faster, and now and then, to know, where it cannot take long; else 0.
  float patience_alone(std::size_t threads);
  void add(bool alone, float nanoseconds);

 private:
  void begin(std::uint64_t key);

  std::atomic<std::uint64_t> key_{0};
  std::atomic<unsigned> runs_{0};
  std::atomic<float> alone_{0};     ///< nanoseconds, lately; 0: not known
  std::atomic<float> together_{0};  ///< the same
};

}  // namespace furrow
