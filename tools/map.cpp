#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/memory.hpp"
#include "furrow/kernels/expression.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"
#include "tools/npy.hpp"
#include "tools/windows.hpp"

namespace furrow::tools {
namespace {

// Of the widest array. What one system call copies in is still in a core's cache when it is computed on and copied out: tried,
// windows of 1 MiB take the system twice the time.
constexpr std::size_t kWindowBytes = std::size_t{1} << 18;

struct Options {
  console::CommonOptions common;
  std::string expression;
  std::vector<std::string> inputs;
  std::string output;
};

/// What the user gave for one name: a file or a number.
struct Given {
  std::string name;
  std::variant<npy::Input, std::int64_t, double> value;
};

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) && std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error != std::errc()) fail("the number " + std::string(text) + " is out of range");
  return value;
}

/// "a=2.5", "y=file.npy" or "file.npy", which is x.
Given parse_input(const std::string& text) {
  const std::size_t sign = text.find('=');
  const std::string name = text.substr(0, sign);
  if (sign == std::string::npos || !is_name(name)) return {"x", npy::Input(text)};
  const std::string value = text.substr(sign + 1);
  if (const auto whole = number<std::int64_t>(value)) return {name, *whole};
  if (const auto fraction = number<double>(value)) return {name, *fraction};
  return {name, npy::Input(value)};
}

/// The arrays among the inputs, all of one shape.
std::vector<const npy::Input*> arrays_of(const std::vector<Given>& inputs) {
  std::vector<const npy::Input*> arrays;
  for (const Given& given : inputs) {
    const auto* array = std::get_if<npy::Input>(&given.value);
    if (array == nullptr) continue;
    arrays.push_back(array);
    if (array->header().shape != arrays[0]->header().shape)
      fail(fmt::format("the shapes differ: {} has {}, {} has {}", arrays[0]->path(), npy::to_string(arrays[0]->header().shape),
                       array->path(), npy::to_string(array->header().shape)));
  }
  return arrays;
}

/// The inputs in the order of the expression's names.
std::vector<Given> match_inputs(const std::vector<std::string>& texts, const Expression& expression) {
  std::vector<Given> all;
  for (const std::string& text : texts) {
    all.push_back(parse_input(text));
    const auto same = [&](const Given& given) { return given.name == all.back().name; };
    if (std::ranges::count_if(all, same) > 1)
      fail(fmt::format("{} is given twice; name inputs apart, as in y=file.npy", all.back().name));
  }
  const auto& names = expression.names();
  for (const Given& given : all)
    if (std::ranges::find(names, given.name) == names.end())
      fail(fmt::format("the expression does not use {}, which is given", given.name));
  std::vector<Given> ordered;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, &Given::name);
    if (found == all.end()) fail(fmt::format("the expression uses {0}, which is not given; add {0}=FILE.npy or {0}=NUMBER", name));
    ordered.push_back(std::move(*found));
  }
  return ordered;
}

/// The buffers of one thread: a window of each input and of the output, and the program's own.
class Worker {
 public:
  Worker(const Program& program, const std::vector<Given>& inputs, std::size_t window)
      : program_(program), inputs_(inputs), scratch_(program), windows_(inputs.size()) {
    for (std::size_t k = 0; k < inputs.size(); ++k)
      if (const auto* array = std::get_if<npy::Input>(&inputs[k].value)) windows_[k] = buffer(array->header().type, window);
    addresses_.assign(windows_.begin(), windows_.end());
    result_ = buffer(program.result_type(), window);
  }

  void run(Range part, const npy::Output& output) {
    for (std::size_t k = 0; k < inputs_.size(); ++k)
      if (const auto* array = std::get_if<npy::Input>(&inputs_[k].value)) array->read(part, windows_[k]);
    program_.run(part.size(), addresses_, result_, scratch_);
    output.write(part, result_);
  }

 private:
  void* buffer(Type type, std::size_t elements) {
    buffers_.emplace_back(array_bytes(elements, type_bytes(type)));
    return buffers_.back().data();
  }

  const Program& program_;
  const std::vector<Given>& inputs_;
  Program::Scratch scratch_;
  std::vector<Scratch<std::byte>> buffers_;
  std::vector<void*> windows_;          // by input; null for scalars
  std::vector<const void*> addresses_;  // the same, as the program takes them
  void* result_ = nullptr;
};

void run(const Options& options) {
  const Expression expression = Expression::parse(options.expression);
  const std::vector<Given> inputs = match_inputs(options.inputs, expression);
  std::vector<Binding> bindings;
  for (const Given& given : inputs)
    std::visit(
        [&](const auto& value) {
          if constexpr (requires { value.header(); })
            bindings.emplace_back(value.header().type);
          else
            bindings.emplace_back(value);
        },
        given.value);
  const Program program = expression.bind(bindings);
  const std::vector<const npy::Input*> arrays = arrays_of(inputs);
  const npy::Header& first = arrays[0]->header();

  std::size_t widest = type_bytes(program.result_type());
  std::size_t element_bytes = widest;
  for (const npy::Input* array : arrays) {
    widest = std::max(widest, type_bytes(array->header().type));
    element_bytes += type_bytes(array->header().type);
  }
  const std::size_t window = std::min(kWindowBytes / widest, std::max<std::size_t>(first.elements, 1));

  Engine engine = options.common.engine();
  const auto start = std::chrono::steady_clock::now();
  npy::Output output(options.output, program.result_type(), first.shape);
  {
    console::Progress progress("map", first.elements * element_bytes, options.common.quiet);
    over_windows(
        engine, first.elements, window, [&] { return Worker(program, inputs, window); },
        [&](Worker& worker, Range part) {
          worker.run(part, output);
          progress.add(part.size() * element_bytes);
        });
  }
  output.commit();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  if (!options.common.json) return;
  const nlohmann::json report = {{"expression", options.expression},
                                 {"output", options.output},
                                 {"dtype", type_name(program.result_type())},
                                 {"shape", first.shape},
                                 {"n", first.elements},
                                 {"seconds", seconds},
                                 {"items_per_second", static_cast<double>(first.elements) / seconds},
                                 {"bytes_per_second", static_cast<double>(first.elements * element_bytes) / seconds},
                                 {"backend", engine.backend()},
                                 {"threads", engine.last_run().threads}};
  console::print(report.dump(2) + "\n");
}

}  // namespace

void add_map(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  std::string functions;
  for (const std::string_view name : expression::function_names()) functions += " " + std::string(name);
  CLI::App& command =
      *app.add_subcommand("map", "Compute an expression over .npy arrays, element by element; they may be larger than memory");
  command
      .add_option("expression", options->expression,
                  "Numbers, names, + - * /, comparisons (< <= > >= == !=: 1 or 0) and the functions" + functions)
      ->required();
  command.add_option("inputs", options->inputs, "FILE.npy (called x), NAME=FILE.npy or NAME=NUMBER")->required();
  command.add_option("-o,--output", options->output, "The .npy file to write; it appears when it is complete")->required();
  options->common.add_to(command);
  command.footer(
      "Results and their types are NumPy's. For example:\n"
      "  furrow map 'x*x' in.npy -o out.npy\n"
      "  furrow map 'a*x + sqrt(abs(y))' a=2.5 x=x.npy y=y.npy -o z.npy");
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
