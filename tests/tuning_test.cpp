// The tuning file: kept whole, shared by unlike machines, and never able to fail a computation.
#include "furrow/engine/tuning.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/reductions.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using support::message_of;
using support::Variable;
using support::Warnings;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Tuning example() {
  Tuning tuning;
  tuning.backend = backends().back();
  tuning.reason = "it was \"fastest\"\n(ä)";
  tuning.measured = "2024-02-29";
  tuning.kernels["openmp"] = {{"triad/f64", {.serial_below = 4096, .grain = 3, .schedule = Schedule::dynamic}},
                              {"sum/f32", {.serial_below = 0}},
                              {"dot/f64", {.schedule = Schedule::stable}}};
  tuning.kernels[backends().back()]["triad/f64"] = {.serial_below = 1000};
  return tuning;
}

class TuningTest : public testing::Test {
 protected:
  const support::Folder folder_;
  const std::string file_ = folder_ / "tuning.json";
  const Variable tuning_{"FURROW_TUNING", file_.c_str()};
  const Variable backend_{"FURROW_BACKEND", nullptr};
  const Warnings warnings_;
};

TEST_F(TuningTest, WhatWasSavedIsLoaded) {
  const Tuning saved = example();
  saved.save();
  const auto loaded = Tuning::load();
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->backend, saved.backend);
  EXPECT_EQ(loaded->reason, saved.reason);
  EXPECT_EQ(loaded->measured, saved.measured);
  EXPECT_EQ(loaded->kernels, saved.kernels);
  EXPECT_EQ(Warnings::number(), 0);
  const auto entries = std::distance(std::filesystem::directory_iterator(folder_.string()), std::filesystem::directory_iterator());
  EXPECT_EQ(entries, 1) << "a temporary file was left behind";
}

TEST_F(TuningTest, EntriesOfOtherMachinesAndUnknownKeysAreKept) {
  example().save();
  json content = json::parse(read(file_));
  content["machines"]["Some other CPU; 128 CPUs"] = {{"backend", "future"}, {"anything", {1, 2, 3}}};
  content["note"] = "by hand";
  content["machines"][Tuning::machine_key()]["later"] = true;
  write(file_, content.dump());
  Tuning again = example();
  again.backend = "serial";
  again.save();
  const json after = json::parse(read(file_));
  EXPECT_EQ(after["machines"]["Some other CPU; 128 CPUs"], content["machines"]["Some other CPU; 128 CPUs"]);
  EXPECT_EQ(after["note"], "by hand");
  ASSERT_NE(Tuning::load(), nullptr);
  EXPECT_EQ(Tuning::load()->backend, "serial");
}

TEST_F(TuningTest, NoFileAndNoEntryAreNothingToWarnOf) {
  EXPECT_EQ(Tuning::load(), nullptr);
  write(file_, R"({"format": "furrow-tuning-1", "machines": {"another": {"backend": "serial"}}})");
  EXPECT_EQ(Tuning::load(), nullptr);
  EXPECT_EQ(Warnings::number(), 0) << Warnings::text();
}

/// One clear warning, however often it is loaded, and an engine that works all the same.
void expect_ignored(const std::string& what, const std::string& path) {
  const Warnings warnings;
  const Variable tuning("FURROW_TUNING", path.c_str());
  EXPECT_EQ(Tuning::load(), nullptr) << what;
  EXPECT_EQ(Tuning::load(), nullptr) << what;
  EXPECT_EQ(Engine({.concurrency = 2}).backend(), backends().at(1)) << what;
  EXPECT_EQ(Warnings::number(), 1) << what << ": " << Warnings::text();
  EXPECT_NE(Warnings::text().find(path), std::string::npos) << what << ": " << Warnings::text();
}

TEST_F(TuningTest, BrokenFilesAreIgnoredWithOneWarning) {
  example().save();
  const std::string good = read(file_);
  int number = 0;
  const auto broken = [&](const std::string& what, const std::string& text) {
    const std::string path = file_ + std::to_string(number++);  // each its own path: a message is said once per process
    write(path, text);
    expect_ignored(what, path);
  };
  const std::string entry = "\"machines\": {\"" + Tuning::machine_key() + "\": ";
  const std::string format = R"({"format": "furrow-tuning-1", )";
  broken("empty", "");
  broken("another format", R"({"format": "furrow-tuning-9", "machines": {}})");
  broken("no format", R"({"machines": {}})");
  broken("a number as format", R"({"format": 1, "machines": {}})");
  broken("no machines", R"({"format": "furrow-tuning-1"})");
  broken("an array", "[1, 2]");
  broken("machines as a list", R"({"format": "furrow-tuning-1", "machines": []})");
  broken("a word as entry", format + entry + "\"tbb\"}}");
  broken("no backend", format + entry + "{}}}");
  broken("unknown backend", format + entry + R"({"backend": "no-such-backend"}}})");
  broken("no chunk per task", format + entry + R"({"backend": "serial", "grain": {"tbb": {"sum/f64": 0}}}}})");
  broken("half a chunk per task", format + entry + R"({"backend": "serial", "grain": {"tbb": {"sum/f64": 0.5}}}}})");
  broken("grains as a number", format + entry + R"({"backend": "serial", "grain": 4}}})");
  broken("unknown schedule", format + entry + R"({"backend": "serial", "schedule": {"tbb": {"sum/f64": "guided"}}}}})");
  broken("a number as schedule", format + entry + R"({"backend": "serial", "schedule": {"tbb": {"sum/f64": 1}}}}})");
  broken("a negative threshold", format + entry + R"({"backend": "serial", "serial_below": {"tbb": {"sum/f64": -1}}}}})");
  broken("a threshold in words", format + entry + R"({"backend": "serial", "serial_below": {"tbb": {"sum/f64": "many"}}}}})");
  broken("thresholds as a list", format + entry + R"({"backend": "serial", "serial_below": [1]}}})");
  broken("nested without end", std::string(100'000, '['));
  broken("huge", good + std::string(std::size_t{5} << 20, ' '));
  broken("bytes that are no text", good + "\xff\xfe");
}

TEST_F(TuningTest, AFileCutShortAnywhereOrWithRandomBytesIsIgnored) {
  example().save();
  const std::string good = read(file_);
  for (std::size_t length = 1; length + 1 < good.size(); length += 7) {
    write(file_, good.substr(0, length));
    ASSERT_EQ(Tuning::load(), nullptr) << "cut to " << length;
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string noise(random() % 3000, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    write(file_, noise);
    ASSERT_EQ(Tuning::load(), nullptr);
    std::string flipped = good;  // may still be a tuning file; must not end the program
    flipped[random() % flipped.size()] = static_cast<char>(random());
    write(file_, flipped);
    Tuning::load();
  }
}

TEST_F(TuningTest, WhatIsNoFileIsIgnoredAndLeftAlone) {
  const std::string folder = folder_ / "folder";
  std::filesystem::create_directory(folder);
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {folder, pipe}) {
    expect_ignored("not a regular file", path);
    const Variable tuning("FURROW_TUNING", path.c_str());
    const std::string message = message_of([] { example().save(); });
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_TRUE(std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) << path << " was replaced";
    EXPECT_FALSE(std::filesystem::exists(path + ".broken"));
  }
}

TEST_F(TuningTest, ABrokenFileIsKeptAsideWhenANewOneIsSaved) {
  write(file_, "broken");
  example().save();
  EXPECT_EQ(read(file_ + ".broken"), "broken");
  EXPECT_NE(Tuning::load(), nullptr);
  EXPECT_EQ(Warnings::number(), 1) << Warnings::text();
}

TEST_F(TuningTest, WhereItCannotBeSavedAnErrorNamesThePath) {
  write(folder_ / "plain", "");
  const std::string read_only = folder_ / "locked";
  std::filesystem::create_directory(read_only);
  chmod(read_only.c_str(), 0555);
  chmod(folder_.string().c_str(), 0755);
  const bool root = geteuid() == 0;
  ASSERT_EQ(root ? seteuid(65534) : 0, 0);  // permissions do not hold for root
  for (const std::string& path : {folder_ / "plain/tuning.json", read_only + "/tuning.json", read_only + "/deeper/tuning.json"}) {
    const Variable tuning("FURROW_TUNING", path.c_str());
    const std::string message = message_of([] { example().save(); });
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  ASSERT_EQ(root ? seteuid(0) : 0, 0);
  {
    const Variable tuning("FURROW_TUNING", "/dev/full/tuning.json");
    EXPECT_NE(message_of([] { example().save(); }).find("/dev/full"), std::string::npos);
  }
}

TEST_F(TuningTest, SavesOfTwoProcessesAtOnceLoseNothing) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
  if (CPU_COUNT(&mask) < 2) GTEST_SKIP() << "needs two CPUs, to be two kinds of machine";
  example().save();
  // Each process finds what it saved itself, whole, whatever the other is saving. They are unlike machines: one has one CPU.
  const auto save_often = [](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
      Tuning mine = example();
      mine.kernels["openmp"]["triad/f64"].serial_below = i;
      mine.save();
      const auto seen = Tuning::load();
      if (seen == nullptr || seen->kernels != mine.kernels) return 1;
    }
    return 0;
  };
  // Neither is this process: what its other threads hold at a fork() would be held for ever in the child.
  const int result = support::in_child([&] {
    const pid_t other = fork();
    alarm(15);
    if (other == 0) {
      cpu_set_t one;
      CPU_ZERO(&one);
      for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &mask) && CPU_COUNT(&one) == 0) CPU_SET(cpu, &one);
      sched_setaffinity(0, sizeof one, &one);
      _exit(save_often(60));
    }
    const int own = save_often(60);
    int status = 0;
    waitpid(other, &status, 0);
    return own + (status != 0 ? 2 : 0);
  });
  EXPECT_EQ(result, 0) << "1: the one lost something; 2: the other";
  EXPECT_EQ(json::parse(read(file_))["machines"].size(), 2U);
}

TEST_F(TuningTest, ThePathComesFromTheEnvironment) {
  EXPECT_EQ(Tuning::path(), file_);
  const Variable home("HOME", "/home/someone");
  const Variable config("XDG_CONFIG_HOME", "/config");
  {
    const Variable none("FURROW_TUNING", "none");
    EXPECT_EQ(Tuning::path(), "");
    EXPECT_EQ(Tuning::load(), nullptr);
    EXPECT_THROW(example().save(), Error);
  }
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    const Variable unset("FURROW_TUNING", value);
    EXPECT_EQ(Tuning::path(), "/config/furrow/tuning.json");
    const Variable no_config("XDG_CONFIG_HOME", value);
    EXPECT_EQ(Tuning::path(), "/home/someone/.config/furrow/tuning.json");
    const Variable no_home("HOME", value);
    EXPECT_EQ(Tuning::path(), "");
  }
}

TEST_F(TuningTest, FoldersAreMadeOnTheWay) {
  const std::string path = folder_ / "a/b/tuning.json";
  const Variable tuning("FURROW_TUNING", path.c_str());
  example().save();
  EXPECT_NE(Tuning::load(), nullptr);
}

TEST_F(TuningTest, OnlyAnEngineThatChoosesReadsIt) {
  Tuning tuning = example();
  tuning.kernels[tuning.backend]["neg/f64"] = {.serial_below = 5000};
  tuning.save();
  // Of a kernel that no other test here calls: after three calls the engine knows for itself.
  std::vector<double> x(4999);
  std::vector<double> y(5000);
  Engine chosen({.concurrency = 2});
  EXPECT_EQ(chosen.backend(), tuning.backend);
  neg(chosen, x, std::span(y).first(4999));
  EXPECT_EQ(chosen.last_run().serial, Serial::too_small);
  x.resize(5000);
  neg(chosen, x, y);
  EXPECT_EQ(chosen.last_run().serial, Serial::no);
  Engine moved(std::move(chosen));
  neg(moved, x, y);
  EXPECT_EQ(moved.last_run().serial, Serial::no);

  write(file_, "broken");
  Engine named(tuning.backend, {.concurrency = 2});
  EXPECT_EQ(Warnings::text().find("tuning"), std::string::npos) << "Engine{\"name\"} read a file";
  const Variable backend("FURROW_BACKEND", "serial");
  EXPECT_EQ(Engine().backend(), "serial") << "$FURROW_BACKEND beats the file";
}

TEST_F(TuningTest, AnEntryOfAnOlderVersionIsRead) {
  json content = {{"format", "furrow-tuning-1"}};
  content["machines"][Tuning::machine_key()] = {{"backend", "serial"},
                                                {"reason", "it was fast"},
                                                {"measured", "2020-01-01"},
                                                {"serial_below", {{"openmp", {{"sum/f64", 7}}}}},
                                                {"a later one's", {{"openmp", 1}}}};
  write(file_, content.dump());
  const auto loaded = Tuning::load();
  ASSERT_NE(loaded, nullptr) << Warnings::text();
  EXPECT_EQ(loaded->kernels, (decltype(loaded->kernels){{"openmp", {{"sum/f64", {.serial_below = 7}}}}}));
}

TEST_F(TuningTest, NamedKernelsFollowTheirGrainAndScheduleUnlessOptionsSayOtherwise) {
  constexpr std::size_t kLength = std::size_t{1} << 17;  // 128 chunks
  Tuning tuning = example();
  tuning.kernels[tuning.backend] = {{"copy/f64", {.serial_below = 0, .grain = 5}},
                                    {"square/f64", {.serial_below = 0, .schedule = Schedule::dynamic}},
                                    {"sum/f64", {.serial_below = 0, .grain = 3, .schedule = Schedule::dynamic}},
                                    {"no such kernel", {.grain = 1}}};
  tuning.save();
  std::vector<double> x(kLength);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1 / (1 + static_cast<double>(i));
  std::vector<double> y(kLength);
  struct Tasks {
    std::size_t copy, square, sqrt, sum;
    bool operator==(const Tasks&) const = default;
  };
  const double expected = [&] {
    Engine serial("serial");
    return sum(serial, x);
  }();
  const auto tasks = [&](const EngineOptions& options) {
    Engine engine(options);
    Tasks found{};
    copy(engine, x, y);
    found.copy = engine.last_run().tasks;
    EXPECT_EQ(x, y);
    square(engine, x, y);
    found.square = engine.last_run().tasks;
    sqrt(engine, x, y);
    found.sqrt = engine.last_run().tasks;
    EXPECT_EQ(sum(engine, x), expected);
    found.sum = engine.last_run().tasks;
    return found;
  };
  // The sum has 16 chunks, the rest 128. What is not tuned goes as one task per thread. Three calls: the engine may know better
  // then.
  EXPECT_EQ(tasks({.concurrency = 2}).copy, 26U);
  EXPECT_EQ(tasks({.concurrency = 2}).square, 32U);
  EXPECT_EQ(tasks({.concurrency = 2}).sum, 6U);
  EXPECT_EQ(tasks({.concurrency = 2, .serial_below = 0}), (Tasks{26, 32, 2, 6})) << "a threshold leaves grain and schedule alone";
  EXPECT_EQ(tasks({.concurrency = 2, .grain = 64, .serial_below = 0}), (Tasks{2, 2, 2, 1}));
  EXPECT_EQ(tasks({.concurrency = 2, .schedule = Schedule::stable, .serial_below = 0}), (Tasks{2, 2, 2, 2}));
  EXPECT_EQ(tasks({.concurrency = 2, .schedule = Schedule::dynamic, .serial_below = 0}), (Tasks{32, 32, 32, 16}));
  EXPECT_EQ(tasks({.concurrency = 2, .serial_below = kLength + 1}), (Tasks{1, 1, 1, 1}));
}

}  // namespace
}  // namespace furrow
