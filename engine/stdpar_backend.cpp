#include <algorithm>
#include <execution>
#include <iterator>

#include "furrow/engine/builtin_backends.hpp"
#include "furrow/engine/tbb_arena.hpp"

#if !defined(_PSTL_PAR_BACKEND_TBB)
#error "without oneTBB libstdc++ runs std::execution::par on one thread and says nothing"
#endif

namespace furrow {
namespace {

/// Counts, as a random-access iterator in the old sense too: over std::views::iota, whose C++17 category is input, libstdc++ runs
/// std::execution::par on one thread.
class TaskIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using pointer = const std::size_t*;
  using reference = std::size_t;

  TaskIterator() = default;
  explicit TaskIterator(std::size_t task) : task_(task) {}

  reference operator*() const { return task_; }
  reference operator[](difference_type by) const { return *(*this + by); }
  TaskIterator& operator+=(difference_type by) {
    task_ += static_cast<std::size_t>(by);
    return *this;
  }
  TaskIterator& operator-=(difference_type by) { return *this += -by; }
  TaskIterator& operator++() { return *this += 1; }
  TaskIterator& operator--() { return *this -= 1; }
  TaskIterator operator++(int) {
    TaskIterator before = *this;
    ++*this;
    return before;
  }
  TaskIterator operator--(int) {
    TaskIterator before = *this;
    --*this;
    return before;
  }
  friend TaskIterator operator+(TaskIterator a, difference_type by) { return a += by; }
  friend TaskIterator operator+(difference_type by, TaskIterator a) { return a += by; }
  friend TaskIterator operator-(TaskIterator a, difference_type by) { return a -= by; }
  friend difference_type operator-(TaskIterator a, TaskIterator b) { return static_cast<difference_type>(a.task_ - b.task_); }
  friend auto operator<=>(TaskIterator, TaskIterator) = default;

 private:
  std::size_t task_ = 0;
};

/// The standard's parallel algorithms. In libstdc++ they stand on oneTBB, so this backend's arenas decide how many threads they
/// get. They offer no choice of schedule: tasks go to whichever thread is free.
class StdparBackend final : public Backend {
 public:
  explicit StdparBackend(int concurrency) : Backend(concurrency), arenas_(concurrency) {}
  std::string_view name() const override { return "stdpar"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    arenas_.execute([&] { std::for_each(std::execution::par, TaskIterator(0), TaskIterator(tasks), body); }, inside_task(), tasks,
                    body);
  }

  bool nests() const override { return true; }

  TbbArenas arenas_;
};

}  // namespace

std::unique_ptr<Backend> make_stdpar_backend(int concurrency) {
  return std::make_unique<StdparBackend>(concurrency);
}

std::string stdpar_version() {
  return "libstdc++ " + std::to_string(_GLIBCXX_RELEASE) + " on oneTBB";
}

}  // namespace furrow
