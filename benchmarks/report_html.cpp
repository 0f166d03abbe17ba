#include "benchmarks/report_html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "benchmarks/figures.hpp"
#include "benchmarks/markup.hpp"
#include "benchmarks/report_order.hpp"
#include "benchmarks/report_style.hpp"
#include "benchmarks/report_tables.hpp"
#include "benchmarks/roofline.hpp"
#include "benchmarks/scenarios.hpp"
#include "furrow/kernels/table.hpp"

namespace furrow::bench {
namespace {

using Group = SavedRun::Group;
using Case = SavedRun::Case;

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

std::string heat_section(const SavedRun& run) {
  std::string html =
      "<section id=\"heat\"><h2>Kernel × backend</h2><p>Time over that of furrow's fastest backend in the same case: 1 is the "
      "fastest, below 1 a peer is faster than furrow. Peers are the same work written straight on a runtime; <i>roof</i> is the "
      "best loop by hand.</p>\n<div class=\"scale\" aria-hidden=\"true\">";
  for (std::size_t q = 0; q <= kHeatSteps.size(); ++q) {
    const std::string range = q == 0                   ? fmt::format("below {:g}", kHeatSteps[0])
                              : q == kHeatSteps.size() ? fmt::format("{:g} and more", kHeatSteps[q - 1])
                                                       : fmt::format("{:g}–{:g}", kHeatSteps[q - 1], kHeatSteps[q]);
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

std::string bits_section(const SavedRun& run) {
  const std::string table = bits_table(run);
  if (table.empty()) return "";
  std::size_t threads = 0;
  for (const Group& group : run.scaling) threads = std::max(threads, static_cast<std::size_t>(group.threads));
  return fmt::format(
      "<section id=\"bits\"><h2>Same bits?</h2><p>Whether each answer is the reference's to the last bit, over all types and "
      "sizes{}. "
      "<i>Differs</i>: correct within rounding, but by another order of adding or other operations, so that it may change with the "
      "number of threads. <i>Varies</i>: a reduction that gave another answer when it was run again. A fraction says in how many "
      "of "
      "the cases.</p>\n{}</section>\n",
      threads > 0 ? fmt::format(" and 1 to {} threads", threads) : "", table);
}

std::string plot(const SavedRun& run, const std::string& kernel, const std::string& type) {
  const std::string svg = size_curves(run, kernel, type);
  if (svg.empty()) return "";
  return fmt::format("<figure><h4>{} {}<span>{}</span></h4>{}</figure>\n", escaped(kernel), escaped(type), formula_of(kernel), svg);
}

std::string curves_section(const SavedRun& run) {
  std::string html =
      "<section id=\"curves\"><h2>Speed over size</h2><p>Lines go through medians, bands hold the 95 % intervals of all rounds and "
      "of each visit. Both "
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
    html += numbers_table(run, family);
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
      "the largest size, triangles at the size of the highest bandwidth. Slanted lines: what memory gives, and the highest "
      "bandwidth that anyone, peers and roof included, reached at the size named; a point below its line moves its data slower "
      "than was possible. The dashed line is {}.</p>\n"
      "<div class=\"beside\"><figure><div class=\"scroll\" tabindex=\"0\">{}</div></figure>{}</div></section>\n",
      escaped(type),
      run.roofs.fma_f64 > 0 ? "what multiply-adds in registers reach on all threads"
                            : "the highest rate among these kernels, not a limit of the processor, which this run did not measure",
      svg, roofs_table(run));
}

std::string scaling_section(const SavedRun& run) {
  if (run.scaling.empty()) return "";
  std::string html =
      "<section id=\"scaling\"><h2>Scaling</h2><p>The same work on more threads. The dashed line: perfect scaling from the fastest "
      "on the fewest threads; right of the dotted vertical there are more threads than CPUs. What memory limits ends at the "
      "bandwidth of the machine, not of a thread.</p>\n<div class=\"keys\">";
  for (const std::string& name : everyone(run)) html += legend_entry(run, name);
  html += "</div><div class=\"plots\">\n";
  std::vector<std::string> drawn;
  for (const Group& group : run.scaling) {
    if (std::ranges::find(drawn, group.key()) != drawn.end()) continue;
    drawn.push_back(group.key());
    const std::string svg = scaling_curves(run, group.kernel, group.type, group.n);
    if (!svg.empty())
      html += fmt::format("<figure><h4>{} {}<span>{} elements</span></h4>{}</figure>\n", escaped(group.kernel), escaped(group.type),
                          size_html(group.n), svg);
  }
  return html + "</div></section>\n";
}

std::string ablation_section(const SavedRun& run) {
  const std::string table = ablation_table(run);
  if (table.empty()) return "";
  return "<section id=\"ablation\"><h2>What each means contributes</h2><p>Furrow with streaming stores, huge pages or SIMD turned "
         "off, one at a time: 1.25× says that without it a call takes a quarter longer; below 1 it does harm here.</p>\n" +
         table + "</section>\n";
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
  row("planted slowness", run.about("furrow_slowed"));
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
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>furrow bench: {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>furrow bench</h1>\n",
      run.about("furrow_pick").empty() ? "no pick" : escaped(run.about("furrow_pick")), kStyle);
  html += verdict_section(run);
  const struct {
    std::string_view id, title;
    std::string html;  // empty: the run has nothing for it
  } sections[] = {{"heat", "Kernel × backend", heat_section(run)},    {"bits", "Same bits?", bits_section(run)},
                  {"curves", "Speed over size", curves_section(run)}, {"scaling", "Scaling", scaling_section(run)},
                  {"roofline", "Roofline", roofline_section(run)},    {"ablation", "What contributes", ablation_section(run)},
                  {"about", "Machine and flags", about_section(run)}};
  html += "<nav aria-label=\"Sections\">";
  for (const auto& section : sections)
    if (!section.html.empty()) html += fmt::format("<a href=\"#{}\">{}</a>", section.id, section.title);
  html += "</nav>\n";
  for (const auto& section : sections) html += section.html;
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace furrow::bench
