"""NumPy, numexpr and numba doing kernels of furrow's table, driven by `furrow bench` line by line.

Says on standard output, a line each: `kernel PEER/KERNEL` for what there is, `note TEXT` for what is missing, `ready`. Then
answers to lines on standard input:
  load TYPE N           followed by the bytes of the arrays a, b and out, and 64 of the result; answers `ok`
  run PEER/KERNEL CALLS makes so many calls; answers `ok`, or a line that says what went wrong
  store                 answers the bytes of out, and 64 of the result
Usage: python3 python_peers.py THREADS PEER...
"""

import math
import os
import signal
import sys

THREADS = sys.argv[1]
for variable in ("NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = THREADS  # read when the modules are loaded

SCALAR = 3  # table::Operands::scalar
TYPES = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "u8": "uint8"}


def wide(x):
    """The type in which furrow adds up."""
    return "int64" if x.dtype.kind in "iu" else x.dtype


def numpy_kernels():
    import numpy as np

    def unary(function):
        def run(a, b, out, s):
            function(a, out=out)

        return run

    def binary(function):
        def run(a, b, out, s):
            function(a, b, out=out)

        return run

    def axpy(a, b, out, s):
        out += s * a

    def triad(a, b, out, s):
        np.multiply(b, s, out=out)
        out += a

    def scale(a, b, out, s):
        out *= s

    def mul_add(a, b, out, s):
        np.multiply(a, b, out=out)
        out += a

    def exclusive_scan(a, b, out, s):
        out[0] = s
        np.cumsum(a[:-1], out=out[1:])
        out[1:] += s

    def scan(a, b, out, s):
        np.cumsum(a, out=out)

    def copy_if(a, b, out, s):
        kept = a[a > 0]
        out[: len(kept)] = kept
        return np.uint64(len(kept))

    def sort(a, b, out, s):
        out[:] = a
        out.sort()

    def argsort(a, b, out, s):
        # Of random 64-bit keys no two are equal, and what is not stable is faster.
        out.view(f"i{out.itemsize}")[:] = np.argsort(a, kind="stable" if a.itemsize == 4 else None)

    def nth_element(a, b, out, s):
        out[:] = a
        out.partition(len(a) // 2)

    def unique(a, b, out, s):
        positive = a > 0
        kept = a[np.concatenate(([True], positive[1:] != positive[:-1]))]
        out[: len(kept)] = kept
        return np.uint64(len(kept))

    def partition(a, b, out, s):
        chosen = a > 0
        kept = a[chosen]
        out[: len(kept)] = kept
        out[len(kept) :] = a[~chosen]
        return np.uint64(len(kept))

    def transpose(a, b, out, s):
        rows = math.isqrt(len(a))
        while rows > 1 and len(a) % rows != 0:
            rows -= 1
        out.reshape(-1, rows)[:] = a.reshape(rows, -1).T

    def assign(value):
        def run(a, b, out, s):
            out[:] = value(a, b, s)

        return run

    def indices(b):
        return b.view(f"i{b.itemsize}")

    def matrix(a):
        width = 1 << int(np.sqrt(len(a))).bit_length() - 1
        return a[: len(a) // width * width].reshape(-1, width)

    def sum_axis(axis):
        def run(a, b, out, s):
            m = matrix(a)
            sums = out[: m.shape[1 - axis]]
            np.sum(m, axis=axis, out=sums)
            return np.sum(sums, dtype=a.dtype)

        return run

    def digest(counts):
        return (counts * np.arange(1, 257)).astype(np.uint64).reshape(32, 8).sum(axis=0)

    def scatter(a, b, out, s):
        out[indices(b)] = a

    kernels = {name: unary(getattr(np, name)) for name in ("sqrt", "floor", "cbrt", "exp", "log", "sin", "cos", "tan", "tanh", "square")}
    kernels |= {"atan": unary(np.arctan), "pow": binary(np.power), "hypot": binary(np.hypot)}
    kernels |= {"add": binary(np.add), "for_each_index": binary(np.add), "mul": binary(np.multiply), "transform": unary(np.square)}
    kernels |= {"fill": lambda a, b, out, s: out.fill(s), "copy": lambda a, b, out, s: np.copyto(out, a)}
    kernels |= {name: unary(function) for name, function in {"abs": np.absolute, "neg": np.negative}.items()}
    kernels |= {"sub": binary(np.subtract), "minimum": binary(np.minimum), "maximum": binary(np.maximum)}
    kernels |= {"fused": assign(lambda a, b, s: s * a + s * np.sqrt(np.abs(a)) + s)}
    kernels |= {"axpy": axpy, "triad": triad, "for_each": scale, "transform2": mul_add, "exclusive_scan": exclusive_scan}
    kernels |= {
        "sum": lambda a, b, out, s: np.sum(a, dtype=wide(a)),
        "dot": lambda a, b, out, s: np.dot(a.astype(wide(a), copy=False), b.astype(wide(b), copy=False)),
        "min": lambda a, b, out, s: np.min(a),
        "max": lambda a, b, out, s: np.max(a),
        "argmin": lambda a, b, out, s: np.uint64(np.argmin(a)),
        "argmax": lambda a, b, out, s: np.uint64(np.argmax(a)),
        "bincount": lambda a, b, out, s: digest(np.bincount(a, minlength=256)),
        "all": lambda a, b, out, s: np.uint64(np.all(a)),
        "sum_axis0": sum_axis(0),
        "sum_axis1": sum_axis(1),
        "reduce": lambda a, b, out, s: s + np.sum(a, dtype=a.dtype),
        "transform_reduce": lambda a, b, out, s: s + np.sum(np.square(a + b), dtype=a.dtype),
        "count_if": lambda a, b, out, s: np.uint64(np.count_nonzero(a > 0)),
        "inclusive_scan": scan,
        "copy_if": copy_if,
        "all_of": lambda a, b, out, s: np.uint64(np.all(a != s)),
        "sort": sort,
        "argsort": argsort,
        "nth_element": nth_element,
        "unique": unique,
        "partition": partition,
        "transpose": transpose,
        "scatter": scatter,
        "gather": assign(lambda a, b, s: a[indices(b)]),
        "reverse": assign(lambda a, b, s: a[::-1]),
    }
    return kernels


def numexpr_kernels():
    import numexpr

    numexpr.set_num_threads(int(THREADS))

    def elementwise(formula):
        def run(a, b, out, s):
            numexpr.evaluate(formula, local_dict={"a": a, "b": b, "out": out, "s": s}, out=out, casting="same_kind")

        return run

    formulas = {"copy": "a", "square": "a * a", "add": "a + b", "for_each_index": "a + b", "mul": "a * b", "axpy": "s * a + out"}
    formulas |= {"triad": "a + s * b", "for_each": "s * out", "transform": "a * a", "transform2": "a * b + a"}
    formulas |= {name: f"{name}(a)" for name in ("sqrt", "floor", "exp", "log", "sin", "cos", "tan", "tanh")}
    formulas |= {"atan": "arctan(a)", "pow": "a ** b", "sub": "a - b", "fused": "s * a + s * sqrt(abs(a)) + s"}
    return {name: elementwise(formula) for name, formula in formulas.items()}


def numba_kernels():
    import numba
    import numpy as np

    numba.set_num_threads(int(THREADS))
    jit = numba.njit(parallel=True)

    def elementwise(formula):
        functions = {"numba": numba, "math": __import__("math")}
        source = f"def loop(a, b, out, s):\n    for i in numba.prange(a.size):\n        out[i] = {formula}\n"
        exec(source, functions)
        return jit(functions["loop"])

    def reduction(term, result):
        functions = {"numba": numba}
        exec(f"def loop(a, b, zero):\n    total = zero\n    for i in numba.prange(a.size):\n        total += {term}\n    return total\n", functions)
        loop = jit(functions["loop"])
        return lambda a, b, out, s: result(loop(a, b, np.zeros(1, wide(a))[0]), a, s)

    formulas = {"fill": "s", "copy": "a[i]", "square": "a[i] * a[i]", "add": "a[i] + b[i]", "mul": "a[i] * b[i]"}
    formulas |= {"axpy": "s * a[i] + out[i]", "triad": "a[i] + s * b[i]", "for_each": "s * out[i]", "transform": "a[i] * a[i]"}
    formulas |= {"for_each_index": "a[i] + b[i]", "transform2": "a[i] * b[i] + a[i]", "reverse": "a[a.size - 1 - i]"}
    formulas |= {name: f"math.{name}(a[i])" for name in ("exp", "sin", "cos", "tan", "atan", "tanh", "erf")}
    formulas |= {"hypot": "math.hypot(a[i], b[i])", "fused": "s * a[i] + s * math.sqrt(abs(a[i])) + s"}
    kernels = {name: elementwise(formula) for name, formula in formulas.items()}
    kernels["sum"] = reduction("a[i]", lambda total, a, s: np.dtype(wide(a)).type(total))
    kernels["dot"] = reduction("a[i] * b[i]", lambda total, a, s: np.dtype(wide(a)).type(total))
    kernels["reduce"] = reduction("a[i]", lambda total, a, s: np.array([total]).astype(a.dtype)[0] + s)
    return kernels


def say(line):
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the suite, which then closes our input
    kernels = {}
    for peer in sys.argv[2:]:
        try:
            made = {"numpy": numpy_kernels, "numexpr": numexpr_kernels, "numba": numba_kernels}[peer]()
        except ImportError as error:
            say(f"note no peer {peer}: {error}")
            continue
        kernels |= {f"{peer}/{name}": run for name, run in made.items()}
    for name in kernels:
        say(f"kernel {name}")
    say("ready")

    import warnings

    warnings.simplefilter("ignore")  # the logarithms of negative numbers are meant
    while words := sys.stdin.buffer.readline().decode().split():
        if words[0] == "load":
            import numpy as np

            dtype, n = np.dtype(TYPES[words[1]]), int(words[2])
            arrays = [np.empty(n, dtype) for _ in range(3)]
            result = bytearray(64)
            for memory in [*arrays, result]:
                sys.stdin.buffer.readinto(memoryview(memory).cast("B"))
            a, b, out = arrays
            s = dtype.type(SCALAR)
            say("ok")
        elif words[0] == "run":
            run, value = kernels[words[1]], None
            try:
                for _ in range(int(words[2])):
                    value = run(a, b, out, s)
            except Exception as error:
                say(f"{type(error).__name__}: {error}".replace("\n", " "))
                continue
            if value is not None:
                result[:] = value.tobytes().ljust(64, b"\0")
            say("ok")
        elif words[0] == "store":
            sys.stdout.buffer.write(out.data)
            sys.stdout.buffer.write(result)
            sys.stdout.buffer.flush()


main()
