"""Policies that try whole sequences: one, several in turn, or ones that they draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Policy, Session, View
from unseat.tasks.llvm.passes.actions import LEVELS, MOST, NAMES
from unseat.tasks.llvm.passes.question import FEATURES, STOP

PASSES = tuple(name for name in NAMES if name not in LEVELS)
"""The actions that are single passes."""

LAST, BEST = FEATURES.index("last bytes"), FEATURES.index("best bytes")

Tries = Iterator[Sequence[str]]


class Trying(Session):
    """Tries what it is given, one sequence after the other.

    Args:
        tries: The sequences. It is asked for the next one after `seen` holds what the one before gave.

    Attributes:
        seen: The last observation.
    """

    def __init__(self, tries: Tries) -> None:
        self.tries, self.seen = tries, np.zeros(len(FEATURES), np.int64)

    def decide(self, observation: NDArray[np.int64]) -> Any:
        self.seen = observation
        return next(self.tries, STOP)


@dataclass(frozen=True)
class Portfolio(Policy):
    """Tries some sequences in turn, whatever the program, so that the smallest counts.

    Attributes:
        sequences: The sequences.
    """

    name: str
    sequences: Sequence[Sequence[str]]

    def start(self, view: View, seed: int) -> Session:
        return Trying(iter([list(sequence) for sequence in self.sequences]))


def fixed(name: str, sequence: Sequence[str]) -> Portfolio:
    """The same passes for every program."""
    return Portfolio(name, [list(sequence)])


@dataclass(frozen=True)
class RandomSequences(Policy):
    """Tries -Oz and then sequences drawn at random, half of them on top of -Oz, for as long as it may.

    CompilerGym's own board has random search among the first.

    Attributes:
        passes: How many passes it runs in all, if the time allows.
    """

    name: str = "random search"
    passes: int = 160

    def start(self, view: View, seed: int) -> Session:
        return Trying(_random(self.passes, np.random.default_rng(seed)))


def _random(budget: int, rng: np.random.Generator) -> Tries:
    yield ["-Oz"]
    while budget > 0:
        drawn = ["-Oz"] if rng.random() < 0.5 else []
        drawn += [PASSES[place] for place in rng.integers(len(PASSES), size=rng.integers(1, MOST))]
        yield drawn
        budget -= len(drawn)


PLAIN = (
    "globalopt", "ipsccp", "sroa", "early-cse<memssa>", "simplifycfg", "globalopt", "instcombine", "simplifycfg",
    "inline<scalar>", "gvn<no-pre>", "globaldce", "deadargelim", "argpromotion", "instcombine", "simplifycfg<sink>",
    "sroa", "adce", "globaldce", "constmerge", "mergefunc",
)  # fmt: skip
"""Much of LLVM's own pipeline, without the passes for loops: where searches begin. Chosen on training programs."""


@dataclass(frozen=True)
class Climb(Policy):
    """Tries some sequences, and then changes the best a little, again and again, keeping what is no larger.

    No larger than what was kept some changes ago, that is: one can go through what is worse for a while (E. Burke,
    Y. Bykov, "The late acceptance hill-climbing heuristic", European Journal of Operational Research 258, 2017).

    Attributes:
        sequences: Where it begins.
        tries: How many sequences it tries in all, if the time allows.
        late: How many changes ago; with 1 it goes through nothing that is worse.
    """

    name: str = "climb"
    sequences: Sequence[Sequence[str]] = (("-Oz",), PLAIN)
    tries: int = 6
    late: int = 1

    def start(self, view: View, seed: int) -> Session:
        session = Trying(iter(()))
        session.tries = self._climb(session, np.random.default_rng(seed))
        return session

    def _climb(self, session: Trying, rng: np.random.Generator) -> Tries:
        kept, size = list[str](), np.inf
        for sequence in self.sequences[: self.tries]:
            yield list(sequence)
            if session.seen[LAST] <= size:
                kept, size = list(sequence), float(session.seen[LAST])
        before = [size] * self.late
        for number in range(self.tries - len(self.sequences)):
            tried = mutated(kept, rng)
            yield tried
            if session.seen[LAST] <= max(size, before[number % self.late]):
                kept, size = tried, float(session.seen[LAST])
            before[number % self.late] = size


def mutated(sequence: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A sequence with one to three passes added, removed, replaced or moved."""
    made = list(sequence)
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind, at = rng.random(), int(rng.integers(max(1, len(made))))
        drawn = PASSES[int(rng.integers(len(PASSES)))]
        if not made or (kind < 0.4 and len(made) < MOST):
            made.insert(at, drawn)
        elif kind < 0.7 and len(made) > 1:
            made.pop(at)
        elif kind < 0.85:
            made[at] = drawn
        else:
            made.insert(int(rng.integers(len(made))), made.pop(at))
    return made


def make(parameters: Mapping[str, float]) -> Policy:
    """The policy of a sequence whose passes are numbers, as `tune` draws them; -1 is no pass."""
    chosen = [PASSES[int(number)] for _, number in sorted(parameters.items()) if number >= 0]
    return fixed("random sequence", chosen)
