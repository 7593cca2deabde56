"""Pairs: what shows a transform, what is hidden, and what must stay as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from unseat.tasks.codemod.rules.term import normal


class Pair(NamedTuple):
    """A file before and after; the same twice where it must stay."""

    before: str
    after: str


@dataclass(frozen=True)
class Pairs:
    """All of one transform.

    Attributes:
        name: The transform.
        text: What it does, in a line.
        shown: Pairs that show it.
        hidden: Pairs that are judged.
        kept: Files that are shown and stay.
        unkept: Files that are judged and must stay.
        ruff: Rules of Ruff that do the same, with a fix.
    """

    name: str
    text: str
    shown: tuple[Pair, ...]
    hidden: tuple[Pair, ...]
    kept: tuple[Pair, ...] = ()
    unkept: tuple[Pair, ...] = ()
    ruff: tuple[str, ...] = ()

    @property
    def judged(self) -> list[Pair]:
        """Hidden pairs and files that must stay, mixed: their order tells nothing."""
        return sorted([*self.hidden, *self.unkept], key=lambda pair: hashlib.sha256(pair.before.encode()).digest())

    def halved(self) -> Pairs:
        """Half of what is shown, hidden: to judge by edits of one's own."""
        return replace(
            self, shown=self.shown[::2], hidden=self.shown[1::2], kept=self.kept[::2], unkept=self.kept[1::2]
        )

    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Score(NamedTuple):
    """Of the files that are judged: which were changed, and which of these rightly."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Of what was changed, how much is right; 1 where nothing was."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of what had to change, how much is right."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of the two; 0 where nothing is right."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.right else 0.0


def equal(a: str, b: str) -> bool:
    """Whether two files are the same code up to formatting and comments."""
    if a == b:
        return True
    try:
        return normal(a) == normal(b)
    except SyntaxError:
        return False


def scored(judged: Sequence[Pair], made: Sequence[str]) -> Score:
    """What transformed files are worth.

    Args:
        judged: Files before and after.
        made: What became of each.
    """
    right = wrong = missed = 0
    for pair, text in zip(judged, made, strict=True):
        must = not equal(pair.before, pair.after)
        if equal(text, pair.before):
            missed += must
        elif equal(text, pair.after):
            right += 1
        else:
            wrong += 1
            missed += must
    return Score(right, wrong, missed)
