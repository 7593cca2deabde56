"""A task that costs nothing to run: guess the next number of a short row. With data, suites, answers and a bound."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete

from unseat.core.card import Card
from unseat.core.errors import UserError
from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Asker, Form, InvalidAnswer, Policy, Question, Session, View
from unseat.core.task import Instance, Objective, Task

OWN = {"easy-1": [0, 0, 0, 1], "easy-2": [1, 1, 0, 1], "mixed": [0, 1, 0, 1, 1]}


class Tiny(Task):
    """Will the next bit be a one? The value is the share of wrong answers."""

    objective = Objective("wrong answers", "", worst=lambda problem, limits: 1.0, can_be_zero=True)
    forms = frozenset({Form.DECIDE})

    def __init__(self, rows: Mapping[str, list[int]] | None = None) -> None:
        super().__init__()
        self.rows = dict(OWN if rows is None else rows)
        self.card = Card(id="tiny", version=0, title="One or none?", system="none", problem="online",
                         summary="Guess bits.", measured="Wrong answers over all.", repeatability="exact",
                         min_headroom=0.0)  # fmt: skip

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        return {"bit": Question("Will the next bit be a one?", Box(0, 1, (2,), np.float32), Discrete(2))}

    def instances(self) -> Sequence[Instance]:
        split: Any = "valid" if self.source is None else "test"
        return [Instance(name, name, split, suites=frozenset({"quick", "full"})) for name in self.rows]

    def load(self, instance: Instance) -> list[int]:
        return self.rows[instance.id]

    def run(self, problem: list[int], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        session = policy.start(View("bit", {"length": len(problem)}), seed)
        asker, wrong, last = Asker(session, self.questions["bit"], limits.deadline()), 0, 0
        for place, bit in enumerate(problem):
            wrong += asker(np.array([last, place / len(problem)], np.float32)) != bit
            last = bit
        return Outcome(wrong / len(problem), decisions=asker.decisions, decide_s=asker.decide_s)

    def contenders(self) -> Mapping[str, Contender]:
        listed = [Contender("zero", Role.INCUMBENT, lambda: Fixed("zero", 0)),
                  Contender("one", Role.INCUMBENT, lambda: Fixed("one", 1)),
                  Contender("truth", Role.BOUND, Truth)]  # fmt: skip
        return {one.name: one for one in listed}

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        rows = {path.stem: json.loads(path.read_text()) for path in sorted(Path(source).glob("*.json"))}
        if not rows:
            raise UserError(f"{source}: there are no rows")
        return Tiny(rows)


@dataclass(frozen=True)
class Fixed(Policy):
    """Always the same."""

    name: str
    bit: int

    def start(self, view: View, seed: int) -> Session:
        return _Fixed(self.bit)


class _Fixed(Session):
    def __init__(self, bit: int) -> None:
        self.bit = bit

    def decide(self, observation: Any) -> int:
        return self.bit


class Truth(Bounder):
    """Nobody is wrong less than never."""

    name, kind = "truth", Kind.OPTIMAL

    def solve(self, problem: list[int], *, seed: int, limits: Limits) -> Outcome:
        return Outcome(0.0)


class TinyAnswers(Tiny):
    """The same for whole answers: a list of bits."""

    forms = frozenset({Form.DECIDE, Form.ANSWERS})

    def score(self, problem: list[int], answer: Any) -> Outcome:
        if not isinstance(answer, list) or len(answer) != len(problem) or any(bit not in (0, 1) for bit in answer):
            raise InvalidAnswer("give a bit for each place")
        return Outcome(sum(a != b for a, b in zip(answer, problem, strict=True)) / len(problem))


BEGUN = "UNSEAT_TEST_BEGUN"


class Slow(Tiny):
    """Waits in the middle of each run until somebody has read of it, where a FIFO is named."""

    def run(self, problem: list[int], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        if BEGUN in os.environ:
            Path(os.environ[BEGUN]).write_text("begun")
        return super().run(problem, policy, seed=seed, limits=limits)
