#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::sim {

/// Values of a simulation, where it keeps them: valid until it advances, loads or ends. Rows one after the other.
class Field {
 public:
  /// Of elements of type T in the memory of the simulation.
  template <NamedElement T>
  Field(std::string_view name, std::vector<std::size_t> shape, const T* data)
      : name_(name), type_(type_of<T>), shape_(std::move(shape)), data_(data) {}

  /// What it is called; valid for ever.
  std::string_view name() const { return name_; }
  /// The type of its elements.
  Type type() const { return type_; }
  /// Elements along each axis, the slowest first.
  const std::vector<std::size_t>& shape() const { return shape_; }
  std::size_t size() const;  ///< product of the shape
  /// The first element.
  const void* data() const { return data_; }

  /// Throws Error if the elements are not of type T.
  template <NamedElement T>
  std::span<const T> values() const {
    if (type_ != type_of<T>) fail_as(type_of<T>);
    return {static_cast<const T*>(data_), size()};
  }

 private:
  [[noreturn]] void fail_as(Type wanted) const;

  std::string_view name_;
  Type type_;
  std::vector<std::size_t> shape_;
  const void* data_;
};

/// A number that says something about the whole state: an energy, a mass, an estimate.
struct Observable {
  std::string_view name;  ///< what it is called
  double value;           ///< what it is now
};

struct Parameter;  // parameter.hpp

/// The same extent along each axis.
template <std::size_t D>
constexpr std::array<std::size_t, D> square(std::size_t extent) {
  std::array<std::size_t, D> shape{};
  shape.fill(extent);
  return shape;
}

/// A name and a value in words.
struct Setting {
  std::string name;  ///< of a parameter
  std::string text;  ///< its value, as Parameter::text() has it
};

/// What a simulation does in a step, for rates.
struct Work {
  std::string_view unit;  ///< of what it does: "cell updates"
  double per_step;        ///< so many of these
};

/// A model in time. Its state is the same to the last bit for the same parameters and number of steps, whatever the engine, the
/// number of threads, the sizes of the steps' portions and the checkpoints in between.
class Simulation {
 public:
  virtual ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Takes so many steps. Looks for values that are not finite after every 32 steps or fewer, and throws Error that says between
  /// which steps they came up. When `stop` is requested, which is also seen within a step, it throws Cancelled. Whatever it throws,
  /// the state is that after step(), from which it can go on.
  void advance(std::size_t steps, std::stop_token stop = {});

  /// What the command and checkpoints call it.
  std::string_view name() const { return name_; }
  /// The engine that it was made with; while it advances, one on the same threads that can be stopped.
  Engine& engine() const { return *engine_; }
  /// Steps taken since the initial state.
  std::uint64_t step() const { return step_; }
  /// What time it is in the model.
  virtual double time() const = 0;

  /// What it computes; the first is the one that pictures show. Never empty.
  virtual std::vector<Field> fields() const = 0;
  /// Those of the state now, always the same names. Costs passes over the fields.
  virtual std::vector<Observable> observables() const = 0;
  /// The values it was made with.
  const std::vector<Setting>& settings() const { return settings_; }
  /// What a step does.
  virtual Work work() const = 0;

  /// Writes a checkpoint from which load() goes on with the same bits. Whatever happens meanwhile, there is a whole checkpoint at
  /// `path` or, before the first, none: it is written beside it, flushed, and renamed. The one before is kept as `path`.previous.
  /// Throws Error, and leaves both as they are, if it cannot be written or if a value is not finite.
  void save(const std::string& path);

  /// Goes on from a checkpoint of the same simulation with the same parameters. Throws Error, and leaves the state as it is, if the
  /// file is missing, of another simulation, damaged or of a later version; the message names the earlier checkpoint if there is
  /// one.
  void load(const std::string& path);

 protected:
  /// `parameters` are those of its options.
  Simulation(Engine& engine, std::string_view name, const std::vector<Parameter>& parameters);

  /// Takes at least one step and at most `most`, and returns how many; step() is the number taken before. If it throws, the state
  /// has to be that of before.
  virtual std::size_t run(std::size_t most) = 0;

  /// The fields in which whatever is not finite shows within a step or two: what is looked at after some steps. All of them, unless
  /// fewer tell; none if nothing can happen to them.
  virtual std::vector<Field> watched() const;

  /// The values that decide all that follows, apart from parameters and step().
  virtual std::vector<std::span<std::byte>> state() = 0;

 private:
  void check_finite();

  Engine* engine_;
  std::string_view name_;
  std::vector<Setting> settings_;
  std::uint64_t step_ = 0;
  std::uint64_t checked_ = 0;  ///< the last step at which all was seen to be finite
};

}  // namespace furrow::sim
