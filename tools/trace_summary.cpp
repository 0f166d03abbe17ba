#include "tools/trace_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "furrow/engine/error.hpp"

namespace furrow::tools {
namespace {

using nlohmann::json;

enum class Kind { process, submit, kernel, graph, bulk, task, worker, node, release };
constexpr std::string_view kKinds[] = {"process", "submit", "kernel", "graph", "bulk", "task", "worker", "node", "release"};

struct Span {
  Kind kind;
  std::size_t name;  ///< index
  std::int64_t thread;
  std::int64_t begin;  ///< ns
  std::int64_t end;
  std::uint64_t call = 0;
  std::uint64_t number = 0;  ///< elements, or tasks
  std::uint64_t node = 0;
  std::uint64_t after = 0;
  double bytes = 0;
  int threads = 0;

  double seconds() const { return static_cast<double>(end - begin) * 1e-9; }
};

struct Trace {
  std::vector<Span> spans;
  std::vector<std::string> names;
  std::map<std::int64_t, std::string> threads;
  std::optional<Span> process;
  std::size_t dropped = 0;
};

/// Takes events one by one, so that a large file is never in memory whole.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  Trace read(std::istream& file) {
    try {
      const json rest = json::parse(file, [this](int depth, json::parse_event_t event, json& parsed) {
        if (depth == 1 && event == json::parse_event_t::key) inside_ = parsed == "traceEvents";
        if (!inside_ || depth != 2 || event != json::parse_event_t::object_end) return true;
        take(parsed);
        return false;
      });
      const bool ours = rest.is_object() && rest.contains("otherData") && rest["otherData"].is_object() &&
                        rest["otherData"].value("producer", json()) == "furrow";
      if (!ours || !rest.contains("traceEvents"))
        fail(fmt::format("{} is no trace of furrow's; FURROW_TRACE=FILE or --trace FILE writes one", name_));
    } catch (const json::parse_error& problem) {
      if (file.eof() && problem.byte > 1)
        fail(fmt::format("{} was cut short: it ends within its {} bytes before the trace does", name_, problem.byte - 1));
      fail(fmt::format("{} is no trace of furrow's: no JSON at byte {}", name_, problem.byte));
    }
    if (!trace_.process) fail(fmt::format("{} has no event \"process\", with which furrow's traces end", name_));
    return std::move(trace_);
  }

 private:
  void take(const json& event) {
    ++count_;
    try {
      const std::string phase = event.at("ph");
      const json& arguments = event.at("args");
      const auto number = [&](const char* key) { return arguments.value(key, std::uint64_t{0}); };
      if (phase == "M" && event.at("name") == "thread_name")
        trace_.threads[event.at("tid").get<std::int64_t>()] = arguments.at("name").get<std::string>();
      if (phase != "X") return;
      const auto* kind = std::ranges::find(kKinds, event.at("cat").get<std::string>());
      if (kind == std::end(kKinds)) return;  // of a later version
      Span span{.kind = static_cast<Kind>(kind - kKinds),
                .name = index_of(event.at("name")),
                .thread = event.at("tid"),
                .begin = nanoseconds(event.at("ts")),
                .end = nanoseconds(event.at("dur"))};
      span.end += span.begin;
      span.call = number("call");
      span.number = span.kind == Kind::kernel ? number("elements") : number("tasks");
      span.node = number("node");
      span.after = number("after");
      span.bytes = static_cast<double>(number("bytes"));
      span.threads = static_cast<int>(number("threads"));
      if (span.kind != Kind::process) return trace_.spans.push_back(span);
      trace_.process = span;
      trace_.dropped = number("dropped");
    } catch (const json::exception& problem) {
      fail(fmt::format("event {} of {} is none of furrow's: {}", count_, name_, problem.what()));
    }
  }

  std::int64_t nanoseconds(const json& microseconds) const {
    constexpr double kMost = 1e15;  // µs; what a trace has is far from overflowing
    const auto value = microseconds.get<double>();
    if (!(value >= 0 && value < kMost)) fail(fmt::format("event {} of {} has the impossible time {}", count_, name_, value));
    return std::llround(value * 1000);
  }

  std::size_t index_of(const std::string& name) {
    const auto [entry, is_new] = indices_.try_emplace(name, trace_.names.size());
    if (is_new) trace_.names.push_back(name);
    return entry->second;
  }

  const std::string name_;
  Trace trace_;
  std::unordered_map<std::string, std::size_t> indices_;
  bool inside_ = false;
  std::size_t count_ = 0;
};

bool is_call(Kind kind) {
  return kind == Kind::kernel || kind == Kind::graph || kind == Kind::bulk;
}

/// What the tasks of a bulk call, or the nodes of a graph's, come to.
struct Work {
  double sum = 0;
  double longest = 0;
};

class Summary {
 public:
  explicit Summary(Trace&& trace) : trace_(std::move(trace)) {
    result_.wall = trace_.process->seconds();
    result_.events = trace_.spans.size();
    result_.dropped = trace_.dropped;
    // By thread, the outer ones first.
    std::ranges::sort(trace_.spans, [](const Span& a, const Span& b) {
      return std::tuple(a.thread, a.begin, -a.end, a.kind) < std::tuple(b.thread, b.begin, -b.end, b.kind);
    });
    add_up_work();
    for (auto first = trace_.spans.begin(); first != trace_.spans.end();) {
      const auto last = std::find_if(first, trace_.spans.end(), [&](const Span& span) { return span.thread != first->thread; });
      walk({first, last});
      first = last;
    }
    finish();
  }

  TraceSummary take() { return std::move(result_); }

 private:
  /// What happened in one run of a graph.
  struct GraphWork {
    std::vector<const Span*> nodes;
    std::unordered_map<std::uint64_t, std::uint64_t> after;  ///< by node: that for which it waited longest
  };

  /// The tasks of each call, which other threads did as well. Of a graph's call the nodes, which stand inside its workers.
  void add_up_work() {
    std::unordered_map<std::uint64_t, GraphWork> graphs;
    const Span* worker = nullptr;
    for (const Span& span : trace_.spans) {
      if (span.kind == Kind::worker) worker = &span;
      if (span.kind == Kind::task) {
        Work& work = work_[span.call];
        work.sum += span.seconds();
        work.longest = std::max(work.longest, span.seconds());
      }
      if (worker == nullptr || worker->thread != span.thread || span.end > worker->end) continue;
      if (span.kind == Kind::node) graphs[worker->call].nodes.push_back(&span);
      if (span.kind == Kind::release) graphs[worker->call].after[span.node] = span.after;
    }
    for (auto& [call, graph] : graphs) add_up_graph(graph, work_[call]);
  }

  static void add_up_graph(GraphWork& graph, Work& work) {
    // In the order of time: what a node waited for comes before it.
    std::ranges::sort(graph.nodes, {}, [](const Span* span) { return span->begin; });
    std::unordered_map<std::uint64_t, double> chain;  // by node, the time of the longest chain that ends with it
    for (const Span* span : graph.nodes) {
      const auto after = graph.after.find(span->node);
      const double before = after != graph.after.end() ? chain[after->second] : 0;
      double& longest = chain[span->node];  // of several tasks the longest
      longest = std::max(longest, before + span->seconds());
      work.longest = std::max(work.longest, longest);
      work.sum += span->seconds();
    }
  }

  /// One thread's spans, outer ones first. What a thread does is what its innermost span says.
  void walk(std::span<const Span> spans) {
    TraceSummary::Thread thread{.id = spans.front().thread, .name = trace_.threads[spans.front().thread]};
    std::vector<const Span*> open;
    std::int64_t now = 0;
    const auto pass = [&](std::int64_t until) {
      const double seconds = static_cast<double>(until - now) * 1e-9;
      if (open.empty())
        thread.outside += seconds;
      else if (const Kind kind = open.back()->kind; kind == Kind::bulk || kind == Kind::worker || kind == Kind::graph)
        thread.waiting += seconds;
      else
        thread.working += seconds;
      now = until;
    };
    const auto close_until = [&](std::int64_t time) {
      while (!open.empty() && open.back()->end <= time) {
        pass(open.back()->end);
        open.pop_back();
      }
    };
    for (const Span& span : spans) {
      close_until(span.begin);
      pass(span.begin);
      if (is_call(span.kind)) call(span, open);
      open.push_back(&span);
    }
    close_until(std::numeric_limits<std::int64_t>::max());
    pass(std::max(now, trace_.process->end));
    result_.threads.push_back(thread);
  }

  void call(const Span& span, const std::vector<const Span*>& open) {
    const Span* outermost = nullptr;
    for (const Span* outer : open)
      if (outermost == nullptr && outer->kind != Kind::submit) outermost = outer;
    const bool is_part = span.kind == Kind::bulk && outermost != nullptr && outermost == open.back() && is_call(outermost->kind);
    if (outermost == nullptr) {
      begin(span);
    } else if (!is_part) {
      ++result_.nested_calls;
    }
    if (span.kind == Kind::bulk && (outermost == nullptr || is_part)) bulk(span, is_part ? *outermost : span);
  }

  void begin(const Span& span) {
    intervals_.emplace_back(span.begin, span.end);
    TraceSummary::Kernel& kernel = kernels_[span.name];
    ++kernel.calls;
    kernel.seconds += span.seconds();
    kernel.bytes += span.bytes;
    result_.path_serial += span.seconds();
  }

  /// The part of `whole` in which threads were at work.
  void bulk(const Span& span, const Span& whole) {
    const Work& work = work_[span.call];
    result_.path_serial -= span.seconds();
    result_.path_tasks += std::min(work.longest, span.seconds());
    result_.cores = std::max(result_.cores, span.threads);
    if (span.threads < 2) return;
    TraceSummary::Kernel& kernel = kernels_[whole.name];
    kernel.parallel += span.seconds();
    kernel.serial_sum += work.sum;
    TraceSummary::Loss& loss = losses_[{whole.name, whole.number}];
    ++loss.of;
    if (span.seconds() < work.sum) return;
    ++loss.calls;
    loss.seconds += span.seconds();
    loss.serial_sum += work.sum;
  }

  void finish() {
    for (auto& [name, kernel] : kernels_) {
      kernel.name = trace_.names[name];
      result_.kernels.push_back(kernel);
    }
    std::ranges::sort(result_.kernels, std::greater<>(), &TraceSummary::Kernel::seconds);
    for (auto& [key, loss] : losses_) {
      loss.name = trace_.names[key.first];
      loss.elements = key.second;
      if (loss.calls > 0) result_.losses.push_back(loss);
    }
    std::ranges::sort(result_.losses, std::greater<>(),
                      [](const TraceSummary::Loss& loss) { return loss.seconds - loss.serial_sum; });
    std::ranges::sort(intervals_);
    double covered = 0;
    double sum = 0;
    std::int64_t end = 0;
    for (const auto& [from, to] : intervals_) {
      sum += static_cast<double>(to - from) * 1e-9;
      if (to > end) covered += static_cast<double>(to - std::max(from, end)) * 1e-9;
      end = std::max(end, to);
    }
    result_.outside = std::max(0.0, result_.wall - covered);
    result_.overlap = sum - covered;
    result_.path_outside = result_.outside;
  }

  Trace trace_;
  std::unordered_map<std::uint64_t, Work> work_;
  std::map<std::size_t, TraceSummary::Kernel> kernels_;
  std::map<std::pair<std::size_t, std::uint64_t>, TraceSummary::Loss> losses_;
  std::vector<std::pair<std::int64_t, std::int64_t>> intervals_;  ///< of the outermost calls
  TraceSummary result_;
};

}  // namespace

double TraceSummary::total() const {
  double sum = outside - overlap;
  for (const Kernel& kernel : kernels) sum += kernel.seconds;
  return sum;
}

TraceSummary summarize_trace(std::istream& file, const std::string& name) {
  return Summary(Reader(name).read(file)).take();
}

}  // namespace furrow::tools
