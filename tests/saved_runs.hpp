#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "benchmarks/saved_run.hpp"

namespace furrow::bench {

/// A run of the suite on a machine with noise: samples a little off, one in ten disturbed by up to three times its time, and a
/// drift that all share.
struct SyntheticSuite {
  std::vector<std::string> kernels{"copy", "triad", "sum", "dot", "min", "transform", "inclusive_scan"};
  std::vector<std::string> types{"f64", "f32"};
  std::vector<std::size_t> sizes{1024, 65536, 4194304};
  std::vector<std::string> backends{"serial", "openmp", "tbb", "stdpar"};
  std::vector<std::string> peers{"raw_openmp", "raw_tbb", "raw_stdpar", "serial_loop"};
  std::size_t rounds = 12;
  double noise = 0.02;          ///< of a sample
  double between_runs = 0.015;  ///< of all samples of a case
  /// By what a case takes longer.
  std::function<double(const std::string& kernel, const std::string& backend, const std::string& type, std::size_t n)> factor =
      [](const auto&, const auto&, const auto&, std::size_t) { return 1; };

  SavedRun run(std::uint64_t seed) const {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> unit;
    SavedRun made;
    made.name = "run " + std::to_string(seed);
    made.context = {{"furrow_version", "0.1.0"}, {"furrow_machine", "a machine"}, {"furrow_threads", "2"}, {"date", "2020-01-01"}};
    made.backends = backends;
    made.peers = peers;
    for (const std::string& kernel : kernels) {
      for (const std::string& type : types) {
        for (const std::size_t n : sizes) {
          SavedRun::Group group{.kernel = kernel, .type = type, .n = n, .bytes = 16};
          for (const auto* const names : {&backends, &peers}) {
            for (const std::string& backend : *names) {
              const double time =
                  1e-9 * static_cast<double>(n) * factor(kernel, backend, type, n) * std::exp(between_runs * normal(random));
              group.cases.push_back({backend, {}, {}});
              for (std::size_t round = 0; round < rounds; ++round) {
                const double drift = round < rounds / 3 ? 1 : 1.2;
                const double spike = unit(random) < 0.1 ? 1 + 2 * unit(random) : 1;
                group.cases.back().real.push_back(time * drift * spike * std::exp(noise * std::abs(normal(random))));
                group.cases.back().cpu.push_back(group.cases.back().real.back());
              }
            }
          }
          made.groups.push_back(std::move(group));
        }
      }
    }
    return made;
  }
};

}  // namespace furrow::bench
