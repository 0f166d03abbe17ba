// Squares a list of numbers on all cores.
#include <cstdio>
#include <furrow/furrow.hpp>
#include <numeric>
#include <string>
#include <vector>

int main() {
  std::vector<double> numbers(10'000'000);
  std::iota(numbers.begin(), numbers.end(), 1.0);
  std::vector<double> squares(numbers.size());

  furrow::Engine engine;
  furrow::transform(engine, numbers, squares, [](double v) { return v * v; });

  const furrow::LastRun run = engine.last_run();
  std::printf("%zu numbers on %s, %d of %d threads took part", numbers.size(), std::string(run.backend).c_str(), run.threads,
              engine.concurrency());
  if (run.serial != furrow::Serial::no) std::printf(" (%s)", std::string(run.why_serial()).c_str());
  std::printf("\n");
  for (std::size_t i = 0; i < 5; ++i) std::printf("%.0f -> %.0f\n", numbers[i], squares[i]);

  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (squares[i] == numbers[i] * numbers[i]) continue;
    std::printf("wrong at %zu: %.17g\n", i, squares[i]);
    return 1;
  }
  return 0;
}
