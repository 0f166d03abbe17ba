// Eigen expressions by Eigen alone, by Eigen's segments in an OpenMP region, and by furrow, in interleaved rounds: how many times
// faster than Eigen alone. A number of elements may be given.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <furrow/eigen.hpp>
#include <furrow/engine/array.hpp>
#include <furrow/engine/engine.hpp>
#include <vector>

namespace {

using Eigen::Index;
using Map = Eigen::Map<Eigen::ArrayXd, Eigen::Aligned64>;

constexpr int kRounds = 11;

template <class Call>
double seconds(const Call& call, int repetitions) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repetitions; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repetitions;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

/// Prints how many times faster than the first call the others are.
template <class First, class... Others>
void compare(const char* name, int repetitions, const First& first, const Others&... others) {
  std::vector<std::vector<double>> times(1 + sizeof...(Others));
  for (int round = 0; round <= kRounds; ++round) {
    std::size_t k = 0;
    const auto measure = [&](const auto& call) {
      const double time = seconds(call, repetitions);
      if (round > 0) times[k].push_back(time);  // the first finds cold caches
      ++k;
    };
    measure(first);
    (measure(others), ...);
  }
  const double eigen = median(times[0]);
  std::printf("%-28s eigen %10.2f us", name, eigen * 1e6);
  for (std::size_t k = 1; k < times.size(); ++k)
    std::printf("  %s %.2fx", k + 1 < times.size() ? "segments" : "furrow", eigen / median(times[k]));
  std::printf("\n");
}

/// assign(z, x, y) of parts of the arrays, one for each thread.
template <class Assign>
void by_segments(int threads, const Map& x, const Map& y, Map& z, const Assign& assign) {
#pragma omp parallel num_threads(threads)
  {
    const Index each = (x.size() / threads + 7) / 8 * 8;
    const Index begin = std::min(x.size(), omp_get_thread_num() * each);
    const Index size = omp_get_thread_num() + 1 == threads ? x.size() - begin : std::min(each, x.size() - begin);
    assign(z.segment(begin, size), x.segment(begin, size), y.segment(begin, size));
  }
}

}  // namespace

int main(int count, char** arguments) {
  furrow::Engine engine("openmp");
  const Index n = count > 1 ? std::atoll(arguments[1]) : Index{1} << 25;
  const int repetitions = static_cast<int>(std::max<Index>(1, 1'000'000 / std::max<Index>(n, 1)));
  const auto size = static_cast<std::size_t>(n);
  furrow::Array<double> x_elements(engine, size);
  furrow::Array<double> y_elements(engine, size);
  furrow::Array<double> z_elements(engine, size);
  Map x(x_elements.data(), n);
  Map y(y_elements.data(), n);
  Map z(z_elements.data(), n);
  x.setRandom();
  y.setRandom();
  std::printf("%td doubles, %d threads\n", n, engine.concurrency());

  const auto expressions = [&](const char* name, const auto& make) {
    compare(
        name, repetitions, [&] { z = make(x, y); },
        [&] { by_segments(engine.concurrency(), x, y, z, [&](auto out, const auto& a, const auto& b) { out = make(a, b); }); },
        [&] { furrow::assign(engine, z, make(x, y)); });
  };
  expressions("3x + y sqrt|x| + 1", [](const auto& a, const auto& b) { return 3.0 * a + b * a.abs().sqrt() + 1.0; });
  expressions("3x + y", [](const auto& a, const auto& b) { return 3.0 * a + b; });
  expressions("exp(x)", [](const auto& a, const auto&) { return a.exp(); });

  volatile double result = 0;
  const auto keep = [&result](double value) { result = value; };
  compare(
      "sum of (x - y)^2", repetitions, [&] { keep((x - y).square().sum()); }, [&] { keep(furrow::sum(engine, (x - y).square())); });
  compare(
      "min of x - y", repetitions, [&] { keep((x - y).minCoeff()); }, [&] { keep(furrow::min(engine, x - y)); });
  compare(
      "norm of x - y", repetitions, [&] { keep((x - y).matrix().norm()); }, [&] { keep(furrow::norm2(engine, x - y)); });
  compare(
      "how many x > y", repetitions, [&] { keep(static_cast<double>((x > y).count())); },
      [&] { keep(static_cast<double>(furrow::count(engine, x > y))); });
}
