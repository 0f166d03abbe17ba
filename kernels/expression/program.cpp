// Instructions to results.
#include <algorithm>
#include <cstring>

#include "furrow/kernels/expression/functions.hpp"
#include "furrow/kernels/streaming.hpp"

namespace furrow {
namespace {

constexpr std::size_t kBlockBytes = expression::kMostBlock * 8;

/// The kernel behind the last instruction.
void end(const expression::Cell*, std::size_t) {}

}  // namespace

/// The arrays that a run is on: where inputs and output are, and whether they advance or are single blocks.
struct Program::Arrays {
  std::span<const void* const> inputs;
  void* output;
  bool advance;
  bool past_cache;
};

// Behind the blocks of the program there is one for each input and for the output, for what is no whole block of the arrays.
Program::Scratch::Scratch(const Program& program)
    : memory_(static_cast<std::byte*>(allocate(array_bytes(program.blocks_ + program.names_ + 1, kBlockBytes)))),
      cells_(program.instructions_.size() + 1),
      parts_(program.names_) {
  std::memset(memory_.get(), 0, array_bytes(program.blocks_ + program.names_ + 1, kBlockBytes));
  for (const Constant& constant : program.constants_) {
    const std::size_t size = type_bytes(constant.place.type);
    std::byte* block = memory_.get() + constant.place.index * kBlockBytes;
    for (std::size_t i = 0; i < expression::kMostBlock; ++i) std::memcpy(block + i * size, constant.value.data(), size);
  }
  cells_.back().kernel = reinterpret_cast<expression::AnyKernel>(end);
}

/// Evaluates the elements [begin, end), a multiple of blocks.
void Program::run_blocks(std::size_t begin, std::size_t end, const Arrays& arrays, Scratch& scratch) const {
  for (std::size_t k = 0; k < instructions_.size(); ++k) {
    const Instruction& instruction = instructions_[k];
    expression::Cell& cell = scratch.cells_[k];
    cell.kernel = instruction.kernel;
    for (std::size_t o = 0; o < instruction.operands; ++o) {
      const Place& place = instruction.memory[o];
      if (place.kind == Place::scratch) {
        cell.memory[o] = {scratch.memory_.get() + place.index * kBlockBytes, 0};
        continue;
      }
      void* const whole = place.kind == Place::output ? arrays.output : const_cast<void*>(arrays.inputs[place.index]);
      cell.memory[o] = {static_cast<std::byte*>(whole), arrays.advance ? type_bytes(place.type) : 0};
      if (place.kind == Place::output && arrays.past_cache) cell.kernel = expression::moves(place.type).stream;
    }
  }
  const std::size_t block = expression::block_size();
  const expression::Cell& first = scratch.cells_.front();
  for (std::size_t i = begin; i < end; i += block) first.run(i);
}

/// Evaluates the elements [begin, end), fewer than a block, by way of scratch memory.
void Program::run_part(std::size_t begin, std::size_t end, const Arrays& arrays, Scratch& scratch) const {
  if (begin == end) return;
  std::byte* const blocks = scratch.memory_.get() + blocks_ * kBlockBytes;
  std::byte* const result = blocks + names_ * kBlockBytes;
  std::vector<const void*>& parts = scratch.parts_;
  for (std::size_t k = 0; k < names_; ++k) parts[k] = blocks + k * kBlockBytes;
  for (const Instruction& instruction : instructions_)
    for (const Place& place : std::span(instruction.memory).first(instruction.operands)) {
      if (place.kind != Place::input) continue;
      const std::size_t size = type_bytes(place.type);
      std::memcpy(blocks + place.index * kBlockBytes, static_cast<const std::byte*>(arrays.inputs[place.index]) + begin * size,
                  (end - begin) * size);
    }
  run_blocks(0, expression::block_size(), {parts, result, false, false}, scratch);
  const std::size_t size = type_bytes(result_type_);
  std::memcpy(static_cast<std::byte*>(arrays.output) + begin * size, result, (end - begin) * size);
}

void Program::run(std::size_t n, std::span<const void* const> inputs, void* output, Scratch& scratch, bool past_cache) const {
  const Arrays arrays{inputs, output, true, past_cache};
  const std::size_t block = expression::block_size();
  // Streaming begins where a line does.
  const std::size_t size = type_bytes(result_type_);
  const std::size_t line = std::min(std::size_t{64}, block * size);
  const std::size_t ahead = past_cache ? (line - reinterpret_cast<std::uintptr_t>(output) % line) % line / size : 0;
  const std::size_t begin = std::min(ahead, n);
  const std::size_t end = begin + (n - begin) / block * block;
  run_part(0, begin, arrays, scratch);
  run_blocks(begin, end, arrays, scratch);
  run_part(end, n, arrays, scratch);
  if (past_cache) stream_fence();
}

}  // namespace furrow
