#include "benchmarks/peers/flows.hpp"
#include "benchmarks/peers/formulas.hpp"

namespace furrow::bench {
namespace {

struct Each {
  template <class Kernel>
  static void run(table::Operands& operands, int) {
    with_arrays<Kernel::only_fractions>(operands, [](const auto x) {
      for (std::size_t i = 0; i < x.n; ++i) x.out[i] = Kernel::at(x.a[i], x.b[i], x.out[i], x.s);
    });
  }
};

struct Reduce {
  template <class Kernel, bool of_out = false>
  static void run(table::Operands& operands, int) {
    with_arrays(operands, [&]<class T>(const Arrays<T> arrays) {
      using R = typename Kernel::template Result<T>;
      const Arrays<T> x = of_out ? arrays.reading_out() : arrays;
      R result = Kernel::template identity<R>();
      for (std::size_t i = 0; i < x.n; ++i)
        result = Kernel::join(result, Kernel::term(static_cast<R>(x.a[i]), static_cast<R>(x.b[i])));
      operands.set_result(Kernel::finish(result, static_cast<R>(x.s)));
    });
  }
};

template <bool inclusive>
void scan(table::Operands& operands, int) {
  with_arrays(operands, []<class T>(const Arrays<T> x) { scan_part<inclusive>(x, 0, x.n, T{0}); });
}

struct Compact {
  template <class Kernel>
  static void run(table::Operands& operands, int) {
    with_arrays(operands, [&](const auto x) {
      const std::size_t kept = count_kept<Kernel>(x.a, 0, x.n);
      move_kept<Kernel>(x, 0, x.n, 0, kept);
      operands.set_result(kept);
    });
  }
};

void count_if(table::Operands& operands, int) {
  with_arrays(operands, [&](const auto x) { operands.set_result(count_kept<CopyIf>(x.a, 0, x.n)); });
}

struct Move {
  template <class Kernel>
  static void run(table::Operands& operands, int) {
    with_arrays(operands, [](const auto x) {
      for (std::size_t i = 0; i < x.n; ++i) Kernel::at(x, i);
    });
  }
};

void sort(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    std::copy_n(x.a, x.n, x.out);
    std::sort(x.out, x.out + x.n, Less{});
  });
}

void stable_sort(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    std::copy_n(x.a, x.n, x.out);
    std::stable_sort(x.out, x.out + x.n, ByFallingSquare{});
  });
}

void argsort(table::Operands& operands, int) {
  argsort_by<true>(operands, [](auto first, auto last, auto less) { std::stable_sort(first, last, less); });
}

void nth_element(table::Operands& operands, int) {
  nth_element_by(operands, [](auto first, auto nth, auto last) { std::nth_element(first, nth, last); });
}

void all_of(table::Operands& operands, int) {
  with_arrays(operands, [&](const auto x) { operands.set_result(std::size_t{std::all_of(x.a, x.a + x.n, NotS{})}); });
}

void transpose(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    const std::size_t rows = Transpose::height(x.n);
    for (std::size_t task = 0; task < Transpose::tasks(x.n); ++task) Transpose::run(x, rows, task);
  });
}

void fractal(table::Operands& operands, int) {
  std::int32_t* const out = operands.out<std::int32_t>().data();
  for (std::size_t i = 0; i < operands.size(); ++i) out[i] = escape_steps(i, operands.size());
}

void each_small(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    small_calls(x.n, [x](std::size_t begin, std::size_t end) {
      const auto y = x;
      for (std::size_t i = begin; i < end; ++i) y.out[i] = over_length(y.a[i], y.b[i]);
    });
  });
}

void nested_calls(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    for (std::size_t part = 0; part < kParts; ++part)
      for (std::size_t i = part_begin(part, x.n); i < part_begin(part + 1, x.n); ++i) nested_element(x, i);
  });
}

void write_then_read(table::Operands& operands, int threads) {
  Each::run<Mul>(operands, threads);
  Reduce::run<Sum, true>(operands, threads);
}

void heat_steps(table::Operands& operands, int) {
  heat(operands, [](std::size_t height, const auto& row) {
    for (std::size_t i = 1; i < height - 1; ++i) row(i);
  });
}

template <int runs>
void wavefront(table::Operands& operands, int) {
  with_arrays(operands, [](const auto x) {
    const Cells cells(x.n);
    for (int k = 0; k < runs; ++k)
      for (std::size_t cell = 0; cell < cells.count; ++cell) Cells::compute(x, cells.length, cell);
  });
}

constexpr auto kPeers =
    joined(kElementWise<Each>, kFunctions<Each>, kRarerFunctions<Each>, kReductions<Reduce>, kCompactions<Compact>, kMoves<Move>,
           std::array<Peer, 17>{{{"inclusive_scan", scan<true>},
                                 {"exclusive_scan", scan<false>},
                                 {"count_if", count_if},
                                 {"sort", sort},
                                 {"stable_sort", stable_sort},
                                 {"argsort", argsort},
                                 {"nth_element", nth_element},
                                 {"all_of", all_of},
                                 {"transpose", transpose},
                                 {"fractal", fractal},
                                 {"small_calls", each_small},
                                 {"nested_calls", nested_calls},
                                 {"write_then_read", write_then_read},
                                 {"chain", chain<Each, Reduce>},
                                 {"heat", heat_steps},
                                 {"wavefront", wavefront<1>},
                                 {"wavefront_16", wavefront<Cells::kRuns>}}});

}  // namespace

template <>
std::span<const Peer> serial_loop<Build::FURROW_PEER_BUILD>() {
  return kPeers;
}

}  // namespace furrow::bench
