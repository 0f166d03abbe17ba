#pragma once

namespace furrow {

/// What the backends of this library stand on.
enum class Runtime { openmp, tbb };

/// To be called by whoever is about to start a runtime's threads. Warns once when a process has come to use both: OpenMP's threads
/// spin for a while after each call, and keep the cores from oneTBB's.
void note_start(Runtime runtime);

/// For a program that goes from one to the other on purpose, as the suite does: no warning.
void allow_both_runtimes();

}  // namespace furrow
