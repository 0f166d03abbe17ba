// Same input, same bits: whichever backend, however many threads, wherever the arrays lie, whatever the schedule and instruction
// set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/instruction_set.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/table.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

/// FNV-1a.
std::uint64_t hash(std::span<const unsigned char> bytes, std::uint64_t value = 0xCBF29CE484222325U) {
  for (const unsigned char byte : bytes) value = (value ^ byte) * 0x100000001B3U;
  return value;
}
std::uint64_t hash(std::span<const std::byte> bytes) {
  return hash({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}
std::uint64_t hash(std::span<const double> x) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (const double v : x) value = (value ^ std::bit_cast<std::uint64_t>(v)) * 0x100000001B3U;
  return value;
}

/// What several computations over the same numbers come to, as bits.
std::map<std::string, std::uint64_t> results(Engine& engine, std::span<const double> x, std::span<const double> y,
                                             std::span<double> out) {
  std::map<std::string, std::uint64_t> bits;
  const auto note = [&](const char* name, double value) { bits[name] = std::bit_cast<std::uint64_t>(value); };
  note("sum", sum(engine, x));
  note("dot", dot(engine, x, y));
  note("reduce", reduce(engine, x, 0.0, std::plus<>{}));
  note("reduce, unknown to commute", reduce(engine, x, 0.0, [](double a, double b) { return a + b; }));
  note("transform_reduce", transform_reduce(engine, x, y, 1.0, std::plus<>{}, [](double a, double b) { return a * std::exp(b); }));
  transform(engine, x, out, [](double v) { return std::exp(v); });
  bits["transform"] = hash(out);
  inclusive_scan(engine, x, out);
  bits["inclusive_scan"] = hash(out);
  for_each_index(engine, {std::size_t{1009}, std::size_t{1039}},
                 [&](std::size_t i, std::size_t j) { out[i * 1039 + j] = x[i * 1039 + j] / (1.0 + std::abs(y[j])); });
  bits["for_each_index"] = hash(out);
  return bits;
}

TEST(Bits, AreThoseOfOneThreadEverywhere) {
  constexpr std::size_t kN = (std::size_t{1} << 20) + 3;
  Engine one("serial");
  Array<double> x(one, kN + 8);
  Array<double> y(one, kN + 8);
  Array<double> out(one, kN + 8);
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> numbers(2 * kN);
  for (double& v : numbers) v = uniform(random);
  const auto at = [&](std::size_t shift, Engine& engine) {
    std::copy_n(numbers.data(), kN, x.data() + shift);
    std::copy_n(numbers.data() + kN, kN, y.data() + shift);
    return results(engine, std::span(x).subspan(shift, kN), std::span(y).subspan(shift, kN), std::span(out).subspan(shift, kN));
  };
  const auto expected = at(0, one);
  for (const std::string& backend : backends()) {
    for (const int concurrency : {1, 2, 3, 7}) {
      for (const Schedule schedule : {Schedule::stable, Schedule::dynamic}) {
        for (const std::size_t shift : {0, 1, 3}) {
          Engine engine(backend, {.concurrency = concurrency, .schedule = schedule, .grain = shift, .serial_below = 0});
          for (const auto& [name, bits] : at(shift, engine))
            ASSERT_EQ(bits, expected.at(name))
                << name << " on " << backend << " with " << concurrency << " threads, shifted by " << shift;
          if (backend == "serial") break;
        }
      }
    }
  }
}

/// The hash of what each kernel of the table gives at several sizes, by "kernel/type".
std::map<std::string, std::uint64_t> table_hashes(Engine& engine) {
  std::map<std::string, std::uint64_t> hashes;
  for (const table::Kernel& kernel : table::kernels()) {
    for (const Type type : kernel.types) {
      std::uint64_t bits = hash(std::span<const double>{});
      for (const std::size_t n : {1, 33, 513, 17'003}) {
        if (n > kernel.largest) continue;
        table::Operands x(engine, type, n, 1);
        kernel.make_inputs(x);
        kernel.run(engine, x);
        bits = hash(x.result(), hash(x.out_bytes(), bits));
      }
      hashes[std::string(kernel.name) + "/" + std::string(type_code(type))] = bits;
    }
  }
  return hashes;
}

/// Begins the names of what is no row of the table.
const std::string kAnyArguments = "any_arguments:";

/// The same of mathematical functions, of arguments of all kinds: any bits, and all magnitudes around 1.
template <class T>
void add_function_hashes(Engine& engine, std::map<std::string, std::uint64_t>& hashes) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::mt19937_64 random(1);
  std::vector<T> x(40'003);
  std::vector<T> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::bit_cast<T>(static_cast<Bits>(random()));
    if (i % 2 == 0) x[i] = static_cast<T>(std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 80) - 120));
    if (i % 4 == 0) x[i] = -x[i];
  }
  const auto note = [&](std::string_view name) {
    hashes[kAnyArguments + std::string(name) + "/" + std::string(type_code(type_of<T>))] = hash(std::as_bytes(std::span(out)));
  };
  for (std::size_t f = 0; f < named::kUnaryNames.size(); ++f) {
    named::evaluate<T>(engine, named::Unary{static_cast<int>(f)}, x, out);
    note(named::kUnaryNames[f]);
  }
  const std::vector<T> reversed(x.rbegin(), x.rend());
  for (std::size_t f = 0; f < named::kBinaryNames.size(); ++f) {
    named::evaluate<T>(engine, named::Binary{static_cast<int>(f)}, x, reversed, out);
    note(named::kBinaryNames[f]);
  }
}

// Prints a line for each kernel and type, with a column for each backend with 1, 2, 3 and 7 threads: what the test below reads of
// each instruction set.
TEST(Bits, OfTheTableUnderThisInstructionSet) {
  std::vector<std::map<std::string, std::uint64_t>> columns;
  std::string heads;
  for (const std::string& backend : backends()) {
    for (const int concurrency : {1, 2, 3, 7}) {
      if (backend == "serial" && concurrency > 1) continue;
      Engine engine(backend, {.concurrency = concurrency, .serial_below = 0});
      columns.push_back(table_hashes(engine));
      add_function_hashes<float>(engine, columns.back());
      add_function_hashes<double>(engine, columns.back());
      heads += " " + backend + "/" + std::to_string(concurrency);
    }
  }
  std::printf("[%s]%s\n", instruction_set().c_str(), heads.c_str());
  for (const auto& [name, bits] : columns[0]) {
    std::printf("%s", name.c_str());
    for (const auto& column : columns) {
      std::printf(" %016jx", static_cast<std::uintmax_t>(column.at(name)));
      EXPECT_EQ(column.at(name), bits) << name;
    }
    std::printf("\n");
  }
  std::printf("[end]\n");
}

constexpr const char* kTableTest = "Bits.OfTheTableUnderThisInstructionSet";

/// The table that the test above printed under `set`, by "kernel/type".
std::map<std::string, std::vector<std::string>> printed_table(const std::string& set) {
  std::istringstream output(support::run_own_test(kTableTest, "FURROW_ISA=" + set + " OMP_WAIT_POLICY=passive"));
  std::map<std::string, std::vector<std::string>> table;
  std::string line;
  while (std::getline(output, line) && !line.starts_with("[" + set + "]")) continue;
  while (std::getline(output, line) && line != "[end]") {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (std::string bits; words >> bits;) table[name].push_back(bits);
  }
  EXPECT_EQ(line, "[end]") << "with " << set;
  return table;
}

TEST(Bits, OfTheWholeTableAreThoseOfEveryBackendConcurrencyAndInstructionSet) {
  std::map<std::string, std::string> expected;
  for (const std::string& set : instruction_sets()) {
    const auto table = printed_table(set);
    const bool fused = set == "avx512" || set == "avx2";
    for (const table::Kernel& kernel : table::kernels())
      for (const Type type : kernel.types)
        ASSERT_TRUE(table.contains(std::string(kernel.name) + "/" + std::string(type_code(type))))
            << kernel.name << " with " << set;
    ASSERT_GT(table.size(), 250U);
    for (const auto& [name, columns] : table) {
      ASSERT_EQ(columns.size(), 1 + 4 * (backends().size() - 1)) << name << " with " << set;
      const table::Kernel* const row = table::find(name.substr(0, name.find('/')));
      const bool fuses = row == nullptr || row->fuses;
      std::string& bits = expected[name + (fuses && !fused ? ", unfused" : "")];
      if (bits.empty()) bits = columns[0];
      EXPECT_EQ(std::ranges::count(columns, bits), static_cast<std::ptrdiff_t>(columns.size()))
          << name << " with " << set << "; FURROW_ISA=" << set << " bits_test --gtest_filter=" << kTableTest << " prints the table";
    }
  }
  ASSERT_GT(expected.size(), 200U);
}

TEST(Bits, AnInstructionSetThatCannotBeHadIsRefusedByName) {
  for (const char* name : {"avx1024", "AVX2", "none"}) {
    const std::string output = support::run_own_test(kTableTest, std::string("FURROW_ISA=") + name);
    EXPECT_NE(output.find(std::string("FURROW_ISA=\"") + name + "\""), std::string::npos) << output;
    EXPECT_NE(output.find("baseline"), std::string::npos) << output;
    EXPECT_EQ(output.find("exit status 0"), std::string::npos) << output;
  }
}

}  // namespace
}  // namespace furrow
