"""What is asked: the next pass, or a whole sequence to be tried."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from unseat.core.policy import Question
from unseat.tasks.llvm.engine.optimizer import Counts
from unseat.tasks.llvm.engine.worker import OPCODES, OTHERS
from unseat.tasks.llvm.passes.actions import MOST, NAMES

_OPCODES = {
    1: "ret", 2: "br", 3: "switch", 5: "invoke", 7: "unreachable", 8: "add", 9: "fadd", 10: "sub", 11: "fsub",
    12: "mul", 13: "fmul", 14: "udiv", 15: "sdiv", 16: "fdiv", 17: "urem", 18: "srem", 20: "shl", 21: "lshr",
    22: "ashr", 23: "and", 24: "or", 25: "xor", 26: "alloca", 27: "load", 28: "store", 29: "getelementptr",
    30: "trunc", 31: "zext", 32: "sext", 33: "fptoui", 34: "fptosi", 35: "uitofp", 36: "sitofp", 37: "fptrunc",
    38: "fpext", 39: "ptrtoint", 40: "inttoptr", 42: "icmp", 43: "fcmp", 44: "phi", 45: "call", 46: "select",
    50: "extractelement", 51: "insertelement", 52: "shufflevector", 53: "extractvalue", 54: "insertvalue", 66: "fneg",
    68: "freeze",
}  # fmt: skip
"""LLVM's numbers of opcodes (`llvm-c/Core.h`), which never change; those that are not named count as others."""

_NEWER_BRANCHES = (70, 71)
"""What LLVM 23 made of number 2: branches without and with a condition."""

RUN = ("passes", "last pass", "last bytes", "best bytes", "sequences")
"""What has been done in the episode; passes are those of the sequence at hand, and -1 is none."""

FEATURES = ("instructions", *_OPCODES.values(), "other instructions", *OTHERS, *RUN)
"""Names of an observation's numbers."""

RESTART, STOP = len(NAMES), len(NAMES) + 1
"""The actions after the passes: begin another sequence, end the episode. Either way the one at hand is measured."""

_LARGEST = 1 << 62
_COLUMNS = np.array(list(_OPCODES))


def passes() -> Question:
    """Observation: int64 [63], `FEATURES`; action: a pass by its place in `NAMES`, `RESTART` or `STOP`."""
    return Question(
        text="Which pass is run next? Or, as a list of names: which sequence is tried?",
        observation=Box(-1, _LARGEST, (len(FEATURES),), np.int64),
        action=Discrete(len(NAMES) + 2),
    )


def observation(counts: Counts, run: tuple[int, ...]) -> NDArray[np.int64]:
    """What is shown: a module's counts (`optimizer.COUNTS`), and how the episode goes (`RUN`)."""
    by_opcode = counts[:OPCODES]
    named = by_opcode[_COLUMNS]
    named[1] += by_opcode[list(_NEWER_BRANCHES)].sum()
    total = by_opcode.sum()
    return np.array([total, *named, total - named.sum(), *counts[OPCODES:], *run], np.int64)


def facts() -> dict[str, object]:
    """What a policy is told beforehand."""
    return {"passes": list(NAMES), "most": MOST, "features": list(FEATURES)}
