// Traces: that their files are whole and true, and that the summary adds up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/future.hpp"
#include "furrow/engine/graph.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/tracing.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/reductions.hpp"
#include "tests/support.hpp"
#include "tools/trace_summary.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using support::message_of;
using namespace std::chrono_literals;

json events_of(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file).at("traceEvents");
}

std::vector<json> of_kind(const json& events, const std::string& kind) {
  std::vector<json> chosen;
  for (const json& event : events)
    if (event.value("cat", "") == kind) chosen.push_back(event);
  return chosen;
}

/// What every trace must be: each event complete, and those of a thread one inside or after the other.
void expect_sane(const json& events) {
  std::map<long, std::vector<std::pair<double, double>>> threads;
  for (const json& event : events) {
    for (const char* key : {"ph", "ts", "dur", "pid", "tid", "name"}) ASSERT_TRUE(event.contains(key)) << key << " of " << event;
    ASSERT_TRUE(event["ph"] == "X" || event["ph"] == "M") << event;
    ASSERT_GE(event["ts"].get<double>(), 0) << event;
    ASSERT_GE(event["dur"].get<double>(), 0) << event;
    ASSERT_EQ(event["pid"], getpid());
    ASSERT_FALSE(event["name"].get<std::string>().empty());
    if (event["ph"] == "M") continue;
    const double begin = event["ts"];
    threads[event["tid"]].emplace_back(begin, -(begin + event["dur"].get<double>()));
  }
  constexpr double kRounding = 1e-3;  // µs; times have whole nanoseconds
  for (auto& [thread, spans] : threads) {
    std::ranges::sort(spans);
    std::vector<double> open;
    for (const auto& [begin, minus_end] : spans) {
      while (!open.empty() && open.back() <= begin + kRounding) open.pop_back();
      ASSERT_TRUE(open.empty() || -minus_end <= open.back() + kRounding) << "at " << begin << " on thread " << thread;
      open.push_back(-minus_end);
    }
  }
}

class TraceTest : public testing::TestWithParam<std::string> {
 protected:
  ~TraceTest() override { tracing::stop(); }

  json stop_and_read() const {
    tracing::stop();
    json events = events_of(path_);
    expect_sane(events);
    return events;
  }
  tools::TraceSummary summary() const {
    std::ifstream file(path_);
    return tools::summarize_trace(file, path_);
  }

  support::Folder folder_;
  std::string path_ = folder_ / "trace.json";
  Engine engine_{GetParam(), {.concurrency = 2, .serial_below = 0}};
};

TEST_P(TraceTest, TellsOfKernelsBulksAndTasks) {
  std::vector<double> x(100'000, 1.0);
  std::vector<double> y(x.size());
  tracing::start(path_);
  add(engine_, x, x, y);
  transform(engine_, x, y, [](double v) { return v + 1; });
  sum(engine_, std::span(x).first(10));  // one chunk
  for_each(engine_, std::span(x).first(1), [](double& v) { v = 2; });
  engine_.bulk(7, [](std::size_t) {});
  const json events = stop_and_read();

  const std::vector<json> kernels = of_kind(events, "kernel");
  ASSERT_EQ(kernels.size(), 4U);
  EXPECT_EQ(kernels[0]["name"], "add/f64");
  EXPECT_EQ(kernels[0]["args"]["elements"], x.size());
  EXPECT_EQ(kernels[1]["name"], "transform");
  EXPECT_EQ(kernels[2]["name"], "sum/f64");
  EXPECT_EQ(kernels[2]["args"]["elements"], 10);
  EXPECT_EQ(kernels[3]["name"], "for_each");
  EXPECT_EQ(kernels[3]["args"]["bytes"], 16);
  const bool parallel = engine_.concurrency() > 1;
  const std::vector<json> bulks = of_kind(events, "bulk");
  ASSERT_EQ(bulks.size(), parallel ? 3U : 1U);
  EXPECT_EQ(bulks.front()["name"], parallel ? "add/f64" : "bulk");
  EXPECT_EQ(bulks.back()["name"], "bulk");
  std::map<std::uint64_t, std::set<int>> tasks;
  for (const json& task : of_kind(events, "task")) tasks[task["args"]["call"]].insert(task["args"]["task"].get<int>());
  for (const json& bulk : bulks) {
    EXPECT_EQ(bulk["args"]["backend"], GetParam());
    EXPECT_EQ(tasks[bulk["args"]["call"]].size(), bulk["args"]["tasks"]) << bulk;
    EXPECT_GE(bulk["args"]["threads"], 1);
  }
  EXPECT_EQ(tasks.size(), bulks.size());
  EXPECT_EQ(tasks[bulks.back()["args"]["call"]], (std::set<int>{0, 1, 2, 3, 4, 5, 6}));
}

TEST_P(TraceTest, TellsOfGraphsNestedCallsAndSubmittedWork) {
  tracing::start(path_);
  Graph graph;
  std::vector<double> x(4);
  graph.add("first \"one\"\n", {write(x)}, 1, [&](std::size_t) { x[0] = 1; });
  graph.add("second", {write(x)}, 3, [&](std::size_t) { engine_.bulk(2, [](std::size_t) {}); });
  graph.run(engine_);
  engine_.submit([&](Engine& e) { e.bulk(3, [](std::size_t) {}); }, {.name = "behind"}).get();
  const json events = stop_and_read();
  ASSERT_EQ(of_kind(events, "graph").size(), 1U);
  std::map<std::string, int> nodes;
  for (const json& node : of_kind(events, "node")) ++nodes[node["name"]];
  EXPECT_EQ(nodes, (std::map<std::string, int>{{"first \"one\"\n", 1}, {"second", 3}}));
  const std::vector<json> submitted = of_kind(events, "submit");
  ASSERT_EQ(submitted.size(), 1U);
  EXPECT_EQ(submitted[0]["name"], "behind");
  EXPECT_NE(submitted[0]["tid"], getpid());
  EXPECT_EQ(of_kind(events, "bulk").size(), 1U + 3U + 1U);
  EXPECT_EQ(summary().nested_calls, 3U);
}

TEST_P(TraceTest, TheFileIsWholeAfterEveryFlush) {
  tracing::start(path_);
  EXPECT_EQ(events_of(path_).back()["name"], "process");
  engine_.bulk(2, [](std::size_t) {});
  tracing::flush();
  EXPECT_EQ(of_kind(events_of(path_), "task").size(), 2U);
  expect_sane(events_of(path_));
  engine_.bulk(2, [](std::size_t) {});
  tracing::flush();
  EXPECT_EQ(of_kind(events_of(path_), "task").size(), 4U);
  tracing::stop();
  engine_.bulk(2, [](std::size_t) {});
  EXPECT_EQ(of_kind(events_of(path_), "task").size(), 4U) << "after its end";
}

TEST_P(TraceTest, MoreEventsThanABufferHoldsAreAllWritten) {
  constexpr std::size_t kTasks = 50'000;
  tracing::start(path_);
  engine_.bulk(kTasks, [](std::size_t) {});
  const json events = stop_and_read();
  std::set<std::size_t> tasks;
  for (const json& task : of_kind(events, "task")) tasks.insert(task["args"]["task"].get<std::size_t>());
  EXPECT_EQ(tasks.size(), kTasks);
}

TEST_P(TraceTest, ThreadsMayEndAndFlushMeanwhile) {
  tracing::start(path_);
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) engine_.bulk(3, [](std::size_t) {});
    });
  for (int i = 0; i < 20; ++i) tracing::flush();
  callers.clear();
  const json events = stop_and_read();
  EXPECT_EQ(of_kind(events, "bulk").size(), 800U);
  EXPECT_EQ(of_kind(events, "task").size(), 2400U);
}

TEST_P(TraceTest, AnExceptionEndsItsSpans) {
  tracing::start(path_);
  EXPECT_THROW(engine_.bulk(3,
                            [](std::size_t task) {
                              if (task == 1) throw Error("x");
                            }),
               Error);
  engine_.bulk(1, [](std::size_t) {});
  const json events = stop_and_read();
  const std::vector<json> bulks = of_kind(events, "bulk");
  ASSERT_EQ(bulks.size(), 2U);
  EXPECT_GE(bulks[1]["ts"].get<double>(), bulks[0]["ts"].get<double>() + bulks[0]["dur"].get<double>());
}

TEST_P(TraceTest, TheSummaryAddsUp) {
  tracing::start(path_);
  const auto spin = [](std::chrono::microseconds time) {
    for (const auto until = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < until;) {
    }
  };
  for (int i = 0; i < 5; ++i) {
    engine_.bulk(4, [&](std::size_t) { spin(2ms); });
    spin(1ms);
  }
  engine_.bulk(2, [&](std::size_t task) {
    if (task == 0) spin(5ms);
  });
  stop_and_read();
  const tools::TraceSummary trace = summary();
  ASSERT_EQ(trace.kernels.size(), 1U);
  EXPECT_EQ(trace.kernels[0].name, "bulk");
  EXPECT_EQ(trace.kernels[0].calls, 6U);
  EXPECT_EQ(trace.events, 6U + 5 * 4 + 2);
  EXPECT_NEAR(trace.total(), trace.wall, trace.wall * 1e-6);
  EXPECT_GE(trace.outside, 5e-3);
  EXPECT_EQ(trace.overlap, 0);
  double working = 0;
  for (const auto& thread : trace.threads) {
    working += thread.working;
    EXPECT_NEAR(thread.working + thread.waiting + thread.outside, trace.wall, trace.wall * 1e-6) << thread.name;
  }
  EXPECT_GE(working, 45e-3);
  EXPECT_LE(trace.critical_path(), trace.wall * (1 + 1e-6));
  EXPECT_GE(trace.critical_path(), 5e-3 + 5 * 2e-3 + 5e-3) << "outside, the longest task of each call";
}

TEST(Summary, TellsWhereThreadsDoNotPay) {
  const auto event = [](const char* kind, const char* name, double ts, double dur, int tid, const json& arguments) {
    return json{{"ph", "X"},  {"cat", kind}, {"name", name}, {"ts", ts},
                {"dur", dur}, {"pid", 1},    {"tid", tid},   {"args", arguments}};
  };
  const json file = {
      {"otherData", {{"producer", "furrow"}}},
      {"traceEvents",
       {event("kernel", "add/f64", 10, 10, 1, {{"elements", 500}, {"bytes", 12000}}),
        event("bulk", "add/f64", 11, 8, 1, {{"call", 1}, {"threads", 2}, {"tasks", 2}}),
        event("task", "add/f64", 12, 2, 1, {{"call", 1}}), event("task", "add/f64", 13, 4, 2, {{"call", 1}, {"task", 1}}),
        event("kernel", "add/f64", 30, 10, 1, {{"elements", 900}, {"bytes", 21600}}),
        event("bulk", "add/f64", 31, 8, 1, {{"call", 2}, {"threads", 2}, {"tasks", 2}}),
        event("task", "add/f64", 31, 7, 1, {{"call", 2}}), event("task", "add/f64", 32, 7, 2, {{"call", 2}, {"task", 1}}),
        event("graph", "graph", 50, 20, 1, json::object()),
        event("bulk", "graph", 50, 20, 1, {{"call", 3}, {"threads", 2}, {"tasks", 2}}),
        event("worker", "graph", 50, 20, 1, {{"call", 3}}), event("worker", "graph", 50, 20, 2, {{"call", 3}, {"task", 1}}),
        event("node", "a", 51, 3, 1, {{"node", 0}}), event("node", "b", 51, 5, 2, {{"node", 1}}),
        event("release", "release", 56, 0, 2, {{"node", 2}, {"after", 0}}), event("node", "c", 57, 6, 1, {{"node", 2}}),
        event("process", "process", 0, 100, 1, {{"dropped", 3}})}}};
  std::istringstream text(file.dump());
  const tools::TraceSummary trace = tools::summarize_trace(text, "made.json");
  EXPECT_EQ(trace.dropped, 3U);
  EXPECT_DOUBLE_EQ(trace.wall, 100e-6);
  EXPECT_DOUBLE_EQ(trace.total(), 100e-6);
  EXPECT_DOUBLE_EQ(trace.outside, 60e-6);
  ASSERT_EQ(trace.losses.size(), 2U);
  EXPECT_EQ(trace.losses[0].name, "graph") << "20 µs for nodes of 14";
  EXPECT_EQ(trace.losses[1].name, "add/f64");
  EXPECT_EQ(trace.losses[1].elements, 500U);
  EXPECT_EQ(trace.losses[1].of, 1U);
  EXPECT_DOUBLE_EQ(trace.losses[1].seconds, 8e-6);
  EXPECT_DOUBLE_EQ(trace.losses[1].serial_sum, 6e-6);
  EXPECT_NEAR(trace.path_serial, 4e-6, 1e-12);
  EXPECT_NEAR(trace.path_tasks, (4 + 7 + 9) * 1e-6, 1e-12) << "of the graph a and then c";
  ASSERT_EQ(trace.threads.size(), 2U);
  EXPECT_NEAR(trace.threads[0].working, (2 + 2 + 2 + 7 + 3 + 6) * 1e-6, 1e-12);
  EXPECT_NEAR(trace.threads[0].waiting, (6 + 1 + 11) * 1e-6, 1e-12);
  EXPECT_NEAR(trace.threads[1].working, (4 + 7 + 5) * 1e-6, 1e-12);
  EXPECT_NEAR(trace.threads[1].outside, 69e-6, 1e-12);
}

TEST(Summary, FilesThatAreNoTracesAreTold) {
  const auto message = [](const std::string& text) {
    std::istringstream file(text);
    return message_of([&] { tools::summarize_trace(file, "f.json"); });
  };
  EXPECT_NE(message("").find("f.json is no trace"), std::string::npos) << message("");
  EXPECT_NE(message("hello").find("no JSON at byte 1"), std::string::npos) << message("hello");
  EXPECT_NE(message("\x7F"
                    "ELF")
                .find("no trace"),
            std::string::npos);
  for (const char* foreign : {"[]", "{}", "3", "null", R"({"traceEvents":[]})", R"({"otherData":[],"traceEvents":[]})",
                              R"({"traceEvents":[{"ph":"X","cat":"task","name":"x","ts":1,"dur":2,"pid":1,"tid":1,"args":{}}]})"})
    EXPECT_NE(message(foreign).find("no trace of furrow's"), std::string::npos) << foreign << ": " << message(foreign);
  const std::string head = R"({"otherData":{"producer":"furrow"},"traceEvents":[)";
  for (const char* broken :
       {R"({"ph":"X"})", R"({"ph":3})", R"({"ph":"X","cat":"task","name":"x","ts":"1","dur":2,"tid":1,"args":{}})",
        R"({"ph":"X","cat":"task","name":"x","ts":1,"dur":2,"tid":1,"args":[]})"})
    EXPECT_NE(message(head + broken + "]}").find("event 1 of f.json"), std::string::npos) << message(head + broken + "]}");
  for (const char* time : {"-1", "1e300", "1e18"})
    EXPECT_NE(message(head + R"({"ph":"X","cat":"task","name":"x","ts":)" + time + R"(,"dur":2,"tid":1,"args":{}}]})")
                  .find("impossible time"),
              std::string::npos);
  EXPECT_NE(message(head + "]}").find("no event \"process\""), std::string::npos);

  const support::Folder folder;
  const std::string path = folder / "t.json";
  tracing::start(path);
  Engine(backends()[0]).bulk(3, [](std::size_t) {});
  tracing::stop();
  std::stringstream whole;
  whole << std::ifstream(path).rdbuf();
  const std::string text = whole.str();
  for (std::size_t length = 1; length + 3 < text.size(); ++length)
    ASSERT_NE(message(text.substr(0, length)).find("was cut short"), std::string::npos) << message(text.substr(0, length));
}

TEST(Tracing, WhatCannotBeWrittenIsTold) {
  EXPECT_NE(message_of([] { tracing::start("/no/such/folder/t.json"); }).find("cannot be written: No such file"),
            std::string::npos);
  EXPECT_FALSE(tracing::on());
  const support::Folder folder;
  tracing::start(folder / "a.json");
  EXPECT_NE(message_of([&] { tracing::start(folder / "b.json"); }).find("under way"), std::string::npos);
  tracing::stop();
  tracing::stop();
  EXPECT_NE(support::run_own_test("Traced.DISABLED_Engine", "FURROW_TRACE=/no/such/folder/t.json").find("cannot be written"),
            std::string::npos);
  if (std::filesystem::exists("/dev/full")) {
    EXPECT_NE(message_of([] { tracing::start("/dev/full"); }).find("cannot be written"), std::string::npos);
    EXPECT_FALSE(tracing::on());
  }
}

// ---- in processes of their own ----

TEST(Traced, DISABLED_Engine) {
  Engine engine;
  std::vector<double> x(1000);
  for_each(engine, x, [](double& v) { v = 1; });
}
TEST(Traced, DISABLED_Exit) {
  Engine engine;
  engine.bulk(3, [](std::size_t) {});
  std::exit(3);
}
TEST(Traced, DISABLED_Terminate) {
  Engine engine;
  engine.bulk(3, [](std::size_t) {});
  std::thread([] { throw 1; }).join();
}
TEST(Traced, DISABLED_Fork) {
  Engine engine("serial");
  engine.bulk(1, [](std::size_t) {});
  support::in_child([&] {
    engine.bulk(1000, [](std::size_t) {});
    std::exit(0);
    return 0;
  });
  engine.bulk(2, [](std::size_t) {});
}

TEST(Tracing, TheVariableTracesAProgramHoweverItEnds) {
  const support::Folder folder;
  for (const char* test : {"Engine", "Exit", "Terminate", "Fork"}) {
    const std::string name = folder / test + ".%p.json";
    const std::string output = support::run_own_test(std::string("Traced.DISABLED_") + test, "FURROW_TRACE='" + name + "'");
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder.string())) files.push_back(entry.path());
    ASSERT_EQ(files.size(), 1U) << output;
    const json events = events_of(files[0]);
    EXPECT_EQ(events.back()["name"], "process") << test;
    EXPECT_EQ(of_kind(events, "task").size(), test == std::string("Engine") ? of_kind(events, "task").size() : 3U)
        << test << output;
    EXPECT_EQ(of_kind(events, "kernel").size(), test == std::string("Engine") ? 1U : 0U) << test;
    std::ifstream file(files[0]);
    EXPECT_GT(tools::summarize_trace(file, test).wall, 0);
    std::filesystem::remove(files[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, TraceTest, testing::ValuesIn(backends()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace furrow
