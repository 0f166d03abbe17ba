#include "tools/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace furrow::tools {

std::vector<Mark> marks(double low, double high, int most) {
  std::vector<Mark> all;
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high) || !std::isfinite(high - low)) return all;
  const double wanted = (high - low) / std::max(most, 1);
  const double power = std::pow(10, std::floor(std::log10(wanted)));
  const double step = wanted <= power ? power : wanted <= 2 * power ? 2 * power : wanted <= 5 * power ? 5 * power : 10 * power;
  const double largest = std::max(std::abs(low), std::abs(high));
  const int telling = static_cast<int>(std::ceil(std::log10(largest / step) + 1e-9)) + 1;
  const int whole = largest < 1e7 ? static_cast<int>(std::floor(std::log10(largest))) + 1 : 1;  // 200000 rather than 2e+05
  const int digits = std::clamp(std::max(telling, whole), 1, 16);
  const double first = std::ceil(low / step - 1e-9);
  if (!(step > 0) || std::abs(first) > 1e15) return all;  // closer together than numbers of 64 bits are
  for (double k = first; k * step <= high + 1e-9 * step; ++k) {
    const double value = k == 0 ? 0.0 : k * step;  // no -0
    all.push_back({value, fmt::format("{:.{}g}", value, digits)});
  }
  return all;
}

std::string with_prefix(double value) {
  constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  while (std::abs(value) >= 999.5 && prefix + 1 < std::size(kPrefixes)) value /= 1000, ++prefix;
  const int decimals = std::abs(value) >= 99.95 ? 0 : std::abs(value) >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}{}", value, decimals, prefix == 0 ? "" : " ", kPrefixes[prefix]);
}

}  // namespace furrow::tools
