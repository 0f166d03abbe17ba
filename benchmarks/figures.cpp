#include "benchmarks/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "benchmarks/ablation.hpp"
#include "benchmarks/markup.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

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

/// Class names of the style sheet.
std::string classes(const SavedRun& run, std::string_view backend) {
  return fmt::format("c{}{}", look_of(run, backend), run.is_peer(backend) ? " peer" : "");
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

/// Speed over something that grows, a line with its 95 % band for each backend and peer.
struct Curves {
  const SavedRun& run;
  std::string kernel;
  std::string title;
  std::string x_label;
  std::string x_unit;  // of one point, after its number
  std::string (*x_text)(std::size_t);

  struct Measured {
    std::size_t x;
    Ratio speed;
  };
  std::map<std::string, std::vector<Measured>> series = {};
  struct Vertical {
    double x;
    std::string name;
  };
  std::vector<Vertical> verticals = {};
  bool ideal = false;  ///< also the line on which twice as much is twice as fast

  void add(const Group& group, std::size_t at) {
    for (const Case& one : group.cases)
      if (one.timed() && !is_ablation(one.backend))
        if (const Ratio speed = speed_of(group, one); speed.ratio > 0) series[one.backend].push_back({at, speed});
  }

  std::string draw();

 private:
  static constexpr double kWidth = 400, kHeight = 260, kLeft = 44, kRight = 388, kTop = 18, kBottom = 222;
  using Points = std::vector<Measured>;

  std::string draw_axes(const Axis& x, const Axis& y, const std::set<std::size_t>& at) const;
  std::string draw_ideal(const Axis& x, const Axis& y, double smallest, double largest, double most) const;
  std::string draw_curve(const Axis& x, const Axis& y, const std::string& backend, const Points& points, bool single) const;
};

std::string Curves::draw_axes(const Axis& x, const Axis& y, const std::set<std::size_t>& at_all) const {
  std::string svg;
  for (const double tick : y.ticks()) {
    svg += svg_line(kLeft, y(tick), kRight, y(tick), "grid");
    svg += svg_text(kLeft - 5, y(tick) + 3.5, "end", "tick", fmt::format("{:g}", tick));
  }
  double last = -100;
  for (const std::size_t value : at_all) {
    const double at = x(static_cast<double>(value));
    if (at - last < 30) continue;
    last = at;
    svg += svg_line(at, kBottom, at, kBottom + 4, "axis");
    svg += svg_text(at, kBottom + 16, "middle", "tick", x_text(value));
  }
  svg += svg_line(kLeft, kBottom, kRight, kBottom, "axis");
  svg += svg_text((kLeft + kRight) / 2, kHeight - 6, "middle", "label", x_label);
  svg += svg_text(kLeft - 36, 9, "start", "label", std::string(speed_unit(kernel)));
  for (const Vertical& vertical : verticals)
    if (vertical.x > static_cast<double>(*at_all.begin()) && vertical.x < static_cast<double>(*at_all.rbegin()))
      svg += svg_line(x(vertical.x), kTop, x(vertical.x), kBottom, "cache") +
             svg_text(x(vertical.x), kTop - 4, "middle", "tick", vertical.name);
  return svg;
}

/// From the fastest at the smallest on, as far as the figure goes.
std::string Curves::draw_ideal(const Axis& x, const Axis& y, double smallest, double largest, double most) const {
  double first = 0;
  for (const auto& [backend, points] : series)
    for (const Measured& one : points)
      if (static_cast<double>(one.x) == smallest) first = std::max(first, one.speed.ratio);
  const double end = std::min(largest, smallest * most / first);
  return first > 0 && end > smallest ? svg_line(x(smallest), y(first), x(end), y(first * end / smallest), "peak") : "";
}

/// `single`: all points are at one place.
std::string Curves::draw_curve(const Axis& x, const Axis& y, const std::string& backend, const Points& points, bool single) const {
  std::string curve, upper, lower, markers, whiskers;
  for (const Measured& one : points) {
    const double at = x(static_cast<double>(one.x));
    curve += fmt::format("{}{:.1f} {:.1f}", curve.empty() ? "M" : "L", at, y(one.speed.ratio));
    upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", at, y(one.speed.high));
    lower = fmt::format("L{:.1f} {:.1f}", at, y(one.speed.low)) + lower;
    whiskers += svg_line(at, y(one.speed.low), at, y(one.speed.high), "whisker");
    markers +=
        fmt::format("<g>{}<title>{}, {} {}: {} {} ({}–{})</title></g>", svg_marker(look_of(run, backend), at, y(one.speed.ratio)),
                    escaped(backend), one.x, x_unit, short_number(one.speed.ratio), speed_unit(kernel), short_number(one.speed.low),
                    short_number(one.speed.high));
  }
  const std::string lines =
      single ? whiskers : fmt::format(R"(<path class="band" d="{}{}Z"/><path class="curve" d="{}"/>)", upper, lower, curve);
  return fmt::format(R"(<g class="{}">)", classes(run, backend)) + lines + markers + "</g>";
}

std::string Curves::draw() {
  std::set<std::size_t> at_all;
  double least = INFINITY;
  double most = 0;
  for (const auto& [backend, points] : series) {
    for (const Measured& one : points) {
      at_all.insert(one.x);
      least = std::min(least, one.speed.low);
      most = std::max(most, one.speed.high);
    }
  }
  if (at_all.empty()) return "";

  const auto smallest = static_cast<double>(*at_all.begin());
  const auto largest = static_cast<double>(*at_all.rbegin());
  const bool single = at_all.size() == 1;
  const Axis x(single ? smallest / 2 : smallest, single ? smallest * 2 : largest, kLeft + 8, kRight - 8);
  const Axis y(least / 1.1, most * 1.1, kBottom, kTop);
  std::string svg = svg_begin(kWidth, kHeight, "curves", title) + draw_axes(x, y, at_all);
  if (ideal && !single) svg += draw_ideal(x, y, smallest, largest, most * 1.1);
  // Peers first, so that furrow's lie on top.
  std::vector<std::string> order = run.peers;
  order.insert(order.end(), run.backends.begin(), run.backends.end());
  for (const std::string& backend : order) {
    Points& points = series[backend];
    std::ranges::sort(points, {}, &Measured::x);
    if (!points.empty()) svg += draw_curve(x, y, backend, points, single);
  }
  return svg + "</svg>";
}

}  // namespace

bool counts_elements(std::string_view kernel) {
  const std::string_view family = family_of(kernel);
  return family == "irregular" || family == "simulations";
}

std::string_view speed_unit(std::string_view kernel) {
  return counts_elements(kernel) ? "million elements/s" : "GB/s";
}

Ratio speed_of(const Group& group, const Case& one) {
  const Ratio time = middle(one);
  const double work = static_cast<double>(group.n) * (counts_elements(group.kernel) ? 1e-6 : group.bytes * 1e-9);
  return {work / time.ratio, work / time.high, work / time.low};
}

std::string legend_entry(const SavedRun& run, std::string_view backend) {
  return fmt::format(R"(<span class="key"><svg viewBox="0 0 34 12" width="34" height="12" aria-hidden="true"><g class="{}">)"
                     R"(<path class="curve" d="M1 6H33"/>{}</g></svg>{}</span>)",
                     classes(run, backend), svg_marker(look_of(run, backend), 17, 6), escaped(backend));
}

std::string size_curves(const SavedRun& run, std::string_view kernel, std::string_view type) {
  Curves curves{run,
                std::string(kernel),
                fmt::format("{} {}: {} over number of elements", escaped(kernel), escaped(type), speed_unit(kernel)),
                "elements",
                "elements",
                size_svg};
  double bytes = 0;
  for (const Group& group : run.groups) {
    if (group.kernel != kernel || group.type != type) continue;
    curves.add(group, group.n);
    bytes = group.bytes;
  }
  if (!counts_elements(kernel) && bytes > 0)
    for (const Cache& cache : caches(run)) curves.verticals.push_back({cache.bytes / bytes, cache.name});
  return curves.draw();
}

std::string scaling_curves(const SavedRun& run, std::string_view kernel, std::string_view type, std::size_t n) {
  Curves curves{run,
                std::string(kernel),
                fmt::format("{} {}, {} elements: {} over number of threads", escaped(kernel), escaped(type), n, speed_unit(kernel)),
                "threads",
                "threads",
                [](std::size_t threads) { return std::to_string(threads); }};
  curves.ideal = true;
  for (const Group& group : run.scaling)
    if (group.kernel == kernel && group.type == type && group.n == n) curves.add(group, static_cast<std::size_t>(group.threads));
  curves.verticals.push_back({std::strtod(run.about("num_cpus").c_str(), nullptr), "CPUs"});
  return curves.draw();
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
  std::string svg = svg_begin(kWidth, bottom + 36, "forest", "Time of each backend over that of " + escaped(verdict.backend));
  double last = -100;
  for (const double tick : {0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0}) {
    if (tick < least || tick > most || x(tick) - last < 28) continue;
    last = x(tick);
    svg += svg_line(x(tick), 0, x(tick), bottom, tick == 1 ? "axis" : "grid");
    svg += svg_text(x(tick), bottom + 14, "middle", "tick", fmt::format("{:g}×", tick));
  }
  svg += svg_text((kLeft + kRight) / 2, bottom + 31, "middle", "label", "time over that of " + escaped(verdict.backend));
  double at = kRow / 2 + 2;
  for (const std::size_t b : shown) {
    const Ratio& ratio = verdict.ratios[b];
    const bool pick = run.backends[b] == verdict.backend;
    svg += svg_text(kLeft - 12, at + 4, "end", pick ? "name picked" : "name", escaped(run.backends[b]));
    svg += fmt::format(R"(<g class="{}">{}{}</g>)", classes(run, run.backends[b]),
                       svg_line(x(ratio.low), at, x(ratio.high), at, "whisker"),
                       svg_marker(look_of(run, run.backends[b]), x(ratio.ratio), at));
    svg += svg_text(kRight + 10, at + 4, "start", "name",
                    pick ? "the pick" : fmt::format("{:.2f} ({:.2f}–{:.2f})", ratio.ratio, ratio.low, ratio.high));
    at += kRow;
  }
  return svg + "</svg>";
}

}  // namespace furrow::bench
