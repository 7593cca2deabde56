"""Tasks: one decision in one system, with its engine, data and objective."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unseat.core.card import Card
from unseat.core.errors import ContractError, UserError
from unseat.core.learner import Contender
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from pydantic import BaseModel

    from unseat.core.env import Environment
    from unseat.sandbox.programs import Offer

Split = Literal["train", "valid", "test"]


@dataclass(frozen=True)
class Instance:
    """One problem, worth a ledger row.

    Attributes:
        id: Unique within the task.
        group: The unit of independence (a trace family, a project); never in two splits.
        split: ``train``, ``valid`` or ``test``.
        level: Where on a swept condition it lies; instances that differ only in level form a curve.
        series: What the instances of one curve share; the instance's own id where there is no level.
        weight: Its weight in means.
        suites: The suites it is in; ``quick`` is a part of ``full``.
        facts: What `load` needs besides, as JSON.
    """

    id: str
    group: str
    split: Split
    level: float | None = None
    series: str = ""
    weight: float = 1.0
    suites: frozenset[str] = frozenset({"full"})
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """The one number that a task id is about.

    Attributes:
        name: Its name, such as ``miss ratio``.
        unit: Its unit, for axes and tables; empty for a plain ratio.
        minimise: Whether less is better.
        can_be_zero: Whether values can be zero, so that contenders are compared by difference and not by ratio.
        worst: Gives the value of a failed run from the problem (None where it could not be loaded) and the limits.
    """

    name: str
    unit: str
    worst: Callable[[Any, Limits], float]
    minimise: bool = True
    can_be_zero: bool = False

    def failure(self, problem: Any, limits: Limits) -> float:
        """The value that a failed run counts with."""
        return self.worst(problem, limits)


@dataclass(frozen=True)
class Need:
    """Something outside Python's core install that a task can use, for `unseat doctor`.

    Attributes:
        name: What it is.
        found: Its version, or None where it is missing.
        wanted: The versions that work, in words.
        install: The command that installs it.
        optional: Whether the task runs without it.
        purpose: What it is for.
    """

    name: str
    found: str | None
    wanted: str
    install: str
    optional: bool
    purpose: str


@dataclass(frozen=True)
class Exported:
    """A policy in a form that the system can run.

    Attributes:
        format: Name for `unseat export --to`.
        text: What it is, in a line.
        write: Writes a policy for an instance's facts to a path; gives the files, where they are more than that one.
    """

    format: str
    text: str
    write: Callable[[Policy, Any], Sequence[Path] | None]


class Task(ABC):
    """One decision in one system.

    A task is cheap to make: whatever is heavy is imported when first used.

    Attributes:
        source: What `open` was given; None for the built-in data.
        option_values: The options `open` was given.
        no_folds: Why the built-in instances cannot be divided into folds by group, and what to ask for instead, in
            words; empty where they can.
        recorded: The file that `record` writes where nobody says which.
    """

    card: Card
    objective: Objective
    forms: frozenset[Form]
    options: type[BaseModel] | None = None
    source: str | None = None
    option_values: Mapping[str, Any]
    no_folds: str = ""
    recorded: str = "recorded.csv"

    def __init__(self) -> None:
        self.option_values = {}

    @property
    @abstractmethod
    def questions(self) -> Mapping[str, Question]:
        """What the engine asks, by name; the first is the main one."""

    @abstractmethod
    def instances(self) -> Sequence[Instance]:
        """All instances; cheap, and the same on every call."""

    @abstractmethod
    def load(self, instance: Instance) -> Any:
        """The problem itself; may fetch, before any clock runs. The problem is never changed by a run."""

    @abstractmethod
    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Run the engine with a policy in the heuristic's place; `unseat.core.answers.solve` does it for one question.

        Each question is put to `player(policy, question)`. Where the task takes whole answers (`Form.ANSWERS`) and the
        policy reports some, value and metrics are those of `score`, once the clock has stopped; the policy may then
        come wrapped, so that its class says nothing.

        Raises:
            InvalidAnswer: The policy answered outside what the question allows.
            DeadlineReached: The time was up; the last valid report counts, if there is one.
        """

    @abstractmethod
    def contenders(self) -> Mapping[str, Contender]:
        """Everything that is measured, by name, incumbents first."""

    def score(self, problem: Any, answer: Any) -> Outcome:
        """Check and score a whole answer, without whoever gave it; for tasks that take them (`Form.ANSWERS`).

        Args:
            problem: The problem.
            answer: JSON whose leaves may be arrays; a tuple that was reported comes as a list. It may be anything.

        Returns:
            Value and metrics; the same for the same answer, always.

        Raises:
            InvalidAnswer: It is no answer to this problem.
        """
        raise ContractError(f"task {self.card.id} takes no whole answers")

    def default(self, question: str) -> Policy:
        """What answers a question that a contender leaves to nobody; for tasks with several questions."""
        raise ContractError(f"task {self.card.id} has no default for question {question!r}, and the policy leaves it")

    def player(self, policy: Policy, question: str) -> Policy:
        """Who answers a question in a run of that policy: the policy, if it names it, or the task's default."""
        return policy if question in (policy.questions or tuple(self.questions)[:1]) else self.default(question)

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """The same task on a user's own data.

        Raises:
            UserError: The data cannot be read, or the task takes none.
        """
        raise UserError(f"task {self.card.id} takes no --data")

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Make an instance from a program or its log, for `open`; exactly one of the two is given.

        Args:
            command: Program and arguments to run and watch.
            log: A log that was written elsewhere.
            output: Where the instance's data goes.

        Returns:
            A sentence on what was recorded.

        Raises:
            UserError: It cannot be recorded, or the task records nothing.
        """
        raise UserError(f"task {self.card.id} records nothing; give your data with `unseat run {self.card.id} --data`")

    def content(self, instance: Instance) -> str:
        """A hash of the instance's data, without loading it where that can be helped; part of the ledger's key."""
        text = json.dumps({**asdict(instance), "suites": [], "split": ""}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def needs(self) -> Sequence[Need]:
        """What `unseat doctor` looks for."""
        return ()

    def exporters(self) -> Mapping[str, Exported]:
        """The forms in which a policy can be handed over, by name."""
        return {}

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        """What policies do on an instance, as pictures by their titles, for the task's page; none unless overridden.

        It takes a few seconds at most; the page calls it once. Matplotlib is imported in here.

        Args:
            instance: One that all of the policies have run.
            policies: The incumbent to beat and the headline challenger, or one of them, by name.
            seed: The seed of these runs.

        Returns:
            Figures of Matplotlib. Ink that has no colour of its own follows the page into dark mode.
        """
        return {}

    def program(self) -> Offer | None:
        """What may be programmed, for `unseat evolve`: a signature, a starting program and the features allowed."""
        return None

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        """Write instances that nobody has seen as files that `open` takes: the hidden ones of a contest.

        Equal draws give equal files. Neither their order nor their names may tell of which kind an instance is; see
        `unseat.core.drawing`.

        Raises:
            UserError: The task has no generator, or one that is not installed here.
        """
        raise UserError(f"task {self.card.id} draws no instances from a seed; give a folder")

    def env(self, instance: Instance) -> Environment:
        """The environment of an instance, derived from the engine unless overridden by a native one.

        It is Gymnasium's where one agent is asked, and PettingZoo's where there are several agents or questions.
        """
        from unseat.core.env import derived

        return derived(self, instance)

    def warm(self) -> None:
        """Compile what is compiled on first use, so that no clock counts it."""

    def instance(self, name: str) -> Instance:
        """The instance of that id.

        Raises:
            UserError: There is none.
        """
        for instance in self.instances():
            if instance.id == name:
                return instance
        raise UserError(f"task {self.card.id} has no instance {name!r}; `unseat tasks --json` lists them")
