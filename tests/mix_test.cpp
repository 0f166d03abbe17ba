#include "benchmarks/mix.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "benchmarks/sample.hpp"
#include "benchmarks/suite.hpp"
#include "tests/saved_runs.hpp"
#include "tests/support.hpp"

namespace furrow::bench {
namespace {

using support::message_of;

TEST(Mix, NamesKernelsFamiliesScenariosAndAliases) {
  const Mix mix(" uneven = 3, sum=1,element-wise=0.5,busy_neighbour=1e1");
  EXPECT_EQ(mix.text(), "uneven=3,sum=1,element-wise=0.5,busy_neighbour=10");
  EXPECT_EQ(mix.entry_of("fractal", "irregular")->name, "uneven");
  EXPECT_EQ(mix.entry_of("fractal", "irregular")->weight, 3);
  EXPECT_EQ(mix.entry_of("sum", "reductions")->weight, 1);
  EXPECT_EQ(mix.entry_of("triad", "element-wise")->name, "element-wise");
  EXPECT_EQ(mix.entry_of("busy_neighbour", "irregular")->weight, 10);
  EXPECT_FALSE(mix.entry_of("dot", "reductions"));
  EXPECT_FALSE(mix.entry_of("small_calls", "irregular"));
}

TEST(Mix, AKernelThatIsNamedItselfLeavesItsFamily) {
  const Mix mix("reductions=1,sum=5");
  EXPECT_EQ(mix.entry_of("sum", "reductions")->name, "sum");
  EXPECT_EQ(mix.entry_of("dot", "reductions")->name, "reductions");
}

TEST(Mix, WithoutOneEachFamilyWeighsTheSame) {
  EXPECT_TRUE(Mix("").empty());
  EXPECT_EQ(Mix("").text(), "");
  EXPECT_EQ(Mix().entry_of("sum", "reductions")->name, "reductions");
  EXPECT_EQ(Mix().entry_of("fractal", "irregular")->weight, 1);
}

TEST(Mix, WhatMakesNoSenseIsTold) {
  const std::string unknown = message_of([] { Mix("sum=1,unevne=3"); });
  EXPECT_NE(unknown.find("\"unevne\", which the suite does not know"), std::string::npos) << unknown;
  for (const char* const known : {"sum", "reductions", "uneven", "nested", "busy_neighbour"})
    EXPECT_NE(unknown.find(known), std::string::npos) << unknown;
  for (const char* const text :
       {"sum", "sum=", "sum=0", "sum=-1", "sum=nan", "sum=inf", "sum=1e999", "sum=1x", "=1", "sum=1,,dot=1", ","})
    EXPECT_NE(message_of([text] { Mix mix(text); }).find("is no part of a mix"), std::string::npos) << text;
  for (const char* const text : {"sum=1,sum=2", "uneven=1,fractal=1"})
    EXPECT_NE(message_of([text] { Mix mix(text); }).find("twice"), std::string::npos) << text;
}

TEST(Mix, WeighsASavedRunToo) {
  SavedRun run = SyntheticSuite().run(1);
  EXPECT_EQ(evidence_of(run).size(), run.groups.size());
  run.context["furrow_mix"] = "sum=1,loops=2.5";
  const std::vector<Evidence> evidence = evidence_of(run);
  EXPECT_EQ(evidence.size(), 12U) << "sum and transform, two types, three sizes";
  for (const Evidence& entry : evidence) {
    const bool is_sum = entry.name.starts_with("sum/");
    EXPECT_EQ(entry.family, is_sum ? "sum" : "loops") << entry.name;
    EXPECT_EQ(entry.weight, is_sum ? 1 : 2.5) << entry.name;
  }
}

TEST(Mix, SelectsWhatItNamesAndNoMoreThanTheLargestSizeOfAKernel) {
  SuiteOptions options;
  options.mix = Mix("uneven=3,sum=1,sort=1");
  options.types = {"f64", "i32"};
  options.sizes = {10'000'000, 20'000'000};
  std::vector<std::string> found;
  for (const Selection& what : select(options))
    found.push_back(std::string(what.kernel->name) + "/" + std::string(type_code(what.type)) + "/" + std::to_string(what.n));
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<std::string>{"fractal/i32/65536", "sort/f64/10000000", "sort/f64/20000000", "sort/i32/10000000",
                                             "sort/i32/20000000", "sum/f64/10000000", "sum/f64/20000000", "sum/i32/10000000",
                                             "sum/i32/20000000"}));
}

}  // namespace
}  // namespace furrow::bench
