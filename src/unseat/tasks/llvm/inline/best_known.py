"""The best decisions that anybody has found for a module: no bound, but what a policy can be held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy, Session, View
from unseat.tasks.llvm.inline.problem import Problem
from unseat.tasks.llvm.inline.searched import Replay, SearchRule

FILE = Path(__file__).with_name("best_known.json")
"""By `digest`: the decisions, how many compilations were tried, and whether all that are possible were.

`benchmarks/record_inline_best.py` makes it, with one release of LLVM; another gives other bitcode, which is not in it.
"""

SEARCHED = 8
"""Compilations of a module that is not in the file."""


def digest(bitcode: bytes) -> str:
    """What a module is known by."""
    return hashlib.sha256(bitcode).hexdigest()[:24]


@lru_cache(maxsize=1)
def known() -> Mapping[str, Mapping[str, Any]]:
    """What `FILE` holds."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(FILE.read_text())
    return found


@dataclass(frozen=True)
class Recorded(Policy):
    """Answers what was found, and searches a little in a module that is not known."""

    name: str = "best known"

    def start(self, view: View, seed: int) -> Session:
        """Look the module up."""
        found = known().get(digest(view.facts["module"]))
        if found is None:
            return SearchRule(self.name, SEARCHED).start(view, seed)
        return Replay(np.array([int(each) for each in found["decisions"]], np.int64))


class BestKnown(Bounder):
    """Builds the program with the best decisions that are known."""

    name, kind = "best known", Kind.BEST_KNOWN

    def solve(self, problem: Problem, *, seed: int, limits: Limits) -> Outcome:
        """The size with them; a policy may well be better."""
        from unseat.tasks.llvm.inline.task import InlineTask

        return InlineTask(()).run(problem, Recorded(), seed=seed, limits=limits)
