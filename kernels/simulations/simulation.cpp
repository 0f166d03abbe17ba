#include "furrow/kernels/simulations/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simulations/checkpoint.hpp"
#include "furrow/kernels/simulations/parameter.hpp"

namespace furrow::sim {
std::size_t Field::size() const {
  return std::accumulate(shape_.begin(), shape_.end(), std::size_t{1}, std::multiplies<>());
}

void Field::fail_as(Type wanted) const {
  fail("the field " + std::string(name_) + " is of " + std::string(type_name(type_)) + ", not of " +
       std::string(type_name(wanted)));
}

Simulation::Simulation(Engine& engine, std::string_view name, const std::vector<Parameter>& parameters)
    : engine_(&engine), name_(name) {
  for (const Parameter& parameter : parameters) settings_.push_back({std::string(parameter.name), parameter.text()});
}

Simulation::~Simulation() = default;

std::vector<Field> Simulation::watched() const {
  return fields();
}

void Simulation::advance(std::size_t steps, std::stop_token stop) {
  if (stop.stop_possible()) {
    Engine stoppable(*engine_, std::move(stop));
    struct Restore {
      Simulation& simulation;
      Engine* before;
      ~Restore() { simulation.engine_ = before; }
    } const restore{*this, std::exchange(engine_, &stoppable)};
    return advance(steps);
  }
  constexpr std::uint64_t kUnchecked = 32;
  while (steps > 0) {
    const std::size_t taken = run(steps);
    steps -= taken;
    step_ += taken;
    if (step_ - checked_ >= kUnchecked) check_finite();
  }
}

void Simulation::check_finite() {
  for (const Field& field : watched()) {
    if (!is_fraction(field.type())) continue;
    const bool finite = field.type() == Type::f64 ? std::isfinite(norm_inf(*engine_, field.values<double>()))
                                                  : std::isfinite(norm_inf(*engine_, field.values<float>()));
    if (!finite)
      fail(std::string(name_) + ": " + std::string(field.name()) + " is not finite at step " + std::to_string(step_) +
           "; it still was at step " + std::to_string(checked_));
  }
  checked_ = step_;
}

void Simulation::save(const std::string& path) {
  check_finite();
  const auto parts = state();
  Checkpoint checkpoint{std::string(name_), step_, settings_, {}};
  for (const auto& part : parts) checkpoint.sizes.push_back(part.size());
  write_checkpoint(path, checkpoint, parts);
}

void Simulation::load(const std::string& path) {
  const CheckpointFile file(path);
  const Checkpoint& checkpoint = file.checkpoint();
  const std::string here = "cannot go on from the checkpoint " + path + ": ";
  if (checkpoint.simulation != name_) fail(here + "it is of " + checkpoint.simulation + ", not of " + std::string(name_));
  for (const Setting& own : settings_) {
    const auto saved = std::ranges::find(checkpoint.settings, own.name, &Setting::name);
    if (saved == checkpoint.settings.end()) fail(here + "it does not say what " + own.name + " was");
    if (saved->text != own.text)
      fail(here + own.name + " is " + saved->text + " there and " + own.text + " here; make the simulation with the value there");
  }
  const auto parts = state();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (checkpoint.sizes.size() != parts.size() || checkpoint.sizes[i] != parts[i].size())
      fail(here + "its values are not those of this simulation");
    bytes += parts[i].size();
  }
  const Scratch<std::byte> read(bytes);
  file.read({read.data(), bytes});
  const std::byte* next = read.data();
  for (const auto& part : parts) {
    if (!part.empty()) std::memcpy(part.data(), next, part.size());
    next += part.size();
  }
  step_ = checked_ = checkpoint.step;
}

}  // namespace furrow::sim
