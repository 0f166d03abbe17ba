#include "tools/npy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "furrow/engine/error.hpp"
#include "tools/console.hpp"

namespace furrow::npy {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

/// What a file calls a type.
std::string_view description(Type type) {
  constexpr std::array<std::string_view, kTypes.size()> kDescriptions{"<f4", "<f8", "<i4", "<i8", "|u1"};
  return kDescriptions[static_cast<std::size_t>(type)];
}

/// Text from a file, fit for a message.
std::string shown(std::string_view text) {
  std::string safe;
  for (const char c : text.substr(0, 40)) safe += c >= 0x20 && c < 0x7F ? c : '?';
  return text.size() > 40 ? safe + "…" : safe;
}

Type type_from(std::string_view text) {
  for (const Type type : kTypes)
    if (description(type) == text) return type;
  std::string why;
  if (text.starts_with('>'))
    why = " is big-endian; convert it with NumPy: x.astype('<f8')";
  else if (text.starts_with("|O"))
    why = " holds Python objects, not numbers";
  else
    why = " is not supported; furrow reads float32, float64, int32, int64 and uint8 ('<f4', '<f8', '<i4', '<i8', '|u1')";
  fail("its element type '" + shown(text) + "'" + why);
}

/// The header's text: one Python dictionary of three known keys. A parser for just that, so that nothing else gets through.
class Dictionary {
 public:
  explicit Dictionary(std::string_view text) : text_(text) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr")
        set(type_, type(), key);
      else if (key == "fortran_order")
        set(fortran_order_, boolean(), key);
      else if (key == "shape")
        set(shape_, shape(), key);
      else
        wrong("the unknown key '" + shown(key) + "'");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) wrong("text behind the dictionary");
    if (!type_) wrong("no 'descr'");
    if (!fortran_order_) wrong("no 'fortran_order'");
    if (!shape_) wrong("no 'shape'");
    if (*fortran_order_ && shape_->size() > 1) fail("it is in Fortran order; convert it with NumPy: numpy.ascontiguousarray(x)");
    return {.type = *type_, .shape = *std::move(shape_)};
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    fail("its header is broken: " + what + " at character " + std::to_string(at_));
  }

  template <class T>
  void set(std::optional<T>& slot, T value, std::string_view key) {
    if (slot) wrong("a second '" + std::string(key) + "'");
    slot = std::move(value);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) wrong(std::string("'") + c + "' is missing");
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string_view string() {
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    if (quote == '\0') wrong("a string is missing");
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) wrong("a string does not end");
    const std::string_view content = text_.substr(at_, end - at_);
    if (content.find('\\') != std::string_view::npos) wrong("a backslash in a string");
    at_ = end + 1;
    return content;
  }

  Type type() {
    if (accept('[')) fail("it holds structured records, not plain numbers; save one field, x['name'], instead");
    return type_from(string());
  }

  bool boolean() {
    if (accept_word("True")) return true;
    if (accept_word("False")) return false;
    wrong("True or False is missing");
  }

  std::vector<std::size_t> shape() {
    expect('(');
    std::vector<std::size_t> extents;
    bool comma = true;
    while (!accept(')')) {
      if (!comma) wrong("',' is missing");
      if (extents.size() == 3) fail("it has more than 3 dimensions; reshape it to at most 3");
      extents.push_back(extent());
      comma = accept(',');
    }
    if (extents.empty()) fail("it holds a single number without dimensions (shape ()); save numpy.atleast_1d(x) instead");
    if (extents.size() == 1 && !comma) wrong("a shape that is no tuple");
    return extents;
  }

  std::size_t extent() {
    if (accept('-')) fail("its shape has a negative extent");
    skip_space();
    std::size_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("its shape has an extent that overflows 64 bits");
    if (error != std::errc()) wrong("a whole number is missing");
    if (*begin == '0' && end - begin > 1) wrong("a whole number that begins with 0");  // nor does Python read one
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Type> type_;
  std::optional<bool> fortran_order_;
  std::optional<std::vector<std::size_t>> shape_;
};

/// Throws Error if the bytes of such an array are more than fit a size, even with the extents that are 0 left out.
std::size_t count_elements(const Header& header) {
  std::size_t bytes = type_bytes(header.type);
  bool empty = false;
  for (const std::size_t extent : header.shape) {
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(bytes, extent, &bytes))
      bytes = std::numeric_limits<std::size_t>::max();
    if (bytes > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()))
      fail("its shape " + to_string(header.shape) + " overflows: so many elements fit no file");
  }
  return empty ? 0 : bytes / type_bytes(header.type);
}

/// Calls `transfer` (pread or pwrite) until all is done. Returns how much was; errno tells why not more, 0 at the end of the file.
template <class Transfer, class Byte>
std::size_t transfer_all(Transfer transfer, int descriptor, Byte* memory, std::size_t bytes, std::size_t offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t moved = transfer(descriptor, memory + done, bytes - done, static_cast<off_t>(offset + done));
    if (moved > 0) {
      done += static_cast<std::size_t>(moved);
    } else if (moved == 0) {
      errno = 0;
      break;
    } else if (errno != EINTR) {
      break;
    }
  }
  return done;
}

}  // namespace

Header parse_header(std::span<const unsigned char> start, std::uint64_t file_size) {
  const std::string_view bytes(reinterpret_cast<const char*>(start.data()), start.size());
  const auto number = [&](std::size_t at, std::size_t length) {
    std::size_t value = 0;
    for (std::size_t i = length; i-- > 0;) value = value << 8 | start[at + i];
    return value;
  };
  if (file_size == 0) fail("the file is empty");
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size()))
    fail("it does not begin like a .npy file; save it with numpy.save");
  if (bytes.size() < kMagic.size() + 4) fail("the file is cut short: it ends inside the header");
  const std::size_t major = start[6];
  const std::size_t minor = start[7];
  if (major < 1 || major > 3 || minor != 0)
    fail("its format version " + std::to_string(major) + "." + std::to_string(minor) +
         " is not known; furrow reads 1.0, 2.0 and 3.0");
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t text_begin = kMagic.size() + 2 + length_bytes;
  if (bytes.size() < text_begin) fail("the file is cut short: it ends inside the header");
  const std::size_t length = number(8, length_bytes);
  if (length > kLongestHeader - 12)
    fail("its header claims " + std::to_string(length) + " bytes; furrow takes at most " + std::to_string(kLongestHeader - 12));
  if (text_begin + length > file_size || text_begin + length > bytes.size())
    fail("the file is cut short: it ends inside the header");
  std::string_view text = bytes.substr(text_begin, length);
  if (!text.ends_with('\n')) fail("its header is broken: it does not end with a newline");

  Header header = Dictionary(text).parse();
  header.elements = count_elements(header);
  header.data_offset = text_begin + length;
  const std::uint64_t held = file_size - header.data_offset;
  if (held < header.bytes())
    fail("the file is cut short: shape " + to_string(header.shape) + " of " + std::string(type_name(header.type)) + " needs " +
         std::to_string(header.bytes()) + " bytes of data, the file holds " + std::to_string(held));
  if (held > header.bytes())
    fail("the file has " + std::to_string(held - header.bytes()) + " bytes more than its shape " + to_string(header.shape) +
         " of " + std::string(type_name(header.type)) + " says");
  return header;
}

std::string make_header(Type type, std::span<const std::size_t> shape) {
  std::string text =
      "{'descr': '" + std::string(description(type)) + "', 'fortran_order': False, 'shape': " + to_string(shape) + ", }";
  const std::size_t before = kMagic.size() + 4;
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  return header + text;
}

std::string to_string(std::span<const std::size_t> shape) {
  std::string text = "(";
  for (std::size_t d = 0; d < shape.size(); ++d) text += (d > 0 ? ", " : "") + std::to_string(shape[d]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

Input::Input(const std::string& path) : path_(path) {
  // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail("cannot open " + path + ": " + std::strerror(errno));
  try {
    struct stat status = {};
    if (fstat(descriptor_, &status) != 0) fail(std::strerror(errno));
    if (S_ISDIR(status.st_mode)) fail("it is a directory");
    if (!S_ISREG(status.st_mode))
      fail("it is not a regular file (a pipe or device cannot be read in any order); save it to disk first");
    const auto file_size = static_cast<std::uint64_t>(status.st_size);
    std::vector<unsigned char> start(std::min<std::uint64_t>(kLongestHeader, file_size));
    if (transfer_all(pread, descriptor_, start.data(), start.size(), 0) < start.size())
      fail(errno != 0 ? std::strerror(errno) : "the file was cut short while it was read");
    header_ = parse_header(start, file_size);
  } catch (const Error& problem) {
    close(descriptor_);
    fail("cannot read " + path + ": " + problem.what());
  }
  posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);  // a hint: reads ahead further
}

Input::~Input() {
  if (descriptor_ >= 0) close(descriptor_);
}

Input::Input(Input&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), header_(std::move(other.header_)) {}

void Input::read(Range part, void* to) const {
  const std::size_t size = type_bytes(header_.type);
  const std::size_t got =
      transfer_all(pread, descriptor_, static_cast<char*>(to), part.size() * size, header_.data_offset + part.begin * size);
  if (got < part.size() * size)
    fail("cannot read " + path_ + ": " + (errno != 0 ? std::strerror(errno) : "the file was cut short while it was read"));
}

Output::Output(const std::string& path, Type type, std::span<const std::size_t> shape)
    : path_(path), element_bytes_(type_bytes(type)) {
  namespace fs = std::filesystem;
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) fail_to_write(EISDIR);
  if (exists && !S_ISREG(old.st_mode)) fail("cannot write " + path + ": it is not a regular file");
  std::error_code error;
  target_ = exists ? fs::canonical(path, error).string() : path;
  if (error) fail_to_write(error.value());
  const fs::path target(target_);
  if (target.filename().empty()) fail_to_write(EISDIR);

  const std::string header = make_header(type, shape);
  data_offset_ = header.size();
  std::size_t bytes = element_bytes_;
  for (const std::size_t extent : shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes)) fail_to_write(EFBIG);
  if (__builtin_add_overflow(bytes, header.size(), &bytes) || bytes > static_cast<std::size_t>(std::numeric_limits<off_t>::max()))
    fail_to_write(EFBIG);

  temporary_ =
      (target.parent_path() / ("." + target.filename().string().substr(0, 200) + "." + std::to_string(getpid()) + ".tmp")).string();
  descriptor_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(errno);
  console::remove_if_killed(temporary_);
  try {
    if (exists && fchmod(descriptor_, old.st_mode & 0777) != 0) fail_to_write(errno);
    int reserved = 0;
    do reserved = posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
    while (reserved == EINTR && (console::throw_if_stopped(), true));
    if (reserved != 0) fail_to_write(reserved);
    if (transfer_all(pwrite, descriptor_, header.data(), header.size(), 0) < header.size()) fail_to_write(errno);
  } catch (...) {
    discard();
    throw;
  }
}

Output::~Output() {
  discard();
}

void Output::discard() {
  if (descriptor_ < 0) return;
  unlink(temporary_.c_str());
  console::remove_if_killed({});
  close(std::exchange(descriptor_, -1));
}

void Output::write(Range part, const void* from) const {
  const std::size_t bytes = part.size() * element_bytes_;
  if (transfer_all(pwrite, descriptor_, static_cast<const char*>(from), bytes, data_offset_ + part.begin * element_bytes_) < bytes)
    fail_to_write(errno != 0 ? errno : EIO);
}

void Output::commit() {
  // Some file systems report only here that something could not be stored.
  const int closed = close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
  const int error = closed != 0 ? closed : std::rename(temporary_.c_str(), target_.c_str()) == 0 ? 0 : errno;
  if (error != 0) unlink(temporary_.c_str());
  console::remove_if_killed({});
  if (error != 0) fail_to_write(error);
}

void Output::fail_to_write(int error) const {
  fail("cannot write " + path_ + ": " + std::strerror(error));
}

}  // namespace furrow::npy
