// One set of rules on every backend, at every concurrency: exactly once, real threads, exceptions, cancellation, arithmetic
// settings.
#include "furrow/engine/backend.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace furrow {
namespace {

using support::message_of;
using support::repeats;
using namespace std::chrono_literals;

constexpr Schedule kSchedules[]{Schedule::stable, Schedule::dynamic};

struct Case {
  std::string backend;
  int concurrency;
};

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const std::string& backend : backends())
    for (const int concurrency : {1, 2, 3, 7, 64}) list.push_back({backend, concurrency});
  return list;
}

class BackendTest : public testing::TestWithParam<Case> {
 protected:
  bool is_parallel() const { return GetParam().backend != "serial" && GetParam().concurrency > 1; }
  std::unique_ptr<Backend> backend_ = make_backend(GetParam().backend, GetParam().concurrency);
};

TEST_P(BackendTest, TellsItsNameAndConcurrency) {
  EXPECT_EQ(backend_->name(), GetParam().backend);
  EXPECT_EQ(backend_->concurrency(), GetParam().backend == "serial" ? 1 : GetParam().concurrency);
}

TEST_P(BackendTest, RunsEveryTaskExactlyOnce) {
  for (const Schedule schedule : kSchedules) {
    for (const std::size_t tasks : {0, 1, 2, 3, 63, 64, 65, 1000, 20'011}) {
      std::vector<std::atomic<int>> runs(tasks);
      const BulkResult result = backend_->bulk(
          tasks, [&](std::size_t task) { runs.at(task).fetch_add(1, std::memory_order_relaxed); }, schedule);
      for (std::size_t task = 0; task < tasks; ++task) ASSERT_EQ(runs[task], 1) << "task " << task << " of " << tasks;
      EXPECT_LE(result.threads, backend_->concurrency());
      EXPECT_EQ(result.threads == 0, tasks == 0);
      EXPECT_FALSE(result.inlined);
    }
  }
}

TEST_P(BackendTest, WhatTasksWroteIsSeenByTheCallerAndByTheNextCall) {
  std::vector<std::size_t> plain(500);  // deliberately not atomic: a race if the join does not order memory
  for (std::size_t round = 0; round < repeats(200); ++round) {
    backend_->bulk(plain.size(), [&](std::size_t task) { ++plain[task]; });
    for (const std::size_t value : plain) ASSERT_EQ(value, round + 1);
  }
}

TEST_P(BackendTest, AsManyThreadsAsAskedForTakePartAndNoMore) {
  const int wanted = backend_->concurrency();
  for (const Schedule schedule : kSchedules) {
    // Each task waits until every thread has one: they can only all arrive if there are so many threads. Slow to start is allowed.
    std::set<std::thread::id> ids;
    std::atomic<int> arrived{0};
    std::mutex mutex;
    for (int attempt = 0; attempt < 5 && arrived < wanted; ++attempt) {
      arrived = 0;
      ids.clear();
      const auto deadline = std::chrono::steady_clock::now() + 10s;
      const BulkResult result = backend_->bulk(
          static_cast<std::size_t>(wanted),
          [&](std::size_t) {
            {
              const std::lock_guard lock(mutex);
              ids.insert(std::this_thread::get_id());
            }
            ++arrived;
            while (arrived < wanted && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
          },
          schedule);
      if (static_cast<int>(ids.size()) == wanted) {
        EXPECT_EQ(result.threads, wanted);
        break;
      }
      arrived = 0;
    }
    EXPECT_EQ(static_cast<int>(ids.size()), wanted);
    // More tasks than threads must not bring in more threads.
    ids.clear();
    const BulkResult result = backend_->bulk(
        static_cast<std::size_t>(wanted) * 20,
        [&](std::size_t) {
          const std::lock_guard lock(mutex);
          ids.insert(std::this_thread::get_id());
        },
        schedule);
    EXPECT_LE(static_cast<int>(ids.size()), wanted);
    EXPECT_EQ(result.threads, static_cast<int>(ids.size())) << "the count reported is not the number of threads";
  }
}

TEST_P(BackendTest, TheExceptionOfTheLowestTaskReachesTheCaller) {
  constexpr std::size_t kTasks = 100;
  const std::vector<std::set<std::size_t>> plans{{0}, {99}, {50}, {1, 98}, {33, 34, 35, 99}, [] {
                                                   std::set<std::size_t> all;
                                                   for (std::size_t i = 0; i < kTasks; ++i) all.insert(i);
                                                   return all;
                                                 }()};
  for (std::size_t round = 0; round < repeats(200); ++round) {
    for (const std::set<std::size_t>& plan : plans) {
      const auto thrown = message_of([&] {
        backend_->bulk(
            kTasks,
            [&](std::size_t task) {
              if (plan.contains(task)) throw Error(std::to_string(task));
            },
            kSchedules[round % 2]);
      });
      ASSERT_EQ(thrown, std::to_string(*plan.begin())) << "round " << round;
    }
  }
  // All tasks below the one that threw have run, and the backend goes on working.
  std::vector<std::atomic<int>> runs(kTasks);
  EXPECT_THROW(backend_->bulk(kTasks, [&](std::size_t task) { ++runs[task] == 1 && task == 60 ? throw Error("60") : void(); }),
               Error);
  for (std::size_t task = 0; task <= 60; ++task) EXPECT_EQ(runs[task], 1);
  for (std::size_t task = 61; task < kTasks; ++task) EXPECT_LE(runs[task], 1);
  std::atomic<int> count{0};
  backend_->bulk(kTasks, [&](std::size_t) { ++count; });
  EXPECT_EQ(count, static_cast<int>(kTasks));
}

TEST_P(BackendTest, ExceptionsOfAnyTypePassAndMayEndAloneCalls) {
  struct Odd {
    int value;
  };
  try {
    backend_->bulk(10, [](std::size_t task) { throw Odd{static_cast<int>(task)}; });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Odd& odd) {
    EXPECT_EQ(odd.value, 0);
  }
  EXPECT_THROW(backend_->bulk(10,
                              [](std::size_t task) {
                                if (task == 9) throw 42;
                              }),
               int);
  EXPECT_THROW(backend_->bulk(1, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
}

TEST_P(BackendTest, AStopRequestedBeforehandLetsNoTaskRun) {
  std::stop_source stop;
  stop.request_stop();
  for (const std::size_t tasks : {1, 2, 100}) {
    std::atomic<int> runs{0};
    EXPECT_THROW(backend_->bulk(
                     tasks, [&](std::size_t) { ++runs; }, Schedule::stable, stop.get_token()),
                 Cancelled);
    EXPECT_EQ(runs, 0);
  }
}

TEST_P(BackendTest, AStopFromATaskEndsTheCallEarly) {
  for (const Schedule schedule : kSchedules) {
    std::stop_source stop;
    std::atomic<std::size_t> runs{0};
    constexpr std::size_t kTasks = 100'000;
    EXPECT_THROW(backend_->bulk(
                     kTasks,
                     [&](std::size_t) {
                       if (++runs == 10) stop.request_stop();
                     },
                     schedule, stop.get_token()),
                 Cancelled);
    EXPECT_GE(runs, 10U);
    EXPECT_LT(runs, kTasks);
    EXPECT_THROW(backend_->bulk(
                     2, [](std::size_t) {}, schedule, stop.get_token()),
                 Cancelled)
        << "twice";
    std::atomic<int> after{0};
    backend_->bulk(50, [&](std::size_t) { ++after; });
    EXPECT_EQ(after, 50) << "unusable after a stop";
  }
}

TEST_P(BackendTest, AStopFromAnotherThreadEndsTheCallEarly) {
  std::stop_source stop;
  std::atomic<bool> begun{false};
  std::atomic<std::size_t> runs{0};
  std::jthread other([&] {
    while (!begun) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THROW(backend_->bulk(
                   100'000,
                   [&](std::size_t) {
                     begun = true;
                     ++runs;
                     std::this_thread::sleep_for(100us);
                   },
                   Schedule::stable, stop.get_token()),
               Cancelled);
  EXPECT_LT(runs, 100'000U);
}

TEST_P(BackendTest, AStopAfterTheLastTaskBeganIsNone) {
  std::stop_source stop;
  std::atomic<int> begun{0};
  const auto tasks = static_cast<std::size_t>(backend_->concurrency());
  if (tasks > 8) return;  // each task must have a thread at once
  backend_->bulk(
      tasks,
      [&](std::size_t) {
        ++begun;
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (begun < static_cast<int>(tasks) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        stop.request_stop();
      },
      Schedule::stable, stop.get_token());
  EXPECT_EQ(begun, static_cast<int>(tasks));
}

TEST_P(BackendTest, TheCallersRoundingHoldsInEveryTaskAndOnlyThere) {
  constexpr std::size_t kTasks = 200;
  const auto modes = [&] {
    std::vector<int> seen(kTasks);
    backend_->bulk(kTasks, [&](std::size_t task) { seen[task] = std::fegetround(); });
    return std::set<int>(seen.begin(), seen.end());
  };
  EXPECT_EQ(modes(), std::set<int>{FE_TONEAREST});
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    const std::set<int> seen = modes();
    const int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(seen, std::set<int>{mode});
    EXPECT_EQ(after, mode) << "the caller's own setting was changed";
    EXPECT_EQ(modes(), std::set<int>{FE_TONEAREST}) << "a worker kept the setting of an earlier call";
  }
}

#if defined(__SSE2__)
TEST_P(BackendTest, TheCallersFlushToZeroHoldsInEveryTask) {
  constexpr std::size_t kTasks = 200;
  constexpr unsigned kFlush = 0x8040;  // FTZ and DAZ
  volatile double denormal = 1e-310;
  std::vector<double> results(kTasks);
  const auto halves = [&] {
    backend_->bulk(kTasks, [&](std::size_t task) { results[task] = denormal * 0.5; });
    return std::set<double>(results.begin(), results.end());
  };
  EXPECT_EQ(halves(), std::set<double>{0.5e-310});
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kFlush);
  halves();
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(std::set<double>(results.begin(), results.end()), std::set<double>{0.0}) << "a part of the array was not flushed";
  EXPECT_EQ(after & kFlush, kFlush);
  EXPECT_EQ(halves(), std::set<double>{0.5e-310}) << "a worker kept the setting of an earlier call";
}
#endif

INSTANTIATE_TEST_SUITE_P(All, BackendTest, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.backend + "_" + std::to_string(test.param.concurrency); });

}  // namespace
}  // namespace furrow
