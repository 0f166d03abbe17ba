#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace furrow::bench {

/// Something to be timed. Subjects of one runtime do not disturb each other; between runtimes threads that still spin from the one
/// before would (measured: TBB right after OpenMP takes up to twice as long), so they are given time to fall asleep.
struct Subject {
  std::string runtime;
  std::function<void(std::size_t calls)> run;  ///< makes so many calls
};

/// What was measured of one subject: seconds per call, one entry per round. Entries of equal index belong to the same round, so
/// that two subjects are compared under like conditions.
struct Timings {
  std::size_t calls = 1;  ///< calls in each sample
  std::vector<double> real;
  std::vector<double> cpu;  ///< of all threads together
};

/// Where time comes from; tests put in their own.
struct Clock {
  std::function<double()> real;
  std::function<double()> cpu;
  std::function<void(double seconds)> sleep;
  static Clock system();
};

struct Plan {
  double seconds = 1;            ///< rounds are added until this is used up
  std::size_t least_rounds = 6;  ///< made in any case: the fewest that give a 95 % interval
  std::size_t most_rounds = 100;
  double sample_seconds = 1e-3;  ///< a sample repeats its call for about so long; clock and call overhead are then under 0.1 %
  double pause = 10e-3;          ///< between runtimes; libgomp's threads spin for about 3 ms
  std::uint64_t seed = 1;        ///< of the random order
  std::function<bool()> stop = [] { return false; };  ///< asked after each sample; a round cut short is dropped
};

/// Times all subjects in rounds of random order, each round one sample of each. Warm-up calls are not timed: one when the runtime
/// changes, and one before samples of several calls, so that the data are where this subject leaves them.
std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, const Clock& clock = Clock::system());

/// The middle value; of an even number, the mean of the two. Needs at least one.
double median(std::span<const double> values);
double least(std::span<const double> values);

/// How two subjects compare: time of the first over that of the second.
struct Ratio {
  double ratio = 1;  ///< median over the rounds
  double low = 1;    ///< 95 % interval of that median
  double high = 1;
  /// The interval excludes 1 and the ratio is off by 3 % or more: less is beyond what two builds of the same code agree to.
  bool differs() const;
  bool faster() const { return differs() && ratio < 1; }
  bool slower() const { return differs() && ratio > 1; }
};

/// From paired rounds: the interval is that of the sign test (order statistics), which assumes nothing about how the noise is
/// distributed, and a few disturbed rounds do not move it. With fewer than six rounds it is the whole range, which holds less than
/// 95 %. Rounds that only one side has are left out; without any, nothing is known and the interval is [0, infinity).
Ratio compare(std::span<const double> first, std::span<const double> second);

}  // namespace furrow::bench
