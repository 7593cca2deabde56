"""The best decisions of a small module, by compiling all of them."""

from __future__ import annotations

from collections.abc import Sequence

from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import text_bytes

MOST = 12
"""Decisions of a module up to which all of them are tried: at most 4096 compilations."""


def optimum(bitcode: bytes, most: int = MOST, deadline: float | None = None) -> tuple[int, Sequence[int]] | None:
    """The smallest object of a module, over all sequences of decisions.

    What is asked hangs on what was answered, so this walks the tree of answers, depth first.

    Args:
        bitcode: The module.
        most: Decisions that a sequence may have.
        deadline: `time.monotonic()` at which to end.

    Returns:
        Bytes of machine code and the decisions that lead to them; None where a sequence is longer than `most`.

    Raises:
        ToolError: The compiler fails.
        DeadlineReached: The time is up.
    """
    best: tuple[int, Sequence[int]] | None = None
    prefix: list[int] | None = []
    while prefix is not None:
        size, decisions = _compile(bitcode, prefix, deadline)
        if len(decisions) > most:
            return None
        if best is None or size < best[0]:
            best = size, decisions
        # The last decision that was still not to inline is turned over next; what follows it is asked anew.
        left = [number for number, decision in enumerate(decisions) if not decision]
        prefix = [*decisions[: left[-1]], 1] if left else None
    return best


def _compile(bitcode: bytes, prefix: Sequence[int], deadline: float | None) -> tuple[int, list[int]]:
    """Bytes and decisions with these first answers; the rest is not inlined."""
    decisions: list[int] = []

    def begin(header: Header) -> Answer:
        def answer(data: bytes) -> int:
            decisions.append(prefix[len(decisions)] if len(decisions) < len(prefix) else 0)
            return decisions[-1]

        return answer

    with workplace.folder() as folder:
        source, made = folder / "module.bc", folder / "module.o"
        source.write_bytes(bitcode)
        Compiler.here(deadline).asked(source, made, begin)
        return text_bytes(made), decisions
