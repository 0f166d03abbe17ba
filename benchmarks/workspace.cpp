#include "benchmarks/workspace.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

namespace furrow::bench {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;  // elements

std::string at(std::size_t index) {
  return "element " + std::to_string(index) + " is wrong";
}

template <class T>
constexpr double kEpsilon = std::is_floating_point_v<T> ? static_cast<double>(std::numeric_limits<T>::epsilon()) : 0;

template <class T>
bool close(T got, T expected, bool exact, double tolerance) {
  if (std::memcmp(&got, &expected, sizeof(T)) == 0) return true;
  if (exact || !std::is_floating_point_v<T>) return false;
  const auto a = static_cast<double>(got);
  const auto b = static_cast<double>(expected);
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance;
}

}  // namespace

Workspace::Workspace(Engine& engine, Type type, std::size_t n) : engine_(engine), operands_(engine, type, n) {}

void Workspace::place_inputs(const table::Kernel& kernel) {
  kernel_ = &kernel;
  if (inputs_ != kernel.make_inputs) {
    kernel.make_inputs(operands_);
    const auto out = operands_.out_bytes();
    initial_out_.assign(out.begin(), out.end());
    initial_result_ = operands_.result();
    inputs_ = kernel.make_inputs;
    with_type(operands_.type(), [&](auto tag) { sizes_ = sum_of_sizes<typename decltype(tag)::type>(); });
  }
  reset();
}

void Workspace::prepare(const table::Kernel& kernel) {
  place_inputs(kernel);
  kernel.reference(operands_);
  expected_result_ = operands_.result();
  const auto out = operands_.out_bytes();
  if (kernel.writes_out())
    expected_out_.assign(out.begin(), out.end());
  else
    expected_out_.clear();
}

void Workspace::reset() {
  with_type(operands_.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const out = operands_.out<T>().data();
    engine_.bulk(pieces(), [&](std::size_t piece) {
      const Range part = elements(piece);
      std::memcpy(out + part.begin, initial_out_.data() + part.begin * sizeof(T), part.size() * sizeof(T));
    });
  });
  operands_.set_result(initial_result_);
}

std::optional<std::string> Workspace::fault(bool exact) {
  if (!operands_.guards_intact()) return "it wrote outside the arrays";
  // What only moves elements, or counts them, rounds nothing; indices as well must not be taken for numbers that are close.
  const bool rounds = kernel_->flops > 0 && kernel_->family != "order";
  return with_type(operands_.type(), [&](auto tag) -> std::optional<std::string> {
    using T = typename decltype(tag)::type;
    if (kernel_->name == "nth_element" && !exact) {  // peers leave what is on either side in another order
      if (!parted_as_expected<T>()) return "the elements are not parted about the middle one";
      return std::nullopt;
    }
    return fault_in<T>(exact || !rounds);
  });
}

bool Workspace::same_bits() {
  if (operands_.result() != expected_result_) return false;
  if (expected_out_.empty()) return true;
  const auto out = operands_.out_bytes();
  const std::size_t each = type_bytes(operands_.type());
  std::atomic<bool> same{true};
  engine_.bulk(pieces(), [&](std::size_t piece) {
    const Range part = elements(piece);
    if (std::memcmp(out.data() + part.begin * each, expected_out_.data() + part.begin * each, part.size() * each) != 0)
      same.store(false, std::memory_order_relaxed);
  });
  return same;
}

std::size_t Workspace::pieces() const {
  return (operands_.size() + kPiece - 1) / kPiece;
}

Range Workspace::elements(std::size_t piece) const {
  return {piece * kPiece, std::min((piece + 1) * kPiece, operands_.size())};
}

template <class T>
double Workspace::sum_of_sizes() {
  double sum = 0;
  const auto a = operands_.a<T>();
  const auto b = operands_.b<T>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double size_of_a = std::abs(static_cast<double>(a[i]));
    const double size_of_b = std::abs(static_cast<double>(b[i]));
    sum += (size_of_a + size_of_b) * std::max(1.0, size_of_a + size_of_b);
  }
  return sum;
}

/// Whether the mean of the output is not that of the same law as the reference's numbers.
template <class T>
bool Workspace::of_another_law() {
  const auto out = operands_.out<T>();
  double sum = 0;
  double expected_sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    T expected;
    std::memcpy(&expected, expected_out_.data() + i * sizeof(T), sizeof(T));
    sum += static_cast<double>(out[i]);
    expected_sum += static_cast<double>(expected);
    squares += static_cast<double>(expected) * static_cast<double>(expected);
  }
  return !(std::abs(sum - expected_sum) <= 8 * std::sqrt(squares));  // eight deviations, taking the mean for part of them
}

/// Whether the output is the reference's elements, those before the middle none greater than it is there, those behind none less.
template <class T>
bool Workspace::parted_as_expected() {
  const auto out = operands_.out<T>();
  const std::size_t middle = out.size() / 2;
  const auto bits_of = [](const void* element) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, element, sizeof(T));
    return bits;
  };
  T expected;
  std::memcpy(&expected, expected_out_.data() + middle * sizeof(T), sizeof(T));
  bool right = out[middle] == expected;
  std::uint64_t sum = 0;  // of all bits; wraps
  std::uint64_t expected_sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    right &= i < middle ? !(expected < out[i]) : !(out[i] < expected);
    sum += bits_of(&out[i]);
    expected_sum += bits_of(expected_out_.data() + i * sizeof(T));
  }
  return right && sum == expected_sum;
}

/// How far results may be off that are made of all elements in another order.
template <class T>
double Workspace::tolerance_of_result(T expected) const {
  const auto n = static_cast<double>(operands_.size());
  // Adding n numbers in any order errs by at most n·epsilon times the sum of their sizes.
  if (!kernel_->by_chance) return kEpsilon<T> * n * sizes_;
  // Of means of random numbers, taking the deviation of one for twice the mean at most: eight deviations of the difference. Few
  // numbers say nothing.
  return n < 1024 ? std::numeric_limits<double>::max()
                  : 16 * std::numbers::sqrt2 * std::abs(static_cast<double>(expected)) / std::sqrt(n);
}

/// How far elements may be off that are sums over others, in any order: however small they came out, they err by what those are
/// rounded to. Over the terms of running sums that adds up like a random walk.
template <class T>
double Workspace::tolerance_of_sums() {
  const auto a = operands_.a<T>();
  const auto b = operands_.b<T>();
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    T expected;
    std::memcpy(&expected, expected_out_.data() + i * sizeof(T), sizeof(T));
    for (const T v : {a[i], b[i], expected}) largest = std::max(largest, std::abs(static_cast<double>(v)));
  }
  const double roundings = kernel_->family == "scans" ? 16 + 2 * std::sqrt(static_cast<double>(a.size())) : 1024;
  return roundings * kEpsilon<T> * largest;
}

template <class T>
std::optional<std::string> Workspace::fault_in(bool exact) {
  if (operands_.result() != expected_result_) {
    T got, expected;
    std::memcpy(&got, operands_.result().data(), sizeof(T));
    std::memcpy(&expected, expected_result_.data(), sizeof(T));
    if (!std::is_floating_point_v<T> || !close(got, expected, exact, tolerance_of_result(expected))) return "the result is wrong";
  }
  if (expected_out_.empty()) return std::nullopt;
  if (kernel_->by_chance && !exact) {  // peers have other random numbers
    if (of_another_law<T>()) return "these are random numbers of another law";
    return std::nullopt;
  }

  const auto a = operands_.a<T>();
  const auto b = operands_.b<T>();
  const auto out = operands_.out<T>();
  const std::optional<double> tolerance = kernel_->of_sums && !exact ? std::optional(tolerance_of_sums<T>()) : std::nullopt;
  const double s = 1 + std::abs(static_cast<double>(table::Operands::scalar<T>()));
  std::atomic<std::size_t> first_wrong{operands_.size()};
  engine_.bulk(pieces(), [&](std::size_t piece) {
    const Range part = elements(piece);
    if (std::memcmp(out.data() + part.begin, expected_out_.data() + part.begin * sizeof(T), part.size() * sizeof(T)) == 0) return;
    for (std::size_t i = part.begin; i < part.end; ++i) {
      T expected;
      std::memcpy(&expected, expected_out_.data() + i * sizeof(T), sizeof(T));
      const double operands =
          s * (std::abs(static_cast<double>(a[i])) + std::abs(static_cast<double>(b[i]))) + std::abs(static_cast<double>(expected));
      if (close(out[i], expected, exact, tolerance.value_or(4 * kEpsilon<T> * operands))) continue;
      std::size_t before = first_wrong.load();
      while (i < before && !first_wrong.compare_exchange_weak(before, i)) {
      }
      return;
    }
  });
  if (first_wrong < operands_.size()) return at(first_wrong);
  return std::nullopt;
}

}  // namespace furrow::bench
