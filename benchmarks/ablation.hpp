#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace furrow::bench {

/// furrow without one of the things that make it fast, in a process of its own because each is decided once per process.
struct Ablation {
  std::string_view name;
  std::string_view part;         ///< what it is without, in words
  std::string_view environment;  ///< what switches it off
  bool huge_pages = true;
};
inline constexpr std::array kAblations{
    Ablation{"ablate_nostream", "stores past the cache", "FURROW_STREAMING=off"},
    Ablation{"ablate_nohuge", "huge pages", "", false},
    Ablation{"ablate_nosimd", "explicit SIMD code", "FURROW_ISA=baseline"},
};
/// nullptr if there is none of this name.
const Ablation* find_ablation(std::string_view name);
/// An ablation is neither a choice nor a peer to be compared with.
bool is_ablation(std::string_view name);

/// The command that serves it on this backend with so many threads: this program, as `bench --serve`.
std::vector<std::string> ablation_command(const Ablation& ablation, std::string_view backend, int threads);

/// Serves the kernels of the table by the lines of a Worker on standard input and output until the input ends. To be called before
/// anything else has been computed or allocated in this process.
void serve_ablation(const Ablation& ablation, const std::string& backend, int threads);

}  // namespace furrow::bench
