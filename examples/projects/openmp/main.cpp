// A relaxation that was written with OpenMP. Its loops stay as they are. The norm that decides when to stop now comes from furrow:
// as an OpenMP reduction it had other bits for each number of threads, and with them another number of steps.
#include <omp.h>

#include <cstdio>
#include <furrow/furrow.hpp>
#include <vector>

namespace {

struct Outcome {
  int steps;
  double norm;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Smooths noise on n points, by damped Jacobi steps for u'' = 0, until the residual is below `tolerance` times that of the first
/// step.
Outcome relax(furrow::Engine& engine, std::size_t n, double tolerance) {
  std::vector<double> u(n);
  furrow::uniform(engine, u, 42, -1, 1);
  std::vector<double> next(u);
  std::vector<double> residual(n, 0.0);
  double first = 0;
  for (int step = 1;; ++step) {
#pragma omp parallel for
    for (std::size_t i = 1; i < n - 1; ++i) {
      next[i] = 0.25 * (u[i - 1] + 2 * u[i] + u[i + 1]);
      residual[i] = next[i] - u[i];
    }
    u.swap(next);
    const double norm = furrow::norm2(engine, residual);
    if (step == 1) first = norm;
    if (norm < tolerance * first) return {step, norm};
  }
}

}  // namespace

int main() {
  constexpr std::size_t kPoints = 20'001;
  constexpr double kTolerance = 0.001;
  Outcome expected{};
  for (const int threads : {1, 2}) {
    omp_set_num_threads(threads);
    furrow::Engine engine("openmp", {.concurrency = threads});  // the same threads as those of the loops
    const Outcome outcome = relax(engine, kPoints, kTolerance);
    std::printf("%d thread(s): %d steps, residual %.17g\n", threads, outcome.steps, outcome.norm);
    if (threads == 1) expected = outcome;
    if (outcome != expected) return 1;
  }
  return 0;
}
