#pragma once

namespace CLI {
class App;
}

namespace furrow::tools {

// Each adds one subcommand with its options to `app`; when the user calls it, its callback does the work, prints the result, and
// throws where it cannot (Error: exit code 1; CLI::ValidationError: 2; Cancelled after a signal: 130 or 143).
void add_info(CLI::App& app);
void add_list(CLI::App& app);
void add_bench(CLI::App& app);
void add_run(CLI::App& app);
void add_map(CLI::App& app);
void add_reduce(CLI::App& app);
void add_trace(CLI::App& app);

}  // namespace furrow::tools
