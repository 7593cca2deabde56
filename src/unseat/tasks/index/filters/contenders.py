"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy, Session, View

BLOOM, PUTZE = "B. H. Bloom, CACM 13(7), 1970", "Putze, Sanders and Singler, ACM JEA 14, 2009"
XOR, FUSE = "Graf and Lemire, ACM JEA 25, 2020", "Graf and Lemire, ACM JEA 27, 2022"
PLAIN: Mapping[str, str] = {
    "Bloom": BLOOM, "blocked-Bloom": PUTZE, "XOR": XOR, "binary-fuse-3": FUSE, "binary-fuse-4": FUSE,
    "binary-fuse-tuned": FUSE,
}  # fmt: skip
LEARNED: Mapping[str, str] = {
    "learned": "Kraska et al., SIGMOD 2018, section 5",
    "sandwiched": "Mitzenmacher, NeurIPS 2018",
    "partitioned": "Vaidya et al., ICLR 2021",
    "adaptive": "the smallest of these three and of the tuned fuse filter",
}


class Holding(Session):
    """A filter at work; `nbytes` is what the engine charges."""

    def __init__(self, made: Any) -> None:
        self.made, self.nbytes = made, int(made.nbytes)

    def decide(self, observation: Any) -> Any:
        """Whether each of these strings may be one of the keys."""
        return self.made.contains(observation)


@dataclass(frozen=True)
class Plain(Policy):
    """A filter over the keys' hashes.

    The parameters are the best for the rate: Bloom's number of tests and bits by formula; the tuned fuse filter is the
    smallest over three and four places, whole and fractional bits of fingerprint, and sizes that still peel.
    """

    name: str
    kind: str

    def start(self, view: View, seed: int) -> Session:
        """Build it."""
        from unseat.structures.filters import plain

        hashes, rate = view.facts["keys"].hashes(), view.facts["rate"]
        makers: Mapping[str, Callable[[], Any]] = {
            "Bloom": partial(plain.standard_bloom, hashes, rate),
            "blocked-Bloom": partial(plain.standard_bloom, hashes, rate, blocked=True),
            "XOR": partial(plain.fuse, hashes, rate, arity=0, exact=False, seed=seed),
            "binary-fuse-3": partial(plain.fuse, hashes, rate, arity=3, exact=False, seed=seed),
            "binary-fuse-4": partial(plain.fuse, hashes, rate, arity=4, exact=False, seed=seed),
            "binary-fuse-tuned": partial(plain.smallest_fuse, hashes, rate, seed=seed),
        }
        return Holding(makers[self.kind]())


@dataclass(frozen=True)
class Learned(Policy):
    """A classifier with a filter for what it leaves in doubt; the adaptive one goes without where that is smaller."""

    name: str
    kind: str

    def start(self, view: View, seed: int) -> Session:
        """Fit and build it."""
        from unseat.structures.filters import learned
        from unseat.structures.filters.plain import smallest_fuse

        facts = view.facts
        strings = facts["keys"], facts["others"], facts["unseen"]
        if self.kind != "adaptive":
            kinds: Any = (self.kind,)
            return Holding(learned.build(*strings, facts["rate"], kinds=kinds, seed=seed))
        made = learned.build(*strings, facts["rate"], seed=seed)
        plain = smallest_fuse(facts["keys"].hashes(), facts["rate"], seed=seed)
        return Holding(made if made.nbytes < plain.nbytes else plain)


class Hashing(Bounder):
    """What any filter takes that knows nothing of keys and queries but a hash (Carter et al., STOC 1978).

    No bound here: a filter that looks at the strings can take less.
    """

    name, kind = "hash bound", Kind.BEST_KNOWN

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """log2 of one over the rate."""
        return Outcome(-float(np.log2(problem.rate)))


def contenders() -> Mapping[str, Contender]:
    """By name: filters over hashes, learned ones, and what is best known for hashes."""
    found = [Contender(name, Role.INCUMBENT, partial(Plain, name, name), paper=paper) for name, paper in PLAIN.items()]
    for name, paper in LEARNED.items():
        found.append(Contender(name, Role.CHALLENGER, partial(Learned, name, name), paper=paper))
    found.append(Contender(Hashing.name, Role.BOUND, Hashing, paper="Carter et al., STOC 1978"))
    return {contender.name: contender for contender in found}
