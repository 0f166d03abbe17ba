#include "furrow/engine/memory.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/support.hpp"

namespace furrow {
namespace {

constexpr std::size_t kMega = std::size_t{1} << 20;
constexpr std::size_t kLarge = 24 * kMega;

TEST(Scratch, IsAligned) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{4097}, 4 * kMega - 1, 4 * kMega, 5 * kMega + 1}) {
    const Scratch<unsigned char> memory(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0U) << bytes;
    std::memset(memory.data(), 0xFF, bytes);
  }
  EXPECT_EQ(Scratch<double>(0).data(), nullptr);
  EXPECT_THROW(Scratch<double>(SIZE_MAX / 8), std::bad_alloc);
  // More than there are addresses; a sanitizer would end the process.
  if (!support::kSanitizer) {
    EXPECT_THROW(Scratch<unsigned char>(SIZE_MAX / 4), std::bad_alloc);
  }
}

TEST(Scratch, OfLargeBlocksIsUsedAgain) {
  if (support::kSanitizer) GTEST_SKIP() << "AddressSanitizer has its own ways";
  void* first = allocate_scratch(kLarge);
  std::memset(first, 1, kLarge);
  deallocate_scratch(first, kLarge);
  void* const smaller = allocate_scratch(kLarge - 3 * kMega);
  EXPECT_EQ(smaller, first);
  void* const other = allocate_scratch(kLarge);
  EXPECT_NE(other, first);
  deallocate_scratch(smaller, kLarge - 3 * kMega);
  deallocate_scratch(other, kLarge);
  EXPECT_EQ(allocate_scratch(kLarge), other);
  deallocate_scratch(other, kLarge);
}

TEST(Scratch, InUseIsNeverGivenTwice) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (unsigned char own = 1; own <= 4; ++own)
    threads.emplace_back([own, &wrong] {
      for (int round = 0; round < 40; ++round) {
        const std::size_t bytes = (4 + (own * 7 + static_cast<std::size_t>(round) * 5) % 9) * kMega;
        const Scratch<unsigned char> memory(bytes);
        std::array<std::size_t, 3> places{0, bytes / 2, bytes - 1};
        for (const std::size_t place : places) memory.data()[place] = own;
        std::this_thread::yield();
        for (const std::size_t place : places) wrong += memory.data()[place] != own;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Scratch, WorksInTheChildOfAFork) {
  { const Scratch<unsigned char> kept(kLarge); }
  const pid_t child = fork();
  if (child == 0) {
    const Scratch<unsigned char> memory(kLarge);
    std::memset(memory.data(), 1, kLarge);
    _exit(memory.data()[kLarge - 1] == 1 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace furrow
