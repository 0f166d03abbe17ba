// How tasks are shared out among workers, and taken over from those that are late.
#include "furrow/engine/shares.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support.hpp"

namespace furrow {
namespace {

using Tasks = std::vector<std::size_t>;

TEST(Shares, WorkersThatComeInTurnFindWhatIsLeft) {
  Shares shares(100, 4);
  Tasks done;
  const auto note = [&](std::size_t task) { done.push_back(task); };
  shares.work(2, note);  // all of them, its own first
  ASSERT_EQ(done.size(), 100U);
  EXPECT_EQ(Tasks(done.begin(), done.begin() + 3), (Tasks{50, 51, 52}));
  std::ranges::sort(done);
  for (std::size_t task = 0; task < 100; ++task) ASSERT_EQ(done[task], task);
  for (const std::size_t worker : {0U, 1U, 3U}) shares.work(worker, [](std::size_t task) { FAIL() << task << " was done twice"; });
}

TEST(Shares, AWorkerKeepsItsShareWhileOthersWork) {
  Shares shares(7, 2);  // 4 and 3
  Tasks first, second;
  shares.work(0, [&](std::size_t task) {
    first.push_back(task);
    // The other comes when the first has one task behind it, and is done with its share before the first goes on.
    if (task == 0)
      shares.work(1, [&](std::size_t other) {
        second.push_back(other);
        if (other == 6) {
          EXPECT_EQ(second, (Tasks{4, 5, 6}));
        }
      });
  });
  EXPECT_EQ(first, (Tasks{0}));
  EXPECT_EQ(second.size(), 6U) << "it takes over what the first has left";
}

TEST(Shares, EachTaskIsDoneOnceHoweverManyWorkersTakeFromEachOther) {
  constexpr int kWorkers = 6;
  for (const std::size_t tasks : {7U, 64U, 1000U, 20000U}) {
    Shares shares(tasks, kWorkers);
    std::vector<std::atomic<int>> runs(tasks);
    std::vector<std::jthread> workers;
    for (std::size_t worker = 0; worker < kWorkers; ++worker)
      workers.emplace_back([&, worker] {
        shares.work(worker, [&](std::size_t task) {
          ++runs[task];
          if (task % 97 == 0) std::this_thread::yield();
        });
      });
    workers.clear();
    for (std::size_t task = 0; task < tasks; ++task) ASSERT_EQ(runs[task], 1) << task << " of " << tasks;
  }
}

}  // namespace
}  // namespace furrow
