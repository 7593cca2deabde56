"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Session, View

PAPERS: Mapping[str, str] = {
    "murmur": "A. Appleby, MurmurHash3, 2011",
    "xxhash": "Y. Collet, xxHash specification 0.1.1",
    "wyhash": "Wang Yi, 2019",
    "fibonacci": "D. Knuth, The Art of Computer Programming 3, section 6.4",
    "multiply-shift": "M. Dietzfelbinger, STACS 1996",
    "tabulation": "M. Pătraşcu, M. Thorup, JACM 59(3), 2012",
}
LEARNED: Mapping[str, str] = {
    "rmi": "Kraska et al., SIGMOD 2018, section 4",
    "spline": "Kraska et al., SIGMOD 2018, section 4; Kipf et al. (RadixSpline), aiDM 2020",
}
SHARES = (0.001, 0.01, 0.1)
"""Sizes of the models, as shares of the keys' bytes."""


@dataclass(frozen=True)
class Seeded(Policy):
    """A function that knows nothing of the keys."""

    form: ClassVar[Form] = Form.KERNEL
    name: str
    function: str

    def start(self, view: View, seed: int) -> Session:
        """Draw its numbers."""
        from unseat.structures.hashing.functions import FUNCTIONS

        made = FUNCTIONS[self.function](seed)
        session = Session()
        session.kernel = made.run, made.arrays
        return session


@dataclass(frozen=True)
class Learned(Policy):
    """A function that is made from the keys.

    Attributes:
        name: Its name in tables.
        model: Its key in `unseat.structures.hashing.learned.MODELS`.
        share: Its size, as a share of the keys' bytes.
    """

    form: ClassVar[Form] = Form.KERNEL
    name: str
    model: str
    share: float

    def start(self, view: View, seed: int) -> Session:
        """Fit the model."""
        from unseat.structures.hashing.learned import MODELS

        keys = view.facts["keys"]
        made = MODELS[self.model](keys, int(self.share * keys.nbytes))
        session = Session()
        session.kernel = made.run, made.arrays
        return session


class Perfect(Bounder):
    """No two keys in one slot: with as many slots as keys or more there is such a function for every set."""

    name, kind = "perfect hash", Kind.OPTIMAL

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """No conflicts."""
        return Outcome(0.0)


def contenders() -> Mapping[str, Contender]:
    """By name: good functions, learned ones of several sizes, the bound."""
    found = [
        Contender(name, Role.INCUMBENT, partial(Seeded, name, name), paper=paper) for name, paper in PAPERS.items()
    ]
    for model, paper in LEARNED.items():
        for share in SHARES:
            name = f"{model}-{share:.1%}".replace(".0%", "%")
            found.append(Contender(name, Role.CHALLENGER, partial(Learned, name, model, share), paper=paper))
    found.append(Contender(Perfect.name, Role.BOUND, Perfect, paper="Fredman, Komlós and Szemerédi, JACM 31(3), 1984"))
    return {contender.name: contender for contender in found}
