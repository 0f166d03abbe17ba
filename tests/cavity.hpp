#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "furrow/kernels/simulations/lbm.hpp"

// The square cavity with a moving lid: published profiles, and how far from them a flow is.

namespace furrow::cavity {

/// Ghia, Ghia and Shin, Journal of Computational Physics 48 (1982), tables I and II: velocities along the lines through the middle,
/// in units of the lid's, which is at y = 1; the cavity's width is 1.
inline constexpr std::size_t kPoints = 17;
struct Profile {
  double reynolds;
  std::array<double, kPoints> u;  ///< to the right, at (1/2, kY[i])
  std::array<double, kPoints> v;  ///< up, at (kX[i], 1/2)
};
inline constexpr std::array<double, kPoints> kY{1,      0.9766, 0.9688, 0.9609, 0.9531, 0.8516, 0.7344, 0.6172, 0.5,
                                                0.4531, 0.2813, 0.1719, 0.1016, 0.0703, 0.0625, 0.0547, 0};
inline constexpr std::array<double, kPoints> kX{1,      0.9688, 0.9609, 0.9531, 0.9453, 0.9063, 0.8594, 0.8047, 0.5,
                                                0.2344, 0.2266, 0.1563, 0.0938, 0.0781, 0.0703, 0.0625, 0};
inline constexpr Profile kGhia[] = {
    {100,
     {1, 0.84123, 0.78871, 0.73722, 0.68717, 0.23151, 0.00332, -0.13641, -0.20581, -0.21090, -0.15662, -0.10150, -0.06434, -0.04775,
      -0.04192, -0.03717, 0},
     {0, -0.05906, -0.07391, -0.08864, -0.10313, -0.16914, -0.22445, -0.24533, 0.05454, 0.17527, 0.17507, 0.16077, 0.12317, 0.10890,
      0.10091, 0.09233, 0}},
    {400,
     {1, 0.75837, 0.68439, 0.61756, 0.55892, 0.29093, 0.16256, 0.02135, -0.11477, -0.17119, -0.32726, -0.24299, -0.14612, -0.10338,
      -0.09266, -0.08186, 0},
     {0, -0.12146, -0.15663, -0.19254, -0.22847, -0.23827, -0.44993, -0.38598, 0.05186, 0.30174, 0.30203, 0.28124, 0.22965, 0.20920,
      0.19713, 0.18360, 0}},
    {1000,
     {1, 0.65928, 0.57492, 0.51117, 0.46604, 0.33304, 0.18719, 0.05702, -0.06080, -0.10648, -0.27805, -0.38289, -0.29730, -0.22220,
      -0.20196, -0.18109, 0},
     {0, -0.21388, -0.27669, -0.33714, -0.39188, -0.51550, -0.42665, -0.31966, 0.02526, 0.32235, 0.33075, 0.37095, 0.32627, 0.30353,
      0.29012, 0.27485, 0}},
};

/// Whether v of that point is out of line with its neighbours: taken for a misprint in the table, and left out.
constexpr bool misprinted(const Profile& profile, std::size_t point) {
  return profile.reynolds == 400 && kX[point] == 0.9063;
}

/// A cubic through four of n cells, whose middles are at (i + 1/2) / n.
template <class At>
double between(std::size_t n, double where, const At& at) {
  const double place = where * static_cast<double>(n) - 0.5;
  const auto first = static_cast<std::size_t>(std::clamp(std::floor(place) - 1, 0.0, static_cast<double>(n) - 4));
  double value = 0;
  for (std::size_t i = first; i < first + 4; ++i) {
    double weight = 1;
    for (std::size_t j = first; j < first + 4; ++j)
      if (j != i) weight *= (place - static_cast<double>(j)) / (static_cast<double>(i) - static_cast<double>(j));
    value += weight * at(i);
  }
  return value;
}

/// The velocity of a square flow at (x, y), of an odd number of cells if x or y is 1/2, in units of `lid`.
inline double velocity(const std::vector<sim::Field>& fields, std::size_t component, double x, double y, double lid) {
  const std::size_t n = fields[0].shape()[0];
  const auto values = fields[component].values<double>();
  return between(n, 1 - y,
                 [&](std::size_t row) { return between(n, x, [&](std::size_t column) { return values[row * n + column]; }); }) /
         lid;
}
inline double u_at(const std::vector<sim::Field>& fields, double y, double lid) {
  return velocity(fields, 2, 0.5, y, lid);
}
inline double v_at(const std::vector<sim::Field>& fields, double x, double lid) {
  return velocity(fields, 3, x, 0.5, lid);
}

struct Errors {
  double greatest = 0;
  double mean = 0;
};

/// Between a flow and one of the profiles, over all points but those on walls, in units of the lid's velocity.
inline Errors errors(const sim::LBM2D& flow, double lid, std::size_t profile) {
  const Profile& published = kGhia[profile];
  const auto fields = flow.fields();
  Errors errors;
  double points = 0;
  const auto note = [&](double error) {
    errors.greatest = std::max(errors.greatest, std::abs(error));
    errors.mean += std::abs(error);
    ++points;
  };
  for (std::size_t i = 1; i + 1 < kPoints; ++i) {
    note(u_at(fields, kY[i], lid) - published.u[i]);
    if (!misprinted(published, i)) note(v_at(fields, kX[i], lid) - published.v[i]);
  }
  errors.mean /= points;
  return errors;
}

}  // namespace furrow::cavity
