#include "tools/frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "benchmarks/result_file.hpp"
#include "furrow/engine/error.hpp"
#include "tools/npy.hpp"

namespace furrow::tools {
namespace {

namespace fs = std::filesystem;

sim::Field chosen_field(const FramePlan& plan, const sim::Simulation& simulation) {
  const std::vector<sim::Field> fields = simulation.fields();
  if (plan.field.empty()) return fields.front();
  const auto found = std::ranges::find(fields, plan.field, &sim::Field::name);
  if (found != fields.end()) return *found;
  std::string known;
  for (const sim::Field& field : fields) known += (known.empty() ? "" : ", ") + std::string(field.name());
  fail(fmt::format("{} has no field \"{}\"; it has {}", simulation.name(), plan.field, known));
}

/// Formats of a file for each frame.
class FileFrames : public Frames {
 public:
  void write(const sim::Simulation& simulation) final {
    const std::string path = path_of(simulation.step());
    write_file(path, simulation);
    if (written_.empty() || written_.back() != path) written_.push_back(path);
  }

 protected:
  using Frames::Frames;
  std::string path_of(std::uint64_t step) const { return plan_.every == 0 ? plan_.path : frame_path(plan_.path, step); }
  virtual void write_file(const std::string& path, const sim::Simulation& simulation) = 0;
};

class NpyFrames final : public FileFrames {
 public:
  NpyFrames(FramePlan plan, const sim::Simulation& simulation) : FileFrames(std::move(plan)) {
    const sim::Field field = chosen_field(plan_, simulation);
    expect_room(path_of(plan_.last), field.size() * type_bytes(field.type()), plan_.count());
  }

 private:
  void write_file(const std::string& path, const sim::Simulation& simulation) override {
    const sim::Field field = chosen_field(plan_, simulation);
    npy::Output file(path, field.type(), field.shape());
    file.write({0, field.size()}, field.data());
    file.commit();
  }
};

class PngFrames final : public FileFrames {
 public:
  PngFrames(FramePlan plan, const sim::Simulation& simulation) : FileFrames(std::move(plan)) {
    const Picture first = field_picture(chosen_field(plan_, simulation), plan_.range);  // also shows that there are any
    expect_room(path_of(plan_.last), png(first, "").size());
  }

 private:
  void write_file(const std::string& path, const sim::Simulation& simulation) override {
    const sim::Field field = chosen_field(plan_, simulation);
    const std::string about =
        fmt::format("furrow: {} of {}, step {}, time {}", field.name(), simulation.name(), simulation.step(), simulation.time());
    bench::ResultFile(path).write(png(field_picture(field, plan_.range), about));
  }
};

struct Format {
  std::string_view ending;
  std::unique_ptr<Frames> (*make)(FramePlan, const sim::Simulation&);
};

template <class F>
std::unique_ptr<Frames> make(FramePlan plan, const sim::Simulation& simulation) {
  return std::make_unique<F>(std::move(plan), simulation);
}

constexpr std::array kFormats{Format{".npy", make<NpyFrames>}, Format{".png", make<PngFrames>}, Format{".h5", make_hdf5_frames},
                              Format{".hdf5", make_hdf5_frames}};

}  // namespace

bool FramePlan::wants(std::uint64_t step) const {
  return every == 0 ? step == last : step % every == 0 && (step > first || !resumed);
}

std::uint64_t FramePlan::next(std::uint64_t step) const {
  return every == 0 || every > last ? last : std::min(last, (step / every + 1) * every);
}

std::uint64_t FramePlan::count() const {
  return every == 0 ? 1 : last / every - first / every + (wants(first) ? 1 : 0);
}

std::unique_ptr<Frames> make_frames(FramePlan plan, const sim::Simulation& simulation) {
  if (plan.path.empty()) return nullptr;
  const std::string ending = fs::path(plan.path).extension().string();
  const auto* const format = std::ranges::find(kFormats, ending, &Format::ending);
  if (format != kFormats.end()) return format->make(std::move(plan), simulation);
  std::string known;
  for (const Format& one : kFormats) known += (known.empty() ? "" : ", ") + std::string(one.ending);
  fail(fmt::format("the format of {} is not known; what is written ends in one of {}", plan.path, known));
}

std::string frame_path(const std::string& path, std::uint64_t step) {
  fs::path whole(path);
  return whole.replace_filename(fmt::format("{}_{:06}{}", whole.stem().string(), step, whole.extension().string())).string();
}

void expect_room(const std::string& path, std::uint64_t bytes, std::uint64_t count) {
  const std::array<std::size_t, 1> shape{bytes};
  { const npy::Output file(path, Type::u8, shape); }  // reserves its space, and gives it back
  const double all = static_cast<double>(bytes) * static_cast<double>(count);
  const fs::path folder = fs::path(path).parent_path();
  std::error_code unknown;
  const fs::space_info disk = fs::space(folder.empty() ? "." : folder, unknown);
  if (!unknown && all > static_cast<double>(disk.available))
    fail(fmt::format("cannot write {} frames of {} MB to {}: the disk has room for {} MB", count, bytes / 1'000'000,
                     folder.empty() ? "." : folder.string(), disk.available / 1'000'000));
}

}  // namespace furrow::tools
