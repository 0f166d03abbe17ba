// Background work: results, exceptions, order, cancelling, progress, what follows, engines that end, fork().
#include "furrow/engine/future.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/graph.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/reductions.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::in_child;
using support::message_of;
using support::repeats;
using namespace std::chrono_literals;

/// Closed until opened.
class Gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void pass() const { open_.wait(false); }

 private:
  std::atomic<bool> open_{false};
};

class FutureTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3}};
};

TEST_P(FutureTest, ReturnsWhatTheWorkReturned) {
  EXPECT_EQ(engine_.submit([] { return 7; }).get(), 7);
  EXPECT_EQ(engine_.submit([] { return std::make_unique<int>(8); }).get().operator*(), 8);
  EXPECT_EQ(engine_.submit([text = std::make_unique<std::string>("moved")] { return *text; }).get(), "moved");
  bool done = false;
  engine_.submit([&] { done = true; }).get();
  EXPECT_TRUE(done);
  EXPECT_NE(engine_.submit([] { return std::this_thread::get_id(); }).get(), std::this_thread::get_id());
}

TEST_P(FutureTest, HandsOverWhatTheWorkTakes) {
  Progress* seen = nullptr;
  EXPECT_EQ(engine_.submit([](Engine& e) { return std::string(e.backend()); }).get(), GetParam());
  EXPECT_TRUE(engine_.submit([](std::stop_token stop) { return stop.stop_possible() && !stop.stop_requested(); }).get());
  engine_.submit([&](Progress& p) { seen = &p; }).get();
  EXPECT_NE(seen, nullptr);
  EXPECT_EQ(engine_.submit([](Engine& e, std::stop_token stop) { return e.options().stop == stop; }).get(), true);
  EXPECT_EQ(engine_.submit([](Engine& e, Progress&) { return e.concurrency(); }).get(), engine_.concurrency());
  EXPECT_TRUE(engine_.submit([](const std::stop_token& stop, Progress&) { return stop.stop_possible(); }).get());
  EXPECT_TRUE(engine_.submit([](Engine&, const std::stop_token& stop, Progress&) { return stop.stop_possible(); }).get());
  EXPECT_EQ(engine_.submit([](auto& e) { return e.concurrency(); }).get(), engine_.concurrency()) << "a generic one";
}

TEST_P(FutureTest, AnExceptionArrivesAtGet) {
  auto failed = engine_.submit([]() -> int { throw std::out_of_range("here"); });
  EXPECT_EQ(message_of<std::out_of_range>([&] { failed.get(); }), "here");
  auto number = engine_.submit([] { throw 5; });
  EXPECT_THROW(number.get(), int);
  auto of_a_task = engine_.submit([](Engine& e) {
    e.bulk(9, [](std::size_t task) {
      if (task > 3) throw Error("task " + std::to_string(task));
    });
  });
  EXPECT_EQ(message_of([&] { of_a_task.get(); }), "task 4");
  EXPECT_EQ(engine_.submit([] { return 1; }).get(), 1) << "after a failure";
}

TEST_P(FutureTest, AFutureOfNoWorkSaysSo) {
  Future<int> none;
  EXPECT_FALSE(none.valid());
  for (const std::string& message : {message_of([&] { none.get(); }), message_of([&] { none.wait(); }),
                                     message_of([&] { (void)none.ready(); }), message_of([&] { none.then([](int) {}); })})
    EXPECT_NE(message.find("of no work"), std::string::npos) << message;
  auto one = engine_.submit([] { return 1; });
  EXPECT_TRUE(one.valid());
  one.get();
  EXPECT_FALSE(one.valid());
  EXPECT_THROW(one.get(), Error);
}

TEST_P(FutureTest, WorkIsDoneInTheOrderOfSubmission) {
  Gate gate;
  std::vector<int> order;
  std::vector<Future<void>> all;
  all.push_back(engine_.submit([&] { gate.pass(); }));
  for (int i = 0; i < 100; ++i) all.push_back(engine_.submit([&, i] { order.push_back(i); }));
  EXPECT_FALSE(all[0].ready());
  EXPECT_FALSE(all[1].wait_for(1ms));
  EXPECT_FALSE(all[1].wait_for(-1h));
  gate.open();
  EXPECT_TRUE(all[1].wait_for(std::chrono::hours::max()));
  for (auto& one : all) one.get();
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST_P(FutureTest, NothingOfTenThousandFromEightThreadsIsLost) {
  const std::size_t each = repeats(1250);
  std::atomic<std::size_t> ran{0};
  std::atomic<std::size_t> wrong{0};
  std::vector<std::jthread> callers;
  for (std::size_t caller = 0; caller < 8; ++caller)
    callers.emplace_back([&, caller] {
      std::vector<Future<std::size_t>> mine;
      for (std::size_t i = 0; i < each; ++i)
        mine.push_back(engine_.submit([&, number = caller * each + i] {
          ++ran;
          return number;
        }));
      for (std::size_t i = 0; i < each; ++i) wrong += mine[i].get() != caller * each + i;
    });
  callers.clear();
  EXPECT_EQ(ran, 8 * each);
  EXPECT_EQ(wrong, 0U);
}

TEST_P(FutureTest, KernelsInsideGiveTheSameBits) {
  std::vector<double> x(100'003);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.0 / static_cast<double>(i + 1);
  Engine serial("serial");
  const double expected = sum(serial, x);
  std::vector<double> squares(x.size());
  const auto square = [](double v) { return v * v / 3; };
  transform(serial, x, squares, square);
  std::vector<double> out(x.size());
  auto inside = engine_.submit([&](Engine& e) {
    transform(e, x, out, square);
    return sum(e, x);
  });
  const double beside = sum(engine_, x);  // at the same time
  EXPECT_EQ(inside.get(), expected);
  EXPECT_EQ(beside, expected);
  EXPECT_EQ(out, squares);
  EXPECT_EQ(engine_.submit([&] { return sum(engine_, x); }).get(), expected) << "the engine itself";
  EXPECT_EQ(engine_
                .submit([&](Engine& e) {
                  double result = 0;
                  e.bulk(4, [&](std::size_t task) {
                    const double one = sum(e, x);
                    if (task == 2) result = one;
                  });
                  return result;
                })
                .get(),
            expected)
      << "in a task";
}

TEST_P(FutureTest, TheCallersRoundingHoldsInTheWork) {
  volatile double one = 1;
  std::fesetround(FE_UPWARD);
  auto up = engine_.submit([&] { return one / 3; });
  std::fesetround(FE_TONEAREST);
  auto nearest = engine_.submit([&] { return one / 3; });
  EXPECT_GT(up.get(), nearest.get());
}

TEST_P(FutureTest, WorkMayWaitForWorkThatItSubmits) {
  const auto nested = engine_
                          .submit([&](Engine& e) {
                            auto inner = e.submit([&] { return engine_.submit([] { return 3; }).get() + 4; });
                            return inner.get() * 2;
                          })
                          .get();
  EXPECT_EQ(nested, 14);
  std::atomic<int> total{0};
  engine_.bulk(6, [&](std::size_t task) {  // from the engine's own tasks
    total += engine_.submit([task] { return static_cast<int>(task); }).get();
    total += engine_.submit([task] { return static_cast<int>(task); }).then([](int v) { return v + 1; }).get();
  });
  EXPECT_EQ(total, 2 * 15 + 6);
  std::atomic<int> deep{0};
  engine_.submit([&](Engine& e) { e.bulk(6, [&](std::size_t) { e.submit([&] { ++deep; }).wait(); }); }).get();
  EXPECT_EQ(deep, 6);
}

TEST_P(FutureTest, WhatWasCapturedIsGoneWhenTheWorkIsDone) {
  const auto captured = std::make_shared<int>(1);
  auto done = engine_.submit([captured] {});
  done.wait();
  EXPECT_EQ(captured.use_count(), 1);
  auto next = done.then([captured] {});
  next.wait();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_P(FutureTest, MoreWorkTakesTheResult) {
  auto text = engine_.submit([] { return 20; }).then([](int v) { return v + 1; }).then([](int v) { return std::to_string(v); });
  EXPECT_EQ(text.get(), "21");
  Gate gate;
  auto first = engine_.submit([&] { gate.pass(); });
  auto second = first.then([](Engine& e, std::stop_token stop) { return e.concurrency() + (stop.stop_possible() ? 100 : 0); });
  EXPECT_FALSE(first.valid());
  EXPECT_FALSE(second.ready());
  gate.open();
  EXPECT_EQ(second.get(), engine_.concurrency() + 100);
  bool called = false;
  auto failed = engine_.submit([]() -> int { throw Error("first"); }).then([&](int) { called = true; });
  EXPECT_EQ(message_of([&] { failed.get(); }), "first");
  EXPECT_FALSE(called);
}

TEST_P(FutureTest, WorkThatHasNotBegunIsCancelledAtOnce) {
  Gate gate;
  auto busy = engine_.submit([&] { gate.pass(); });
  bool ran = false;
  auto waiting = engine_.submit([&] { ran = true; });
  auto after = busy.then([&] { ran = true; });
  waiting.cancel();
  after.cancel();  // the first runs and looks at no token: it ends when the gate opens
  EXPECT_TRUE(waiting.ready());
  EXPECT_TRUE(after.ready());
  EXPECT_THROW(waiting.get(), Cancelled);
  EXPECT_THROW(after.get(), Cancelled);
  gate.open();
  engine_.submit([] {}).get();
  EXPECT_FALSE(ran);
}

TEST_P(FutureTest, WorkThatRunsSeesTheStop) {
  Gate begun;
  auto polite = engine_.submit([&](std::stop_token stop) {
    begun.open();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 5;
  });
  begun.pass();
  polite.cancel();
  EXPECT_EQ(polite.get(), 5) << "it had a result all the same";
  auto through_the_last = engine_
                              .submit([](std::stop_token stop) {
                                while (!stop.stop_requested()) std::this_thread::yield();
                              })
                              .then([] {});
  through_the_last.cancel();
  EXPECT_THROW(through_the_last.get(), Cancelled);
}

TEST_P(FutureTest, TheStopOfTheEngineIsThatOfItsWork) {
  std::stop_source stop;
  Engine engine(GetParam(), {.concurrency = 2, .stop = stop.get_token()});
  Gate begun;
  auto work = engine.submit([&](std::stop_token token) {
    begun.open();
    while (!token.stop_requested()) std::this_thread::yield();
  });
  begun.pass();
  stop.request_stop();
  work.get();
  EXPECT_THROW(engine.submit([] {}).get(), Cancelled);
}

/// Chunks that have begun are finished, the others are not begun: a call that is cancelled leaves whole chunks.
TEST_P(FutureTest, ACancelledLoopLeavesChunksWholeOrUntouched) {
  for (const std::size_t n : {std::size_t{100}, std::size_t{5000}, std::size_t{1} << 20}) {
    std::vector<double> x(n, 1.0);
    std::atomic<std::size_t> calls{0};
    Gate begun;
    Gate stopped;
    auto loop = engine_.submit([&](Engine& e) {
      for_each(e, x, [&](double& v) {
        v = 2;
        if (++calls == 1) begun.open();
        stopped.pass();
      });
    });
    begun.pass();
    loop.cancel();
    stopped.open();
    EXPECT_THROW(loop.get(), Cancelled);
    const Chunks chunks = loops::cut(n, sizeof(double));
    std::size_t whole = 0;
    for (std::size_t k = 0; k < chunks.count(); ++k) {
      const auto part = std::span(x).subspan(chunks[k].begin, chunks[k].size());
      ASSERT_TRUE(std::ranges::all_of(part, [&](double v) { return v == part[0]; })) << "chunk " << k << " of " << n;
      whole += part[0] == 2;
    }
    // The first chunk of each thread: none has looked at the clock yet, so none took several at once.
    EXPECT_GE(whole, 1U);
    EXPECT_LE(whole, static_cast<std::size_t>(engine_.concurrency())) << n;
  }
}

/// A call looks for a stop before every chunk where one takes longer than a look at the clock should.
TEST_P(FutureTest, ACancelledLoopOfDearElementsBeginsNoSecondChunk) {
  std::vector<double> x(128 * 16);
  const std::size_t chunk = loops::cut(x.size(), sizeof(double)).length();
  ASSERT_EQ(chunk, 16U);
  std::atomic<std::size_t> calls{0};
  std::atomic<std::size_t> late{0};
  std::stop_source stop;
  Engine engine(GetParam(), {.concurrency = 3, .stop = stop.get_token()});
  EXPECT_THROW(for_each(engine, x,
                        [&](double&) {
                          if (stop.stop_requested()) ++late;
                          std::this_thread::sleep_for(20us);  // of a chunk more than 100 us
                          if (++calls == 600) stop.request_stop();
                        }),
               Cancelled);
  EXPECT_LT(late, static_cast<std::size_t>(engine.concurrency()) * chunk);
}

TEST_P(FutureTest, ACancelledGraphBeginsNoMoreNodes) {
  Gate begun;
  std::atomic<int> ran{0};
  auto work = engine_.submit([&](Engine& e, std::stop_token stop) {
    Graph graph;
    std::vector<double> x(1);
    for (int i = 0; i < 100; ++i)
      graph.add("node", {write(x)}, 1, [&](std::size_t) {
        ++ran;
        begun.open();
        while (!stop.stop_requested()) std::this_thread::yield();
      });
    graph.run(e);
  });
  begun.pass();
  work.cancel();
  EXPECT_THROW(work.get(), Cancelled);
  EXPECT_EQ(ran, 1);
}

TEST_P(FutureTest, ProgressIsToldAtABoundedRate) {
  std::vector<double> told;
  std::mutex mutex;
  const auto tell = [&](double part) {
    const std::lock_guard lock(mutex);
    told.push_back(part);
  };
  auto work = engine_.submit(
      [](Engine& e, Progress& progress) {
        e.bulk(1000, [&](std::size_t) { progress.report(1, 4); });
        progress.report(2, 4);
      },
      {.progress = tell, .progress_interval = 1h});
  work.wait();
  EXPECT_EQ(work.progress(), 0.5);
  EXPECT_EQ(told, std::vector{0.25}) << "one in an hour, of 1001";
  told.clear();
  engine_
      .submit(
          [](Progress& progress) {
            for (int i = 0; i <= 4; ++i) progress.report(i, 4);
          },
          {.progress = tell, .progress_interval = 0ns})
      .wait();
  EXPECT_EQ(told, (std::vector{0.0, 0.25, 0.5, 0.75, 1.0}));
  auto fails = engine_.submit([](Progress& progress) { progress.report(1); }, {.progress = [](double) { throw Error("told"); }});
  EXPECT_EQ(message_of([&] { fails.get(); }), "told");
}

double told_to_a_function = -1;

TEST(Progress, CallsWhateverCanBeCalled) {
  Progress(nullptr).report(1);
  Progress(std::function<void(double)>()).report(1);
  Progress(static_cast<void (*)(double)>(nullptr)).report(1);
  Progress([](double part) { told_to_a_function = part; }).report(1, 4);
  EXPECT_EQ(told_to_a_function, 0.25);
  double told = -1;
  Progress(std::function<void(double)>([&](double part) { told = part; })).report(1, 2);
  EXPECT_EQ(told, 0.5);
  Progress([&, factor = std::make_unique<double>(8)](double part) mutable { return told = *factor *= part; }).report(1, 4);
  EXPECT_EQ(told, 2);
  int calls = 0;
  const Progress::Callback counts = [&, n = 0](double) mutable { calls = ++n; };
  Progress(counts).report(1);
  Progress(counts).report(1);
  EXPECT_EQ(calls, 2) << "copies share what they call";
}

TEST(Progress, ReportsOnceInALongTime) {
  int calls = 0;
  Progress progress([&](double) { ++calls; }, std::chrono::hours::max());
  for (int i = 0; i < 10; ++i) progress.report(i, 10);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(progress.done(), 0.9);
}

TEST(Duration, IsThatOfTheClocksUnits) {
  EXPECT_EQ(Duration(1.5).seconds(), 1.5);
  EXPECT_EQ(Duration(2min).seconds(), 120);
  EXPECT_EQ(Duration(250ms).seconds(), 0.25);
  EXPECT_EQ(Duration(-1ns).seconds(), -1e-9);
  EXPECT_EQ(Duration(std::chrono::duration<double, std::milli>(0.5)).seconds(), 0.5e-3);
}

TEST(Progress, CallsNeverOverlap) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Progress progress(
      [&](double) {
        const int now = ++inside;
        if (now > most) most = now;
        std::this_thread::yield();
        --inside;
      },
      0ns);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < repeats(2000); ++i) progress.report(static_cast<double>(i));
    });
  threads.clear();
  EXPECT_EQ(most, 1);
}

TEST_P(FutureTest, AnEngineThatEndsWaitsForItsWork) {
  std::atomic<int> ran{0};
  Future<int> last;
  Future<void> nested;
  {
    Engine engine(GetParam(), {.concurrency = 2});
    for (int i = 0; i < 20; ++i)
      engine.submit([&](Engine& e) {
        std::this_thread::sleep_for(1ms);
        e.bulk(2, [](std::size_t) {});
        ++ran;
        e.submit([&] { ++ran; });  // nobody keeps these futures
      });
    last = engine.submit([&] { return 42; });
  }
  EXPECT_EQ(ran, 40);
  EXPECT_TRUE(last.ready());
  auto then = last.then([](int v) { return v + 1; });  // no thread any more: here and now
  EXPECT_TRUE(then.ready());
  EXPECT_EQ(then.get(), 43);
}

TEST_P(FutureTest, AnEngineIsAssignedToWhenItsWorkIsDone) {
  Engine engine(GetParam(), {.concurrency = 2});
  std::atomic<bool> ran{false};
  engine.submit([&] {
    std::this_thread::sleep_for(2ms);
    ran = true;
  });
  engine = Engine(GetParam(), {.concurrency = 2});
  EXPECT_TRUE(ran);
  EXPECT_EQ(engine.submit([](Engine& e) { return e.concurrency(); }).get(), engine.concurrency());
  Engine moved(std::move(engine));
  EXPECT_EQ(moved.submit([] { return 2; }).get(), 2);
}

TEST_P(FutureTest, WorkMayEndItsOwnEngine) {
  auto engine = std::make_shared<Engine>(GetParam(), EngineOptions{.concurrency = 2});
  Gate gate;
  auto last = engine->submit([&gate, mine = engine]() mutable {
    gate.pass();
    mine.reset();
  });
  auto after = engine->submit([] { return 1; });
  engine.reset();
  gate.open();
  last.get();
  EXPECT_EQ(after.get(), 1) << "what had been submitted is done all the same";
}

// ---- fork ----

TEST_P(FutureTest, InTheChildOfAForkWorkIsDoneWhereItIsSubmitted) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "it forbids threads in such children";
  std::vector<double> x(10'000, 0.5);
  const auto submit_and_sum = [&](Engine& engine) {
    auto work = engine.submit([&](Engine& e) { return sum(e, x); });
    const bool at_once = work.ready();
    auto next = work.then([](double v) { return v * 2; });
    return at_once && next.get() == 10'000 ? 0 : 1;
  };
  ASSERT_EQ(engine_.submit([&](Engine& e) { return sum(e, x); }).get(), 5000);
  for (std::size_t i = 0; i < repeats(20); ++i) {
    Gate gate;
    auto running = engine_.submit([&] { gate.pass(); });
    auto ready = engine_.submit([] { return 1; });
    const int result = in_child([&] {
      set_warning_handler(nullptr);  // that oneTBB's threads are gone
      if (submit_and_sum(engine_) != 0) return 1;
      if (message_of([&] { running.get(); }).find("before a fork()") == std::string::npos) return 2;
      if (message_of([&] { ready.then([](int) {}); }).find("before a fork()") == std::string::npos) return 3;
      Engine fresh(GetParam(), {.concurrency = 2});
      if (fresh.submit([&](Engine& e) { return sum(e, x); }).get() != 5000) return 4;
      Engine gone(std::move(engine_));  // and an engine of the parent's ends without waiting for a thread that is not there
      return 0;
    });
    EXPECT_EQ(result, 0) << support::kHung << " is a hang";
    gate.open();
    running.get();
    EXPECT_EQ(ready.get(), 1) << "in the parent";
  }
}

INSTANTIATE_TEST_SUITE_P(All, FutureTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
