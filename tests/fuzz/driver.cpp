// Runs a fuzz target without libFuzzer: on samples that are changed at random, each of which depends on the seed and its number
// alone, so that whatever is found can be had again.
#include <signal.h>
#include <sys/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include "tests/fuzz/target.hpp"

// Of the sanitizers, where there are any: what they call before they end the program.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace furrow::fuzz {
namespace {

constexpr int kPatience = 20;  // seconds of the processor's time for one input; this process itself may be kept waiting

// What is being looked at, for the report of a finding.
std::string current;
std::uint64_t seed = 1;
std::uint64_t run_number = 0;

void report() {
  std::fprintf(stderr, "\nfound by --seed %ju --from %ju --runs 1, with the %zu bytes\n  \"", static_cast<std::uintmax_t>(seed),
               static_cast<std::uintmax_t>(run_number), current.size());
  for (const char c : current) {
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\')
      std::fputc(c, stderr);
    else
      std::fprintf(stderr, "\\%03o", static_cast<unsigned char>(c));
  }
  std::fputs("\"\n", stderr);
}

void on_signal(int signal_number) {
  if (signal_number == SIGPROF) std::fprintf(stderr, "found: not done after %d seconds\n", kPatience);
  report();
  signal(signal_number, SIG_DFL);
  raise(signal_number == SIGPROF ? SIGABRT : signal_number);
}

/// On a stack of their own, since the usual one may be what ran out.
void catch_signals() {
  static char stack[1 << 16];
  stack_t own = {};
  own.ss_sp = stack;
  own.ss_size = sizeof stack;
  sigaltstack(&own, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGABRT, &action, nullptr);
  sigaction(SIGPROF, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) return __sanitizer_set_death_callback(report);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(fatal, &action, nullptr);
}

/// Sets or, by 0, unsets the time after which SIGPROF comes.
void patience(int seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void look_at(std::string input) {
  current = std::move(input);
  patience(kPatience);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
  patience(0);
}

std::string input_of(std::uint64_t number, bool changed) {
  std::seed_seq both{seed, seed >> 32, number, number >> 32};
  Random random(both);
  std::string input = sample(random);
  if (changed) mutate(random, input);
  return input;
}

int drive(int arguments, char** argument) {
  CLI::App app("Looks for inputs that break a property");
  double seconds = 2;
  std::uint64_t runs = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t from = 0;
  std::string folder;
  std::vector<std::string> files;
  app.add_option("--seconds", seconds, "Stop after this time")->capture_default_str();
  app.add_option("--runs", runs, "Stop after this many inputs");
  app.add_option("--seed", seed, "Of the random numbers")->capture_default_str();
  app.add_option("--from", from, "The number of the first input")->capture_default_str();
  app.add_option("--write-samples", folder, "Only write 1000 samples into this folder, for another fuzzer to begin with");
  app.add_option("files", files, "Look at these instead");
  CLI11_PARSE(app, arguments, argument);

  catch_signals();
  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    look_at({std::istreambuf_iterator<char>(file), {}});
  }
  if (!files.empty()) return 0;
  if (!folder.empty()) {
    std::filesystem::create_directories(folder);
    for (std::uint64_t number = 0; number < 1000; ++number)
      std::ofstream(folder + "/" + std::to_string(number), std::ios::binary) << input_of(number, false);
    return 0;
  }

  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::uint64_t done = 0;
  for (; done < runs && elapsed() < seconds; ++done) {
    run_number = from + done;
    look_at(input_of(run_number, true));
  }
  std::printf("%ju inputs in %.1f s, %.0f %% of them accepted (seed %ju)\n", static_cast<std::uintmax_t>(done), elapsed(),
              100 * static_cast<double>(accepted()) / static_cast<double>(std::max<std::uint64_t>(done, 1)),
              static_cast<std::uintmax_t>(seed));
  // Of inputs that are all taken, or none, nothing could be learnt.
  return done < 1000 || (accepted() > done / 20 && accepted() < done - done / 20) ? 0 : 1;
}

}  // namespace
}  // namespace furrow::fuzz

int main(int arguments, char** argument) {
  return furrow::fuzz::drive(arguments, argument);
}
