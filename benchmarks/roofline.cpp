#include "benchmarks/roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "benchmarks/figures.hpp"
#include "benchmarks/markup.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

}  // namespace

std::string roofline(const SavedRun& run, std::string_view type) {
  constexpr double kWidth = 760, kHeight = 440, kLeft = 56, kRight = 740, kTop = 24, kBottom = 392;
  // Bandwidth by size, by whoever got it. The roofs: that of memory, or of the largest size where it was not measured, and that of
  // the fastest size.
  struct Roof {
    std::size_t n = 0;
    double bandwidth = 0;
    std::string kernel, backend;
  };
  std::map<std::size_t, Roof> roofs;
  struct Spot {
    const Group* group;
    double flops;  // per element
    Ratio rate;    // 1e9 flops a second
    std::string backend;
  };
  std::vector<Spot> spots;
  for (const Group& group : run.groups) {
    if (group.type != type || counts_elements(group.kernel) || !(group.bytes > 0)) continue;
    for (const Case& one : group.cases) {
      if (!one.timed()) continue;
      const double bandwidth = speed_of(group, one).ratio;
      Roof& roof = roofs[group.n];
      if (bandwidth > roof.bandwidth) roof = {group.n, bandwidth, group.kernel, one.backend};
    }
    const table::Kernel* const row = table::find(group.kernel);
    const Case* const best = run.fastest(group);
    if (row == nullptr || row->flops <= 0 || best == nullptr) continue;
    const Ratio speed = speed_of(group, *best);
    const double each = row->flops / group.bytes;
    spots.push_back({&group, row->flops, {speed.ratio * each, speed.low * each, speed.high * each}, best->backend});
  }
  if (spots.empty()) return "";

  const Roof far = roofs.rbegin()->second;
  const Roof near = std::ranges::max_element(roofs, {}, [](const auto& roof) { return roof.second.bandwidth; })->second;
  std::erase_if(spots, [&](const Spot& spot) { return spot.group->n != far.n && spot.group->n != near.n; });
  double least_x = INFINITY, most_x = 0, least_y = INFINITY, most_y = 0;
  for (const Spot& spot : spots) {
    const double intensity = spot.flops / spot.group->bytes;
    least_x = std::min(least_x, intensity / 1.25);
    most_x = std::max(most_x, intensity * 2);
    least_y = std::min(least_y, spot.rate.ratio / 1.6);
    most_y = std::max(most_y, spot.rate.ratio);
  }
  const double multiply_adds = 1e-9 * (type == "f64" ? run.roofs.fma_f64 : type == "f32" ? run.roofs.fma_f32 : 0);
  const double peak = std::max(multiply_adds, most_y);
  most_y = 1.7 * peak;
  const double memory = 1e-9 * std::max({run.roofs.read, run.roofs.write, run.roofs.copy, run.roofs.triad});
  const Axis x(least_x, most_x, kLeft, kRight);
  const Axis y(least_y, most_y, kBottom, kTop);
  std::string svg = svg_begin(kWidth, kHeight, "roofline", fmt::format("Roofline, {}", escaped(type)));
  for (const double tick : y.ticks())
    svg += svg_line(kLeft, y(tick), kRight, y(tick), "grid") +
           svg_text(kLeft - 6, y(tick) + 4, "end", "tick", fmt::format("{:g}", tick));
  for (const double tick : x.ticks())
    svg += svg_line(x(tick), kTop, x(tick), kBottom, "grid") +
           svg_text(x(tick), kBottom + 16, "middle", "tick", fmt::format("{:g}", tick));
  svg += svg_line(kLeft, kBottom, kRight, kBottom, "axis") + svg_line(kLeft, kTop, kLeft, kBottom, "axis");
  svg += svg_text((kLeft + kRight) / 2, kHeight - 8, "middle", "label", "operations per byte");
  svg += svg_text(kLeft - 48, 12, "start", "label", "10⁹ operations/s");

  // From the left or bottom edge to the highest rate; its name above the beginning, or below the end.
  const auto roof_line = [&](double bandwidth, const std::string& of, bool above) {
    const double from = std::max(least_x, least_y / bandwidth);
    const double to = std::min(most_x, peak / bandwidth);
    if (!(from < to)) return std::string();
    const double x1 = x(from), y1 = y(from * bandwidth), x2 = x(to), y2 = y(to * bandwidth);
    const double angle = std::atan2(y2 - y1, x2 - x1) * 180 / std::numbers::pi;
    const std::string name = short_number(bandwidth) + " GB/s " + of;
    return svg_line(x1, y1, x2, y2, "roof") +
           fmt::format("<g transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\">{}</g>", above ? x1 : x2, above ? y1 : y2, angle,
                       above ? svg_text(8, -7, "start", "tick", name) : svg_text(-8, 15, "end", "tick", name));
  };
  const auto of_size = [](const Roof& roof) {
    return fmt::format("at {} elements ({}, {})", size_svg(roof.n), escaped(roof.kernel), escaped(roof.backend));
  };
  svg += memory > 0 ? roof_line(memory, "from and to memory", false) : roof_line(far.bandwidth, of_size(far), false);
  if (memory > 0 ? near.bandwidth > memory : near.n != far.n) svg += roof_line(near.bandwidth, of_size(near), true);
  svg += svg_line(std::min(x(peak / near.bandwidth), kRight - 200), y(peak), kRight, y(peak), "peak");
  svg += svg_text(kRight, y(peak) - 8, "end", "tick",
                  multiply_adds > 0 ? short_number(peak) + " by multiply-adds in registers" : "highest rate of these kernels");

  std::map<double, std::vector<NamedPoint>> columns;
  std::string markers;
  for (const Spot& spot : spots) {
    const double intensity = spot.flops / spot.group->bytes;
    const bool is_far = spot.group->n == far.n;
    const NamedPoint point{x(intensity), y(spot.rate.ratio), escaped(spot.group->kernel)};
    columns[intensity].push_back(point);
    markers += fmt::format("<g class=\"{}\">{}<title>{} on {}, {} elements: {} ({}–{}) · 10⁹ operations/s</title></g>",
                           is_far ? "c1" : "c2", svg_marker(is_far ? 1 : 2, point.x, point.y), point.name, escaped(spot.backend),
                           spot.group->n, short_number(spot.rate.ratio), short_number(spot.rate.low), short_number(spot.rate.high));
  }
  for (const auto& [intensity, points] : columns) svg += names_beside(points);
  svg += markers;
  return svg + "</svg>";
}

}  // namespace furrow::bench
