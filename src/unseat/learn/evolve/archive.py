"""What a search keeps: the best program of each kind, on islands that seldom meet.

J.-B. Mouret, J. Clune, "Illuminating search spaces by mapping elites", arXiv 1504.04909; islands as in B.
Romera-Paredes et al. (FunSearch), Nature 625, 2024.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Niche = tuple[int, ...]


@dataclass(frozen=True)
class Candidate:
    """A program that was tried; the journal's row.

    Attributes:
        number: In the order of the search.
        source: Its text.
        how: How it came about: the proposer and what it did.
        parents: Numbers of the candidates it was made of.
        island: Where it lives.
        end: How its run ended; ``refused`` where it left the safe subset, ``known`` where another one acts alike.
        values: Objective's value by instance, as far as it was run.
        score: Mean improvement over the starting program on training instances, as a share of that one's value, each
            group of them counting alike; None where it was not run on all of them.
        behaviour: A hash of its actions on the first instances.
        niche: What kind of program it is.
        message: Why it failed, in a line.
        runs: Runs it was charged.
    """

    number: int
    source: str
    how: str
    parents: tuple[int, ...] = ()
    island: int = 0
    end: str = "ok"
    values: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    behaviour: str = ""
    niche: Niche = ()
    message: str = ""
    runs: int = 0

    def to_json(self) -> dict[str, Any]:
        """The candidate as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**data, "parents": tuple(data["parents"]), "niche": tuple(data["niche"])})


def niche(actions: Mapping[str, NDArray[Any]], rows: int, instructions: int) -> Niche:
    """What kind of program it is: its length, how often its favourite row goes, how evenly it chooses among rows."""
    counts = sum(np.bincount(each, minlength=rows).astype(float) for each in actions.values())
    shares = np.asarray(counts) / max(np.sum(counts), 1.0)
    evenness = -float(np.sum(shares * np.log(shares + 1e-12))) / math.log(rows)
    return min(int(math.log2(1 + instructions)), 7), int(4.999 * float(shares.max())), int(4.999 * max(evenness, 0.0))


def merit(one: Candidate) -> float:
    """Its score; below all others where it has none. The start's is exactly zero."""
    return -math.inf if one.score is None else one.score


@dataclass
class Island:
    """The best of each niche, and how often each was taken as a parent."""

    elites: dict[Niche, Candidate] = field(default_factory=dict)
    taken: Counter[Niche] = field(default_factory=Counter)

    def add(self, one: Candidate) -> bool:
        """Keep it if it is the best of its niche; whether it is."""
        held = self.elites.get(one.niche)
        better = one.score is not None and (held is None or held.score is None or one.score > held.score)
        if better:
            self.elites[one.niche] = one
            self.taken[one.niche] = 0
        return better

    def pick(self, rng: np.random.Generator) -> Candidate:
        """A parent: the better of three, as a rule; one time in five, for novelty, one seldom taken."""
        niches = sorted(self.elites)
        if rng.random() < 0.2:
            chosen = min(niches, key=lambda each: (self.taken[each], rng.random()))
        else:
            drawn = [niches[i] for i in rng.integers(len(niches), size=3)]
            chosen = max(drawn, key=lambda each: merit(self.elites[each]))
        self.taken[chosen] += 1
        return self.elites[chosen]

    @property
    def best(self) -> Candidate:
        """The best of all its niches."""
        return max(self.elites.values(), key=lambda one: (merit(one), -one.number))


def ranked(islands: list[Island], count: int) -> list[Candidate]:
    """The best of all islands that act differently, best first."""
    found: dict[str, Candidate] = {}
    for island in islands:
        for one in island.elites.values():
            held = found.get(one.behaviour)
            if held is None or merit(one) > merit(held):
                found[one.behaviour] = one
    return sorted(found.values(), key=lambda one: (-merit(one), one.number))[:count]
