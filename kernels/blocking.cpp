#include "furrow/kernels/blocking.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace furrow::blocking {

struct Workspaces::State {
  std::mutex mutex;
  std::vector<Scratch<std::byte>> free;
  std::size_t made = 0;
};

Workspaces::Workspaces() : state_(new State) {}

Workspaces::~Workspaces() = default;

Scratch<std::byte> Workspaces::take(std::size_t bytes) {
  Scratch<std::byte> taken;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->free.empty()) {
      state_->free.reserve(++state_->made);  // so that giving back cannot throw
    } else {
      taken = std::move(state_->free.back());
      state_->free.pop_back();
    }
  }
  if (taken.bytes() < bytes) taken = Scratch<std::byte>(bytes);
  return taken;
}

void Workspaces::give_back(Scratch<std::byte> memory) noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->free.push_back(std::move(memory));
}

}  // namespace furrow::blocking
