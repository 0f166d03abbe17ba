#include <algorithm>

#include "furrow/engine/graph.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {
namespace {

/// How many steps of z → z² + c stay bounded, for the i-th pixel of a picture 256 wide of a part of the Mandelbrot set that is dear
/// at one end and cheap at the other.
std::int32_t escape_steps(std::size_t i, std::size_t n) {
  constexpr std::size_t kWidth = 256;
  constexpr int kMost = 256;
  const double height = static_cast<double>(n / kWidth + 1);
  const double re = -1.5 + 2.0 * static_cast<double>(i % kWidth) / kWidth;
  const double im = 1.2 * static_cast<double>(i / kWidth) / height;
  double x = 0;
  double y = 0;
  int steps = 0;
  for (; steps < kMost && x * x + y * y <= 4; ++steps) {
    const double next = x * x - y * y + re;
    y = 2 * x * y + im;
    x = next;
  }
  return steps;
}

constexpr std::size_t kRow = 256;    // pixels of a task of `fractal`
constexpr std::size_t kCall = 4096;  // elements of each call of `small_calls`

constexpr auto over_length = [](auto v, auto w) { return v / std::sqrt(1 + w * w); };

/// The elements of outer task k of `nested_calls`: sixteen parts, each longer than the one before, so that a thread which is done
/// with its own can only help inside another's.
constexpr std::size_t kParts = 16;
constexpr Range part_of(std::size_t k, std::size_t n) {
  constexpr std::size_t kAll = kParts * (kParts + 1) / 2;
  const auto end_of = [n](std::size_t parts) { return n / kAll * (parts * (parts + 1) / 2); };
  return {end_of(k), k + 1 == kParts ? n : end_of(k + 1)};
}

/// The cells of `wavefront`, 256 to a row, of one element each up to 65,536 elements: each adds the mean of the cell before it and
/// the one above to its input.
struct Cells {
  static constexpr std::size_t kWidth = 256;
  static constexpr std::size_t kMost = 65536;

  std::size_t n;
  std::size_t length = n / (kMost + 1) + 1;

  std::size_t count() const { return (n + length - 1) / length; }
  template <class T>
  std::span<T> of(std::span<T> all, std::size_t cell) const {
    return all.subspan(cell * length, std::min(length, n - cell * length));
  }
  template <class T>
  void compute(std::size_t cell, const T* a, T* out) const {
    for (std::size_t i = cell * length; i < std::min(n, (cell + 1) * length); ++i) {
      const T before = cell % kWidth > 0 ? out[i - length] : T{0};
      const T above = cell >= kWidth ? out[i - kWidth * length] : T{0};
      out[i] = a[i] + (before + above) / 2;
    }
  }
};

/// A graph with a node for each cell, run so many times.
template <class T>
void wavefront(Engine& e, std::span<const T> a, std::span<T> out, int runs) {
  const Cells cells{out.size()};
  Graph graph;
  std::vector<Access> accesses;
  for (std::size_t cell = 0; cell < cells.count(); ++cell) {
    accesses.assign({write(cells.of(out, cell))});
    if (cell % Cells::kWidth > 0) accesses.push_back(read(cells.of(out, cell - 1)));
    if (cell >= Cells::kWidth) accesses.push_back(read(cells.of(out, cell - Cells::kWidth)));
    graph.add("cell", accesses, 1,
              [n = out.size(), cell, a = a.data(), out = out.data()](std::size_t) { Cells{n}.compute(cell, a, out); });
  }
  for (int k = 0; k < runs; ++k) graph.run(e);
}

template <int runs>
Kernel wavefront_row(std::string_view name, std::string_view formula) {
  return {.name = name,
          .family = "irregular",
          .formula = formula,
          .types = {Type::f64},
          .reads = 1,
          .writes = 1,
          .flops = 3,
          .make_inputs = random_inputs,
          .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) { wavefront<T>(e, x.a<T>(), x.out<T>(), runs); }>,
          .reference = reference<[]<std::same_as<double> T>(Operands& x) {
            const Cells cells{x.size()};
            for (std::size_t cell = 0; cell < cells.count(); ++cell) cells.compute(cell, x.a<T>().data(), x.out<T>().data());
          }>,
          .largest = Cells::kMost};
}

}  // namespace

void add_irregular(std::vector<Kernel>& rows) {
  // Where backends really differ: tasks of uneven cost under the default schedule, many calls of little work each, and calls inside
  // calls. And a pair of kernels, of which one reads what the other has just written: results that were streamed past the cache
  // must be fetched again.
  rows.push_back({.name = "fractal",
                  .family = "irregular",
                  .formula = "Mandelbrot steps, a task a row of 256",
                  .types = {Type::i32},
                  .reads = 0,
                  .writes = 1,
                  .flops = 0,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<std::int32_t> T>(Engine& e, Operands& x) {
                    const std::span<T> out = x.out<T>();
                    e.bulk((out.size() + kRow - 1) / kRow, [out](std::size_t row) {
                      for (std::size_t i = row * kRow; i < std::min(out.size(), (row + 1) * kRow); ++i)
                        out[i] = escape_steps(i, out.size());
                    });
                  }>,
                  .reference = reference<[]<std::same_as<std::int32_t> T>(Operands& x) {
                    for (std::size_t i = 0; i < x.size(); ++i) x.out<T>()[i] = escape_steps(i, x.size());
                  }>,
                  .largest = std::size_t{1} << 16});
  rows.push_back(
      {.name = "small_calls",
       .family = "irregular",
       .formula = "out = a / √(1 + b²), a call for every 4096",
       .types = {Type::f64},
       .reads = 2,
       .writes = 1,
       .flops = 5,
       .make_inputs = random_inputs,
       .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
         for (std::size_t begin = 0; begin < x.size(); begin += kCall) {
           const std::size_t size = std::min(kCall, x.size() - begin);
           const auto part = [&](std::span<T> all) { return all.subspan(begin, size); };
           transform(e, part(x.a<T>()), part(x.b<T>()), part(x.out<T>()), over_length);
         }
       }>,
       .reference =
           element_by_element<[](std::floating_point auto a, std::floating_point auto b, auto) { return over_length(a, b); }>,
       .largest = std::size_t{1} << 19});
  rows.push_back({.name = "nested_calls",
                  .family = "irregular",
                  .formula = "out = a · √|b|, a call in each of 16 tasks of growing size",
                  .types = {Type::f64},
                  .reads = 2,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                    e.bulk(kParts, [&e, a = x.a<T>(), b = x.b<T>(), out = x.out<T>()](std::size_t k) {
                      const Range part = part_of(k, out.size());
                      constexpr std::size_t kTasks = 4;
                      e.bulk(kTasks, [=](std::size_t task) {
                        for (std::size_t i = part.begin + part.size() * task / kTasks;
                             i < part.begin + part.size() * (task + 1) / kTasks; ++i)
                          out[i] = a[i] * std::sqrt(std::abs(b[i]));
                      });
                    });
                  }>,
                  .reference = element_by_element<[](std::floating_point auto a, std::floating_point auto b, auto) {
                    return a * std::sqrt(std::abs(b));
                  }>,
                  .largest = std::size_t{1} << 22});
  rows.push_back({.name = "write_then_read",
                  .family = "irregular",
                  .formula = "out = a · b, then Σ out",
                  .types = {Type::f64},
                  .reads = 3,
                  .writes = 1,
                  .flops = 2,
                  .make_inputs = random_inputs,
                  .run = run<[]<std::same_as<double> T>(Engine& e, Operands& x) {
                    furrow::mul(e, x.a<T>(), x.b<T>(), x.out<T>());
                    x.set_result(sum(e, x.out<T>()));
                  }>,
                  .reference = reference<[]<std::same_as<double> T>(Operands& x) {
                    const std::span<T> out = x.out<T>();
                    for (std::size_t i = 0; i < out.size(); ++i) out[i] = x.a<T>()[i] * x.b<T>()[i];
                    x.set_result(out.empty() ? T{0} : reference::named_sum<T>(out.size(), [out](std::size_t i) { return out[i]; }));
                  }>});
  rows.push_back(wavefront_row<1>("wavefront", "a graph of cells that wait for two others, made and run"));
  rows.push_back(wavefront_row<16>("wavefront_16", "the same graph made once and run 16 times"));
}

}  // namespace furrow::table::FURROW_TABLE_ISA
