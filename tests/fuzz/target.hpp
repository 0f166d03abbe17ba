#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

// What a fuzz target and the programs that drive it know of each other. A target is LLVMFuzzerTestOneInput and the functions
// below; driver.cpp runs it in the tests, with any compiler, and libFuzzer where the compiler is clang (./dev fuzz).

/// libFuzzer's name for what looks at one input. Returns 0; ends the program if a property does not hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace furrow::fuzz {

using Random = std::mt19937_64;

/// An input worth changing a little: most of these are valid, all of them nearly so.
std::string sample(Random& random);

/// Pieces of text that mean something to what is tested.
std::span<const std::string_view> pieces();

/// How many inputs were taken for good so far.
std::size_t accepted();

/// Changes a few places: bits, bytes and ranges of them flipped, put in, taken out, repeated, and pieces put in.
void mutate(Random& random, std::string& text);

/// Ends the program and says why: an input was found for which a property does not hold.
[[noreturn]] void found(const std::string& what);

/// That a message to the user is a sentence: some text, not too long, without control characters.
void check_message(std::string_view message);

/// A number below `end`, which is not 0.
inline std::size_t below(Random& random, std::size_t end) {
  return random() % end;
}

}  // namespace furrow::fuzz
