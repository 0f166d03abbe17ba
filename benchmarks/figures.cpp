#include "benchmarks/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>
#include <vector>

#include "furrow/kernels/table.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

/// From values to places, in logarithms.
class Axis {
 public:
  Axis(double least, double most, double from, double to)
      : least_(std::log(least)), most_(std::log(std::max(most, least * 1.01))), from_(from), to_(to) {}

  double operator()(double value) const { return from_ + (std::log(value) - least_) / (most_ - least_) * (to_ - from_); }

  /// Round values within: powers of ten, and what lies between them where few of those do.
  std::vector<double> ticks() const {
    constexpr double kDecade = 2.302585;
    const std::vector<double> digits = most_ - least_ > 2.2 * kDecade ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
    std::vector<double> found;
    for (int power = -9; power <= 15; ++power)
      for (const double digit : digits)
        if (const double value = digit * std::pow(10, power); std::log(value) >= least_ && std::log(value) <= most_)
          found.push_back(value);
    return found;
  }

 private:
  double least_, most_, from_, to_;
};

std::string text(double x, double y, std::string_view anchor, std::string_view kind, const std::string& content) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>)", x, y, anchor, kind, content);
}

std::string line(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>)", x1, y1, x2, y2, kind);
}

std::string open_svg(double width, double height, std::string_view kind, const std::string& title) {
  return fmt::format(R"(<svg viewBox="0 0 {:.0f} {:.0f}" class="{}" role="img" aria-label="{}">)", width, height, kind, title);
}

/// As size_html, which SVG does not understand.
std::string size_svg(std::size_t n) {
  if (!std::has_single_bit(n)) return size_html(n);
  return fmt::format(R"(2<tspan dy="-4" class="raised">{}</tspan><tspan dy="4">&#8203;</tspan>)", std::countr_zero(n));
}

/// A runtime has one colour and one shape of marker; peers on it are dashed and hollow.
std::size_t look_of(const SavedRun& run, std::string_view backend) {
  static constexpr std::string_view kKnown[] = {"serial", "openmp", "tbb", "stdpar", "roof"};
  const auto known = [](std::string_view name) {
    if (name.starts_with("raw_")) name.remove_prefix(4);
    if (name == "serial_loop") name = "serial";
    return static_cast<std::size_t>(std::ranges::find(kKnown, name) - std::begin(kKnown));
  };
  if (known(backend) < std::size(kKnown)) return known(backend);
  std::size_t others = 0;
  for (const auto* const names : {&run.backends, &run.peers}) {
    for (const std::string& name : *names) {
      if (name == backend) return std::size(kKnown) + others % 4;
      others += known(name) == std::size(kKnown) ? 1 : 0;
    }
  }
  return std::size(kKnown);
}

std::string look(const SavedRun& run, std::string_view backend) {
  return fmt::format("c{}{}", look_of(run, backend), run.is_peer(backend) ? " peer" : "");
}

std::string marker(std::size_t look, double x, double y) {
  constexpr double r = 3.2;
  switch (look % 5) {
    case 0:
      return fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{}"/>)", x, y, r);
    case 1:
      return fmt::format(R"(<path d="M{:.1f} {:.1f}h6v6h-6z"/>)", x - 3, y - 3);
    case 2:
      return fmt::format(R"(<path d="M{:.1f} {:.1f}l3.8 6.6h-7.6z"/>)", x, y - 4.2);
    case 3:
      return fmt::format(R"(<path d="M{:.1f} {:.1f}l4 4l-4 4l-4-4z"/>)", x, y - 4);
    default:
      return fmt::format(R"(<path d="M{:.1f} {:.1f}l3.8-6.6h-7.6z"/>)", x, y + 4.2);
  }
}

struct Cache {
  std::string name;
  double bytes;
};

/// What all threads have together of a cache of their own, and the shared one.
std::vector<Cache> caches(const SavedRun& run) {
  const nlohmann::json listed = nlohmann::json::parse(run.about("caches"), nullptr, false);
  std::vector<Cache> found;
  if (!listed.is_array()) return found;
  const double threads = std::max(1.0, std::strtod(run.about("furrow_threads").c_str(), nullptr));
  for (const nlohmann::json& cache : listed) {
    const nlohmann::json level = cache.is_object() && cache.contains("level") ? cache["level"] : nlohmann::json();
    if ((level != 2 && level != 3) || !cache.contains("size") || !cache["size"].is_number()) continue;
    found.push_back({fmt::format("L{}", level.dump()), cache["size"].get<double>() * (level == 2 ? threads : 1)});
  }
  return found;
}

/// The fastest of furrow's backends; null if none was timed.
const Case* fastest(const SavedRun& run, const Group& group) {
  const Case* best = nullptr;
  for (const Case& one : group.cases)
    if (one.timed() && !run.is_peer(one.backend) && (best == nullptr || median(one.real) < median(best->real))) best = &one;
  return best;
}

struct Point {
  double x;
  double y;
  std::string name;
};

/// Names beside points above each other, moved apart where they would touch.
std::string names_beside(std::vector<Point> points) {
  constexpr double kApart = 12;
  std::ranges::sort(points, {}, &Point::y);
  std::string names;
  for (std::size_t begin = 0; begin < points.size();) {
    // A stack of names that touch, about the middle of its points.
    std::size_t end = begin;
    double middle = 0;
    const auto top = [&] { return middle - kApart * static_cast<double>(end - begin - 1) / 2; };
    do {
      middle = (middle * static_cast<double>(end - begin) + points[end].y) / static_cast<double>(end - begin + 1);
      ++end;
    } while (end < points.size() && points[end].y < top() + kApart * static_cast<double>(end - begin) + kApart / 2);
    for (std::size_t p = begin; p < end; ++p) {
      const double y = top() + kApart * static_cast<double>(p - begin);
      if (std::abs(y - points[p].y) > 5) names += line(points[p].x + 4, points[p].y, points[p].x + 11, y, "leader");
      names += text(points[p].x + 12, y + 3.5, "start", "name", points[p].name);
    }
    begin = end;
  }
  return names;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        // Control characters are no HTML.
        safe += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return safe;
}

std::string short_number(double value) {
  const double size = std::abs(value);
  const int decimals = size < 0.1 ? 4 : size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string size_html(std::size_t n) {
  if (std::has_single_bit(n)) return fmt::format("2<sup>{}</sup>", std::countr_zero(n));
  const auto value = static_cast<double>(n);
  return n < 1000 ? std::to_string(n) : n < 1'000'000 ? fmt::format("{:.3g}k", value * 1e-3) : fmt::format("{:.4g}M", value * 1e-6);
}

bool counts_elements(std::string_view kernel) {
  return family_of(kernel) == "irregular";
}

std::string_view speed_unit(std::string_view kernel) {
  return counts_elements(kernel) ? "million elements/s" : "GB/s";
}

Ratio speed_of(const Group& group, const Case& one) {
  const Ratio time = middle(one.real);
  const double work = static_cast<double>(group.n) * (counts_elements(group.kernel) ? 1e-6 : group.bytes * 1e-9);
  return {work / time.ratio, work / time.high, work / time.low};
}

std::string legend_entry(const SavedRun& run, std::string_view backend) {
  return fmt::format(R"(<span class="key"><svg viewBox="0 0 34 12" width="34" height="12" aria-hidden="true"><g class="{}">)"
                     R"(<path class="curve" d="M1 6H33"/>{}</g></svg>{}</span>)",
                     look(run, backend), marker(look_of(run, backend), 17, 6), escaped(backend));
}

std::string size_curves(const SavedRun& run, std::string_view kernel, std::string_view type) {
  constexpr double kWidth = 400, kHeight = 260, kLeft = 44, kRight = 388, kTop = 18, kBottom = 222;
  struct Measured {
    const Group* group;
    Ratio speed;
  };
  std::map<std::string, std::vector<Measured>> series;
  std::map<std::size_t, const Group*> sizes;
  double least = INFINITY;
  double most = 0;
  for (const Group& group : run.groups) {
    if (group.kernel != kernel || group.type != type) continue;
    for (const Case& one : group.cases) {
      if (!one.timed()) continue;
      const Ratio speed = speed_of(group, one);
      if (!(speed.ratio > 0)) continue;
      series[one.backend].push_back({&group, speed});
      sizes[group.n] = &group;
      least = std::min(least, speed.low);
      most = std::max(most, speed.high);
    }
  }
  if (sizes.empty()) return "";

  const auto smallest = static_cast<double>(sizes.begin()->first);
  const auto largest = static_cast<double>(sizes.rbegin()->first);
  const bool single = sizes.size() == 1;
  const Axis x(single ? smallest / 2 : smallest, single ? smallest * 2 : largest, kLeft + 8, kRight - 8);
  const Axis y(least / 1.1, most * 1.1, kBottom, kTop);
  const std::string title = fmt::format("{} {}: {} over number of elements", escaped(kernel), escaped(type), speed_unit(kernel));
  std::string svg = open_svg(kWidth, kHeight, "curves", title);

  for (const double tick : y.ticks()) {
    svg += line(kLeft, y(tick), kRight, y(tick), "grid");
    svg += text(kLeft - 5, y(tick) + 3.5, "end", "tick", fmt::format("{:g}", tick));
  }
  double last = -100;
  for (const auto& [n, group] : sizes) {
    const double at = x(static_cast<double>(n));
    if (at - last < 30) continue;
    last = at;
    svg += line(at, kBottom, at, kBottom + 4, "axis");
    svg += text(at, kBottom + 16, "middle", "tick", size_svg(n));
  }
  svg += line(kLeft, kBottom, kRight, kBottom, "axis");
  svg += text((kLeft + kRight) / 2, kHeight - 6, "middle", "label", "elements");
  svg += text(kLeft - 36, 9, "start", "label", std::string(speed_unit(kernel)));
  if (!counts_elements(kernel)) {
    const double bytes = sizes.begin()->second->bytes;
    for (const Cache& cache : caches(run)) {
      const double n = cache.bytes / bytes;
      if (!(n > smallest) || !(n < largest)) continue;
      svg += line(x(n), kTop, x(n), kBottom, "cache") + text(x(n), kTop - 4, "middle", "tick", cache.name);
    }
  }

  // Peers first, so that furrow's lie on top.
  std::vector<std::string> order = run.peers;
  order.insert(order.end(), run.backends.begin(), run.backends.end());
  for (const std::string& backend : order) {
    auto& points = series[backend];
    if (points.empty()) continue;
    std::ranges::sort(points, {}, [](const Measured& one) { return one.group->n; });
    std::string curve, upper, lower, markers;
    for (const Measured& one : points) {
      const double at = x(static_cast<double>(one.group->n));
      curve += fmt::format("{}{:.1f} {:.1f}", curve.empty() ? "M" : "L", at, y(one.speed.ratio));
      upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", at, y(one.speed.high));
      lower = fmt::format("L{:.1f} {:.1f}", at, y(one.speed.low)) + lower;
      if (single) lower += line(at, y(one.speed.low), at, y(one.speed.high), "whisker");
      markers +=
          fmt::format("<g>{}<title>{}, {} elements: {} {} ({}–{})</title></g>",
                      marker(look_of(run, backend), at, y(one.speed.ratio)), escaped(backend), one.group->n,
                      short_number(one.speed.ratio), speed_unit(kernel), short_number(one.speed.low), short_number(one.speed.high));
    }
    svg += fmt::format(R"(<g class="{}">)", look(run, backend));
    svg += single ? lower.substr(lower.find('<'))
                  : fmt::format(R"(<path class="band" d="{}{}Z"/><path class="curve" d="{}"/>)", upper, lower, curve);
    svg += markers + "</g>";
  }
  return svg + "</svg>";
}

std::string roofline(const SavedRun& run, std::string_view type) {
  constexpr double kWidth = 760, kHeight = 440, kLeft = 56, kRight = 740, kTop = 24, kBottom = 392;
  // Bandwidth by size, by whoever got it; the roofs are those of the largest size and of the fastest.
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
    const Case* const best = fastest(run, group);
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
  const double peak = most_y;
  most_y *= 1.7;
  const Axis x(least_x, most_x, kLeft, kRight);
  const Axis y(least_y, most_y, kBottom, kTop);
  std::string svg = open_svg(kWidth, kHeight, "roofline", fmt::format("Roofline, {}", escaped(type)));
  for (const double tick : y.ticks())
    svg += line(kLeft, y(tick), kRight, y(tick), "grid") + text(kLeft - 6, y(tick) + 4, "end", "tick", fmt::format("{:g}", tick));
  for (const double tick : x.ticks())
    svg += line(x(tick), kTop, x(tick), kBottom, "grid") + text(x(tick), kBottom + 16, "middle", "tick", fmt::format("{:g}", tick));
  svg += line(kLeft, kBottom, kRight, kBottom, "axis") + line(kLeft, kTop, kLeft, kBottom, "axis");
  svg += text((kLeft + kRight) / 2, kHeight - 8, "middle", "label", "operations per byte");
  svg += text(kLeft - 48, 12, "start", "label", "10⁹ operations/s");

  // From the left or bottom edge to the highest rate; its name above the beginning, or below the end.
  const auto roof_line = [&](const Roof& roof, bool above) {
    const double from = std::max(least_x, least_y / roof.bandwidth);
    const double to = std::min(most_x, peak / roof.bandwidth);
    if (!(from < to)) return std::string();
    const double x1 = x(from), y1 = y(from * roof.bandwidth), x2 = x(to), y2 = y(to * roof.bandwidth);
    const double angle = std::atan2(y2 - y1, x2 - x1) * 180 / std::numbers::pi;
    const std::string name = fmt::format("{} GB/s at {} elements ({}, {})", short_number(roof.bandwidth), size_svg(roof.n),
                                         escaped(roof.kernel), escaped(roof.backend));
    return line(x1, y1, x2, y2, "roof") +
           fmt::format("<g transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\">{}</g>", above ? x1 : x2, above ? y1 : y2, angle,
                       above ? text(8, -7, "start", "tick", name) : text(-8, 15, "end", "tick", name));
  };
  svg += roof_line(far, false);
  if (near.n != far.n) svg += roof_line(near, true);
  svg += line(std::min(x(peak / near.bandwidth), kRight), y(peak), kRight, y(peak), "peak");
  svg += text(kRight, y(peak) - 8, "end", "tick", "highest rate of these kernels");

  std::map<double, std::vector<Point>> columns;
  std::string markers;
  for (const Spot& spot : spots) {
    const double intensity = spot.flops / spot.group->bytes;
    const bool is_far = spot.group->n == far.n;
    const Point point{x(intensity), y(spot.rate.ratio), escaped(spot.group->kernel)};
    columns[intensity].push_back(point);
    markers += fmt::format("<g class=\"{}\">{}<title>{} on {}, {} elements: {} ({}–{}) · 10⁹ operations/s</title></g>",
                           is_far ? "c1" : "c2", marker(is_far ? 1 : 2, point.x, point.y), point.name, escaped(spot.backend),
                           spot.group->n, short_number(spot.rate.ratio), short_number(spot.rate.low), short_number(spot.rate.high));
  }
  for (const auto& [intensity, points] : columns) svg += names_beside(points);
  svg += markers;
  return svg + "</svg>";
}

std::string verdict_figure(const SavedRun& run, const Verdict& verdict) {
  if (verdict.backend.empty() || run.backends.size() < 2) return "";
  double least = 0.97;
  double most = 1.1;
  std::vector<std::size_t> shown;
  for (std::size_t b = 0; b < run.backends.size() && b < verdict.ratios.size(); ++b) {
    const Ratio& ratio = verdict.ratios[b];
    if (!std::isfinite(ratio.high) || !(ratio.low > 0)) continue;
    shown.push_back(b);
    least = std::min(least, ratio.low / 1.02);
    most = std::max(most, ratio.high * 1.02);
  }
  if (shown.size() < 2) return "";
  constexpr double kWidth = 480, kLeft = 88, kRight = 350, kRow = 24;
  const double bottom = kRow * static_cast<double>(shown.size()) + 4;
  const Axis x(least, most, kLeft, kRight);
  std::string svg = open_svg(kWidth, bottom + 36, "forest", "Time of each backend over that of " + escaped(verdict.backend));
  double last = -100;
  for (const double tick : {0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0}) {
    if (tick < least || tick > most || x(tick) - last < 28) continue;
    last = x(tick);
    svg += line(x(tick), 0, x(tick), bottom, tick == 1 ? "axis" : "grid");
    svg += text(x(tick), bottom + 14, "middle", "tick", fmt::format("{:g}×", tick));
  }
  svg += text((kLeft + kRight) / 2, bottom + 31, "middle", "label", "time over that of " + escaped(verdict.backend));
  double at = kRow / 2 + 2;
  for (const std::size_t b : shown) {
    const Ratio& ratio = verdict.ratios[b];
    const bool pick = run.backends[b] == verdict.backend;
    svg += text(kLeft - 12, at + 4, "end", pick ? "name picked" : "name", escaped(run.backends[b]));
    svg +=
        fmt::format(R"(<g class="{}">{}{}</g>)", look(run, run.backends[b]), line(x(ratio.low), at, x(ratio.high), at, "whisker"),
                    marker(look_of(run, run.backends[b]), x(ratio.ratio), at));
    svg += text(kRight + 10, at + 4, "start", "name",
                pick ? "the pick" : fmt::format("{:.2f} ({:.2f}–{:.2f})", ratio.ratio, ratio.low, ratio.high));
    at += kRow;
  }
  return svg + "</svg>";
}

}  // namespace furrow::bench
