#pragma once

#include <cstddef>
#include <cstdint>

namespace furrow::selection {

/// Copies those x[i], i in [0, n), whose chosen[i] is 1 and not 0 to the front of `to`, in order, and returns how many. What lies
/// behind them in to[0, n) is overwritten. In SIMD code chosen at run time.
std::size_t pack(const std::uint8_t* x, const unsigned char* chosen, std::size_t n, std::uint8_t* to);
std::size_t pack(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* to);
std::size_t pack(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* to);

/// Copies those x[i], i in [0, n), whose chosen[i] is 1 to `yes` and those whose chosen[i] is 0 to `no`, in order, past the cache
/// or not. Nothing behind them is written.
void part(const std::uint8_t* x, const unsigned char* chosen, std::size_t n, std::uint8_t* yes, std::uint8_t* no, bool stream);
void part(const std::uint32_t* x, const unsigned char* chosen, std::size_t n, std::uint32_t* yes, std::uint32_t* no, bool stream);
void part(const std::uint64_t* x, const unsigned char* chosen, std::size_t n, std::uint64_t* yes, std::uint64_t* no, bool stream);

}  // namespace furrow::selection
