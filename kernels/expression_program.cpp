// Instructions to results.
#include <algorithm>
#include <cstring>

#include "furrow/kernels/expression.hpp"

namespace furrow {

using expression::kBlock;

namespace {

constexpr std::size_t kBlockBytes = kBlock * 8;

}  // namespace

/// The arrays that a run is on: where inputs and output are, and whether they advance or are single blocks.
struct Program::Arrays {
  std::span<const void* const> inputs;
  void* output;
  bool advance;
};

// Behind the blocks of the program there is one for each input and for the output, for what is left of the arrays at the end.
Program::Scratch::Scratch(const Program& program)
    : memory_(static_cast<std::byte*>(allocate(array_bytes(program.blocks_ + program.names_ + 1, kBlockBytes)))),
      cells_(program.instructions_.size()),
      ends_(program.names_) {
  std::memset(memory_.get(), 0, array_bytes(program.blocks_ + program.names_ + 1, kBlockBytes));
  for (const Constant& constant : program.constants_) {
    const std::size_t size = type_bytes(constant.place.type);
    std::byte* block = memory_.get() + constant.place.index * kBlockBytes;
    for (std::size_t i = 0; i < kBlock; ++i) std::memcpy(block + i * size, constant.value.data(), size);
  }
}

/// Evaluates n elements, a multiple of kBlock.
void Program::run_blocks(std::size_t n, const Arrays& arrays, Scratch& scratch) const {
  const auto operand = [&](const Place& place) -> expression::Operand {
    if (place.kind == Place::scratch) return {scratch.memory_.get() + place.index * kBlockBytes, 0};
    void* const whole = place.kind == Place::output ? arrays.output : const_cast<void*>(arrays.inputs[place.index]);
    return {static_cast<std::byte*>(whole), arrays.advance ? type_bytes(place.type) : 0};
  };
  for (std::size_t k = 0; k < instructions_.size(); ++k) {
    const Instruction& instruction = instructions_[k];
    expression::Cell& cell = scratch.cells_[k];
    cell.kernel = instruction.kernel;
    for (std::size_t o = 0; o < instruction.operands; ++o) cell.from[o] = operand(instruction.from[o]);
    cell.to = operand(instruction.to);
  }
  const std::span<const expression::Cell> cells(scratch.cells_);
  for (std::size_t i = 0; i < n; i += kBlock)
    for (const expression::Cell& cell : cells) cell.kernel(cell, i);
}

void Program::run(std::size_t n, std::span<const void* const> inputs, void* output, Scratch& scratch) const {
  const std::size_t whole = n / kBlock * kBlock;
  run_blocks(whole, {inputs, output, true}, scratch);
  const std::size_t rest = n - whole;
  if (rest == 0) return;
  std::byte* const blocks = scratch.memory_.get() + blocks_ * kBlockBytes;
  std::byte* const result = blocks + names_ * kBlockBytes;
  std::vector<const void*>& ends = scratch.ends_;
  for (std::size_t k = 0; k < names_; ++k) ends[k] = blocks + k * kBlockBytes;
  for (const Instruction& instruction : instructions_)
    for (const Place& place : std::span(instruction.from).first(instruction.operands)) {
      if (place.kind != Place::input) continue;
      const std::size_t size = type_bytes(place.type);
      std::memcpy(blocks + place.index * kBlockBytes, static_cast<const std::byte*>(inputs[place.index]) + whole * size,
                  rest * size);
    }
  run_blocks(kBlock, {ends, result, false}, scratch);
  const std::size_t size = type_bytes(result_type_);
  std::memcpy(static_cast<std::byte*>(output) + whole * size, result, rest * size);
}

}  // namespace furrow
