#include "tools/field_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tools/number_in.hpp"
#include "tools/scale.hpp"

namespace furrow::tools {
namespace {

constexpr std::size_t kLargest = 2048;  // pixels along a side, of the grid
constexpr std::size_t kSmall = 512;     // grids are magnified up to that
constexpr Rgb kInk{30, 30, 30};
constexpr Rgb kGrey{128, 128, 128};
constexpr Rgb kLine{120, 40, 110};

struct Grid {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;
};

double at(const sim::Field& field, std::size_t index) {
  return with_type(field.type(),
                   [&]<class T>(TypeTag<T>) { return static_cast<double>(static_cast<const T*>(field.data())[index]); });
}

/// Means over squares of `side` cells, of rows x columns values that begin at `first`.
template <class T>
Grid averaged(const T* first, std::size_t rows, std::size_t columns, std::size_t side) {
  Grid grid{(rows + side - 1) / side, (columns + side - 1) / side, {}};
  std::vector<double> sums;
  for (std::size_t i = 0; i < rows; i += side) {
    const std::size_t end = std::min(i + side, rows);
    sums.assign(grid.columns, 0);
    for (std::size_t k = i; k < end; ++k)
      for (std::size_t j = 0; j < columns; ++j) sums[j / side] += static_cast<double>(first[k * columns + j]);
    for (std::size_t j = 0; j < grid.columns; ++j) {
      const std::size_t cells = (end - i) * (std::min((j + 1) * side, columns) - j * side);
      grid.values.push_back(sums[j] / static_cast<double>(cells));
    }
  }
  return grid;
}

Grid slice(const sim::Field& field) {
  const auto& shape = field.shape();
  const std::size_t rows = shape[shape.size() - 2];
  const std::size_t columns = shape[shape.size() - 1];
  const std::size_t middle = shape.size() == 3 ? shape[0] / 2 * rows * columns : 0;
  const std::size_t side = std::max<std::size_t>((std::max(rows, columns) + kLargest - 1) / kLargest, 1);
  return with_type(field.type(), [&]<class T>(TypeTag<T>) {
    return averaged(static_cast<const T*>(field.data()) + middle, rows, columns, side);
  });
}

bool is_positions(const sim::Field& field) {
  return field.name().starts_with("position") && is_fraction(field.type()) && field.shape().size() == 2 &&
         (field.shape()[1] == 2 || field.shape()[1] == 3) && field.shape()[0] > 0;
}

/// The least and the greatest along one axis but for the half percent beyond each.
ValueRange most_of(std::vector<double> places) {
  std::erase_if(places, [](double place) { return !std::isfinite(place); });
  if (places.empty()) return {-1, 1};
  const auto beyond = static_cast<std::ptrdiff_t>(places.size() / 200);
  std::ranges::nth_element(places, places.begin() + beyond);
  const double low = places[static_cast<std::size_t>(beyond)];
  std::ranges::nth_element(places, places.end() - 1 - beyond);
  return {low, *(places.end() - 1 - beyond)};
}

/// log10(1 + number) of the particles in each square.
Grid density(const sim::Field& field) {
  const std::size_t n = field.shape()[0];
  std::vector<double> x(n), y(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = at(field, i * field.shape()[1]);
    y[i] = at(field, i * field.shape()[1] + 1);
  }
  const ValueRange across = most_of(x);
  const ValueRange up = most_of(y);
  const double widest = std::max({across.high - across.low, up.high - up.low, std::numeric_limits<double>::min()});
  const double size = 1.1 * widest;
  const double left = (across.low + across.high - size) / 2;
  const double top = (up.low + up.high + size) / 2;
  // About four squares a particle.
  const auto side = std::clamp<std::size_t>(static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(n))), 64, kSmall);
  Grid grid{side, side, std::vector<double>(side * side)};
  const auto cells = static_cast<double>(side);
  for (std::size_t i = 0; i < n; ++i) {
    const double column = (x[i] - left) / size * cells;
    const double row = (top - y[i]) / size * cells;
    if (column >= 0 && column < cells && row >= 0 && row < cells)
      ++grid.values[static_cast<std::size_t>(row) * side + static_cast<std::size_t>(column)];
  }
  for (double& value : grid.values) value = std::log10(1 + value);
  return grid;
}

/// The range of the finite values, widened where they are all the same.
ValueRange range_of(const std::vector<double>& values) {
  ValueRange range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  if (range.low > range.high) return {0, 1};
  if (range.low == range.high) {
    const double half = range.low == 0 ? 1 : std::abs(range.low) / 2;
    return {range.low - half, range.high + half};
  }
  return range;
}

/// 0 at its low end, 1 at its high one. By halves, since the difference of large numbers may overflow.
double share_of(double value, const ValueRange& range) {
  return (value / 2 - range.low / 2) / (range.high / 2 - range.low / 2);
}

/// Marks on the bar of a density: how many particles a square has.
std::vector<Mark> counts(double high) {
  std::vector<Mark> all{{0, "0"}};
  for (double power = 1; std::log10(1 + power) <= high; power *= 10)
    for (const double count : {power, 3 * power})
      if (std::log10(1 + count) <= high) all.push_back({std::log10(1 + count), fmt::format("{:g}", count)});
  return all;
}

long widest_text(const std::vector<Mark>& all) {
  std::size_t most = 0;
  for (const Mark& mark : all) most = std::max(most, mark.text.size());
  return static_cast<long>(most) * kGlyphWidth;
}

Picture drawn(const Grid& grid, const ValueRange& range, const std::vector<Mark>& bar_marks) {
  constexpr long kGap = 14;
  constexpr long kBar = 20;
  const std::size_t magnified = std::max<std::size_t>(kSmall / std::max(grid.rows, grid.columns), 1);
  const std::size_t width = grid.columns * magnified;
  const std::size_t height = grid.rows * magnified;
  // The bar needs some height even beside a flat grid.
  const std::size_t tall = std::max<std::size_t>(height, 160) + static_cast<std::size_t>(kGlyphHeight);
  const long right = static_cast<long>(width) + kGap + kBar + 6 + 4 + widest_text(bar_marks) + 2;
  Picture picture(static_cast<std::size_t>(right), tall);

  const auto colour_of = [&](double value) {
    if (!std::isfinite(value)) return kGrey;
    const double share = std::clamp(share_of(value, range), 0.0, 1.0);
    return colours()[static_cast<std::size_t>(share * 255 + 0.5)];
  };
  const std::size_t above = (tall - height) / 2;
  for (std::size_t i = 0; i < grid.rows; ++i)
    for (std::size_t j = 0; j < grid.columns; ++j)
      picture.fill(static_cast<long>(j * magnified), static_cast<long>(above + i * magnified), static_cast<long>(magnified),
                   static_cast<long>(magnified), colour_of(grid.values[i * grid.columns + j]));

  const long bar_left = static_cast<long>(width) + kGap;
  const long bar_top = kGlyphHeight / 2;
  const long bar_height = static_cast<long>(tall) - kGlyphHeight;
  for (long y = 0; y < bar_height; ++y) {
    const auto shade = static_cast<std::size_t>((bar_height - 1 - y) * 255 / std::max(bar_height - 1, 1L));
    picture.fill(bar_left, bar_top + y, kBar, 1, colours()[shade]);
  }
  for (const Mark& mark : bar_marks) {
    const long y = bar_top + std::lround((1 - share_of(mark.value, range)) * static_cast<double>(bar_height - 1));
    picture.fill(bar_left + kBar, y - 1, 6, 2, kInk);
    picture.number(bar_left + kBar + 10, y - kGlyphHeight / 2, mark.text, kInk);
  }
  return picture;
}

/// Values over their index.
Picture curve(const sim::Field& field, const std::optional<ValueRange>& wanted) {
  constexpr std::size_t kWidth = 768;
  constexpr std::size_t kHeight = 384;
  const std::size_t side = std::max<std::size_t>((field.size() + kLargest - 1) / kLargest, 1);
  const Grid grid = with_type(field.type(), [&]<class T>(TypeTag<T>) {
    // As one column, whose squares are `side` values.
    return averaged(static_cast<const T*>(field.data()), field.size(), 1, side);
  });
  const ValueRange range = wanted.value_or(range_of(grid.values));
  const std::vector<Mark> left_marks = marks(range.low, range.high, 6);
  const auto left = static_cast<double>(widest_text(left_marks) + 14);
  const auto top = static_cast<double>(kGlyphHeight);
  const double right = kWidth - 2.0 * kGlyphWidth;
  const double bottom = kHeight - 2.0 * kGlyphHeight - 6;
  Picture picture(kWidth, kHeight);
  const auto y_of = [&](double value) { return bottom - share_of(value, range) * (bottom - top); };
  const auto x_of = [&](double index) {
    return left + index / static_cast<double>(std::max<std::size_t>(field.size() - 1, 1)) * (right - left);
  };
  for (const Mark& mark : left_marks) {
    picture.fill(std::lround(left) - 6, std::lround(y_of(mark.value)), 6, 2, kInk);
    picture.number(0, std::lround(y_of(mark.value)) - kGlyphHeight / 2, mark.text, kInk);
  }
  for (const Mark& mark : marks(0, static_cast<double>(std::max<std::size_t>(field.size() - 1, 1)), 8)) {
    picture.fill(std::lround(x_of(mark.value)), std::lround(bottom), 2, 6, kInk);
    picture.number(std::lround(x_of(mark.value)) - static_cast<long>(mark.text.size()) * kGlyphWidth / 2, std::lround(bottom) + 10,
                   mark.text, kInk);
  }
  picture.line(left, top, left, bottom, kInk);
  picture.line(left, bottom, right, bottom, kInk);
  const auto place = [&](std::size_t k) { return static_cast<double>(k * side) + static_cast<double>(side - 1) / 2; };
  const auto shown = [&](std::size_t k) {
    return std::isfinite(grid.values[k]) && grid.values[k] >= range.low && grid.values[k] <= range.high;
  };
  for (std::size_t k = 0; k < grid.rows; ++k) {
    if (!shown(k)) continue;
    const std::size_t next = k + 1 < grid.rows && shown(k + 1) ? k + 1 : k;
    picture.line(x_of(place(k)), y_of(grid.values[k]), x_of(place(next)), y_of(grid.values[next]), kLine);
  }
  return picture;
}

}  // namespace

ValueRange parse_range(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto low = number_in<double>(std::string_view(text).substr(0, colon));
  const auto high = number_in<double>(std::string_view(text).substr(std::min(colon + 1, text.size())));
  if (!low || !high || !std::isfinite(*low) || !std::isfinite(*high) || *low >= *high)
    fail("a range is two numbers, the smaller first, as in 0:1.5, not \"" + text + "\"");
  return {*low, *high};
}

Picture field_picture(const sim::Field& field, const std::optional<ValueRange>& range) {
  if (field.size() == 0 || field.shape().empty() || field.shape().size() > 3)
    fail("there are no pictures of the field " + std::string(field.name()) + ", of " + std::to_string(field.shape().size()) +
         " dimensions and " + std::to_string(field.size()) + " values");
  if (is_positions(field)) {
    const Grid grid = density(field);
    const ValueRange found{0, std::max(range_of(grid.values).high, std::log10(2.0))};
    return drawn(grid, found, counts(found.high));
  }
  if (field.shape().size() == 1) return curve(field, range);
  const Grid grid = slice(field);
  const ValueRange shown = range.value_or(range_of(grid.values));
  return drawn(grid, shown, marks(shown.low, shown.high, 6));
}

}  // namespace furrow::tools
