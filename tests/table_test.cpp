// Every kernel of the table, on every backend, at awkward sizes and starts, against its reference: equal bit for bit.
#include "furrow/kernels/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "tests/outcome.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

/// Around block, lane, chunk and reduction-chunk boundaries, and a prime that is large enough for all of them.
const std::vector<std::size_t> kAllSizes{0,    1,    2,    3,    7,     31,    32,    33,    63,     64,
                                         65,   127,  129,  511,  512,   513,   640,   1023,  1024,   1025,
                                         4097, 8191, 8192, 8193, 16385, 65536, 65537, 99991, 131073, 300007};
/// A sanitizer makes each element dear; what it looks for shows at a few sizes too.
const std::vector<std::size_t> kSizes = support::kSanitizer ? std::vector<std::size_t>{1, 33, 1025, 16385} : kAllSizes;
const std::vector<int> kConcurrencies = support::kSanitizer ? std::vector<int>{2, 3} : std::vector<int>{1, 2, 3, 7};

class TableTest : public testing::TestWithParam<const table::Kernel*> {};

TEST_P(TableTest, EqualsItsReferenceOnEveryBackendAtEverySizeAndStart) {
  const table::Kernel& kernel = *GetParam();
  Engine serial("serial");
  std::vector<std::unique_ptr<Engine>> engines;
  for (const std::string& backend : backends())
    for (const int concurrency : kConcurrencies) {
      if (backend == "serial" && concurrency != kConcurrencies.front()) continue;
      engines.push_back(std::make_unique<Engine>(backend, EngineOptions{.concurrency = concurrency, .serial_below = 0}));
    }
  for (const Type type : kernel.types) {
    for (const std::size_t n : kSizes) {
      if (n > kernel.largest) continue;
      for (const std::size_t shift : {0, 1, 3}) {
        table::Operands x(serial, type, n, shift);
        kernel.make_inputs(x);
        const Outcome before = outcome(x);
        kernel.reference(x);
        const Outcome expected = outcome(x);
        ASSERT_FALSE(n > 0 && expected == before) << "the reference changed nothing: the comparison could not fail";
        for (const auto& engine : engines) {
          kernel.make_inputs(x);
          kernel.run(*engine, x);
          ASSERT_TRUE(outcome(x) == expected) << kernel.name << "/" << engine->backend() << "/" << type_code(type) << "/" << n
                                              << " with " << engine->concurrency() << " threads, start shifted by " << shift;
          ASSERT_TRUE(x.guards_intact()) << kernel.name << " wrote outside its range at n = " << n;
        }
      }
    }
  }
}

std::vector<const table::Kernel*> rows() {
  std::vector<const table::Kernel*> list;
  for (const table::Kernel& kernel : table::kernels()) list.push_back(&kernel);
  return list;
}

INSTANTIATE_TEST_SUITE_P(AllKernels, TableTest, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param->name); });

TEST(Table, RowsAreCompleteAndNamesUnique) {
  std::set<std::string_view> names;
  for (const table::Kernel& kernel : table::kernels()) {
    EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name << " stands twice";
    EXPECT_FALSE(kernel.formula.empty()) << kernel.name;
    EXPECT_FALSE(kernel.types.empty()) << kernel.name;
    EXPECT_GT(kernel.reads + kernel.writes + kernel.flops, 0) << kernel.name;
    EXPECT_EQ(table::find(kernel.name), &kernel);
  }
  EXPECT_EQ(table::find("no such kernel"), nullptr);
}

}  // namespace
}  // namespace furrow
