#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace furrow::bench {

/// Something to be timed. Subjects of one runtime do not disturb each other; between runtimes threads that still spin from the one
/// before would (measured: TBB right after OpenMP takes up to twice as long), so they are given time to fall asleep.
struct Subject {
  std::string runtime;
  std::function<void(std::size_t calls)> run;  ///< makes so many calls
  /// Who takes part in one contest does the same work: clear losers get no more rounds. Empty: it gets all rounds.
  std::string contest = {};
};

/// What was measured of one subject: seconds per call, one entry per round. Entries of equal index belong to the same round, so
/// that two subjects are compared under like conditions; of a subject that lost early, the later rounds are missing.
struct Timings {
  std::size_t calls = 1;  ///< calls in each sample
  std::vector<double> real;
  std::vector<double> cpu;          ///< of all threads together
  std::vector<std::size_t> visits;  ///< the rounds in each visit, one after the other
};

/// Seconds since boot, added up over the CPUs that this process may use.
struct CpuTimes {
  double busy = 0;    ///< with any work, this process's or another's
  double stolen = 0;  ///< they had work, but the hypervisor ran something else
};

/// Where time comes from; tests put in their own.
struct Clock {
  std::function<double()> real;
  std::function<double()> cpu;  ///< of this process
  std::function<void(double seconds)> sleep;
  /// Nothing where the system does not tell.
  std::function<std::optional<CpuTimes>()> machine = [] { return std::nullopt; };
  static Clock system();
};

/// What else went on while something was measured; sums over several calls of measure().
struct Conditions {
  std::size_t rounds = 0;   ///< made
  std::size_t dropped = 0;  ///< of them, left out because CPU time was stolen
  std::size_t stolen = 0;   ///< of them, kept although CPU time was stolen: most were like that
  double seconds = 0;       ///< watched; none where the system tells nothing
  double others = 0;        ///< CPU seconds that other processes used; the system counts in ticks, so that it can be below 0

  Conditions& operator+=(const Conditions& more);
};

/// The fewest rounds after which a difference can be called; see Ratio::doubt.
constexpr std::size_t kFewestRounds = 12;

struct Plan {
  double seconds = 1;                        ///< measure() adds rounds until this is used up
  std::size_t visits = 1;                    ///< that rounds are shared out to
  std::size_t least_rounds = kFewestRounds;  ///< made in any case
  std::size_t most_rounds = 100;
  double sample_seconds = 1e-3;  ///< a sample repeats its call for about so long; clock and call overhead are then under 0.1 %
  double pause = 10e-3;          ///< between runtimes; libgomp's threads spin for about 3 ms
  std::uint64_t seed = 1;        ///< of the random order
  std::function<bool()> stop = [] { return false; };  ///< asked after each sample; a round cut short is dropped
};

/// Times all subjects in rounds of random order, each round one sample of each. Warm-up calls are not timed: one when the runtime
/// changes, and one before samples of several calls, so that the data are where this subject leaves them.
///
/// Whatever changes slowly (clock frequency, heat, a neighbour) is in both samples of a pair and leaves their ratio alone. What
/// changes within a round hits whoever is at work just then, and who that is, is up to the random order: it cannot favour anyone.
///
/// Rounds in which CPU time was stolen are left out whole, for all subjects alike, and made up for while there is time. If most are
/// of that kind, or too few would be left, all are kept. A subject that is clearly 1.3 times as slow as the fastest of its contest,
/// by Ratio::slower() over at least `least_rounds`, gets no more rounds; all rounds that it has are paired with the others'.
std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, const Clock& clock = Clock::system());

/// The same, which also adds what else went on to `conditions`.
std::vector<Timings> measure(std::span<const Subject> subjects, const Plan& plan, Conditions& conditions,
                             const Clock& clock = Clock::system());

/// The same in several visits, with other work between them. Rounds in a row share more than their order can even out: where the
/// arrays lie, which neighbours are busy, how warm the processor is. Visits minutes apart show how much that matters.
class Measurement {
 public:
  /// `plan.seconds` is not used.
  Measurement(std::vector<Subject> subjects, const Plan& plan, Clock clock = Clock::system());

  /// Rounds of the next of `plan.visits`, for so many seconds. Subjects may have changed what they work on since the last.
  void visit(double seconds);

  /// Of all visits so far, as measure() returns them.
  std::vector<Timings> timings() const;
  Conditions conditions() const;

 private:
  void enter(std::size_t subject);
  bool calibrate();
  void calibrate(std::size_t subject);
  double time(std::size_t subject, std::size_t calls);
  void add_rounds(double until);
  bool add_round();
  void shorten(std::size_t subject, double took);
  std::vector<double> clean(const std::vector<double>& rounds) const;
  void dismiss_losers();
  bool drops_stolen() const;
  Timings without_stolen(const Timings& all) const;

  std::vector<Subject> subjects_;
  Plan plan_;
  Clock clock_;
  std::mt19937_64 random_;
  std::vector<Timings> timings_;
  std::vector<bool> active_;  // subjects that get more rounds
  std::vector<bool> stolen_;  // for each round, whether CPU time was stolen
  std::size_t visits_ = 0;
  const std::string* runtime_ = nullptr;  // of the subject that ran last
  Conditions watched_;
};

/// The middle value; of an even number, the mean of the two. Needs at least one.
double median(std::span<const double> values);
double least(std::span<const double> values);

/// How two subjects compare: time of the first over that of the second.
struct Ratio {
  double ratio = 1;  ///< median over the rounds
  double low = 1;    ///< 95 % interval of that median, and of that of each visit
  double high = 1;
  /// The probability that equal subjects would seem to differ so clearly. Nothing is called a difference unless it is 1/2000 or
  /// less, which takes kFewestRounds: a run holds hundreds of comparisons, of which 95 % intervals alone get one in twenty wrong.
  double doubt = 0;

  /// The interval excludes 1, there is no doubt, and the ratio is off by 3 % or more: less is beyond what two builds of the same
  /// code agree to.
  bool differs() const;
  bool faster() const { return differs() && ratio < 1; }
  bool slower() const { return differs() && ratio > 1; }
};

/// From paired rounds: the interval is that of the sign test (order statistics), which assumes nothing about how the noise is
/// distributed, and a few disturbed rounds do not move it. With fewer than six rounds it is the whole range, which holds less than
/// 95 %. Rounds that only one side has are left out; without any, nothing is known and the interval is [0, infinity).
///
/// Doubt is that of the same test, and what it assumes is what measure() sees to: if the subjects are equal, chance alone decided
/// which of them a disturbance met, so that in each round either is as likely to be the slower, whatever the noise and even if
/// rounds resemble their neighbours. (Tests that use sizes as well find differences in fewer rounds of calm noise, but fewer of
/// them where there are spikes: Wilcoxon's found 70 % of 5 % differences in 25 rounds of it.) It is asked after the last round
/// only, and how many rounds there are does not depend on the outcome, but for losers: these are far beyond what is called here.
///
/// `visits` are the rounds in each visit, of either side. The interval then also holds the interval of each visit by itself: what
/// one visit shows and another does not is no difference.
Ratio compare(std::span<const double> first, std::span<const double> second, std::span<const std::size_t> visits = {});
Ratio compare(const Timings& first, const Timings& second);

}  // namespace furrow::bench
