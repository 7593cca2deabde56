"""Our PGM-index and the tuner's choice against the C++ PGM-index library, on the same keys in the same run.

The library's header comes in the source package of PyPI's `pygm`, which is fetched when the benchmark runs unless
``--header`` names the folder that holds ``pgm/pgm_index.hpp``; a C++17 compiler is needed (``--compiler``). Without
them it says so and ends with 2. Both have the same error bound and answer the same queries, half of them present, in
rounds that take turns; CPU time counts, and the median round.

Prints, for each set of keys, both sides' segments, bytes, build time and nanoseconds a lookup, and ends with 1 where
ours takes more than 1.3 times their time, needs more segments, gives a wrong answer, or the tuner with the final build
takes more than 60 ns a key.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.structures import pgm, tuner
from unseat.structures.locator import Locator
from unseat.tasks.index.generators import generate, names

Keys = NDArray[np.uint64]
Answers = NDArray[np.int64]

SLOWER, NANOSECONDS_A_KEY, SHARE = 1.3, 60.0, 0.1
"""What is allowed: times the library's time, for tuner and build, and of the keys' bytes."""


class Library:
    """The C++ index with one error bound, compiled for this machine."""

    def __init__(self, header: Path, compiler: str, error: int, folder: Path) -> None:
        source, target = Path(__file__).with_suffix(".cpp"), folder / f"pgm{error}.so"
        command = [compiler, "-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-shared", "-fPIC", f"-I{header}"]
        _run([*command, f"-DPGM_ERROR={error}", str(source), "-o", str(target)], "compile the library's header")
        self._calls = ctypes.CDLL(str(target))
        self._calls.pgm_build.restype = ctypes.c_void_p
        for call in (self._calls.pgm_segments, self._calls.pgm_bytes):
            call.restype = ctypes.c_size_t

    def build(self, keys: Keys) -> ctypes.c_void_p:
        return ctypes.c_void_p(self._calls.pgm_build(_pointer(keys), ctypes.c_size_t(len(keys))))

    def search(self, index: ctypes.c_void_p, keys: Keys, queries: Keys, out: Answers) -> None:
        self._calls.pgm_search(index, _pointer(keys), _pointer(queries), ctypes.c_size_t(len(queries)), _pointer(out))

    def size(self, index: ctypes.c_void_p) -> tuple[int, int]:
        """Segments of the lowest level, and bytes."""
        return self._calls.pgm_segments(index), self._calls.pgm_bytes(index)

    def free(self, index: ctypes.c_void_p) -> None:
        self._calls.pgm_free(index)


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _run(command: list[str], purpose: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UserError(f"cannot {purpose}: {command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise UserError(f"cannot {purpose}: {' '.join(last)}")


def fetch_header(folder: Path) -> Path:
    """The library's include folder, from the source package of `pygm`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "pygm", "pygm==1.0.1"]
    _run([*command, "-d", str(folder)], "fetch the source package of pygm (name its include folder with --header)")
    with tarfile.open(next(folder.glob("pygm-*.tar.gz"))) as package:
        package.extractall(folder, filter="data")
    return next(folder.glob("pygm-*/PGM-index/include"))


def queries_for(keys: Keys, count: int, seed: int) -> Keys:
    """Half present, half between two neighbours, shuffled."""
    rng = np.random.default_rng(seed)
    present = rng.choice(keys, count // 2)
    below = rng.integers(0, max(len(keys) - 1, 1), count - count // 2)
    gap = (keys[(below + 1) % len(keys)] - keys[below]).astype(np.float64)
    queries = np.concatenate([present, keys[below] + (gap * 0.999 * rng.random(len(below))).astype(np.uint64)])
    rng.shuffle(queries)
    return queries


def in_turns(contenders: dict[str, Callable[[], None]], rounds: int, count: int) -> dict[str, float]:
    """Median nanoseconds a lookup of each, of rounds in which they take turns; a first round is not counted."""
    times: dict[str, list[int]] = {name: [] for name in contenders}
    for _ in range(rounds + 1):
        for name, run in contenders.items():
            start = thread_time_ns()
            run()
            times[name].append(thread_time_ns() - start)
    return {name: float(np.median(taken[1:])) / count for name, taken in times.items()}


def _built(build: Callable[[], Any], keys: int) -> tuple[Any, float]:
    start = thread_time_ns()
    result = build()
    return result, (thread_time_ns() - start) / keys


def compare(name: str, keys: Keys, library: Library, error: int, rounds: int, count: int) -> list[str]:
    """Measure one set, print its lines, and say what was missed."""
    queries = queries_for(keys, count, seed=1)
    expected = np.searchsorted(keys, queries)
    (ours, our_build), (theirs, their_build) = (
        _built(lambda: pgm.build(keys, None, error=error), len(keys)),
        _built(lambda: library.build(keys), len(keys)),
    )
    chosen, tuner_build = _built(lambda: tuner.build(keys, int(SHARE * keys.nbytes)), len(keys))
    answers = {side: np.full(count, -1) for side in ("ours", "theirs", "chosen", "numpy")}

    def numpy_search() -> None:
        answers["numpy"][:] = np.searchsorted(keys, queries)

    times = in_turns(
        {
            "ours": lambda: _search(ours, keys, queries, answers["ours"]),
            "theirs": lambda: library.search(theirs, keys, queries, answers["theirs"]),
            "chosen": lambda: _search(chosen, keys, queries, answers["chosen"]),
            "numpy": numpy_search,
        },
        rounds,
        count,
    )
    segments, size = library.size(theirs)
    library.free(theirs)
    mine = int(ours.config["segments"])
    ratio = times["ours"] / times["theirs"]
    print(
        f"{name}: ours {times['ours']:.1f} ns, theirs {times['theirs']:.1f} ns, ratio {ratio:.2f} (at most {SLOWER});"
        f" segments {mine} and {segments}; bytes {ours.nbytes} and {size};"
        f" build {our_build:.1f} and {their_build:.1f} ns a key"
    )
    print(
        f"{name}: the tuner takes {chosen.name}, {chosen.nbytes} bytes: {times['chosen']:.1f} ns, numpy.searchsorted"
        f" {times['numpy']:.1f} ns; tuner and build {tuner_build:.1f} ns a key (at most {NANOSECONDS_A_KEY:.0f})"
    )
    wrong = [side for side, found in answers.items() if not np.array_equal(found, expected)]
    missed = [f"{name}: {side} gives wrong answers" for side in wrong]
    if ratio > SLOWER:
        missed.append(f"{name}: slower than {SLOWER} times the library")
    if mine > segments:
        missed.append(f"{name}: more segments than the library")
    if tuner_build > NANOSECONDS_A_KEY:
        missed.append(f"{name}: building takes {tuner_build:.1f} ns a key")
    return missed


def _search(locator: Locator, keys: Keys, queries: Keys, out: Answers) -> None:
    locator.run(keys, queries, out, *locator.arrays)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--error", type=int, default=64, help="error bound of a segment, in ranks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", default=names())
    parser.add_argument("--header", type=Path, help="the folder that holds pgm/pgm_index.hpp")
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            header = options.header or fetch_header(folder)
            library = Library(header, options.compiler, options.error, folder)
        except UserError as error:
            print(f"the C++ PGM-index is not available, nothing was compared: {error}", file=sys.stderr)
            return 2
        few = generate("uniform", 5000, 0)
        tuner.build(few, 2000)  # compiles
        pgm.build(few, None, error=options.error).lower_bound(few, few)
        for key_set in options.sets:
            keys = generate(key_set, options.keys, 0)
            missed += compare(key_set, keys, library, options.error, options.rounds, options.queries)
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
