#include "benchmarks/ablation.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

#include "furrow/engine/engine.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {
namespace {

/// The spans that travel: a, b and out, each as bytes.
template <class Use>
void each_array(table::Operands& operands, const Use& use) {
  with_type(operands.type(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (const std::span<T> array : {operands.a<T>(), operands.b<T>(), operands.out<T>()})
      use(reinterpret_cast<char*>(array.data()), static_cast<std::streamsize>(array.size_bytes()));
  });
}

Type type_named(std::string_view code) {
  Type found = Type::f64;
  for (const Type type : kTypes)
    if (type_code(type) == code) found = type;
  return found;
}

/// What went wrong, or "ok".
std::string run(Engine& engine, table::Operands& operands, const std::string& name, std::size_t calls) {
  const table::Kernel* const kernel = table::find(name.substr(name.find('/') + 1));
  if (kernel == nullptr) return "no such kernel";
  try {
    for (std::size_t call = 0; call < calls; ++call) kernel->run(engine, operands);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "ok";
}

}  // namespace

const Ablation* find_ablation(std::string_view name) {
  const auto* const found = std::ranges::find(kAblations, name, &Ablation::name);
  return found == kAblations.end() ? nullptr : found;
}

bool is_ablation(std::string_view name) {
  return find_ablation(name) != nullptr;
}

std::vector<std::string> ablation_command(const Ablation& ablation, std::string_view backend, int threads) {
  std::vector<std::string> command{"/usr/bin/env"};
  if (!ablation.environment.empty()) command.emplace_back(ablation.environment);
  for (const std::string& word : {std::filesystem::read_symlink("/proc/self/exe").string(), std::string("bench"),
                                  std::string("--serve"), std::string(ablation.name), std::string("--backends"),
                                  std::string(backend), std::string("--threads"), std::to_string(threads)})
    command.push_back(word);
  return command;
}

void serve_ablation(const Ablation& ablation, const std::string& backend, int threads) {
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C is for the suite, which then closes our input
  if (!ablation.huge_pages) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  Engine engine(backend, {.concurrency = threads});
  for (const table::Kernel& kernel : table::kernels()) std::cout << "kernel " << ablation.name << '/' << kernel.name << '\n';
  std::cout << "ready" << std::endl;
  std::optional<table::Operands> operands;
  table::Operands::Result result{};
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what, name;
    std::size_t count = 0;
    words >> what >> name >> count;
    if (what == "load") {
      operands.reset();  // before the new ones are allocated
      operands.emplace(engine, type_named(name), count);
      each_array(*operands, [](char* data, std::streamsize bytes) { std::cin.read(data, bytes); });
      std::cin.read(reinterpret_cast<char*>(result.data()), static_cast<std::streamsize>(result.size()));
      operands->set_result(result);
      std::cout << "ok" << std::endl;
    } else if (what == "run" && operands) {
      std::cout << run(engine, *operands, name, count) << std::endl;
    } else if (what == "store" && operands) {
      const auto out = operands->out_bytes();
      std::cout.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(out.size()));
      std::cout.write(reinterpret_cast<const char*>(operands->result().data()), static_cast<std::streamsize>(result.size()));
      std::cout.flush();
    }
  }
}

}  // namespace furrow::bench
