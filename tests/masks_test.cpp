// any, all and none of truth values, wherever the one that decides stands.
#include "furrow/kernels/masks.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/comparisons.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

class MasksTest : public testing::TestWithParam<std::string> {
 protected:
  Engine engine_{GetParam(), {.concurrency = 3, .serial_below = 0}};
};

TEST_P(MasksTest, OneElementDecides) {
  for (const std::size_t n : {1U, 2U, 15U, 63U, 64U, 65U, 255U, 257U, 1000U, 4096U, 4097U, 8193U, 100'003U}) {
    for (const std::size_t start : {0U, 1U, 3U}) {
      // Beyond both ends stands what would decide otherwise.
      std::vector<std::uint8_t> falses(start + n + 1, 0);
      std::vector<std::uint8_t> trues(start + n + 1, 1);
      falses.back() = 1;
      trues.back() = 0;
      if (start > 0) falses[start - 1] = 255, trues[start - 1] = 0;
      const std::span no(falses.data() + start, n);
      const std::span yes(trues.data() + start, n);
      ASSERT_FALSE(any(engine_, no)) << n;
      ASSERT_TRUE(none(engine_, no)) << n;
      ASSERT_TRUE(all(engine_, yes)) << n;
      ASSERT_FALSE(none(engine_, yes)) << n;
      for (const std::size_t at : {std::size_t{0}, n / 3, n / 2, n - 1}) {
        for (const int value : {1, 2, 128, 255}) {
          no[at] = static_cast<std::uint8_t>(value);
          ASSERT_TRUE(any(engine_, no)) << at << " of " << n << " is " << value;
          ASSERT_FALSE(none(engine_, no)) << at << " of " << n;
          ASSERT_EQ(all(engine_, no), n == 1);
          yes[at] = static_cast<std::uint8_t>(value);
          ASSERT_TRUE(all(engine_, yes)) << "another number than 1 is true too";
        }
        no[at] = 0;
        yes[at] = 0;
        ASSERT_FALSE(all(engine_, yes)) << at << " of " << n;
        ASSERT_EQ(any(engine_, yes), n > 1);
        yes[at] = 1;
      }
    }
  }
}

TEST_P(MasksTest, OfNothingAllAndNoneAreTrue) {
  const std::vector<std::uint8_t> nothing;
  EXPECT_FALSE(any(engine_, nothing));
  EXPECT_TRUE(all(engine_, nothing));
  EXPECT_TRUE(none(engine_, nothing));
}

TEST_P(MasksTest, OfBoolsAndComparisons) {
  const auto flags = std::make_unique<bool[]>(5000);
  const std::span<const bool> mask(flags.get(), 5000);
  EXPECT_TRUE(none(engine_, mask));
  flags[4999] = true;
  EXPECT_TRUE(any(engine_, mask));
  EXPECT_FALSE(all(engine_, mask));

  const std::vector<double> x(70'000, 1.0);
  std::vector<double> y = x;
  std::vector<std::uint8_t> same(x.size());
  equal(engine_, x, y, same);
  EXPECT_TRUE(all(engine_, same));
  y[69'999] = 2;
  equal(engine_, x, y, same);
  EXPECT_FALSE(all(engine_, same));
  EXPECT_TRUE(any(engine_, same));
}

INSTANTIATE_TEST_SUITE_P(Backends, MasksTest, testing::ValuesIn(backends()), [](const auto& of) { return of.param; });

}  // namespace
}  // namespace furrow
