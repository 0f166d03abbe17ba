#include "benchmarks/peers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>

#include "benchmarks/cases.hpp"
#include "benchmarks/workspace.hpp"
#include "furrow/engine/engine.hpp"

namespace furrow::bench {
namespace {

using Peers = testing::TestWithParam<std::size_t>;

/// Every peer of this build, every kernel and type it has, with one thread and with several.
TEST_P(Peers, AreRight) {
  Engine engine("serial");
  for (const Type type : kTypes) {
    Workspace workspace(engine, type, GetParam());
    for (const table::Kernel& kernel : table::kernels()) {
      if (!kernel.has(type)) continue;
      workspace.prepare(kernel);
      for (const PeerBackend& backend : peer_backends()) {
        for (const PeerFunction run : find_peer(backend.name, kernel.name, type)) {
          for (const int threads : {1, 3}) {
            workspace.reset();
            run(workspace.operands(), threads);
            EXPECT_EQ(workspace.fault(false).value_or(""), "")
                << case_name(kernel, backend.name, type, GetParam()) << ", " << threads << " threads";
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Peers, testing::Values(1, 2, 31, 1023, 4099, 65536, 100003));

/// What rounding does to running sums does not hide an element that was left out.
TEST(Checks, FindWhatARunningSumLeftOut) {
  Engine engine("serial");
  for (const Type type : {Type::f32, Type::f64}) {
    for (const std::size_t n : {std::size_t{1023}, std::size_t{100003}}) {
      Workspace workspace(engine, type, n);
      for (const char* const name : {"inclusive_scan", "exclusive_scan"}) {
        const table::Kernel& kernel = *table::find(name);
        workspace.prepare(kernel);
        kernel.run(engine, workspace.operands());
        EXPECT_EQ(workspace.fault(false), std::nullopt);
        with_type(type, [&]<class T>(TypeTag<T>) {
          const std::span<const T> a = workspace.operands().a<T>();
          const std::span<T> out = workspace.operands().out<T>();
          std::size_t left_out = n / 2;
          while (std::abs(static_cast<double>(a[left_out])) < 0.5) ++left_out;
          for (std::size_t i = left_out + 1; i < n; ++i) out[i] = static_cast<T>(out[i] - a[left_out]);
        });
        EXPECT_NE(workspace.fault(false), std::nullopt) << name << " of " << n << ' ' << type_code(type);
      }
    }
  }
}

bool measures_the_machine(const Peer& peer) {
  return peer.kernel == "fork_join" || peer.kernel == "fma_rate";
}

TEST(PeerTables, NameKernelsOfTheTable) {
  for (const PeerBackend& backend : peer_backends())
    for (const std::span<const Peer> part : backend.peers)
      for (const Peer& peer : part)
        EXPECT_TRUE(table::find(peer.kernel) != nullptr || measures_the_machine(peer)) << backend.name << " has " << peer.kernel;
}

TEST(PeerTables, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const PeerBackend& backend : peer_backends()) EXPECT_TRUE(names.insert(backend.name).second) << backend.name;
}

/// -ffast-math has been compiled with, but not linked with: that would change what everybody else in the process computes.
TEST(PeerTables, LeaveDenormalNumbersAlone) {
  volatile double least_normal = 0x1p-1022;
  EXPECT_NE(least_normal / 2, 0);
}

TEST(Candidates, AreChosenByGroups) {
  const auto has = [](const Candidates& candidates, std::string_view name) {
    return std::ranges::find(candidates.peers(), name) != candidates.peers().end();
  };
  const Candidates usual({}, 1);
  const Candidates more({"usual", "fast"}, 1);
  for (const PeerBackend& peer : peer_backends()) {
    EXPECT_EQ(has(usual, peer.name), peer.group == "usual") << peer.name;
    EXPECT_EQ(has(more, peer.name), peer.group == "usual" || peer.group == "fast") << peer.name;
  }
  EXPECT_EQ(usual.backends(), more.backends());
}

}  // namespace
}  // namespace furrow::bench
