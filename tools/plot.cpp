#include "tools/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "benchmarks/markup.hpp"
#include "tools/scale.hpp"

namespace furrow::tools {
namespace {

// Of a panel, in the figure's units.
constexpr double kWidth = 360;
constexpr double kHeight = 190;
constexpr double kLeft = 74;  // room for the numbers of the vertical axis
constexpr double kTop = 28;
constexpr double kRight = 14;
constexpr double kBottom = 38;

constexpr std::string_view kStyle = R"(
  .paper { fill: #fff } text { font: 11px system-ui, sans-serif; fill: #1d2126 } .title { font-size: 14px; font-weight: 600 }
  .name { font-size: 12px; font-weight: 600 } .tick { fill: #59626d } .grid { stroke: #e4e7ea } .axis { stroke: #59626d }
  .curve { fill: none; stroke: #0072b2; stroke-width: 1.6; stroke-linejoin: round } .point { fill: #0072b2 }
)";

struct Ends {
  double low;
  double high;
};

/// Of the finite ones. Where they differ by no more than rounding, wide enough for a flat line.
Ends ends_of(std::span<const double> values) {
  Ends ends{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    ends.low = std::min(ends.low, value);
    ends.high = std::max(ends.high, value);
  }
  if (ends.low > ends.high) return {0, 1};
  const double largest = std::max(std::abs(ends.low), std::abs(ends.high));
  if (ends.high - ends.low > 1e-13 * largest) return ends;
  const double half = largest == 0 ? 1 : largest / 2;
  return {ends.low - half, ends.high + half};
}

}  // namespace

void Record::add(const sim::Simulation& simulation) {
  if (!steps_.empty() && steps_.back() == simulation.step()) return;
  steps_.push_back(simulation.step());
  times_.push_back(simulation.time());
  const std::vector<sim::Observable> now = simulation.observables();
  if (curves_.empty())
    for (const sim::Observable& one : now) curves_.push_back({std::string(one.name), {}});
  for (std::size_t k = 0; k < curves_.size(); ++k) curves_[k].values.push_back(now[k].value);
}

std::string Record::panel(const Curve& curve, double left, double top) const {
  const Ends across = ends_of(times_);
  const Ends up = ends_of(curve.values);
  const double x0 = left + kLeft;
  const double x1 = left + kWidth - kRight;
  const double y0 = top + kHeight - kBottom;
  const double y1 = top + kTop;
  const auto x_of = [&](double time) { return x0 + (time - across.low) / (across.high - across.low) * (x1 - x0); };
  const auto y_of = [&](double value) { return y0 + (value - up.low) / (up.high - up.low) * (y1 - y0); };

  std::string svg = bench::svg_text(x0, top + 16, "start", "name", bench::escaped(curve.name));
  for (const Mark& mark : marks(up.low, up.high, 4)) {
    svg += bench::svg_line(x0, y_of(mark.value), x1, y_of(mark.value), "grid");
    svg += bench::svg_text(x0 - 6, y_of(mark.value) + 4, "end", "tick", mark.text);
  }
  for (const Mark& mark : marks(across.low, across.high, 4)) {
    svg += bench::svg_line(x_of(mark.value), y0, x_of(mark.value), y0 + 4, "axis");
    svg += bench::svg_text(x_of(mark.value), y0 + 17, "middle", "tick", mark.text);
  }
  svg += bench::svg_line(x0, y0, x1, y0, "axis");
  svg += bench::svg_text(x1, y0 + 32, "end", "tick", "time");
  std::string points;
  std::size_t shown = 0;
  for (std::size_t k = 0; k < times_.size(); ++k) {
    if (!std::isfinite(curve.values[k])) continue;
    points += fmt::format("{:.2f},{:.2f} ", x_of(times_[k]), y_of(curve.values[k]));
    ++shown;
    if (times_.size() == 1)
      svg += fmt::format(R"(<circle cx="{:.2f}" cy="{:.2f}" r="3" class="point"/>)", x_of(times_[k]), y_of(curve.values[k]));
  }
  if (shown > 1) svg += fmt::format(R"(<polyline points="{}" class="curve"/>)", points);
  return svg + "\n";
}

std::string Record::svg(const std::string& title) const {
  constexpr double kHeading = 34;
  const std::size_t columns = std::clamp<std::size_t>(curves_.size(), 1, 3);
  const std::size_t rows = (curves_.size() + columns - 1) / columns;
  const double width = kWidth * static_cast<double>(columns);
  const double height = kHeading + kHeight * static_cast<double>(rows);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\" aria-label=\"{2}\">\n<style>{3}</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n",
      width, height, bench::escaped(title), kStyle);
  svg += bench::svg_text(14, 22, "start", "title", bench::escaped(title)) + "\n";
  for (std::size_t k = 0; k < curves_.size(); ++k)
    svg += panel(curves_[k], kWidth * static_cast<double>(k % columns), kHeading + kHeight * static_cast<double>(k / columns));
  return svg + "</svg>\n";
}

std::string Record::csv() const {
  std::string csv = "step,time";
  for (const Curve& curve : curves_) csv += "," + curve.name;
  csv += "\n";
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    csv += fmt::format("{},{}", steps_[k], times_[k]);
    for (const Curve& curve : curves_) csv += fmt::format(",{}", curve.values[k]);
    csv += "\n";
  }
  return csv;
}

}  // namespace furrow::tools
