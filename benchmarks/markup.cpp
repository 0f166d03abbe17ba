#include "benchmarks/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace furrow::bench {

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

std::string size_svg(std::size_t n) {
  if (!std::has_single_bit(n)) return size_html(n);
  return fmt::format(R"(2<tspan dy="-4" class="raised">{}</tspan><tspan dy="4">&#8203;</tspan>)", std::countr_zero(n));
}

Axis::Axis(double least, double most, double from, double to)
    : least_(std::log(least)), most_(std::log(std::max(most, least * 1.01))), from_(from), to_(to) {}

double Axis::operator()(double value) const {
  return from_ + (std::log(value) - least_) / (most_ - least_) * (to_ - from_);
}

std::vector<double> Axis::ticks() const {
  constexpr double kDecade = 2.302585;
  const std::vector<double> digits = most_ - least_ > 2.2 * kDecade ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
  std::vector<double> found;
  for (int power = -9; power <= 15; ++power)
    for (const double digit : digits)
      if (const double value = digit * std::pow(10, power); std::log(value) >= least_ && std::log(value) <= most_)
        found.push_back(value);
  return found;
}

std::string svg_text(double x, double y, std::string_view anchor, std::string_view kind, const std::string& content) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>)", x, y, anchor, kind, content);
}

std::string svg_line(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>)", x1, y1, x2, y2, kind);
}

std::string svg_begin(double width, double height, std::string_view kind, const std::string& title) {
  return fmt::format(R"(<svg viewBox="0 0 {:.0f} {:.0f}" class="{}" role="img" aria-label="{}">)", width, height, kind, title);
}

std::string svg_marker(std::size_t look, double x, double y) {
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

std::string names_beside(std::vector<NamedPoint> points) {
  constexpr double kApart = 12;
  std::ranges::sort(points, {}, &NamedPoint::y);
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
      if (std::abs(y - points[p].y) > 5) names += svg_line(points[p].x + 4, points[p].y, points[p].x + 11, y, "leader");
      names += svg_text(points[p].x + 12, y + 3.5, "start", "name", points[p].name);
    }
    begin = end;
  }
  return names;
}

}  // namespace furrow::bench
