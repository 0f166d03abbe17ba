#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.hpp"

namespace furrow::fuzz {
namespace {

char byte(Random& random) {
  constexpr std::string_view kTelling("\0\x01\x7F\x80\xFF\n\t '\"(){}[],.:=<>!+-*/0123456789eE_", 40);
  return random() % 2 == 0 ? kTelling[below(random, kTelling.size())] : static_cast<char>(random());
}

void change_one(Random& random, std::string& text) {
  const std::size_t at = below(random, text.size() + 1);
  const std::size_t length = std::min(text.size() - at, std::size_t{1} + below(random, random() % 4 == 0 ? 64 : 4));
  switch (below(random, 8)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(random, 8)));
      return;
    case 1:
      if (at < text.size()) text[at] = byte(random);
      return;
    case 2:
      text.insert(at, 1, byte(random));
      return;
    case 3:
      text.erase(at, length);
      return;
    case 4:
      text.insert(at, text.substr(below(random, text.size() + 1), length));
      return;
    case 5: {  // again and again, as what nests or grows too long
      const std::string part = text.substr(at, length);
      const std::size_t most = 1 + 2000 / (part.size() + 1);
      std::string repeated;
      for (std::size_t times = below(random, random() % 16 == 0 ? most : 4); times > 0; --times) repeated += part;
      text.insert(at, repeated);
      return;
    }
    default:
      text.insert(at, pieces()[below(random, pieces().size())]);
  }
}

}  // namespace

void mutate(Random& random, std::string& text) {
  for (std::size_t changes = below(random, 4); changes > 0; --changes) change_one(random, text);
}

void found(const std::string& what) {
  std::fprintf(stderr, "found: %s\n", what.c_str());
  std::abort();
}

void check_message(std::string_view message) {
  constexpr std::size_t kLongest = 2000;
  if (message.size() < 10 || message.size() > kLongest) found("a message of " + std::to_string(message.size()) + " characters");
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20 && c != '\n') || c == 0x7F; };
  if (std::ranges::any_of(message, is_control)) found("control characters in a message: " + std::string(message));
}

}  // namespace furrow::fuzz
