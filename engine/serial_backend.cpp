#include "furrow/engine/builtin_backends.hpp"

namespace furrow {
namespace {

/// Tasks in order, on the calling thread. Its concurrency is 1, whatever is asked, so the base class never calls run().
class SerialBackend final : public Backend {
 public:
  SerialBackend() : Backend(1) {}
  std::string_view name() const override { return "serial"; }

 private:
  void run(std::size_t tasks, TaskRef body, Schedule) override {
    for (std::size_t task = 0; task < tasks; ++task) body(task);
  }
};

}  // namespace

std::unique_ptr<Backend> make_serial_backend(int) {
  return std::make_unique<SerialBackend>();
}

}  // namespace furrow
