#include "tools/picture.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "furrow/engine/error.hpp"

namespace furrow::tools {
namespace {

/// Seven rows of five pixels, the leftmost in the highest bit.
struct Glyph {
  char sign;
  std::array<std::uint8_t, 7> rows;
};

constexpr std::array kGlyphs{
    Glyph{'0', {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110}},
    Glyph{'1', {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    Glyph{'2', {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111}},
    Glyph{'3', {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110}},
    Glyph{'4', {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010}},
    Glyph{'5', {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110}},
    Glyph{'6', {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110}},
    Glyph{'7', {0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000}},
    Glyph{'8', {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110}},
    Glyph{'9', {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100}},
    Glyph{'.', {0, 0, 0, 0, 0, 0b01100, 0b01100}},
    Glyph{'-', {0, 0, 0, 0b11111, 0, 0, 0}},
    Glyph{'+', {0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0}},
    Glyph{'e', {0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110}},
};
constexpr long kPixel = 2;  // of the picture, along each side of a glyph's
static_assert(kGlyphWidth == 6 * kPixel && kGlyphHeight == 7 * kPixel);

[[noreturn]] void on_error(png_structp, png_const_charp message) {
  fail(std::string("cannot make a picture: ") + message);  // an exception unwinds libpng's frames, which hold nothing
}

void on_warning(png_structp, png_const_charp) {}

void append(png_structp writer, png_bytep bytes, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(writer))->append(reinterpret_cast<const char*>(bytes), count);
}

}  // namespace

Picture::Picture(std::size_t width, std::size_t height, Rgb paper)
    : width_(width), height_(height), pixels_(width * height, paper) {}

void Picture::fill(long x, long y, long width, long height, Rgb colour) {
  const auto columns = static_cast<long>(width_);
  const auto rows = static_cast<long>(height_);
  for (long i = std::max(y, 0L); i < std::min(y + height, rows); ++i)
    for (long j = std::max(x, 0L); j < std::min(x + width, columns); ++j)
      at(static_cast<std::size_t>(j), static_cast<std::size_t>(i)) = colour;
}

void Picture::line(double x1, double y1, double x2, double y2, Rgb colour) {
  const double length = std::max({std::abs(x2 - x1), std::abs(y2 - y1), 1.0});
  for (double done = 0; done <= length; ++done)
    fill(std::lround(x1 + (x2 - x1) * done / length), std::lround(y1 + (y2 - y1) * done / length), 2, 2, colour);
}

void Picture::number(long x, long y, std::string_view text, Rgb colour) {
  for (const char sign : text) {
    const auto* const glyph = std::ranges::find(kGlyphs, sign, &Glyph::sign);
    if (glyph == kGlyphs.end()) continue;
    for (long i = 0; i < 7; ++i)
      for (long j = 0; j < 5; ++j)
        if (glyph->rows[static_cast<std::size_t>(i)] >> (4 - j) & 1) fill(x + j * kPixel, y + i * kPixel, kPixel, kPixel, colour);
    x += kGlyphWidth;
  }
}

std::string png(const Picture& picture, const std::string& description) {
  struct Writer {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, on_error, on_warning);
    png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
    Writer() {
      if (info == nullptr) fail("cannot make a picture: libpng does not start");
    }
    ~Writer() { png_destroy_write_struct(&png, &info); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
  } writer;
  std::string file;
  png_set_write_fn(writer.png, &file, append, nullptr);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(picture.width()), static_cast<png_uint_32>(picture.height()), 8,
               PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_filter(writer.png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);  // of few colours, filtered ones take up to half as much more
  std::string key = "Description";
  std::string text = description;
  png_text said{};
  said.compression = PNG_TEXT_COMPRESSION_NONE;
  said.key = key.data();
  said.text = text.data();
  said.text_length = text.size();
  png_set_text(writer.png, writer.info, &said, 1);
  png_write_info(writer.png, writer.info);
  for (std::size_t y = 0; y < picture.height(); ++y) png_write_row(writer.png, picture.row(y)->data());
  png_write_end(writer.png, writer.info);
  return file;
}

}  // namespace furrow::tools
