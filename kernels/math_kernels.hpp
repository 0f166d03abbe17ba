#pragma once

#include <array>
#include <cstddef>

#include "furrow/kernels/math.hpp"

namespace furrow::math {

/// out[i] = f(a[i]) or f(a[i], b[i]) for i in [0, n); one of one argument does not look at b. `out` may be `a` or `b`. With
/// `past_cache`, results are streamed.
template <class T>
using Kernel = void (*)(const T* a, const T* b, T* out, std::size_t n, bool past_cache);

/// The SIMD code for one element type and one instruction set.
template <class T>
struct Kernels {
  std::array<Kernel<T>, named::kUnaryNames.size()> unary;
  std::array<Kernel<T>, named::kBinaryNames.size()> binary;
};

/// Those of both element types.
struct Tables {
  Kernels<float> f32;
  Kernels<double> f64;
};

/// Those of the instruction set in use. T is float or double.
template <class T>
const Kernels<T>& kernels();

}  // namespace furrow::math
