#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "furrow/engine/error.hpp"
#include "tools/console.hpp"
#include "tools/frames.hpp"
#include "tools/number_in.hpp"

namespace furrow::tools {
namespace {

namespace fs = std::filesystem;

/// What HDF5 gave out, given back at the end of the scope.
class Handle {
 public:
  Handle(hid_t id, herr_t (*give_back)(hid_t)) : id_(id), close_(give_back) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  operator hid_t() const { return id_; }
  /// Negative if what was written could not be stored.
  herr_t close() { return id_ < 0 ? 0 : close_(std::exchange(id_, -1)); }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

hid_t native(Type type) {
  return with_type(type, []<class T>(TypeTag<T>) {
    if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
    if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
    if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
    if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
    return H5T_NATIVE_UINT8;
  });
}

/// /000100/temperature, …: a group for each frame with a dataset for each field. Time and step are attributes of both, simulation,
/// version and parameters of the file.
class Hdf5Frames final : public Frames {
 public:
  Hdf5Frames(FramePlan plan, const sim::Simulation& simulation)
      : Frames(std::move(plan)),
        file_(-1, H5Fclose),
        target_(plan_.path),
        made_by_("furrow run " + std::string(simulation.name())) {
    H5dont_atexit();  // all is closed here; what HDF5 would do at the end crashes after a write that failed (1.10.8)
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // problems are told by exceptions, not on standard error
    for (const sim::Setting& setting : simulation.settings()) made_by_ += " --set " + setting.name + "=" + setting.text;
    const bool goes_on = plan_.resumed && fs::exists(plan_.path);
    std::uint64_t bytes = 4096;
    for (const sim::Field& field : simulation.fields()) bytes += field.size() * type_bytes(field.type());
    expect_room(plan_.path, bytes, plan_.count());
    if (fs::exists(plan_.path)) target_ = fs::canonical(plan_.path).string();  // so that a link goes on pointing at its file
    temporary_ = target_ + "." + std::to_string(getpid()) + ".tmp";
    console::remove_if_killed(temporary_);
    try {
      open(goes_on, simulation);
    } catch (...) {
      discard();
      throw;
    }
  }

  ~Hdf5Frames() override { discard(); }

  void write(const sim::Simulation& simulation) override {
    const std::string name = fmt::format("{:06}", simulation.step());
    H5Ldelete(file_, name.c_str(), H5P_DEFAULT);  // of a run that was broken off after this frame; usually there is none
    Handle group(H5Gcreate2(file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    expect(group);
    add_place(group, simulation);
    for (const sim::Field& field : simulation.fields()) {
      const std::vector<hsize_t> extents(field.shape().begin(), field.shape().end());
      const Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose);
      expect(space);
      Handle set(
          H5Dcreate2(group, std::string(field.name()).c_str(), native(field.type()), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          H5Dclose);
      expect(set);
      expect(H5Dwrite(set, native(field.type()), H5S_ALL, H5S_ALL, H5P_DEFAULT, field.data()));
      add_place(set, simulation);
      expect(set.close());
    }
    expect(group.close());
    expect(H5Fflush(file_, H5F_SCOPE_GLOBAL));
    ++frames_;
  }

  void finish() override {
    if (temporary_.empty()) return;
    if (frames_ == 0) return discard();
    expect(file_.close());
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) expect(-1);
    temporary_.clear();
    console::remove_if_killed({});
    written_ = {plan_.path};
  }

 private:
  void open(bool goes_on, const sim::Simulation& simulation) {
    if (!goes_on) {
      file_ = Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
      expect(file_);
      add(file_, "simulation", std::string(simulation.name()));
      add(file_, "furrow", FURROW_VERSION);
      add(file_, "made_by", made_by_);
      for (const sim::Setting& setting : simulation.settings()) add_setting(setting);
      return;
    }
    std::error_code error;
    fs::copy_file(target_, temporary_, fs::copy_options::overwrite_existing, error);
    if (error) fail("cannot write " + plan_.path + ": " + error.message());
    file_ = Handle(H5Fopen(temporary_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    if (file_ < 0 || text_of("made_by") != made_by_)
      fail("cannot add frames to " + plan_.path + ": it is not of this simulation with these parameters; name another file");
  }

  void expect(hid_t result) const {
    if (result >= 0) return;
    // HDF5 keeps what the system said among other lines for its developers.
    std::string reason = "HDF5 cannot store it";
    H5Ewalk2(
        H5E_DEFAULT, H5E_WALK_UPWARD,
        [](unsigned, const H5E_error2_t* problem, void* to) -> herr_t {
          const std::string line = problem->desc != nullptr ? problem->desc : "";
          const std::size_t begin = line.find("error message = '");
          if (begin == std::string::npos) return 0;
          *static_cast<std::string*>(to) = line.substr(begin + 17, line.find('\'', begin + 17) - begin - 17);
          return 1;
        },
        &reason);
    fail("cannot write " + plan_.path + ": " + reason);
  }

  void add(hid_t to, const std::string& name, hid_t type, const void* value) const {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(H5Acreate2(to, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    expect(attribute);
    expect(H5Awrite(attribute, type, value));
  }

  void add(hid_t to, const std::string& name, const std::string& text) const {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, text.size() + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    add(to, name, type, text.c_str());
  }

  void add_place(hid_t to, const sim::Simulation& simulation) const {
    const std::uint64_t step = simulation.step();
    const double time = simulation.time();
    add(to, "step", H5T_NATIVE_UINT64, &step);
    add(to, "time", H5T_NATIVE_DOUBLE, &time);
  }

  /// As a number where it is one.
  void add_setting(const sim::Setting& setting) const {
    if (const std::optional<double> number = number_in<double>(setting.text))
      add(file_, setting.name, H5T_NATIVE_DOUBLE, &*number);
    else
      add(file_, setting.name, setting.text);
  }

  std::string text_of(const std::string& name) const {
    const Handle attribute(H5Aopen(file_, name.c_str(), H5P_DEFAULT), H5Aclose);
    if (attribute < 0) return {};
    const Handle type(H5Aget_type(attribute), H5Tclose);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0) return {};
    std::string text(H5Tget_size(type), '\0');
    if (H5Aread(attribute, type, text.data()) < 0) return {};
    return text.substr(0, text.find('\0'));
  }

  void discard() {
    if (temporary_.empty()) return;
    file_.close();
    unlink(temporary_.c_str());
    console::remove_if_killed({});
    temporary_.clear();
  }

  Handle file_;
  std::string target_;  // with links followed
  std::string temporary_;
  std::string made_by_;
  std::uint64_t frames_ = 0;
};

}  // namespace

std::unique_ptr<Frames> make_hdf5_frames(FramePlan plan, const sim::Simulation& simulation) {
  return std::make_unique<Hdf5Frames>(std::move(plan), simulation);
}

}  // namespace furrow::tools
