#include "tools/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace furrow::tools {
namespace {

/// A machine that leaves nothing to be said.
Settings good() {
  Settings settings;
  settings.allowed = {.affinity = 8, .quota = 0};
  settings.online = 8;
  settings.governor = "performance";
  settings.busy = 0.1;
  settings.omp_wait_policy = "passive";
  settings.several_runtimes = true;
  return settings;
}

/// What is said once `change` was made to it; it is to be one thing.
std::string said(const std::function<void(Settings&)>& change) {
  Settings settings = good();
  change(settings);
  const Advice found = advice(settings);
  EXPECT_EQ(found.warnings.size(), 1U);
  EXPECT_TRUE(found.notes.empty());
  return found.warnings.empty() ? "" : found.warnings[0];
}

void expect_in(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* const part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

TEST(Advice, IsSilentWhereNothingHurts) {
  const Advice found = advice(good());
  EXPECT_TRUE(found.warnings.empty());
  EXPECT_TRUE(found.notes.empty());
}

TEST(Advice, NamesWhatHurtsAndTheRemedy) {
  expect_in(said([](Settings& s) { s.allowed.affinity = 1; }), {"one CPU of 8", "taskset -c", "mpirun --bind-to none"});
  expect_in(said([](Settings& s) { s.allowed.quota = 2.5; }), {"2.5 CPUs", "shows 8", "limited to 3", "docker --cpus"});
  // Rounded up it is the whole mask, but there is still less time than threads.
  expect_in(said([](Settings& s) { s.allowed.quota = 7.5; }), {"7.5 CPUs", "limited to 8"});
  expect_in(said([](Settings& s) { s.huge_pages = false; }), {"huge pages are off", "echo madvise"});
  expect_in(said([](Settings& s) { s.governor = "powersave"; }), {"powersave", "cpupower frequency-set -g performance"});
  expect_in(said([](Settings& s) { s.busy = 1.04; }), {"1.0 of the 8 CPUs", "stop them", "FURROW_NUM_THREADS"});
  expect_in(said([](Settings& s) { s.stolen = 0.5; }), {"0.5 of the 8 CPUs", "hypervisor", "dedicated"});
  expect_in(said([](Settings& s) { s.omp_wait_policy = "ACTIVE"; }), {"OMP_WAIT_POLICY=active", "unset it"});
  expect_in(said([](Settings& s) { s.debug = true; }), {"debug build", "CMAKE_BUILD_TYPE=Release"});
}

TEST(Advice, BlamesOpenMpForTheMaskThatItSet) {
  const auto bound = [](const char* how, int cpus) {
    return said([=](Settings& s) {
      s.omp_proc_bind = how;
      s.allowed.affinity = cpus;
    });
  };
  expect_in(bound("true", 1), {"OMP_PROC_BIND=true", "to one of 8 CPUs", "unset it"});
  expect_in(bound("spread,close", 2), {"OMP_PROC_BIND=spread,close", "to 2 of 8 CPUs"});
  expect_in(bound("FALSE", 1), {"affinity mask"});
  Settings unharmed = good();
  unharmed.omp_proc_bind = "true";
  EXPECT_TRUE(advice(unharmed).warnings.empty());
}

TEST(Advice, SpinningHurtsOnlyWhoMixesRuntimes) {
  Settings settings = good();
  settings.omp_wait_policy = "";
  ASSERT_EQ(advice(settings).notes.size(), 1U);
  expect_in(advice(settings).notes[0], {"between OpenMP and TBB", "OMP_WAIT_POLICY=passive"});
  settings.several_runtimes = false;
  EXPECT_TRUE(advice(settings).notes.empty());
}

TEST(Settings, AreThoseOfThisProcess) {
  const Settings here = Settings::observe();
  EXPECT_EQ(here.allowed.affinity, cpu_allowance().affinity);
  EXPECT_GE(here.online, here.allowed.affinity);
  EXPECT_GE(here.busy, 0);
  EXPECT_LE(here.busy, 1.2 * here.allowed.affinity);  // in steps of 10 ms
  EXPECT_GE(here.stolen, 0);
}

}  // namespace
}  // namespace furrow::tools
