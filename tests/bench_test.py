#!/usr/bin/env python3
"""`furrow bench` end to end, on tiny runs. Usage: bench_test.py FURROW, or with $FURROW_COMMAND."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

FURROW = os.path.abspath(os.environ.get("FURROW_COMMAND") or sys.argv[1])
# Of Debian's libbenchmark-tools.
COMPARE_PY = Path("/usr/share/benchmark/compare.py")
# The machine that runs this may be busy.
VERDICT = r"(?m)^Verdict(?: beside other busy processes)?: "
TINY = ["--kernels", "^triad$", "--types", "f64", "--sizes", "1024,65536", "--seconds", "20"]


class BenchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="furrow-bench-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.tuning = self.folder / "tuning.json"

    def environment(self, **variables):
        return {**os.environ, "FURROW_TUNING": str(self.tuning), **variables}

    def furrow(self, *arguments, **variables):
        return subprocess.run([FURROW, *map(str, arguments)], capture_output=True, text=True, timeout=300, env=self.environment(**variables))

    def bench(self, *arguments, **variables):
        done = self.furrow("bench", *arguments, **variables)
        self.assertEqual(done.returncode, 0, done)
        return done

    def info(self, **variables):
        done = self.furrow("info", "--json", **variables)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def warnings(self):
        """What `furrow info` says of the tuning file."""
        return [warning for warning in self.info()["warnings"] if str(self.tuning) in warning]

    def entry(self):
        """This machine's entry of the tuning file."""
        return json.loads(self.tuning.read_text())["machines"][self.info()["tuning"]["machine"]]

    def refused(self, message, *arguments):
        done = self.furrow("bench", *arguments)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertIn(message, done.stderr)
        self.assertFalse(self.tuning.exists())

    def test_prints_a_table_and_a_verdict_and_saves_them(self):
        done = self.bench(*TINY, "--json", self.folder / "rounds.json")
        self.assertEqual(done.stderr, "")
        self.assertIn("element-wise, GB/s", done.stdout)
        rows = [line.split() for line in done.stdout.splitlines() if line.startswith("triad")]
        self.assertEqual([row[:3] for row in rows], [["triad", "f64", "2^10"], ["triad", "f64", "2^16"]])
        self.assertRegex(done.stdout, VERDICT)
        self.assertIn(f"Saved to {self.tuning}", done.stdout)

        pick = self.entry()["backend"]
        self.assertRegex(done.stdout, VERDICT + pick + r"\.")
        self.assertIn(self.entry()["reason"], done.stdout)
        self.assertRegex(self.entry()["measured"], r"^\d{4}-\d\d-\d\d$")
        self.assertEqual(self.warnings(), [])
        self.assertEqual(self.info()["backend"]["name"], pick)
        self.assertEqual(self.info()["tuning"]["entry"]["backend"], pick)

    def test_thresholds_of_parallel_backends_are_saved_and_kept(self):
        self.bench(*TINY)
        thresholds = self.entry()["serial_below"]
        if os.cpu_count() == 1 or not thresholds:
            self.skipTest("one thread: no threshold to find")
        for backend, kernels in thresholds.items():
            self.assertNotEqual(backend, "serial")
            self.assertEqual(list(kernels), ["triad/f64"])
            self.assertTrue(1024 <= kernels["triad/f64"] <= 1 << 20)
        for table in ("grain", "schedule"):
            self.assertLessEqual({kernel for kernels in self.entry()[table].values() for kernel in kernels}, {"triad/f64"})
        done = self.bench("--kernels", "^sum$", *TINY[2:])
        if "Warning: " in done.stdout:
            self.skipTest("the machine is busy: what is there is kept")
        for kernels in self.entry()["serial_below"].values():
            self.assertEqual(sorted(kernels), ["sum/f64", "triad/f64"])

    def test_a_mix_is_measured_weighed_and_remembered(self):
        file = self.folder / "rounds.json"
        done = self.bench("--mix", "uneven=3, sum=1", "--n", "1e5", "--types", "f64,i32", "--seconds", "30", "--json", file)
        content = json.loads(file.read_text())
        names = {tuple(entry["run_name"].split("/")[i] for i in (0, 2, 3)) for entry in content["benchmarks"]}
        self.assertEqual(names, {("fractal", "i32", "65536"), ("sum", "f64", "100000"), ("sum", "i32", "100000")})
        self.assertEqual(content["context"]["furrow_mix"], "uneven=3,sum=1")
        self.assertIn("fractal was measured at 65536 elements, the most that the suite gives it", done.stdout)
        self.assertIn("Because in the mix uneven=3,sum=1, ", done.stdout)
        self.assertIn("in the mix uneven=3,sum=1, ", self.entry()["reason"])
        self.assertRegex(done.stdout, r"(?m)^Always \w+ instead: \d+\.\d\d× \(.*\) the time")

    def test_the_regret_of_the_automatic_choice_is_told(self):
        self.refused("there is no automatic choice to judge", *TINY, "--regret")
        self.bench(*TINY)
        before, file = self.tuning.read_text(), self.folder / "rounds.json"
        done = self.bench(*TINY, "--regret", "--json", file)
        self.assertEqual(self.tuning.read_text(), before)
        said = done.stdout[done.stdout.index("Regret of the automatic choice over 2 kernels, types and sizes: median "):]
        self.assertEqual(self.bench("--regret", file).stdout, said)
        names = {entry["run_name"].split("/")[1] for entry in json.loads(file.read_text())["benchmarks"]}
        forced = {f"{backend}_forced" for backend in ("openmp", "tbb", "stdpar")}
        self.assertEqual(names, {"auto", "serial", "openmp", "tbb", "stdpar"} | forced)
        self.bench(*TINY, "--no-save", "--json", file)
        done = self.furrow("bench", "--regret", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not say what the automatic choice is worth", done.stderr)

    def test_json_is_that_of_google_benchmark(self):
        file = self.folder / "rounds.json"
        self.bench(*TINY, "--no-save", "--json", file)
        content = json.loads(file.read_text())
        self.assertIn("num_cpus", content["context"])
        self.assertIn("furrow_pick", content["context"])
        names = {entry["run_name"] for entry in content["benchmarks"]}
        for backend in ("serial", "openmp", "tbb", "stdpar", "raw_openmp", "raw_tbb", "raw_stdpar", "serial_loop", "roof"):
            self.assertIn(f"triad/{backend}/f64/65536", names)
        for entry in content["benchmarks"]:
            for field in ("real_time", "cpu_time", "iterations", "bytes_per_second", "items_per_second"):
                self.assertGreaterEqual(entry[field], 0, entry)
            self.assertEqual(entry["time_unit"], "ns")
            self.assertAlmostEqual(entry["bytes_per_second"] / entry["items_per_second"], 24, places=6)
            n = int(entry["run_name"].split("/")[-1])
            self.assertAlmostEqual(entry["items_per_second"] * entry["real_time"] * 1e-9 / n, 1, places=6)
        rounds = [e for e in content["benchmarks"] if e["run_name"] == "triad/tbb/f64/1024" and e["run_type"] == "iteration"]
        middle = [e for e in content["benchmarks"] if e["run_name"] == "triad/tbb/f64/1024" and e["run_type"] == "aggregate"]
        self.assertGreaterEqual(len(rounds), 6)
        self.assertEqual([e["repetition_index"] for e in rounds], list(range(len(rounds))))
        self.assertEqual([(e["name"], e["aggregate_name"]) for e in middle], [("triad/tbb/f64/1024_median", "median")])

    def test_backends_and_peers_are_chosen_by_name(self):
        done = self.bench(*TINY, "--backends", "openmp,raw_tbb", "--json", self.folder / "rounds.json")
        content = json.loads((self.folder / "rounds.json").read_text())
        self.assertEqual({entry["run_name"].split("/")[1] for entry in content["benchmarks"]}, {"openmp", "raw_tbb"})
        self.assertIn("Not saved: not all backends were measured", done.stdout)
        self.assertFalse(self.tuning.exists())

    def rounds(self, *arguments):
        """What a run that saves nothing printed, and its JSON."""
        file = self.folder / "rounds.json"
        done = self.bench(*arguments, "--no-save", "--json", file)
        return done.stdout, json.loads(file.read_text())

    def test_scaling_measures_other_numbers_of_threads_too(self):
        out, content = self.rounds(*TINY[:4], "--sizes", 65536, "--seconds", 20, "--backends", "tbb,raw_tbb", "--threads", 3, "--scaling")
        self.assertEqual(sorted(line.split()[3] for line in out.splitlines() if line.startswith("triad ")), ["1", "2", "3", "6"])
        names = {entry["run_name"] for entry in content["benchmarks"]}
        expected = [f"triad/{backend}/f64/65536{suffix}" for backend in ("tbb", "raw_tbb") for suffix in ("", "/threads:1", "/threads:2", "/threads:6")]
        self.assertEqual(sorted(names), sorted(expected))

    def test_a_sweep_begins_with_256_elements(self):
        _, content = self.rounds(*TINY[:4], "--backends", "serial", "--sweep", "--seconds", 12)
        sizes = {int(entry["run_name"].split("/")[3]) for entry in content["benchmarks"]}
        self.assertGreater(len(sizes), 1)
        self.assertEqual(sizes, {256 << i for i in range(len(sizes))})
        self.refused("--sizes excludes --sweep", *TINY, "--sweep")

    def test_a_sample_says_so_and_all_is_all(self):
        arguments = ["--kernels", "^(copy|sum)$", "--sizes", "1000,2000", "--backends", "serial"]
        every = 2 * 2 * 5  # kernels, sizes and types
        out, content = self.rounds(*arguments, "--seconds", 5)
        self.assertIn("this is a sample of ", out)
        self.assertLess(len({entry["run_name"] for entry in content["benchmarks"]}), every)
        out, content = self.rounds(*arguments, "--all")
        self.assertNotIn("this is a sample of ", out)
        self.assertEqual(len({entry["run_name"] for entry in content["benchmarks"]}), every)

    def test_a_busy_neighbour_is_told_and_nothing_is_saved(self):
        done = self.bench(*TINY, "--neighbour", "--json", self.folder / "rounds.json")
        self.assertIn("Not saved: it was measured beside a busy process", done.stdout)
        self.assertEqual(json.loads((self.folder / "rounds.json").read_text())["context"]["furrow_neighbour"], "true")
        if len(os.sched_getaffinity(0)) <= 8:  # else one busy core is a small part of the machine
            self.assertIn("Warning: other processes kept ", done.stdout)
            self.assertIn("Verdict beside other busy processes: ", done.stdout)
            self.assertIn("Because beside other busy processes, ", done.stdout)
        self.assertFalse(self.tuning.exists())

    def test_nothing_is_saved_where_it_must_not_be(self):
        self.bench(*TINY, "--no-save")
        self.assertFalse(self.tuning.exists())
        self.assertIn("Not saved", self.bench(*TINY, FURROW_TUNING="none").stdout)
        self.assertIn("Not saved: it was measured with 3 threads", self.bench(*TINY, "--threads", 3).stdout)
        self.assertFalse(self.tuning.exists())

    def test_every_kernel_is_right_on_every_backend_and_peer(self):
        done = self.bench("--sizes", "1000,4099", "--seconds", "100", "--no-save")
        self.assertNotIn("WRONG", done.stdout)

    def test_peers_in_python_join_the_table_and_are_right(self):
        (self.folder / "numba.py").write_text("raise ImportError('gone')")
        file = self.folder / "rounds.json"
        done = self.bench("--backends", "numpy,numexpr,numba", "--kernels", ".", "--types", "f64,i32", "--sizes", "1001", "--seconds", "100", "--no-save", "--json", file, PYTHONPATH=str(self.folder))
        self.assertNotIn("WRONG", done.stdout)
        self.assertIn("no peer numba: gone", done.stdout)
        names = {entry["run_name"].split("/")[1] for entry in json.loads(file.read_text())["benchmarks"]}
        modules = [name for name in ("numpy", "numexpr") if subprocess.run(["/usr/bin/python3", "-c", f"import {name}"], stderr=subprocess.DEVNULL).returncode == 0]
        self.assertEqual(sorted(names), sorted(modules))

    def test_what_furrow_is_without_its_parts(self):
        file = self.folder / "rounds.json"
        done = self.bench("--backends", "ablations", "--kernels", "^(triad|sum|exp|inclusive_scan|sort|copy_if)$", "--types", "f64,i32", "--sizes", "100003", "--seconds", "60", "--no-save", "--json", file)
        self.assertNotIn("WRONG", done.stdout)
        self.assertNotIn("stopped", done.stdout)
        names = {entry["run_name"].split("/")[1] for entry in json.loads(file.read_text())["benchmarks"]}
        self.assertEqual(names, {"ablate_nostream", "ablate_nohuge", "ablate_nosimd"})

    def test_a_python_that_dies_does_not_end_the_run(self):
        (self.folder / "numpy.py").write_text("import os; os._exit(3)")
        done = self.bench(*TINY, "--backends", "serial,numpy", "--no-save", PYTHONPATH=str(self.folder))
        self.assertIn("the peers in Python stopped: the process has ended", done.stdout)
        self.assertIn("triad", done.stdout)

    def test_more_threads_than_cores_are_honoured(self):
        done = self.bench("--kernels", "^(dot|inclusive_scan|small_calls)$", "--types", "f64", "--sizes", "1000,100003", "--threads", "5", "--seconds", "20")
        self.assertIn(", 5 threads, ", done.stdout)

    def test_a_choice_that_makes_no_sense_is_told(self):
        self.refused('unknown backend "opnemp"; the suite has serial, ', *TINY, "--backends", "opnemp")
        self.refused("is not a regular expression", "--kernels", "(")
        self.refused("no case has such a kernel", "--kernels", "^nothing$")
        self.refused('unknown type "f16"', "--types", "f16")
        for sizes, wrong in (("-5", "-5"), ("1024,-5", "-5"), ("1.5e0", "1.5e0"), ("0", "0"), ("1e3,x", "x")):
            self.refused(f'--sizes: a whole number of at least 1 is expected, not "{wrong}"', f"--sizes={sizes}")
        self.refused('--threads: a whole number from 1 to 4096 is expected, not "-1"', "--threads", "-1")
        self.refused('the mix names "unevne", which the suite does not know; it has fill, ', "--mix", "unevne=3")
        self.refused('"sum=0" is no part of a mix', "--mix", "uneven=1,sum=0")
        self.refused("--kernels", "--mix", "sum=1", "--kernels", "sum")
        self.refused("--compare with two files runs nothing", "--compare", "a.json", "b.json", "--json", self.folder / "c.json")

    def test_files_that_cannot_be_written_are_told_before_the_run(self):
        (self.folder / "folder").mkdir()
        for option in ("--json", "--html"):
            for name in ("missing/file", "folder", "/dev/full/file"):
                start = time.monotonic()
                self.refused(f"cannot write {self.folder / name}: ", *TINY, option, self.folder / name)
                self.assertLess(time.monotonic() - start, 2)

    def test_result_files_are_replaced_whole(self):
        page, rounds, link = (self.folder / name for name in ("page.html", "rounds.json", "link.json"))
        rounds.write_text("old")
        rounds.chmod(0o600)
        link.symlink_to(rounds)
        self.bench(*TINY, "--backends", "serial", "--no-save", "--json", link, "--html", page)
        self.assertTrue(link.is_symlink())
        self.assertEqual(rounds.stat().st_mode & 0o777, 0o600)
        self.assertIn("benchmarks", json.loads(rounds.read_text()))
        self.assertIn("</html>", page.read_text())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["link.json", "page.html", "rounds.json"])
        # The page is the one that the file would give.
        self.bench("--html", self.folder / "again.html", "--from", rounds)
        self.assertEqual((self.folder / "again.html").read_text(), page.read_text())
        self.bench(*TINY, "--backends", "serial", "--no-save", "--json", "/dev/null")
        self.assertFalse(Path("/dev/null").is_file())

    def test_result_files_stay_as_they_are_if_the_run_is_killed(self):
        page = self.folder / "page.html"
        page.write_text("old")
        process = subprocess.Popen([FURROW, "bench", "--html", str(page), "--seconds", "60"], stdout=subprocess.PIPE, env=self.environment())
        time.sleep(1)
        process.kill()
        process.communicate(timeout=60)
        self.assertEqual(page.read_text(), "old")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["page.html"])

    def compare(self, *files):
        return self.furrow("bench", "--compare", *files)

    def test_runs_are_compared(self):
        before, now = self.folder / "before.json", self.folder / "now.json"
        self.bench(*TINY, "--no-save", "--json", before)
        done = self.compare(before, before)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("8 cases of furrow", done.stdout)
        self.assertIn("No difference beyond noise.", done.stdout)

        # The same run, but furrow took twice the time.
        content = json.loads(before.read_text())
        for entry in content["benchmarks"]:
            if entry["run_name"].split("/")[1] in ("serial", "openmp", "tbb", "stdpar"):
                entry["real_time"] *= 2
        now.write_text(json.dumps(content))
        done = self.compare(before, now)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Kernels slower beyond noise:\n  triad ", done.stdout)
        self.assertIn(f"slower than {before}", done.stderr)
        done = self.compare(now, before)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("faster beyond noise", done.stdout)

        # After a run.
        done = self.furrow("bench", *TINY, "--no-save", "--compare", before)
        self.assertIn(f"Compared with {before} ", done.stdout)
        self.assertRegex(done.stdout, VERDICT)

    @unittest.skipUnless(COMPARE_PY.exists(), "apt install libbenchmark-tools python3-scipy: its compare.py was not tried")
    def test_google_benchmarks_own_comparison_reads_the_rounds(self):
        rounds, slower = self.folder / "rounds.json", self.folder / "slower.json"
        self.bench(*TINY, "--no-save", "--json", rounds)
        content = json.loads(rounds.read_text())
        for entry in content["benchmarks"]:
            entry["real_time"] *= 1.5
        slower.write_text(json.dumps(content))
        done = subprocess.run(["/usr/bin/python3", COMPARE_PY, "--no-color", "benchmarks", rounds, slower],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done)
        medians = [line.split() for line in done.stdout.splitlines() if line.startswith("triad/openmp/f64/1024_median")]
        self.assertEqual(len(medians), 1, done.stdout)
        self.assertEqual(medians[0][1], "+0.5000")

    def test_files_that_cannot_be_compared_are_told_before_the_run(self):
        file = self.folder / "other.json"
        self.refused("there is no such file", *TINY, "--compare", file)
        file.write_text("{ broken")
        self.refused(f"{file} is not JSON", *TINY, "--compare", file)
        file.write_text('{"benchmarks": []}')
        self.refused("was not written by furrow bench", *TINY, "--compare", file)
        context = {"furrow_version": "0.1.0", "furrow_machine": "an abacus", "furrow_threads": "2"}
        file.write_text(json.dumps({"context": context, "benchmarks": []}))
        self.refused("is of another machine than this run", *TINY, "--compare", file)
        context["furrow_machine"] = self.info()["tuning"]["machine"]
        context["furrow_threads"] = "77"
        file.write_text(json.dumps({"context": context, "benchmarks": []}))
        self.refused("was measured with 77 threads", *TINY, "--compare", file)

    def test_a_tuning_file_that_cannot_be_written_is_told_after_the_table(self):
        self.tuning.mkdir()
        done = self.furrow("bench", *TINY)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, VERDICT)
        self.assertIn("tuning", done.stderr)

    def test_a_broken_tuning_file_is_kept_aside(self):
        for content in ("{ broken", '{"format": "furrow-tuning-0", "machines": {}}', "[]"):
            self.tuning.write_text(content)
            self.assertEqual(len(self.warnings()), 1)
            self.assertIn("is ignored", self.warnings()[0])
            done = self.bench(*TINY)
            self.assertIn("kept as", done.stderr)
            self.assertEqual(Path(f"{self.tuning}.broken").read_text(), content)
            self.assertEqual(self.warnings(), [])

    def test_entries_of_other_machines_are_left_alone(self):
        other = {"backend": "serial", "reason": "it has one core", "measured": "2020-01-01", "serial_below": {}}
        self.tuning.write_text(json.dumps({"format": "furrow-tuning-1", "machines": {"a machine elsewhere": other}}))
        self.assertEqual(self.warnings(), [])
        self.assertEqual(self.info()["tuning"]["entry"], None)
        self.bench(*TINY)
        machines = json.loads(self.tuning.read_text())["machines"]
        self.assertEqual(len(machines), 2)
        self.assertEqual(machines["a machine elsewhere"], other)

    def interrupted(self, *arguments, after):
        process = subprocess.Popen([FURROW, "bench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, problems = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, problems)
        return out

    def test_ctrl_c_prints_and_saves_what_it_has(self):
        arguments = ["--types", "f64", "--sizes", "1024,65536", "--seconds", "300"]
        page, rounds = self.folder / "part.html", self.folder / "part.json"
        out = self.interrupted(*arguments, "--json", str(rounds), "--html", str(page), after=6)
        self.assertIn("Partial: stopped after ", out)
        self.assertRegex(out, VERDICT)
        self.assertIn(f"Saved to {self.tuning}", out)
        self.assertRegex(self.entry()["reason"], r"from \d+ of \d+ groups of cases, ")
        self.assertEqual(json.loads(rounds.read_text())["context"]["furrow_partial"], "true")
        self.assertIn("</html>", page.read_text())
        self.assertRegex(page.read_text(), "(?i)partial")
        # What is there is not replaced by a part.
        before = self.tuning.read_text()
        self.assertIn("Not saved: ", self.interrupted(*arguments, after=6))
        self.assertEqual(self.tuning.read_text(), before)

    def test_ctrl_c_before_anything_was_measured(self):
        out = self.interrupted("--kernels", "^triad$", "--sizes", "33554432", "--seconds", "300", after=0.3)
        self.assertIn("nothing was measured", out)
        self.assertFalse(self.tuning.exists())

    def test_progress_is_shown_on_a_terminal_only(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([FURROW, "bench", *TINY], stdout=subprocess.PIPE, stderr=theirs, env=self.environment())
        os.close(theirs)
        shown = b""
        while process.poll() is None:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # the other end is closed
                    break
        process.communicate(timeout=60)
        os.close(ours)
        self.assertIn(b"triad f64 1024, about ", shown)
        self.assertEqual(self.bench(*TINY).stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
