#include "benchmarks/scenarios.hpp"

#include <gtest/gtest.h>

#include <set>

#include "benchmarks/cases.hpp"
#include "benchmarks/peers.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/registry.hpp"

namespace furrow::bench {
namespace {

TEST(Scenarios, EveryCandidateOfTheirKernelIsRightInThem) {
  Candidates candidates({}, 2);
  for (const Scenario& scenario : scenarios()) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{1000}, std::size_t{65537}}) {
      Workspace workspace(candidates.placing_engine(), Type::f64, n);
      workspace.prepare(scenario.row);
      std::set<std::string> names;
      for (const Candidate& candidate : candidates.of(scenario.row, Type::f64)) {
        for (const auto& run : candidate.variants) {
          workspace.reset();
          run(workspace.operands(), 1);
          EXPECT_EQ(workspace.fault(candidate.kind == Kind::backend), std::nullopt)
              << scenario.row.name << " by " << candidate.backend;
        }
        names.insert(candidate.backend);
      }
      for (const std::string& backend : backends()) EXPECT_TRUE(names.contains(backend)) << backend;
      for (const std::string& peer : candidates.peers())
        EXPECT_EQ(names.contains(peer), !find_peer(peer, scenario.kernel, Type::f64).empty()) << peer;
    }
  }
}

TEST(Scenarios, AreShownBehindTheTableAndHaveNamesOfTheirOwn) {
  const std::vector<table::Kernel>& all = suite_kernels();
  EXPECT_EQ(all.size(), table::kernels().size() + scenarios().size());
  EXPECT_EQ(all.front().name, table::kernels().front().name);
  std::set<std::string_view> names;
  for (const table::Kernel& kernel : all) EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name;
  EXPECT_EQ(find_suite_kernel("busy_neighbour")->family, "irregular");
  EXPECT_EQ(find_scenario("triad"), nullptr);
  EXPECT_EQ(find_suite_kernel("nothing of that name"), nullptr);
}

}  // namespace
}  // namespace furrow::bench
