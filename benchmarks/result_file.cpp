#include "benchmarks/result_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "furrow/engine/error.hpp"
#include "furrow/engine/write_all.hpp"

namespace furrow::bench {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  fail("cannot write " + path + ": " + std::strerror(error));
}

int open_to_write(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

}  // namespace

ResultFile::ResultFile(const std::string& path) : path_(path), target_(path) {
  if (path.empty()) return;
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    if (S_ISDIR(old.st_mode) || access(path.c_str(), W_OK) != 0) fail_to_write(path, S_ISDIR(old.st_mode) ? EISDIR : errno);
    return;
  }
  if (exists) {
    if (access(path.c_str(), W_OK) != 0) fail_to_write(path, errno);
    std::error_code error;
    target_ = std::filesystem::canonical(path, error).string();
    if (error) fail_to_write(path, error.value());
  }
  temporary_ = target_ + "." + std::to_string(getpid()) + ".tmp";
  const int file = open_to_write(temporary_);
  if (file < 0) fail_to_write(path, errno);
  close(file);
  unlink(temporary_.c_str());
}

void ResultFile::write(std::string_view text) const {
  const bool replace = !temporary_.empty();
  const int file = open_to_write(replace ? temporary_ : target_);
  if (file < 0) fail_to_write(path_, errno);
  struct stat old = {};
  int error = 0;
  if (replace && stat(target_.c_str(), &old) == 0 && fchmod(file, old.st_mode & 0777) != 0) error = errno;
  if (error == 0) error = write_all(file, text.data(), text.size());
  if (error == 0 && replace && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && replace && std::rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  if (error == 0) return;
  if (replace) unlink(temporary_.c_str());
  fail_to_write(path_, error);
}

}  // namespace furrow::bench
