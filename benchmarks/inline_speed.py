"""How many inlining decisions a second, and what Python's part of the time is.

    python -m benchmarks.inline_speed [--processes N] [--seconds S] SOURCES [-- CLANG ARGUMENT ...]

Each process compiles the modules of a folder (or compilation database) over and over, from bitcode to objects, asking a
policy at every call. Time to the first question of each module is that of an environment's reset.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from unseat.core.policy import Asker
from unseat.tasks.llvm.data.programs import opened
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.inline.policies import Default
from unseat.tasks.llvm.inline.problem import Problem
from unseat.tasks.llvm.inline.question import Answering, inline


def measure(source: str, flags: Sequence[str], seconds: float) -> dict[str, float]:
    """One process's figures."""
    compiler, asker = Compiler.here(), Asker(Default().start(Problem("", (), False, None, b"").view(), 0), inline())
    resets: list[float] = []
    with workplace.folder() as folder:
        units = [unit for program in opened(source, flags) for unit in program.units]
        modules = [folder / f"{number}.bc" for number in range(len(units))]
        for unit, module in zip(units, modules, strict=True):
            compiler.bitcode(unit.source, unit.flags, unit.folder, module)
        print("ready", flush=True)
        sys.stdin.readline()
        began, own = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        compiled = 0
        while time.perf_counter() - began < seconds:
            for module in modules:
                if time.perf_counter() - began >= seconds:
                    break
                start, first = time.perf_counter(), [0.0]
                answering = Answering(asker)

                def begin(header: Header, first: list[float] = first, answering: Answering = answering) -> Answer:
                    answer = answering.begin(header)

                    def timed(data: bytes) -> int:
                        first[0] = first[0] or time.perf_counter()
                        return answer(data)

                    return timed

                compiler.asked(module, folder / "made.o", begin)
                compiled += 1
                if first[0]:
                    resets.append(first[0] - start)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    python = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "decisions": asker.decisions, "modules": compiled, "wall_s": wall, "python_s": python,
        "compilers_s": children.ru_utime + children.ru_stime - before.ru_utime - before.ru_stime,
        "reset_s": statistics.median(resets), "least_reset_s": min(resets),
    }  # fmt: skip


def main() -> None:
    """Start the processes together, and add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments, flags = parser.parse_known_args()
    flags = [flag for flag in flags if flag != "--"]
    if arguments.one:
        print(json.dumps(measure(arguments.source, flags, arguments.seconds)))
        return
    command = [sys.executable, "-m", "benchmarks.inline_speed", "--one", f"--seconds={arguments.seconds}"]
    running = [
        subprocess.Popen([*command, arguments.source, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(arguments.processes)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    told = [json.loads(process.communicate("\n")[0]) for process in _let_go(running)]
    rate = sum(each["decisions"] / each["wall_s"] for each in told)
    python, wall = sum(each["python_s"] for each in told), sum(each["wall_s"] for each in told)
    busy = python + sum(each["compilers_s"] for each in told)
    print(f"{rate:.0f} decisions a second in {arguments.processes} processes")
    print(f"{sum(each['decisions'] for each in told) / busy:.0f} decisions a second of CPU time")
    print(f"Python: {python / wall:.1%} of the wall time, {python / busy:.1%} of the CPU time")
    reset = statistics.median(each["reset_s"] for each in told)
    print(
        f"first question after {1000 * reset:.0f} ms (median; least {1000 * min(e['least_reset_s'] for e in told):.0f})"
    )


def _let_go(running: Sequence[subprocess.Popen[str]]) -> Sequence[subprocess.Popen[str]]:
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return running


if __name__ == "__main__":
    main()
