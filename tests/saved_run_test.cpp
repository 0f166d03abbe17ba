#include "benchmarks/saved_run.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "benchmarks/report.hpp"
#include "furrow/engine/error.hpp"

namespace furrow::bench {
namespace {

SavedRun read(const std::string& text) {
  std::istringstream in(text);
  return read_run(in, "some.json");
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string with_entry(const std::string& entry) {
  return R"({"context": {"furrow_version": "0.1.0"}, "benchmarks": [)" + entry + "]}";
}

Measurements measurements() {
  Measurements made;
  made.threads = 3;
  made.backends = {"serial", "openmp"};
  made.peers = {"raw_tbb"};
  Group group{table::find("triad"), Type::f64, 1000, {}};
  group.cases.push_back({"serial", Kind::backend, {7, {1e-6, 1.25e-6, 1.5e-6}, {1e-6, 1e-6, 1e-6}, {1, 2}}, std::nullopt});
  group.cases.push_back({"openmp", Kind::backend, {}, "element 3 is \"2\" <instead of 1>"});
  group.cases.push_back({"raw_tbb", Kind::peer, {9, {2e-6, 3e-6, 4e-6}, {4e-6, 6e-6, 8e-6}, {0, 3}}, std::nullopt});
  made.groups.push_back(group);
  return made;
}

TEST(SavedRun, IsWhatWasWritten) {
  std::stringstream file;
  write_json(measurements(), {.backend = "serial", .reason = "it is \"the\" one", .ratios = {}}, file);
  const SavedRun run = read_run(file, "some.json");
  EXPECT_EQ(run.backends, (std::vector<std::string>{"serial", "openmp"}));
  EXPECT_EQ(run.peers, std::vector<std::string>{"raw_tbb"});
  EXPECT_EQ(run.about("furrow_pick"), "serial");
  EXPECT_EQ(run.about("furrow_reason"), "it is \"the\" one");
  EXPECT_EQ(run.about("furrow_threads"), "3");
  EXPECT_NE(run.about("furrow_machine"), "");
  EXPECT_NE(run.about("furrow_flags"), "");
  EXPECT_EQ(run.about("no such thing"), "");
  EXPECT_FALSE(run.partial());
  EXPECT_EQ(run.faults(), 1U);
  ASSERT_EQ(run.groups.size(), 1U);
  const SavedRun::Group& group = run.groups[0];
  EXPECT_EQ(group.key(), "triad/f64/1000");
  EXPECT_NEAR(group.bytes, 24, 1e-9);
  ASSERT_EQ(group.cases.size(), 3U);
  ASSERT_EQ(group.find("serial")->real.size(), 3U);
  EXPECT_NEAR(group.find("serial")->real[1], 1.25e-6, 1e-15);
  EXPECT_NEAR(group.find("raw_tbb")->cpu[2], 8e-6, 1e-15);
  EXPECT_EQ(group.find("serial")->visits, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(group.find("raw_tbb")->visits, (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(group.find("openmp")->fault, "wrong answer: element 3 is \"2\" <instead of 1>");
  EXPECT_FALSE(group.find("openmp")->timed());
  EXPECT_EQ(group.find("tbb"), nullptr);
}

TEST(SavedRun, FilesThatAreSomethingElseAreRefused) {
  for (const char* const text : {"", "{", R"({"context": {)", "hello"})
    EXPECT_NE(refusal(text).find("some.json is not JSON"), std::string::npos) << text;
  for (const char* const text :
       {"[]", "3", "{}", R"({"context": 1})", R"({"context": {}, "benchmarks": []})", R"({"context": {"furrow_version": "0.1.0"}})",
        R"({"context": {"furrow_version": "0.1.0"}, "benchmarks": 1})"})
    EXPECT_NE(refusal(text).find("was not written by furrow bench"), std::string::npos) << text;
  EXPECT_EQ(refusal(with_entry("")), "");
}

TEST(SavedRun, BrokenEntriesAreNamed) {
  const std::string good =
      R"({"run_name": "sum/tbb/f64/8", "run_type": "iteration", "real_time": 5, "cpu_time": 5, "time_unit": "ns",
          "bytes_per_second": 8, "items_per_second": 1})";
  EXPECT_EQ(refusal(with_entry(good)), "");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string entry = good;
    return refusal(with_entry(entry.replace(entry.find(from), from.size(), to)));
  };
  for (const char* const name : {"sum", "sum/tbb/f64", "sum/tbb/f64/8/9", "sum/tbb/f64/-8", "sum/tbb/f64/0", "sum/tbb/f64/8x",
                                 "sum/tbb/f64/99999999999999999999"})
    EXPECT_NE(changed("sum/tbb/f64/8", name).find("is not of the form kernel/backend/type/n"), std::string::npos) << name;
  EXPECT_NE(changed("\"real_time\": 5", "\"real_time\": \"5\"").find("real_time of sum/tbb/f64/8"), std::string::npos);
  EXPECT_NE(changed("\"real_time\": 5", "\"real_time\": -5").find("real_time"), std::string::npos);
  EXPECT_NE(changed("\"real_time\": 5", "\"real_time\": 0").find("is 0"), std::string::npos);
  EXPECT_NE(changed("\"cpu_time\": 5,", "").find("cpu_time"), std::string::npos);
  EXPECT_NE(changed("\"cpu_time\"", "\"visit\": 1e9, \"cpu_time\"").find("visits of sum/tbb/f64/8 are not in order"),
            std::string::npos);
  EXPECT_NE(changed("\"ns\"", "\"ms\"").find("nanoseconds"), std::string::npos);
  EXPECT_NE(changed("\"run_name\"", "\"name\"").find("lacks its run_name"), std::string::npos);
  EXPECT_NE(refusal(with_entry("7")).find("is no object"), std::string::npos);
}

TEST(SavedRun, MissingAndEmptyFilesAreTold) {
  EXPECT_THROW(read_run("/no/such/file.json"), Error);
  EXPECT_THROW(read_run("/dev/null"), Error);
  EXPECT_THROW(read_run("/"), Error);
}

}  // namespace
}  // namespace furrow::bench
