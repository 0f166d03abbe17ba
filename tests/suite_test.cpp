#include "benchmarks/suite.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "benchmarks/sample.hpp"
#include "benchmarks/scenarios.hpp"

namespace furrow::bench {
namespace {

SuiteOptions only(const std::string& kernels) {
  SuiteOptions options;
  options.kernels = kernels;
  return options;
}

std::tuple<std::string_view, Type, std::size_t> key(const Selection& what) {
  return {what.kernel->name, what.type, what.n};
}

std::vector<std::tuple<std::string_view, Type, std::size_t>> keys(const std::vector<Selection>& all) {
  std::vector<std::tuple<std::string_view, Type, std::size_t>> found;
  for (const Selection& what : all) found.push_back(key(what));
  return found;
}

std::set<std::string_view> families(const std::vector<Selection>& all) {
  std::set<std::string_view> found;
  for (const Selection& what : all) found.insert(what.kernel->family);
  return found;
}

TEST(Sample, HasEveryFamilyHoweverShortTheTime) {
  const std::vector<Selection> all = select({});
  for (const double seconds : {50.0, 70.0, 400.0, 540.0}) EXPECT_EQ(families(sample(all, seconds)), families(all)) << seconds;
}

TEST(Sample, OfADefaultRunHasEveryKernelAndSpreadsTypesAndSizes) {
  const std::vector<Selection> all = select({});
  const std::vector<Selection> sampled = sample(all, 400);
  EXPECT_LT(sampled.size(), all.size());
  std::map<std::string_view, std::set<std::pair<Type, std::size_t>>> by_kernel;
  std::map<Type, int> by_type;
  std::map<std::size_t, int> by_size;
  for (const Selection& what : sampled) {
    EXPECT_TRUE(by_kernel[what.kernel->name].emplace(what.type, what.n).second) << "twice";
    ++by_type[what.type];
    ++by_size[what.n];
  }
  EXPECT_EQ(by_kernel.size(), suite_kernels().size());
  for (const Type type : kTypes) EXPECT_GE(by_type[type], 10);
  EXPECT_GE(by_size.size(), 6U);
  for (const auto& [n, count] : by_size) EXPECT_GE(count, 5) << n;
}

TEST(Sample, IsAllIfThereIsTimeForAllAndTheSameEachTime) {
  const std::vector<Selection> all = select(only("^(triad|sum)$"));
  const auto sampled = keys(sample(all, 1e9));
  const auto expected = keys(all);
  EXPECT_EQ(std::set(sampled.begin(), sampled.end()), std::set(expected.begin(), expected.end()));
  EXPECT_EQ(sampled.size(), expected.size());
  EXPECT_EQ(keys(sample(all, 10)), keys(sample(select(only("^(triad|sum)$")), 10)));
}

TEST(Sample, IsNeverEmpty) {
  EXPECT_EQ(sample(select(only("^triad$")), 0.01).size(), 1U);
}

TEST(Select, ASweepGoesFrom256InPowersOfTwo) {
  SuiteOptions options = only("^triad$");
  options.types = {"f64"};
  options.sweep = true;
  const std::vector<Selection> all = select(options);
  ASSERT_GE(all.size(), 10U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].n, std::size_t{256} << i);
}

TEST(Group, TheNumberOfThreadsIsInTheNameWhereItIsNotTheRuns) {
  Group group;
  group.kernel = table::find("triad");
  group.n = 1024;
  Case one;
  one.backend = "tbb";
  EXPECT_EQ(group.name(one), "triad/tbb/f64/1024");
  group.threads = 4;
  EXPECT_EQ(group.name(one), "triad/tbb/f64/1024/threads:4");
}

}  // namespace
}  // namespace furrow::bench
