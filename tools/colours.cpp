#include "tools/colours.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace furrow::tools {
namespace {

using Linear = std::array<double, 3>;

/// Oklab in polar form to linear sRGB: https://bottosson.github.io/posts/oklab/
Linear linear_rgb(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue);
  const double b = chroma * std::sin(hue);
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

/// The curve of IEC 61966-2-1.
std::uint8_t encoded(double linear) {
  const double v = std::clamp(linear, 0.0, 1.0);
  return static_cast<std::uint8_t>(std::lround(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055)));
}

Rgb colour(double share) {
  const double lightness = 0.15 + 0.82 * share;
  const double hue = (285 + 175 * share) * std::numbers::pi / 180;  // violet by way of red to yellow
  const auto is_shown = [&](double chroma) {
    return std::ranges::all_of(linear_rgb(lightness, chroma, hue), [](double v) { return v >= 0 && v <= 1; });
  };
  double chroma = 0.15;
  if (!is_shown(chroma)) {
    double above = chroma;
    chroma = 0;
    for (int halving = 0; halving < 12; ++halving) {
      const double middle = (chroma + above) / 2;
      (is_shown(middle) ? chroma : above) = middle;
    }
  }
  const Linear rgb = linear_rgb(lightness, chroma, hue);
  return {encoded(rgb[0]), encoded(rgb[1]), encoded(rgb[2])};
}

}  // namespace

const std::array<Rgb, 256>& colours() {
  static const std::array<Rgb, 256> all = [] {
    std::array<Rgb, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = colour(static_cast<double>(i) / 255);
    return table;
  }();
  return all;
}

}  // namespace furrow::tools
