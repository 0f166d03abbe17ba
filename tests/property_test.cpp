// Every kernel of the table at sizes, starts and numbers of threads that are drawn at random, on contents that are drawn too:
// special values stand among the inputs wherever a row takes them. Against the reference, and each backend against one thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/registry.hpp"
#include "furrow/kernels/table.hpp"
#include "tests/outcome.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using Random = std::mt19937_64;

/// $FURROW_TEST_SEED draws other cases.
std::uint64_t seed() {
  const char* const given = std::getenv("FURROW_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

std::size_t below(Random& random, std::size_t end) {
  return random() % end;
}

/// Small and large sizes alike, and now and then one next to a power of two, where chunks and blocks end.
std::size_t draw_size(Random& random) {
  const std::size_t most = support::kSanitizer ? 13 : 16;
  const std::size_t n = std::size_t{1} << below(random, most);
  return below(random, 3) == 0 ? n + below(random, 3) - 1 : below(random, 2 * n);
}

template <class T>
std::vector<T> special_values(table::Special specials) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_integral_v<T>) {
    return {0, 1, static_cast<T>(-1), Limits::max(), Limits::min()};
  } else {
    std::vector<T> values{T{0}, T{-0.0}, T{1}, T{-1}, Limits::denorm_min(), -Limits::denorm_min(), Limits::min() / 2};
    if (specials >= table::Special::numbers)
      for (const T v : {Limits::max(), Limits::lowest(), Limits::infinity(), -Limits::infinity()}) values.push_back(v);
    if (specials >= table::Special::all) values.push_back(Limits::quiet_NaN());
    return values;
  }
}

/// Puts special values into a share of the places, of which one in two calls is small.
template <class T>
void mix_in(Random& random, table::Special specials, std::span<T> x) {
  const std::vector<T> values = special_values<T>(specials);
  const std::size_t one_in = std::size_t{1} << below(random, 12);
  const std::size_t kinds = 1 + below(random, values.size());
  const std::size_t first = below(random, values.size());
  for (T& v : x)
    if (below(random, one_in) == 0) v = values[(first + below(random, kinds)) % values.size()];
}

void mix_in(Random& random, table::Special specials, table::Operands& x) {
  if (specials == table::Special::none) return;
  with_type(x.type(), [&]<class T>(TypeTag<T>) {
    for (const std::span<T> operand : {x.a<T>(), x.b<T>(), x.out<T>()}) mix_in(random, specials, operand);
  });
}

/// Equal bit for bit; or as numbers of type T of which each is, or both are NaN: where two NaN meet, a formula does not say whose
/// bits come out.
template <class T>
bool alike(std::span<const unsigned char> a, std::span<const unsigned char> b) {
  for (std::size_t i = 0; i + sizeof(T) <= a.size(); i += sizeof(T)) {
    T v{};
    T w{};
    std::memcpy(&v, &a[i], sizeof(T));
    std::memcpy(&w, &b[i], sizeof(T));
    if (std::memcmp(&v, &w, sizeof(T)) != 0 && !(std::isnan(v) && std::isnan(w))) return false;
  }
  return true;
}
/// Of a kernel over elements of that type; results of float may be doubles.
bool alike(Type type, const Outcome& a, const Outcome& b) {
  if (a == b) return true;
  if (type == Type::f64) return alike<double>(a.out, b.out) && alike<double>(a.result, b.result);
  return type == Type::f32 && alike<float>(a.out, b.out) && (alike<float>(a.result, b.result) || alike<double>(a.result, b.result));
}

/// One draw of all that a kernel's result could wrongly depend on.
struct Case {
  Case(Random& random, const table::Kernel& of, Type its)
      : kernel(of), type(its), n(std::min(draw_size(random), of.largest)), shift(below(random, 17)), contents(random()) {}

  table::Operands operands() const {
    static Engine engine("serial");
    return {engine, type, n, shift};
  }
  void prepare(table::Operands& x) const {
    kernel.make_inputs(x);
    Random random(contents);
    mix_in(random, kernel.specials, x);
  }
  Outcome run(Engine& engine) const {
    table::Operands x = operands();
    prepare(x);
    kernel.run(engine, x);
    EXPECT_TRUE(x.guards_intact()) << on(engine) << ": wrote outside its range";
    return outcome(x);
  }
  std::string on(const Engine& engine) const {
    return std::string(kernel.name) + "/" + std::string(engine.backend()) + "/" + std::string(type_code(type)) + "/" +
           std::to_string(n) + " with " + std::to_string(engine.concurrency()) + " threads, start shifted by " +
           std::to_string(shift) + "; again with FURROW_TEST_SEED=" + std::to_string(seed());
  }

  const table::Kernel& kernel;
  Type type;
  std::size_t n;
  std::size_t shift;
  std::uint64_t contents;
};

class PropertyTest : public testing::TestWithParam<const table::Kernel*> {};

TEST_P(PropertyTest, HoldsAtRandom) {
  const table::Kernel& kernel = *GetParam();
  constexpr std::size_t kCases = support::kSanitizer ? 2 : 8;
  Random random(seed());
  for (const char c : kernel.name) random.seed(random() ^ static_cast<unsigned char>(c));
  std::vector<Case> cases;
  std::vector<Outcome> alone;
  Engine serial("serial");
  for (const Type type : kernel.types) {
    for (std::size_t k = 0; k < kCases; ++k) {
      const Case& drawn = cases.emplace_back(random, kernel, type);
      table::Operands x = drawn.operands();
      drawn.prepare(x);
      kernel.reference(x);
      const Outcome expected = outcome(x);
      alone.push_back(drawn.run(serial));
      ASSERT_TRUE(alike(type, alone.back(), expected)) << drawn.on(serial);
    }
  }
  // A backend at a time: to go from one to another and back takes far longer than the calls.
  for (const std::string& backend : backends()) {
    const int concurrency = 2 + static_cast<int>(below(random, 6));
    Engine engine(backend, {.concurrency = backend == "serial" ? 1 : concurrency, .serial_below = 0});
    for (std::size_t k = 0; k < cases.size(); ++k) ASSERT_TRUE(cases[k].run(engine) == alone[k]) << cases[k].on(engine);
  }
}

std::vector<const table::Kernel*> rows() {
  std::vector<const table::Kernel*> list;
  for (const table::Kernel& kernel : table::kernels()) list.push_back(&kernel);
  return list;
}

INSTANTIATE_TEST_SUITE_P(AllKernels, PropertyTest, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param->name); });

}  // namespace
}  // namespace furrow
