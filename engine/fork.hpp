#pragma once

namespace furrow {

/// How many fork()s lie between this process and the one that loaded furrow. Threads of a runtime do not survive a fork(): what was
/// started in another generation has to be started anew.
unsigned fork_generation();

/// Whether the calling thread is the one of its process that came through a fork(); all others were started in this process.
bool survived_fork();

}  // namespace furrow
