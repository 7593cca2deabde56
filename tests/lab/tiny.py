"""A small deterministic task for the laboratory's tests: guess each number of a list, pay for the distance."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from unseat.core.card import Card
from unseat.core.errors import UserError
from unseat.core.learner import Bounder, Contender, Kind, Learner, Role, Study
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Asker, Form, Policy, Question, Session, View
from unseat.core.task import Instance, Objective, Split, Task

GUESS = Question("which number comes next?", spaces.Discrete(10), spaces.Discrete(10))


@dataclass(frozen=True)
class Constant(Policy):
    """Always guesses the same."""

    name: str
    guess: int

    def start(self, view: View, seed: int) -> Session:
        return _Saying(self.guess)


class _Saying(Session):
    def __init__(self, guess: int) -> None:
        self.guess = guess

    def decide(self, observation: Any) -> int:
        return self.guess


@dataclass(frozen=True)
class Misbehaving(Policy):
    """Does one thing that a policy must not do."""

    name: str
    how: str

    def start(self, view: View, seed: int) -> Session:
        return _Misbehaving(self.how)


class _Misbehaving(Session):
    def __init__(self, how: str) -> None:
        self.how, self.hoard = how, []  # type: ignore[var-annotated]

    def decide(self, observation: Any) -> Any:
        if self.how == "raise":
            raise RuntimeError("this policy is broken")
        if self.how == "range":
            return 99
        if self.how == "exit":
            os._exit(3)
        if self.how == "print":
            print("a policy that talks")  # noqa: T201
            return 5
        if self.how == "eat":
            while True:
                self.hoard.append(np.ones(4_000_000))
        if self.how == "spin":
            while True:
                try:
                    while True:
                        pass
                except Exception:
                    continue
        while True:
            time.sleep(60)


@dataclass(frozen=True)
class Best(Learner):
    """Tries every guess on the training instances; the last one takes as long as `pause_s`."""

    name: str
    pause_s: float = 0.0
    fails: bool = False

    def fit(self, study: Study) -> Policy:
        best: tuple[float, Policy] | None = None
        for guess in range(10):
            policy = Constant(self.name, guess)
            cost = sum(study.run(instance, policy).value for instance in study.train)
            if best is None or cost < best[0]:
                best = cost, policy
                study.propose(policy)
        if self.fails:
            raise RuntimeError("this learner is broken")
        time.sleep(self.pause_s)
        assert best
        return best[1]

    def config(self) -> Mapping[str, Any]:
        return {"pause_s": self.pause_s, "fails": self.fails}


class Median(Bounder):
    """The best constant of each list."""

    name = "bound"
    kind = Kind.RELAXATION

    def solve(self, problem: NDArray[np.int64], *, seed: int, limits: Limits) -> Outcome:
        return Outcome(1 + min(float(np.abs(problem - guess).mean()) for guess in range(10)) * 0.5)


class TinyTask(Task):
    """Lists of numbers between 0 and 9, in groups that differ in their mean."""

    objective = Objective("cost", "", worst=lambda problem, limits: 20.0 if problem is None else 10.0 + len(problem))
    forms = frozenset({Form.DECIDE})

    def __init__(self, numbers: Sequence[int] | None = None, size: int = 20) -> None:
        super().__init__()
        self.numbers, self.size = numbers, size
        self.card = Card(id="tiny", version=0, title="which number?", system="none", problem="online", summary="s",
                         measured="mean distance plus one", repeatability="exact", min_headroom=0.001)  # fmt: skip

    @property
    def questions(self) -> Mapping[str, Question]:
        return {"guess": GUESS}

    def instances(self) -> Sequence[Instance]:
        if self.numbers is not None:
            return [Instance("own", "own", "test", facts={"numbers": list(self.numbers)})]
        groups: dict[str, Split] = {"ant": "train", "bee": "train", "cat": "valid", "dog": "test", "eel": "test"}
        return [
            Instance(f"{group}-{number}", group, split, suites=frozenset({"quick", "full"} if not number else {"full"}),
                     facts={"seed": 10 * index + number})
            for index, (group, split) in enumerate(groups.items())
            for number in range(2)
        ]  # fmt: skip

    def load(self, instance: Instance) -> NDArray[np.int64]:
        if "numbers" in instance.facts:
            return np.array(instance.facts["numbers"])
        seed = instance.facts["seed"]
        return np.random.default_rng(seed).integers(seed // 10, seed // 10 + 5, self.size)

    def run(self, problem: NDArray[np.int64], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        asker = Asker(policy.start(View("guess"), seed), GUESS)
        cost, last = 0.0, 0
        for number in problem:
            cost += abs(asker(last) - int(number))
            last = int(number)
        return Outcome(1 + cost / len(problem), decisions=asker.decisions, decide_s=asker.decide_s,
                       metrics={"total": cost})  # fmt: skip

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        try:
            return type(self)([int(line) for line in Path(source).read_text().split()])
        except OSError as error:
            raise UserError(f"{source}: {error.strerror}") from error

    def contenders(self) -> Mapping[str, Contender]:
        found = [
            Contender("zero", Role.INCUMBENT, lambda: Constant("zero", 0)),
            Contender("three", Role.INCUMBENT, lambda: Constant("three", 3)),
            Contender("tuned", Role.INCUMBENT, lambda: Best("tuned")),
            Contender("learned", Role.CHALLENGER, lambda: Best("learned")),
            Contender("nine", Role.BASELINE, lambda: Constant("nine", 9)),
            Contender("bound", Role.BOUND, Median),
            Contender("lacking", Role.CHALLENGER, lambda: Best("lacking"), extra="no_such_module_at_all"),
        ]
        return {one.name: one for one in found}


class Troubled(TinyTask):
    """The same with policies that do what they must not."""

    def contenders(self) -> Mapping[str, Contender]:
        bad = {how: Contender(how, Role.CHALLENGER, lambda how=how: Misbehaving(how, how))  # type: ignore[misc]
               for how in ("raise", "range", "exit", "print")}  # fmt: skip
        return {"three": super().contenders()["three"], **bad}
