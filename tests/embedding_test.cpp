// furrow inside programs with ways of their own: environments, limits, memory that runs out, the end of the process, other
// runtimes. Nested calls, threads and fork() are in nesting_test.cpp, ulimit in threads_test.cpp; docs/embedding.md lists them all.
#include <gtest/gtest.h>
#if FURROW_TEST_OPENMP
#include <omp.h>
#endif
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/threads.hpp"
#include "furrow/furrow.hpp"
#include "tests/allocations.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::run_own_test;

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

/// Whether kernels of several kinds give what plain loops give, on threads where there are some.
bool is_right(Engine& engine) {
  constexpr std::size_t kSize = 30'011;
  std::vector<std::int64_t> x(kSize);
  for (std::size_t i = 0; i < kSize; ++i) x[i] = static_cast<std::int64_t>(i * 7919 % kSize);
  Array<std::int64_t> y(engine, kSize);
  transform(engine, x, y, [](std::int64_t v) { return 3 * v; });
  std::int64_t total = 0;
  for (const std::int64_t v : x) total += 3 * v;
  bool right = sum(engine, y) == total;
  std::vector<std::int64_t> running(kSize);
  inclusive_scan(engine, y, running);
  right = right && running.back() == total;
  sort(engine, x);
  for (std::size_t i = 0; i < kSize; ++i) right = right && x[i] == static_cast<std::int64_t>(i);
  std::atomic<int> tasks{0};
  engine.bulk(100, [&](std::size_t) { ++tasks; });
  return right && tasks == 100;
}

/// The threads that take part where each waits a while for the others.
int threads_that_meet(Engine& engine) {
  std::atomic<int> here{0};
  const int wanted = engine.concurrency();
  engine.bulk(static_cast<std::size_t>(wanted), [&](std::size_t) {
    ++here;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (here < wanted && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  });
  return engine.last_run().threads;
}

/// What a process of its own says of an engine that chooses its threads by itself. Disabled: it is run by the tests below.
TEST(Embedded, DISABLED_Report) {
  Engine engine;
  const bool right = is_right(engine);
  std::printf("%s: concurrency %d (%s), %d met, %s\n", std::string(engine.backend()).c_str(), engine.concurrency(),
              choose_threads(0).reason.c_str(), threads_that_meet(engine), right ? "right" : "wrong");
}

class EmbeddingTest : public testing::TestWithParam<std::string> {
 protected:
  static std::string run(const std::string& test, const std::string& setting = "") {
    return run_own_test("Embedded.DISABLED_" + test, "FURROW_TUNING=none FURROW_BACKEND=" + GetParam() + " " + setting);
  }
  /// "concurrency 2 (" of a backend with two threads at most.
  static std::string concurrency(int threads) {
    return "concurrency " + std::to_string(GetParam() == "serial" ? 1 : threads) + " (";
  }
  static std::string met(int threads) { return std::to_string(GetParam() == "serial" ? 1 : threads) + " met, right"; }
};

// ---- what the environment says ----

TEST_P(EmbeddingTest, UnderTasksetThereIsAThreadForEachCpuLeft) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
  int first = 0;
  while (!CPU_ISSET(first, &mask)) ++first;
  const std::string output = run("Report", "taskset -c " + std::to_string(first));
  EXPECT_TRUE(has(output, concurrency(1)) && has(output, "1 met, right")) << output;
  const std::string more = run("Report", "FURROW_NUM_THREADS=3 taskset -c " + std::to_string(first));
  EXPECT_TRUE(has(more, concurrency(3)) && has(more, met(3))) << more;
}

/// A group of processes with a quota of CPU time, for one who may make such.
class CpuGroup {
 public:
  explicit CpuGroup(int cpus) {
    const std::string name = "furrow-test-" + std::to_string(getpid());
    constexpr int kPeriod = 100'000;
    for (const std::string root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"}) {
      const bool v1 = std::filesystem::exists(root + "/cpu.cfs_quota_us");
      if (!v1 && !std::filesystem::exists(root + "/cgroup.subtree_control")) continue;
      std::error_code error;
      folder_ = root + "/" + name;
      if (!std::filesystem::create_directory(folder_, error)) continue;
      const std::string quota = std::to_string(kPeriod * cpus);
      made_ = v1 ? write("cpu.cfs_period_us", std::to_string(kPeriod)) && write("cpu.cfs_quota_us", quota)
                 : write("cpu.max", quota + " " + std::to_string(kPeriod));
      if (made_) return;
      std::filesystem::remove(folder_, error);
    }
  }
  ~CpuGroup() {
    std::error_code ignored;
    if (made_) std::filesystem::remove(folder_, ignored);
  }
  CpuGroup(const CpuGroup&) = delete;
  CpuGroup& operator=(const CpuGroup&) = delete;

  bool made() const { return made_; }
  std::string processes() const { return folder_ + "/cgroup.procs"; }

 private:
  bool write(const char* file, const std::string& text) const {
    std::ofstream out(folder_ + "/" + file);
    out << text << std::flush;
    return out.good();
  }
  std::string folder_;
  bool made_ = false;
};

TEST_P(EmbeddingTest, UnderACpuQuotaThereAreNoMoreThreadsThanItGrants) {
  if (cpu_allowance().affinity < 2) GTEST_SKIP() << "needs two CPUs";
  const CpuGroup group(1);
  if (!group.made()) GTEST_SKIP() << "this process may not make a control group with a CPU quota";
  const std::string output = run("Report", "sh -c 'echo $$ > " + group.processes() + " && exec \"$@\"' sh");
  EXPECT_TRUE(has(output, concurrency(1)) && has(output, "1 met, right")) << output;
  EXPECT_TRUE(has(output, "cgroup CPU quota")) << output;
}

TEST_P(EmbeddingTest, ThreadsThatOpenmpBindsAreAsMany) {
  const int cpus = cpu_allowance().cpus();
  for (const char* setting : {"OMP_PROC_BIND=true", "OMP_PROC_BIND=spread OMP_PLACES=cores", "OMP_PROC_BIND=false"}) {
    const std::string output = run("Report", setting);
    EXPECT_TRUE(has(output, concurrency(cpus)) && has(output, met(cpus))) << setting << "\n" << output;
  }
}

TEST_P(EmbeddingTest, OpenmpsOtherVariablesChangeNoResult) {
  for (const char* setting :
       {"OMP_DYNAMIC=true OMP_NESTED=true OMP_SCHEDULE=dynamic,3", "OMP_THREAD_LIMIT=2", "OMP_MAX_ACTIVE_LEVELS=0"}) {
    const std::string output = run("Report", std::string("FURROW_NUM_THREADS=3 OMP_WAIT_POLICY=passive ") + setting);
    EXPECT_TRUE(has(output, concurrency(3)) && has(output, "met, right")) << setting << "\n" << output;
  }
}

// ---- the beginning and the end of a process ----

/// Uses furrow while static objects are made and destroyed.
struct StaticUser {
  StaticUser() : engine_({.concurrency = 3}), right_(is_right(engine_)) {}
  ~StaticUser() {
    Engine late({.concurrency = 3});
    std::printf("static: %s %s %s\n", right_ ? "right" : "wrong", is_right(engine_) ? "right" : "wrong",
                is_right(late) ? "right" : "wrong");
    std::fflush(stdout);
  }
  Engine engine_;
  bool right_;
};

std::optional<StaticUser> before_main;
[[maybe_unused]] const bool made_before_main = [] {
  if (std::getenv("FURROW_TEST_STATIC") != nullptr) before_main.emplace();
  return true;
}();

TEST(Embedded, DISABLED_StaticInFunction) {
  static StaticUser user;
}
TEST(Embedded, DISABLED_AtExit) {
  static Engine* engine = new Engine({.concurrency = 3});  // never destroyed
  ASSERT_TRUE(is_right(*engine));
  std::atexit([] { std::printf("at exit: %s\n", is_right(*engine) ? "right" : "wrong"); });
}
TEST(Embedded, DISABLED_ExitWithWorkUnderWay) {
  static Engine engine({.concurrency = 3});
  static_cast<void>(engine.submit([](Engine& own) {
    for (int i = 0; i < 20; ++i)
      if (!is_right(own)) std::_Exit(3);
    std::printf("submitted work: right\n");
  }));
  std::exit(0);  // the engine is destroyed, and waits
}
TEST(Embedded, DISABLED_Nothing) {}

TEST_P(EmbeddingTest, WorksWhileStaticObjectsAreMadeAndDestroyed) {
  for (const char* test : {"StaticInFunction", "Nothing"}) {
    const std::string output = run(test, has(test, "Nothing") ? "FURROW_TEST_STATIC=1" : "");
    EXPECT_TRUE(has(output, "static: right right right") && has(output, "exit status 0")) << output;
  }
  const std::string at_exit = run("AtExit");
  EXPECT_TRUE(has(at_exit, "at exit: right") && has(at_exit, "exit status 0")) << at_exit;
  const std::string submitted = run("ExitWithWorkUnderWay");
  EXPECT_TRUE(has(submitted, "submitted work: right") && has(submitted, "exit status 0")) << submitted;
}

// ---- memory that runs out ----

/// Much of what allocates: engines, arrays, kernels with buffers, graphs, flows, submitted work.
bool does_everything(const std::string& backend) {
  Engine engine(backend, {.concurrency = 3});
  bool right = is_right(engine);
  std::vector<double> x(20'000, 1.5);
  std::vector<double> y(x.size());
  right = right && copy_if(engine, x, y, [](double v) { return v > 1; }) == x.size() && y == x;
  Graph graph;
  std::atomic<int> nodes{0};
  graph.add("first", {write(y)}, 5, [&](std::size_t) { ++nodes; });
  graph.add("second", {read(y)}, 5, [&](std::size_t) { nodes += 100; });
  graph.run(engine);
  right = right && nodes == 505;
  Flow flow;
  double total = 0;
  add(flow, x, x, y);
  sum(flow, y, total);
  flow.run(engine);
  right = right && total == 3.0 * 20'000;
  auto work = engine.submit([&](Engine& own) { return sum(own, x); });
  return right && work.get() == 1.5 * 20'000;
}

/// Fails each allocation in turn. In a process of its own: a hang or a crash is then an answer.
TEST(Embedded, DISABLED_EachAllocationFails) {
  alarm(100);
  set_warning_handler(nullptr);
  const std::string backend = std::getenv("FURROW_BACKEND");
  if (!does_everything(backend)) std::_Exit(4);  // what is made once is made
  int failures = 0;
  for (std::size_t k = 0;; ++k) {
    support::failing_allocation = support::allocations + k;
    bool right = true;
    bool thrown = false;
    try {
      right = does_everything(backend);
    } catch (const std::bad_alloc&) {
      thrown = true;
    } catch (const Error&) {
      thrown = true;
    }
    const bool reached = support::failing_allocation.exchange(support::kNone) < support::allocations;
    failures += thrown;
    if (!right) {
      std::printf("allocation %zu: wrong\n", k);
      std::_Exit(5);
    }
    if (k % 10 == 0 || thrown) {
      Engine engine(backend, {.concurrency = 2});
      if (!is_right(engine)) std::_Exit(6);
    }
    if (!reached) break;
  }
  std::printf("%d failures, all told\n", failures);
  std::fflush(stdout);
  std::_Exit(0);
}

TEST_P(EmbeddingTest, EachAllocationThatFailsIsToldAndLeavesAllInOrder) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "too slow under it";
  const std::string output = run("EachAllocationFails", "OMP_WAIT_POLICY=passive");
  EXPECT_TRUE(has(output, " failures, all told") && has(output, "exit status 0")) << output;
  EXPECT_FALSE(has(output, "\n0 failures")) << output;
}

// ---- beside other users of the runtimes ----

#if FURROW_TEST_OPENMP
TEST_P(EmbeddingTest, TheHostsNumberOfOpenmpThreadsIsItsOwn) {
  const int before = omp_get_max_threads();
  for (const int hosts : {1, 4}) {
    omp_set_num_threads(hosts);
    Engine engine(GetParam(), {.concurrency = 3});
    EXPECT_TRUE(is_right(engine));
    EXPECT_EQ(threads_that_meet(engine), engine.concurrency());
    EXPECT_EQ(omp_get_max_threads(), hosts);
    if (support::kThreadSanitizer) continue;  // it does not know the synchronisation of this file's own region
    int team = 0;
#pragma omp parallel
#pragma omp single
    team = omp_get_num_threads();
    EXPECT_EQ(team, hosts);
  }
  omp_set_num_threads(before);
}
#endif

TEST(Embedded, DISABLED_TwoRuntimes) {
  for (int i = 0; i < 2; ++i)
    for (const std::string& backend : backends()) {
      Engine engine(backend, {.concurrency = 2});
      if (!is_right(engine)) std::_Exit(3);
    }
  std::printf("all right\n");
}

TEST(Embedding, TwoRuntimesInOneProcessAreToldOnce) {
  const std::vector<std::string> all = backends();
  const auto here = [&](const char* name) { return std::ranges::count(all, name) > 0; };
  if (!here("openmp") || !(here("tbb") || here("stdpar"))) GTEST_SKIP() << "this build has one runtime";
  const std::string words = "OMP_WAIT_POLICY=passive";
  const std::string output = run_own_test("Embedded.DISABLED_TwoRuntimes", "OMP_WAIT_POLICY=");
  EXPECT_TRUE(has(output, words) && has(output, "all right")) << output;
  EXPECT_EQ(output.find(words), output.rfind(words)) << "more than once:\n" << output;
  const std::string passive = run_own_test("Embedded.DISABLED_TwoRuntimes", "OMP_WAIT_POLICY=passive");
  EXPECT_TRUE(!has(passive, "warning") && has(passive, "all right")) << passive;
}

INSTANTIATE_TEST_SUITE_P(All, EmbeddingTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
