// What an engine records, how it chooses, and what decides its backend and threads.
#include "furrow/engine/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/reductions.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;
using support::Variable;
using namespace std::chrono_literals;

std::vector<std::string> parallel_backends() {
  std::vector<std::string> names = backends();
  names.erase(names.begin());
  return names;
}

class EngineTest : public testing::TestWithParam<std::string> {};

TEST_P(EngineTest, RecordsWhatABulkCallDid) {
  Engine engine(GetParam(), {.concurrency = 2});
  EXPECT_EQ(engine.backend(), GetParam());
  EXPECT_EQ(engine.concurrency(), 2);
  EXPECT_EQ(engine.last_run().serial, Serial::no_work) << "before any call";
  engine.bulk(0, [](std::size_t) {});
  EXPECT_EQ(engine.last_run().serial, Serial::no_work);
  EXPECT_EQ(engine.last_run().threads, 0);
  engine.bulk(1, [](std::size_t) {});
  EXPECT_EQ(engine.last_run().serial, Serial::one_task);
  EXPECT_EQ(engine.last_run().threads, 1);
  bool both = false;
  for (int i = 0; i < 100 && !both; ++i) {
    engine.bulk(2, [](std::size_t) { std::this_thread::sleep_for(10ms); });
    both = engine.last_run().threads == 2;
  }
  EXPECT_TRUE(both) << "never used its second thread";
  EXPECT_EQ(engine.last_run().tasks, 2U);
  EXPECT_EQ(engine.last_run().backend, GetParam());
  EXPECT_EQ(engine.last_run().serial, Serial::no);
  EXPECT_EQ(engine.last_run().why_serial(), "");
  engine.bulk(2, [&](std::size_t) { engine.bulk(1, [](std::size_t) {}); });
  EXPECT_EQ(engine.last_run().tasks, 2U) << "the outer call ended last";
}

TEST(Engine, EveryReasonForStayingSerialIsToldInWords) {
  std::set<std::string_view> words;
  for (const Serial reason : {Serial::no_work, Serial::one_task, Serial::too_small, Serial::one_thread, Serial::nested})
    EXPECT_TRUE(!to_string(reason).empty() && words.insert(to_string(reason)).second);
  Engine serial("serial", {.concurrency = 8});
  EXPECT_EQ(serial.concurrency(), 1);
  serial.bulk(5, [](std::size_t) {});
  EXPECT_EQ(serial.last_run().serial, Serial::one_thread);
}

TEST_P(EngineTest, KernelsSayWhyTheyStayedSerial) {
  std::vector<double> x(1 << 16);
  const auto touch = [](double& v) { v += 1; };
  Engine one(GetParam(), {.concurrency = 1});
  for_each(one, x, touch);
  EXPECT_EQ(one.last_run().serial, Serial::one_thread);
  Engine always(GetParam(), {.concurrency = 2, .serial_below = 0});
  for_each(always, x, touch);
  EXPECT_EQ(always.last_run().serial, Serial::no);
  for_each(always, std::span(x).first(0), touch);
  EXPECT_EQ(always.last_run().serial, Serial::no_work);
  for_each(always, std::span(x).first(1), touch);
  EXPECT_EQ(always.last_run().serial, Serial::one_task);
  Engine outer(GetParam(), {.concurrency = 2});
  outer.bulk(2, [&](std::size_t task) {
    if (task == 0) for_each(always, x, touch);
  });
  EXPECT_EQ(always.last_run().serial, Serial::nested);
  EXPECT_EQ(x[0], 4);
  EXPECT_TRUE(std::ranges::all_of(std::span(x).subspan(1), [](double v) { return v == 3; }));
}

TEST_P(EngineTest, SerialBelowIsObeyed) {
  Engine engine(GetParam(), {.concurrency = 2, .serial_below = 1000});
  std::vector<double> x(1000);
  for_each(engine, std::span(x).first(999), [](double& v) { v = 1; });
  EXPECT_EQ(engine.last_run().serial, Serial::too_small);
  EXPECT_EQ(engine.last_run().threads, 1);
  for_each(engine, x, [](double& v) { v = 1; });
  EXPECT_EQ(engine.last_run().serial, Serial::no);
  engine.bulk(2, [](std::size_t) {});
  EXPECT_EQ(engine.last_run().serial, Serial::no) << "bulk() is never held back";
}

TEST_P(EngineTest, GrainIsTheNumberOfChunksInATask) {
  std::vector<double> x(100 * 1024);  // 100 chunks of 1024
  ASSERT_EQ(Chunks(x.size(), sizeof(double)).count(), 100U);
  const auto tasks = [&](const EngineOptions& options) {
    Engine engine(GetParam(), options);
    for_each(engine, x, [](double& v) { v += 1; });
    return engine.last_run().tasks;
  };
  EXPECT_EQ(tasks({.concurrency = 2, .grain = 1, .serial_below = 0}), 100U);
  EXPECT_EQ(tasks({.concurrency = 2, .grain = 7, .serial_below = 0}), 15U);
  EXPECT_EQ(tasks({.concurrency = 2, .grain = 1000, .serial_below = 0}), 1U);
  EXPECT_EQ(tasks({.concurrency = 2, .serial_below = 0}), 2U);
  EXPECT_EQ(tasks({.concurrency = 2, .schedule = Schedule::dynamic, .serial_below = 0}), 32U);
  EXPECT_TRUE(std::ranges::all_of(x, [](double v) { return v == 5; }));
}

TEST_P(EngineTest, ACallMayHaveAScheduleOfItsOwn) {
  Engine engine(GetParam(), {.concurrency = 2});
  for (const Schedule schedule : {Schedule::stable, Schedule::dynamic}) {
    std::vector<std::atomic<int>> runs(100);
    engine.bulk(
        100, [&](std::size_t task) { ++runs[task]; }, schedule);
    EXPECT_TRUE(std::ranges::all_of(runs, [](const auto& count) { return count == 1; }));
  }
  EXPECT_EQ(engine.options().schedule, std::nullopt);
}

TEST_P(EngineTest, AStopEndsKernelsToo) {
  for (const std::size_t below : {std::size_t{0}, std::size_t{1} << 40}) {  // on threads, and on the caller alone
    std::stop_source stop;
    Engine engine(GetParam(), {.concurrency = 2, .serial_below = below, .stop = stop.get_token()});
    std::vector<double> x(1 << 20);
    for_each(engine, x, [](double& v) { v = 1; });
    EXPECT_TRUE(std::ranges::all_of(x, [](double v) { return v == 1; }));
    std::atomic<std::size_t> calls{0};
    EXPECT_THROW(for_each_index(engine, x.size(),
                                [&](std::size_t) {
                                  if (++calls == 5) stop.request_stop();
                                }),
                 Cancelled);
    EXPECT_LT(calls, x.size());
    EXPECT_THROW(for_each(engine, std::span(x).first(1), [](double& v) { v = 2; }), Cancelled);
    EXPECT_EQ(x[0], 1) << "a task ran although a stop had been requested";
  }
}

TEST_P(EngineTest, DearFunctorsGoParallelByThemselvesAndCheapOnesDoNot) {
  Engine engine(GetParam(), {.concurrency = 2});
  for_each_index(engine, 64, [](std::size_t) { std::this_thread::sleep_for(5ms); });
  EXPECT_EQ(engine.last_run().serial, Serial::no) << "320 ms of work stayed on one thread";
  std::vector<double> x(4);
  int calls = 0;
  for (bool stayed = false; !stayed && calls < 1000; ++calls) {  // another program may take the processor while one is timed
    for_each(engine, x, [](double& v) { v += 1; });
    stayed = engine.last_run().serial == Serial::too_small;
  }
  EXPECT_LT(calls, 1000) << "4 additions always went to other threads";
  EXPECT_TRUE(std::ranges::all_of(x, [&](double v) { return v == calls; }));
  std::vector<double> large(1 << 22, 1.0);
  EXPECT_EQ(reduce(engine, large, 0.0, std::plus<>{}), 1 << 22);
  EXPECT_EQ(engine.last_run().serial, Serial::no) << "32 MiB stayed on one thread";
}

/// A backend whose threads take long to wake.
class Sleepy final : public Backend {
 public:
  explicit Sleepy(int concurrency) : Backend(concurrency) {}
  std::string_view name() const override { return "sleepy"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    std::this_thread::sleep_for(++calls_ > 20 ? 2000us : 20us);  // the engine measures what a call costs in the first few
    for (std::size_t task = 0; task < tasks; ++task) body(task);
  }
  int calls_ = 0;
};

TEST(Engine, ACheapFunctorIsNotTakenForADearOneBecauseThreadsSlept) {
  if (std::ranges::count(backends(), "sleepy") == 0)  // the tests may be repeated
    register_backend("sleepy", [](int concurrency) { return std::make_unique<Sleepy>(concurrency); });
  Engine engine("sleepy", {.concurrency = 2});
  std::vector<double> x(4);
  bool dear = true;
  int handed_out = 0;
  int stayed = 0;
  for (int call = 0; call < 200; ++call) {
    if (call == 40) dear = false;
    for_each(engine, x, [dear](double& v) {
      v += 1;
      if (dear) std::this_thread::sleep_for(200us);
    });
    (engine.last_run().serial == Serial::too_small ? stayed : handed_out) += 1;
  }
  EXPECT_GT(handed_out, 5) << "the dear ones stayed on one thread";
  EXPECT_GT(stayed, 50) << "the cheap ones did not come back to it";
}

TEST_P(EngineTest, MovesWithItsThreads) {
  Engine first(GetParam(), {.concurrency = 3});
  first.bulk(2, [](std::size_t) {});
  Engine second(std::move(first));
  EXPECT_EQ(second.concurrency(), 3);
  EXPECT_EQ(second.last_run().tasks, 2U);
  Engine third("serial");
  third = std::move(second);
  EXPECT_EQ(third.backend(), GetParam());
  std::atomic<int> count{0};
  third.bulk(50, [&](std::size_t) { ++count; });
  EXPECT_EQ(count, 50);
}

TEST_P(EngineTest, TheEnvironmentDecidesUnlessAnOptionDoes) {
  const Variable tuning("FURROW_TUNING", "none");
  const Variable backend("FURROW_BACKEND", GetParam().c_str());
  const Variable threads("FURROW_NUM_THREADS", "3");
  const Variable omp("OMP_NUM_THREADS", "5");
  EXPECT_EQ(Engine().backend(), GetParam());
  EXPECT_EQ(Engine().concurrency(), 3);
  EXPECT_EQ(Engine({.concurrency = 2}).concurrency(), 2);
  EXPECT_EQ(Engine("serial").backend(), "serial");
}

TEST(Engine, TheFirstParallelBackendIsTheDefault) {
  const Variable tuning("FURROW_TUNING", "none");
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    const Variable backend("FURROW_BACKEND", value);
    EXPECT_EQ(Engine().backend(), backends().at(1));
  }
}

TEST(Engine, SettingsThatCannotBeObeyedAreToldByNameAndValue) {
  const Variable tuning("FURROW_TUNING", "none");
  {
    const Variable backend("FURROW_BACKEND", "opnmp");
    const std::string message = message_of([] { Engine engine; });
    EXPECT_NE(message.find("\"opnmp\""), std::string::npos) << message;
    EXPECT_NE(message.find("serial"), std::string::npos) << message;
  }
  EXPECT_NE(message_of([] { Engine engine("no-such"); }).find("\"no-such\""), std::string::npos);
  for (const char* value : {"abc", "-3", "0", "1e20", "", "2x", " 2", "99999999999999999999"}) {
    const Variable threads("FURROW_NUM_THREADS", value);
    const std::string message = message_of([] { Engine engine(backends().at(1)); });
    EXPECT_NE(message.find("FURROW_NUM_THREADS=\"" + std::string(value) + "\""), std::string::npos) << message;
    EXPECT_EQ(Engine(backends().at(1), {.concurrency = 2}).concurrency(), 2) << "an explicit option needs no environment";
  }
  EXPECT_NE(message_of([] { Engine engine(backends().at(1), {.concurrency = -1}); }).find("-1"), std::string::npos);
  EXPECT_NE(message_of([] { Engine engine(backends().at(1), {.concurrency = 1'000'000}); }).find("1000000"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Parallel, EngineTest, testing::ValuesIn(parallel_backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
