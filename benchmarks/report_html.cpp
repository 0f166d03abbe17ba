#include "benchmarks/report_html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "benchmarks/figures.hpp"
#include "benchmarks/report_style.hpp"
#include "benchmarks/scenarios.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

/// Distinct values in the order in which they come.
template <class Of>
std::vector<std::string> distinct(const SavedRun& run, const Of& of) {
  std::vector<std::string> found;
  for (const Group& group : run.groups)
    if (std::string value = of(group); std::ranges::find(found, value) == found.end()) found.push_back(std::move(value));
  return found;
}

std::vector<std::string> families(const SavedRun& run) {
  return distinct(run, [](const Group& group) { return family_of(group.kernel); });
}

std::vector<std::string> kernels(const SavedRun& run, const std::string& family) {
  std::vector<std::string> found = distinct(run, [](const Group& group) { return group.kernel; });
  std::erase_if(found, [&](const std::string& kernel) { return family_of(kernel) != family; });
  return found;
}

std::vector<std::string> types(const SavedRun& run, std::string_view kernel) {
  std::set<std::string> found;
  for (const Group& group : run.groups)
    if (group.kernel == kernel) found.insert(group.type);
  std::vector<std::string> order;
  for (const char* const type : {"f64", "f32", "i64", "i32"})
    if (found.erase(type) > 0) order.emplace_back(type);
  order.insert(order.end(), found.begin(), found.end());
  return order;
}

std::vector<std::string> everyone(const SavedRun& run) {
  std::vector<std::string> names = run.backends;
  names.insert(names.end(), run.peers.begin(), run.peers.end());
  return names;
}

/// The best of furrow's backends; null if none was timed.
const Case* best_of(const SavedRun& run, const Group& group) {
  const Case* best = nullptr;
  for (const Case& one : group.cases)
    if (one.timed() && !run.is_peer(one.backend) && (best == nullptr || median(one.real) < median(best->real))) best = &one;
  return best;
}

std::string formula_of(std::string_view kernel) {
  const table::Kernel* const row = find_suite_kernel(kernel);
  return row == nullptr ? "" : escaped(row->formula);
}

std::string verdict_section(const SavedRun& run) {
  const std::string& pick = run.about("furrow_pick");
  std::string html = "<section class=\"verdict\" aria-label=\"Verdict\"><div>";
  html += pick.empty() ? std::string("<p class=\"pick\">No pick</p>")
                       : fmt::format("<p class=\"pick\">Use <b>{}</b></p>", escaped(pick));
  html += fmt::format("<p>Because {}.</p>", escaped(run.about("furrow_reason")));
  html += "<p class=\"soft\">";
  if (!run.about("furrow_cpu").empty()) html += escaped(run.about("furrow_cpu")) + ", ";
  html += fmt::format("{} thread{}, {}</p></div>", escaped(run.about("furrow_threads")),
                      run.about("furrow_threads") == "1" ? "" : "s", escaped(run.about("date").substr(0, 10)));
  html += verdict_figure(run, decide(run.backends, evidence_of(run))) + "</section>\n";
  if (run.partial()) html += "<p class=\"warn\">Partial: the run was stopped before it had measured everything.</p>\n";
  if (run.faults() > 0) {
    html += "<div class=\"warn\"><p class=\"wrong\">Wrong answers, which were not timed:</p><ul>";
    for (const Group& group : run.groups)
      for (const Case& one : group.cases)
        if (!one.fault.empty())
          html += fmt::format("<li>{}, {}: {}</li>", escaped(group.key()), escaped(one.backend), escaped(one.fault));
    html += "</ul></div>\n";
  }
  if (!run.about("furrow_notes").empty()) html += fmt::format("<p class=\"warn\">{}.</p>\n", escaped(run.about("furrow_notes")));
  return html;
}

constexpr double kSteps[] = {0.8, 0.95, 1.05, 1.2, 1.5, 2, 4};  // between the heat map's colours

int colour_of(double ratio) {
  return static_cast<int>(std::ranges::upper_bound(kSteps, ratio) - kSteps);
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
    const Case* const best = best_of(run, group);
    if (!one->timed() || best == nullptr) continue;
    sum += std::log(compare(one->real, best->real).ratio);
    ++cell.groups;
  }
  if (cell.groups > 0) cell.ratio = std::exp(sum / static_cast<double>(cell.groups));
  return cell;
}

std::string heat_table(const SavedRun& run, const std::string& caption, std::optional<std::size_t> n) {
  const std::vector<std::string> names = everyone(run);
  std::string html = fmt::format(
      "<div class=\"frame wide\" tabindex=\"0\"><table class=\"heat\"><caption>{}</caption><thead><tr><th "
      "scope=\"col\">kernel</th>",
      caption);
  for (const std::string& name : names) html += fmt::format("<th scope=\"col\">{}</th>", escaped(name));
  html += "</tr></thead>\n";
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

std::string heat_section(const SavedRun& run) {
  std::string html =
      "<section id=\"heat\"><h2>Kernel × backend</h2><p>Time over that of furrow's fastest backend in the same case: 1 is the "
      "fastest, below 1 a peer is faster than furrow. Peers are the same work written straight on a runtime; <i>roof</i> is the "
      "best loop by hand.</p>\n<div class=\"scale\" aria-hidden=\"true\">";
  for (std::size_t q = 0; q <= std::size(kSteps); ++q) {
    const std::string range = q == 0                   ? fmt::format("below {:g}", kSteps[0])
                              : q == std::size(kSteps) ? fmt::format("{:g} and more", kSteps[q - 1])
                                                       : fmt::format("{:g}–{:g}", kSteps[q - 1], kSteps[q]);
    html += fmt::format("<span class=\"q{}\">{}</span>", q, range);
  }
  html += "</div>\n" + heat_table(run, "Geometric mean over types and sizes", std::nullopt);
  std::set<std::size_t> sizes;
  for (const Group& group : run.groups) sizes.insert(group.n);
  if (sizes.size() > 1) {
    html += "<details><summary>The same for each size</summary>";
    for (const std::size_t n : sizes) html += heat_table(run, size_html(n) + " elements", n) + "<p></p>";
    html += "</details>";
  }
  return html + "</section>\n";
}

std::string plot(const SavedRun& run, const std::string& kernel, const std::string& type) {
  const std::string svg = size_curves(run, kernel, type);
  if (svg.empty()) return "";
  return fmt::format("<figure><h4>{} {}<span>{}</span></h4>{}</figure>\n", escaped(kernel), escaped(type), formula_of(kernel), svg);
}

std::string numbers(const SavedRun& run, const std::string& family) {
  const std::vector<std::string> names = everyone(run);
  const std::vector<std::string> of_family = kernels(run, family);
  std::string html = fmt::format(
      "<details><summary>Numbers: {}</summary><div class=\"frame\" tabindex=\"0\"><table><caption>{}, median and 95 % interval; "
      "bold: the fastest of "
      "furrow's backends and what cannot be told from it</caption><thead><tr><th scope=\"col\">kernel</th><th "
      "scope=\"col\">type</th>"
      "<th scope=\"col\">elements</th>",
      escaped(family), speed_unit(of_family.front()));
  for (const std::string& name : names) html += fmt::format("<th scope=\"col\">{}</th>", escaped(name));
  html += "</tr></thead><tbody>\n";
  for (const Group& group : run.groups) {
    if (family_of(group.kernel) != family) continue;
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>", escaped(group.kernel), escaped(group.type),
                        size_html(group.n));
    const Case* const best = best_of(run, group);
    for (const std::string& name : names) {
      const Case* const one = group.find(name);
      if (one == nullptr || !one->timed()) {
        html += one != nullptr && !one->fault.empty() ? "<td class=\"wrong\">wrong</td>" : "<td></td>";
        continue;
      }
      const Ratio speed = speed_of(group, *one);
      const bool equal = best != nullptr && !run.is_peer(name) && !compare(one->real, best->real).slower();
      html += fmt::format("<td{}>{} <span class=\"range\">{}–{}</span></td>", equal ? " class=\"best\"" : "",
                          short_number(speed.ratio), short_number(speed.low), short_number(speed.high));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div></details>\n";
}

std::string curves_section(const SavedRun& run) {
  std::string html =
      "<section id=\"curves\"><h2>Speed over size</h2><p>Lines go through medians, bands hold them with 95 % confidence. Both "
      "axes are logarithmic. Dotted verticals: the data fill the second-level caches of all threads, and the shared third "
      "level.</p>\n<div class=\"keys\">";
  for (const std::string& name : everyone(run)) html += legend_entry(run, name);
  html += "</div>\n";
  for (const std::string& family : families(run)) {
    html += fmt::format("<h3>{}</h3><div class=\"plots\">\n", escaped(family));
    std::string others;
    for (const std::string& kernel : kernels(run, family)) {
      const std::vector<std::string> all = types(run, kernel);
      html += plot(run, kernel, all.front());
      for (std::size_t t = 1; t < all.size(); ++t) others += plot(run, kernel, all[t]);
    }
    html += "</div>\n";
    if (!others.empty())
      html += fmt::format("<details><summary>Other types: {}</summary><div class=\"plots\">\n{}</div></details>\n", escaped(family),
                          others);
    html += numbers(run, family);
  }
  return html + "</section>\n";
}

std::string roofline_section(const SavedRun& run) {
  std::string type;
  for (const std::string& family : families(run))
    for (const std::string& kernel : kernels(run, family))
      if (const auto all = types(run, kernel); type.empty() || all.front() == "f64") type = all.front();
  const std::string svg = type.empty() ? "" : roofline(run, type);
  if (svg.empty()) return "";
  return fmt::format(
      "<section id=\"roofline\"><h2>Roofline</h2><p>What each kernel of type {} computes on furrow's fastest backend: squares at "
      "the "
      "largest size, triangles at the size of the highest bandwidth. Slanted lines: the highest bandwidth that anyone, peers and "
      "roof included, reached at these sizes; a point below its line moves its data slower than was possible. The dashed line is "
      "the highest rate among these kernels, not a limit of the processor, which the suite does not measure.</p>\n"
      "<figure><div class=\"scroll\" tabindex=\"0\">{}</div></figure></section>\n",
      escaped(type), svg);
}

std::string about_section(const SavedRun& run) {
  std::string html =
      "<section id=\"about\"><h2>Machine and flags</h2><div class=\"frame\"><table class=\"about\"><caption>As the run found "
      "them</caption><thead><tr><th scope=\"col\">what</th><th scope=\"col\">value</th></tr></thead><tbody>\n";
  const auto row = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", what, escaped(value));
  };
  row("CPU", run.about("furrow_cpu"));
  row("machine", run.about("furrow_machine"));
  row("host", run.about("host_name"));
  row("CPUs online", run.about("num_cpus"));
  row("threads used", run.about("furrow_threads"));
  row("instruction set", run.about("furrow_instruction_set"));
  row("huge pages", run.about("furrow_huge_pages"));
  row("frequency scaling", run.about("cpu_scaling_enabled"));
  row("load averages at the end", run.about("load_avg"));
  row("compiler", run.about("furrow_compiler"));
  row("build", run.about("furrow_flags"));
  row("environment", run.about("furrow_environment"));
  row("furrow", run.about("furrow_version"));
  row("date", run.about("date"));
  row("seconds", run.about("furrow_seconds"));
  std::size_t rounds = 0;
  std::size_t cases = 0;
  for (const Group& group : run.groups) {
    for (const Case& one : group.cases) {
      rounds += one.real.size();
      cases += one.timed() ? 1 : 0;
    }
  }
  row("measured", fmt::format("{} cases in {} kernels, types and sizes; {} samples", cases, run.groups.size(), rounds));
  return html +
         "</tbody></table></div>\n<p class=\"soft\">All candidates of a kernel, type and size are timed in the same rounds, in "
         "random "
         "order, each sample long enough for the clock. Ratios are taken round by round; intervals are those of the sign test, "
         "which assumes nothing about the noise. Each candidate's answer was checked first.</p></section>\n";
}

}  // namespace

std::string html_page(const SavedRun& run) {
  const std::string curves = curves_section(run);
  const std::string roof = roofline_section(run);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>furrow bench: {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>furrow bench</h1>\n",
      run.about("furrow_pick").empty() ? "no pick" : escaped(run.about("furrow_pick")), kStyle);
  html += verdict_section(run);
  html += "<nav aria-label=\"Sections\"><a href=\"#heat\">Kernel × backend</a><a href=\"#curves\">Speed over size</a>";
  if (!roof.empty()) html += "<a href=\"#roofline\">Roofline</a>";
  html += "<a href=\"#about\">Machine and flags</a></nav>\n";
  return html + heat_section(run) + curves + roof + about_section(run) + "</main>\n</body>\n</html>\n";
}

}  // namespace furrow::bench
