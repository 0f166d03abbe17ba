#!/usr/bin/env python3
"""Compiles the C++ of the documentation: snippets_test.py COMPILER INCLUDE_FOLDER[:SYSTEM_FOLDER...] FILE.md..."""
import pathlib
import re
import subprocess
import sys

# What fragments take for granted.
PREAMBLE = """
#include <furrow/furrow.hpp>
#include <chrono>
#include <cmath>
#include <functional>
#include <vector>
[[maybe_unused]] static bool user_wants_to_stop() { return false; }
[[maybe_unused]] static void draw(double) {}
"""
GIVEN = """
  [[maybe_unused]] const std::size_t n = 1000;
  [[maybe_unused]] const int steps = 10;
  [[maybe_unused]] furrow::Engine outer_engine;
  [[maybe_unused]] std::vector<double> x(n), y(n), z(n), w(n), total(1);
  [[maybe_unused]] const std::vector<unsigned char> mask(257 * 257);
  [[maybe_unused]] const auto f = [](double v) { return v; };
  [[maybe_unused]] furrow::Engine& engine = outer_engine;
"""


def compile_cpp(compiler, folders, source, what):
    own, *others = folders.split(":")
    system = [option for folder in others for option in ("-isystem", folder)]
    command = [compiler, "-std=c++20", "-fsyntax-only", "-I", own, *system, "-x", "c++", "-"]
    done = subprocess.run(command, input=source, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{what} do not compile:\n{done.stderr}")
    print(f"{what} compile")


def main():
    compiler, folders, *pages = sys.argv[1:]
    headers, fragments = "", []
    for page in map(pathlib.Path, pages):
        for block in re.finditer(r"^```cpp\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            line = page.read_text()[: block.start()].count("\n") + 2
            located = f'#line {line} "{page}"\n{block[1]}'
            if "int main" in block[1]:
                compile_cpp(compiler, folders, located, f"The program at {page.name}:{line}")
            else:
                headers += "".join(re.findall(r"^#include.*\n", block[1], re.MULTILINE))
                located = re.sub(r"^#include.*$", "", located, flags=re.MULTILINE)
                fragments.append(f"static void fragment_{len(fragments)}() {{{GIVEN}  {{\n{located}  }}\n}}\n")
    if not fragments:
        sys.exit("no fragments found")
    calls = "".join(f"  fragment_{i}();\n" for i in range(len(fragments)))
    compile_cpp(compiler, folders, PREAMBLE + headers + "".join(fragments) + f"int main() {{\n{calls}}}\n", f"{len(fragments)} fragments")


if __name__ == "__main__":
    main()
