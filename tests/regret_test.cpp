#include "benchmarks/regret.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/saved_runs.hpp"
#include "tests/support.hpp"

namespace furrow::bench {
namespace {

/// A run with the automatic choice in it, which takes `automatic` times 1 ns an element in each kernel, the backends as said.
SavedRun run_of(const std::function<double(const std::string& kernel, const std::string& choice)>& factor, std::uint64_t seed = 1) {
  SyntheticSuite suite;
  suite.types = {"f64"};
  suite.between_runs = 0;
  suite.peers = {"raw_openmp", "auto", "openmp_forced", "tbb_forced"};
  suite.factor = [&](const std::string& kernel, const std::string& choice, const std::string&, std::size_t) {
    return factor(kernel, choice);
  };
  return suite.run(seed);
}

double always(const Regret& regret, const std::string& name) {
  const auto found = std::ranges::find(regret.constants, name, &ConstantChoice::name);
  return found == regret.constants.end() ? 0 : found->time.ratio;
}

TEST(Regret, IsZeroWhereTheAutomaticChoiceIsTheBest) {
  const Regret regret = regret_of(run_of([](const auto&, const auto&) { return 1; }));
  EXPECT_EQ(regret.groups.size(), 21U);
  EXPECT_EQ(regret.median_regret(), 0);
  EXPECT_LT(regret.worst_regret(), 0.03) << "noise only";
  EXPECT_EQ(regret.differing, 0U);
}

TEST(Regret, IsWhatTheAutomaticChoiceLosesAndNeverAPeersAdvantage) {
  const Regret regret = regret_of(run_of([](const std::string& kernel, const std::string& choice) {
    if (choice == "raw_openmp") return 0.1;
    if (choice == "auto" && kernel == "dot") return 1.5;
    return 1.0;
  }));
  ASSERT_EQ(regret.groups.size(), 21U);
  for (std::size_t g = 0; g < 3; ++g) {
    EXPECT_EQ(regret.groups[g].key.substr(0, 4), "dot/");
    EXPECT_NEAR(regret.groups[g].regret(), 0.5, 0.1);
  }
  EXPECT_EQ(regret.groups[0].regret(), regret.worst_regret());
  EXPECT_LT(regret.groups[3].regret(), 0.03);
  EXPECT_LT(regret.median_regret(), 0.03);
}

TEST(Regret, TheAutomaticChoiceIsHeldAgainstConstantOnesWhereTheyDiffer) {
  // Where the array is copied threads lose, elsewhere tbb wins by a little: too little to count.
  const Regret regret = regret_of(run_of([](const std::string& kernel, const std::string& choice) {
    if (kernel == "copy") return choice == "auto" || choice == "serial" ? 1.0 : choice == "openmp_forced" ? 4.0 : 2.0;
    return choice == "tbb" || choice == "auto" ? 1.0 : 1.1;
  }));
  EXPECT_EQ(regret.differing, 3U);
  EXPECT_NEAR(always(regret, "serial"), 1, 0.03);
  EXPECT_NEAR(always(regret, "tbb"), 0.5, 0.02);
  EXPECT_NEAR(always(regret, "openmp_forced"), 0.25, 0.01);
  EXPECT_EQ(always(regret, "raw_openmp"), 0) << "nobody's choice of a backend";
  const std::string words = in_words(regret);
  EXPECT_NE(words.find("over 21 kernels, types and sizes: median 0.0 %"), std::string::npos) << words;
  EXPECT_NE(words.find("In 3 of them choices differ"), std::string::npos) << words;
}

TEST(Regret, NeedsARunWithTheAutomaticChoiceInIt) {
  const SavedRun without = SyntheticSuite().run(1);
  EXPECT_NE(support::message_of([&] { regret_of(without); }).find("furrow bench --regret --json"), std::string::npos);
}

}  // namespace
}  // namespace furrow::bench
