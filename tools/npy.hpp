#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/chunks.hpp"
#include "furrow/kernels/types.hpp"

/// NumPy's array files, as far as furrow computes on them: little-endian float32, float64, int32, int64 and uint8, of one
/// to three dimensions, in C order. Files are read and written piecewise, never mapped or held whole.
namespace furrow::npy {

struct Header {
  Type type = Type::f64;
  std::vector<std::size_t> shape;
  std::size_t elements = 0;     ///< product of the shape
  std::size_t data_offset = 0;  ///< bytes of the file before element 0

  std::size_t bytes() const { return elements * type_bytes(type); }
};

/// Reads the header at the beginning of a file of `file_size` bytes, of which `start` are the first (all, or at least
/// kLongestHeader). Nothing in it is trusted. Throws Error, without the file's name, saying what is wrong.
Header parse_header(std::span<const unsigned char> start, std::uint64_t file_size);
inline constexpr std::size_t kLongestHeader = (std::size_t{1} << 20) + 12;

/// What NumPy itself writes before the data: format version 1.0, a multiple of 64 bytes.
std::string make_header(Type type, std::span<const std::size_t> shape);

/// As Python writes it: "(3, 4)", "(3,)".
std::string to_string(std::span<const std::size_t> shape);

/// A file open for reading.
class Input {
 public:
  /// Throws Error with the path if it cannot be opened, is not a regular file, or is not such an array.
  explicit Input(const std::string& path);
  ~Input();
  Input(Input&& other) noexcept;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const std::string& path() const { return path_; }
  const Header& header() const { return header_; }

  /// Copies elements [part.begin, part.end) to `to`. From any thread. Throws Error with the path if they cannot be read, or if the
  /// file has become shorter.
  void read(Range part, void* to) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  Header header_;
};

/// A file being written: under a temporary name in the target's folder, until commit() gives it its own. Without commit() nothing
/// is left of it. Its space is reserved at once, so a full disk is an error before any work.
class Output {
 public:
  /// Throws Error with the path and the system's reason.
  Output(const std::string& path, Type type, std::span<const std::size_t> shape);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Stores elements [part.begin, part.end). From any thread.
  void write(Range part, const void* from) const;
  /// Replaces whatever is at `path`, at once.
  void commit();

 private:
  void discard();
  [[noreturn]] void fail_to_write(int error) const;

  std::string path_;    // as given, for messages
  std::string target_;  // with links followed, so that a link goes on pointing at its file
  std::string temporary_;
  int descriptor_ = -1;
  std::size_t element_bytes_;
  std::size_t data_offset_;
};

}  // namespace furrow::npy
