#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/npy.hpp"
#include "tools/windows.hpp"

namespace furrow::tools {
namespace {

// The kernels join the partial results of their chunks in a tree of pairs. A window of a power of two of chunks is a whole branch
// of it, so what a kernel gives for a window takes the branch's place, and the bits are those of the whole file in memory.
constexpr std::size_t kWindow = 4 * named::kReductionChunk;  // 256 KiB of doubles, which the core's cache holds

constexpr std::array kKernels{"sum", "dot", "norm1", "norm_inf", "min", "max", "argmin", "argmax", "variance"};

struct Options {
  console::CommonOptions common;
  std::string kernel;
  std::vector<std::string> inputs;
};

/// One file's window in memory.
template <class T>
struct Buffer {
  Buffer() : elements(static_cast<T*>(allocate(kWindow * sizeof(T)))) {}
  std::span<const T> read(const npy::Input& input, Range part) {
    input.read(part, elements.get());
    return {elements.get(), part.size()};
  }

  struct Free {
    void operator()(T* memory) const { deallocate(memory); }
  };
  std::unique_ptr<T[], Free> elements;
};

/// The kernel over the files, window by window: partial(engine, windows…) on one thread each, then join().
template <class T, class P, class Partial>
P over_files(Engine& engine, std::span<const npy::Input> inputs, const Partial& partial, P (*join)(P, P), bool quiet) {
  const std::size_t n = inputs[0].header().elements;
  Engine serial("serial");
  if (n == 0) return partial(serial, std::span<const T>(), std::span<const T>());
  std::vector<P> partials((n - 1) / kWindow + 1);
  console::Progress progress("reduce", n * sizeof(T) * inputs.size(), quiet);
  over_windows(
      engine, n, kWindow, [&] { return std::vector<Buffer<T>>(inputs.size()); },
      [&](std::vector<Buffer<T>>& buffers, Range part) {
        std::array<std::span<const T>, 2> windows;
        for (std::size_t k = 0; k < inputs.size(); ++k) windows[k] = buffers[k].read(inputs[k], part);
        P& found = partials[part.begin / kWindow] = partial(serial, windows[0], windows[1]);
        if constexpr (requires { found.index; }) found.index += part.begin;  // in the whole
        progress.add(part.size() * sizeof(T) * inputs.size());
      });
  reductions::combine(std::span(partials), join);
  return partials[0];
}

template <class T, class Report>
void reduce(Engine& engine, const Options& options, std::span<const npy::Input> inputs, const Report& report) {
  using Window = std::span<const T>;
  const std::string& kernel = options.kernel;
  const auto over = [&]<class P>(P (*join)(P, P), const auto& partial) {
    return over_files<T, P>(engine, inputs, partial, join, options.common.quiet);
  };
  if (kernel == "sum") {
    report(over(named::join_sums<sum_t<T>>, [](Engine& e, Window x, Window) { return sum(e, x); }));
  } else if (kernel == "dot") {
    report(over(named::join_sums<sum_t<T>>, [](Engine& e, Window x, Window y) { return dot(e, x, y); }));
  } else if (kernel == "min") {
    report(over(named::lesser<T>, [](Engine& e, Window x, Window) { return min(e, x); }));
  } else if (kernel == "max") {
    report(over(named::greater<T>, [](Engine& e, Window x, Window) { return max(e, x); }));
  } else if (kernel == "argmin") {
    report(over(named::join_located<true, T>, [](Engine& e, Window x, Window) { return named::locate_min<T>(e, x); }).index);
  } else if (kernel == "argmax") {
    report(over(named::join_located<false, T>, [](Engine& e, Window x, Window) { return named::locate_max<T>(e, x); }).index);
  } else if (kernel == "variance") {
    const auto all = over(named::join_central, [](Engine& e, Window x, Window) { return named::square_sums<T>(e, x); });
    report(all.m2 / all.count);
  } else if constexpr (!std::is_floating_point_v<T>) {
    fail(kernel + " is of floating-point numbers; convert the file with `furrow map` or NumPy");
  } else if (kernel == "norm1") {
    report(over(named::join_sums<T>, [](Engine& e, Window x, Window) { return norm1(e, x); }));
  } else {
    report(over(named::greater<T>, [](Engine& e, Window x, Window) { return norm_inf(e, x); }));
  }
}

template <class T>
std::string bits_of(T value) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return fmt::format("{:#0{}x}", std::bit_cast<Bits>(value), 2 + 2 * sizeof(T));
}

/// A number as JSON has it, the shortest text that gives it back; what JSON has no number for as text.
template <class T>
nlohmann::json json_number(T value) {
  const std::string text = fmt::format("{}", value);
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return text;
  }
  return nlohmann::json::parse(text);
}

void run(const Options& options) {
  if (std::ranges::find(kKernels, options.kernel) == kKernels.end())
    fail(fmt::format("there is no reduction \"{}\"; there are {}", options.kernel, fmt::join(kKernels, ", ")));
  const std::size_t wanted = options.kernel == "dot" ? 2 : 1;
  if (options.inputs.size() != wanted)
    fail(fmt::format("{} takes {}, not {}", options.kernel, wanted == 2 ? "two files" : "one file", options.inputs.size()));
  std::vector<npy::Input> inputs;
  for (const std::string& path : options.inputs) inputs.emplace_back(path);
  const npy::Header& first = inputs.front().header();
  const npy::Header& last = inputs.back().header();
  if (first.shape != last.shape)
    fail(fmt::format("the shapes differ: {} has {}, {} has {}", inputs[0].path(), npy::to_string(first.shape), inputs[1].path(),
                     npy::to_string(last.shape)));
  if (first.type != last.type)
    fail(fmt::format("the types differ: {} holds {}, {} holds {}; convert one with `furrow map` or NumPy", inputs[0].path(),
                     npy::dtype(first.type), inputs[1].path(), npy::dtype(last.type)));

  Engine engine = options.common.engine();
  const auto start = std::chrono::steady_clock::now();
  with_type(first.type, [&]<class T>(TypeTag<T>) {
    reduce<T>(engine, options, inputs, [&](auto value) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (!options.common.json) return console::print(fmt::format("{}\n", value));
      const nlohmann::json report = {
          {"kernel", options.kernel},    {"inputs", options.inputs},
          {"value", json_number(value)}, {"bits", bits_of(value)},
          {"n", first.elements},         {"dtype", npy::dtype(first.type)},
          {"seconds", seconds},          {"bytes_per_second", static_cast<double>(first.bytes() * inputs.size()) / seconds},
          {"backend", engine.backend()}, {"threads", engine.last_run().threads}};
      console::print(report.dump(2) + "\n");
    });
  });
}

}  // namespace

void add_reduce(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand(
      "reduce", "Reduce a .npy array to one number; it may be larger than memory, the bits are those of the kernel in memory");
  command.add_option("kernel", options->kernel, fmt::format("{}", fmt::join(kKernels, ", ")))->required();
  command.add_option("inputs", options->inputs, "FILE.npy; two for dot")->required();
  options->common.add_to(command);
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
