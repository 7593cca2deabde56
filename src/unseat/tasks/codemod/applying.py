"""Applying a transformer in a sandbox, and scoring what comes out of it outside."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from unseat.core.policy import InvalidAnswer
from unseat.sandbox import Cage, End, Ending, Job, Sandbox

CAGE = Cage(wall_s=60.0, cpu_s=60.0, memory=1 << 30)
"""Limits of a transformer on all files of an instance together."""
_OPEN: dict[tuple[int, int, bool], Sandbox] = {}


@dataclass(frozen=True)
class Applied:
    """What a transformer did.

    Attributes:
        files: The files it left; None where it failed.
        cpu_s: Seconds of CPU it took.
    """

    files: list[str | None]
    cpu_s: float


def applied(transformer: str, files: Sequence[str], trust: bool = False) -> Applied:
    """Run a transformer on files, in a sandbox that knows nothing else.

    Raises:
        InvalidAnswer: It cannot be run, or takes too long, or too much.
        UserError: There is no sandbox here.
    """
    ending = _asked("transformed", transformer, files, trust)
    made = ending.value
    if not isinstance(made, list) or len(made) != len(files) or not all(isinstance(one, str | None) for one in made):
        raise InvalidAnswer("the transformer gives no text for each file")
    return Applied(made, ending.cpu_s)


def remaining(transformer: str, files: Sequence[str], trust: bool = False) -> list[str]:
    """Why learned rules left each of these files as it was, in words; empty where they say nothing of it.

    Raises:
        InvalidAnswer: It cannot be run, or takes too long, or too much.
        UserError: There is no sandbox here.
    """
    told = _asked("remaining", transformer, files, trust).value
    if not isinstance(told, list) or len(told) != len(files) or not all(isinstance(one, str) for one in told):
        raise InvalidAnswer("the transformer gives no text for each file")
    return told


def _asked(function: str, transformer: str, files: Sequence[str], trust: bool) -> Ending:
    # LibCST takes most of a second to import, and rules do without it.
    box = _box("libcst" in transformer, trust)
    ending = box.run(Job(f"unseat.tasks.codemod.inside:{function}", None,
                         {"transformer": transformer, "files": list(files)}))  # fmt: skip
    if ending.end is not End.OK:
        raise InvalidAnswer(f"the transformer: {ending.message}")
    return ending


def _box(libcst: bool, trust: bool) -> Sandbox:
    """A sandbox of this thread, which stays; one ends with the thread that made it."""
    key = os.getpid(), threading.get_ident(), libcst
    if key not in _OPEN:
        preload = ["unseat.tasks.codemod.inside", *(["libcst", "libcst.matchers"] if libcst else [])]
        _OPEN[key] = Sandbox(CAGE, preload=preload, trust=trust)
        atexit.register(_close, key)
    return _OPEN[key]


def _close(key: tuple[int, int, bool]) -> None:
    if key[0] == os.getpid():
        _OPEN.pop(key).close()
