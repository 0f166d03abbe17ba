#include "furrow/kernels/flow.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "furrow/engine/graph.hpp"
#include "furrow/engine/machine.hpp"
#include "furrow/kernels/reductions.hpp"

namespace furrow {
namespace {

using flow::Operand;
using flow::Step;

Access access_to(const Operand& operand, Range part) {
  return {operand.written ? Access::Mode::write : Access::Mode::read,
          static_cast<const std::byte*>(operand.data) + part.begin * operand.element_bytes, part.size() * operand.element_bytes};
}

bool conflict(const Access& a, const Access& b) {
  return (a.writes() || b.writes()) && a.overlaps(b);
}

/// Kernels that go tile by tile together; or a node of the caller's.
struct Group {
  std::string name;
  std::size_t n = 0;  ///< elements
  std::vector<Operand> operands = {};
  std::vector<std::unique_ptr<Step>> steps = {};
  std::vector<Access> others = {};  ///< that no tile has to itself: what is written at the end, or accesses of the node

  struct Node {
    std::size_t tasks;
    NodeBody body;
  };
  std::optional<Node> node = std::nullopt;

  std::size_t length = 0;  ///< elements of a tile; the last may be shorter

  Range whole() const { return {0, n}; }
  std::size_t tiles() const { return n / length + (n % length != 0); }
  Range elements(std::size_t k) const { return {k * length, std::min(n, (k + 1) * length)}; }
  void work(Engine& serial, std::size_t k) const {
    for (const std::unique_ptr<Step>& step : steps) step->work(serial, {k, elements(k)});
  }
  void finish(Engine& serial) const {
    for (const std::unique_ptr<Step>& step : steps) step->finish(serial);
  }
};

/// So many elements that those of all arrays lie in half a second-level cache together, where the next kernel finds what the last
/// one wrote: a power of two of chunks, so that partial results are nodes of the tree that combines those of the whole. Fewer if
/// there would not be many tiles.
std::size_t tile_length(const Group& group) {
  constexpr std::size_t kUnknown = std::size_t{512} << 10;
  constexpr std::size_t kMany = 64;
  const std::size_t cache = (machine().l2_bytes > 0 ? machine().l2_bytes : kUnknown) / 2;
  std::size_t bytes = 1;
  for (const Operand& operand : group.operands) bytes += operand.element_bytes;
  return std::max(named::kReductionChunk, std::bit_floor(std::min(cache / bytes, group.n / kMany) + 1));
}

enum class Shared { nothing, by_element, otherwise };

/// How two groups share memory that one of them writes.
Shared shared_by(const Group& a, const Group& b) {
  bool any = false;
  const auto clash = [](const Group& some, const Access& access) {
    return std::ranges::any_of(some.others, [&](const Access& other) { return conflict(other, access); });
  };
  for (const Operand& x : a.operands) {
    const Access mine = access_to(x, a.whole());
    if (clash(b, mine)) return Shared::otherwise;
    for (const Operand& y : b.operands) {
      if (!conflict(mine, access_to(y, b.whole()))) continue;
      if (x.data != y.data || x.element_bytes != y.element_bytes) return Shared::otherwise;
      any = true;
    }
  }
  for (const Operand& y : b.operands)
    if (clash(a, access_to(y, b.whole()))) return Shared::otherwise;
  for (const Access& access : b.others)
    if (clash(a, access)) return Shared::otherwise;
  return any ? Shared::by_element : Shared::nothing;
}

void add_operand(Group& group, const Operand& operand) {
  const auto same = [&](const Operand& other) {
    return other.data == operand.data && other.element_bytes == operand.element_bytes;
  };
  const auto known = std::ranges::find_if(group.operands, same);
  if (known == group.operands.end()) return group.operands.push_back(operand);
  known->written |= operand.written;
}

void join(Group& group, Group& other) {
  group.name += " " + other.name;
  for (const Operand& operand : other.operands) add_operand(group, operand);
  std::ranges::move(other.steps, std::back_inserter(group.steps));
  std::ranges::copy(other.others, std::back_inserter(group.others));
}

/// What may overlap in time.
struct Stage {
  std::deque<Group> groups;
  std::unique_ptr<Step> then;  ///< when all of them have finished
  std::optional<Graph> graph;  ///< of the groups, once it is known that there will be no more

  void add(Group added);
  void build(Engine& serial);
  /// Whether there are at least two tiles, or work of the caller's.
  bool is_divisible() const {
    return groups.size() > 1 || std::ranges::any_of(groups, [](const Group& group) { return group.node || group.tiles() > 1; });
  }
};

/// The group goes with the latest that it can go with, if those in between are none of its business.
void Stage::add(Group added) {
  graph.reset();
  for (auto group = groups.rbegin(); group != groups.rend() && !added.node; ++group) {
    const Shared shared = shared_by(*group, added);
    if (shared != Shared::otherwise && !group->node && group->n == added.n) return join(*group, added);
    if (shared != Shared::nothing) break;
  }
  groups.push_back(std::move(added));
}

void Stage::build(Engine& serial) {
  graph.emplace();
  for (Group& group : groups) {
    if (group.node) {
      graph->add(group.name, group.others, group.node->tasks, [&node = *group.node](std::size_t task) { node.body(task); });
      continue;
    }
    group.length = tile_length(group);
    for (const std::unique_ptr<Step>& step : group.steps) step->prepare(group.tiles());
    std::vector<Graph::Node> tiles;
    std::vector<Access> accesses;
    for (std::size_t k = 0; k < group.tiles(); ++k) {
      accesses.clear();
      for (const Operand& operand : group.operands) accesses.push_back(access_to(operand, group.elements(k)));
      tiles.push_back(graph->add(group.name, accesses, 1, [&group, &serial, k](std::size_t) { group.work(serial, k); }));
    }
    if (group.others.empty()) continue;
    const Graph::Node last = graph->add("combine", group.others, 1, [&group, &serial](std::size_t) { group.finish(serial); });
    for (const Graph::Node tile : tiles) graph->after(last, tile);
  }
}

}  // namespace

struct Flow::State {
  std::deque<Stage> stages{1};  // the last has no then()
  Engine serial{"serial"};      // what kernels run on within a tile
};

Flow::Flow() : state_(new State) {}
Flow::~Flow() = default;
Flow::Flow(Flow&&) noexcept = default;
Flow& Flow::operator=(Flow&&) noexcept = default;

void Flow::record(std::string_view name, std::size_t n, std::span<const Operand> operands, std::unique_ptr<Step> step,
                  std::span<const Access> results) {
  Group group{.name = std::string(name), .n = n, .others = {results.begin(), results.end()}};
  for (const Operand& operand : operands) add_operand(group, operand);
  group.steps.push_back(std::move(step));
  state_->stages.back().add(std::move(group));
}

void Flow::add_node(std::string_view name, std::initializer_list<Access> accesses, std::size_t tasks, NodeBody body) {
  Group group{.name = std::string(name), .others = accesses};
  group.node.emplace(Group::Node{tasks, std::move(body)});
  state_->stages.back().add(std::move(group));
}

void Flow::add_whole(std::unique_ptr<Step> step) {
  state_->stages.back().then = std::move(step);
  state_->stages.emplace_back();
}

void Flow::run(Engine& engine) {
  for (Stage& stage : state_->stages) {
    if (!stage.graph) stage.build(state_->serial);
    if (stage.is_divisible())
      stage.graph->run(engine);
    else if (!stage.groups.empty())
      engine.bulk(1, [&](std::size_t) { stage.graph->run(state_->serial); });
    if (stage.then) stage.then->work(engine, {});
  }
}

std::size_t Flow::nodes() const {
  std::size_t count = 0;
  for (const Stage& stage : state_->stages) count += stage.graph ? stage.graph->size() : 0;
  return count;
}

}  // namespace furrow
