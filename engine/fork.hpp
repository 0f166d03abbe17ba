#pragma once

namespace furrow {

/// How many times this process is a fork() of the one that first asked. Threads of a runtime do not survive a fork(): what was
/// started in another generation has to be started anew.
unsigned fork_generation();

}  // namespace furrow
