// Stencils, whatever their blocks, against a loop over steps and cells.
#include "furrow/kernels/stencil.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/engine/registry.hpp"
#include "tests/support.hpp"

namespace furrow {
namespace {

using support::message_of;

/// A cell and its neighbours the slow way: each is looked up by the rules of the boundaries.
template <class T, std::size_t D>
struct Seen {
  const std::vector<T>& field;
  const std::array<std::ptrdiff_t, D>& shape;
  const Boundaries<D>& boundary;
  std::array<std::ptrdiff_t, D> cell;

  template <class... Step>
  T operator()(Step... steps) const {
    std::array<std::ptrdiff_t, D> at{steps...};
    std::ptrdiff_t index = 0;
    for (std::size_t axis = 0; axis < D; ++axis) {
      const std::ptrdiff_t n = shape[axis];
      std::ptrdiff_t& a = at[axis];
      a += cell[axis];
      switch (boundary[axis].kind()) {
        case Boundary::Kind::periodic:
          a = (a % n + n) % n;
          break;
        case Boundary::Kind::fixed:
          if (a < 0 || a >= n) return static_cast<T>(boundary[axis].value());
          break;
        case Boundary::Kind::reflecting:
          a = (a % (2 * n) + 2 * n) % (2 * n);
          if (a >= n) a = 2 * n - 1 - a;
          break;
      }
      index = index * n + a;
    }
    return field[static_cast<std::size_t>(index)];
  }
};

template <class T, std::size_t F>
using State = std::array<std::vector<T>, F>;

/// What lies beyond the edges for constants.
template <std::size_t D>
Boundaries<D> not_fixed(const Boundaries<D>& boundary) {
  const auto of = [](const Boundary& one) { return one.kind() == Boundary::Kind::fixed ? Boundary::reflecting() : one; };
  if constexpr (D == 2)
    return Boundaries<2>({of(boundary[0]), of(boundary[1])});
  else
    return Boundaries<3>({of(boundary[0]), of(boundary[1]), of(boundary[2])});
}

template <class T, std::size_t F, std::size_t C, std::size_t D, class Op>
State<T, F> reference(State<T, F> state, const State<T, C>& constants, const std::array<std::ptrdiff_t, D>& shape,
                      const Boundaries<D>& boundary, std::size_t steps, const Op& op) {
  const Boundaries<D> of_constants = not_fixed<D>(boundary);
  for (std::size_t step = 0; step < steps; ++step) {
    State<T, F> next = state;
    for (std::size_t i = 0; i < state[0].size(); ++i) {
      std::array<std::ptrdiff_t, D> cell{};
      auto rest = static_cast<std::ptrdiff_t>(i);
      for (std::size_t axis = D; axis-- > 0; rest /= shape[axis]) cell[axis] = rest % shape[axis];
      const auto see = [&](const std::vector<T>& field) { return Seen<T, D>{field, shape, boundary, cell}; };
      const auto see_constant = [&](const std::vector<T>& field) { return Seen<T, D>{field, shape, of_constants, cell}; };
      [&]<std::size_t... Of, std::size_t... From>(std::index_sequence<Of...>, std::index_sequence<From...>) {
        if constexpr (F == 1) {
          next[0][i] = op(see(state[Of])..., see_constant(constants[From])...);
        } else {
          const std::array<T, F> values = op(see(state[Of])..., see_constant(constants[From])...);
          ((next[Of][i] = values[Of]), ...);
        }
      }
      (std::make_index_sequence<F>(), std::make_index_sequence<C>());
    }
    state = next;
  }
  return state;
}

template <class T>
std::vector<T> numbers(std::size_t n, std::size_t seed = 0) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>((i * 2654435761U + seed * 40503U) % 1009) / T{1009};
  return values;
}

// Operations whose result shows which neighbour was where, and in which order it was added.
constexpr auto kPlane = [](const auto& u) {
  using T = decltype(u(0, 0));
  return u(0, 0) * T(0.37) + u(-1, 0) * T(0.21) - u(1, 1) * T(0.13) + u(0, -1) * T(0.3) + u(1, 0) * T(0.11) - u(-1, 1) * T(0.07);
};
constexpr auto kWidePlane = [](const auto& u) {
  return u(0, 0) * 0.4 + u(-2, 0) * 0.2 - u(2, 1) * 0.1 + u(0, -2) * 0.3 + u(1, 2) * 0.1 - u(-1, -2) * 0.05;
};
constexpr auto kSpace = [](const auto& u) {
  return u(0, 0, 0) * 0.31 + u(-1, 0, 0) * 0.21 - u(1, 0, 1) * 0.13 + u(0, -1, 0) * 0.3 + u(0, 1, 0) * 0.11 - u(0, 0, -1) * 0.07 +
         u(0, -1, 1) * 0.05;
};
constexpr auto kWideSpace = [](const auto& u) {
  return u(0, 0, 0) * 0.31 + u(-2, 0, 0) * 0.21 - u(2, 0, 1) * 0.13 + u(0, -2, 0) * 0.3 + u(0, 2, 0) * 0.11 - u(1, 1, -2) * 0.07;
};

const Boundary kKinds[] = {Boundary::periodic(), Boundary::fixed(0.75), Boundary::reflecting()};

template <std::size_t D>
std::size_t cells(const std::array<std::ptrdiff_t, D>& shape) {
  std::size_t product = 1;
  for (const std::ptrdiff_t extent : shape) product *= static_cast<std::size_t>(extent);
  return product;
}

template <std::size_t Radius, std::size_t D, class Op>
void expect_steps(Engine& engine, const std::array<std::ptrdiff_t, D>& shape, const Boundaries<D>& boundary, std::size_t steps,
                  const Op& op) {
  const auto in = numbers<double>(cells(shape));
  std::vector<double> out(in.size(), -1);
  std::ptrdiff_t extents[D];
  std::copy(shape.begin(), shape.end(), extents);
  stencil<Radius>(engine, in, out, extents, boundary, steps, op);
  const auto expected = reference<double, 1, 0, D>({in}, {}, shape, boundary, steps, op);
  ASSERT_EQ(out, expected[0]) << engine.backend() << ", " << engine.concurrency() << " threads, " << cells(shape) << " cells, "
                              << steps << " steps, radius " << Radius;
  ASSERT_EQ(in, numbers<double>(in.size()));
}

/// Every backend with several numbers of threads.
template <class Check>
void on_all(const Check& check) {
  for (const auto& name : backends()) {
    for (const int threads : {1, 2, 3, 7}) {
      Engine engine(name, {.concurrency = threads});
      check(engine);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Stencil, PlanesOfAllSizesAndBoundaries) {
  Engine engine("serial");
  const std::array<std::ptrdiff_t, 2> shapes[] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {3, 5}, {17, 33}, {40, 9}};
  for (const auto& shape : shapes)
    for (const Boundary& rows : kKinds)
      for (const Boundary& columns : kKinds)
        for (const std::size_t steps : {0U, 1U, 2U, 5U, 19U}) {
          expect_steps<1, 2>(engine, shape, Boundaries<2>({rows, columns}), steps, kPlane);
          expect_steps<2, 2>(engine, shape, Boundaries<2>({rows, columns}), steps, kWidePlane);
          if (HasFatalFailure()) return;
        }
}

TEST(Stencil, SpacesOfAllSizesAndBoundaries) {
  Engine engine("serial");
  const std::array<std::ptrdiff_t, 3> shapes[] = {{1, 1, 1}, {1, 3, 9}, {5, 1, 2}, {4, 6, 1}, {7, 9, 11}};
  for (const auto& shape : shapes)
    for (const Boundary& planes : kKinds)
      for (const Boundary& rows : kKinds)
        for (const Boundary& columns : kKinds)
          for (const std::size_t steps : {1U, 3U, 9U}) {
            expect_steps<1, 3>(engine, shape, Boundaries<3>({planes, rows, columns}), steps, kSpace);
            expect_steps<2, 3>(engine, shape, Boundaries<3>({planes, rows, columns}), steps, kWideSpace);
            if (HasFatalFailure()) return;
          }
}

TEST(Stencil, TheSameOnAllBackends) {
  on_all([](Engine& engine) {
    for (const Boundary& boundary : kKinds) {
      expect_steps<1, 2>(engine, {300, 211}, boundary, 18, kPlane);
      expect_steps<1, 3>(engine, {40, 33, 37}, boundary, 10, kSpace);
    }
  });
}

TEST(Stencil, LargeGridsAreStreamed) {
  const std::size_t side = support::kSanitizer ? 300 : 3000;
  Engine engine;
  const auto in = numbers<float>(side * side);
  std::vector<float> out(in.size());
  stencil(engine, in, out, {side, side}, Boundary::reflecting(), 3, kPlane);
  const auto n = static_cast<std::ptrdiff_t>(side);
  EXPECT_EQ(out, (reference<float, 1, 0, 2>({in}, {}, {n, n}, Boundary::reflecting(), 3, kPlane))[0]);
}

/// Two fields that act on each other, and a coefficient for each cell.
constexpr auto kReaction = [](const auto& u, const auto& v, const auto& c) {
  const float flow = u(-1, 0) + u(1, 0) + u(0, -1) + u(0, 1) - 4 * u(0, 0);
  return std::array<float, 2>{u(0, 0) + c(0, 1) * flow - 0.1F * v(1, 0), v(0, 0) * 0.9F + c(-1, 0) * u(0, 1)};
};

TEST(Stencil, SeveralFieldsAndConstants) {
  const std::array<std::ptrdiff_t, 2> shapes[] = {{70, 45}, {190, 175}};  // stepped as a whole, and in blocks
  for (const auto& [rows, columns] : shapes) {
    const std::size_t n = cells<2>({rows, columns});
    const State<float, 2> in{numbers<float>(n, 1), numbers<float>(n, 2)};
    const State<float, 1> constants{numbers<float>(n, 3)};
    for (const Boundary& boundary : kKinds) {
      for (const std::size_t steps : {1U, 7U, 30U}) {
        const auto expected = reference<float, 2, 1, 2>(in, constants, {rows, columns}, boundary, steps, kReaction);
        on_all([&, height = rows, width = columns](Engine& engine) {
          State<float, 2> out{std::vector<float>(n), std::vector<float>(n)};
          stencil(engine, fields(in[0], in[1]), fields(out[0], out[1]), {height, width}, boundary, steps, kReaction,
                  fields(constants[0]));
          ASSERT_EQ(out, expected) << engine.backend() << ", " << n << " cells, " << steps << " steps";
        });
        if (HasFatalFailure()) return;
      }
    }
  }
}

/// Blocks of a cut in reversed order: none may need what another has done.
template <std::size_t Radius, std::size_t D, class Op>
void expect_cut(const blocking::Grid& grid, const std::array<std::ptrdiff_t, D>& shape, const Boundaries<D>& boundary,
                const blocking::Cut& cut, bool stream, const Op& op) {
  const auto in = numbers<double>(cells(shape));
  std::vector<double> out(in.size(), -1);
  blocking::Workspaces workspaces;
  using Block = blocking::Block<double, 1, 0, D, Radius, Op>;
  const typename Block::Pass pass{grid, cut, {in.data()}, {out.data()}, {}, op, stream};
  for (std::size_t block = cut.blocks(); block-- > 0;) Block(pass, block).run(workspaces);
  const auto expected = reference<double, 1, 0, D>({in}, {}, shape, boundary, cut.steps, op);
  ASSERT_EQ(out, expected[0]) << cut.steps << " steps, blocks of " << cut.extents[0] << " x " << cut.extents[1] << " x "
                              << cut.extents[2];
}

blocking::Cut cut_of(const blocking::Grid& grid, std::size_t steps, std::array<std::ptrdiff_t, 3> extents) {
  blocking::Cut cut{steps, extents, {}};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    cut.extents[axis] = std::min(extents[axis], grid.extents[axis]);
    cut.counts[axis] = (grid.extents[axis] + cut.extents[axis] - 1) / cut.extents[axis];
  }
  return cut;
}

TEST(Stencil, AnyCutGivesTheSame) {
  constexpr std::ptrdiff_t plane[] = {13, 29};
  constexpr std::ptrdiff_t space[] = {6, 7, 19};
  for (const Boundary& boundary : kKinds) {
    const blocking::Grid flat = blocking::grid_of<2>(plane, boundary, 2);
    const blocking::Grid deep = blocking::grid_of<3>(space, boundary, 1);
    for (const std::size_t steps : {1U, 2U, 4U, 9U}) {
      for (const std::ptrdiff_t length : {1, 2, 3, 5, 8, 40}) {
        for (const std::ptrdiff_t width : {1, 2, 3, 8, 11, 40}) {
          const bool stream = (length + width) % 2 == 0;
          expect_cut<2, 2>(flat, {13, 29}, boundary, cut_of(flat, steps, {length, 1, width}), stream, kWidePlane);
          expect_cut<1, 3>(deep, {6, 7, 19}, boundary, cut_of(deep, steps, {length, width > 8 ? 7 : 1 + width % 4, width}), stream,
                           kSpace);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

/// kPlane of the first field, less some of the second one, which is the first one a step before.
struct Swinging : blocking::LeapfrogOperation {
  using Near = Neighbourhood<double, 2, 1>;
  void line(const std::array<Near::Lines, 2>& from, std::ptrdiff_t first, std::ptrdiff_t size,
            const std::array<double*, 2>& to) const {
    for (std::ptrdiff_t i = 0; i < size; ++i) to[0][i] = kPlane(Near(from[0], first + i)) - 0.4 * from[1][1][first + i];
  }
};
constexpr auto kSwinging = [](const auto& u, const auto& before) {
  return std::array<double, 2>{kPlane(u) - 0.4 * before(0, 0), u(0, 0)};
};

TEST(Stencil, LeapfrogFieldsChangeRoles) {
  const State<double, 2> in{numbers<double>(31 * 23, 1), numbers<double>(31 * 23, 2)};
  constexpr std::ptrdiff_t shape[] = {31, 23};
  for (const Boundary& boundary : kKinds) {
    const blocking::Grid grid = blocking::grid_of<2>(shape, boundary, 1);
    for (const std::size_t steps : {1U, 2U, 3U, 8U}) {
      const auto expected = reference<double, 2, 0, 2>(in, {}, {31, 23}, boundary, steps, kSwinging);
      const blocking::Cut whole{steps, grid.extents, {1, 1, 1}, true};
      for (const blocking::Cut& cut : {whole, cut_of(grid, steps, {31, 1, 23}), cut_of(grid, steps, {5, 1, 23}),
                                       cut_of(grid, steps, {31, 1, 8}), cut_of(grid, steps, {4, 1, 9})}) {
        for (const bool stream : {false, true}) {
          State<double, 2> out{std::vector<double>(in[0].size()), std::vector<double>(in[0].size())};
          blocking::Workspaces workspaces;
          using Block = blocking::Block<double, 2, 0, 2, 1, Swinging>;
          const Swinging op;
          const Block::Pass pass{grid, cut, {in[0].data(), in[1].data()}, {out[0].data(), out[1].data()}, {}, op, stream};
          for (std::size_t block = cut.blocks(); block-- > 0;) Block(pass, block).run(workspaces);
          ASSERT_EQ(out, expected) << steps << " steps, blocks of " << cut.extents[0] << " x " << cut.extents[2];
        }
      }
    }
  }
  const auto expected = reference<double, 2, 0, 2>(in, {}, {31, 23}, Boundary::periodic(), 40, kSwinging);
  on_all([&](Engine& engine) {
    State<double, 2> out{std::vector<double>(in[0].size()), std::vector<double>(in[0].size())};
    stencil(engine, fields(in[0], in[1]), fields(out[0], out[1]), {31, 23}, Boundary::periodic(), 40, Swinging());
    ASSERT_EQ(out, expected) << engine.backend();
  });
}

/// The whole grid a step at a time.
template <std::size_t Radius, std::size_t D, class Op>
void expect_whole(Engine& engine, const std::array<std::ptrdiff_t, D>& shape, const Boundaries<D>& boundary, std::size_t steps,
                  const Op& op) {
  std::ptrdiff_t extents[D];
  std::copy(shape.begin(), shape.end(), extents);
  const blocking::Grid grid = blocking::grid_of<D>(extents, boundary, Radius);
  const auto in = numbers<double>(cells(shape));
  std::vector<double> out(in.size(), -1);
  blocking::Workspaces workspaces;
  const blocking::Cut cut{steps, grid.extents, {1, 1, 1}, true};
  blocking::run_pass<Radius, D, double, 1, 0>(engine, grid, cut, {in.data()}, {out.data()}, {}, op, workspaces);
  const auto expected = reference<double, 1, 0, D>({in}, {}, shape, boundary, steps, op);
  ASSERT_EQ(out, expected[0]) << engine.backend() << ", " << cells(shape) << " cells, " << steps << " steps";
}

TEST(Stencil, GridsSteppedAsAWholeGiveTheSame) {
  on_all([](Engine& engine) {
    for (const Boundary& boundary : kKinds)
      for (const std::size_t steps : {1U, 2U, 5U}) {
        expect_whole<2, 2>(engine, {13, 29}, boundary, steps, kWidePlane);
        expect_whole<1, 2>(engine, {3, 1}, boundary, steps, kPlane);
        expect_whole<2, 3>(engine, {6, 7, 19}, boundary, steps, kWideSpace);
        expect_whole<1, 3>(engine, {1, 5, 2}, boundary, steps, kSpace);
        if (HasFatalFailure()) return;
      }
  });
}

TEST(Stencil, CutsCoverTheGrid) {
  const auto expect_cover = [](const blocking::Grid& grid, std::size_t fields, std::size_t steps, int threads) {
    const blocking::Cut cut = blocking::cut_for(grid, {8, fields, 0}, steps, threads);
    EXPECT_GE(cut.steps, 1U);
    EXPECT_LE(cut.steps, steps);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      EXPECT_GE(cut.extents[axis] * cut.counts[axis], grid.extents[axis]);
      EXPECT_LT(cut.extents[axis] * (cut.counts[axis] - 1), grid.extents[axis]);
    }
  };
  const std::ptrdiff_t spaces[][3] = {{5, 101, 100}, {100, 339, 1}, {1, 300, 4000}, {700, 800, 900}};
  for (const std::size_t steps : {1U, 3U, 100U}) {
    for (const int threads : {1, 2, 64}) {
      for (const std::ptrdiff_t rows : {1, 5, 1000, 100000}) {
        for (const std::ptrdiff_t columns : {1, 100, 5000, 1000000}) {
          const std::ptrdiff_t plane[] = {rows, columns};
          expect_cover(blocking::grid_of<2>(plane, Boundary::periodic(), 1), 1, steps, threads);
        }
      }
      for (const auto& space : spaces) expect_cover(blocking::grid_of<3>(space, Boundary::fixed(1), 2), 19, steps, threads);
    }
  }
}

TEST(Stencil, PlanesInCacheAreSharedOutOnce) {
  const std::ptrdiff_t shape[] = {512, 512};  // 4 MB with the copy
  const blocking::Grid grid = blocking::grid_of<2>(shape, Boundary::periodic(), 1);
  if (machine().l3_bytes < std::size_t{8} << 20) GTEST_SKIP() << "needs a cache of 8 MB";
  for (const int threads : {1, 2, 4})
    EXPECT_EQ(blocking::cut_for(grid, {8, 1, 0}, 16, threads).blocks(), static_cast<std::size_t>(threads));
}

TEST(Stencil, EmptyGrids) {
  Engine engine;
  std::vector<double> none;
  stencil(engine, none, none, {0, 5}, Boundary::periodic(), 3, kPlane);
  stencil(engine, none, none, {5, 0, 2}, Boundary::reflecting(), 3, kSpace);
}

TEST(Stencil, BadInput) {
  Engine engine;
  std::vector<double> a(12);
  std::vector<double> b(12);
  const auto step = [&](auto& in, auto& out, auto rows, auto columns) {
    return message_of([&] { stencil(engine, in, out, {rows, columns}, Boundary::periodic(), 1, kPlane); });
  };
  EXPECT_EQ(step(a, b, 3, 4), "(nothing was thrown)");
  EXPECT_NE(step(a, b, 3, 5).find("12 elements was given for a shape of 15 cells"), std::string::npos);
  EXPECT_NE(step(a, b, -3, 4).find("negative"), std::string::npos) << step(a, b, -3, 4);
  EXPECT_NE(step(a, a, 3, 4).find("shares memory"), std::string::npos) << step(a, a, 3, 4);
  const auto huge = std::numeric_limits<std::size_t>::max() / 2;
  EXPECT_NE(step(a, b, huge, huge), "(nothing was thrown)");
  std::vector<double> large(24);
  const std::span<double> first(large.data(), 12);
  const std::span<double> shifted(large.data() + 11, 12);
  EXPECT_NE(step(first, shifted, 3, 4).find("shares memory"), std::string::npos);
  const std::string constant = message_of([&] {
    stencil(
        engine, a, b, {3, 4}, Boundary::periodic(), 1, [](const auto& u, const auto& c) { return u(0, 0) + c(0, 0); }, fields(b));
  });
  EXPECT_NE(constant.find("shares memory"), std::string::npos) << constant;
}

/// Coefficients that must not be copied for each line.
struct Weights {
  std::vector<double> of;

  explicit Weights(std::vector<double> weights) : of(std::move(weights)) {}
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  auto operator()(const auto& u) const { return u(0, 0) * of[0] + u(-1, 0) * of[1] + u(0, 1) * of[2]; }
};

TEST(Stencil, OperationsAreNotCopied) {
  Engine engine("serial");
  const Weights weights({0.5, 0.25, 0.125});
  expect_steps<1, 2>(engine, {9, 14}, Boundary::periodic(), 5, weights);
}

TEST(Stencil, ExceptionsAndStopsReachTheCaller) {
  for (const auto& name : backends()) {
    std::vector<double> in(64 * 64, 1.0);
    std::vector<double> out(in.size());
    Engine engine(name);
    const auto throwing = [](const auto& u) { return u(0, 0) > 0 ? throw std::runtime_error("no more") : u(0, 0); };
    EXPECT_EQ(message_of<std::runtime_error>([&] {
                stencil(engine, in, out, {64, 64}, Boundary::periodic(), 40, throwing);
              }),
              "no more");
    std::stop_source source;
    Engine stopped(name, {.stop = source.get_token()});
    source.request_stop();
    EXPECT_THROW(stencil(stopped, in, out, {64, 64}, Boundary::periodic(), 4, kPlane), Cancelled) << name;
  }
}

}  // namespace
}  // namespace furrow
