#include "benchmarks/report_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <vector>

#include "benchmarks/ablation.hpp"
#include "benchmarks/figures.hpp"
#include "benchmarks/markup.hpp"
#include "benchmarks/report_order.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

int colour_of(double ratio) {
  return static_cast<int>(std::ranges::upper_bound(kHeatSteps, ratio) - kHeatSteps.begin());
}

/// The beginning of a table up to its body, with a column for each of `columns`.
std::string table_begin(std::string_view kind, const std::string& caption, const std::vector<std::string>& columns) {
  std::string html =
      fmt::format("<div class=\"frame{}\" tabindex=\"0\"><table{}><caption>{}</caption><thead><tr>",
                  kind.starts_with("heat") ? " wide" : "", kind.empty() ? "" : fmt::format(" class=\"{}\"", kind), caption);
  for (const std::string& column : columns) html += fmt::format("<th scope=\"col\">{}</th>", escaped(column));
  return html + "</tr></thead>\n";
}

std::vector<std::string> with_first(std::vector<std::string> first, const std::vector<std::string>& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

/// Time over that of furrow's fastest backend, the geometric mean over the groups that `chosen` lets through.
struct Cell {
  double ratio = 0;
  std::size_t groups = 0;
  std::size_t faults = 0;
};
Cell cell_of(const SavedRun& run, const std::string& backend, const std::function<bool(const Group&)>& chosen) {
  Cell cell;
  double sum = 0;
  for (const Group& group : run.groups) {
    const Case* const one = chosen(group) ? group.find(backend) : nullptr;
    if (one == nullptr) continue;
    cell.faults += one->fault.empty() ? 0 : 1;
    const Case* const best = run.fastest(group);
    if (!one->timed() || best == nullptr) continue;
    sum += std::log(compare(*one, *best).ratio);
    ++cell.groups;
  }
  if (cell.groups > 0) cell.ratio = std::exp(sum / static_cast<double>(cell.groups));
  return cell;
}

}  // namespace

std::string heat_table(const SavedRun& run, const std::string& caption, std::optional<std::size_t> n) {
  const std::vector<std::string> names = everyone(run);
  std::string html = table_begin("heat", caption, with_first({"kernel"}, names));
  for (const std::string& family : families(run)) {
    html += fmt::format("<tbody><tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n", names.size() + 1, escaped(family));
    for (const std::string& kernel : kernels(run, family)) {
      std::string row = fmt::format("<tr><th scope=\"row\">{}</th>", escaped(kernel));
      std::size_t groups = 0;
      for (const std::string& name : names) {
        const Cell cell = cell_of(run, name, [&](const Group& group) { return group.kernel == kernel && (!n || group.n == *n); });
        groups += cell.groups + cell.faults;
        if (cell.faults > 0)
          row += "<td class=\"wrong\">wrong</td>";
        else if (cell.groups == 0)
          row += "<td><span class=\"soft\">–</span></td>";
        else
          row += fmt::format("<td class=\"q{}\">{:.2f}</td>", colour_of(cell.ratio), cell.ratio);
      }
      if (groups > 0) html += row + "</tr>\n";
    }
    html += "</tbody>";
  }
  return html + "</table></div>\n";
}

std::string bits_table(const SavedRun& run) {
  struct Tally {
    Bits worst = Bits::unknown;
    std::size_t cases = 0;
    std::size_t other = 0;  // whose bits are not the same
  };
  const std::vector<std::string> names = everyone(run);
  std::map<std::string, std::map<std::string, Tally>> tallies;
  bool known = false;
  for (const auto* const groups : {&run.groups, &run.scaling}) {
    for (const Group& group : *groups) {
      for (const Case& one : group.cases) {
        if (one.bits == Bits::unknown) continue;
        known = true;
        Tally& tally = tallies[group.kernel][one.backend];
        tally.worst = worse(tally.worst, one.bits);
        ++tally.cases;
        tally.other += one.bits == Bits::same ? 0 : 1;
      }
    }
  }
  if (!known) return "";
  std::string html =
      table_begin("heat bits", "Answers against the kernel table's reference, bit for bit", with_first({"kernel"}, names));
  for (const std::string& family : families(run)) {
    html += fmt::format("<tbody><tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n", names.size() + 1, escaped(family));
    for (const std::string& kernel : kernels(run, family)) {
      html += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(kernel));
      for (const std::string& name : names) {
        const Tally& tally = tallies[kernel][name];
        if (tally.cases == 0)
          html += "<td><span class=\"soft\">–</span></td>";
        else if (tally.worst == Bits::same)
          html += "<td class=\"same\">same</td>";
        else
          html += fmt::format("<td class=\"{0}\">{0}{1}</td>", tally.worst == Bits::varies ? "varies" : "differs",
                              tally.other == tally.cases ? "" : fmt::format(" <small>{}/{}</small>", tally.other, tally.cases));
      }
      html += "</tr>\n";
    }
    html += "</tbody>";
  }
  return html + "</table></div>\n";
}

std::string ablation_table(const SavedRun& run) {
  std::vector<std::string> without;
  std::ranges::copy_if(run.peers, std::back_inserter(without), is_ablation);
  if (without.empty()) return "";
  std::vector<std::string> columns{"kernel", "type", "elements", "fastest"};
  for (const std::string& name : without) columns.push_back(fmt::format("without {}", find_ablation(name)->part));
  std::string rows;
  for (const Group& group : run.groups) {
    const Case* const best = run.fastest(group);
    if (best == nullptr) continue;
    std::string cells;
    bool any = false;
    for (const std::string& name : without) {
      const Case* const one = group.find(name);
      if (one == nullptr || !one->timed()) {
        cells += "<td></td>";
        continue;
      }
      any = true;
      const Ratio ratio = compare(*one, *best);
      cells += fmt::format("<td{}>{:.2f}× <span class=\"range\">{:.2f}–{:.2f}</span></td>",
                           ratio.differs() ? " class=\"best\"" : "", ratio.ratio, ratio.low, ratio.high);
    }
    if (any)
      rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td>{}</tr>\n", escaped(group.kernel),
                          escaped(group.type), size_html(group.n), escaped(best->backend), cells);
  }
  if (rows.empty()) return "";
  return table_begin("", "Time over that of furrow's fastest backend; bold: beyond noise", columns) + "<tbody>\n" + rows +
         "</tbody></table></div>\n";
}

std::string roofs_table(const SavedRun& run) {
  std::string rows;
  const auto row = [&](std::string_view what, double value, std::string_view unit) {
    if (value > 0) rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{} {}</td></tr>\n", what, short_number(value), unit);
  };
  row("read", run.roofs.read * 1e-9, "GB/s");
  row("write", run.roofs.write * 1e-9, "GB/s");
  row("copy", run.roofs.copy * 1e-9, "GB/s");
  row("triad", run.roofs.triad * 1e-9, "GB/s");
  row("multiply-adds, f32", run.roofs.fma_f32 * 1e-9, "10⁹ operations/s");
  row("multiply-adds, f64", run.roofs.fma_f64 * 1e-9, "10⁹ operations/s");
  for (const auto& [backend, seconds] : run.roofs.fork_join) row("fork and join, " + escaped(backend), seconds * 1e6, "µs");
  if (rows.empty()) return "";
  return table_begin("roofs", "What the machine allows on all threads of the run, measured with it", {"roof", "measured"}) +
         "<tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string numbers_table(const SavedRun& run, const std::string& family) {
  const std::vector<std::string> names = everyone(run);
  const std::string caption = fmt::format(
      "{}, median and interval (95 % of all rounds and of each visit); bold: the fastest of furrow's backends and what cannot be "
      "told from it; ≠: the bits of the "
      "answer are not the reference's",
      speed_unit(kernels(run, family).front()));
  std::string html = fmt::format("<details><summary>Numbers: {}</summary>", escaped(family)) +
                     table_begin("", caption, with_first({"kernel", "type", "elements"}, names)) + "<tbody>\n";
  for (const Group& group : run.groups) {
    if (family_of(group.kernel) != family) continue;
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>", escaped(group.kernel), escaped(group.type),
                        size_html(group.n));
    const Case* const best = run.fastest(group);
    for (const std::string& name : names) {
      const Case* const one = group.find(name);
      if (one == nullptr || !one->timed()) {
        html += one != nullptr && !one->fault.empty() ? "<td class=\"wrong\">wrong</td>" : "<td></td>";
        continue;
      }
      const Ratio speed = speed_of(group, *one);
      const bool equal = best != nullptr && !run.is_peer(name) && !compare(*one, *best).slower();
      html += fmt::format("<td{}>{}{} <span class=\"range\">{}–{}</span></td>", equal ? " class=\"best\"" : "",
                          one->bits > Bits::same ? "≠ " : "", short_number(speed.ratio), short_number(speed.low),
                          short_number(speed.high));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div></details>\n";
}

}  // namespace furrow::bench
