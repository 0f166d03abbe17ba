// Graph::check(): which nodes use memory that they have not declared.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "furrow/engine/error.hpp"
#include "furrow/engine/graph/state.hpp"

namespace furrow {
namespace {

using State = Graph::State;
using Index = State::Index;
using Bytes = std::vector<unsigned char>;

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;

  std::size_t size() const { return end - begin; }
  unsigned char* memory() const { return reinterpret_cast<unsigned char*>(begin); }
};

/// Bytes in ascending order, none of them twice.
using Ranges = std::vector<Range>;

Ranges united(Ranges all) {
  std::ranges::sort(all, {}, &Range::begin);
  Ranges result;
  for (const Range& one : all) {
    if (!result.empty() && one.begin <= result.back().end)
      result.back().end = std::max(result.back().end, one.end);
    else
      result.push_back(one);
  }
  return result;
}

/// Those of `all` that are not in `without`.
Ranges difference(const Ranges& all, const Ranges& without) {
  Ranges result;
  auto hole = without.begin();
  for (Range left : all) {
    while (hole != without.end() && hole->end <= left.begin) ++hole;
    for (auto next = hole; next != without.end() && next->begin < left.end; ++next) {
      if (left.begin < next->begin) result.push_back({left.begin, next->begin});
      left.begin = std::min(next->end, left.end);
    }
    if (left.begin < left.end) result.push_back(left);
  }
  return result;
}

std::size_t size_of(const Ranges& all) {
  std::size_t bytes = 0;
  for (const Range& one : all) bytes += one.size();
  return bytes;
}

/// The first `bytes` of them, and the rest.
std::pair<Ranges, Ranges> divided(const Ranges& all, std::size_t bytes) {
  std::pair<Ranges, Ranges> result;
  for (const Range& one : all) {
    const std::size_t here = std::min(bytes, one.size());
    bytes -= here;
    if (here > 0) result.first.push_back({one.begin, one.begin + here});
    if (here < one.size()) result.second.push_back({one.begin + here, one.end});
  }
  return result;
}

Bytes contents(const Ranges& all) {
  Bytes bytes;
  bytes.reserve(size_of(all));
  for (const Range& one : all) bytes.insert(bytes.end(), one.memory(), one.memory() + one.size());
  return bytes;
}

void restore(const Ranges& all, const Bytes& bytes) {
  const unsigned char* from = bytes.data();
  for (const Range& one : all) {
    std::memcpy(one.memory(), from, one.size());
    from += one.size();
  }
}

/// Where bytes are first no longer what they were, in words of eight bytes that are in a row.
std::optional<Range> change(const Ranges& all, const Bytes& before) {
  const unsigned char* from = before.data();
  for (const Range& one : all) {
    const auto [here, there] = std::mismatch(one.memory(), one.memory() + one.size(), from);
    from += one.size();
    if (here == one.memory() + one.size()) continue;
    const auto changed = [&](std::uintptr_t at) {
      return at < one.end && *reinterpret_cast<unsigned char*>(at) != *(from - (one.end - at));
    };
    Range found{reinterpret_cast<std::uintptr_t>(here), one.end};
    found.begin = std::max(one.begin, found.begin / 8 * 8);
    for (std::uintptr_t word = found.begin / 8 * 8; word < one.end; word += 8) {
      bool any = false;
      for (std::uintptr_t at = std::max(word, one.begin); at < word + 8; ++at) any |= changed(at);
      if (any) continue;
      found.end = word;
      break;
    }
    return found;
  }
  return std::nullopt;
}

/// How memory is altered to see whether somebody reads it.
enum class Scramble {
  moved,    ///< by eight bytes: indices stay within what they index
  altered,  ///< each byte
};

void scramble(const Ranges& all, Scramble how) {
  for (const Range& one : all) {
    if (how == Scramble::altered)
      std::for_each(one.memory(), one.memory() + one.size(), [](unsigned char& byte) { byte ^= 1; });
    else if (one.size() > 8)
      std::rotate(one.memory(), one.memory() + 8, one.memory() + one.size());
  }
}

class Check {
 public:
  explicit Check(State& state) : state_(state) {
    Ranges all, written;
    for (Index access = 0; access < state.accesses.size(); ++access) {
      append(all, access);
      if (state.accesses[access].writes()) append(written, access);
    }
    known_ = united(std::move(all));
    written_by_any_ = united(std::move(written));
  }

  /// What the node does without having declared it, in words; runs it, and leaves memory as one run does.
  std::optional<std::string> fault_of(Index node) {
    node_ = node;
    Ranges declared;
    writes_.clear();
    for (Index access = state_.nodes[node].first_access; access < state_.accesses_end(node); ++access) {
      append(declared, access);
      if (state_.accesses[access].writes()) append(writes_, access);
    }
    writes_ = united(std::move(writes_));
    const Ranges not_written = difference(known_, writes_);
    const Bytes not_written_before = contents(not_written);
    before_ = contents(written_by_any_);
    run();
    if (const auto written = change(not_written, not_written_before)) return told("write", *written);
    const Bytes after = contents(written_by_any_);
    results_ = contents(writes_);
    std::optional<std::string> fault;
    const Ranges undeclared = difference(written_by_any_, united(std::move(declared)));
    if (!writes_.empty() && !undeclared.empty()) fault = fault_with(undeclared);
    restore(written_by_any_, after);
    return fault;
  }

 private:
  std::optional<std::string> fault_with(const Ranges& undeclared) {
    for (const Scramble how : {Scramble::moved, Scramble::altered}) {
      if (differs(undeclared, how)) {
        if (differs({}, how)) return std::nullopt;  // it does not give the same twice
        const Ranges read = narrowed(undeclared, how);
        return told("read", {read.front().begin, read.back().end});
      }
      // A write that changed nothing the first time.
      if (const auto written = change(undeclared, scrambled_)) return told("write", *written);
    }
    return std::nullopt;
  }

  void append(Ranges& ranges, Index access) const {
    state_.hazards.block(state_.accesses[access].block()).for_each_piece([&](std::uintptr_t begin, std::uintptr_t end) {
      ranges.push_back({begin, end});
    });
  }

  void run() {
    State::Entry& entry = state_.nodes[node_];
    for (std::size_t task = 0; task < state_.tasks_of(entry); ++task) entry.body(task);
  }

  /// Whether the node writes something else than it did, if these bytes are others.
  bool differs(const Ranges& bytes, Scramble how) {
    restore(written_by_any_, before_);
    scramble(bytes, how);
    scrambled_ = contents(bytes);
    try {
      run();
    } catch (...) {
      return true;  // it did not throw the first time
    }
    return change(writes_, results_).has_value();
  }

  /// Which of these bytes make the difference.
  Ranges narrowed(Ranges bytes, Scramble how) {
    while (size_of(bytes) > 8) {
      auto [lower, upper] = divided(bytes, (size_of(bytes) / 2 + 7) / 8 * 8);
      if (differs(lower, how))
        bytes = std::move(lower);
      else if (!upper.empty() && differs(upper, how))
        bytes = std::move(upper);
      else
        break;
    }
    return bytes;
  }

  /// `does`: read or write.
  std::string told(const std::string& does, const Range& within) const {
    return "node " + std::to_string(node_) + " \"" + std::string(state_.name_of(node_)) + "\" " + does +
           "s what it has not declared, at least some of " + place(within) + ": give its add() " + does + "(…) of that";
  }

  /// Where bytes lie in what nodes have declared.
  std::string place(const Range& within) const {
    for (Index node = 0; node < state_.nodes.size(); ++node)
      for (Index access = state_.nodes[node].first_access; access < state_.accesses_end(node); ++access) {
        const Access block = state_.hazards.block(state_.accesses[access].block());
        bool here = false;
        block.for_each_piece(
            [&](std::uintptr_t begin, std::uintptr_t end) { here |= begin <= within.begin && within.begin < end; });
        if (here)
          return "bytes " + std::to_string(within.begin - block.begin()) + " to " + std::to_string(within.end - 1 - block.begin()) +
                 " of what node " + std::to_string(node) + " \"" + std::string(state_.name_of(node)) + "\" " +
                 (state_.accesses[access].writes() ? "writes" : "reads");
      }
    return "what is declared";
  }

  State& state_;
  Ranges known_;           // what any node reads or writes
  Ranges written_by_any_;  // of that; the rest may be memory that cannot be written to
  Index node_ = 0;
  Ranges writes_;    // of the node
  Bytes before_;     // it, what any node writes
  Bytes results_;    // of its first run
  Bytes scrambled_;  // before its latest run, the bytes that were
};

}  // namespace

void Graph::check() {
  constexpr std::size_t kMost = 10;
  Check check(*state_);
  std::vector<std::string> faults;
  for (Index node = 0; node < state_->nodes.size(); ++node) {
    std::optional<std::string> fault = check.fault_of(node);
    if (fault && faults.size() < kMost) faults.push_back(std::move(*fault));
  }
  if (faults.empty()) return;
  std::string message = "the graph's nodes use memory that they have not declared:";
  for (const std::string& fault : faults) message += "\n  " + fault;
  if (faults.size() == kMost) message += "\n  (and perhaps more)";
  fail(message);
}

}  // namespace furrow
