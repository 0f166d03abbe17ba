#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/tracing.hpp"
#include "tools/commands.hpp"
#include "tools/console.hpp"

namespace {

using namespace furrow;

/// The arguments as the parser wants them, last first. An expression may begin with a minus, "-x*2", which would be taken for an
/// option: a space before it, which the expression does not mind, keeps it from that.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> all(argv + 1, argv + argc);
  if (!all.empty() && all[0] == "map")
    for (std::string& argument : all)
      if (argument.size() > 1 && argument[0] == '-' && std::string_view("-hoq").find(argument[1]) == std::string_view::npos)
        argument.insert(0, " ");
  std::ranges::reverse(all);
  return all;
}

int run(int argc, char** argv) {
  CLI::App app("furrow: data-parallel kernels on the threading runtime that is fastest here", "furrow");
  app.set_version_flag("--version", "furrow " FURROW_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // so that --trace may stand behind the command
  app.add_option_function<std::string>("--trace", tracing::start, "Write what runs when to this JSON file; see furrow trace");
  tools::add_info(app);
  tools::add_list(app);
  tools::add_bench(app);
  tools::add_run(app);
  tools::add_map(app);
  tools::add_reduce(app);
  tools::add_trace(app);
  try {
    app.parse(arguments(argc, argv));
  } catch (const CLI::ParseError& problem) {
    std::ostringstream help;
    if (problem.get_exit_code() == 0) {  // --help, --version
      app.exit(problem, help);
      console::print(help.str().ends_with('\n') ? help.str() : help.str() + "\n");
      return 0;
    }
    std::string message = problem.what();
    std::vector<std::string> commands;
    for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
    if (argc > 1 && argv[1][0] != '-' && std::ranges::find(commands, argv[1]) == commands.end())
      message = fmt::format("there is no command \"{}\"; there are {}", argv[1], fmt::join(commands, ", "));
    console::print_error(message + "\nfurrow --help, or furrow COMMAND --help, says more");
    return 2;
  }
  return 0;
}

}  // namespace

/// 0: done; 1: it could not be done; 2: not understood; 128 + number: ended by that signal.
int main(int argc, char** argv) {
  console::prepare();
  try {
    return run(argc, argv);
  } catch (const console::Closed&) {
    return 128 + SIGPIPE;
  } catch (const Cancelled&) {
    if (console::signal_received() != 0) return 128 + console::signal_received();
    console::print_error("cancelled");
  } catch (const std::bad_alloc&) {
    console::print_error("there is not enough memory");
  } catch (const std::exception& problem) {
    console::print_error(problem.what());
  }
  return 1;
}
