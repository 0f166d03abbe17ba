#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/engine/engine.hpp"

namespace furrow::selection {

/// A matrix and where it goes, or a part of one: out[j · out_stride + i] = in[i · in_stride + j] for i < rows, j < columns.
template <class Word>
struct Turn {
  const Word* in;
  std::ptrdiff_t in_stride;
  std::size_t rows;
  std::size_t columns;
  Word* out;
  std::ptrdiff_t out_stride;
};

/// Does it, in SIMD code chosen at run time; `in` and `out` are apart.
void transpose(Engine& engine, Cost& cost, const Turn<std::uint8_t>& whole);
void transpose(Engine& engine, Cost& cost, const Turn<std::uint16_t>& whole);
void transpose(Engine& engine, Cost& cost, const Turn<std::uint32_t>& whole);
void transpose(Engine& engine, Cost& cost, const Turn<std::uint64_t>& whole);

}  // namespace furrow::selection
