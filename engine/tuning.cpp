#include "furrow/engine/tuning.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/threads.hpp"
#include "furrow/engine/warning.hpp"

namespace furrow {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "furrow-tuning-1";
constexpr std::uintmax_t kLargestFile = std::uintmax_t{4} << 20;

/// What the file holds; an empty object if there is no file. Throws Error, saying what is wrong, if it is not a tuning file of this
/// format.
json read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return json::object();
  if (!std::filesystem::is_regular_file(path, error)) fail("it is not a regular file");
  if (std::filesystem::file_size(path, error) > kLargestFile) fail("it is larger than 4 MiB");
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(std::string("it cannot be read: ") + std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  json content = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (content.is_discarded() || !content.is_object()) fail("it is not valid JSON");
  const auto format = content.find("format");
  if (format == content.end() || !format->is_string()) fail("it does not say its format");
  if (*format != kFormat) fail("its format is \"" + format->get<std::string>() + "\", not \"" + kFormat + "\"");
  const auto machines = content.find("machines");
  if (machines == content.end() || !machines->is_object()) fail("it has no table of machines");
  return content;
}

std::string text_of(const json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::size_t> whole_number(const json& value, std::size_t least) {
  if (!value.is_number_unsigned() || value.get<std::size_t>() < least) return std::nullopt;
  return value.get<std::size_t>();
}

/// A table of an entry, with a value for each backend and kernel.
struct Field {
  const char* key;
  const char* kind;                                ///< what its values are, for people
  bool (*read)(const json& value, KernelTuning&);  ///< false if the value makes no sense
  json (*write)(const KernelTuning&);              ///< null if there is none
};

constexpr Field kFields[] = {
    {"serial_below", "a whole number",
     [](const json& value, KernelTuning& tuned) { return (tuned.serial_below = whole_number(value, 0)).has_value(); },
     [](const KernelTuning& tuned) { return tuned.serial_below ? json(*tuned.serial_below) : json(); }},
    {"grain", "a whole number from 1 on",
     [](const json& value, KernelTuning& tuned) { return (tuned.grain = whole_number(value, 1)).has_value(); },
     [](const KernelTuning& tuned) { return tuned.grain ? json(*tuned.grain) : json(); }},
    {"schedule", "\"stable\" or \"dynamic\"",
     [](const json& value, KernelTuning& tuned) {
       if (value == "stable") tuned.schedule = Schedule::stable;
       if (value == "dynamic") tuned.schedule = Schedule::dynamic;
       return tuned.schedule.has_value();
     },
     [](const KernelTuning& tuned) {
       return !tuned.schedule ? json() : json(*tuned.schedule == Schedule::stable ? "stable" : "dynamic");
     }},
};

void read_field(const json& entry, const Field& field, Tuning& tuning) {
  const auto table = entry.find(field.key);
  if (table == entry.end()) return;
  const std::string key = std::string("\"") + field.key + "\"";
  if (!table->is_object()) fail(key + " is not an object");
  for (const auto& [backend, kernels] : table->items()) {
    if (!kernels.is_object()) fail(key + " of \"" + backend + "\" is not an object");
    for (const auto& [kernel, value] : kernels.items())
      if (!field.read(value, tuning.kernels[backend][kernel])) fail(key + " of \"" + kernel + "\" is not " + field.kind);
  }
}

/// Throws Error if the entry is not what save() writes.
Tuning parse_entry(const json& entry) {
  if (!entry.is_object()) fail("this machine's entry is not an object");
  Tuning tuning;
  tuning.backend = text_of(entry, "backend");
  tuning.reason = text_of(entry, "reason");
  tuning.measured = text_of(entry, "measured");
  const std::vector<std::string> known = backends();
  if (std::ranges::find(known, tuning.backend) == known.end())
    fail("it picks the backend \"" + tuning.backend + "\", which this program does not have");
  for (const Field& field : kFields) read_field(entry, field, tuning);
  return tuning;
}

json to_json(const Tuning& tuning) {
  json entry = {{"backend", tuning.backend}, {"reason", tuning.reason}, {"measured", tuning.measured}};
  for (const Field& field : kFields) {
    json& table = entry[field.key] = json::object();
    for (const auto& [backend, kernels] : tuning.kernels)
      for (const auto& [kernel, tuned] : kernels)
        if (json value = field.write(tuned); !value.is_null()) table[backend][kernel] = std::move(value);
  }
  return entry;
}

[[noreturn]] void fail_to_write(const std::string& path, const std::string& reason) {
  fail("the tuning file " + path + " cannot be written: " + reason + "; set FURROW_TUNING to a path that can be");
}
[[noreturn]] void fail_to_write(const std::string& path, int error) {
  fail_to_write(path, std::strerror(error));
}

/// Holds a lock on a folder while it lives, so that of two processes that save at once neither entry is lost.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ >= 0) flock(descriptor_, LOCK_EX);
  }
  ~FolderLock() {
    if (descriptor_ < 0) return;
    fsync(descriptor_);
    flock(descriptor_, LOCK_UN);  // closing is not enough: the child of a fork() meanwhile has the lock too
    close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

/// Writes `text` to a temporary file beside `path`, then renames: readers see the old file or the new one, whole.
void replace_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail_to_write(path, errno);
  int error = 0;
  for (std::size_t done = 0; done < text.size() && error == 0;) {
    const ssize_t wrote = write(file, text.data() + done, text.size() - done);
    if (wrote >= 0)
      done += static_cast<std::size_t>(wrote);
    else if (errno != EINTR)
      error = errno;
  }
  if (error == 0 && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  unlink(temporary.c_str());
  fail_to_write(path, error);
}

}  // namespace

std::string Tuning::path() {
  if (const char* named = std::getenv("FURROW_TUNING"); named != nullptr && *named != '\0')
    return std::strcmp(named, "none") == 0 ? std::string() : std::string(named);
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
    return std::string(config) + "/furrow/tuning.json";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.config/furrow/tuning.json";
  return {};
}

std::string Tuning::machine_key() {
  const Machine& here = machine();
  const CpuAllowance allowed = cpu_allowance();
  return here.cpu + "; " + std::to_string(allowed.cpus()) + " CPUs; L2 " + std::to_string(here.l2_bytes >> 10) + " KiB; L3 " +
         std::to_string(here.l3_bytes >> 10) + " KiB";
}

std::shared_ptr<const Tuning> Tuning::load() {
  const std::string file = path();
  if (file.empty()) return nullptr;
  try {
    const json content = read_file(file);
    const auto machines = content.find("machines");
    if (machines == content.end()) return nullptr;
    const auto entry = machines->find(machine_key());
    if (entry == machines->end()) return nullptr;
    return std::make_shared<const Tuning>(parse_entry(*entry));
  } catch (const std::exception& problem) {
    warn_once("the tuning file " + file + " is ignored: " + problem.what() + "; `furrow bench` writes a new one");
    return nullptr;
  }
}

void Tuning::save() const {
  const std::string file = path();
  if (file.empty()) fail("there is nowhere to save the tuning file: set FURROW_TUNING to a path");
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail_to_write(file, error.value());
  // A folder or a device is not a broken tuning file: it must not be moved out of the way.
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error))
    fail_to_write(file, "it is not a regular file");
  const FolderLock lock(folder.string());
  json content;
  try {
    content = read_file(file);
  } catch (const Error& problem) {
    const std::string aside = file + ".broken";
    if (std::rename(file.c_str(), aside.c_str()) != 0) fail_to_write(file, errno);
    warn_once("the tuning file " + file + " was kept as " + aside + ": " + problem.what());
    content = json::object();
  }
  content["format"] = kFormat;
  content["machines"][machine_key()] = to_json(*this);
  replace_file(file, content.dump(2) + "\n");
}

}  // namespace furrow
