"""A small deterministic task for the laboratory's tests: guess each number of a list, pay for the distance."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from unseat.core.card import Card
from unseat.core.errors import LimitReached, MissingExtra, UserError
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
    """Does one thing that a policy must not do; leaves a file in the folder `where` when it begins."""

    name: str
    how: str
    where: str = ""

    def start(self, view: View, seed: int) -> Session:
        return _Misbehaving(self.how, self.where)


class _Misbehaving(Session):
    def __init__(self, how: str, where: str) -> None:
        self.how, self.where = how, where

    def decide(self, observation: Any) -> Any:
        if self.where:
            Path(self.where, "started").touch()
        return getattr(self, f"_{self.how}")()

    def _raise(self) -> None:
        raise RuntimeError("this policy is broken")

    def _range(self) -> int:
        return 99

    def _exit(self) -> None:
        os._exit(3)

    def _fork(self) -> int:
        self._fork = lambda: 5  # type: ignore[method-assign]
        os.fork()
        return 5

    def _print(self) -> int:
        print("a policy that talks")  # noqa: T201
        return 5

    def _threads(self) -> int:
        return int(os.environ["OMP_NUM_THREADS"])

    def _eat(self) -> None:
        hoard = []
        while True:
            hoard.append(np.ones(1_000_000))

    def _swallow(self) -> None:
        np.ones(4 * 10**8)  # 3 GB at once

    def _busy(self) -> None:
        while True:
            pass

    def _spin(self) -> None:
        while True:
            try:
                self._busy()
            except Exception:
                continue

    def _hang(self) -> None:
        time.sleep(600)

    def _hold(self) -> None:
        ctypes.PyDLL(None).sleep(600)  # keeps the interpreter's lock all the while

    def _spawn(self) -> None:
        started = subprocess.Popen(["sleep", "600"])
        Path(self.where, "spawned").write_text(str(started.pid))
        self._spin()


@dataclass(frozen=True)
class Best(Learner):
    """Tries every guess on the training instances, proposes what is better than before, and ends in some way."""

    name: str
    end: str = "quick"

    def fit(self, study: Study) -> Policy:
        if self.end == "silent":
            time.sleep(600)
        if self.end == "lacks":
            raise MissingExtra("needs a part: pip install it")
        best: tuple[float, Policy] | None = None
        for guess in range(10):
            policy = Constant(self.name, guess)
            cost = sum(study.run(instance, policy).value for instance in study.train)
            if best is None or cost < best[0]:
                best = cost, policy
                study.propose(policy)
            if self.end in ("pays", "overpays"):
                self._pay(study)
        if self.end == "fails":
            raise RuntimeError("this learner is broken")
        if self.end == "dies":
            os._exit(4)
        if self.end == "sleeps":
            time.sleep(600)
        if self.end == "stubborn":
            _Misbehaving("", "")._spin()
        assert best
        return best[1]

    def _pay(self, study: Study) -> None:
        try:
            study.spend(tokens=1000, dollars=0.25)
        except LimitReached:
            if self.end == "pays":
                raise
            os._exit(5)

    def config(self) -> Mapping[str, Any]:
        return {"end": self.end}


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
        bad = {how: Contender(how, Role.CHALLENGER, partial(Misbehaving, how, how))
               for how in ("raise", "range", "exit", "print")}  # fmt: skip
        return {"three": super().contenders()["three"], **bad}


class Costly(TinyTask):
    """The same with a challenger that the quick suite does without."""

    def contenders(self) -> Mapping[str, Contender]:
        known = super().contenders()
        return {"three": known["three"], "learned": replace(known["learned"], suites=frozenset({"full"}))}


class Slow(TinyTask):
    """The same with learners that end in every way."""

    def contenders(self) -> Mapping[str, Contender]:
        ends = ("quick", "sleeps", "stubborn", "fails", "dies", "silent", "lacks", "pays", "overpays")
        return {end: Contender(end, Role.CHALLENGER, partial(Best, end, end)) for end in ends}


class Unloadable(TinyTask):
    """The same with data that cannot be read."""

    def load(self, instance: Instance) -> NDArray[np.int64]:
        raise ValueError("no data")


class Gated(TinyTask):
    """The same, but one run waits for the file TINY_GATE, and each run that ends is noted in TINY_LOG."""

    def run(self, problem: NDArray[np.int64], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        assert isinstance(policy, Constant)
        gate = Path(os.environ["TINY_GATE"])
        if policy.guess == 9 and seed == 1:
            while not gate.exists():
                gate.with_name("gate.waiting").touch()
                time.sleep(0.01)
        outcome = super().run(problem, policy, seed=seed, limits=limits)
        with Path(os.environ["TINY_LOG"]).open("a") as log:
            log.write(f"{policy.guess}/{seed}/{problem.sum()}\n")
        return outcome

    def contenders(self) -> Mapping[str, Contender]:
        found = [Contender(str(guess), Role.INCUMBENT, partial(Constant, str(guess), guess)) for guess in (1, 3, 9)]
        return {one.name: one for one in found}


class Shipping(TinyTask):
    """The same with a shipped policy that was fitted on one of the groups, and on some data of a user's."""

    def contenders(self) -> Mapping[str, Contender]:
        stranger = type(self)(list(range(5))).instances()[0]
        record = {"train_groups": ["ant"], "valid_groups": ["cat"], "train": {"x": self.content(stranger)}, "valid": {}}

        def shipped() -> Policy:
            return replace(Constant("shipped", 4).artefact, fit=record).restore()

        known = super().contenders()
        found = Contender("shipped", Role.CHALLENGER, partial(Best, "shipped"), shipped=shipped)
        return {"three": known["three"], "shipped": found, "bound": known["bound"]}


class Timed(TinyTask):
    """The same, as if its values were times."""

    def __init__(self) -> None:
        super().__init__()
        self.card = self.card.model_copy(update={"repeatability": "timed"})

    def contenders(self) -> Mapping[str, Contender]:
        return {name: one for name, one in super().contenders().items() if name in ("zero", "three", "learned")}


class Unsolved(TinyTask):
    """The same with a bounder that fails."""

    def contenders(self) -> Mapping[str, Contender]:
        return {**super().contenders(), "bound": Contender("bound", Role.BOUND, Unsolvable)}


class Unsolvable(Median):
    """Solves nothing."""

    def solve(self, problem: NDArray[np.int64], *, seed: int, limits: Limits) -> Outcome:
        raise RuntimeError("no solution")


class Unbounded(TinyTask):
    """The same with a bounder whose bound is none."""

    def contenders(self) -> Mapping[str, Contender]:
        return {**super().contenders(), "bound": Contender("bound", Role.BOUND, Infinite)}


class Infinite(Median):
    """Says that a policy may be as good as it likes."""

    def solve(self, problem: NDArray[np.int64], *, seed: int, limits: Limits) -> Outcome:
        return Outcome(-float("inf"))
