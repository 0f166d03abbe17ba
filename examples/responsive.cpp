// A program that stays responsive while it computes: heat spreads over a plate in the background, the main thread shows how far it
// has come, and ends it when the user presses Enter or after the given number of seconds.
#include <poll.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <furrow/furrow.hpp>
#include <stop_token>
#include <utility>

namespace {

constexpr std::size_t ny = 1000;
constexpr std::size_t nx = 1000;

/// What is left of the heat in the middle after so many steps.
double spread(furrow::Engine& engine, int steps, const std::stop_token& stop, furrow::Progress& progress) {
  furrow::Array<double> now(engine, ny * nx);
  furrow::Array<double> next(engine, ny * nx);
  now[ny / 2 * nx + nx / 2] = 1;
  for (int step = 0; step < steps && !stop.stop_requested(); ++step) {
    furrow::for_each_index(engine, {ny - 2, nx - 2}, [&](std::size_t i, std::size_t j) {
      const std::size_t at = (i + 1) * nx + j + 1;
      next[at] = now[at] + 0.125 * (now[at - nx] + now[at + nx] + now[at - 1] + now[at + 1] - 4 * now[at]);
    });
    std::swap(now, next);
    progress.report(step + 1, steps);
  }
  return now[ny / 2 * nx + nx / 2];
}

bool enter_pressed() {
  pollfd keyboard{.fd = 0, .events = POLLIN, .revents = 0};
  return poll(&keyboard, 1, 0) > 0 && std::getchar() == '\n';
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const auto give_up = Clock::now() + std::chrono::duration<double>(argc > 1 ? std::atof(argv[1]) : 1.0);
  furrow::Engine engine;
  auto heat = engine.submit([](furrow::Engine& e, const std::stop_token& stop,
                               furrow::Progress& progress) { return spread(e, 1'000'000, stop, progress); },
                            {.progress = [](double part) { std::printf("%.4f %% done\n", part * 100); },
                             .progress_interval = std::chrono::milliseconds(250)});
  auto report = heat.then([](double middle) { std::printf("the middle holds %.3g of the heat\n", middle); });

  while (!report.wait_for(std::chrono::milliseconds(20)))  // an event loop would draw and answer here
    if (enter_pressed() || Clock::now() > give_up) report.cancel();
  try {
    report.get();
  } catch (const furrow::Cancelled&) {
    std::puts("cancelled");
  }
  return 0;
}
