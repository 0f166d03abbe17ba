// How many threads an engine gets: options, environment, affinity, and what the system lets it start.
#include "furrow/engine/threads.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;
using support::Variable;

class ThreadsTest : public testing::Test {
  const Variable furrow_{"FURROW_NUM_THREADS", nullptr};
  const Variable omp_{"OMP_NUM_THREADS", nullptr};
};

TEST_F(ThreadsTest, TheOptionBeatsFurrowsVariableWhichBeatsOpenmps) {
  const Variable omp("OMP_NUM_THREADS", "6");
  EXPECT_EQ(choose_threads(0).count, 6);
  EXPECT_EQ(choose_threads(0).reason, "OMP_NUM_THREADS");
  const Variable own("FURROW_NUM_THREADS", "5");
  EXPECT_EQ(choose_threads(0).count, 5);
  EXPECT_EQ(choose_threads(0).reason, "FURROW_NUM_THREADS");
  EXPECT_EQ(choose_threads(4).count, 4);
}

TEST_F(ThreadsTest, OfOpenmpsListTheFirstLevelCounts) {
  const Variable omp("OMP_NUM_THREADS", "4,2");
  EXPECT_EQ(choose_threads(0).count, 4);
}

TEST_F(ThreadsTest, OpenmpsVariableIsIgnoredIfItIsNoNumber) {
  const int allowed = cpu_allowance().cpus();
  for (const char* value : {"abc", "-3", "0", "1e20", "", "1000000", ",", "4;2"}) {
    const Variable omp("OMP_NUM_THREADS", value);
    EXPECT_EQ(choose_threads(0).count, allowed) << value;
  }
}

TEST_F(ThreadsTest, FurrowsVariableIsRefusedIfItIsNoNumber) {
  const Variable omp("OMP_NUM_THREADS", "2");
  for (const char* value : {"abc", "-3", "0", "1e20", "", "4,2", "2.5", "4097"}) {
    const Variable own("FURROW_NUM_THREADS", value);
    const std::string message = message_of([] { choose_threads(0); });
    EXPECT_NE(message.find("FURROW_NUM_THREADS=\"" + std::string(value) + "\""), std::string::npos) << message;
    EXPECT_EQ(choose_threads(3).count, 3);
  }
}

TEST_F(ThreadsTest, OptionsOutOfRangeAreRefused) {
  EXPECT_NE(message_of([] { choose_threads(-3); }).find("-3"), std::string::npos);
  EXPECT_NE(message_of([] { choose_threads(4097); }).find("4097"), std::string::npos);
  EXPECT_EQ(choose_threads(4096).count, 4096);
}

TEST_F(ThreadsTest, AQuotaIsRoundedUpAndNeverBelowOne) {
  EXPECT_EQ((CpuAllowance{.affinity = 8, .quota = 0}.cpus()), 8);
  EXPECT_EQ((CpuAllowance{.affinity = 8, .quota = 2.5}.cpus()), 3);
  EXPECT_EQ((CpuAllowance{.affinity = 8, .quota = 0.1}.cpus()), 1);
  EXPECT_EQ((CpuAllowance{.affinity = 2, .quota = 64}.cpus()), 2);
  EXPECT_EQ((CpuAllowance{.affinity = 0, .quota = 0}.cpus()), 1);
  EXPECT_EQ((CpuAllowance{.affinity = 4, .quota = 1e300}.cpus()), 4);
}

TEST_F(ThreadsTest, TheAffinityMaskIsObeyed) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before) && CPU_COUNT(&one) == 0) CPU_SET(cpu, &one);
  EXPECT_EQ(cpu_allowance().affinity, CPU_COUNT(&before));
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const CpuAllowance allowed = cpu_allowance();
  const int count = choose_threads(0).count;
  const Engine engine(backends().at(1));
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(allowed.affinity, 1);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(engine.concurrency(), 1);
}

// ---- threads that cannot be made ----

rlim_t threads_now() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return static_cast<rlim_t>(std::distance(begin(threads), end(threads)));
}

/// Threads that a sanitizer has for itself; ThreadSanitizer makes one with the program's first.
rlim_t threads_of_sanitizer() {
  rlim_t during = 0;
  std::thread([&] { during = threads_now(); }).join();
  while (threads_now() >= during) std::this_thread::yield();  // it may be there, and count, for a moment after join()
  return during - 2;
}

/// Makes this process one that may have `threads` threads of its own. RLIMIT_NPROC counts all of a user's threads and does not hold
/// for root, so root becomes a user who has no others.
bool limit_threads(rlim_t threads) {
  constexpr uid_t kNoOneElse = 60'123;
  threads += threads_of_sanitizer();
  const rlimit limit{threads, threads};
  if (geteuid() != 0) return setrlimit(RLIMIT_NPROC, &limit) == 0;
  return setrlimit(RLIMIT_NPROC, &limit) == 0 && setresuid(kNoOneElse, kNoOneElse, kNoOneElse) == 0;
}

/// What an engine of eight threads comes to where there may be few; run in a process of its own for each backend.
void engine_under_limit(rlim_t threads) {
  alarm(60);
  if (!limit_threads(threads)) std::_Exit(2);
  {
    Engine engine({.concurrency = 8});
    std::atomic<int> count{0};
    for (int i = 0; i < 20; ++i) engine.bulk(50, [&](std::size_t) { ++count; });
    std::printf("%d threads, %d tasks on %s\n", engine.concurrency(), count.load(), std::string(engine.backend()).c_str());
  }
  std::fflush(stdout);
  std::_Exit(0);  // LeakSanitizer wants to start a thread at the end
}

// Disabled: they are run by the tests below.
TEST(Limited, DISABLED_ToOneThread) {
  engine_under_limit(1);
}
TEST(Limited, DISABLED_ToThreeThreads) {
  engine_under_limit(3);
}

class LimitedTest : public testing::TestWithParam<std::string> {
 protected:
  static std::string run(const std::string& test) {
    return support::run_own_test("Limited.DISABLED_" + test, "FURROW_TUNING=none FURROW_BACKEND=" + GetParam());
  }
};

TEST_P(LimitedTest, WithoutAnyThreadAnEngineIsSerialAndWarns) {
  const std::string output = run("ToOneThread");
  EXPECT_NE(output.find("1 threads, 1000 tasks on " + GetParam()), std::string::npos) << output;
  EXPECT_NE(output.find("exit status 0"), std::string::npos) << output;
  EXPECT_EQ(output.find("only 1 of 8 threads") == std::string::npos, GetParam() == "serial") << output;
}

TEST_P(LimitedTest, WithFewThreadsAnEngineUsesThoseAndWarns) {
  for (int i = 0; i < 5; ++i) {
    const std::string output = run("ToThreeThreads");
    ASSERT_NE(output.find(" threads, 1000 tasks on " + GetParam()), std::string::npos) << output;
    ASSERT_NE(output.find("exit status 0"), std::string::npos) << output;
    if (geteuid() != 0 || GetParam() == "serial") continue;  // who is not root shares the limit with his other processes
    ASSERT_NE(output.find("3 threads, 1000 tasks"), std::string::npos) << output;
    ASSERT_NE(output.find("only 3 of 8 threads"), std::string::npos) << output;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LimitedTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
