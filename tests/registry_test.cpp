// Which backends there are, and adding one of one's own.
#include "furrow/engine/registry.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

/// Tasks backwards on the calling thread: as odd as the contract allows.
class Backwards final : public Backend {
 public:
  explicit Backwards(int concurrency) : Backend(concurrency) {}
  std::string_view name() const override { return "backwards"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    while (tasks > 0) body(--tasks);
  }
};

TEST(Registry, ABackendOfOnesOwnObeysTheSameRules) {
  register_backend("backwards", [](int concurrency) { return std::make_unique<Backwards>(concurrency); });
  EXPECT_EQ(backends().back(), "backwards");
  EXPECT_EQ(backend_version("backwards"), "");
  const std::unique_ptr<Backend> mine = make_backend("backwards", 4);
  std::vector<std::size_t> order;
  EXPECT_EQ(mine->bulk(3, [&](std::size_t task) { order.push_back(task); }).threads, 1);
  EXPECT_EQ(order, (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_EQ(message_of([&] { mine->bulk(9, [](std::size_t task) { throw Error(std::to_string(task)); }); }), "0");
  EXPECT_NE(message_of([] { register_backend("backwards", [](int n) { return std::make_unique<Backwards>(n); }); }).find("already"),
            std::string::npos);
}

TEST(Registry, RefusesBadNamesAndFactories) {
  const BackendFactory good = [](int n) { return std::make_unique<Backwards>(n); };
  for (const char* name : {"", "two words", "a/b", "ä", "a\nb", "\"quoted\""})
    EXPECT_THROW(register_backend(name, good), Error) << name;
  EXPECT_THROW(register_backend("serial", good), Error);
  EXPECT_THROW(register_backend("empty-factory", BackendFactory()), Error);
  EXPECT_THROW(register_backend("empty-factory", std::function<std::unique_ptr<Backend>(int)>()), Error);
  register_backend("gives-nothing", [](int) { return std::unique_ptr<Backend>(); });
  EXPECT_NE(message_of([] { make_backend("gives-nothing", 2); }).find("gives-nothing"), std::string::npos);
}

TEST(Registry, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  const std::string message = message_of([] { make_backend("opnmp", 2); });
  EXPECT_NE(message.find("\"opnmp\""), std::string::npos) << message;
  for (const std::string& name : backends()) EXPECT_NE(message.find(name), std::string::npos) << message;
  EXPECT_EQ(backends().front(), "serial");
}

}  // namespace
}  // namespace furrow
