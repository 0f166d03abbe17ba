// In place and out of place, by operations of any kind, and what is refused.
#include "furrow/kernels/adjacent_difference.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/scans.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

class AdjacentDifferenceTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(AdjacentDifferenceTest, IsTheStandardsInPlaceAndOutOfPlace) {
  const auto mixed = [](auto current, auto before) { return 3 * current - 2 * before; };
  for (const std::size_t n : {0U, 1U, 2U, 127U, 128U, 129U, 4099U, 300'007U}) {
    std::vector<std::int64_t> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<std::int64_t>(i * 2654435761U % 1000003);
    std::vector<std::int64_t> expected(n), out(n, -1);
    std::adjacent_difference(x.begin(), x.end(), expected.begin(), mixed);
    adjacent_difference(engine_, x, out, mixed);
    EXPECT_EQ(out, expected) << n;
    out = x;
    adjacent_difference(engine_, out, out, mixed);
    EXPECT_EQ(out, expected) << n;
    // By minus, the scan takes it back.
    adjacent_difference(engine_, x, out);
    inclusive_scan(engine_, out, out);
    EXPECT_EQ(out, x) << n;
  }
}

TEST_P(AdjacentDifferenceTest, ResultsMayBeOfAnotherType) {
  const std::vector<std::uint8_t> bytes{10, 7, 250};
  std::vector<int> changes(3);
  adjacent_difference(engine_, bytes, changes, [](int current, int before) { return current - before; });
  EXPECT_EQ(changes, (std::vector<int>{10, -3, 243}));
}

TEST_P(AdjacentDifferenceTest, SizesThatDifferAndOverlapsAreTold) {
  std::vector<double> x(1000), y(999);
  EXPECT_NE(message_of([&] { adjacent_difference(engine_, x, y); }).find("999"), std::string::npos);
  EXPECT_NE(message_of([&] { adjacent_difference(engine_, std::span(x).first(999), std::span(x).last(999)); }).find("overlap"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Backends, AdjacentDifferenceTest, testing::ValuesIn(backends()), [](const auto& of) { return of.param; });

}  // namespace
}  // namespace furrow
