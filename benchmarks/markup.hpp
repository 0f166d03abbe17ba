#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace furrow::bench {

// Pieces that the report's page is made of: text made safe, numbers for people, and the shapes of figures. Colours and sizes of
// text are the style sheet's.

/// What HTML gives a meaning, as text.
std::string escaped(std::string_view text);

/// Three digits: "0.0123", "1.23", "12.3", "1234".
std::string short_number(double value);

/// "2^16" with a raised exponent, else "1.5k".
std::string size_html(std::size_t n);
/// The same within SVG, which has other means.
std::string size_svg(std::size_t n);

/// From values to places, in logarithms.
class Axis {
 public:
  Axis(double least, double most, double from, double to);
  double operator()(double value) const;
  /// Round values within: powers of ten, and what lies between them where few of those do.
  std::vector<double> ticks() const;

 private:
  double least_, most_, from_, to_;
};

std::string svg_begin(double width, double height, std::string_view kind, const std::string& title);
std::string svg_text(double x, double y, std::string_view anchor, std::string_view kind, const std::string& content);
std::string svg_line(double x1, double y1, double x2, double y2, std::string_view kind);
/// One of five shapes about a place.
std::string svg_marker(std::size_t look, double x, double y);

struct NamedPoint {
  double x;
  double y;
  std::string name;
};
/// Names beside points above each other, moved apart where they would touch.
std::string names_beside(std::vector<NamedPoint> points);

}  // namespace furrow::bench
