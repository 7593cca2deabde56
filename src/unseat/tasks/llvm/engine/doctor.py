"""What of an LLVM works here, tried out on a few lines of C."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from unseat.core.errors import UnseatError
from unseat.core.task import Need
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.execution import differs
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.engine.toolchain import INSTALL, OLDEST, find

_SOURCE = """#include <stdio.h>
static int twice(int x) { return x + x; }
int main(void) { return printf("%d", twice(getchar()) + twice(getchar())) < 0; }
"""


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
