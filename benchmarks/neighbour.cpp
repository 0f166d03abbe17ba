#include "benchmarks/neighbour.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "furrow/engine/error.hpp"

namespace furrow::bench {

Neighbour::Neighbour() {
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ < 0) fail(std::string("cannot start a busy process: ") + std::strerror(errno));
  if (process_ > 0) return;
  signal(SIGINT, SIG_IGN);  // of Ctrl-C too, this process alone decides
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() == parent) {
  }
  _exit(0);
}

Neighbour::~Neighbour() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace furrow::bench
