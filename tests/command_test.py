#!/usr/bin/env python3
"""The furrow command end to end, against NumPy bit for bit. Usage: command_test.py FURROW, or with $FURROW_COMMAND."""

import contextlib
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np

FURROW = os.path.abspath(os.environ.get("FURROW_COMMAND") or sys.argv[1])
MIB = 1 << 20
TYPES = (np.float32, np.float64, np.int32, np.int64, np.uint8)
BACKENDS = []


def furrow(*arguments, **options):
    options = {"capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([FURROW, *map(str, arguments)], **options)


def bits_equal(a, b):
    """Of NaN only that it is one: of two, NumPy itself passes on now the first, now the second."""
    if a.dtype.kind == b.dtype.kind == "f":
        a, b = (np.where(np.isnan(v), v.dtype.type(np.nan), v) for v in (a, b))
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


class CommandTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="furrow-command-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.folder.chmod(0o777)

    def path(self, name):
        return self.folder / name

    def save(self, name, array):
        np.save(self.path(name), array)
        return self.path(name)

    def succeed(self, *arguments, **options):
        done = furrow(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def fail_with(self, code, message, *arguments, **options):
        done = furrow(*arguments, **options)
        self.assertEqual(done.returncode, code, done)
        self.assertTrue(done.stderr.startswith("furrow: error: "), done.stderr)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def map(self, expression, *inputs, options=()):
        out = self.path("map-out.npy")
        self.assertEqual(self.succeed("map", expression, *inputs, "-o", out, *options), "")
        return np.load(out)


class Map(CommandTest):
    def array(self, dtype, n, seed):
        random = np.random.default_rng(seed)
        if np.issubdtype(dtype, np.integer):
            info = np.iinfo(dtype)
            values = random.integers(info.min, info.max, n, dtype, endpoint=True)
            special = [info.min, info.max, 0, info.max - 1, 1] if info.min == 0 else [info.min, info.max, 0, -1, 1]
        else:
            values = random.standard_normal(n).astype(dtype) * dtype(100)
            special = [0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny / 8, 1]
        values[: len(special)] = special[:n]
        return values

    def check(self, expression, **arrays):
        files = [f"{name}={self.save(name + '.npy', value)}" if isinstance(value, np.ndarray) else f"{name}={value}"
                 for name, value in arrays.items()]
        names = {name: getattr(np, name) for name in ("abs", "square", "minimum", "maximum")}
        names["sqrt"] = lambda v: np.sqrt(v if v.itemsize > 1 else v.astype(float))  # NumPy's are numbers of 16 bits
        with np.errstate(all="ignore"):
            expected = eval(expression, names, arrays)
        result = self.map(expression, *files)
        if "imum" in expression and expected.dtype.kind == "f":
            # Which zero is the greater, NumPy says now so, now so; furrow takes -0 for less, tested elsewhere.
            result, expected = result + 0.0, expected + 0.0
        self.assertTrue(bits_equal(result, expected), (expression, arrays, result, expected))

    def test_every_operation_on_every_pair_of_types(self):
        unary = ("x", "+x", "-x", "abs(x)", "sqrt(x)", "square(x)", "x*x", "2.5*x", "x-3", "7-x", "x/2", "1/x", "minimum(x, 0.5)", "maximum(1, x)", "x*(1/4)", "-sqrt(abs(x))+x")
        for t in TYPES:
            for expression in unary:
                self.check(expression, x=self.array(t, 1037, 1))
            for u in TYPES:
                y = self.array(u, 1037, 2)
                np.random.default_rng(3).shuffle(y)
                self.check("x+y-minimum(x,y)", x=self.array(t, 1037, 1), y=y)
                self.check("maximum(x*y,x)", x=self.array(t, 1037, 1), y=y)
                self.check("x/y", x=self.array(t, 1037, 1), y=y)

    def test_scalars_are_weak(self):
        for t in TYPES:
            x = self.array(t, 100, 4)
            self.check("a*x", a=2.5, x=x)
            self.check("a*x + b", a=3 if t is np.uint8 else -3, b=7, x=x)
        self.check("a*x+sqrt(abs(y))", a=2.5, x=self.array(np.float64, 5000, 5), y=self.array(np.float64, 5000, 6))
        self.check("x*a", a=float("inf"), x=self.array(np.float32, 10, 7))

    def test_a_single_unnamed_input_is_x(self):
        x = self.array(np.float64, 1000, 1)
        with np.errstate(all="ignore"):
            self.assertTrue(bits_equal(self.map("x*x", self.save("x.npy", x)), x * x))
            self.assertTrue(bits_equal(self.map("-x*y", self.save("x.npy", x), "y=3"), -x * 3))

    def test_shapes_and_sizes(self):
        for shape in ((0,), (1,), (0, 5), (3, 0, 2), (7, 5), (3, 4, 5), (511,), (512,), (513,), (131071,), (131072,), (131073,), (2, 65537), (300001,)):
            x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
            result = self.map("x*x + 1", self.save("x.npy", x))
            self.assertTrue(bits_equal(result, x * x + 1), shape)
        with open(self.path("map-out.npy"), "rb") as file:
            self.assertEqual(file.read(8), b"\x93NUMPY\1\0")

    def test_all_backends_and_threads_give_the_same(self):
        x = self.save("x.npy", np.random.default_rng(1).standard_normal(1_000_003))
        expected = np.sqrt(np.abs(np.load(x))) * 3
        for backend in BACKENDS:
            for threads in (1, 2, 7):
                self.assertTrue(bits_equal(self.map("sqrt(abs(x))*3", x, options=("--backend", backend, "--threads", threads)), expected))

    def test_older_formats(self):
        x = np.arange(10, dtype=np.int32)
        for version in ((1, 0), (2, 0), (3, 0)):
            with open(self.path("v.npy"), "wb") as file:
                np.lib.format.write_array(file, x, version)
            self.assertTrue(bits_equal(self.map("x+1", self.path("v.npy")), x + 1))
        self.save("f.npy", np.asfortranarray(x))
        self.assertTrue(bits_equal(self.map("x+1", self.path("f.npy")), x + 1))

    def test_output_may_be_an_input(self):
        x = np.arange(500_000, dtype=np.float64)
        path = self.save("x.npy", x)
        self.succeed("map", "x+1", path, "-o", path)
        self.assertTrue(bits_equal(np.load(path), x + 1))
        self.assertEqual(os.listdir(self.folder), ["x.npy"])

    def test_json(self):
        x = self.save("x.npy", np.ones((10, 20), np.float32))
        report = json.loads(self.succeed("map", "x/2", x, "-o", self.path("y.npy"), "--json", "--threads", 2))
        self.assertEqual((report["n"], report["shape"], report["dtype"], report["threads"]), (200, [10, 20], "float32", 1))
        self.assertGreater(report["items_per_second"], 0)
        self.assertIn(report["backend"], BACKENDS)

    def test_what_is_not_understood(self):
        x = self.save("x.npy", np.ones(3))
        y = self.save("y.npy", np.ones(4))
        out = ("-o", self.path("out.npy"))
        message = self.fail_with(1, "at character 5", "map", "x + * y", x, *out)
        self.assertIn("\n  x + * y\n      ^", message)
        self.fail_with(1, "no such function", "map", "exec(x)", x, *out)
        self.fail_with(1, "nested more than", "map", "(" * 5_000, x, *out)
        self.fail_with(1, "100000 characters", "map", "(" * 100_000, x, *out)
        message = self.fail_with(1, "the shapes differ", "map", "x+y", x, f"y={y}", *out)
        for part in (str(x), str(y), "(3,)", "(4,)"):
            self.assertIn(part, message)
        self.fail_with(1, "uses y, which is not given", "map", "x+y", x, *out)
        self.fail_with(1, "does not use y", "map", "x", x, f"y={y}", *out)
        self.fail_with(1, "x is given twice", "map", "x", x, y, *out)
        self.fail_with(1, "uses no array", "map", "a+1", "a=1", *out)
        self.fail_with(1, "out of range", "map", "a+x", x, "a=99999999999999999999", *out)
        self.fail_with(1, "does not fit the int32", "map", "x+3000000000", self.save("i.npy", np.ones(2, np.int32)), *out)
        self.fail_with(1, "does not fit the uint8", "map", "-3*x", self.save("u.npy", np.ones(2, np.uint8)), *out)
        self.fail_with(1, "serial", "map", "x", x, *out, "--backend", "nosuch")
        self.fail_with(2, "required", "map", "x", x)
        self.fail_with(2, "required", "map")
        for threads in ("-3", "0", "4097", "2.5", "two"):
            self.fail_with(2, f'--threads: a whole number from 1 to 4096 is expected, not "{threads}"', "map", "x", x, *out, f"--threads={threads}")
        self.fail_with(2, "--nosuch", "map", "x", x, *out, "--nosuch")
        self.assertFalse(self.path("out.npy").exists())

    def test_what_cannot_be_read(self):
        out = ("-o", self.path("out.npy"))
        good = self.save("x.npy", np.ones(100)).read_bytes()
        bad = self.path("bad.npy")
        for content, message in (
            (b"", "empty"),
            (b"hello, world", "does not begin like"),
            (good[:-1], "cut short"),
            (good + b"\0", "1 bytes more"),
            (good.replace(b"'<f8'", b"'>f8'"), "big-endian"),
            (good.replace(b"'<f8'", b"'|O8'"), "Python objects"),
            (good.replace(b"(100,)", b"(-10,)"), "negative"),
            (good.replace(b"{'descr'", b"{'dEscr'"), "unknown key"),
        ):
            bad.write_bytes(content)
            self.assertIn(str(bad), self.fail_with(1, message, "map", "x", bad, *out))
        np.save(bad, np.array([{}], object))
        self.fail_with(1, "Python objects", "map", "x", bad, *out)
        np.save(bad, np.zeros(2, "f8,i4"))
        self.fail_with(1, "structured", "map", "x", bad, *out)
        np.save(bad, np.zeros((2, 3), order="F"))
        self.fail_with(1, "Fortran", "map", "x", bad, *out)
        np.save(bad, np.float64(3))
        self.fail_with(1, "single number", "map", "x", bad, *out)
        np.save(bad, np.zeros((1, 1, 1, 1)))
        self.fail_with(1, "more than 3", "map", "x", bad, *out)
        np.save(bad, np.zeros(3, np.float16))
        self.fail_with(1, "'<f2' is not supported", "map", "x", bad, *out)
        os.mkfifo(self.path("fifo"))
        self.fail_with(1, "not a regular file", "map", "x", self.path("fifo"), *out)
        self.fail_with(1, "not a regular file", "map", "x", "/dev/zero", *out)
        self.fail_with(1, "is a directory", "map", "x", self.folder, *out)
        self.fail_with(1, "No such file", "map", "x", self.path("none.npy"), *out)
        self.assertFalse(self.path("out.npy").exists())

    def test_what_cannot_be_written(self):
        x = self.save("x.npy", np.ones(300_000))
        for out, message in (("/dev/full", "not a regular file"), (self.folder, "Is a directory"),
                             (self.path("none") / "out.npy", "No such file or directory"), (x / "out.npy", "Not a directory"),
                             ("/proc/out.npy", "cannot write /proc/out.npy")):
            self.assertIn(f"cannot write {out}: ", self.fail_with(1, message, "map", "x", x, "-o", out))
        self.assertEqual(os.listdir(self.folder), ["x.npy"])

    def test_a_folder_that_must_not_be_written(self):
        locked = self.path("locked")
        locked.mkdir()
        x = self.save("x.npy", np.ones(3))
        locked.chmod(0o555)
        options = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            self.fail_with(1, "Permission denied", "map", "x", x, "-o", locked / "out.npy", **options)
        except (PermissionError, subprocess.SubprocessError) as problem:
            self.skipTest(f"cannot become another user, or it cannot reach the command: {problem}")

    def test_a_full_disk(self):
        x = self.save("x.npy", np.ones(1_000_000))  # 8 MB
        disk = self.path("disk")
        disk.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("needs the right to mount")
        try:
            (disk / "out.npy").write_bytes(b"old")
            self.fail_with(1, f"cannot write {disk / 'out.npy'}: No space left on device", "map", "x", x, "-o", disk / "out.npy")
            self.assertEqual(os.listdir(disk), ["out.npy"])
            self.assertEqual((disk / "out.npy").read_bytes(), b"old")
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_limit_on_file_size(self):
        x = self.save("x.npy", np.ones(1_000_000))

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

        self.fail_with(1, "File too large", "map", "x", x, "-o", self.path("out.npy"), preexec_fn=limit)
        self.assertEqual(os.listdir(self.folder), ["x.npy"])


def sparse(path, n, dtype=np.float64):
    """A file of n zeros that takes no space."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (n,)})
        file.truncate(file.tell() + n * np.dtype(dtype).itemsize)
    return path


class Large(CommandTest):
    def limited(self, *arguments):
        def set_limit():
            resource.setrlimit(resource.RLIMIT_AS, (160 * MIB, 160 * MIB))

        if furrow("--version", preexec_fn=set_limit).returncode != 0:
            self.skipTest("this build (sanitizers?) does not even start in so little")
        return self.succeed(*arguments, preexec_fn=set_limit)

    def test_files_larger_than_the_memory_allowed(self):
        n = 32 * MIB
        x = sparse(self.path("x.npy"), n)  # 256 MiB; what the threads' stacks and the allocator reserve counts, too
        with open(x, "r+b") as file:
            file.seek(-16, os.SEEK_END)
            file.write(np.array([2.0, 3.0]).tobytes())
        for backend in BACKENDS:
            self.assertEqual(self.limited("reduce", "sum", x, "--backend", backend, "--threads", 2), "5\n")
        self.limited("map", "x+1", x, "-o", self.path("z.npy"), "--threads", 2)
        z = np.load(self.path("z.npy"), mmap_mode="r")
        self.assertEqual((z.dtype, z.shape, z[0], z[-1], z[n // 2]), (np.float64, (n,), 1, 4, 1))

    def interrupted(self, number, again=False):
        x = sparse(self.path("x.npy"), 256 * MIB)  # 2 GiB in, 2 GiB out: seconds, if nothing came in between
        if os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_bsize < 3 << 30:
            self.skipTest("needs 3 GB of disk")
        self.path("out.npy").write_bytes(b"old")
        process = subprocess.Popen([FURROW, "map", "sqrt(x)*2+x", x, "-o", self.path("out.npy")], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while len(os.listdir(self.folder)) < 3:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.002)
        if not again:
            time.sleep(0.2)
        process.send_signal(number)
        if again:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        _, error = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + number, error)
        self.assertEqual(sorted(os.listdir(self.folder)), ["out.npy", "x.npy"])
        self.assertEqual(self.path("out.npy").read_bytes(), b"old")

    def test_interrupted(self):
        self.interrupted(signal.SIGINT)

    def test_terminated(self):
        self.interrupted(signal.SIGTERM)

    def test_interrupted_twice(self):
        self.interrupted(signal.SIGINT, again=True)

    def test_progress_on_a_terminal_only(self):
        x = sparse(self.path("x.npy"), 160 * MIB)
        for quiet in (False, True):
            controller, terminal = pty.openpty()
            arguments = [FURROW, "reduce", "sum", x, "--threads", "1"] + ["--quiet"] * quiet
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm"}) as process:
                os.close(terminal)
                shown = b""
                with contextlib.suppress(OSError):  # the terminal's end
                    while chunk := os.read(controller, 4096):
                        shown += chunk
                started = process.stdout.read()
            os.close(controller)
            self.assertEqual((process.returncode, started), (0, b"0\n"))
            if quiet:
                self.assertEqual(shown, b"")
            elif shown:  # nothing is shown if the machine needs less than half a second
                self.assertIn(b"GB/s", shown)
                self.assertTrue(shown.endswith(b"\r\x1b[K"))
                self.assertNotIn(b"\n", shown)


class Reduce(CommandTest):
    def test_sums_of_integers_and_extremes(self):
        random = np.random.default_rng(1)
        for t in (np.int32, np.int64, np.uint8):
            info = np.iinfo(t)
            for n in (1, 8193, 131072, 1_000_003):
                x = self.save("x.npy", random.integers(info.min, info.max, n, t))
                y = self.save("y.npy", random.integers(info.min, info.max, n, t))
                a, b = np.load(x).astype(np.int64), np.load(y).astype(np.int64)
                for kernel, files, expected in (("sum", [x], a.sum()), ("min", [x], a.min()), ("max", [x], a.max()), ("dot", [x, y], (a * b).sum())):
                    self.assertEqual(self.succeed("reduce", kernel, *files), f"{expected}\n", (kernel, t, n))

    def test_fractions_close_to_exact_and_printed_to_the_last_bit(self):
        import math
        random = np.random.default_rng(2)
        for t, precision in ((np.float32, 2e-6), (np.float64, 1e-14)):
            values = random.standard_normal(300_007).astype(t)
            x = self.save("x.npy", values)
            report = json.loads(self.succeed("reduce", "sum", x, "--json"))
            self.assertLess(abs(report["value"] - math.fsum(values.astype(float))), precision * np.abs(values).astype(float).sum())
            self.assertEqual((report["n"], report["dtype"], report["kernel"]), (len(values), np.dtype(t).name, "sum"))
            kind = {np.float32: np.uint32, np.float64: np.uint64}[t]
            self.assertEqual(int(report["bits"], 16), int(t(report["value"]).view(kind)))
            self.assertEqual(t(self.succeed("reduce", "sum", x)), t(report["value"]))
            self.assertEqual(t(self.succeed("reduce", "max", x)), values.max())
            self.assertEqual(t(self.succeed("reduce", "min", x)), values.min())

    def test_places_norms_and_variance(self):
        for t in TYPES:
            for n in (1, 32_769, 400_003):
                values = (np.random.default_rng(n).standard_normal(n) * 1000).astype(t)
                x = self.save("x.npy", values)
                self.assertEqual(int(self.succeed("reduce", "argmin", x)), values.argmin())
                self.assertEqual(int(self.succeed("reduce", "argmax", x)), values.argmax())
                self.assertAlmostEqual(float(self.succeed("reduce", "variance", x)) / max(1.0, values.astype(float).var()), 1.0 if n > 1 else 0.0, places=9)
                if np.issubdtype(t, np.floating):
                    self.assertEqual(t(self.succeed("reduce", "norm_inf", x)), np.abs(values).max())
                    self.assertAlmostEqual(float(self.succeed("reduce", "norm1", x)) / np.abs(values.astype(float)).sum(), 1.0, places=5)

    def fields(self, *arguments):
        return {name: float(value) for name, value in (line.split() for line in self.succeed("reduce", *arguments).splitlines())}

    def test_means_moments_and_both_extremes(self):
        for t in TYPES:
            for n in (1, 32_769, 400_003):
                values = (np.random.default_rng(n).standard_normal(n) * 1000).astype(t)
                x = self.save("x.npy", values)
                wide = values.astype(float)
                self.assertAlmostEqual(float(self.succeed("reduce", "mean", x)), wide.mean(), places=9)
                ends = {name: t(value) for name, value in self.fields("minmax", x).items()}
                self.assertEqual(ends, {"min": values.min(), "max": values.max()})
                moments = self.fields("moments", x)
                self.assertEqual(list(moments), ["count", "mean", "variance", "skew", "kurtosis", "min", "max"])
                self.assertEqual((moments["count"], moments["min"], moments["max"]), (n, values.min(), values.max()))
                self.assertAlmostEqual(moments["mean"], wide.mean(), places=9)
                self.assertEqual(moments["variance"], float(self.succeed("reduce", "variance", x)))
                if n > 1:
                    centred = (wide - wide.mean()) / wide.std()
                    self.assertAlmostEqual(moments["skew"], (centred**3).mean(), places=9)
                    self.assertAlmostEqual(moments["kurtosis"], (centred**4).mean() - 3, places=9)
                if np.issubdtype(t, np.floating):
                    self.assertAlmostEqual(float(self.succeed("reduce", "norm2", x)) / np.linalg.norm(wide), 1.0, places=5)
        x = self.save("x.npy", np.full(1_000_003, 2**62, np.int64))
        self.assertEqual(float(self.succeed("reduce", "mean", x)), 2.0**62, "the sum does not fit 64 bits")
        for scale in (1e300, 1e-300):
            values = np.random.default_rng(4).standard_normal(100_003)
            x = self.save("x.npy", values * scale)
            self.assertAlmostEqual(float(self.succeed("reduce", "norm2", x)) / scale / np.linalg.norm(values), 1.0, places=9)

    def test_histograms_are_numpys(self):
        for t in TYPES:
            for n in (1, 100_003):
                values = (np.random.default_rng(n).standard_normal(n) * 100).astype(t)
                x = self.save("x.npy", values)
                counts = lambda *options: [int(line) for line in self.succeed("reduce", "histogram", x, *options).splitlines()]
                self.assertEqual(counts(), np.histogram(values.astype(float))[0].tolist(), (t, n))
                self.assertEqual(counts("--bins", 37, "--low", -50, "--high", 120.5), np.histogram(values.astype(float), 37, (-50, 120.5))[0].tolist())
        report = json.loads(self.succeed("reduce", "histogram", x, "--bins", 3, "--low", -1, "--json"))
        self.assertEqual((report["value"]["low"], report["value"]["high"], len(report["value"]["counts"])), (-1, values.max(), 3))
        self.assertEqual(self.succeed("reduce", "histogram", self.save("none.npy", np.ones(0)), "--bins", 2), "0\n0\n")
        self.fail_with(1, "are not possible", "reduce", "histogram", x, "--low", 5, "--high", 4)
        self.fail_with(1, "there are no bins", "reduce", "histogram", x, "--bins", 0)
        self.fail_with(2, '--bins: a whole number of at least 0 is expected, not "-1"', "reduce", "histogram", x, "--bins=-1")

    def test_bits_depend_on_nothing_but_the_numbers(self):
        for t in (np.float32, np.float64):
            for n in (131_072 * 3 + 8192, 1_000_003):
                x = self.save("x.npy", np.random.default_rng(n).standard_normal(n).astype(t))
                y = self.save("y.npy", np.random.default_rng(n + 1).standard_normal(n).astype(t))
                for kernel, files in (("sum", [x]), ("dot", [x, y]), ("mean", [x]), ("norm2", [x]), ("moments", [x])):
                    found = {json.dumps(json.loads(self.succeed("reduce", kernel, *files, "--json", "--backend", backend, "--threads", threads))["bits"])
                             for backend in BACKENDS for threads in (1, 3)}
                    self.assertEqual(len(found), 1, (kernel, t, n, found))

    def test_a_file_is_the_tree_of_its_chunks(self):
        """As in memory: chunks of 8192 numbers, their sums joined neighbours first."""
        for t in (np.float32, np.float64):
            values = (np.random.default_rng(9).standard_normal(8192 * 9 + 77) * 1e3).astype(t)
            chunks = [values[i : i + 8192] for i in range(0, len(values), 8192)]
            partials = [t(self.succeed("reduce", "sum", self.save("chunk.npy", chunk))) for chunk in chunks]
            while len(partials) > 1:
                pairs = [partials[i] + partials[i + 1] for i in range(0, len(partials) - 1, 2)]
                partials = pairs + partials[len(pairs) * 2 :]
            self.assertEqual(t(self.succeed("reduce", "sum", self.save("all.npy", values))), partials[0])

    def test_specials(self):
        for values, kernel, text in (([1, np.nan], "min", "nan"), ([np.nan, 1], "max", "nan"), ([-0.0, 0.0], "min", "-0"), ([0.0, -0.0], "max", "0"), ([np.inf, 1], "sum", "inf"), ([], "sum", "0")):
            x = self.save("x.npy", np.array(values, float))
            self.assertEqual(self.succeed("reduce", kernel, x), text + "\n")
            self.assertEqual(str(json.loads(self.succeed("reduce", kernel, x, "--json"))["n"]), str(len(values)))

    def test_errors(self):
        x = self.save("x.npy", np.ones(3))
        y = self.save("y.npy", np.ones(4))
        i = self.save("i.npy", np.ones(3, np.int64))
        empty = self.save("empty.npy", np.ones(0))
        self.fail_with(1, "there are sum, dot, min, ", "reduce", "median", x)
        self.fail_with(1, "norm1 is of floating-point numbers", "reduce", "norm1", i)
        self.fail_with(1, "empty", "reduce", "argmin", empty)
        self.fail_with(1, "takes one file, not 2", "reduce", "sum", x, y)
        self.fail_with(1, "takes two files, not 1", "reduce", "dot", x)
        self.fail_with(1, "the shapes differ", "reduce", "dot", x, y)
        self.fail_with(1, "the types differ", "reduce", "dot", x, i)
        self.fail_with(1, "empty", "reduce", "min", empty)
        self.fail_with(1, "empty", "reduce", "max", empty, "--json")
        self.fail_with(2, "required", "reduce", "sum")


class Console(CommandTest):
    def test_version_and_help(self):
        self.assertRegex(self.succeed("--version"), r"^furrow \d+\.\d+\.\d+\n$")
        for arguments in (["--help"], ["map", "--help"], ["reduce", "--help"], ["info", "--help"], ["list", "--help"],
                          ["trace", "--help"]):
            self.assertIn("Usage: furrow", self.succeed(*arguments))
        self.fail_with(2, "subcommand", *[])
        self.fail_with(2, "nosuch", "nosuch")

    def test_info(self):
        text = self.succeed("info")
        for title in ("CPU ", "instruction set", "CPUs allowed", "threads", "backends", "tuning file"):
            self.assertIn(title, text)
        info = json.loads(self.succeed("info", "--json"))
        self.assertEqual([backend["name"] for backend in info["backends"]], BACKENDS)
        self.assertEqual(info["cpus"]["affinity_mask"], len(os.sched_getaffinity(0)))
        self.assertIn(info["instruction_set"], info["instruction_sets"])
        self.assertLessEqual(info["threads"]["count"], info["cpus"]["affinity_mask"])

    def info(self, **environment):
        return json.loads(self.succeed("info", "--json", env={**os.environ, **environment}))

    def test_info_warns(self):
        self.assertIn("FURROW_NUM_THREADS=\"abc\"", " ".join(self.info(FURROW_NUM_THREADS="abc")["warnings"]))
        self.assertIn("nosuch", " ".join(self.info(FURROW_BACKEND="nosuch")["warnings"]))
        self.assertIn("FURROW_ISA", " ".join(self.info(FURROW_ISA="nosuch")["warnings"]))
        broken = self.path("tuning.json")
        broken.write_text("{")
        info = self.info(FURROW_TUNING=str(broken))
        self.assertIn("not valid JSON", " ".join(info["warnings"]))
        self.assertEqual(info["tuning"]["path"], str(broken))
        self.assertEqual(self.info(FURROW_NUM_THREADS="3")["threads"], {"count": 3, "reason": "FURROW_NUM_THREADS"})
        if len(os.sched_getaffinity(0)) > 1:
            cpu = min(os.sched_getaffinity(0))
            info = json.loads(self.succeed("info", "--json", preexec_fn=lambda: os.sched_setaffinity(0, {cpu})))
            self.assertIn("allows one CPU of", " ".join(info["warnings"]))
            if "openmp" in BACKENDS:
                self.assertEqual(self.info(OMP_PROC_BIND="true")["cpus"]["affinity_mask"], len(os.sched_getaffinity(0)))

    def test_info_names_what_hurts_with_its_remedy(self):
        self.assertIn("OMP_WAIT_POLICY=active", " ".join(self.info(OMP_WAIT_POLICY="active")["warnings"]))
        self.assertIn("unset it", " ".join(self.info(OMP_WAIT_POLICY="active")["warnings"]))
        if {"openmp", "tbb"} <= set(BACKENDS):
            self.assertIn("set OMP_WAIT_POLICY=passive", " ".join(self.info()["notes"]))
        self.assertEqual(self.info(OMP_WAIT_POLICY="PASSIVE")["notes"], [])
        self.assertIn("note: a program that goes back and forth" if {"openmp", "tbb"} <= set(BACKENDS) else "", self.succeed("info"))

    def test_info_names_busy_neighbours(self):
        allowed = os.sched_getaffinity(0)
        neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in allowed]
        try:
            time.sleep(0.2)
            info = self.info()
            self.assertGreater(info["cpus"]["busy_with_others"], 0.5)
            warning = next(warning for warning in info["warnings"] if "other processes now take" in warning)
            self.assertIn("stop them", warning)
            self.assertIn("warning: other processes now take", self.succeed("info"))
        finally:
            for neighbour in neighbours:
                neighbour.kill()
                neighbour.wait()

    def test_list(self):
        kernels = json.loads(self.succeed("list", "--json"))
        by_name = {kernel["name"]: kernel for kernel in kernels}
        triad = by_name["triad"]
        self.assertEqual({t["type"]: t["bytes"] for t in triad["types"]}, {"f32": 12, "f64": 24, "i32": 12, "i64": 24, "u8": 3})
        self.assertEqual(triad["flops"], 2)
        text = self.succeed("list")
        for name in by_name:
            self.assertIn(name, text)
        self.assertEqual({k["family"] for k in json.loads(self.succeed("list", "--json", "--family", "reductions"))}, {"reductions"})
        self.fail_with(1, "there is no family \"nosuch\"; there are", "list", "--family", "nosuch")

    def test_trace(self):
        x = self.save("x.npy", np.arange(3e6))
        trace = self.path("t.json")
        begin = time.monotonic()
        self.succeed("map", "exp(-x)*x", x, "-o", self.path("y.npy"), "--trace", trace)
        elapsed = time.monotonic() - begin
        events = json.loads(trace.read_text())["traceEvents"]
        self.assertTrue(all({"ph", "ts", "dur", "pid", "tid", "name"} <= set(event) for event in events))
        summary = json.loads(self.succeed("trace", trace, "--json"))
        self.assertAlmostEqual(summary["total"], summary["wall"], delta=0.02 * summary["wall"])
        self.assertLess(summary["wall"], elapsed)
        self.assertGreaterEqual(sum(kernel["calls"] for kernel in summary["kernels"]), 1)
        text = self.succeed("trace", trace)
        for part in ("outside of calls", "total", "working", "Critical path", "Threads "):
            self.assertIn(part, text)
        self.fail_with(1, "cannot read nosuch.json: No such file", "trace", "nosuch.json")
        self.fail_with(1, "is no trace of furrow's", "trace", x)
        trace.write_bytes(trace.read_bytes()[:-10])
        self.fail_with(1, "was cut short", "trace", trace)
        self.fail_with(1, "cannot be written: No such file", "list", "--trace", "/no/such/folder/t.json")
        self.fail_with(1, "cannot be written: No such file", "info", "--trace", "/no/such/folder/t.json")

    def test_output_that_nobody_reads(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = furrow("list", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (128 + signal.SIGPIPE, ""))
        with open("/dev/full", "w") as full:
            done = furrow("list", capture_output=False, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output: No space left on device", done.stderr)

    def test_closed_streams_do_not_become_files(self):
        x = self.save("x.npy", np.arange(10.0))
        for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
            shell = f'"$0" map "x+1" "$1" -o "$2" --json {closed}'
            subprocess.run(["sh", "-c", shell, FURROW, x, self.path("y.npy")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            self.assertTrue(bits_equal(np.load(self.path("y.npy")), np.arange(10.0) + 1), closed)
            self.path("y.npy").unlink()


if __name__ == "__main__":
    os.environ["FURROW_TUNING"] = "none"
    for variable in ("FURROW_BACKEND", "FURROW_NUM_THREADS", "FURROW_ISA", "OMP_PROC_BIND", "OMP_WAIT_POLICY"):
        os.environ.pop(variable, None)
    BACKENDS += [backend["name"] for backend in json.loads(furrow("info", "--json").stdout)["backends"]]
    unittest.main(argv=sys.argv[:1])
