#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "furrow/engine/array.hpp"
#include "furrow/kernels/types.hpp"

namespace furrow::table {

/// What one case of a kernel works on: two inputs, an output, a scalar, and a slot for what reductions return. `shift` elements are
/// left out at the front of each buffer, for starts that are not aligned.
class Operands {
 public:
  using Result = std::array<unsigned char, 64>;

  Operands(Engine& engine, Type type, std::size_t n, std::size_t shift = 0);

  Type type() const { return type_; }
  std::size_t size() const { return n_; }

  template <class T>
  std::span<T> a() {
    return part<T>(a_);
  }
  template <class T>
  std::span<T> b() {
    return part<T>(b_);
  }
  template <class T>
  std::span<T> out() {
    return part<T>(out_);
  }

  template <class T>
  static constexpr T scalar() {
    return static_cast<T>(3);
  }

  /// The bits that a reduction returned; kernels that write an array leave it alone.
  template <class T>
  void set_result(T value) {
    static_assert(sizeof(T) <= sizeof(result_));
    result_ = {};
    std::memcpy(result_.data(), &value, sizeof(T));
  }
  const Result& result() const { return result_; }

  /// The output's bytes, for comparing.
  std::span<const unsigned char> out_bytes() const;
  /// Whether the elements just before and behind each buffer are untouched.
  bool guards_intact() const;

 private:
  static constexpr std::size_t kGuard = 64;  // bytes on either side

  static Array<unsigned char> allocate(Engine& engine, std::size_t bytes);
  std::size_t first_byte() const { return kGuard + shift_ * type_bytes(type_); }

  template <class T>
  std::span<T> part(Array<unsigned char>& memory) {
    return {reinterpret_cast<T*>(memory.data() + first_byte()), n_};
  }

  Type type_;
  std::size_t n_;
  std::size_t shift_;
  Array<unsigned char> a_;
  Array<unsigned char> b_;
  Array<unsigned char> out_;
  Result result_{};
};

/// What else than make_inputs sets may stand among a row's inputs, in any place, so that kernel and reference still agree: zeros
/// of both signs and denormal numbers, also infinities and the greatest numbers, also NaN; of integers the least and the greatest.
enum class Special { none, finite, numbers, all };

/// One kernel, described once: tests, suite, picker, `furrow list` and the documentation loop over these.
struct Kernel {
  std::string_view name;
  std::string_view
      family;  ///< "element-wise", "functions", "reductions", "scans", "order", "random", "loops", "irregular", "simulations"
  std::string_view formula;  ///< what it computes, for people
  std::vector<Type> types;
  double reads = 0;                ///< elements read per element
  double writes = 0;               ///< elements written per element
  double other_bytes = 0;          ///< bytes per element read or written beyond these
  double flops = 0;                ///< arithmetic operations per element
  void (*make_inputs)(Operands&);  ///< sets both inputs, and output and result to what the kernel does not write
  void (*run)(Engine&, Operands&);
  void (*reference)(Operands&);  ///< the same by plain loops on one thread; equal bit for bit
  Special specials = Special::all;
  /// The most elements that the suite should give it; irregular kernels cost far more per element.
  std::size_t largest = static_cast<std::size_t>(-1);
  /// Whether it draws random numbers: peers draw others, and come to a result or to means that are close.
  bool by_chance = false;
  /// Whether each element is a sum over many, which peers add in another order.
  bool of_sums = false;
  /// Whether it has bits of its own where the processor has no fused multiply-add.
  bool fuses = false;

  /// Bytes that must pass between processor and memory per element.
  double bytes(Type type) const { return (reads + writes) * static_cast<double>(type_bytes(type)) + other_bytes; }
  bool has(Type type) const;
  /// Whether it writes an array, rather than a result alone.
  bool writes_out() const { return writes > 0 || other_bytes > 0; }
};

/// All kernels, in the order in which they are shown.
const std::vector<Kernel>& kernels();

/// The kernel called `name`; nullptr if there is none.
const Kernel* find(std::string_view name);

}  // namespace furrow::table
