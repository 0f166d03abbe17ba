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

constexpr double kWidth = 760, kHeight = 440, kLeft = 56, kRight = 740, kTop = 24, kBottom = 392;

/// The bandwidth of a size's fastest, and whose it is.
struct Roof {
  std::size_t n = 0;
  double bandwidth = 0;
  std::string kernel, backend;
};

/// The fastest of a kernel.
struct Spot {
  const Group* group;
  double intensity;  // operations per byte
  Ratio rate;        // 1e9 operations a second
  std::string backend;
};

struct Found {
  std::map<std::size_t, Roof> roofs;  // by size
  std::vector<Spot> spots;
};

Found find_roofs_and_spots(const SavedRun& run, std::string_view type) {
  Found found;
  for (const Group& group : run.groups) {
    if (group.type != type || counts_elements(group.kernel) || !(group.bytes > 0)) continue;
    for (const Case& one : group.cases) {
      if (!one.timed()) continue;
      const double bandwidth = speed_of(group, one).ratio;
      Roof& roof = found.roofs[group.n];
      if (bandwidth > roof.bandwidth) roof = {group.n, bandwidth, group.kernel, one.backend};
    }
    const table::Kernel* const row = table::find(group.kernel);
    const Case* const best = run.fastest(group);
    if (row == nullptr || row->flops <= 0 || best == nullptr) continue;
    const Ratio speed = speed_of(group, *best);
    const double each = row->flops / group.bytes;
    found.spots.push_back({&group, each, {speed.ratio * each, speed.low * each, speed.high * each}, best->backend});
  }
  return found;
}

/// The figure's plane, operations per byte and 1e9 operations a second, in which `peak` is the highest rate.
struct Plane {
  Plane(const std::vector<Spot>& spots, double multiply_adds) : peak(multiply_adds) {
    for (const Spot& spot : spots) {
      least_x = std::min(least_x, spot.intensity / 1.25);
      most_x = std::max(most_x, spot.intensity * 2);
      least_y = std::min(least_y, spot.rate.ratio / 1.6);
      peak = std::max(peak, spot.rate.ratio);
    }
  }
  Axis x() const { return {least_x, most_x, kLeft, kRight}; }
  Axis y() const { return {least_y, 1.7 * peak, kBottom, kTop}; }

  double least_x = INFINITY, most_x = 0, least_y = INFINITY, peak;
};

std::string draw_axes(const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : y.ticks())
    svg += svg_line(kLeft, y(tick), kRight, y(tick), "grid") +
           svg_text(kLeft - 6, y(tick) + 4, "end", "tick", fmt::format("{:g}", tick));
  for (const double tick : x.ticks())
    svg += svg_line(x(tick), kTop, x(tick), kBottom, "grid") +
           svg_text(x(tick), kBottom + 16, "middle", "tick", fmt::format("{:g}", tick));
  svg += svg_line(kLeft, kBottom, kRight, kBottom, "axis") + svg_line(kLeft, kTop, kLeft, kBottom, "axis");
  svg += svg_text((kLeft + kRight) / 2, kHeight - 8, "middle", "label", "operations per byte");
  return svg + svg_text(kLeft - 48, 12, "start", "label", "10⁹ operations/s");
}

/// From the left or bottom edge to the highest rate; its name above the beginning, or below the end.
std::string draw_roof(const Plane& plane, double bandwidth, const std::string& of, bool above) {
  const double from = std::max(plane.least_x, plane.least_y / bandwidth);
  const double to = std::min(plane.most_x, plane.peak / bandwidth);
  if (!(from < to)) return "";
  const Axis x = plane.x();
  const Axis y = plane.y();
  const double x1 = x(from), y1 = y(from * bandwidth), x2 = x(to), y2 = y(to * bandwidth);
  const double angle = std::atan2(y2 - y1, x2 - x1) * 180 / std::numbers::pi;
  const std::string name = short_number(bandwidth) + " GB/s " + of;
  return svg_line(x1, y1, x2, y2, "roof") +
         fmt::format("<g transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\">{}</g>", above ? x1 : x2, above ? y1 : y2, angle,
                     above ? svg_text(8, -7, "start", "tick", name) : svg_text(-8, 15, "end", "tick", name));
}

/// Those of `far` elements by one marker, the others by another.
std::string draw_spots(const std::vector<Spot>& spots, std::size_t far, const Axis& x, const Axis& y) {
  std::map<double, std::vector<NamedPoint>> columns;
  std::string markers;
  for (const Spot& spot : spots) {
    const NamedPoint point{x(spot.intensity), y(spot.rate.ratio), escaped(spot.group->kernel)};
    columns[spot.intensity].push_back(point);
    const std::size_t look = spot.group->n == far ? 1 : 2;
    markers += fmt::format("<g class=\"c{}\">{}<title>{} on {}, {} elements: {} ({}–{}) · 10⁹ operations/s</title></g>", look,
                           svg_marker(look, point.x, point.y), point.name, escaped(spot.backend), spot.group->n,
                           short_number(spot.rate.ratio), short_number(spot.rate.low), short_number(spot.rate.high));
  }
  std::string names;
  for (const auto& [intensity, points] : columns) names += names_beside(points);
  return names + markers;
}

}  // namespace

std::string roofline(const SavedRun& run, std::string_view type) {
  auto [roofs, spots] = find_roofs_and_spots(run, type);
  if (spots.empty()) return "";
  // The roofs: that of memory, or of the largest size where it was not measured, and that of the fastest size.
  const Roof far = roofs.rbegin()->second;
  const Roof near = std::ranges::max_element(roofs, {}, [](const auto& roof) { return roof.second.bandwidth; })->second;
  std::erase_if(spots, [&](const Spot& spot) { return spot.group->n != far.n && spot.group->n != near.n; });
  const double memory = 1e-9 * std::max({run.roofs.read, run.roofs.write, run.roofs.copy, run.roofs.triad});
  const double multiply_adds = 1e-9 * (type == "f64" ? run.roofs.fma_f64 : type == "f32" ? run.roofs.fma_f32 : 0);
  const Plane plane(spots, multiply_adds);
  const Axis x = plane.x();
  const Axis y = plane.y();

  const auto of_size = [](const Roof& roof) {
    return fmt::format("at {} elements ({}, {})", size_svg(roof.n), escaped(roof.kernel), escaped(roof.backend));
  };
  std::string svg = svg_begin(kWidth, kHeight, "roofline", fmt::format("Roofline, {}", escaped(type))) + draw_axes(x, y);
  svg += memory > 0 ? draw_roof(plane, memory, "from and to memory", false) : draw_roof(plane, far.bandwidth, of_size(far), false);
  if (memory > 0 ? near.bandwidth > memory : near.n != far.n) svg += draw_roof(plane, near.bandwidth, of_size(near), true);
  svg += svg_line(std::min(x(plane.peak / near.bandwidth), kRight - 200), y(plane.peak), kRight, y(plane.peak), "peak");
  svg +=
      svg_text(kRight, y(plane.peak) - 8, "end", "tick",
               multiply_adds > 0 ? short_number(plane.peak) + " by multiply-adds in registers" : "highest rate of these kernels");
  return svg + draw_spots(spots, far.n, x, y) + "</svg>";
}

}  // namespace furrow::bench
