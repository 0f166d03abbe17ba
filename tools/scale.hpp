#pragma once

#include <string>
#include <vector>

namespace furrow::tools {

/// A number where a scale has its mark, and as what it is written there.
struct Mark {
  double value;
  std::string text;
};

/// Marks at multiples of 1, 2 or 5 times a power of ten within [low, high], at most about `most` of them, with the digits that tell
/// them apart. Empty unless low < high, both finite.
std::vector<Mark> marks(double low, double high, int most);

/// "8.52 M": with three digits and the prefix of a thousand, million, … that they need.
std::string with_prefix(double value);

}  // namespace furrow::tools
