#include "furrow/kernels/simulations/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "furrow/engine/error.hpp"
#include "tests/support.hpp"

namespace furrow::sim {
namespace {

namespace fs = std::filesystem;
using support::message_of;

void write(const std::string& path, std::uint64_t step, std::size_t bytes = 40) {
  std::vector<std::byte> first(bytes, std::byte(step));
  std::vector<std::byte> second(3, std::byte{0xA5});
  const std::array<std::span<std::byte>, 2> state{first, second};
  write_checkpoint(path, {"heat2d", step, {{"shape", "2x3"}, {"dt", "0.2"}}, {first.size(), second.size()}}, state);
}

/// Its step, once all of it has been read and found whole.
std::uint64_t read(const std::string& path) {
  const CheckpointFile file(path);
  std::size_t bytes = 0;
  for (const std::uint64_t part : file.checkpoint().sizes) bytes += part;
  std::vector<std::byte> values(bytes);
  file.read(values);
  EXPECT_EQ(values.front(), std::byte(file.checkpoint().step));
  EXPECT_EQ(values.back(), std::byte{0xA5});
  return file.checkpoint().step;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t files_in(const support::Folder& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.string()), fs::directory_iterator()));
}

TEST(Checkpoint, HoldsWhatWasWritten) {
  const support::Folder folder;
  write(folder / "c", 7);
  const CheckpointFile file(folder / "c");
  EXPECT_EQ(file.checkpoint().simulation, "heat2d");
  EXPECT_EQ(file.checkpoint().step, 7U);
  ASSERT_EQ(file.checkpoint().settings.size(), 2U);
  EXPECT_EQ(file.checkpoint().settings[0].name, "shape");
  EXPECT_EQ(file.checkpoint().settings[1].text, "0.2");
  EXPECT_EQ(file.checkpoint().sizes, (std::vector<std::uint64_t>{40, 3}));
  EXPECT_EQ(read(folder / "c"), 7U);
}

TEST(Checkpoint, CutShortAnywhereIsAnError) {
  const support::Folder folder;
  write(folder / "c", 7);
  const std::string whole = content(folder / "c");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(folder / "cut", whole.substr(0, length));
    EXPECT_EQ(message_of([&] { read(folder / "cut"); }).find("cannot go on from the checkpoint " + (folder / "cut")), 0U) << length;
  }
  put(folder / "cut", whole + 'x');
  EXPECT_TRUE(contains(message_of([&] { read(folder / "cut"); }), "should have"));
  put(folder / "cut", whole);
  EXPECT_EQ(read(folder / "cut"), 7U);
}

TEST(Checkpoint, EveryFlippedBitIsFound) {
  const support::Folder folder;
  write(folder / "c", 7);
  const std::string whole = content(folder / "c");
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(static_cast<unsigned char>(flipped[byte]) ^ 1U << bit);
      put(folder / "flipped", flipped);
      EXPECT_NE(message_of([&] { read(folder / "flipped"); }), "(nothing was thrown)") << "byte " << byte << ", bit " << bit;
    }
  }
}

TEST(Checkpoint, OfAnotherVersionOrForeign) {
  const support::Folder folder;
  write(folder / "c", 7);
  std::string later = content(folder / "c");
  later[8] = 2;
  put(folder / "later", later);
  EXPECT_TRUE(contains(message_of([&] { read(folder / "later"); }), "it is of version 2, and this furrow reads version 1"));
  for (const std::string& foreign : {std::string(), std::string("x"), std::string(5000, '\0'), std::string("\x93NUMPY") + later}) {
    put(folder / "foreign", foreign);
    EXPECT_TRUE(contains(message_of([&] { read(folder / "foreign"); }), "it is not a furrow checkpoint"));
    EXPECT_TRUE(contains(message_of([&] { write(folder / "foreign", 1); }), "what is there is no checkpoint"));
    EXPECT_EQ(content(folder / "foreign"), foreign);
  }
  EXPECT_TRUE(contains(message_of([&] { read(folder / "none"); }), "No such file"));
  EXPECT_TRUE(contains(message_of([&] { read(folder.string()); }), "it is not a file"));
  EXPECT_TRUE(contains(message_of([&] { read("/dev/zero"); }), "it is not a file"));
  EXPECT_TRUE(contains(message_of([&] { write(folder.string(), 1); }), "what is there is no checkpoint"));
}

TEST(Checkpoint, TheOneBeforeIsKeptAndNamed) {
  const support::Folder folder;
  const std::string path = folder / "c";
  write(path, 1);
  EXPECT_FALSE(fs::exists(previous_of(path)));
  write(path, 2);
  write(path, 3);
  EXPECT_EQ(read(path), 3U);
  EXPECT_EQ(read(previous_of(path)), 2U);
  EXPECT_EQ(files_in(folder), 2U);
  std::string damaged = content(path);
  damaged.back() = static_cast<char>(damaged.back() + 1);
  put(path, damaged);
  const std::string message = message_of([&] { read(path); });
  EXPECT_TRUE(contains(message, "its values do not match their checksum")) << message;
  EXPECT_TRUE(contains(message, previous_of(path) + " is the one before it")) << message;
}

TEST(Checkpoint, WhatWasLeftByAKilledWriterIsNoObstacle) {
  const support::Folder folder;
  const std::string path = folder / "c";
  put(path + ".writing", std::string(10'000, 'x'));
  put(path + ".previous.linking", "x");
  write(path, 1);
  write(path, 2);
  EXPECT_EQ(read(path), 2U);
  EXPECT_EQ(read(previous_of(path)), 1U);
  EXPECT_EQ(files_in(folder), 2U);
}

TEST(Checkpoint, ALinkGoesOnPointingAtItsFile) {
  const support::Folder folder;
  fs::create_directory(folder / "far");
  write(folder / "far/real", 1);
  fs::create_symlink("far/real", folder / "c");
  write(folder / "c", 2);
  EXPECT_TRUE(fs::is_symlink(folder / "c"));
  EXPECT_EQ(read(folder / "c"), 2U);
  EXPECT_EQ(read(folder / "far/real"), 2U);
  EXPECT_EQ(read(previous_of(folder / "far/real")), 1U);
}

TEST(Checkpoint, OneThatCannotBeWrittenLeavesTheOthers) {
  const support::Folder folder;
  const std::string path = folder / "c";
  write(path, 1);
  write(path, 2);
  const std::string before = content(path);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{1000, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = message_of([&] { write(path, 3, 100'000); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_TRUE(contains(message, "cannot write the checkpoint " + path + ": File too large; what was there is unchanged"))
      << message;
  EXPECT_EQ(content(path), before);
  EXPECT_EQ(read(previous_of(path)), 1U);
  EXPECT_EQ(files_in(folder), 2U);
  EXPECT_TRUE(contains(message_of([&] { write(folder / "none/c", 1); }), "No such file"));
  EXPECT_TRUE(contains(message_of([&] { write(path + "/c", 1); }), "Not a directory"));
}

TEST(Checkpoint, SeveralWritersNeverTearIt) {
  const support::Folder folder;
  const std::string path = folder / "c";
  write(path, 0, 5000);
  std::atomic<int> refused = 0;
  std::atomic<int> written = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 3; ++writer)
    writers.emplace_back([&] {
      for (std::uint64_t step = 1; step <= 60; ++step) {
        const std::string message = message_of([&] { write(path, step, 5000); });
        if (message == "(nothing was thrown)")
          ++written;
        else if (contains(message, "another process is writing it"))
          ++refused;
        else
          ADD_FAILURE() << message;
      }
    });
  std::jthread reader([&] {
    while (!done) {
      read(path);
      std::this_thread::yield();
    }
  });
  writers.clear();
  done = true;
  reader.join();
  EXPECT_EQ(written + refused, 180);
  EXPECT_GE(written, 1);
  read(path);
  read(previous_of(path));
}

}  // namespace
}  // namespace furrow::sim
