#!/usr/bin/env python3
"""furrow run end to end. Usage: run_test.py FURROW. $FURROW_KILLS: how often a run is killed at random, 10 unless set."""

import contextlib
import functools
import json
import os
import pty
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree
import zlib

sys.dont_write_bytecode = True

import numpy as np
from command_test import BACKENDS, FURROW, CommandTest, furrow

KILLS = int(os.environ.get("FURROW_KILLS", "10"))
FOREVER = 10**12


def small(model):
    """Options under which a simulation is small."""
    options = []
    for parameter in model["parameters"]:
        default = parameter["default"]
        if parameter["name"] == "shape":
            options += ["--set", "shape=" + "x".join(["26", "34", "18"][: default.count("x") + 1])]
        elif default.isdigit() and len(default) > 3:
            options += ["--set", f"{parameter['name']}=300"]
    return options


def models():
    listed = json.loads(furrow("list", "--family", "simulations", "--json").stdout)
    return [entry for entry in listed if "parameters" in entry]  # the others are kernels: steps of simulations


class Png:
    """Width, height, text and pixels of an RGB file, by nothing but zlib."""

    def __init__(self, path):
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        at, packed, self.text = 8, b"", ""
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at : at + 8])
            content = data[at + 8 : at + 8 + length]
            assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
            at += 12 + length
            if kind == b"IHDR":
                self.width, self.height, depth, colours = struct.unpack(">IIBB", content[:10])
                assert (depth, colours) == (8, 2)
            elif kind == b"IDAT":
                packed += content
            elif kind == b"tEXt":
                self.text = content.decode("latin-1")
        assert kind == b"IEND"
        self.lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self.height, 1 + 3 * self.width)

    @functools.cached_property
    def pixels(self):
        above = [0] * 3 * self.width
        pixels = np.empty((self.height, self.width, 3), np.uint8)
        for y, line in enumerate(self.lines):
            above = self.unfiltered(int(line[0]), line[1:].tolist(), above)
            pixels[y] = np.array(above, np.uint8).reshape(-1, 3)
        return pixels

    @staticmethod
    def unfiltered(kind, line, above):
        for i, value in enumerate(line):
            a, b = line[i - 3] if i >= 3 else 0, above[i]
            c = above[i - 3] if i >= 3 else 0
            if kind == 1:
                value += a
            elif kind == 2:
                value += b
            elif kind == 3:
                value += (a + b) // 2
            elif kind == 4:
                p = a + b - c
                value += min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = value & 255
        return line

    def lightness(self, x, y):
        return int(self.pixels[y, x].astype(int).sum())


class RunTest(CommandTest):
    def run_json(self, *arguments, **options):
        return json.loads(self.succeed("run", *arguments, "--json", **options))

    def start(self, *arguments, **options):
        return subprocess.Popen([FURROW, "run", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                **options)

    def wait_for(self, path, process):
        deadline = time.monotonic() + 30
        while not path.exists():
            self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def state(self, *arguments):
        """The last state of a run, as the bytes of its file."""
        out = self.path("state.npy")
        self.succeed("run", *arguments, "--out", out)
        return out.read_bytes()


class Simulations(RunTest):
    def test_each_of_them_on_every_backend(self):
        self.assertGreater(len(models()), 1)
        for model in models():
            found = set()
            for backend in BACKENDS:
                for threads in (1, 3):
                    out = self.path("out.npy")
                    report = self.run_json(model["name"], *small(model), "--steps", 7, "--out", out, "--backend", backend, "--threads", threads)
                    self.assertEqual((report["simulation"], report["steps"], report["step"], report["stopped"]), (model["name"], 7, 7, False))
                    self.assertEqual((report["backend"], report["output"]), (backend, [str(out)]))
                    self.assertGreater(report["steps_per_second"], 0)
                    self.assertGreater(report["work_per_second"], 0)
                    self.assertEqual(set(report["parameters"]), {parameter["name"] for parameter in model["parameters"]})
                    self.assertGreater(np.load(out).size, 0)
                    found.add((out.read_bytes(), json.dumps(report["observables"])))
            self.assertEqual(len(found), 1, model["name"])

    def test_each_of_them_resumed_elsewhere_gives_the_same_bits(self):
        for model in models():
            straight, checkpoint = self.state(model["name"], *small(model), "--steps", 23), self.path("c")
            for first, second in zip(BACKENDS, BACKENDS[1:] + BACKENDS[:1]):
                self.succeed("run", model["name"], *small(model), "--steps", 9, "--checkpoint", checkpoint, "--overwrite", "--backend", first, "--threads", 2)
                out = self.path("resumed.npy")
                report = self.run_json("--resume", checkpoint, "--steps", 14, "--out", out, "--backend", second, "--threads", 3)
                self.assertEqual((report["step"], report["steps"], report["checkpoint"]), (23, 14, str(checkpoint)))
                self.assertEqual(out.read_bytes(), straight, (model["name"], first, second))
                self.assertEqual(self.state("--resume", checkpoint, "--steps", 0), straight)

    def test_each_of_them_as_a_picture_and_a_plot(self):
        for model in models():
            out, plot = self.path("out.png"), self.path("plot.svg")
            report = self.run_json(model["name"], *small(model), "--steps", 5, "--out", out, "--plot", plot)
            png = Png(out)
            self.assertGreaterEqual(png.width * png.height, 160 * 256)
            self.assertIn(f"of {model['name']}, step 5", png.text)
            shown = " ".join(xml.etree.ElementTree.parse(plot).getroot().itertext())
            for name in report["observables"]:
                self.assertIn(name, shown)

    def test_list(self):
        text = self.succeed("list")
        for model in models():
            self.assertIn(f"{model['name']} ", text)
            self.assertIn(model["about"], text)
        self.assertIn("heat2d", {entry["name"] for entry in json.loads(self.succeed("list", "--json"))})
        self.assertNotIn("heat2d", self.succeed("list", "--family", "reductions"))
        self.assertNotIn("triad", self.succeed("list", "--family", "simulations"))

    def test_help(self):
        self.assertIn("heat3d", self.succeed("run", "--help"))
        for model in models():
            text = self.succeed("run", model["name"], "--help")
            for parameter in model["parameters"]:
                self.assertIn(f"\n  {parameter['name']} ", text)
                self.assertIn(parameter["about"], text)
        for model in models():
            self.assertIn(model["about"], self.fail_with(2, "which simulation?", "run"))
            self.assertIn(model["name"], self.fail_with(1, 'there is no simulation "nosuch"; there are', "run", "nosuch"))

    def test_text(self):
        text = self.succeed("run", "heat2d", "--shape", "20x30", "--steps", 12, "--dt", "0.125", "-q")
        for part in ("heat2d: step 12, time 1.5\n", "12 steps in ", "steps/s", "cell updates/s", "  heat "):
            self.assertIn(part, text)


class Parameters(RunTest):
    def test_by_name_and_by_set(self):
        first = self.run_json("heat2d", "--shape", "20x30", "--dt", "0.125", "--steps", 1)
        second = self.run_json("--steps", 1, "--set", "dt=0.125", "--set", "shape=20x30", "heat2d")
        third = self.run_json("--dt=0.125", "heat2d", "--shape=20x30", "--steps=1")
        for report in (first, second, third):
            self.assertEqual((report["parameters"]["shape"], report["parameters"]["dt"]), ("20x30", "0.125"))
        self.assertEqual(self.run_json("heat2d", "--shape", "8", "--edge", "-2.5", "--steps", 1)["parameters"]["edge"], "-2.5")

    def test_whole_numbers(self):
        for text, steps in (("10", 10), ("010", 10), ("1e1", 10), ("1.2E1", 12), ("0", 0)):
            self.assertEqual(self.run_json("heat2d", "--shape", "8", "--steps", text)["steps"], steps)

    def test_what_is_wrong(self):
        self.fail_with(1, "dt is given twice", "run", "heat2d", "--dt", "0.1", "--set", "dt=0.2")
        self.fail_with(1, 'there is no parameter "nosuch"; there are shape', "run", "heat2d", "--set", "nosuch=1")
        self.fail_with(2, "--nosuch", "run", "heat2d", "--nosuch", "1")
        self.fail_with(2, "NAME=VALUE", "run", "heat2d", "--set", "nosuch")
        self.fail_with(1, "shape is 2 whole numbers", "run", "heat2d", "--shape", "3x4x5")
        self.fail_with(1, "dt", "run", "heat2d", "--dt", "1000")
        for steps in ("-1", " -1", "+1", "1.5", "1.5e0", "0x10", "1e17", "nan", 2**64):
            for option in (("--steps", steps), (f"--steps={steps}",)):
                self.fail_with(2, f'--steps: a whole number of at least 0 is expected, not "{steps}"', "run", "heat2d", *option)
        self.fail_with(2, "--every: a whole number of at least 1", "run", "heat2d", "--out", self.path("x.npy"), "--every", 0)
        self.fail_with(1, "more than can be counted", "run", "--resume", self.checkpoint(3), "--steps", 2**64 - 1)
        self.fail_with(1, "a range is two numbers", "run", "heat2d", "--range", "1:0")
        self.fail_with(1, "--checkpoint-every is seconds", "run", "heat2d", "--checkpoint-every", "now")
        self.fail_with(2, "requires --out", "run", "heat2d", "--every", 10)
        self.fail_with(1, 'heat2d has no field "nosuch"; it has temperature', "run", "heat2d", "--out", self.path("x.npy"), "--field", "nosuch")
        self.fail_with(1, "serial", "run", "heat2d", "--backend", "nosuch")
        self.assertEqual(os.listdir(self.folder), ["c"])

    def checkpoint(self, steps):
        self.succeed("run", "heat2d", "--shape", "20x30", "--steps", steps, "--checkpoint", self.path("c"))
        with contextlib.suppress(FileNotFoundError):
            self.path("c.previous").unlink()
        return self.path("c")

    def test_resuming_has_the_parameters_of_the_checkpoint(self):
        path = self.checkpoint(4)
        self.assertEqual(self.run_json("--resume", path, "--steps", 0)["parameters"]["shape"], "20x30")
        self.assertEqual(self.run_json("heat2d", "--resume", path, "--shape", "20x30", "--steps", 3)["step"], 7)
        self.assertEqual(self.run_json("--resume", path, "--steps", 0)["step"], 7)
        self.fail_with(1, "is of heat2d, not of heat3d", "run", "heat3d", "--resume", path)
        self.fail_with(1, "dt is 0.2 there and 0.125 here", "run", "--resume", path, "--dt", "0.125")
        self.fail_with(1, "no parameter \"nosuch\"", "run", "--resume", path, "--set", "nosuch=1")
        report = self.run_json("--resume", path, "--checkpoint", self.path("d"), "--steps", 2)
        self.assertEqual((report["step"], report["checkpoint"]), (9, str(self.path("d"))))
        self.assertEqual(self.run_json("--resume", path, "--steps", 0)["step"], 7)
        self.assertEqual(self.run_json("--resume", self.path("d"), "--steps", 0)["step"], 9)


    def test_a_checkpoint_is_not_begun_anew_unasked(self):
        path, other = self.checkpoint(5), self.path("other")
        anew = ("run", "heat2d", "--shape", "20x30", "--steps", 2, "--checkpoint", path)
        before = path.read_bytes()
        for damaged in (before, before[:-1]):
            path.write_bytes(damaged)
            error = self.fail_with(1, f"{path} is there already", *anew)
            self.assertIn(f"--resume {path}", error)
            self.assertIn("--overwrite", error)
            self.assertEqual(path.read_bytes(), damaged)
        path.write_bytes(before)
        self.succeed("run", "heat2d", "--shape", "20x30", "--steps", 1, "--checkpoint", other)
        self.fail_with(1, "is there already", "run", "--resume", other, "--steps", 1, "--checkpoint", path)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(self.run_json("--resume", path, "--checkpoint", f"{self.folder}/./c", "--steps", 3)["step"], 8)
        link = self.path("link")
        link.symlink_to(path)
        self.assertEqual(self.run_json("--resume", path, "--checkpoint", link, "--steps", 1)["step"], 9)
        self.fail_with(1, "is there already", *anew[:-1], link)
        self.fail_with(2, "--overwrite requires --checkpoint", *anew[:-2], "--overwrite")
        self.succeed(*anew, "--overwrite")
        self.assertEqual(self.run_json("--resume", path, "--steps", 0)["step"], 2)


class Output(RunTest):
    def test_frames(self):
        out = self.path("f.npy")
        arguments = ("heat2d", "--shape", "20x30", "--checkpoint", self.path("c"), "--every", 10, "--out", out)
        report = self.run_json(*arguments, "--steps", 25)
        self.assertEqual(report["output"], [str(self.path(f"f_{step:06}.npy")) for step in (0, 10, 20)])
        report = self.run_json("--resume", self.path("c"), "--every", 10, "--out", out, "--steps", 15)
        self.assertEqual(report["output"], [str(self.path(f"f_{step:06}.npy")) for step in (30, 40)])
        for step in (0, 10, 20, 30, 40):
            self.assertEqual(self.path(f"f_{step:06}.npy").read_bytes(), self.state("heat2d", "--shape", "20x30", "--steps", step), step)
        self.assertEqual(np.load(self.path("f_000010.npy")).shape, (20, 30))

    def test_pictures(self):
        out = self.path("p.png")
        self.succeed("run", "heat2d", "--shape", "64x128", "--initial", "mode", "--steps", 1, "--out", out)
        png = Png(out)
        self.assertEqual(png.height, 256 + 14)
        self.assertGreater(png.width, 512)
        self.assertLess(png.width, 700)
        self.assertGreater(png.lightness(256, 135), 600)  # hot in the middle, cold at the corners
        for x, y in ((2, 9), (509, 9), (2, 260), (509, 260)):
            self.assertLess(png.lightness(x, y), 150)
        bar = [png.lightness(536, y) for y in range(8, 262)]
        self.assertTrue(all(upper >= lower - 3 for upper, lower in zip(bar, bar[1:])))
        self.assertGreater(bar[0] - bar[-1], 500)
        self.succeed("run", "heat2d", "--shape", "64x128", "--initial", "mode", "--steps", 1, "--out", out, "--range", "-100:100")
        self.assertLess(np.ptp(Png(out).pixels[8:260, :510].astype(int).sum(axis=2)), 20)  # all of it is near 0
        self.succeed("run", "heat2d", "--shape", "5000x100", "--steps", 1, "--out", out)
        self.assertEqual(Png(out).height, (5000 + 2) // 3 + 14)
        self.succeed("run", "heat3d", "--shape", "8x16x32", "--steps", 1, "--out", out)
        self.assertEqual(Png(out).height, 16 * 16 + 14)
        self.assertEqual(sorted(os.listdir(self.folder)), ["p.png"])

    def test_plots(self):
        svg, csv = self.path("o.svg"), self.path("o.csv")
        report = self.run_json("heat2d", "--shape", "20x30", "--steps", 300, "--plot", csv)
        lines = csv.read_text().splitlines()
        self.assertEqual(lines[0].split(","), ["step", "time", *report["observables"]])
        rows = [[float(number) for number in line.split(",")] for line in lines[1:]]
        self.assertEqual([row[0] for row in rows], list(range(0, 301, 3)))
        self.assertEqual(rows[-1][1:], [report["time"], *report["observables"].values()])
        self.succeed("run", "heat2d", "--shape", "20x30", "--steps", 300, "--plot", svg)
        root = xml.etree.ElementTree.parse(svg).getroot()
        curves = root.findall(".//{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(curves), len(report["observables"]))
        self.assertEqual({len(curve.get("points").split()) for curve in curves}, {101})

    def hdf5(self):
        try:
            import h5py
        except ImportError:
            self.skipTest("needs h5py")
        done = furrow("run", "heat2d", "--shape", "8x8", "--steps", 1, "--out", self.path("try.h5"))
        if "built without HDF5" in done.stderr:
            self.skipTest("this build has no HDF5")
        return h5py

    def test_hdf5(self):
        h5py = self.hdf5()
        out, checkpoint = self.path("f.h5"), self.path("c")
        self.succeed("run", "heat2d", "--shape", "20x30", "--dt", "0.125", "--steps", 25, "--every", 10, "--out", out, "--checkpoint", checkpoint)
        with h5py.File(out) as file:
            self.assertEqual(sorted(file), ["000000", "000010", "000020"])
            self.assertEqual((file.attrs["simulation"].decode(), file.attrs["dt"], file.attrs["shape"].decode()), ("heat2d", 0.125, "20x30"))
        self.succeed("run", "--resume", checkpoint, "--steps", 15, "--every", 10, "--out", out)
        with h5py.File(out) as file:
            self.assertEqual(sorted(file), [f"{step:06}" for step in (0, 10, 20, 30, 40)])
            for name, frame in file.items():
                field = frame["temperature"]
                self.assertEqual((field.attrs["step"], field.attrs["time"], frame.attrs["step"]), (int(name), int(name) * 0.125, int(name)))
                self.state("heat2d", "--shape", "20x30", "--dt", "0.125", "--steps", int(name))
                self.assertEqual(field[()].tobytes(), np.load(self.path("state.npy")).tobytes())
        self.succeed("run", "heat2d", "--shape", "21x30", "--steps", 1, "--checkpoint", self.path("d"))
        before = out.read_bytes()
        self.fail_with(1, "it is not of this simulation with these parameters", "run", "--resume", self.path("d"), "--out", out, "--steps", FOREVER)
        self.assertEqual(out.read_bytes(), before)
        self.fail_with(1, "File too large", "run", "heat2d", "--out", out, "--steps", FOREVER, preexec_fn=self.limit)
        self.assertEqual(out.read_bytes(), before)
        frames = ("run", "heat2d", "--shape", "40x50", "--steps", 100, "--every", 1, "--out")
        self.fail_with(1, "File too large", *frames, out, preexec_fn=self.limit)  # after some of them
        self.assertEqual(out.read_bytes(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["c", "c.previous", "d", "d.previous", "f.h5", "state.npy", "try.h5"])

    def test_hdf5_of_a_run_that_is_stopped_is_whole(self):
        h5py = self.hdf5()
        out, checkpoint = self.path("f.h5"), self.path("c")
        with self.start("heat2d", "--shape", "64x64", "--steps", 3000000, "--every", 1000, "--out", out, "--checkpoint", checkpoint) as process:
            self.wait_for(checkpoint, process)
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        with h5py.File(out) as file:
            steps = [int(name) for name in file]
            self.assertEqual(sorted(steps), list(range(0, 1000 * len(steps), 1000)))
        self.assertEqual(sorted(os.listdir(self.folder))[:2], ["c", "c.previous"])

    @staticmethod
    def limit(size=100_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    def test_what_cannot_be_written_is_told_before_the_run(self):
        """Runs that would never end."""
        forever = ("run", "heat2d", "--shape", "512x512", "--steps", FOREVER)
        file = self.save("file.npy", np.ones(3))
        for option, ending in (("--out", ".npy"), ("--out", ".png"), ("--plot", ".svg"), ("--checkpoint", "")):
            for name, message in ((f"none/out{ending}", "No such file or directory"), (f"file.npy/out{ending}", "Not a directory")):
                self.fail_with(1, message, *forever, option, self.path(name))
            folder = self.path("folder" + ending)
            folder.mkdir(exist_ok=True)
            self.fail_with(1, "" if option == "--checkpoint" else "Is a directory", *forever, option, folder)
        message = self.fail_with(1, "the format of x.gif is not known", *forever, "--out", "x.gif")
        for ending in (".npy", ".png", ".h5"):
            self.assertIn(ending, message)
        self.fail_with(1, ".svg", *forever, "--plot", "x.gif")
        self.fail_with(1, f"{file} is there already", *forever, "--checkpoint", file)
        self.fail_with(1, "what is there is no checkpoint", *forever, "--checkpoint", file, "--overwrite")
        for option, name in (("--out", "x.npy"), ("--checkpoint", "c")):
            self.fail_with(1, "File too large", *forever, option, self.path(name), preexec_fn=self.limit)
        self.fail_with(1, "the disk has room for", "run", "heat2d", "--steps", FOREVER, "--every", 1, "--out", self.path("x.npy"))
        self.assertEqual(sorted(os.listdir(self.folder)), ["file.npy", "folder", "folder.npy", "folder.png", "folder.svg"])

    def test_a_folder_that_must_not_be_written(self):
        locked = self.path("locked")
        locked.mkdir()
        locked.chmod(0o555)
        options = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            for option, name in (("--out", "x.npy"), ("--out", "x.png"), ("--plot", "x.svg"), ("--checkpoint", "c")):
                self.fail_with(1, "Permission denied", "run", "heat2d", "--steps", FOREVER, option, locked / name, **options)
        except (PermissionError, subprocess.SubprocessError) as problem:
            self.skipTest(f"cannot become another user, or it cannot reach the command: {problem}")
        self.assertEqual(os.listdir(locked), [])

    def test_a_full_disk(self):
        disk = self.path("disk")
        disk.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("needs the right to mount")
        try:
            full = "No space left on device"
            for option, name in (("--out", "x.npy"), ("--checkpoint", "c")):
                self.fail_with(1, full, "run", "heat2d", "--shape", "400x400", "--steps", FOREVER, option, disk / name)
            self.assertEqual(os.listdir(disk), [])
            # Of 400 kB: one, and the one before, but not the next.
            self.fail_with(1, full, "run", "heat2d", "--shape", "250x200", "--steps", FOREVER, "--checkpoint-every", 10, "--checkpoint", disk / "c")
            self.assertEqual(sorted(os.listdir(disk)), ["c", "c.previous"])
            self.assertEqual(self.run_json("--resume", disk / "c", "--steps", 0, "--checkpoint", self.path("d"))["step"], 10)
            self.assertEqual(self.run_json("--resume", disk / "c.previous", "--steps", 0, "--checkpoint", self.path("e"))["step"], 0)
            self.fail_with(1, full, "run", "--resume", disk / "c", "--steps", FOREVER)
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_disk_that_fills_up_with_frames_leaves_a_checkpoint(self):
        reached = self.path("f_000020.npy")
        reached.mkdir()  # stands for what goes wrong in the middle of a run
        self.fail_with(1, "Is a directory", "run", "heat2d", "--shape", "20x30", "--steps", 60, "--every", 10, "--out", self.path("f.npy"), "--checkpoint", self.path("c"))
        self.assertEqual(self.run_json("--resume", self.path("c"), "--steps", 0)["step"], 20)


class Broken(RunTest):
    def test_checkpoints_that_are_damaged(self):
        path = self.path("c")
        self.succeed("run", "heat2d", "--shape", "40x50", "--steps", 20, "--checkpoint-every", 10, "--checkpoint", path)
        whole = path.read_bytes()
        for damaged, message in (
            (whole[:-1], "cut short"),
            (whole[:100], "cut short"),
            (b"", "not a furrow checkpoint"),
            (b"\x93NUMPY" + whole, "not a furrow checkpoint"),
            (whole[:8] + b"\2" + whole[9:], "it is of version 2"),
            (whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], "its beginning does not match its checksum"),
            (whole[:-500] + bytes([whole[-500] ^ 64]) + whole[-499:], "its values do not match their checksum"),
        ):
            path.write_bytes(damaged)
            error = self.fail_with(1, message, "run", "--resume", path, "--steps", 5)
            self.assertIn(f"{path}.previous is the one before it", error)
            self.assertEqual(path.read_bytes(), damaged)
            self.assertEqual(self.run_json("--resume", f"{path}.previous", "--steps", 0)["step"], 10)
        self.fail_with(1, "No such file", "run", "--resume", self.path("none"))
        self.fail_with(1, "it is not a file", "run", "--resume", self.folder)


class Stopped(RunTest):
    GRID = ("heat2d", "--shape", "60x70")

    def stop(self, number, checkpoint, first, *arguments, **options):
        """Sent when the file `first` is there."""
        with self.start(*self.GRID, "--steps", FOREVER, *arguments, **options) as process:
            self.wait_for(first, process)
            time.sleep(0.3)
            process.send_signal(number)
            _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, error)
        self.assertRegex(error, rf"^furrow: stopped at step \d+; furrow run --resume \S*{checkpoint.name} --steps \d+ goes on\n$")
        report = self.run_json("--resume", checkpoint, "--steps", 10, "--out", self.path("resumed.npy"))
        self.assertEqual(report["step"], int(error.split("step ")[1].split(";")[0]) + 10)
        self.assertGreater(report["step"], 10)
        self.assertEqual(self.path("resumed.npy").read_bytes(), self.state(*self.GRID, "--steps", report["step"]))

    def test_interrupted_and_terminated(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.stop(number, self.path("c"), self.path("c"), "--checkpoint", self.path("c"))
            self.path("c").unlink()

    def test_without_a_checkpoint_of_its_own(self):
        for name in ("furrow-heat2d.checkpoint", "furrow-heat2d-2.checkpoint", "furrow-heat2d-3.checkpoint"):
            self.stop(signal.SIGINT, self.path(name), self.path("f_000000.npy"), "--out", self.path("f.npy"), "--every", 10**9, cwd=self.folder)
            self.path("f_000000.npy").unlink()

    def test_json_says_so(self):
        arguments = [FURROW, "run", *self.GRID, "--steps", str(FOREVER), "--checkpoint", self.path("c"), "--json"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            self.wait_for(self.path("c"), process)
            process.send_signal(signal.SIGTERM)
            report = json.loads(process.stdout.read())
        self.assertEqual((report["stopped"], report["checkpoint"]), (True, str(self.path("c"))))

    def test_killed_at_random_moments(self):
        seed = random.randrange(10**6)
        chance = random.Random(seed)
        path, before = self.path("c"), 0
        arguments = [*self.GRID, "--checkpoint", path]
        for kill in range(KILLS):
            with self.start(*arguments, "--steps", FOREVER, "--checkpoint-every", 50) as process:
                self.wait_for(path, process)
                time.sleep(chance.uniform(0, 0.1))
                process.kill()
                process.communicate()
            for name in (path, self.path("c.previous")):
                if name == path or name.exists():
                    shutil.copy(name, self.path("copy"))
                    report = self.run_json("--resume", self.path("copy"), "--steps", 0)
                    self.assertGreaterEqual(report["step"], before if name == path else 0, (seed, kill))
                    if name == path:
                        step = report["step"]
            before = step
            arguments = ["--resume", path]
        self.assertEqual(self.state("--resume", path, "--steps", 3), self.state(*self.GRID, "--steps", before + 3), seed)

    def test_progress_on_a_terminal_only(self):
        for quiet in (False, True):
            controller, terminal = pty.openpty()
            arguments = [FURROW, "run", "heat2d", "--shape", "30", "--steps", "3000000000", "--threads", "1"] + ["--quiet"] * quiet
            with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=terminal, cwd=self.folder, env={**os.environ, "TERM": "xterm"}) as process:
                os.close(terminal)
                time.sleep(1.5)
                process.terminate()
                shown = b""
                with contextlib.suppress(OSError):  # the terminal's end
                    while chunk := os.read(controller, 4096):
                        shown += chunk
            os.close(controller)
            if quiet:
                self.assertNotIn(b"\x1b[K", shown)
            else:
                self.assertRegex(shown, rb"heat2d \[[#.]{30}\]   0 %  [0-9.]+ [kM]? ?steps/s  [0-9.]+ [kMG] cell updates/s  \d+ s left")


if __name__ == "__main__":
    os.environ["FURROW_TUNING"] = "none"
    for variable in ("FURROW_BACKEND", "FURROW_NUM_THREADS", "FURROW_ISA", "OMP_PROC_BIND", "OMP_WAIT_POLICY"):
        os.environ.pop(variable, None)
    BACKENDS += [backend["name"] for backend in json.loads(furrow("info", "--json").stdout)["backends"]]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
