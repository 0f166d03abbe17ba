#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "furrow/kernels/random.hpp"

// The SIMD code that makes random numbers, for kernels that use them where they are made.

namespace furrow::random {

/// Makes the numbers of `count` groups from `group` on; a and b are the parameters of the law. Group g of a stream are the numbers
/// kPerGroup<T> · g and following.
template <class T>
using Make = void (*)(const RandomNumbers& numbers, std::uint64_t group, std::size_t count, T* out, T a, T b);
/// As many numbers as a group has.
template <class T>
inline constexpr std::size_t kPerGroup = std::is_same_v<T, float> ? 128 : 64;

/// That of normal numbers, for the instruction set in use.
Make<double> normal_groups();

}  // namespace furrow::random
