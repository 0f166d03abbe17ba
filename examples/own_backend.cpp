// A backend of one's own: C++20 threads, started for each call and joined at its end.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <furrow/furrow.hpp>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace {

class JthreadBackend final : public furrow::Backend {
 public:
  explicit JthreadBackend(int concurrency) : Backend(concurrency) {}
  std::string_view name() const override { return "jthread"; }

 private:
  // The schedule is a hint; here a thread takes the next task when it is free, whichever was asked for.
  void run(std::size_t tasks, furrow::TaskRef body, furrow::Schedule) override {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t task = next++; task < tasks; task = next++) body(task);
    };
    std::vector<std::jthread> helpers;  // joined before `work` and `next` end
    const std::size_t threads = std::min(tasks, static_cast<std::size_t>(concurrency()));
    helpers.reserve(threads);
    try {
      while (helpers.size() + 1 < threads) helpers.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads to be had: those there are do all the tasks.
    }
    work();
  }
};

}  // namespace

int main() {
  furrow::register_backend("jthread", [](int concurrency) { return std::make_unique<JthreadBackend>(concurrency); });
  furrow::Engine serial("serial");
  furrow::Engine own("jthread", {.concurrency = 4});

  const furrow::Array<double> x(own, 10'000'000, 2.0);
  furrow::Array<double> y(own, x.size());
  furrow::Array<double> z(serial, x.size());
  const auto f = [](double v) { return std::exp(-v) / 3.0; };
  furrow::transform(own, x, y, f);
  std::printf("%d threads took part in %zu tasks\n", own.last_run().threads, own.last_run().tasks);
  furrow::transform(serial, x, z, f);

  const double own_sum = furrow::sum(own, y);
  const double serial_sum = furrow::sum(serial, z);
  std::printf("sum: %a on jthread, %a on serial\n", own_sum, serial_sum);
  return own_sum == serial_sum && std::equal(y.begin(), y.end(), z.begin()) ? 0 : 1;
}
