#include <cstdio>
#include <furrow/furrow.hpp>
#include <string>
#include <vector>

int main() {
  furrow::Engine engine;
  std::vector<double> x(100'000, 3.0);
  std::vector<double> y(x.size());
  furrow::transform(engine, x, y, [](double v) { return v * v; });
  const double sum = furrow::sum(engine, y);
  std::printf("sum %.0f on %s\n", sum, std::string(engine.backend()).c_str());
  return sum == 900'000.0 ? 0 : 1;
}
