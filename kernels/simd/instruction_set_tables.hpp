#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "furrow/kernels/instruction_set.hpp"

// For files that Highway's foreach_target compiles once for each instruction set: the choice among what came of it.

namespace furrow {

/// What one instruction set has.
template <class Table>
struct Built {
  std::string_view instruction_set;
  const Table* table;
};

/// That of the instruction set which all named kernels use; else the last, which runs everywhere.
template <class Table>
const Table& chosen_of(std::span<const Built<Table>> built) {
  const std::string name = instruction_set();
  for (const Built<Table>& one : built)
    if (one.instruction_set == name) return *one.table;
  return *built.back().table;
}

}  // namespace furrow

#if HWY_TARGETS & HWY_AVX3
#define FURROW_AVX512_TABLE(name) {"avx512", &N_AVX3::name},
#else
#define FURROW_AVX512_TABLE(name)
#endif
#if HWY_TARGETS & HWY_AVX2
#define FURROW_AVX2_TABLE(name) {"avx2", &N_AVX2::name},
#else
#define FURROW_AVX2_TABLE(name)
#endif
#if HWY_TARGETS & HWY_SSE4
#define FURROW_SSE4_TABLE(name) {"sse4", &N_SSE4::name},
#else
#define FURROW_SSE4_TABLE(name)
#endif
#if HWY_TARGETS & HWY_SSSE3
#define FURROW_SSSE3_TABLE(name) {"ssse3", &N_SSSE3::name},
#else
#define FURROW_SSSE3_TABLE(name)
#endif

/// The elements of an array of Built: `name` is a constant in each namespace HWY_NAMESPACE of the one that this stands in.
#define FURROW_TABLES(name)                                                  \
  FURROW_AVX512_TABLE(name)                                                  \
  FURROW_AVX2_TABLE(name) FURROW_SSE4_TABLE(name) FURROW_SSSE3_TABLE(name) { \
    "baseline", &HWY_NAMESPACE::name                                         \
  }
