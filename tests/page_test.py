#!/usr/bin/env python3
"""The page of `furrow bench --html`, made from synthetic runs and opened in a headless browser if there is one.
Usage: page_test.py FURROW, or with $FURROW_COMMAND."""

import html.parser
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FURROW = os.path.abspath(os.environ.get("FURROW_COMMAND") or sys.argv[1])
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
BACKENDS = ["serial", "openmp", "tbb", "stdpar"]
PEERS = ["raw_openmp", "raw_tbb", "raw_stdpar", "serial_loop", "roof"]
ABLATIONS = ["ablate_nostream", "ablate_nosimd"]
BITS = {("sum", "raw_openmp"): "bits differ", ("sum", "raw_tbb"): "bits vary"}
EVIL = "<script>alert(1)</script> & \"quoted\" 'single' </style>"

# Runs in the browser after the page is laid out and leaves what it found in the document.
PROBE = """
<script>
addEventListener('load', () => {
  const broken = [...document.querySelectorAll('svg *')].filter(e => [...e.attributes].some(a => /NaN|inf|undefined/i.test(a.value)));
  const svgs = [...document.querySelectorAll('svg.curves, svg.roofline, svg.forest')];
  // Text that leaves its figure is cut off or covers something else.
  const outside = [...document.querySelectorAll('svg.curves text, svg.forest text')].filter(e => {
    const box = e.getBoundingClientRect(), around = e.closest('svg').getBoundingClientRect();
    return box.width > 0 && (box.left < around.left - 2 || box.right > around.right + 2);
  });
  const found = {
    svgs: svgs.length,
    drawn: svgs.filter(e => e.closest('details:not([open])') || e.getBoundingClientRect().height > 50).length,
    broken: broken.length,
    outside: outside.map(e => e.textContent),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    plain: [...document.querySelectorAll('table')].filter(t => !t.querySelector('thead th[scope=col]') || !t.caption).length,
    cells: document.querySelectorAll('table.heat td').length,
    paper: getComputedStyle(document.body).backgroundColor,
    width: innerWidth,
    resources: performance.getEntriesByType('resource').length,
  };
  const result = document.createElement('pre');
  result.id = 'probe';
  result.textContent = JSON.stringify(found);
  document.body.append(result);
  if (parent !== window) parent.document.body.append(result.cloneNode(true));
});
</script>
"""


def synthetic_run(kernels=("copy", "triad", "sum", "for_each", "inclusive_scan", "fractal"), types=("f64", "f32"),
                  sizes=(1024, 65536, 1000003, 33554432), context=None, threads=(1, 2, 4)):
    """What `furrow bench --json` might have written: with strong scaling at the largest size, and furrow with something turned off."""
    noise = random.Random(1)
    benchmarks = []
    for kernel in kernels:
        for kind in types:
            cases = [(n, 0) for n in sizes] + [(sizes[-1], count) for count in threads if kernel == kernels[0] and kind == types[0]]
            for n, count in cases:
                for i, backend in enumerate(BACKENDS + PEERS + (ABLATIONS if count == 0 else [])):
                    name = f"{kernel}/{backend}/{kind}/{n}" + (f"/threads:{count}" if count else "")
                    for r in range(8):
                        time = (2000 + i * 500) * math.exp(noise.gauss(0, 0.05)) + n * (0.3 + 0.05 * i) / max(1, min(count, 2))
                        benchmarks.append({
                            "name": name, "run_name": name, "label": BITS.get((kernel, backend), "same bits"),
                            "run_type": "iteration", "repetition_index": r, "repetitions": 8, "iterations": 3, "threads": 1,
                            "real_time": time, "cpu_time": 2 * time, "time_unit": "ns",
                            "bytes_per_second": 24 * n / time * 1e9, "items_per_second": n / time * 1e9})
    return {
        "context": {
            "date": "2020-01-01T00:00:00+00:00", "host_name": "host", "num_cpus": 2, "load_avg": [0.1, 0.2, 0.3],
            "caches": [{"type": "Unified", "level": 2, "size": 1 << 20, "num_sharing": 1},
                       {"type": "Unified", "level": 3, "size": 1 << 25, "num_sharing": 2}],
            "furrow_version": "0.1.0", "furrow_threads": "2", "furrow_pick": "serial", "furrow_reason": "it is the fastest",
            "furrow_machine": "a machine", "furrow_cpu": "A CPU", "furrow_backends": ",".join(BACKENDS),
            "furrow_peers": ",".join(PEERS + ABLATIONS), "furrow_roof_read": "2.5e+10", "furrow_roof_triad": "3e+10",
            "furrow_roof_fma_f64": "1.2e+11", "furrow_fork_join_tbb": "3.2e-06", **(context or {})},
        "benchmarks": benchmarks}


class Outline(html.parser.HTMLParser):
    """Fails if elements are not closed in order; notes what is there."""

    VOID = {"meta", "br", "line", "circle", "path", "rect"}

    def __init__(self):
        super().__init__()
        self.open, self.count, self.addresses = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()


class PageTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="furrow-page-", ignore_cleanup_errors=True)
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.page = self.folder / "page.html"

    def furrow(self, *arguments):
        return subprocess.run([FURROW, "bench", *map(str, arguments)], capture_output=True, text=True, timeout=120)

    def make(self, run):
        file = self.folder / "run.json"
        file.write_text(json.dumps(run))
        done = self.furrow("--html", self.page, "--from", file)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        text = self.page.read_text()
        outline = Outline()
        outline.feed(text)
        self.assertEqual(outline.open, [])
        return text, outline

    def test_is_one_file_with_everything_in_it(self):
        text, outline = self.make(synthetic_run())
        self.assertEqual(outline.count.get("script", 0), 0)
        self.assertTrue(all(address.startswith("#") for address in outline.addresses), outline.addresses)
        self.assertNotRegex(text, r"https?://|url\(|@import|@font-face")
        for part in ("Use <b>serial</b>", "it is the fastest", "Kernel × backend", "Roofline", "Machine and flags", "A CPU"):
            self.assertIn(part, text)
        self.assertLess(text.index("Use <b>serial</b>"), text.index("<table"))  # the verdict first
        self.assertEqual(text.count('class="curves"'), 13)  # 6 kernels of 2 types, and scaling
        self.assertEqual(text.count('class="roofline"'), 1)
        self.assertEqual(text.count('class="forest"'), 1)

    def table(self, text, section):
        """Rows of the first table of a section, as lists of what stands in the cells."""
        part = text[text.index(f'<section id="{section}"'):]
        rows = re.findall(r"<tr>(.*?)</tr>", part[: part.index("</table>")], re.DOTALL)
        return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]

    def test_it_says_whose_bits_are_those_of_the_reference(self):
        text, _ = self.make(synthetic_run())
        head, *rows = self.table(text, "bits")
        self.assertEqual(head, ["kernel", *BACKENDS, *PEERS])
        cells = {(row[0], name): cell for row in rows if len(row) == len(head) for name, cell in zip(head[1:], row[1:])}
        self.assertEqual(len(cells), 6 * 9)
        wanted = {("sum", "raw_openmp"): "differs", ("sum", "raw_tbb"): "varies"}
        for key, cell in cells.items():
            self.assertEqual(cell, wanted.get(key, "same"), key)
        without = synthetic_run()
        for entry in without["benchmarks"]:
            del entry["label"]
        self.assertNotIn("Same bits?", self.make(without)[0])

    def test_roofs_and_ablations_have_their_tables(self):
        text, _ = self.make(synthetic_run())
        self.assertIn("30.0 GB/s from and to memory", text)
        self.assertIn("120 by multiply-adds in registers", text)
        self.assertIn(["fork and join, tbb", "3.20 µs"], self.table(text, "roofline"))
        head, *rows = self.table(text, "ablation")
        self.assertEqual(head, ["kernel", "type", "elements", "fastest", "without stores past the cache", "without explicit SIMD code"])
        self.assertEqual(len(rows), 6 * 2 * 4)
        self.assertNotIn("ablate_", text)
        bare, _ = self.make(synthetic_run(threads=(), context={"furrow_peers": ",".join(PEERS)}))
        self.assertNotIn('id="scaling"', bare)

    def test_what_a_file_says_is_text(self):
        run = synthetic_run(kernels=("triad", "<img src=x onerror=alert(1)>"), context={
            "furrow_reason": EVIL, "furrow_pick": EVIL, "furrow_cpu": EVIL, "furrow_flags": EVIL, "furrow_notes": EVIL, "date": EVIL,
            "furrow_threads": EVIL, "caches": [{"level": 2, "size": EVIL}, 7, {"level": EVIL}]})
        run["benchmarks"].append({"run_name": "triad/<b>/f64/1024", "run_type": "iteration", "error_occurred": True, "error_message": EVIL})
        text, outline = self.make(run)
        self.assertEqual(outline.count.get("script", 0), 0)
        self.assertEqual(outline.count.get("img", 0), 0)
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; &#39;single&#39;", text)
        self.assertIn("Wrong answers", text)

    def test_runs_with_little_in_them(self):
        for run in (synthetic_run(kernels=()), synthetic_run(kernels=("sum",), types=("i32",), sizes=(7,)),
                    synthetic_run(kernels=("no_such_kernel",)), synthetic_run(context={"furrow_pick": "", "furrow_partial": "true"})):
            text, _ = self.make(run)
            self.assertNotRegex(text, r"[\"> (]-?(nan|inf)\b")
        self.assertIn("No pick", text)
        self.assertIn("Partial", text)

    def test_a_page_that_cannot_be_made_is_told_and_leaves_the_old_one(self):
        self.page.write_text("old")
        for content in ("", "{ broken", "[]", '{"context": {}, "benchmarks": []}'):
            file = self.folder / "bad.json"
            file.write_text(content)
            done = self.furrow("--html", self.page, "--from", file)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(file), done.stderr)
        done = self.furrow("--html", self.page, "--from", self.folder / "missing.json")
        self.assertIn("there is no such file", done.stderr)
        self.assertEqual(self.page.read_text(), "old")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["bad.json", "page.html"])
        self.assertEqual(self.furrow("--from", file).returncode, 2)

    def open_in_browser(self, *options, width=None):
        """What the probe saw, and the browser's messages. In a frame of that width: a browser's own window may have a least one."""
        # A copy without the policy that forbids scripts, and with the probe.
        copy = self.folder / "probe.html"
        text, count = re.subn(r"<meta http-equiv[^>]*>", "", self.page.read_text())
        self.assertEqual(count, 1)
        text = text.replace("</body>", PROBE + "</body>")
        if width is not None:
            text = f'<body><iframe width="{width}" height="800" style="border: 0" srcdoc="{html.escape(text)}"></iframe></body>'
        copy.write_text(text)
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder / 'profile'}",
                   "--enable-logging=stderr", "--virtual-time-budget=5000", *options, "--dump-dom"]
        pages = [subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120) for page in (copy, self.page)]
        found = re.search(r'<pre id="probe">(.*?)</pre>', pages[0].stdout, re.DOTALL)
        self.assertIsNotNone(found, pages[0].stderr[-2000:])
        return json.loads(html.unescape(found.group(1))), "\n".join(page.stderr for page in pages)

    @unittest.skipIf(BROWSER is None, "no chromium is installed (apt install chromium): the page was not opened")
    def test_a_browser_draws_it_without_errors(self):
        self.make(synthetic_run())
        for width in (1280, 360):
            seen, messages = self.open_in_browser("--window-size=1400,900", width=width)
            self.assertEqual(seen["width"], width)
            self.assertNotIn("CONSOLE", messages)
            self.assertEqual(seen["svgs"], 15)
            self.assertEqual(seen["drawn"], 15)
            self.assertEqual(seen["broken"], 0)
            self.assertEqual(seen["outside"], [], width)
            self.assertEqual(seen["plain"], 0)
            self.assertEqual(seen["cells"], 6 * 9 * 6)  # over all sizes, for each of four, and their bits
            self.assertEqual(seen["resources"], 0)
            self.assertLessEqual(seen["wide"], 0, f"the page is wider than {width}")

    @unittest.skipIf(BROWSER is None, "no chromium is installed (apt install chromium): the page was not opened")
    def test_a_planted_fault_is_seen(self):
        text, _ = self.make(synthetic_run(kernels=("triad",)))
        self.page.write_text(text.replace("<main>", '<main><script>"refused"</script><p style="min-width: 5000px">wide</p>'))
        seen, messages = self.open_in_browser()
        self.assertIn("CONSOLE", messages)
        self.assertGreater(seen["wide"], 0)

    @unittest.skipIf(BROWSER is None, "no chromium is installed (apt install chromium): the page was not opened")
    def test_it_is_dark_where_the_reader_wants_that(self):
        self.make(synthetic_run(kernels=("triad",)))
        papers = [self.open_in_browser(f"--blink-settings=preferredColorScheme={scheme}")[0]["paper"] for scheme in (0, 1)]
        self.assertEqual(papers, ["rgb(20, 23, 26)", "rgb(252, 252, 250)"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
