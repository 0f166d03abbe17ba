#pragma once

namespace furrow::math {

/// e^x = 2^k (1 + r + r² q(r)), k = x / ln 2 rounded to an integer, |r| ≤ ln 2 / 2: for math_functions.hpp, which has fused
/// multiply-add, and simulations/option_paths.cpp, which does without. Logarithms share the parts of ln 2.
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr float kInverseLn2 = 0x1.715476p+0F;
  static constexpr float kLn2High = 0x1.62e4p-1F;  // so few digits that its products with k are exact
  static constexpr float kLn2Low = 0x1.7f7d1cp-20F;
  static constexpr float kSeries[] = {0x1p-1, 0x1.555492p-3, 0x1.5554cp-5, 0x1.1239a2p-7, 0x1.6d7ad8p-10};  // of q
};

template <>
struct ExpConstants<double> {
  static constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
  static constexpr double kLn2High = 0x1.62e42fefa38p-1;
  static constexpr double kLn2Low = 0x1.ef35793c7673p-45;
  static constexpr double kSeries[] = {0x1p-1,
                                       0x1.555555555555cp-3,
                                       0x1.55555555531dp-5,
                                       0x1.111111110e658p-7,
                                       0x1.6c16c17cd7648p-10,
                                       0x1.a01a01b62b351p-13,
                                       0x1.a019aae87536ap-16,
                                       0x1.71dde91d5268ep-19,
                                       0x1.289fd2475217p-22,
                                       0x1.af78401683b8ap-26};
};

}  // namespace furrow::math
