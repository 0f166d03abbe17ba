#include "benchmarks/compare.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "furrow/engine/error.hpp"
#include "tests/saved_runs.hpp"

namespace furrow::bench {
namespace {

const Change* find(const std::vector<Change>& changes, const std::string& name) {
  const auto found = std::ranges::find(changes, name, &Change::name);
  return found == changes.end() ? nullptr : &*found;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string refusal(const SavedRun& before, const SavedRun& now) {
  try {
    compare_runs(before, now);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CompareRuns, EqualBuildsDoNotDiffer) {
  int called = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    called += compare_runs(SyntheticSuite().run(2 * seed), SyntheticSuite().run(2 * seed + 1)).differs() ? 1 : 0;
  EXPECT_LE(called, 4);
  const SavedRun run = SyntheticSuite().run(1);
  const Comparison same = compare_runs(run, run);
  EXPECT_EQ(same.compared, 7U * 2 * 3 * 4);
  EXPECT_FALSE(same.regression());
  EXPECT_TRUE(says(in_words(same, run, run), "No difference beyond noise"));
}

TEST(CompareRuns, AKernelSlowedByFifteenPercentIsFound) {
  SyntheticSuite slowed;
  slowed.factor = [](const std::string& kernel, const std::string& backend, const auto&, std::size_t) {
    return kernel == "triad" && !backend.starts_with("raw_") && backend != "serial_loop" ? 1.15 : 1;
  };
  int found = 0;
  int others = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Comparison comparison = compare_runs(SyntheticSuite().run(2 * seed), slowed.run(2 * seed + 1));
    const Change* const triad = find(comparison.kernels, "triad");
    if (triad != nullptr && comparison.regression()) {
      ++found;
      EXPECT_NEAR(triad->time.ratio, 1.15, 0.04);
      EXPECT_EQ(triad->of, 4U);  // two types of two sizes that are large enough
    }
    for (const Change& change : comparison.kernels) others += change.name.starts_with("triad") ? 0 : 1;
  }
  EXPECT_GE(found, 99);
  EXPECT_LE(others, 3);
  // The other way round it is a gain, and no regression.
  const Comparison gain = compare_runs(slowed.run(1), SyntheticSuite().run(2));
  ASSERT_NE(find(gain.kernels, "triad"), nullptr);
  EXPECT_TRUE(find(gain.kernels, "triad")->time.faster());
  EXPECT_FALSE(gain.regression());
}

TEST(CompareRuns, ABackendSlowerEverywhereByLittleIsFound) {
  SyntheticSuite slowed;
  slowed.factor = [](const auto&, const std::string& backend, const auto&, std::size_t) { return backend == "tbb" ? 1.07 : 1; };
  const Comparison comparison = compare_runs(SyntheticSuite().run(1), slowed.run(2));
  ASSERT_EQ(comparison.backends.size(), 1U);
  EXPECT_EQ(comparison.backends[0].name, "tbb");
  EXPECT_TRUE(comparison.regression());
  EXPECT_TRUE(says(in_words(comparison, SyntheticSuite().run(1), slowed.run(2)), "Backends slower beyond noise:\n  tbb  "));
}

TEST(CompareRuns, AKernelOrATypeOfItOnOneBackendIsFound) {
  SyntheticSuite slowed;
  slowed.factor = [](const std::string& kernel, const std::string& backend, const std::string& type, std::size_t) {
    return (kernel == "dot" && backend == "openmp") ||
                   (kernel == "min" && type == "f32" && !backend.starts_with("raw_") && backend != "serial_loop")
               ? 1.4
               : 1;
  };
  const Comparison comparison = compare_runs(SyntheticSuite().run(1), slowed.run(2));
  ASSERT_EQ(comparison.kernels.size(), 2U) << in_words(comparison, SyntheticSuite().run(1), slowed.run(2));
  EXPECT_NE(find(comparison.kernels, "dot/openmp"), nullptr);
  EXPECT_NE(find(comparison.kernels, "min/f32"), nullptr);
  EXPECT_TRUE(comparison.backends.empty());
  EXPECT_TRUE(comparison.regression());
}

/// On virtual machines single cases of equal builds differ by as much.
TEST(CompareRuns, ASingleCaseIsNotEnough) {
  SyntheticSuite disturbed;
  disturbed.factor = [](const std::string& kernel, const std::string& backend, const std::string& type, std::size_t n) {
    return kernel == "dot" && backend == "openmp" && type == "f32" && n == 65536 ? 2 : 1;
  };
  EXPECT_FALSE(compare_runs(SyntheticSuite().run(1), disturbed.run(2)).differs());
}

/// All backends do a small call on one thread, with the same arrays: what disturbs one disturbs all.
TEST(CompareRuns, SmallArraysSayLittle) {
  SyntheticSuite disturbed;
  disturbed.factor = [](const std::string& kernel, const auto&, const auto&, std::size_t n) {
    return kernel == "dot" && n == 1024 ? 2 : 1;
  };
  EXPECT_FALSE(compare_runs(SyntheticSuite().run(1), disturbed.run(2)).differs());
}

/// One group is enough if it is of large arrays and three backends agree, as in a quick run.
TEST(CompareRuns, AllBackendsAgreeingInOneGroupAreEnough) {
  SyntheticSuite one;
  one.types = {"f64"};
  one.sizes = {65536};
  SyntheticSuite slowed = one;
  slowed.factor = [](const std::string& kernel, const std::string& backend, const auto&, std::size_t) {
    return kernel == "sum" && !backend.starts_with("raw_") && backend != "serial_loop" ? 1.15 : 1;
  };
  int found = 0;
  int called = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    found += find(compare_runs(one.run(2 * seed), slowed.run(2 * seed + 1)).kernels, "sum") != nullptr ? 1 : 0;
    called += compare_runs(one.run(2 * seed), one.run(2 * seed + 1)).differs() ? 1 : 0;
  }
  EXPECT_GE(found, 90);
  EXPECT_EQ(called, 0);
}

TEST(CompareRuns, ABusierOrIdlerMachineIsNoChangeOfFurrow) {
  SyntheticSuite busy;
  busy.factor = [](const auto&, const auto&, const auto&, std::size_t) { return 1.4; };
  // Only what has several threads suffers.
  SyntheticSuite crowded;
  crowded.factor = [](const auto&, const std::string& backend, const auto&, std::size_t) {
    return backend.starts_with("serial") ? 1 : 1.6;
  };
  int called = 0;
  std::string words;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const SyntheticSuite& other : {busy, crowded}) {
      for (const bool idler : {false, true}) {
        const SavedRun before = (idler ? other : SyntheticSuite()).run(2 * seed);
        const SavedRun now = (idler ? SyntheticSuite() : other).run(2 * seed + 1);
        const Comparison comparison = compare_runs(before, now);
        if (comparison.differs()) words += in_words(comparison, before, now);
        called += comparison.differs() ? 1 : 0;
      }
    }
  }
  EXPECT_LE(called, 4) << words;
}

TEST(CompareRuns, LessMemoryForTwoThreadsIsNoChangeWhereOnlySerialPeersAre) {
  // In the only group of a kernel, and a little on one thread too.
  SyntheticSuite crowded;
  crowded.peers = {"serial_loop"};
  crowded.types = {"f64"};
  crowded.sizes = {4194304};
  crowded.factor = [](const std::string& kernel, const std::string& backend, const auto&, std::size_t) {
    return kernel != "min" ? 1 : backend == "serial" ? 1.08 : backend == "serial_loop" ? 1.02 : 1.9;
  };
  SyntheticSuite quiet = crowded;
  quiet.factor = SyntheticSuite().factor;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_FALSE(compare_runs(quiet.run(2 * seed), crowded.run(2 * seed + 1)).differs()) << seed;
}

TEST(CompareRuns, WhatTheRoofSharesIsTheMemorys) {
  // Peers that are kept busy by arithmetic do not see it.
  SyntheticSuite faster;
  faster.peers.emplace_back("roof");
  faster.factor = [](const auto&, const std::string& backend, const auto&, std::size_t) {
    return backend.starts_with("raw_") || backend == "serial_loop" ? 1 : 1 / 1.2;
  };
  SyntheticSuite before = faster;
  before.factor = SyntheticSuite().factor;
  EXPECT_FALSE(compare_runs(before.run(1), faster.run(2)).differs());
  faster.factor = [](const auto&, const std::string& backend, const auto&, std::size_t) {
    return backend.starts_with("raw_") || backend == "serial_loop" || backend == "roof" ? 1 : 1 / 1.2;
  };
  EXPECT_TRUE(compare_runs(before.run(1), faster.run(2)).differs());
}

TEST(CompareRuns, PeersThatChangedAreNotFurrow) {
  SyntheticSuite other;
  other.factor = [](const auto&, const std::string& backend, const auto&, std::size_t) { return backend == "raw_tbb" ? 2 : 1; };
  EXPECT_FALSE(compare_runs(SyntheticSuite().run(1), other.run(2)).differs());
}

TEST(CompareRuns, WithoutPeersOnlyLargeChangesAreCalled) {
  SyntheticSuite alone;
  alone.peers = {};
  const Comparison equal = compare_runs(alone.run(1), alone.run(2));
  EXPECT_FALSE(equal.differs());
  EXPECT_FALSE(equal.peers);
  EXPECT_TRUE(says(in_words(equal, alone.run(1), alone.run(2)), "Without peers in both runs only large changes are called"));
  SyntheticSuite slowed = alone;
  slowed.factor = [](const std::string& kernel, const auto&, const auto&, std::size_t) { return kernel == "sum" ? 1.5 : 1; };
  EXPECT_NE(find(compare_runs(alone.run(1), slowed.run(2)).kernels, "sum"), nullptr);
}

TEST(CompareRuns, MoreRoundsAreNoGain) {
  SyntheticSuite many;
  many.rounds = 25;
  many.noise = 0.2;
  SyntheticSuite few = many;
  few.rounds = 6;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const SavedRun before = few.run(2 * seed);
    const SavedRun now = many.run(2 * seed + 1);
    const Comparison comparison = compare_runs(before, now);
    EXPECT_FALSE(comparison.differs()) << in_words(comparison, before, now);
  }
}

TEST(CompareRuns, AWrongAnswerThatWasRightIsARegression) {
  const SavedRun before = SyntheticSuite().run(1);
  SavedRun now = SyntheticSuite().run(2);
  now.groups[3].cases[1] = {"openmp", {}, {}, "element 5 is 1"};
  const Comparison comparison = compare_runs(before, now);
  EXPECT_EQ(comparison.now_faulty, std::vector<std::string>{"copy/openmp/f32/1024"});
  EXPECT_TRUE(comparison.regression());
  EXPECT_TRUE(says(in_words(comparison, before, now), "WRONG now, right before: copy/openmp/f32/1024"));
  EXPECT_FALSE(compare_runs(now, now).regression());
  EXPECT_FALSE(compare_runs(now, before).regression());

  SavedRun of_a_peer = SyntheticSuite().run(2);
  for (SavedRun::Case& one : of_a_peer.groups[3].cases)
    if (one.backend == "raw_tbb") one = {"raw_tbb", {}, {}, "element 5 is 1"};
  EXPECT_FALSE(compare_runs(before, of_a_peer).regression()) << "a peer's answer is not furrow's";
}

TEST(CompareRuns, WhatOnlyOneRunHasIsCounted) {
  SyntheticSuite less;
  less.sizes = {1024, 65536};
  const Comparison comparison = compare_runs(SyntheticSuite().run(1), less.run(2));
  EXPECT_EQ(comparison.compared, 7U * 2 * 2 * 4);
  EXPECT_EQ(comparison.only_before, 7U * 2 * 1 * 4);
  EXPECT_EQ(comparison.only_now, 0U);
  EXPECT_FALSE(comparison.differs());
}

TEST(CompareRuns, RunsThatCannotBeComparedAreRefused) {
  const SavedRun run = SyntheticSuite().run(1);
  SavedRun other = run;
  other.context["furrow_machine"] = "a faster one";
  EXPECT_TRUE(says(refusal(other, run), "another machine than run 1")) << refusal(other, run);
  EXPECT_TRUE(says(refusal(other, run), "\"a faster one\" against \"a machine\""));
  other.context.erase("furrow_machine");
  EXPECT_TRUE(says(refusal(other, run), "does not say which machine"));
  other = run;
  other.context["furrow_threads"] = "64";
  EXPECT_TRUE(says(refusal(other, run), "measured with 64 threads, run 1 with 2"));
  SyntheticSuite elsewhere;
  elsewhere.kernels = {"mul"};
  EXPECT_TRUE(says(refusal(run, elsewhere.run(2)), "no case in common"));
  SyntheticSuite hasty;
  hasty.rounds = 3;
  EXPECT_TRUE(says(refusal(run, hasty.run(2)), "no case in common with 6 rounds"));
  EXPECT_TRUE(
      says(refusal(run, SavedRun{.name = "empty", .context = run.context, .backends = {}, .peers = {}, .groups = {}}), "no case"));
}

}  // namespace
}  // namespace furrow::bench
