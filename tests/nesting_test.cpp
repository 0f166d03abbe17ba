// Calls inside calls: nested, from other runtimes' regions, from many threads, under locks, and in the child of a fork().
#include <gtest/gtest.h>
#include <omp.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::in_child;
using support::repeats;

int threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

class NestingTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3}};
};

/// Engines in engines: depth levels of `width` tasks each, counted.
void nest(const std::vector<Engine*>& engines, std::size_t level, std::atomic<int>& leaves) {
  if (level == engines.size()) {
    ++leaves;
    return;
  }
  engines[level]->bulk(6, [&](std::size_t) { nest(engines, level + 1, leaves); });
}

TEST_P(NestingTest, CallsThreeDeepFinishWithoutMoreThreads) {
  std::vector<std::unique_ptr<Engine>> others;
  for (const std::string& backend : backends())
    others.push_back(std::make_unique<Engine>(backend, EngineOptions{.concurrency = 3}));
  const auto run_all = [&] {
    for (const auto& other : others) {
      for (const std::vector<Engine*>& engines :
           {std::vector{&engine_, &engine_, &engine_}, std::vector{&engine_, other.get(), &engine_},
            std::vector{other.get(), &engine_, other.get()}}) {
        std::atomic<int> leaves{0};
        nest(engines, 0, leaves);
        ASSERT_EQ(leaves, 6 * 6 * 6);
      }
    }
  };
  run_all();
  const int after_first = threads_of_process();
  for (std::size_t i = 0; i < repeats(50); ++i) run_all();
  EXPECT_LE(threads_of_process(), after_first + 2) << "nested calls multiply threads";
}

TEST_P(NestingTest, InnerExceptionsPassThroughTheOuterCall) {
  for (std::size_t i = 0; i < repeats(100); ++i) {
    const std::string message = support::message_of([&] {
      engine_.bulk(5, [&](std::size_t outer) {
        engine_.bulk(5, [&](std::size_t inner) {
          if (outer >= 2 && inner >= 3) throw Error(std::to_string(outer) + "," + std::to_string(inner));
        });
      });
    });
    ASSERT_EQ(message, "2,3");
  }
}

TEST_P(NestingTest, ANestedCallTellsThatItRanInline) {
  Engine outer(backends().at(1), {.concurrency = 2});
  outer.bulk(2, [&](std::size_t task) {
    if (task == 0) engine_.bulk(4, [](std::size_t) {});
  });
  EXPECT_EQ(engine_.last_run().serial, Serial::nested);
  EXPECT_EQ(engine_.last_run().threads, 1);
}

TEST_P(NestingTest, WorksInsideTheUsersOwnParallelRegions) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it does not know the synchronisation of this file's own regions";
  std::atomic<int> count{0};
#pragma omp parallel for num_threads(4)
  for (int i = 0; i < 16; ++i) engine_.bulk(10, [&](std::size_t) { ++count; });
  EXPECT_EQ(count, 160);
  count = 0;
  tbb::task_arena arena(2);
  arena.execute([&] { tbb::parallel_for(0, 16, [&](int) { engine_.bulk(10, [&](std::size_t) { ++count; }); }); });
  EXPECT_EQ(count, 160);
}

TEST(Nesting, AnOpenmpEngineInsideAnOpenmpRegionAddsNoThreads) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it does not know the synchronisation of this file's own region";
  Engine engine("openmp", {.concurrency = 4});
  std::atomic<int> serial{0};
#pragma omp parallel num_threads(2)
  {
#pragma omp critical
    {
      engine.bulk(8, [](std::size_t) {});
      serial += engine.last_run().serial == Serial::nested;
    }
  }
  EXPECT_EQ(serial, 2);
}

TEST_P(NestingTest, EightThreadsShareOneEngine) {
  std::vector<std::jthread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 8; ++caller)
    callers.emplace_back([&, caller] {
      for (std::size_t i = 0; i < repeats(300); ++i) {
        const std::size_t tasks = 1 + (i * 7 + static_cast<std::size_t>(caller)) % 40;
        std::vector<std::atomic<int>> runs(tasks);
        engine_.bulk(tasks, [&](std::size_t task) { ++runs[task]; });
        for (const auto& one : runs) wrong += one != 1;
      }
    });
  callers.clear();
  EXPECT_EQ(wrong, 0);
}

TEST_P(NestingTest, SeveralThreadsWithEnginesOfTheirOwn) {
  std::vector<std::jthread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (std::size_t i = 0; i < repeats(30); ++i) {
        Engine own(GetParam(), {.concurrency = 2});
        std::atomic<int> runs{0};
        own.bulk(20, [&](std::size_t) { ++runs; });
        wrong += runs != 20;
      }
    });
  callers.clear();
  EXPECT_EQ(wrong, 0);
}

/// While a thread waits for its own call's tasks it must not begin those of another call: it may hold a lock that they want.
TEST_P(NestingTest, AWaitingThreadStartsNoUnrelatedTask) {
  thread_local bool holds_lock = false;
  const auto spin = [](std::chrono::microseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  };
  for (const Schedule schedule : {Schedule::stable, Schedule::dynamic}) {
    std::atomic<int> intruders{0};
    std::atomic<bool> done{false};
    // Another thread's calls on the same engine.
    std::jthread other([&] {
      while (!done)
        engine_.bulk(
            24,
            [&](std::size_t) {
              intruders += holds_lock;
              spin(std::chrono::microseconds(20));
            },
            schedule);
    });
    // Calls under a "lock". The caller waits a little for a helper, who then is slow, so that the caller has to wait at the end.
    const auto call_under_lock = [&] {
      holds_lock = true;
      const std::thread::id caller = std::this_thread::get_id();
      std::atomic<bool> helped{false};
      engine_.bulk(
          3,
          [&](std::size_t) {
            if (std::this_thread::get_id() != caller) {
              helped = true;
              spin(std::chrono::microseconds(300));
            } else {
              for (int i = 0; i < 20 && !helped; ++i) spin(std::chrono::microseconds(10));
            }
          },
          schedule);
      holds_lock = false;
    };
    for (int i = 0; i < 40; ++i) {
      call_under_lock();
      engine_.bulk(
          6,
          [&](std::size_t) {  // and the same from inside a task
            intruders += holds_lock;
            call_under_lock();
          },
          schedule);
    }
    done = true;
    other.join();
    EXPECT_EQ(intruders, 0);
  }
}

// ---- fork ----

int sums_right(Engine& engine) {
  set_warning_handler(nullptr);  // that oneTBB's threads are gone is said once per child
  std::atomic<int> count{0};
  for (int i = 0; i < 20; ++i) engine.bulk(50, [&](std::size_t) { ++count; });
  return count == 1000 ? 0 : 1;
}

TEST_P(NestingTest, AnEngineIsUsableInTheChildOfAFork) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it forbids threads in such children";
  ASSERT_EQ(sums_right(engine_), 0);
  for (std::size_t i = 0; i < repeats(20); ++i) {
    ASSERT_EQ(in_child([&] { return sums_right(engine_); }), 0) << "the parent's engine; " << support::kHung << " is a hang";
    ASSERT_EQ(sums_right(engine_), 0);
  }
}

TEST_P(NestingTest, AnEngineCanBeMadeInTheChildOfAFork) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it forbids threads in such children";
  ASSERT_EQ(sums_right(engine_), 0);
  for (std::size_t i = 0; i < repeats(20); ++i) {
    const int result = in_child([&] {
      Engine fresh(GetParam(), {.concurrency = 3});
      const int grandchild = in_child([&] { return sums_right(fresh) + sums_right(engine_); });
      return sums_right(fresh) + sums_right(engine_) + (grandchild != 0);
    });
    ASSERT_EQ(result, 0) << support::kHung << " is a hang";
  }
}

TEST_P(NestingTest, AForkWhileAnotherThreadUsesTheEngineLeavesItUsable) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it forbids threads in such children";
  std::atomic<bool> done{false};
  std::jthread busy([&] {
    while (!done) engine_.bulk(100, [](std::size_t) {});
  });
  for (std::size_t i = 0; i < repeats(20); ++i) ASSERT_EQ(in_child([&] { return sums_right(engine_); }), 0) << "at fork " << i;
  done = true;
}

INSTANTIATE_TEST_SUITE_P(All, NestingTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
