// What kernels say of their traffic in traces is what their rows in the table say.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "furrow/engine/tracing.hpp"
#include "furrow/kernels/table.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using nlohmann::json;

/// The kernel calls that running a row makes.
std::vector<json> calls_of(const table::Kernel& kernel, Engine& engine, table::Operands& operands) {
  const support::Folder folder;
  const std::string path = folder / "trace.json";
  tracing::start(path);
  kernel.run(engine, operands);
  tracing::stop();
  std::ifstream file(path);
  std::vector<json> calls;
  const json trace = json::parse(file);
  for (const json& event : trace.at("traceEvents"))
    if (event.value("cat", "") == "kernel") calls.push_back(event);
  return calls;
}

TEST(Traffic, BytesInTracesAreThoseOfTheTable) {
  Engine engine("serial");
  constexpr std::size_t kElements = 1000;
  std::set<std::string_view> told;
  for (const table::Kernel& kernel : table::kernels()) {
    for (const Type type : kernel.types) {
      table::Operands operands(engine, type, kElements);
      kernel.make_inputs(operands);
      const std::vector<json> calls = calls_of(kernel, engine, operands);
      const std::string name = std::string(kernel.name) + "/" + std::string(type_code(type));
      if (calls.size() != 1 || calls[0]["name"] != name || !calls[0]["args"].contains("bytes")) continue;
      EXPECT_EQ(calls[0]["args"]["bytes"].get<double>(), kernel.bytes(type) * kElements) << name;
      told.insert(kernel.name);
    }
  }
  for (const char* name :
       {"add", "triad", "fill", "clamp", "fma", "less", "where", "exp", "pow", "sum", "dot", "argmin", "moments"})
    EXPECT_TRUE(told.contains(name)) << name;
}

}  // namespace
}  // namespace furrow
