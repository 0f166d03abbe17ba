#include "furrow/kernels/simulations/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <system_error>
#include <type_traits>
#include <utility>

#include "furrow/engine/memory.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/simulations/checkpoint.hpp"

namespace furrow::sim {
namespace {

template <class T>
std::string number_text(T value) {
  std::array<char, 32> buffer{};
  const auto [end, problem] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

template <class T>
bool read_number(std::string_view text, T& value) {
  T read{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (problem != std::errc() || end != text.data() + text.size()) return false;
  value = read;
  return true;
}

/// "4096x2048" into as many numbers as there are places; one number for all of them.
bool read_shape(std::string_view text, std::span<std::size_t> shape) {
  std::vector<std::size_t> read;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("x,", begin), text.size());
    if (!read_number(text.substr(begin, end - begin), read.emplace_back())) return false;
    begin = end + 1;
  }
  if (read.size() == 1) read.resize(shape.size(), read[0]);
  if (read.size() != shape.size()) return false;
  std::ranges::copy(read, shape.begin());
  return true;
}

}  // namespace

std::size_t Field::size() const {
  return std::accumulate(shape_.begin(), shape_.end(), std::size_t{1}, std::multiplies<>());
}

void Field::fail_as(Type wanted) const {
  fail("the field " + std::string(name_) + " is of " + std::string(type_name(type_)) + ", not of " +
       std::string(type_name(wanted)));
}

std::string Parameter::text() const {
  return std::visit(
      [](const auto& at) -> std::string {
        using At = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<At, std::string*>) {
          return *at;
        } else if constexpr (std::is_same_v<At, std::span<std::size_t>>) {
          std::string all;
          for (const std::size_t extent : at) all += (all.empty() ? "" : "x") + std::to_string(extent);
          return all;
        } else {
          return number_text(*at);
        }
      },
      value);
}

void Parameter::set(std::string_view text) const {
  const auto expect = [&](bool read, const std::string& what) {
    if (!read) fail(std::string(name) + " is " + what + ", not \"" + std::string(text) + "\"");
  };
  std::visit(
      [&](const auto& at) {
        using At = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<At, std::string*>)
          *at = text;
        else if constexpr (std::is_same_v<At, std::span<std::size_t>>)
          expect(read_shape(text, at), std::to_string(at.size()) + " whole numbers, as in 64" + (at.size() > 1 ? "x64" : "") +
                                           (at.size() > 2 ? "x64" : ""));
        else if constexpr (std::is_same_v<At, double*>)
          expect(read_number(text, *at) && std::isfinite(*at), "a number");
        else
          expect(read_number(text, *at), "a whole number, zero or more");
      },
      value);
}

void apply(const std::vector<Parameter>& parameters, std::span<const Setting> settings) {
  for (const Setting& setting : settings) {
    const auto found = std::ranges::find(parameters, setting.name, &Parameter::name);
    if (found == parameters.end()) {
      std::string known;
      for (const Parameter& parameter : parameters) known += (known.empty() ? "" : ", ") + std::string(parameter.name);
      fail("there is no parameter \"" + setting.name + "\"; there are " + known);
    }
    found->set(setting.text);
  }
}

Simulation::Simulation(Engine& engine, std::string_view name, const std::vector<Parameter>& parameters)
    : engine_(&engine), name_(name) {
  for (const Parameter& parameter : parameters) settings_.push_back({std::string(parameter.name), parameter.text()});
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
