// The reader of .npy files: any bytes end in an Error with a sentence or in a header that says what the text of the file says, and
// then in the very bytes of the file.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tests/fuzz/target.hpp"
#include "tools/npy.hpp"

namespace furrow::fuzz {
namespace {

std::size_t taken = 0;

constexpr std::string_view kDescriptions[] = {"<f4", "<f8", "<i4", "<i8", "|u1"};

/// The text of a header, without what makes no difference: spaces, kinds of quotes, last commas.
std::string bare(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view(" \t\n").find(c) != std::string_view::npos) continue;
    if ((c == '}' || c == ')') && result.ends_with(',')) result.pop_back();
    result += c == '"' ? '\'' : c;
  }
  return result;
}

/// Whether the text says no more and no less than the header, its keys in any order.
bool says(std::string_view text, const npy::Header& header) {
  const auto known = static_cast<std::size_t>(std::ranges::find(kTypes, header.type) - kTypes.begin());
  std::string shape;
  for (const std::size_t extent : header.shape) shape += std::to_string(extent) + ",";
  for (const char* order : {"False", "True"}) {
    if (*order == 'T' && header.shape.size() > 1) continue;
    std::array<std::string, 3> entries{"'descr':'" + std::string(kDescriptions[known]) + "'",
                                       "'fortran_order':" + std::string(order), "'shape':(" + shape + ")"};
    std::ranges::sort(entries);
    do {
      if (bare(text) == bare("{" + entries[0] + "," + entries[1] + "," + entries[2] + "}")) return true;
    } while (std::ranges::next_permutation(entries).found);
  }
  return false;
}

npy::Header parse(std::string_view file, std::uint64_t size) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  return npy::parse_header({bytes, std::min(file.size(), npy::kLongestHeader)}, size);
}

void check_header(std::string_view file, std::uint64_t size, const npy::Header& header) {
  if (header.shape.empty() || header.shape.size() > 3) found("a shape of " + std::to_string(header.shape.size()) + " extents");
  std::size_t elements = 1;
  for (const std::size_t extent : header.shape)
    if (extent == 0) elements = 0;
  for (const std::size_t extent : header.shape)
    if (elements != 0 && __builtin_mul_overflow(elements, extent, &elements)) found("a shape that overflows");
  if (header.elements != elements) found("another number of elements than the shape's");
  if (header.data_offset > size || header.bytes() != size - header.data_offset) found("a size that is not the shape's");
  const std::size_t before = file[6] == 1 ? 10 : 12;
  if (!says(file.substr(before, header.data_offset - before), header)) found("a header that says something else");
}

/// The number in front of `unit` in a message.
std::uint64_t number_before(std::string_view message, std::string_view unit) {
  const std::size_t end = message.find(unit);
  const std::size_t begin = message.substr(0, end).find_last_not_of("0123456789") + 1;
  std::uint64_t number = 0;
  std::from_chars(message.data() + begin, message.data() + end, number);
  return number;
}

/// If the message says by how much the file is too long or too short, one of the right size must be taken.
void check_claim(std::string_view file, std::string_view message) {
  constexpr std::string_view kNeeds = " bytes of data, the file holds ";
  constexpr std::string_view kMore = " bytes more than its shape";
  std::uint64_t size = file.size();
  if (message.starts_with("the file is cut short: shape ")) {
    std::uint64_t held = 0;
    const std::size_t at = message.find(kNeeds) + kNeeds.size();
    std::from_chars(message.data() + at, message.data() + message.size(), held);
    size += number_before(message, kNeeds) - held;
  } else if (message.starts_with("the file has ")) {
    size -= number_before(message, kMore);
  } else {
    return;
  }
  check_header(file, size, parse(file, size));
}

/// The file as such, read in parts.
void check_reading(std::string_view file, const npy::Header& header) {
  static const int descriptor = memfd_create("fuzz.npy", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, file.data(), file.size(), 0) != static_cast<ssize_t>(file.size())) return;
  const npy::Input input(path);
  if (input.header().shape != header.shape || input.header().data_offset != header.data_offset) found("a file read otherwise");
  const std::size_t size = type_bytes(header.type);
  const std::size_t step = header.elements / 3 + 1;
  for (Range part; part.begin < header.elements; part.begin = part.end) {
    part.end = std::min(part.begin + step, header.elements);
    std::vector<char> data(part.size() * size);
    input.read(part, data.data());
    if (file.substr(header.data_offset + part.begin * size, data.size()) != std::string_view(data.data(), data.size()))
      found("other data than the file's");
  }
}

void check(std::string_view file) {
  npy::Header header;
  try {
    header = parse(file, file.size());
  } catch (const Error& error) {
    check_message(error.what());
    return check_claim(file, error.what());
  }
  check_header(file, file.size(), header);
  const std::string again = npy::make_header(header.type, header.shape) + std::string(file.substr(header.data_offset));
  check_header(again, again.size(), parse(again, again.size()));
  check_reading(file, header);
  ++taken;
}

}  // namespace

/// A file of a few numbers, whose header may have been changed before it was given its length. Some are said to hold very many: as
/// many more than fit 64 bits as the file really holds.
std::string sample(Random& random) {
  constexpr std::size_t kMany[] = {std::size_t{1} << 31, std::size_t{1} << 32,       std::size_t{1} << 61,
                                   std::size_t{1} << 62, (std::size_t{1} << 61) + 1, (std::size_t{1} << 63) - 1,
                                   ~std::size_t{0}};
  constexpr std::size_t kMostBytes = 4096;
  const std::size_t known = below(random, std::size(kTypes));
  std::string shape;
  std::size_t elements = 1;
  for (std::size_t left = 1 + below(random, 3); left > 0; --left) {
    const std::size_t extent = random() % 8 == 0 ? kMany[below(random, std::size(kMany))] : below(random, 8);
    elements *= extent;
    shape += std::to_string(extent) + (left > 1 || random() % 2 == 0 || shape.empty() ? ", " : "");
  }
  std::array<std::string, 3> entries{"'descr': '" + std::string(kDescriptions[known]) + "'", "'fortran_order': False",
                                     "'shape': (" + shape + ")"};
  std::ranges::shuffle(entries, random);
  std::string text = "{" + entries[0] + ", " + entries[1] + ", " + entries[2] + (random() % 2 == 0 ? ", }" : "}");
  if (random() % 4 == 0) std::ranges::replace(text, '\'', '"');
  if (random() % 4 == 0) mutate(random, text);
  const std::size_t version = 1 + below(random, 3);
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  text.append(63 - (8 + length_bytes + text.size()) % 64, ' ');
  text += '\n';
  std::string file("\x93NUMPY", 6);
  file += {static_cast<char>(version), '\0'};
  for (std::size_t i = 0; i < length_bytes; ++i) file += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  file += text;
  const std::size_t bytes = elements * type_bytes(kTypes[known]);
  for (std::size_t i = 0; i < bytes && bytes <= kMostBytes; ++i) file += static_cast<char>(random());
  return file;
}

std::span<const std::string_view> pieces() {
  static constexpr std::string_view kPieces[] = {"'descr'",
                                                 "'fortran_order'",
                                                 "'shape'",
                                                 "'<f4'",
                                                 "'<f8'",
                                                 "'<i4'",
                                                 "'<i8'",
                                                 "'>f8'",
                                                 "'|O'",
                                                 "'|u1'",
                                                 "'<f2'",
                                                 "True",
                                                 "False",
                                                 "None",
                                                 "()",
                                                 "(1,)",
                                                 "(0,)",
                                                 "(2, 3)",
                                                 "(-1,)",
                                                 "(007,)",
                                                 "(18446744073709551615,)",
                                                 "(9223372036854775807,)",
                                                 "(1152921504606846976,)",
                                                 "0, ",
                                                 "1, ",
                                                 "4294967296, ",
                                                 "2147483648, ",
                                                 "99999999999999999999, ",
                                                 ": ",
                                                 ", ",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 "\\",
                                                 "\"",
                                                 "'",
                                                 "\n",
                                                 "\x93NUMPY",
                                                 "[('a', '<f8')]",
                                                 "1L",
                                                 "0x1",
                                                 "1.0"};
  return kPieces;
}

std::size_t accepted() {
  return taken;
}

}  // namespace furrow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  furrow::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
