"""What of an LLVM works here, tried out on a few lines of C."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from unseat.core.errors import UnseatError
from unseat.core.task import Need
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.execution import differs
from unseat.tasks.llvm.engine.optimizer import Optimizer, library
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.engine.toolchain import INSTALL, OLDEST, find, require

_SOURCE = """#include <stdio.h>
static int twice(int x) { return x + x; }
int main(void) { return printf("%d", twice(getchar()) + twice(getchar())) < 0; }
"""

_PRESSED = """unsigned f(unsigned *x) {
    unsigned a = x[0], b = x[1], c = x[2], d = x[3], e = x[4], g = x[5], h = x[6], i = x[7], j = x[8], k = x[9];
    unsigned l = x[10], m = x[11], n = x[12], o = x[13], p = x[14], q = x[15], r = x[16], s = x[17], t = x[18];
    for (int u = 0; u < 9; u++)
        a += b ^ t, b += c ^ a, c += d ^ b, d += e ^ c, e += g ^ d, g += h ^ e, h += i ^ g, i += j ^ h, j += k ^ i,
        k += l ^ j, l += m ^ k, m += n ^ l, n += o ^ m, o += p ^ n, p += q ^ o, q += r ^ p, r += s ^ q, s += t ^ r;
    return a ^ b * c ^ d * e ^ g * h ^ i * j ^ k * l ^ m * n ^ o * p ^ q * r ^ s * t;
}
"""
"""More values at once than any of our machines has registers for."""


@lru_cache(maxsize=1)
def needs() -> Sequence[Need]:
    """What `unseat doctor` looks for; where there is an LLVM, a program is built with every call asked about."""
    llvm = find()
    wanted = f"{OLDEST} or newer, on Linux"
    purpose = "compiles, and asks a policy instead of its own heuristic"
    if llvm is None:
        return (Need("LLVM", None, wanted, INSTALL, False, purpose),)
    fault, asked = _trial()
    found = f"{llvm.version} ({llvm.clang})"
    needed = [Need("LLVM", found if asked or not fault else None, wanted, INSTALL, False, purpose)]
    links = None if fault else "found"
    needed.append(Need("C library", links, "headers and start files", "apt-get install gcc libc6-dev", False,
                       "programs are linked and run" + (f" ({fault})" if fault else "")))  # fmt: skip
    return tuple(needed)


@lru_cache(maxsize=1)
def evictions() -> Sequence[Need]:
    """Whether this LLVM's register allocator asks a policy; nothing where there is no LLVM, as `needs` says so."""
    llvm = find()
    if llvm is None:
        return ()
    fault, asked = "it asks about none", 0
    try:
        with workplace.folder() as folder:
            (folder / "trial.c").write_text(_PRESSED)
            compiler = Compiler.here()
            compiler.bitcode(Path("trial.c"), (), folder, folder / "trial.bc")
            asked = compiler.asked_evictions(folder / "trial.bc", folder / "trial.o", _first)
    except (ToolError, UnseatError) as error:
        fault = str(error)
    found = f"{asked} in a trial" if asked else None
    purpose = "its register allocator asks a policy whom to evict" + ("" if asked else f" ({fault})")
    return (Need("LLVM's questions about evictions", found, f"LLVM {OLDEST} or newer", INSTALL, False, purpose),)


def _first(header: Header) -> Answer:
    """Answers the first row that may be answered."""
    return lambda data: int(header.split(data)["mask"].argmax())


@lru_cache(maxsize=1)
def library_need() -> Sequence[Need]:
    """LLVM's shared library, tried out in a process of its own."""
    found, fault = None, ""
    try:
        path = library(require())
        compiler = Compiler.here()
        with workplace.folder() as folder:
            (folder / "trial.c").write_text(_SOURCE)
            compiler.bitcode(Path("trial.c"), (), folder, folder / "trial.bc")
            with Optimizer((folder / "trial.bc").read_bytes()) as optimizer:
                works = optimizer.run("default<O2>") and optimizer.object()
        found = str(path) if works else None
    except (ToolError, UnseatError) as error:
        fault = f" ({error})"
    purpose = "passes are run in memory" + fault
    return (Need("libLLVM", found, f"that of LLVM {OLDEST} or newer, on x86-64", INSTALL, False, purpose),)


def _trial() -> tuple[str, int]:
    """Why a program cannot be built here, and how many calls were asked about."""
    asked = 0
    try:
        compiler = Compiler.here()
        with workplace.folder() as folder:
            (folder / "trial.c").write_text(_SOURCE)
            module, made, program = (folder / name for name in ("trial.bc", "trial.o", "trial"))
            compiler.bitcode(Path("trial.c"), (), folder, module)
            asked = compiler.asked(module, made, lambda header: lambda data: 1)
            compiler.linked([made], program)
            (folder / "run").mkdir()
            return differs(program, b"ab", b"390", folder / "run"), asked
    except (ToolError, UnseatError) as error:
        return str(error), asked
