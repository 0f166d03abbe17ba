#include "furrow/kernels/simulations/checkpoint.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL  // so that nothing has to be linked
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "furrow/engine/write_all.hpp"

namespace furrow::sim {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr std::array<char, 8> kMagic{'F', 'U', 'R', 'R', 'O', 'W', 'C', 'P'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kLongestHeader = 1 << 20;

struct Prelude {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t header_bytes = 0;
};

class Hash {
 public:
  Hash() : state_(XXH3_createState()) {
    if (!state_) throw std::bad_alloc();
    XXH3_64bits_reset(state_.get());
  }
  void update(const void* data, std::size_t bytes) { XXH3_64bits_update(state_.get(), data, bytes); }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

std::string to_json(const Checkpoint& checkpoint) {
  nlohmann::ordered_json json{{"simulation", checkpoint.simulation}, {"step", checkpoint.step}, {"sizes", checkpoint.sizes}};
  nlohmann::ordered_json& settings = json["settings"] = nlohmann::ordered_json::object();
  for (const Setting& setting : checkpoint.settings) settings[setting.name] = setting.text;
  return json.dump();
}

Checkpoint from_json(const std::string& text) {
  const auto json = nlohmann::ordered_json::parse(text);
  Checkpoint checkpoint{json.at("simulation"), json.at("step"), {}, json.at("sizes")};
  for (const auto& [name, value] : json.at("settings").items()) checkpoint.settings.push_back({name, value});
  return checkpoint;
}

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  fail("cannot write the checkpoint " + path + ": " + std::strerror(error) + "; what was there is unchanged");
}

/// A file under a name of its own until it is whole.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".writing") {
    do {
      if (descriptor_ >= 0) close(descriptor_);
      descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      if (descriptor_ < 0) fail_to_write(path_, errno);
      // Whoever was killed while writing has left the file, but not the lock.
      if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        close(descriptor_);
        fail("cannot write the checkpoint " + path_ + ": another process is writing it; give each run a checkpoint of its own");
      }
    } while (!is_in_place());  // else it is now somebody's finished checkpoint
    if (ftruncate(descriptor_, 0) != 0) stop(errno);
  }
  ~NewFile() { discard(); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// Makes sure that the disk has room, where the file system can tell.
  void reserve(std::uint64_t bytes) {
    const int error = posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
    if (error != 0 && error != EOPNOTSUPP && error != EINVAL) stop(error);
  }

  void append(const void* data, std::size_t bytes) {
    if (const int error = write_all(descriptor_, data, bytes); error != 0) stop(error);
  }

  void commit() {
    if (fsync(descriptor_) != 0) stop(errno);
    keep_previous();
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) stop(errno);
    close(std::exchange(descriptor_, -1));
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    const int opened = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return;  // it is there; only a crash of the whole machine could still undo that
    fsync(opened);
    close(opened);
  }

 private:
  /// By a second name of the same file, so that there is one at `path` at all times; where names cannot be shared, by renaming.
  void keep_previous() {
    const std::string previous = previous_of(path_);
    const std::string linked = previous + ".linking";
    unlink(linked.c_str());
    if (link(path_.c_str(), linked.c_str()) == 0) {
      if (std::rename(linked.c_str(), previous.c_str()) != 0) stop(errno);
      unlink(linked.c_str());  // still there if both were names of one file already
    } else if (errno != ENOENT && std::rename(path_.c_str(), previous.c_str()) != 0) {
      stop(errno);
    }
  }

  /// Whether the open file still has the temporary name, which another process may have taken from it before it was locked.
  bool is_in_place() const {
    struct stat own {};
    struct stat there {};
    return fstat(descriptor_, &own) == 0 && stat(temporary_.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
           own.st_ino == there.st_ino;
  }

  [[noreturn]] void stop(int error) {
    discard();
    fail_to_write(path_, error);
  }

  void discard() {
    if (descriptor_ < 0) return;
    unlink(temporary_.c_str());
    close(std::exchange(descriptor_, -1));
  }

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// Throws unless `path` names nothing yet or a checkpoint.
void expect_replaceable(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  std::array<char, 8> start{};
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool known = file >= 0 && pread(file, start.data(), start.size(), 0) == std::ssize(start) && start == kMagic;
  if (file >= 0) close(file);
  if (!known) fail("cannot write the checkpoint " + path + ": what is there is no checkpoint; remove it or name another file");
}

}  // namespace

std::string previous_of(const std::string& path) {
  return path + ".previous";
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint, std::span<const std::span<std::byte>> state) {
  std::error_code ignored;
  const std::filesystem::path followed = std::filesystem::weakly_canonical(path, ignored);
  const std::string target = followed.empty() ? path : followed.string();  // so that a link goes on pointing at its file
  expect_replaceable(target);

  const std::string header = to_json(checkpoint);
  const Prelude prelude{.header_bytes = static_cast<std::uint32_t>(header.size())};
  Hash beginning;
  beginning.update(&prelude, sizeof prelude);
  beginning.update(header.data(), header.size());
  const std::uint64_t beginning_hash = beginning.value();
  std::uint64_t bytes = sizeof prelude + header.size() + 2 * sizeof(std::uint64_t);
  for (const auto& part : state) bytes += part.size();

  NewFile file(target);
  file.reserve(bytes);
  file.append(&prelude, sizeof prelude);
  file.append(header.data(), header.size());
  file.append(&beginning_hash, sizeof beginning_hash);
  Hash values;
  constexpr std::size_t kPiece = std::size_t{1} << 20;  // is still in cache when it is written after hashing
  for (const auto& part : state) {
    for (std::size_t done = 0; done < part.size(); done += kPiece) {
      const std::size_t piece = std::min(kPiece, part.size() - done);
      values.update(part.data() + done, piece);
      file.append(part.data() + done, piece);
    }
  }
  const std::uint64_t values_hash = values.value();
  file.append(&values_hash, sizeof values_hash);
  file.commit();
}

CheckpointFile::CheckpointFile(const std::string& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) fail_as(std::strerror(errno));
  try {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) fail_as(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail_as("it is not a file");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    Prelude prelude;
    if (size < sizeof prelude) fail_as("it is not a furrow checkpoint");
    read_at(0, &prelude, sizeof prelude);
    if (prelude.magic != kMagic) fail_as("it is not a furrow checkpoint");
    if (prelude.version != kVersion)
      fail_as("it is of version " + std::to_string(prelude.version) + ", and this furrow reads version " +
              std::to_string(kVersion));
    data_begin_ = sizeof prelude + prelude.header_bytes + sizeof(std::uint64_t);
    if (prelude.header_bytes > kLongestHeader) fail_as("it is damaged: its beginning does not match its checksum");
    if (size < data_begin_) fail_as("it has been cut short");
    std::string header(prelude.header_bytes, ' ');
    read_at(sizeof prelude, header.data(), header.size());
    std::uint64_t expected = 0;
    read_at(data_begin_ - sizeof expected, &expected, sizeof expected);
    Hash hash;
    hash.update(&prelude, sizeof prelude);
    hash.update(header.data(), header.size());
    if (hash.value() != expected) fail_as("it is damaged: its beginning does not match its checksum");
    try {
      checkpoint_ = from_json(header);
    } catch (const nlohmann::json::exception& problem) {
      fail_as(std::string("its description cannot be read: ") + problem.what());
    }
    std::uint64_t end = data_begin_ + sizeof(std::uint64_t);
    for (const std::uint64_t part : checkpoint_.sizes)
      if (__builtin_add_overflow(end, part, &end)) fail_as("its description makes no sense");
    if (size != end)
      fail_as("it has " + std::to_string(size) + " bytes and should have " + std::to_string(end) +
              (size < end ? "; it has been cut short" : ""));
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

CheckpointFile::~CheckpointFile() {
  close(descriptor_);
}

void CheckpointFile::read(std::span<std::byte> to) const {
  Hash hash;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  for (std::size_t done = 0; done < to.size(); done += kPiece) {
    const std::size_t piece = std::min(kPiece, to.size() - done);
    read_at(data_begin_ + done, to.data() + done, piece);
    hash.update(to.data() + done, piece);
  }
  std::uint64_t expected = 0;
  read_at(data_begin_ + to.size(), &expected, sizeof expected);
  if (hash.value() != expected) fail_as("it is damaged: its values do not match their checksum");
}

void CheckpointFile::read_at(std::uint64_t from, void* to, std::size_t bytes) const {
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor_, next, bytes, static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_as(std::strerror(errno));
    if (got == 0) fail_as("it has been cut short");
    next += got;
    from += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

void CheckpointFile::fail_as(const std::string& reason) const {
  std::string message = "cannot go on from the checkpoint " + path_ + ": " + reason;
  if (!path_.ends_with(".previous") && access(previous_of(path_).c_str(), R_OK) == 0)
    message += "; " + previous_of(path_) + " is the one before it";
  fail(message);
}

}  // namespace furrow::sim
