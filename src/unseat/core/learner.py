"""Learners, which turn training instances into a policy, and bounders, which say what no policy can beat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy

if TYPE_CHECKING:
    from unseat.core.env import Environment
    from unseat.core.task import Instance


class Study(Protocol):
    """All that a learner may touch. Every other instance is refused, and every limit counted."""

    @property
    def train(self) -> Sequence[Instance]: ...
    @property
    def valid(self) -> Sequence[Instance]: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def seed(self) -> int: ...

    def load(self, instance: Instance) -> Any:
        """The whole problem of a training or validation instance, its future included."""
        ...

    def run(self, instance: Instance, policy: Policy) -> Outcome:
        """Run a policy on an instance; counts as one run.

        Raises:
            LimitReached: The limit is spent; let it pass, or return.
        """
        ...

    def env(self, instance: Instance) -> Environment:
        """The environment of an instance; each episode counts as one run."""
        ...

    def charge(self, runs: int) -> None:
        """Count runs that the learner makes by itself, with what `load` gave it; before it makes them.

        Raises:
            LimitReached: That is more than is left, or the time is up: none of them is counted, and none may be made.
        """
        ...

    def propose(self, policy: Policy) -> None:
        """Put forward the best policy so far: the result, should the limit be reached or the fit be killed."""
        ...

    def spend(self, *, tokens: int = 0, dollars: float = 0.0) -> None:
        """Count what was paid to a language model, after each exchange with it.

        Raises:
            LimitReached: That was more than the study allows: nothing may be run or proposed any more.
        """
        ...


class Learner(ABC):
    """Turns training instances into a policy within limits. A tuned incumbent is a learner too."""

    name: str

    @abstractmethod
    def fit(self, study: Study) -> Policy:
        """Fit a policy; equal study, seed and limits in runs give an equal policy."""

    def config(self) -> Mapping[str, Any]:
        """What tells this learner from another of its class, as JSON; part of the ledger's key."""
        return {}


class Kind(StrEnum):
    """What a bounder proves."""

    OPTIMAL = "optimal"
    RELAXATION = "relaxation"
    BEST_KNOWN = "best known"


class Bounder(ABC):
    """Says how good any policy could be on an instance."""

    name: str
    kind: Kind

    @abstractmethod
    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """The bound as an outcome; an optimal value or relaxation that a policy beats is an error."""


class Role(StrEnum):
    """What a contender is there for. A baseline is a constant or random policy, always measured."""

    INCUMBENT = "incumbent"
    CHALLENGER = "challenger"
    BOUND = "bound"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Contender:
    """Anything that is measured.

    Attributes:
        name: Its name in tables.
        role: What it is there for.
        make: Gives the policy, the learner or the bounder; imports what it needs only when called.
        shipped: Gives the shipped policy of a learner; it is used instead of a fit unless one asks to retrain.
        extra: The extra that must be installed for it.
        paper: The publication or code that defines it.
        suites: Suites that it takes part in unless it is asked for by name, perhaps none; None for all. For what costs
            too much for a quick one.
    """

    name: str
    role: Role
    make: Callable[[], Policy | Learner | Bounder]
    shipped: Callable[[], Policy] | None = None
    extra: str | None = None
    paper: str = ""
    suites: frozenset[str] | None = None
