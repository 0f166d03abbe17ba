#include "tools/npy.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"

namespace furrow::npy {
namespace {

namespace fs = std::filesystem;

/// A file with the given header text, which is padded as NumPy pads it, and `data` bytes behind it.
std::string file_with(std::string text, std::size_t data, char version = 1) {
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  text.append(63 - (8 + length_bytes + text.size()) % 64, ' ');
  text += '\n';
  std::string file("\x93NUMPY", 6);
  file += {version, '\0'};
  for (std::size_t i = 0; i < length_bytes; ++i) file += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return file + text + std::string(data, '\x3F');
}

std::string dictionary(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

Header parse(const std::string& file) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  return parse_header({bytes, std::min(file.size(), kLongestHeader)}, file.size());
}

std::string error_of(const std::string& file) {
  try {
    (void)parse(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Folder : public testing::Test {
 protected:
  Folder() {
    std::string name = (fs::temp_directory_path() / "furrow-npy-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() override { fs::remove_all(path_); }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), {})); }

  fs::path path_;
};
using NpyFile = Folder;

TEST(NpyHeader, IsRead) {
  const Header header = parse(file_with(dictionary("'<f8'", "(2, 3, 4)"), 192));
  EXPECT_EQ(header.type, Type::f64);
  EXPECT_EQ(header.shape, (std::vector<std::size_t>{2, 3, 4}));
  EXPECT_EQ(header.elements, 24U);
  EXPECT_EQ(header.data_offset, 128U);
  for (const char version : {'\1', '\2', '\3'}) EXPECT_EQ(parse(file_with(dictionary("'<i4'", "(5,)"), 20, version)).elements, 5U);
  EXPECT_EQ(parse(file_with(dictionary("'<f4'", "(0,)"), 0)).elements, 0U);
  EXPECT_EQ(parse(file_with(dictionary("'<f4'", "(7, 0)"), 0)).shape, (std::vector<std::size_t>{7, 0}));
  EXPECT_EQ(parse(file_with(dictionary("'<i8'", "(3,)", "True"), 24)).elements, 3U);  // one dimension has no order
  EXPECT_EQ(parse(file_with("{\"shape\":(1,1),\"descr\":\"<f8\",\"fortran_order\":False}", 8)).elements, 1U);
}

TEST(NpyHeader, WrittenOnesAreReadAndAligned) {
  for (const Type type : kTypes) {
    for (const std::vector<std::size_t>& shape :
         {std::vector<std::size_t>{0}, {1}, {1234567890123}, {3, 0, 2}, {1000, 2000}, {9, 9, 9}}) {
      const std::string text = make_header(type, shape);
      EXPECT_EQ(text.size() % 64, 0U);
      EXPECT_EQ(text.back(), '\n');
      if (shape[0] > 1'000'000) continue;
      std::size_t n = type_bytes(type);
      for (const std::size_t extent : shape) n *= extent;
      const Header header = parse(text + std::string(n, 'x'));
      EXPECT_EQ(header.type, type);
      EXPECT_EQ(header.shape, shape);
      EXPECT_EQ(header.data_offset, text.size());
    }
  }
  EXPECT_EQ(to_string(std::vector<std::size_t>{3}), "(3,)");
  EXPECT_EQ(to_string(std::vector<std::size_t>{3, 4}), "(3, 4)");
}

TEST(NpyHeader, SaysWhatIsWrong) {
  struct Case {
    std::string file;
    const char* message;
  };
  std::string long_header = file_with(dictionary("'<f8'", "(1,)"), 8, 2);
  long_header.replace(8, 4, "\xFF\xFF\xFF\xFF");
  std::string beyond = file_with(dictionary("'<f8'", "(1,)"), 8);
  beyond.replace(8, 2, "\xFF\xFF");
  std::string no_newline = file_with(dictionary("'<f8'", "(1,)"), 8);
  no_newline[127] = ' ';
  std::string version = file_with(dictionary("'<f8'", "(1,)"), 8);
  for (const Case& c : {
           Case{"", "empty"},
           Case{"PK\3\4 not an array", "does not begin like"},
           Case{"\x93NUMPZ\1\0", "does not begin like"},
           Case{version.replace(6, 1, std::string(1, '\0')), "version 0.0"},
           Case{version.replace(6, 1, "\x09"), "version 9.0"},
           Case{version.replace(6, 2, "\1\1"), "version 1.1"},
           Case{long_header, "claims 4294967295 bytes"},
           Case{beyond, "ends inside the header"},
           Case{no_newline, "newline"},
           Case{file_with(dictionary("'|O'", "(1,)"), 8), "Python objects"},
           Case{file_with(dictionary("'>f8'", "(1,)"), 8), "big-endian"},
           Case{file_with(dictionary("'<f2'", "(1,)"), 8), "'<f2' is not supported"},
           Case{file_with(dictionary("'|b1'", "(1,)"), 8), "not supported"},
           Case{file_with(dictionary("'<c16'", "(1,)"), 16), "not supported"},
           Case{file_with(dictionary("'<U5'", "(1,)"), 20), "not supported"},
           Case{file_with(dictionary("'\x1B[2J'", "(1,)"), 8), "'?[2J'"},
           Case{file_with(dictionary("[('a', '<f8'), ('b', '<i4')]", "(1,)"), 12), "structured"},
           Case{file_with(dictionary("'<f8'", "(2, 3)", "True"), 48), "Fortran order"},
           Case{file_with(dictionary("'<f8'", "()"), 8), "single number"},
           Case{file_with(dictionary("'<f8'", "(1, 1, 1, 1)"), 8), "more than 3 dimensions"},
           Case{file_with(dictionary("'<f8'", "(-1,)"), 8), "negative"},
           Case{file_with(dictionary("'<f8'", "(4294967296, 4294967296)"), 0), "overflows"},
           Case{file_with(dictionary("'<f8'", "(2305843009213693953,)"), 8), "overflows"},
           Case{file_with(dictionary("'<f8'", "(0, 4611686018427387904, 4)"), 0), "overflows"},
           Case{file_with(dictionary("'<f8'", "(99999999999999999999,)"), 8), "overflows"},
           Case{file_with(dictionary("'<f8'", "(4,)"), 31), "cut short"},
           Case{file_with(dictionary("'<f8'", "(4,)"), 33), "1 bytes more"},
           Case{file_with(dictionary("'<f8'", "(1)"), 8), "no tuple"},
           Case{file_with(dictionary("'<f8'", "1"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(1.0,)"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(0x1,)"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(01,)"), 8), "begins with 0"},
           Case{file_with(dictionary("'<f8'", "(1,", "False"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(1 1)"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(,)"), 8), "broken"},
           Case{file_with(dictionary("'<f8'", "(1,)", "1"), 8), "True or False"},
           Case{file_with(dictionary("'<f8", "(1,)"), 8), "not supported"},
           Case{file_with("{'descr': '<f8", 8), "a string does not end"},
           Case{file_with(dictionary("'<\\x66' '8'", "(1,)"), 8), "backslash"},
           Case{file_with(dictionary("__import__('os').system('true')", "(1,)"), 8), "broken"},
           Case{file_with("{'descr': '<f8', 'shape': (1,), }", 8), "no 'fortran_order'"},
           Case{file_with("{'fortran_order': False, 'shape': (1,), }", 8), "no 'descr'"},
           Case{file_with("{'descr': '<f8', 'fortran_order': False, }", 8), "no 'shape'"},
           Case{file_with("{}", 8), "no 'descr'"},
           Case{file_with("", 8), "broken"},
           Case{file_with("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 8), "a second 'descr'"},
           Case{file_with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'extra': 1}", 8), "unknown key 'extra'"},
           Case{file_with(dictionary("'<f8'", "(1,)") + " 1", 8), "behind the dictionary"},
           Case{file_with(dictionary("'<f8'", "(1,)") + std::string(1, '\0'), 8), "behind the dictionary"},
       }) {
    const std::string message = error_of(c.file);
    EXPECT_NE(message.find(c.message), std::string::npos) << c.message << " is not in: " << message;
  }
}

TEST(NpyHeader, EveryTruncationIsAnError) {
  for (const char version : {'\1', '\2'}) {
    const std::string file = file_with(dictionary("'<f8'", "(3,)"), 24, version);
    for (std::size_t length = 0; length < file.size(); ++length) EXPECT_NE(error_of(file.substr(0, length)), "") << length;
    EXPECT_EQ(error_of(file), "");
  }
}

TEST(NpyHeader, ChangedBytesNeverCrash) {
  const std::string file = file_with(dictionary("'<f8'", "(3,)"), 24);
  std::mt19937_64 bits(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = file;
    for (std::uint64_t k = 1 + bits() % 3; k > 0; --k) changed[bits() % 128] = static_cast<char>(bits());
    try {
      const Header header = parse(changed);
      EXPECT_EQ(header.bytes() + header.data_offset, changed.size());
    } catch (const Error&) {
    }
  }
}

TEST_F(NpyFile, IsReadPiecewise) {
  std::string content = make_header(Type::i32, std::vector<std::size_t>{1000});
  for (int i = 0; i < 1000; ++i) content.append(reinterpret_cast<const char*>(&i), sizeof(i));
  const Input input(write("x.npy", content));
  EXPECT_EQ(input.header().elements, 1000U);
  std::vector<int> part(10, -1);
  input.read({500, 509}, part.data());
  EXPECT_EQ(part[0], 500);
  EXPECT_EQ(part[8], 508);
  EXPECT_EQ(part[9], -1);
}

TEST_F(NpyFile, CutShortWhileItIsReadIsAnError) {
  const std::string path = write("x.npy", make_header(Type::f64, std::vector<std::size_t>{1000}) + std::string(8000, 'x'));
  const Input input(path);
  fs::resize_file(path, 4000);
  std::vector<double> all(1000);
  try {
    input.read({0, 1000}, all.data());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cut short while it was read"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
  }
}

TEST_F(NpyFile, OnlyRegularFilesAreRead) {
  const std::string fifo = (path_ / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, path_.string(), std::string("/dev/zero"), (path_ / "missing").string(), std::string()}) {
    try {
      const Input input(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
    }
  }
}

TEST_F(NpyFile, IsWrittenWholeOrNotAtAll) {
  const std::string path = (path_ / "out.npy").string();
  const std::vector<std::size_t> shape{2, 3};
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  {
    Output output(path, Type::f32, shape);
    output.write({3, 6}, values.data() + 3);
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_EQ(files(), 0U);
  write("out.npy", "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  {
    Output output(path, Type::f32, shape);
    output.write({3, 6}, values.data() + 3);
    output.write({0, 3}, values.data());
    EXPECT_EQ(read("out.npy"), "old");
    output.commit();
  }
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(read("out.npy"), make_header(Type::f32, shape) + std::string(reinterpret_cast<const char*>(values.data()), 24));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(NpyFile, ALinkGoesOnPointingAtItsFile) {
  write("real.npy", "old");
  fs::create_symlink("real.npy", path_ / "link.npy");
  Output output((path_ / "link.npy").string(), Type::f64, std::vector<std::size_t>{0});
  output.commit();
  EXPECT_TRUE(fs::is_symlink(path_ / "link.npy"));
  EXPECT_EQ(read("real.npy"), make_header(Type::f64, std::vector<std::size_t>{0}));
}

TEST_F(NpyFile, SaysWhyItCannotBeWritten) {
  struct Case {
    std::string path;
    const char* reason;
    std::vector<std::size_t> shape;
  };
  const std::string file = write("file", "");
  for (const Case& c : {Case{path_.string(), "Is a directory", {1}}, Case{"/dev/full", "not a regular file", {1}},
                        Case{path_.string() + "/none/out.npy", "No such file or directory", {1}},
                        Case{file + "/out.npy", "Not a directory", {1}}, Case{path_.string() + "/", "Is a directory", {1}},
                        Case{path_.string() + "/big.npy", "File too large", {std::size_t{1} << 60}}}) {
    try {
      const Output output(c.path, Type::f64, c.shape);
      FAIL() << c.path;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("cannot write " + c.path + ": "), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(c.reason), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace furrow::npy
