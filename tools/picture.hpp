#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/colours.hpp"

namespace furrow::tools {

/// Pixels, row by row from the top.
class Picture {
 public:
  Picture(std::size_t width, std::size_t height, Rgb paper = {255, 255, 255});

  std::size_t width() const { return width_; }
  std::size_t height() const { return height_; }
  Rgb& at(std::size_t x, std::size_t y) { return pixels_[y * width_ + x]; }
  const Rgb* row(std::size_t y) const { return pixels_.data() + y * width_; }

  /// What lies outside is left out.
  void fill(long x, long y, long width, long height, Rgb colour);
  /// A line two pixels wide.
  void line(double x1, double y1, double x2, double y2, Rgb colour);
  /// A number; its digits are kGlyphWidth by kGlyphHeight pixels each, the top left corner of the first at (x, y). What is no
  /// digit, sign, point or e is left out.
  void number(long x, long y, std::string_view text, Rgb colour);

 private:
  std::size_t width_;
  std::size_t height_;
  std::vector<Rgb> pixels_;
};

inline constexpr long kGlyphWidth = 12;
inline constexpr long kGlyphHeight = 14;

/// The picture as a PNG file that says `description` of itself.
std::string png(const Picture& picture, const std::string& description);

}  // namespace furrow::tools
