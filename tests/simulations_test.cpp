// What all simulations promise: the same bits whatever runs them and however often they are interrupted.
#include "furrow/kernels/simulations/simulations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/simulations/heat.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

using support::message_of;

/// Settings under which a model is small: short shapes, no more than hundreds of anything.
std::vector<Setting> small(const Model& model) {
  std::vector<Setting> all;
  for (const Model::Default& parameter : model.parameters()) {
    if (parameter.name == "shape") {
      std::string shape;
      for (const char* extent : {"26", "34", "18"})
        if (shape.empty() || std::ranges::count(shape, 'x') < std::ranges::count(parameter.text, 'x'))
          shape += (shape.empty() ? "" : "x") + std::string(extent);
      all.push_back({"shape", shape});
    } else if (parameter.text.size() > 3 && std::ranges::all_of(parameter.text, [](unsigned char c) { return std::isdigit(c); })) {
      all.push_back({parameter.name, "300"});
    }
  }
  return all;
}

/// All bytes of all fields, and the observables.
std::string everything(const Simulation& simulation) {
  std::string all;
  for (const Field& field : simulation.fields())
    all.append(static_cast<const char*>(field.data()), field.size() * type_bytes(field.type()));
  for (const Observable& observable : simulation.observables())
    all.append(reinterpret_cast<const char*>(&observable.value), sizeof observable.value);
  return all;
}

class OfModel : public testing::TestWithParam<std::string_view> {};

TEST_P(OfModel, TheSameBitsWhateverRunsItAndHoweverItIsInterrupted) {
  const Model& model = sim::model(GetParam());
  constexpr std::size_t kBefore = 21;
  constexpr std::size_t kAfter = 16;
  Engine serial("serial");
  const auto expected = model.make(serial, small(model));
  for (std::size_t step = 0; step < kBefore + kAfter; ++step) expected->advance(1);
  const std::string bits = everything(*expected);
  const support::Folder folder;
  const std::string path = folder / "checkpoint";
  for (const auto& name : backends()) {
    for (const int threads : {1, 2, 3, 7}) {
      Engine engine(name, {.concurrency = threads});
      const auto straight = model.make(engine, small(model));
      straight->advance(kBefore + kAfter);
      EXPECT_EQ(everything(*straight), bits) << name << ", " << threads << " threads";
      const auto first = model.make(engine, small(model));
      first->advance(kBefore);
      first->save(path);
      const auto second = resume(serial, path);
      EXPECT_EQ(second->step(), kBefore);
      EXPECT_EQ(everything(*second), everything(*first));
      second->save(path);
      const auto third = resume(engine, path);
      third->advance(kAfter);
      EXPECT_EQ(everything(*third), bits) << name << ", " << threads << " threads, resumed";
      EXPECT_EQ(third->step(), kBefore + kAfter);
      EXPECT_EQ(third->time(), straight->time());
    }
  }
}

TEST_P(OfModel, StoppedItStandsAtAWholeStepAndGoesOn) {
  const Model& model = sim::model(GetParam());
  Engine serial("serial");
  const auto expected = model.make(serial, small(model));
  expected->advance(40);
  const std::string bits = everything(*expected);
  for (const auto& name : backends()) {
    Engine engine(name);
    const auto stopped = model.make(engine, small(model));
    stopped->advance(5);
    std::stop_source source;
    std::jthread stopping([&] { source.request_stop(); });  // before, within or after some of its steps
    try {
      stopped->advance(35, source.get_token());
    } catch (const Cancelled&) {
      EXPECT_LE(stopped->step(), 40U);
    }
    stopping.join();
    ASSERT_GE(stopped->step(), 5U);
    stopped->advance(40 - stopped->step());
    EXPECT_EQ(everything(*stopped), bits) << name;
    EXPECT_THROW(stopped->advance(1, source.get_token()), Cancelled) << name;
  }
}

TEST_P(OfModel, UnknownAndImpossibleSettingsAreErrors) {
  const Model& model = sim::model(GetParam());
  Engine engine("serial");
  const auto make = [&](const Setting& setting) { return message_of([&] { model.make(engine, std::vector<Setting>{setting}); }); };
  EXPECT_NE(make({"no_such", "1"}).find("there is no parameter \"no_such\"; there are "), std::string::npos);
  for (const Model::Default& parameter : model.parameters()) {
    EXPECT_FALSE(parameter.about.empty()) << parameter.name;
    const bool number = std::isdigit(static_cast<unsigned char>(parameter.text.front())) != 0;
    for (const char* bad : {"", "nonsense", "1.5x", "-", "nan", "1e999"}) {
      const std::string message = make({parameter.name, bad});
      EXPECT_EQ(message.find("nothing was thrown"), std::string::npos) << parameter.name << " = " << bad;
      if (number) {
        EXPECT_NE(message.find(parameter.name), std::string::npos) << message;
      }
    }
    if (parameter.name == "shape") {
      EXPECT_NE(make({"shape", "0"}), "(nothing was thrown)");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simulations, OfModel, testing::ValuesIn([] {
                           std::vector<std::string_view> names;
                           for (const Model& model : models()) names.push_back(model.name);
                           return names;
                         }()),
                         [](const auto& one) { return std::string(one.param); });

TEST(Simulations, NamesAreKnown) {
  EXPECT_EQ(message_of([] { sim::model("nothing"); }).find("there is no simulation \"nothing\"; there are heat2d, "), 0U);
}

TEST(Simulations, LoadsOnlyItsOwn) {
  Engine engine("serial");
  const support::Folder folder;
  const std::string path = folder / "checkpoint";
  Heat2D heat(engine, {.shape = {20, 30}});
  heat.advance(3);
  heat.save(path);
  Heat2D other(engine, {.shape = {20, 31}});
  EXPECT_NE(message_of([&] { other.load(path); }).find("shape is 20x30 there and 20x31 here"), std::string::npos);
  Heat3D space(engine, {.shape = {4, 5, 6}});
  EXPECT_NE(message_of([&] { space.load(path); }).find("it is of heat2d, not of heat3d"), std::string::npos);
  EXPECT_NE(message_of([&] { space.load(folder / "nothing"); }).find("No such file"), std::string::npos);
  Heat2D same(engine, {.shape = {20, 30}});
  same.advance(1);
  same.load(path);
  EXPECT_EQ(same.step(), 3U);
  EXPECT_EQ(everything(same), everything(heat));
}

TEST(Simulations, KeepsTheCheckpointBefore) {
  Engine engine("serial");
  const support::Folder folder;
  const std::string path = folder / "checkpoint";
  Heat2D heat(engine, {.shape = {20, 30}});
  for (int save = 0; save < 3; ++save) {
    heat.advance(1);
    heat.save(path);
  }
  EXPECT_EQ(resume(engine, path)->step(), 3U);
  EXPECT_EQ(resume(engine, path + ".previous")->step(), 2U);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder.string())) ++files;
  EXPECT_EQ(files, 2U);
}

TEST(Simulations, BlowUpsAreFound) {
  Engine engine("serial");
  const support::Folder folder;
  const std::string path = folder / "checkpoint";
  Heat2D heat(engine, {.shape = {20, 30}});
  heat.advance(40);
  heat.save(path);
  std::vector<double> values(20 * 30, 1.0);
  values[77] = std::numeric_limits<double>::infinity();
  heat.set_temperature(values);
  const std::string message = message_of([&] { heat.advance(100); });
  EXPECT_EQ(message.find("heat2d: temperature is not finite at step "), 0U) << message;
  EXPECT_NE(message.find("it still was at step 40"), std::string::npos) << message;
  EXPECT_NE(message_of([&] { heat.save(path); }).find("not finite"), std::string::npos);
  EXPECT_EQ(resume(engine, path)->step(), 40U);
}

}  // namespace
}  // namespace furrow::sim
