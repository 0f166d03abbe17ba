#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/kernels/simulations/simulations.hpp"
#include "furrow/kernels/table.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"

namespace furrow::tools {
namespace {

struct Options {
  std::string family;
  bool json = false;
};

/// The bytes per element of each type, those of equal ones once: "12/24".
std::string bytes_text(const table::Kernel& kernel) {
  std::vector<double> bytes;
  for (const Type type : kernel.types) bytes.push_back(kernel.bytes(type));
  std::ranges::sort(bytes);
  bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
  return fmt::format("{:.4g}", fmt::join(bytes, "/"));
}

std::vector<std::string_view> codes(const table::Kernel& kernel) {
  std::vector<std::string_view> all;
  for (const Type type : kernel.types) all.push_back(type_code(type));
  return all;
}

nlohmann::json to_json(const table::Kernel& kernel) {
  nlohmann::json types = nlohmann::json::array();
  for (const Type type : kernel.types) types.push_back({{"type", type_code(type)}, {"bytes", kernel.bytes(type)}});
  return {{"name", kernel.name},   {"family", kernel.family}, {"formula", kernel.formula}, {"types", types},
          {"reads", kernel.reads}, {"writes", kernel.writes}, {"flops", kernel.flops}};
}

/// Also the family of the kernels that are steps of them.
constexpr std::string_view kSimulations = "simulations";

nlohmann::json to_json(const sim::Model& model) {
  nlohmann::json parameters = nlohmann::json::array();
  for (const sim::Model::Default& one : model.parameters())
    parameters.push_back({{"name", one.name}, {"about", one.about}, {"default", one.text}});
  return {
      {"name", model.name}, {"family", kSimulations}, {"about", model.about}, {"steps", model.steps}, {"parameters", parameters}};
}

void run(const Options& options) {
  std::vector<std::string_view> families;
  std::vector<const table::Kernel*> chosen;
  for (const table::Kernel& kernel : table::kernels()) {
    if (std::ranges::find(families, kernel.family) == families.end()) families.push_back(kernel.family);
    if (options.family.empty() || options.family == kernel.family) chosen.push_back(&kernel);
  }
  if (std::ranges::find(families, kSimulations) == families.end()) families.push_back(kSimulations);
  const std::span models = options.family.empty() || options.family == kSimulations ? sim::models() : std::span<const sim::Model>();
  if (chosen.empty() && models.empty())
    fail(fmt::format("there is no family \"{}\"; there are {}", options.family, fmt::join(families, ", ")));

  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const table::Kernel* kernel : chosen) list.push_back(to_json(*kernel));
    for (const sim::Model& model : models) list.push_back(to_json(model));
    return console::print(list.dump(2) + "\n");
  }
  std::size_t name_width = 6;
  std::size_t formula_width = 7;
  for (const table::Kernel* kernel : chosen) {
    name_width = std::max(name_width, kernel->name.size());
    formula_width = std::max(formula_width, kernel->formula.size());
  }
  std::string text;
  for (const std::string_view family : families) {
    bool titled = false;
    for (const table::Kernel* kernel : chosen) {
      if (kernel->family != family) continue;
      if (!titled)
        text += fmt::format("{}{}\n  {:{}}  {:{}}  {:18}  {:>13}  {:>13}\n", text.empty() ? "" : "\n", family, "kernel", name_width,
                            "formula", formula_width, "types", "bytes/element", "flops/element");
      titled = true;
      text += fmt::format("  {:{}}  {:{}}  {:18}  {:>13}  {:>13.4g}\n", kernel->name, name_width, kernel->formula, formula_width,
                          fmt::format("{}", fmt::join(codes(*kernel), " ")), bytes_text(*kernel), kernel->flops);
    }
  }
  if (!models.empty()) text += fmt::format("{}{} (furrow run)\n", text.empty() ? "" : "\n", kSimulations);
  for (const sim::Model& model : models) text += fmt::format("  {:{}}  {}\n", model.name, name_width, model.about);
  console::print(text);
}

}  // namespace

void add_list(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *app.add_subcommand("list", "List all kernels, with element types and with bytes and flops per element, and all simulations");
  command.add_option("--family", options->family, "Only this family");
  command.add_flag("--json", options->json, "Print it as JSON");
  command.callback([options] { run(*options); });
}

}  // namespace furrow::tools
