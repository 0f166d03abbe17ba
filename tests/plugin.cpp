// A plugin that brings furrow into a program which does not know it; plugin_host.cpp opens and closes it.
#include <vector>

#include "furrow/furrow.hpp"

extern "C" int plugin_run() {
  furrow::Engine engine({.concurrency = 3});
  std::vector<double> x(100'003, 1.5);
  furrow::transform(engine, x, x, [](double v) { return 2 * v; });
  return furrow::sum(engine, x) == 3.0 * 100'003 && engine.submit([] { return true; }).get() ? 0 : 1;
}
