#include "furrow/kernels/random.hpp"

#include "furrow/kernels/random/reference.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

/// Neither aligned to anything, nor the same for both halves.
constexpr RandomNumbers kNumbers{0x0123456789ABCDEF, 0xFEDCBA9876543210, (std::uint64_t{1} << 34) - 5};

// An interval whose number of values is no power of two, and of 64 bits more than a signed number holds.
template <class T>
T low() {
  return static_cast<T>(std::numeric_limits<T>::min() / 3);
}
template <class T>
T high() {
  return static_cast<T>(std::numeric_limits<T>::max() / 2);
}

}  // namespace

void add_random(std::vector<Kernel>& rows) {
  namespace plain = furrow::random::reference;
  rows.push_back({.name = "uniform",
                  .family = "random",
                  .formula = "out = evenly in [0, 1)",
                  .types = kFloats,
                  .reads = 0,
                  .writes = 1,
                  .flops = 1,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { uniform(e, x.out<T>(), kNumbers); }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i)
                      x.out<T>()[i] = plain::uniform<T>(kNumbers.seed, kNumbers.stream, kNumbers.offset + i, 0, 1);
                  }>,
                  .by_chance = true});
  rows.push_back({.name = "normal",
                  .family = "random",
                  .formula = "out = s + normal",
                  .types = kFloats,
                  .reads = 0,
                  .writes = 1,
                  .flops = 40,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { normal(e, x.out<T>(), kNumbers, s<T>()); }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i)
                      x.out<T>()[i] = plain::normal<T>(kNumbers.seed, kNumbers.stream, kNumbers.offset + i, s<T>(), 1);
                  }>,
                  .by_chance = true});
  rows.push_back({.name = "exponential",
                  .family = "random",
                  .formula = "out = exponential of mean 1/s",
                  .types = kFloats,
                  .reads = 0,
                  .writes = 1,
                  .flops = 30,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::floating_point T>(Engine& e, Operands& x) { exponential(e, x.out<T>(), kNumbers, s<T>()); }>,
                  .reference = reference<[]<std::floating_point T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i)
                      x.out<T>()[i] = plain::exponential<T>(kNumbers.seed, kNumbers.stream, kNumbers.offset + i, 0, T{1} / s<T>());
                  }>,
                  .by_chance = true});
  rows.push_back(
      {.name = "integers",
       .family = "random",
       .formula = "out = evenly in an interval",
       .types = {Type::i32, Type::i64},
       .reads = 0,
       .writes = 1,
       .flops = 1,
       .make_inputs = random_inputs,
       .run = run<[]<std::signed_integral T>(Engine& e, Operands& x) { integers(e, x.out<T>(), kNumbers, low<T>(), high<T>()); }>,
       .reference = reference<[]<std::signed_integral T>(Operands& x) {
         for (std::size_t i = 0; i < x.size(); ++i)
           x.out<T>()[i] = plain::integer<T>(kNumbers.seed, kNumbers.stream, kNumbers.offset + i, low<T>(), high<T>());
       }>,
       .by_chance = true});
}

}  // namespace furrow::table::FURROW_TABLE_ISA
