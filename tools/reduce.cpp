#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/histogram.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/table.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/npy.hpp"
#include "tools/windows.hpp"

namespace furrow::tools {
namespace {

// The kernels join the partial results of their chunks in a tree of pairs. A window of a power of two of chunks is a whole branch
// of it, so what a kernel gives for a window takes the branch's place, and the bits are those of the whole file in memory.
template <class T>
constexpr std::size_t kWindow = 32 * named::kReductionChunk / sizeof(T);  // 256 KiB, which the core's cache holds

struct Options {
  console::CommonOptions common;
  std::string kernel;
  std::vector<std::string> inputs;
  std::size_t bins = 10;  // NumPy's number
  std::optional<double> low;
  std::optional<double> high;
};

/// What a reduction gives: as text, as JSON, and its bits.
struct Answer {
  std::string text;
  nlohmann::json value;
  nlohmann::json bits;
};

/// One file's window in memory.
template <class T>
struct Buffer {
  std::span<const T> read(const npy::Input& input, Range part) {
    input.read(part, elements.data());
    return {elements.data(), part.size()};
  }
  Scratch<T> elements{kWindow<T>};
};

/// The kernel over the files, window by window: partial(engine, windows…) on one thread each, then join().
template <class T, class P, class Partial>
P over_files(Engine& engine, std::span<const npy::Input> inputs, const Partial& partial, P (*join)(P, P), bool quiet) {
  const std::size_t n = inputs[0].header().elements;
  Engine serial("serial");
  if (n == 0) return partial(serial, std::span<const T>(), std::span<const T>());
  std::vector<P> partials((n - 1) / kWindow<T> + 1);
  console::Progress progress("reduce", n * sizeof(T) * inputs.size(), quiet);
  over_windows(
      engine, n, kWindow<T>, [&] { return std::vector<Buffer<T>>(inputs.size()); },
      [&](std::vector<Buffer<T>>& buffers, Range part) {
        std::array<std::span<const T>, 2> windows;
        for (std::size_t k = 0; k < inputs.size(); ++k) windows[k] = buffers[k].read(inputs[k], part);
        P& found = partials[part.begin / kWindow<T>] = partial(serial, windows[0], windows[1]);
        if constexpr (requires { found.index; }) found.index += part.begin;  // in the whole
        progress.add(part.size() * sizeof(T) * inputs.size());
      });
  reductions::combine(std::span(partials), join);
  return partials[0];
}

template <class T>
std::string bits_of(T value) {
  using Bits = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
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

template <class T>
Answer number(T value) {
  return {fmt::format("{}\n", value), json_number(value), bits_of(value)};
}

/// Several numbers, each with its name.
Answer fields(std::initializer_list<std::pair<const char*, Answer>> all) {
  Answer answer;
  for (const auto& [name, one] : all) {
    answer.text += fmt::format("{} {}", name, one.text);
    answer.value[name] = one.value;
    answer.bits[name] = one.bits;
  }
  return answer;
}

/// The files of one call, and what all of its reductions of them need.
template <class T>
class Files {
 public:
  Files(Engine& engine, const Options& options, std::span<const npy::Input> inputs)
      : engine_(engine), options_(options), inputs_(inputs) {}

  std::size_t size() const { return inputs_[0].header().elements; }
  const Options& options() const { return options_; }

  /// partial(engine, x, y) of all windows, joined.
  template <class P, class Partial>
  P over(P (*join)(P, P), const Partial& partial) const {
    return over_files<T, P>(engine_, inputs_, partial, join, options_.common.quiet);
  }

 private:
  Engine& engine_;
  const Options& options_;
  std::span<const npy::Input> inputs_;
};

template <class T>
Extremes<T> extremes_of(const Files<T>& files) {
  return files.over(named::join_extremes<T>, [](Engine& e, auto x, auto) { return minmax(e, x); });
}

template <std::floating_point T>
T largest_of(const Files<T>& files) {
  return files.over(named::greater<T>, [](Engine& e, auto x, auto) { return norm_inf(e, x); });
}

/// As norm2 in memory: the files are read once, and twice again if squares overflow or underflow.
template <std::floating_point T>
T norm2_of(const Files<T>& files) {
  const auto squares = [&](T scale) {
    return files.over(named::join_sums<T>, [scale](Engine& e, auto x, auto) { return named::scaled_squares<T>(e, x, scale); });
  };
  const T plain = squares(1);
  if (files.size() == 0 || named::squares_are_safe(plain, files.size())) return std::sqrt(plain);
  const T largest = largest_of(files);
  if (largest == 0 || !std::isfinite(largest)) return largest;
  const T scale = named::safe_scale(largest);
  return std::sqrt(squares(scale)) / scale;
}

template <class T>
double mean_of(const Files<T>& files) {
  using S = named::mean_sum_t<T>;
  if (files.size() == 0) fail("mean: an empty range has none");
  const auto all = files.over(
      +[](S a, S b) { return static_cast<S>(a + b); }, [](Engine& e, auto x, auto) { return named::mean_sum<T>(e, x); });
  return static_cast<double>(all) / static_cast<double>(files.size());
}

/// From the least to the greatest element unless other ends are given, as NumPy's.
template <class T>
Answer histogram_of(const Files<T>& files) {
  const Options& options = files.options();
  double low = options.low.value_or(0);
  double high = options.high.value_or(1);
  if (files.size() > 0 && (!options.low || !options.high)) {
    const Extremes<T> ends = extremes_of(files);
    low = options.low.value_or(static_cast<double>(ends.min));
    high = options.high.value_or(static_cast<double>(ends.max));
    if (low == high) low -= 0.5, high += 0.5;
  }
  std::vector<std::size_t> counts(options.bins);
  std::mutex mutex;
  files.over(
      +[](int, int) { return 0; },
      [&](Engine& e, auto x, auto) {
        const std::vector<std::size_t> more = histogram(e, x, options.bins, low, high);
        const std::lock_guard lock(mutex);
        for (std::size_t k = 0; k < counts.size(); ++k) counts[k] += more[k];
        return 0;
      });
  Answer answer;
  for (const std::size_t count : counts) answer.text += fmt::format("{}\n", count);
  answer.value = {{"low", json_number(low)}, {"high", json_number(high)}, {"counts", counts}};
  answer.bits = {{"low", bits_of(low)}, {"high", bits_of(high)}};
  return answer;
}

/// A kernel of the table, as it goes over files.
struct Reduction {
  std::string_view name;
  Answer (*of)(Type, Engine&, const Options&, std::span<const npy::Input>);

  const table::Kernel& kernel() const { return *table::find(name); }
  std::size_t files() const { return kernel().reads > 1 ? 2 : 1; }
};

template <auto of>
constexpr Reduction over(std::string_view name) {
  return {name, [](Type type, Engine& engine, const Options& options, std::span<const npy::Input> inputs) {
            return with_type(type, [&]<class T>(TypeTag<T>) {
              const Files<T> files(engine, options, inputs);
              if constexpr (requires { of(files); }) return of(files);
              return Answer{};  // its row does not have the type
            });
          }};
}

constexpr std::array kReductions{
    over<[]<class T>(const Files<T>& files) {
      return number(files.over(named::join_sums<sum_t<T>>, [](Engine& e, auto x, auto) { return sum(e, x); }));
    }>("sum"),
    over<[]<class T>(const Files<T>& files) {
      return number(files.over(named::join_sums<sum_t<T>>, [](Engine& e, auto x, auto y) { return dot(e, x, y); }));
    }>("dot"),
    over<[]<class T>(const Files<T>& files) {
      return number(files.over(named::lesser<T>, [](Engine& e, auto x, auto) { return min(e, x); }));
    }>("min"),
    over<[]<class T>(const Files<T>& files) {
      return number(files.over(named::greater<T>, [](Engine& e, auto x, auto) { return max(e, x); }));
    }>("max"),
    over<[]<class T>(const Files<T>& files) {
      const Extremes<T> ends = extremes_of(files);
      return fields({{"min", number(ends.min)}, {"max", number(ends.max)}});
    }>("minmax"),
    over<[]<class T>(const Files<T>& files) {
      return number(
          files.over(named::join_located<true, T>, [](Engine& e, auto x, auto) { return named::locate_min<T>(e, x); }).index);
    }>("argmin"),
    over<[]<class T>(const Files<T>& files) {
      return number(
          files.over(named::join_located<false, T>, [](Engine& e, auto x, auto) { return named::locate_max<T>(e, x); }).index);
    }>("argmax"),
    over<[]<std::floating_point T>(const Files<T>& files) {
      return number(files.over(named::join_sums<T>, [](Engine& e, auto x, auto) { return norm1(e, x); }));
    }>("norm1"),
    over<[]<std::floating_point T>(const Files<T>& files) { return number(norm2_of(files)); }>("norm2"),
    over<[]<std::floating_point T>(const Files<T>& files) { return number(largest_of(files)); }>("norm_inf"),
    over<[]<class T>(const Files<T>& files) { return number(mean_of(files)); }>("mean"),
    over<[]<class T>(const Files<T>& files) {
      const auto all = files.over(named::join_central, [](Engine& e, auto x, auto) { return named::square_sums<T>(e, x); });
      return number(all.m2 / all.count);
    }>("variance"),
    over<[]<class T>(const Files<T>& files) {
      const Moments all =
          named::moments(files.over(named::join_central, [](Engine& e, auto x, auto) { return named::power_sums<T>(e, x); }));
      return fields({{"count", number(all.count)},
                     {"mean", number(all.mean)},
                     {"variance", number(all.variance)},
                     {"skew", number(all.skew)},
                     {"kurtosis", number(all.kurtosis)},
                     {"min", number(all.min)},
                     {"max", number(all.max)}});
    }>("moments"),
    over<[]<class T>(const Files<T>& files) { return histogram_of(files); }>("histogram"),
};

std::string names() {
  std::string text;
  for (const Reduction& reduction : kReductions) text += (text.empty() ? "" : ", ") + std::string(reduction.name);
  return text;
}

void run(const Options& options) {
  const auto* const reduction = std::ranges::find(kReductions, options.kernel, &Reduction::name);
  if (reduction == kReductions.end()) fail(fmt::format("there is no reduction \"{}\"; there are {}", options.kernel, names()));
  if (options.inputs.size() != reduction->files())
    fail(fmt::format("{} takes {}, not {}", options.kernel, reduction->files() == 2 ? "two files" : "one file",
                     options.inputs.size()));
  std::vector<npy::Input> inputs;
  for (const std::string& path : options.inputs) inputs.emplace_back(path);
  const npy::Header& first = inputs.front().header();
  const npy::Header& last = inputs.back().header();
  if (first.shape != last.shape)
    fail(fmt::format("the shapes differ: {} has {}, {} has {}", inputs[0].path(), npy::to_string(first.shape), inputs[1].path(),
                     npy::to_string(last.shape)));
  if (first.type != last.type)
    fail(fmt::format("the types differ: {} holds {}, {} holds {}; convert one with `furrow map` or NumPy", inputs[0].path(),
                     type_name(first.type), inputs[1].path(), type_name(last.type)));

  if (!reduction->kernel().has(first.type))
    fail(options.kernel + " is of floating-point numbers; convert the file with `furrow map` or NumPy");

  Engine engine = options.common.engine();
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = reduction->of(first.type, engine, options, inputs);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!options.common.json) return console::print(answer.text);
  const nlohmann::json report = {
      {"kernel", options.kernel},    {"inputs", options.inputs},
      {"value", answer.value},       {"bits", answer.bits},
      {"n", first.elements},         {"dtype", type_name(first.type)},
      {"seconds", seconds},          {"bytes_per_second", static_cast<double>(first.bytes() * inputs.size()) / seconds},
      {"backend", engine.backend()}, {"threads", engine.last_run().threads}};
  console::print(report.dump(2) + "\n");
}

}  // namespace

void add_reduce(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand(
      "reduce", "Reduce a .npy array; it may be larger than memory, the bits are those of the kernel in memory");
  command.add_option("kernel", options->kernel, names())->required();
  command.add_option("inputs", options->inputs, "FILE.npy; two for dot")->required();
  command.add_option("--bins", options->bins, "of a histogram")->capture_default_str()->transform(console::whole_number());
  command.add_option("--low", options->low, "where its bins begin; the least element unless given");
  command.add_option("--high", options->high, "where they end; the greatest element unless given");
  options->common.add_to(command);
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
