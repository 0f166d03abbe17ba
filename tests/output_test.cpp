// What `furrow run` writes, apart from files: scales, pictures of fields, which steps are frames.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tests/support.hpp"
#include "tools/field_picture.hpp"
#include "tools/frames.hpp"
#include "tools/scale.hpp"

namespace furrow::tools {
namespace {

std::string texts(double low, double high, int most) {
  std::string all;
  for (const Mark& mark : marks(low, high, most)) all += (all.empty() ? "" : " ") + mark.text;
  return all;
}

int lightness(Rgb colour) {
  return colour[0] + colour[1] + colour[2];
}

TEST(Scale, MarksAreRoundAndToldApart) {
  EXPECT_EQ(texts(0, 1, 5), "0 0.2 0.4 0.6 0.8 1");
  EXPECT_EQ(texts(-1, 1, 4), "-1 -0.5 0 0.5 1");
  EXPECT_EQ(texts(1, 1.00003, 3), "1 1.00001 1.00002 1.00003");
  EXPECT_EQ(texts(0, 7e-9, 4), "0 2e-09 4e-09 6e-09");
  EXPECT_EQ(texts(0, 450'000, 3), "0 200000 400000");
  EXPECT_EQ(texts(1e9, 4e9, 3), "1e+09 2e+09 3e+09 4e+09");
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(marks(0, bad, 4).empty());
    EXPECT_TRUE(marks(bad, 0, 4).empty());
  }
  EXPECT_TRUE(marks(1, 1, 4).empty());
  EXPECT_TRUE(marks(-1.7e308, 1.7e308, 4).empty());
  EXPECT_LE(marks(1, std::nextafter(1.0, 2.0), 4).size(), 6U);
  EXPECT_EQ(with_prefix(0), "0.00");
  EXPECT_EQ(with_prefix(999.4), "999");
  EXPECT_EQ(with_prefix(999.9), "1.00 k");
  EXPECT_EQ(with_prefix(12'340'000), "12.3 M");
}

TEST(Colours, RiseInLightness) {
  for (std::size_t i = 1; i < colours().size(); ++i) EXPECT_GE(lightness(colours()[i]), lightness(colours()[i - 1])) << i;
  EXPECT_LT(lightness(colours().front()), 100);
  EXPECT_GT(lightness(colours().back()), 650);
}

TEST(Frames, AtMultiplesOfTheirDistance) {
  FramePlan plan{.path = "x.png", .every = 10, .first = 5, .last = 31, .resumed = true, .field = "", .range = std::nullopt};
  EXPECT_FALSE(plan.wants(5));
  EXPECT_TRUE(plan.wants(30));
  EXPECT_FALSE(plan.wants(31));
  EXPECT_EQ(plan.next(5), 10U);
  EXPECT_EQ(plan.next(10), 20U);
  EXPECT_EQ(plan.next(30), 31U);
  EXPECT_EQ(plan.count(), 3U);
  plan.first = 10;
  EXPECT_FALSE(plan.wants(10));  // the earlier run has stored it
  EXPECT_EQ(plan.count(), 2U);
  plan.resumed = false;
  EXPECT_TRUE(plan.wants(10));
  EXPECT_EQ(plan.count(), 3U);
  plan.every = 0;
  EXPECT_TRUE(plan.wants(31));
  EXPECT_FALSE(plan.wants(30));
  EXPECT_EQ(plan.next(5), 31U);
  EXPECT_EQ(plan.count(), 1U);
  EXPECT_EQ(frame_path("a.b/frame.png", 100), "a.b/frame_000100.png");
  EXPECT_EQ(frame_path("x.npy", 12'345'678), "x_12345678.npy");
}

TEST(Picture, OfParticlesIsTheirDensityFromAbove) {
  // Most of them at the lower left, one at the upper right.
  std::vector<double> places;
  for (int i = 0; i < 99; ++i) places.insert(places.end(), {-1.0, -1.0, 5.0});
  places.insert(places.end(), {1.0, 1.0, -5.0});
  Picture picture = field_picture(sim::Field("positions", {100, 3}, places.data()), std::nullopt);
  const long size = 512;
  int bright = 0;
  int faint = 0;
  for (long y = 0; y < size; ++y)
    for (long x = 0; x < size; ++x) {
      const int light = lightness(picture.at(static_cast<std::size_t>(x), static_cast<std::size_t>(y + 7)));
      if (light > 600) {
        ++bright;
        EXPECT_LT(x, size / 4);
        EXPECT_GT(y, 3 * size / 4);
      } else if (light > 100) {
        ++faint;
        EXPECT_GT(x, 3 * size / 4);
        EXPECT_LT(y, size / 4);
      }
    }
  EXPECT_GE(bright, 4);
  EXPECT_GE(faint, 4);
}

TEST(Picture, OfSpaceIsTheSliceInTheMiddle) {
  std::vector<float> values(3 * 2 * 2, 0.0F);
  values[4] = 1;   // the middle slice's upper left
  values[3] = 77;  // of another
  Picture picture = field_picture(sim::Field("u", {3, 2, 2}, values.data()), std::nullopt);
  EXPECT_GT(lightness(picture.at(100, 100)), 600);
  EXPECT_LT(lightness(picture.at(400, 100)), 100);
  EXPECT_LT(lightness(picture.at(100, 400)), 100);
}

TEST(Picture, OfALineAndOfOddValues) {
  std::vector<double> values(100, 3.0);
  EXPECT_NO_THROW(field_picture(sim::Field("u", {100}, values.data()), std::nullopt));
  values[7] = std::nan("");
  values[8] = -std::numeric_limits<double>::max();
  values[9] = std::numeric_limits<double>::max();
  EXPECT_NO_THROW(field_picture(sim::Field("u", {100}, values.data()), std::nullopt));
  Picture picture = field_picture(sim::Field("u", {10, 10}, values.data()), std::nullopt);
  EXPECT_EQ(picture.at(7 * 51 + 20, 7 + 20), (Rgb{128, 128, 128}));
  EXPECT_LT(lightness(picture.at(8 * 51 + 20, 7 + 20)), 100);
  EXPECT_GT(lightness(picture.at(9 * 51 + 20, 7 + 20)), 600);
  EXPECT_NO_THROW(field_picture(sim::Field("positions", {50, 2}, values.data()), std::nullopt));
  const std::vector<double> none;
  EXPECT_THROW(field_picture(sim::Field("u", {0, 10}, none.data()), std::nullopt), Error);
  EXPECT_EQ(parse_range("-1:2.5e3").high, 2500);
  for (const char* bad : {"", "1", "1:", ":1", "1:1", "2:1", "nan:1", "0:inf", "a:b", "0:1:2"})
    EXPECT_THROW(parse_range(bad), Error) << bad;
}

}  // namespace
}  // namespace furrow::tools
