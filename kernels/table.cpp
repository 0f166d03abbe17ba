#include "furrow/kernels/table.hpp"

#include <algorithm>
#include <string>

#include "furrow/kernels/instruction_set.hpp"

namespace furrow::table {

// The files in table/, compiled for each of these.
namespace baseline {
std::vector<Kernel> rows();
}
#if defined(FURROW_TABLE_FOR_X86)
namespace v3 {
std::vector<Kernel> rows();
}
namespace v4 {
std::vector<Kernel> rows();
}
#endif

namespace {

constexpr unsigned char kGuardByte = 0xA5;

std::vector<Kernel> best_rows() {
#if defined(FURROW_TABLE_FOR_X86)
  const std::string best = instruction_set();  // obeys $FURROW_ISA
  if (best == "avx512") return v4::rows();
  if (best == "avx2") return v3::rows();
#endif
  return baseline::rows();
}

}  // namespace

Operands::Operands(Engine& engine, Type type, std::size_t n, std::size_t shift)
    : type_(type),
      n_(n),
      shift_(shift),
      a_(allocate(engine, array_bytes(n + shift, type_bytes(type)))),
      b_(allocate(engine, array_bytes(n + shift, type_bytes(type)))),
      out_(allocate(engine, array_bytes(n + shift, type_bytes(type)))) {}

Array<unsigned char> Operands::allocate(Engine& engine, std::size_t bytes) {
  Array<unsigned char> memory(engine, bytes + 2 * kGuard);
  std::fill_n(memory.data(), kGuard, kGuardByte);
  std::fill_n(memory.end() - kGuard, kGuard, kGuardByte);
  return memory;
}

std::span<const unsigned char> Operands::out_bytes() const {
  return {out_.data() + first_byte(), n_ * type_bytes(type_)};
}

bool Operands::guards_intact() const {
  const auto intact = [](const Array<unsigned char>& memory) {
    const auto is_guard = [](unsigned char byte) { return byte == kGuardByte; };
    return std::all_of(memory.begin(), memory.begin() + kGuard, is_guard) &&
           std::all_of(memory.end() - kGuard, memory.end(), is_guard);
  };
  return intact(a_) && intact(b_) && intact(out_);
}

bool Kernel::has(Type type) const {
  return std::find(types.begin(), types.end(), type) != types.end();
}

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> table = best_rows();
  return table;
}

const Kernel* find(std::string_view name) {
  const auto& all = kernels();
  const auto row = std::find_if(all.begin(), all.end(), [&](const Kernel& kernel) { return kernel.name == name; });
  return row == all.end() ? nullptr : &*row;
}

}  // namespace furrow::table
